"""Manifests: what is read is what was written, and what is wrong is named."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voxsphere.core.errors import BadInput
from voxsphere.core.manifest import Manifest, Utterance

words = st.text(st.characters(blacklist_categories=("Cc", "Cs", "Zl", "Zp"), blacklist_characters="\x85"), max_size=8)
names = words.filter(lambda text: text.strip() != "")
seconds = st.none() | st.floats(0, 1e5, allow_nan=False)


@st.composite
def manifests(draw):
    ids = draw(st.lists(names, min_size=1, max_size=5, unique=True))
    made = [
        Utterance(
            id=name, path=f"/audio/{number}.flac", speaker=draw(words), start=draw(seconds), duration=draw(seconds),
            speed=draw(st.floats(0.1, 10)), gender=draw(words), text=draw(words),
            extra=draw(st.sampled_from([(), (("note", "x"),), (("room", "2"),)])),
        )
        for number, name in enumerate(ids)
    ]  # fmt: skip
    return Manifest(tuple(made))


@settings(deadline=None, max_examples=40)
@given(manifests())
@pytest.mark.parametrize("ending", [".tsv", ".parquet"])
def test_a_manifest_survives_the_disk(ending, tmp_path_factory, manifest):
    path = tmp_path_factory.mktemp("manifest") / f"m{ending}"
    manifest.save(path)
    assert Manifest.load(path) == manifest


def test_paths_are_taken_from_the_tables_folder_and_ids_stay_as_written(tmp_path):
    (tmp_path / "m.tsv").write_text("path\tspeaker\tstart\na/b.wav\ts\t\na/b.wav\ts\t1.5\n/c.wav\tt\t\n")
    first, part, last = Manifest.load(tmp_path / "m.tsv")
    assert (first.id, first.path) == ("a/b.wav", str(tmp_path / "a/b.wav"))
    assert part.id == "a/b.wav@1.5"
    assert last.path == "/c.wav"


def test_saving_beside_the_audio_keeps_paths_relative(tmp_path):
    manifest = Manifest((Utterance(id="x", path=str(tmp_path / "a/b.wav"), speaker="s"),))
    manifest.save(tmp_path / "m.tsv")
    assert "\ta/b.wav\t" in (tmp_path / "m.tsv").read_text()


def test_columns_nobody_knows_are_kept(tmp_path):
    (tmp_path / "m.tsv").write_text("path\tspeaker\tweather\na.wav\ts\train\n")
    manifest = Manifest.load(tmp_path / "m.tsv")
    assert manifest.utterances[0].extra == (("weather", "rain"),)
    manifest.save(tmp_path / "n.tsv")
    assert Manifest.load(tmp_path / "n.tsv") == manifest


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is empty"),
        ("path\tgender\na\tf\n", "has no column speaker"),
        ("path\tspeaker\n", "lists no utterance"),
        ("path\tspeaker\na\ts\tx\n", "line 2 has 3 fields"),
        ("path\tspeaker\tstart\na\ts\tsoon\n", "line 2: start 'soon' is no number of seconds"),
        ("path\tspeaker\tstart\na\ts\t-1\n", "line 2: start '-1' is no number of seconds"),
        ("path\tspeaker\tspeed\na\ts\tfast\n", "line 2: speed 'fast' is no factor"),
        ("path\tspeaker\tspeed\na\ts\t-1\n", "line 2: speed '-1' is no factor"),
        ("path\tspeaker\tspeed\na\ts\t0\n", "line 2: speed is 0; 1 is as recorded"),
        ("path\tspeaker\na\ts\nb\ts\na\ts\n", "line 4: id 'a' stands already in line 2"),
        ("path\tspeaker\n\ts\n", "line 2: has no path"),
    ],
)
def test_what_is_wrong_with_a_table_is_told_with_its_line(tmp_path, text, told):
    (tmp_path / "m.tsv").write_text(text)
    with pytest.raises(BadInput) as refused:
        Manifest.load(tmp_path / "m.tsv")
    assert told in str(refused.value)
    assert str(tmp_path / "m.tsv") in str(refused.value)


def test_an_utterance_is_played_as_recorded_unless_its_table_says_else(tmp_path):
    (tmp_path / "m.tsv").write_text("path\tspeaker\tspeed\na.wav\ts\t\nb.wav\ts\t1.1\n")
    assert [u.speed for u in Manifest.load(tmp_path / "m.tsv")] == [1.0, 1.1]
    Manifest(Manifest.load(tmp_path / "m.tsv").utterances[:1]).save(tmp_path / "plain.tsv")
    assert "speed" not in (tmp_path / "plain.tsv").read_text()


@settings(deadline=None)
@given(manifests(), st.lists(st.sampled_from([0.8, 0.9, 1.1, 1.25]), unique=True))
def test_speeds_add_a_copy_of_the_corpus_each_spoken_by_others(manifest, speeds):
    whole = manifest.with_speeds_as_speakers(*speeds)
    assert whole.utterances[: len(manifest)] == manifest.utterances
    assert len(whole) == (1 + len(speeds)) * len(manifest)
    assert len(whole.speakers) == (1 + len(speeds)) * len(manifest.speakers)
    copies = iter(whole.utterances[len(manifest) :])
    for speed in speeds:
        for utterance in manifest:
            copy = next(copies)
            assert copy == replace(
                utterance, id=f"{utterance.id}@{speed:g}", speaker=f"{utterance.speaker}@{speed:g}",
                speed=utterance.speed * speed,
            )  # fmt: skip


def test_a_corpus_with_speeds_survives_the_disk(tmp_path):
    plain = Manifest((Utterance(id="x", path=str(tmp_path / "a.wav"), speaker="s", start=1.0, duration=2.0),))
    whole = plain.with_speeds_as_speakers(0.9, 1.1)
    whole.save(tmp_path / "m.tsv")
    assert Manifest.load(tmp_path / "m.tsv") == whole


@pytest.mark.parametrize("speed", [0.0, -1.0, float("inf"), float("nan")])
def test_speeds_that_cannot_be_played_are_refused(speed):
    plain = Manifest((Utterance(id="x", path="/a.wav", speaker="s"),))
    with pytest.raises(BadInput, match="cannot be played; 1 is as recorded"):
        plain.with_speeds_as_speakers(1.1, speed)


def test_the_same_speed_twice_is_refused():
    plain = Manifest((Utterance(id="x", path="/a.wav", speaker="s"),))
    with pytest.raises(BadInput, match=r"'x@0\.9' stands for two utterances"):
        plain.with_speeds_as_speakers(0.9, 0.9)


@pytest.mark.corpus
def test_the_development_corpus_is_a_manifest(corpus):
    manifest = Manifest.load(corpus / "manifest.tsv")
    assert len(manifest) == 6719
    assert (corpus / manifest.ids[0]).samefile(manifest.utterances[0].path)
