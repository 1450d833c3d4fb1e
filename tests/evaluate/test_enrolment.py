"""Speakers who enrol with several recordings: their mean by hand, and what is refused."""

import json

import numpy as np
import pytest

from voxsphere.core.embeddings import Embeddings
from voxsphere.core.errors import BadInput
from voxsphere.core.manifest import Manifest, Utterance
from voxsphere.core.scores import Scores
from voxsphere.core.trials import Trials
from voxsphere.evaluate.enrolment import score_speakers, speaker_means
from voxsphere.evaluate.scoring import score
from voxsphere.evaluate.speakers import labels_of

IDS = ("a1", "a2", "b1", "x", "y")
VECTORS = np.random.default_rng(5).normal(0, 3, (5, 7)).astype(np.float32)
STORED = Embeddings(IDS, VECTORS, model="m", seconds=np.array([1, 2, 3, 4, 5], np.float32))
ENROLMENT = {"ann": ("a1", "a2"), "bob": ("b1",)}
TRIALS = Trials.from_pairs(["bob", "ann", "ann"], ["y", "x", "y"], [True, True, False])


def cosine(one: np.ndarray, other: np.ndarray) -> float:
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))


def test_a_speaker_is_the_mean_of_raw_embeddings():
    found = score_speakers(TRIALS, STORED, ENROLMENT)
    rows = VECTORS.astype(np.float64)
    ann = (rows[0] + rows[1]) / 2
    expected = [cosine(rows[2], rows[4]), cosine(ann, rows[3]), cosine(ann, rows[4])]
    np.testing.assert_allclose(found.values, expected, atol=1e-6)
    assert (found.scale, found.model, found.trials) == ("cosine", "m", TRIALS)
    of_unit_vectors = sum(row / np.linalg.norm(row) for row in rows[:2])
    assert abs(cosine(of_unit_vectors, rows[3]) - expected[1]) > 1e-3


def test_speakers_of_one_recording_score_as_that_recording():
    named = {name: (name,) for name in ("a1", "b1")}  # speakers called as recordings are
    pairs = Trials.from_pairs(["a1", "b1", "b1"], ["x", "y", "a2"])
    np.testing.assert_allclose(score_speakers(pairs, STORED, named).values, score(pairs, STORED).values, atol=1e-7)


def test_names_of_speakers_and_recordings_do_not_meet():
    pairs = Trials.from_pairs(["x"], ["x"], [False])
    found = score_speakers(pairs, STORED, {"x": ("a1", "a2")})
    assert found.values[0] == pytest.approx(cosine((VECTORS[0] + VECTORS[1]) / 2, VECTORS[3]), abs=1e-6)


def test_a_mean_rests_on_the_speech_of_all_its_recordings():
    means = speaker_means(STORED, ENROLMENT, ("bob", "ann"))
    assert means.ids == ("bob", "ann")
    np.testing.assert_array_equal(means.seconds, [3, 3])
    assert speaker_means(Embeddings(IDS, VECTORS), ENROLMENT, ("ann",)).seconds is None


@pytest.mark.parametrize(
    ("enrol", "test", "enrolment", "told"),
    [
        ("cleo", "x", ENROLMENT, "cleo: is tried and has not enrolled; the enrolment names 2 speakers"),
        ("ann", "z", ENROLMENT, "z: has no embedding"),
        ("ann", "x", {"ann": ("a1", "a9")}, "enrolment: a9: has no embedding"),
        ("ann", "a2", ENROLMENT, "a2: is tried against ann, who enrolled with it"),
    ],
)
def test_what_cannot_be_scored_is_named(enrol, test, enrolment, told):
    with pytest.raises(BadInput, match=told):
        score_speakers(Trials.from_pairs([enrol], [test]), STORED, enrolment)


def test_a_mean_without_direction_is_called_by_its_speaker():
    opposed = Embeddings(("a1", "a2", "x"), np.array([[1, 0], [-1, 0], [0, 1]], np.float32))
    with pytest.raises(BadInput, match="ann: its embedding is zero"):
        score_speakers(Trials.from_pairs(["ann"], ["x"]), opposed, ENROLMENT)


def test_a_name_of_a_speaker_is_that_speakers_unless_an_utterance_has_it():
    rows = (("a1", "ann"), ("bob", "ann"), ("b1", "bob"), ("x", ""))
    manifest = Manifest(tuple(Utterance(name, f"{name}.wav", speaker, dataset="d") for name, speaker in rows))
    assert labels_of(manifest) == dict(rows) | {"ann": "ann", "d/ann": "ann", "d/bob": "bob"}


def test_the_verb_takes_a_table_of_speakers(voxsphere, tmp_path, tiny_model):
    STORED.save(tmp_path / "e.ark")
    (tmp_path / "spk2utt").write_text("ann a1 a2\nbob b1\n")
    TRIALS.save(tmp_path / "trials", "kaldi")
    asked = ("score", tmp_path / "trials", tmp_path / "e.ark", "--out", tmp_path / "s.txt", "--enrolment")
    assert voxsphere(*asked, tmp_path / "spk2utt").status == 0
    scores = Scores.load(tmp_path / "s.txt")
    np.testing.assert_allclose(scores.values, score_speakers(TRIALS, STORED, ENROLMENT).values, atol=1e-6)
    assert scores.trials.target is not None
    assert scores.trials.target.tolist() == [True, True, False]
    assert voxsphere("evaluate", tmp_path / "s.txt", "--json").status == 0
    # The first side are speakers, whom the manifest knows by those names: y is bob's, x ann's.
    rows = (Utterance(name, f"{name}.wav", "bob" if name in ("b1", "y") else "ann", dataset="d") for name in IDS)
    Manifest(tuple(rows)).save(tmp_path / "m.tsv")
    done = voxsphere("evaluate", tmp_path / "s.txt", "--manifest", tmp_path / "m.tsv", "--json")
    assert done.status == 0, done.err
    told = json.loads(done.out)
    assert (told["counts"]["speakers"], told["speakers_from"]) == (2, "speaker labels")
    for arguments, told in (
        ((tmp_path / "spk2utt", "--calibrate", tiny_model), "a calibration is made for pairs of recordings"),
        ((tmp_path / "absent",), "no such file"),
    ):
        done = voxsphere(*asked, *arguments)
        assert done.status == 2
        assert told in done.err
        assert done.err.count("\n") == 1
    (tmp_path / "spk2utt").write_text("ann\n")
    assert "holds only 'ann'" in voxsphere(*asked, tmp_path / "spk2utt").err
