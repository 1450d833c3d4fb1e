"""What a run learns from and is judged by: chosen, named, disjoint, and refused in one line where it cannot be."""

import numpy as np
import pytest

from voxsphere.audio.wave import write
from voxsphere.core.errors import BadInput
from voxsphere.core.manifest import Manifest, Utterance
from voxsphere.core.trials import Trials
from voxsphere.data.training_set import training_set


def table(folder, rows, *, header="path\tspeaker\tdataset\tsplit\tduration", name="manifest.tsv"):
    path = folder / name
    path.write_text("\n".join([header, *("\t".join(row) for row in rows)]) + "\n")
    return str(path)


def corpus(folder, *, speakers=10, takes=3, dataset="d"):
    rows = [
        (f"{dataset}/s{s}/{t}.wav", f"s{s}", dataset, "train" if s < speakers - 2 else "test", "3.0")
        for s in range(speakers)
        for t in range(takes)
    ]
    return table(folder, rows)


def test_held_out_speakers_do_not_teach_and_make_the_trials(tmp_path):
    data = training_set(manifest=corpus(tmp_path), held_out=3)
    assert len(data.held_out.speakers) == 3
    assert not set(data.held_out.speakers) & set(data.train.speakers)
    assert set(data.trials.ids) <= set(data.held_out.ids)
    assert data.stamp == ""


def test_classes_number_the_speakers_in_order(tmp_path):
    data = training_set(manifest=corpus(tmp_path), held_out=2)
    assert [data.train.speakers[number] for number in data.classes] == [u.speaker for u in data.train]


def test_one_name_in_two_data_sets_is_two_speakers(tmp_path):
    rows = [(f"{d}/{s}{t}.wav", f"s{s}", d, "", "2.0") for d in "ab" for s in range(4) for t in range(2)]
    data = training_set(manifest=table(tmp_path, rows), held_out=2)
    assert len(data.train.speakers) + len(data.held_out.speakers) == 8
    assert "a/s0" in {*data.train.speakers, *data.held_out.speakers}


def test_only_the_split_the_data_sets_and_the_lengths_asked_for_are_taken(tmp_path):
    assert len(training_set(manifest=corpus(tmp_path), split="train", held_out=2).train.speakers) == 6
    with pytest.raises(BadInput, match="none of its 30 utterances is of split 'dev' and data sets x, y"):
        training_set(manifest=corpus(tmp_path), split="dev", datasets=("x", "y"))
    with pytest.raises(BadInput, match="none of its 30 utterances is of enough seconds"):
        training_set(manifest=corpus(tmp_path), min_seconds=5.0)


def test_of_files_without_a_duration_the_headers_tell_which_are_long_enough(tmp_path):
    for speaker in range(4):
        for take, seconds in enumerate((0.5, 1.5, 2.0)):
            write(tmp_path / f"s{speaker}/{take}.flac", np.zeros(round(16000 * seconds), np.float32), 16000)
    (tmp_path / "s0/3.flac").write_text("broken")
    rows = [(f"s{s}/{t}.flac", f"s{s}", "", "", "") for s in range(4) for t in range(3)]
    rows += [("s0/3.flac", "s0", "", "", ""), ("s1/3.flac", "s1", "", "", "0.4")]
    whole = table(tmp_path, rows)
    found = training_set(manifest=whole, held_out=2, min_seconds=1.0)
    # What is broken stays: it is named when it is read.
    assert {*found.train.ids, *found.held_out.ids} == {f"s{s}/{t}.flac" for s in range(4) for t in (1, 2)} | {
        "s0/3.flac"
    }
    parts = [(f"s{s}/2.flac", f"s{s}", str(start)) for s in range(4) for start in (0.25, 0.75, 1.25)]
    parts = table(tmp_path, parts, header="path\tspeaker\tstart", name="parts.tsv")
    found = training_set(manifest=parts, held_out=2, min_seconds=1.0)
    assert {u.start for u in (*found.train, *found.held_out)} == {0.25, 0.75}


@pytest.mark.parametrize(("place", "most"), [("https://far/", 100), ("", 2)])
def test_where_asking_every_file_would_take_long_a_check_is_asked_for(place, most, tmp_path, monkeypatch):
    monkeypatch.setattr("voxsphere.data.training_set.HEADERS", most)
    manifest = table(tmp_path, [(f"{place}{n}.wav", f"s{n}", "", "", "") for n in range(3)])
    with pytest.raises(BadInput, match=r"3 utterances have no duration.*`voxsphere check .* --out TABLE` writes"):
        training_set(manifest=manifest, min_seconds=1.0)


def test_a_table_of_splits_stands_for_the_column(tmp_path):
    splits = table(
        tmp_path, [(f"s{s}", "d", "train" if s < 5 else "eval") for s in range(10)],
        header="speaker\tdataset\tsplit", name="split.tsv",
    )  # fmt: skip
    data = training_set(manifest=corpus(tmp_path), split="train", split_table=splits, held_out=2)
    assert {*data.train.speakers, *data.held_out.speakers} == {f"d/s{s}" for s in range(5)}


def test_speeds_are_further_speakers_of_the_training_part_alone(tmp_path):
    data = training_set(manifest=corpus(tmp_path), held_out=2, speeds=(0.9, 1.1))
    assert len(data.train.speakers) == 3 * 8
    assert all(utterance.speed == 1 for utterance in data.held_out)


