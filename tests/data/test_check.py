"""Checks of a corpus: everything is counted, broken files are told, leaks are found, and nothing else is."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from voxsphere.audio.wave import write
from voxsphere.core.embeddings import Embeddings
from voxsphere.core.errors import BadInput
from voxsphere.core.manifest import Manifest, Utterance
from voxsphere.core.trials import Trials
from voxsphere.data.check import check
from voxsphere.data.heard import Heard, hear, hear_all


@pytest.fixture
def corpus_of(tmp_path, babble):
    """Makes a manifest of so many utterances of each speaker, each a file of 1.5 s."""

    def make(*counts: int, first: int = 0, **columns: str) -> Manifest:
        rows = []
        for speaker, count in enumerate(counts, start=first):
            for number in range(count):
                path = tmp_path / f"s{speaker}-{number}.wav"
                write(path, babble(1.5, seed=100 * speaker + number), 16000)
                rows.append(Utterance(path.stem, str(path), f"s{speaker}", **columns))
        return Manifest(tuple(rows))

    return make


def everything(*manifests: Manifest) -> Manifest:
    return Manifest(tuple(utterance for manifest in manifests for utterance in manifest))


def told(report) -> set[tuple[str, str, str, str]]:
    return {(leak.kind, leak.where, leak.test, leak.training) for leak in report.leaks}


def test_a_sound_corpus_is_clean_and_counted(corpus_of):
    manifest = everything(corpus_of(2, 1, dataset="a", gender="f"), corpus_of(3, first=2, dataset="b"))
    ticks: list[int] = []
    report = check(manifest, progress=ticks.append)
    assert report.clean
    assert (report.utterances, report.speakers, sum(ticks)) == (6, 3, 6)
    assert report.rates == ((16000, 6),)
    assert report.seconds == pytest.approx(9)
    assert 4 < report.speech_seconds <= 9
    assert [(g.dataset, g.gender, g.utterances, g.speakers) for g in report.groups] == [
        ("a", "f", 3, 2),
        ("b", "", 3, 1),
    ]
    assert report.single == ("a/s1",)
    assert report.broken == report.silent == report.short == report.speechless == report.clipped == ()


def test_broken_and_doubtful_recordings_are_told_and_stop_nothing(tmp_path, corpus_of, babble):
    (tmp_path / "text.wav").write_text("Dear Sir,\n" * 100)
    (tmp_path / "empty.wav").touch()
    write(tmp_path / "silent.wav", np.zeros(16000, np.float32), 16000)
    write(tmp_path / "blink.wav", babble(0.2), 16000)
    write(tmp_path / "hum.wav", np.full(16000, 0.1, np.float32) * np.sin(np.arange(16000) / 20), 16000)
    write(tmp_path / "clipped.wav", np.clip(babble(2) * 20, -1, 1), 16000)
    write(tmp_path / "whole.flac", babble(3), 16000)
    (tmp_path / "cut.flac").write_bytes((tmp_path / "whole.flac").read_bytes()[:20000])
    names = ("text.wav", "empty.wav", "none.wav", "cut.flac", "silent.wav", "blink.wav", "hum.wav", "clipped.wav")
    bad = Manifest(tuple(Utterance(name, str(tmp_path / name), "x") for name in names))
    report = check(everything(bad, corpus_of(2)))
    assert not report.clean
    assert [each.id for each in report.broken] == list(names[:4])
    assert all(each.id in each.reason and "\n" not in each.reason for each in report.broken)
    assert (report.silent, report.short, report.speechless, report.clipped) == tuple((name,) for name in names[4:])
    assert report.measured.ids == (*names[4:], "s0-0", "s0-1")  # what is doubtful stays: it can be decoded
    assert report.rates == ((16000, 6),)


def test_a_wave_and_its_flac_copy_have_one_hash_and_other_samples_another(tmp_path, babble):
    wave = babble(2)
    write(tmp_path / "a.wav", wave, 16000)
    write(tmp_path / "a.flac", wave, 16000)
    soundfile.write(tmp_path / "stereo.wav", np.stack([wave, wave], 1), 16000, subtype="FLOAT")
    soundfile.write(tmp_path / "mono.wav", wave, 16000, subtype="FLOAT")
    changed = np.round(wave * 32768) / 32768
    changed[5000] += 1 / 32768
    write(tmp_path / "changed.wav", changed.astype(np.float32), 16000)
    write(tmp_path / "slower.wav", wave, 8000)
    content = {path.name: hear(Utterance("u", str(path))).content for path in tmp_path.iterdir()}
    assert content["a.wav"] == content["a.flac"]
    assert content["stereo.wav"] == content["mono.wav"]
    assert len({content[name] for name in ("a.wav", "mono.wav", "changed.wav", "slower.wav")}) == 4


def test_the_hash_of_a_part_is_that_of_the_part_alone(tmp_path, babble, monkeypatch):
    wave = babble(3)
    write(tmp_path / "whole.wav", wave, 16000)
    write(tmp_path / "part.wav", wave[16000:32000], 16000)
    part = hear(Utterance("u", str(tmp_path / "whole.wav"), start=1.0, duration=1.0))
    assert part.content == hear(Utterance("u", str(tmp_path / "part.wav"))).content
    assert part.seconds == 1
    before = hear(Utterance("u", str(tmp_path / "whole.wav"), duration=1.0))
    assert before.seconds == 3  # without a start it is the whole file
    monkeypatch.setattr("voxsphere.data.heard.BLOCK", 0.7)
    assert hear(Utterance("u", str(tmp_path / "whole.wav"))).content == before.content


@pytest.mark.parametrize("workers", [1, 3])
def test_order_holds_for_any_number_of_threads_and_speed_copies_are_decoded_once(corpus_of, workers, monkeypatch):
    manifest = corpus_of(4, 4).with_speeds_as_speakers(2.0)
    calls: list[str] = []
    monkeypatch.setattr("voxsphere.data.heard.hear", lambda u: calls.append(u.id) or Heard(1.0, 0.5, content=u.path))
    heard = hear_all(manifest.utterances, workers=workers)
    assert [each.content for each in heard] == [u.path for u in manifest]
    assert [each.seconds for each in heard] == [1.0] * 8 + [0.5] * 8
    assert len(calls) == 8


def test_copies_are_told_and_those_under_two_names_too(tmp_path, corpus_of):
    manifest = corpus_of(2, 2)
    first = manifest.utterances[0]
    copies = [replace(first, id="again"), replace(manifest.utterances[2], id="other", speaker="s9")]
    report = check(Manifest((*manifest.utterances, *copies)))
    assert [(each.ids, each.speakers) for each in report.duplicates] == [
        (("s0-0", "again"), ("s0",)),
        (("s1-0", "other"), ("s1", "s9")),
    ]


def test_silent_recordings_are_no_copies_of_each_other(tmp_path):
    for name in "ab":
        write(tmp_path / f"{name}.wav", np.zeros(16000, np.float32), 16000)
    report = check(Manifest(tuple(Utterance(name, str(tmp_path / f"{name}.wav"), name) for name in "ab")))
    assert report.duplicates == ()


def test_disjoint_training_and_trials_are_clean(corpus_of):
    train, test = corpus_of(2, 2), corpus_of(2, 2, first=5)
    pairs = Trials.from_pairs(["s5-0", "s5-0"], ["s5-1", "s6-0"], [True, False])
    report = check(train, trials=[("t", pairs)], others=[("test.tsv", test)])
    assert report.clean
    assert (report.lists[0].missing, report.lists[0].contrary, report.lists[0].of_itself) == ((), 0, 0)
    assert report.lists[0].taught == 4
    # The list says which manifest is tested with, whichever comes first.
    assert check(test, trials=[("t", pairs)], others=[("train.tsv", train)]).clean


def test_leaks_are_found_by_speaker_by_file_and_by_content(tmp_path, corpus_of):
    train, test = corpus_of(2, 2, 2), corpus_of(2, 2, first=5)
    same_file = replace(test.utterances[0], id="same file", speaker="t1")
    copy = tmp_path / "copy.flac"
    wave, rate = soundfile.read(test.utterances[1].path, dtype="float32")
    write(copy, wave, rate)
    same_samples = Utterance("same samples", str(copy), "t2")
    same_speaker = replace(train.utterances[0], id="one more", speaker="s6")
    train = Manifest((*train.utterances, same_file, same_samples, same_speaker))
    pairs = Trials.from_pairs(["s5-0", "s5-0"], ["s5-1", "s6-0"], [True, False])
    found = told(check(train, trials=[("t", pairs)], others=[("test.tsv", test)]))
    assert found == {
        ("speaker", "t", "s6", "s6"),
        ("file", "t", "s5-0", "same file"),
        ("content", "t", "s5-1", "same samples"),
    }
    # Without a list, the other manifest is tested with as a whole.
    assert told(check(train, others=[("test.tsv", test)])) == {(kind, "test.tsv", a, b) for kind, _, a, b in found}


def test_one_name_in_two_data_sets_is_no_leak_unless_one_is_not_told(corpus_of):
    train, test = corpus_of(2, dataset="a"), corpus_of(2, first=5, dataset="b")
    test = Manifest(tuple(replace(u, speaker="s0") for u in test))
    assert check(train, others=[("test", test)]).clean
    unknown = Manifest(tuple(replace(u, dataset="") for u in test))
    assert told(check(train, others=[("test", unknown)])) == {("speaker", "test", "s0", "a/s0")}


def test_copies_at_another_speed_are_of_the_same_speaker(corpus_of):
    train, test = corpus_of(2).with_speeds_as_speakers(0.9), corpus_of(2, first=5)
    assert check(train, others=[("test", test)]).clean
    test = Manifest(tuple(replace(u, speaker="s0@0.9") for u in test))
    assert check(train, others=[("test", test)]).clean


def test_rows_marked_as_held_out_or_test_teach_nothing(corpus_of):
    whole = corpus_of(2, 2)
    marked = Manifest(tuple(replace(u, split="train" if u.speaker == "s0" else "held_out") for u in whole))
    assert check(marked, trials=[("t", Trials.from_pairs(["s1-0"], ["s1-1"], [True]))]).clean
    leaking = Manifest((*marked.utterances, replace(marked.utterances[2], id="more", split="train")))
    found = told(check(leaking, trials=[("t", Trials.from_pairs(["s1-0"], ["s1-1"], [True]))]))
    assert found == {("speaker", "t", "s1", "s1"), ("file", "t", "s1-0", "more")}
    test = Manifest(tuple(replace(u, split="test") for u in whole))
    assert check(test, others=[("other", corpus_of(1))]).clean


def test_recordings_in_no_manifest_are_named_and_their_folders_compared_with_speakers(corpus_of):
    train = corpus_of(2, 2)
    pairs = Trials.from_pairs(["wav/s1/x/1.wav", "wav/s8/x/1.wav"], ["wav/s7/x/1.wav", "s1.wav"], [True, True])
    report = check(train, trials=[("t", pairs)])
    assert len(report.lists[0].missing) == 4
    assert told(report) == {("speaker", "t", "s1", "s1")}


def test_trials_against_the_speakers_and_against_themselves_are_counted(corpus_of):
    manifest = corpus_of(2, 2)
    manifest = Manifest((*manifest.utterances, replace(manifest.utterances[0], id="copy")))
    enrol, test = ["s0-0", "s0-0", "s0-0", "s0-0"], ["s0-0", "copy", "s1-0", "s0-1"]
    report = check(manifest, trials=[("veri_test.txt", Trials.from_pairs(enrol, test, [True, True, True, False]))])
    assert (report.lists[0].of_itself, report.lists[0].contrary) == (2, 2)
    assert "VoxCeleb1-O" in report.lists[0].test_list
    assert not report.clean


def unit(*angles: float) -> np.ndarray:
    return np.array([[np.cos(a), np.sin(a)] for a in angles], np.float32)


def test_embeddings_that_do_not_go_with_the_manifests_are_refused(corpus_of):
    manifest = corpus_of(1)
    one = Embeddings(manifest.ids, unit(0), model="x")
    with pytest.raises(BadInput, match="1 sets of embeddings do not go with 2 manifests"):
        check(manifest, others=[("o", manifest)], embeddings=[one])
    with pytest.raises(BadInput, match="different models"):
        check(manifest, others=[("o", manifest)], embeddings=[one, replace(one, model="y")])


def test_an_empty_manifest_is_refused():
    with pytest.raises(BadInput, match="empty"):
        check(Manifest(()))


def test_the_report_goes_to_json_whole(corpus_of):
    manifest = corpus_of(2)
    gone = Utterance("gone", str(Path(manifest.utterances[0].path).with_name("gone.wav")), "s0")
    told = json.loads(json.dumps(check(Manifest((*manifest.utterances, gone))).to_json(), allow_nan=False))
    assert told["clean"] is False
    assert told["sample_rates"] == {"16000": 2}
    assert told["broken"] == [{"id": "gone", "reason": f"{gone.path}: no such file", "manifest": ""}]
    assert told["groups"][0]["utterances"] == 3
    assert told["leaks"] == told["lists"] == []
