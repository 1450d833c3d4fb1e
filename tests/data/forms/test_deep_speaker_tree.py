"""A corpus as a tree like VCTK's: the reader of VCTK takes it, and every sample is where it belongs."""

import csv
from pathlib import Path

import numpy as np
import pytest

from voxsphere.audio.wave import info, read, write
from voxsphere.core.errors import BadInput
from voxsphere.core.manifest import Manifest, Utterance
from voxsphere.core.random import stream
from voxsphere.data.corpora import prepare
from voxsphere.data.forms import Corpus
from voxsphere.data.forms import write as write_form
from voxsphere.data.forms.deep_speaker_v2 import LEARNT, OTHERS


def corpus(folder: Path, speakers: int, recordings: int, *, split: str = "train") -> Corpus:
    """Recordings of 0.1 s at 16 kHz, each its own noise."""
    utterances = []
    for speaker in range(speakers):
        for number in range(recordings):
            path = folder / f"s{speaker}-{number}.wav"
            noise = 0.1 * stream("form", speaker, number).standard_normal(1600)
            write(path, noise.astype(np.float32), 16000)
            told = {"gender": "fm"[speaker % 2], "language": "en", "text": f"Sentence  {number}.", "dataset": "some"}
            utterances.append(Utterance(path.stem, str(path), f"some/s{speaker}", split=split, **told))
    return Corpus(Manifest(tuple(utterances)), {})


def table(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file, delimiter="\t"))


def test_the_names_are_vctk_s_in_two_groups() -> None:
    assert (len(LEARNT), LEARNT[0], LEARNT[-1]) == (80, "p225", "p311")
    assert (len(OTHERS), OTHERS[0], OTHERS[-1]) == (29, "p312", "p376")
    assert len({*LEARNT, *OTHERS}) == 109


def test_the_reader_of_vctk_takes_the_tree_without_complaint(tmp_path: Path) -> None:
    given, out = corpus(tmp_path, 8, 8), tmp_path / "tree"
    made = write_form("deep_speaker_v2", given, out)
    assert (made.folder, made.utterances, made.speakers) == (out, 64, 8)

    found = prepare("vctk", out)
    assert found.missing == ()
    assert len(found.manifest) == 64
    of = {row["recording"]: row["corpus_id"] for row in table(out / "recordings.tsv")}
    people = {row["speaker"]: row for row in table(out / "speakers.tsv")}
    source = {utterance.id: utterance for utterance in given.manifest}
    for utterance in found.manifest:
        theirs = source[of[utterance.id]]
        assert people[utterance.speaker]["corpus_speaker"] == theirs.speaker
        assert (utterance.gender, utterance.text) == (theirs.gender, " ".join(theirs.text.split()))
        assert (info(utterance.path).rate, info(utterance.path).channels) == (8000, 1)
        wave = read(theirs.path, rate=8000)
        np.testing.assert_allclose(read(utterance.path, rate=8000), wave, atol=1 / 32768)
    assert [row["split"] for row in people.values()] == ["train"] * 6 + ["held_out"] * 2
    assert list(people) == [*LEARNT[:6], *OTHERS[:2]]


def test_eighty_are_learnt_and_twenty_nine_are_not(tmp_path: Path) -> None:
    one = corpus(tmp_path, 1, 8).manifest.utterances
    many = Manifest(
        tuple(
            Utterance(f"{speaker}-{u.id}", u.path, f"s{speaker:03d}", split="train")
            for speaker in range(120)
            for u in one
        )
    )
    made = write_form("deep_speaker_v2", Corpus(many, {}), tmp_path / "tree")
    rows = table(tmp_path / "tree" / "speakers.tsv")
    assert [row["speaker"] for row in rows] == [*LEARNT, *OTHERS]
    assert len({row["corpus_speaker"] for row in rows}) == made.speakers == 109
    assert "80 speakers to learn and 29 held out" in made.told[0]


def test_only_speakers_to_be_learnt_from_with_eight_recordings_are_taken(tmp_path: Path) -> None:
    enough, few = corpus(tmp_path, 3, 8).manifest.utterances, []
    for utterance in enough[:7]:
        few.append(Utterance(f"few-{utterance.id}", utterance.path, "some/few", split="train"))
    tested = [Utterance(f"test-{u.id}", u.path, "some/tested", split="eval") for u in enough[:8]]
    write_form("deep_speaker_v2", Corpus(Manifest((*enough, *few, *tested)), {}), tmp_path / "tree")
    rows = table(tmp_path / "tree" / "speakers.tsv")
    assert {row["corpus_speaker"] for row in rows} == {"some/s0", "some/s1", "some/s2"}
    assert [row["split"] for row in rows] == ["train", "train", "held_out"]


def test_a_second_call_goes_on_and_other_speakers_are_refused(tmp_path: Path) -> None:
    given, out = corpus(tmp_path, 3, 8), tmp_path / "tree"
    write_form("deep_speaker_v2", given, out)
    lost, kept = sorted(out.rglob("*.wav"))[:2]
    content, stamp = lost.read_bytes(), kept.stat().st_mtime_ns
    lost.unlink()
    assert write_form("deep_speaker_v2", given, out).utterances == 24
    assert lost.read_bytes() == content
    assert kept.stat().st_mtime_ns == stamp
    with pytest.raises(BadInput, match="holds another corpus"):
        write_form("deep_speaker_v2", corpus(tmp_path, 4, 8), out)


def test_too_few_speakers_and_broken_recordings_are_told(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="2 of the 2 speakers"):
        write_form("deep_speaker_v2", corpus(tmp_path, 2, 8), tmp_path / "tree")
    given = corpus(tmp_path, 3, 8)
    Path(given.manifest.utterances[0].path).write_bytes(b"no sound")
    made = write_form("deep_speaker_v2", given, tmp_path / "tree")
    assert made.utterances == 23
    assert any("s0-0.wav" in line for line in made.told)