def test_speakers_with_too_few_files_are_left_out_and_one_file_may_teach(tmp_path):
    rows = [(f"s{s}/{t}.wav", f"s{s}", "", "", "") for s in range(8) for t in range(1 if s < 3 else 3)]
    manifest = table(tmp_path, rows)
    assert len(training_set(manifest=manifest, held_out=2).train.speakers) == 6
    assert len(training_set(manifest=manifest, held_out=2, min_utterances=2).train.speakers) == 3


def test_what_leaves_nobody_to_learn_from_is_one_line(tmp_path):
    rows = [(f"s{s}/{t}.wav", f"s{s}", "", "", "") for s in range(3) for t in range(2)]
    with pytest.raises(BadInput, match="leaves 1 speakers to learn from"):
        training_set(manifest=table(tmp_path, rows), held_out=2)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("path\tspeaker\n", "lists no utterance"),
        ("", "is empty"),
        ("path\tspeaker\na.wav\tx\na.wav\ty\n", "line 3: id 'a.wav' stands already in line 2"),
        ("path\tspeaker\na.wav\t\nb.wav\tx\n", "speaker"),
    ],
)
def test_a_manifest_that_cannot_teach_is_one_line(content, told, tmp_path):
    path = tmp_path / "manifest.tsv"
    path.write_text(content)
    with pytest.raises(BadInput, match=told) as raised:
        training_set(manifest=str(path))
    assert "\n" not in str(raised.value)


def test_an_unset_variable_is_named(monkeypatch):
    monkeypatch.delenv("MY_CORPUS", raising=False)
    with pytest.raises(BadInput, match="the environment variable MY_CORPUS is not set"):
        training_set(manifest="${MY_CORPUS}/list.tsv")


def test_a_list_of_test_speakers_is_refused_unless_forced_and_then_stamped(tmp_path):
    names = [f"d/s{s}/{t}.wav" for s in (8, 9) for t in range(3)]
    pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
    trials = tmp_path / "trials.txt"
    target = np.array([a[:4] == b[:4] for a, b in pairs])
    Trials.from_pairs([a for a, _ in pairs], [b for _, b in pairs], target).save(trials)
    options = {"manifest": corpus(tmp_path), "split": "train", "trials": str(trials), "held_out": 2}
    with pytest.raises(BadInput, match="a test list must not choose a model"):
        training_set(**options)
    forced = training_set(**options, allow_test_list=True)
    assert forced.stamp.startswith("validated on a test list")
    assert set(forced.held_out.ids) == set(names)


def test_a_list_of_teachers_is_refused(tmp_path):
    held = training_set(manifest=corpus(tmp_path), held_out=2)
    teachers = [u.id for u in held.train][:4]
    trials = tmp_path / "trials.txt"
    Trials.from_pairs(teachers[:2], teachers[2:], np.array([True, False])).save(trials)
    with pytest.raises(BadInput, match="is not among the held-out recordings"):
        training_set(manifest=corpus(tmp_path), held_out=2, trials=str(trials))


def test_a_manifest_of_its_own_may_judge_but_not_with_the_same_speakers(tmp_path):
    (tmp_path / "other").mkdir()
    other = corpus(tmp_path / "other", speakers=6, dataset="e")
    assert training_set(manifest=corpus(tmp_path), held_out_manifest=other).held_out.speakers == tuple(
        f"e/s{s}" for s in range(6)
    )
    with pytest.raises(BadInput, match="4 of its speakers, such as d/s0, are in"):
        training_set(manifest=corpus(tmp_path), held_out_manifest=corpus(tmp_path / "other", speakers=4))


def test_held_out_recordings_that_their_manifest_marks_as_test_are_refused_too(tmp_path):
    rows = [(f"e/s{s}/{t}.wav", f"s{s}", "e", "test", "3.0") for s in range(4) for t in range(3)]
    options = {"manifest": corpus(tmp_path), "held_out_manifest": table(tmp_path, rows, name="other.tsv")}
    with pytest.raises(BadInput, match=r"other\.tsv: the manifest marks 12 of its 12 recordings as test"):
        training_set(**options)
    assert training_set(**options, allow_test_list=True).stamp.startswith("validated on a test list")


def test_a_forced_test_list_may_lie_over_another_manifest(tmp_path):
    rows = [(f"vox1/id10270/5r0dWxy17C8/0000{t}.wav", "id10270", "", "", "3.0") for t in range(3)]
    rows += [(f"vox1/id10271/1gtz-CUIygI/0000{t}.wav", "id10271", "", "", "3.0") for t in range(3)]
    names = [row[0] for row in rows]
    trials = tmp_path / "list.txt"
    Trials.from_pairs(names[:4], names[1:5], np.array([True, True, False, True])).save(trials)
    other = table(tmp_path, rows, name="other.tsv")
    options = {"manifest": corpus(tmp_path), "held_out_manifest": other, "trials": str(trials)}
    with pytest.raises(BadInput, match="speakers that VoxCeleb1 tests with"):
        training_set(**options)
    assert set(training_set(**options, allow_test_list=True).held_out.ids) == set(names[:5])


def test_the_fingerprint_changes_with_labels_and_order_and_not_with_the_place(tmp_path):
    def made(speaker: str, order: int):
        utterances = [
            Utterance(id=f"{n}", path=f"/x/{n}", speaker=speaker if n == 0 else f"s{n % 4}") for n in range(12)
        ]
        folder = tmp_path / f"{speaker}{order}"
        folder.mkdir(parents=True, exist_ok=True)
        Manifest(tuple(utterances[::order])).save(folder / "m.tsv")
        return training_set(manifest=str(folder / "m.tsv"), held_out=2).fingerprint

    assert made("s0", 1) != made("s1", 1)
    assert made("s0", 1) != made("s0", -1)
    assert made("s0", 1) == made("s0", 1)
