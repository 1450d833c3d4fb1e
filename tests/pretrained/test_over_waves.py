"""A model over stored features, with their front end put inside, gives the same vectors of waves."""

import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from voxsphere.audio.deltas import Deltas
from voxsphere.audio.features import Mfcc
from voxsphere.audio.normalisation import GlobalNorm
from voxsphere.audio.stored import Stored
from voxsphere.audio.stores import read_array
from voxsphere.audio.wave import read, write
from voxsphere.core.errors import BadInput
from voxsphere.core.manifest import Manifest, Utterance
from voxsphere.core.random import stream
from voxsphere.data.feature_sets import compute
from voxsphere.models.encoders.stacked_dense import StackedDense
from voxsphere.models.poolings.statistics import MeanPooling
from voxsphere.models.projection import AsPooled
from voxsphere.models.speaker import SpeakerModel
from voxsphere.pretrained import Card, open_folder, save_folder
from voxsphere.pretrained.over_waves import over_waves

FRONT = partial(Deltas, of=partial(Mfcc, sample_rate=8000, num_mels=13, num_ceps=13))
CARD = Card(*("some",) * 9)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Two recordings, their stored features, and a model over these with statistics that are not 0 and 1."""
    utterances = []
    for number, samples in enumerate((920, 9000)):
        path = tmp_path / f"{number}.wav"
        write(path, (0.1 * stream("over waves", number).standard_normal(samples)).astype(np.float32), 8000)
        utterances.append(Utterance(path.stem, str(path), "s"))
    compute(Manifest(tuple(utterances)), FRONT, tmp_path / "mfcc.h5")
    recipe = partial(
        SpeakerModel,
        features=partial(GlobalNorm, of=partial(Stored, dim=39, sample_rate=8000, hop=80)),
        encoder=StackedDense,
        pooling=MeanPooling,
        projection=AsPooled,
        min_seconds=0.115,
    )
    torch.manual_seed(0)
    model = recipe()
    model.features.fit([torch.from_numpy(frames(tmp_path, "1"))[None]])
    save_folder(recipe, model.state_dict(), CARD, tmp_path / "model")
    return tmp_path


def frames(place: Path, name: str) -> np.ndarray:
    row = next(u for u in Manifest.load(place / "mfcc.tsv") if u.id == name)
    return np.array(read_array(row.path))


def test_both_models_give_the_same_vectors(place: Path) -> None:
    card = over_waves(place / "model", place / "mfcc.json", place / "waves")
    stored, waves = open_folder(place / "model").model, open_folder(place / "waves").model
    assert (waves.width, waves.sample_rate) == (None, 8000)
    assert card.front_end.startswith("Deltas of waves")
    for name in ("0", "1"):
        one, other = stored.embed([frames(place, name)]), waves.embed([read(place / f"{name}.wav", rate=8000)])
        np.testing.assert_allclose(one, other, atol=1e-5)
    assert np.ptp(stored.embed([frames(place, "1")])) > 0.05


def test_what_does_not_fit_is_refused(place: Path) -> None:
    told = json.loads((place / "mfcc.json").read_text())
    told["features"]["of"]["frame_shift"] = 0.02
    (place / "other.json").write_text(json.dumps(told))
    with pytest.raises(BadInput, match="of hop 80, and these are of 160"):
        over_waves(place / "model", place / "other.json", place / "waves")
    (place / "leaky.json").write_text(json.dumps({"features": None, "warning": "they tell who speaks"}))
    with pytest.raises(BadInput, match="they tell who speaks"):
        over_waves(place / "model", place / "leaky.json", place / "waves")
    over_waves(place / "model", place / "mfcc.json", place / "waves")
    with pytest.raises(BadInput, match="takes waves already"):
        over_waves(place / "waves", place / "mfcc.json", place / "again")
    assert not (place / "again").exists()
