"""Each speaker's own scalars: those of the definition, from train alone, and a store that says that it leaks."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from voxsphere.audio.stores import read_array
from voxsphere.core.files import read_json
from voxsphere.core.manifest import Manifest, Utterance
from voxsphere.core.random import stream
from voxsphere.data.by_speaker import WARNING, by_speaker, scalars, warned
from voxsphere.data.closed_set import closed_set


@pytest.fixture
def stored(tmp_path: Path) -> Manifest:
    """Two speakers with three matrices of unequal lengths each, the second of whom is of no split train."""
    utterances = []
    for speaker, (mean, deviation) in enumerate([(5.0, 2.0), (-3.0, 0.5)]):
        for number in range(3):
            path = tmp_path / f"{speaker}-{number}.npy"
            frames = mean + number + deviation * stream("scalars", speaker, number).standard_normal((20 + number, 4))
            np.save(path, frames.astype(np.float32))
            split = "held_out" if speaker else ("dev" if number == 2 else "train")
            utterances.append(Utterance(path.stem, str(path), f"s{speaker}", split=split, dataset="some"))
    return Manifest(tuple(utterances))


def frames(utterance: Utterance) -> np.ndarray:
    return np.array(read_array(utterance.path), dtype=np.float64)


def test_scalars_are_means_over_a_speaker_s_matrices_of_train_or_of_all(stored: Manifest) -> None:
    found = scalars(stored)
    for speaker, members in (("s0", stored.utterances[:2]), ("s1", stored.utterances[3:])):
        own = found["some", speaker]
        assert own.mean == pytest.approx(sum(frames(u).sum() / frames(u).size for u in members) / len(members))
        deviations = [np.sqrt(((frames(u) - frames(u).sum() / frames(u).size) ** 2).mean()) for u in members]
        assert own.deviation == pytest.approx(sum(deviations) / len(members))


def test_every_matrix_is_scaled_by_its_speaker_s(stored: Manifest, tmp_path: Path) -> None:
    made = by_speaker(stored, tmp_path / "out" / "scaled.ark")
    found = scalars(stored)
    assert made.manifest.ids == stored.ids
    for before, after in zip(stored, made.manifest, strict=True):
        own = found["some", before.speaker]
        np.testing.assert_allclose(frames(after), (frames(before) - own.mean) / own.deviation, atol=1e-5)
        assert (after.speaker, after.split) == (before.speaker, before.split)
    assert read_json(tmp_path / "out" / "scaled.json") == {"features": None, "warning": WARNING, "dim": 4}


def test_who_learns_from_such_a_store_is_warned(stored: Manifest, tmp_path: Path) -> None:
    made = by_speaker(stored, tmp_path / "out" / "scaled.ark")
    judged = tuple(replace(u, split="dev" if u.id.endswith("2") else "train") for u in made.manifest)
    Manifest(judged).save(made.path)
    assert closed_set(manifest=str(made.path)).stamp == WARNING
    assert warned(str(tmp_path / "other.tsv")) == warned(".") == ""
