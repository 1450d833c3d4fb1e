"""The known models are the originals: their embeddings equal those of the code that they come from."""

import json
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from voxsphere.pretrained import KNOWN

GOLDENS = Path(__file__).parents[1] / "goldens" / "models"


@pytest.mark.pretrained
def test_campplus_equals_3dspeaker(campplus):
    """tests/goldens/models/make_campplus_zh_en.py wrote the reference embedding, with 3D-Speaker's own code."""
    golden = np.load(GOLDENS / "campplus_zh_en.npz")
    ours = campplus.model.embed([golden["wave"].astype(np.float32) / 32768])[0]
    assert np.linalg.norm(ours - golden["embedding"]) <= 2e-5 * np.linalg.norm(golden["embedding"])


@pytest.mark.pretrained
def test_ge2e_equals_resemblyzer(resemblyzer):
    """tests/goldens/models/make_ge2e_resemblyzer.py wrote the reference embeddings, with Resemblyzer 0.1.4."""
    golden = np.load(GOLDENS / "ge2e_resemblyzer.npz")
    wave = golden["wave"].astype(np.float32) / 32768
    for seconds, theirs in zip(golden["seconds"], golden["embeddings"], strict=True):
        ours = resemblyzer.model.embed([wave[: round(16000 * seconds)]])[0]
        assert np.linalg.norm(ours - theirs) <= 2e-6 * np.linalg.norm(theirs)


@pytest.mark.pretrained
@pytest.mark.parametrize("name", KNOWN)
def test_the_calibration_was_fitted_on_this_very_model(name, request):
    loaded = request.getfixturevalue({"campplus-zh-en": "campplus", "ge2e-resemblyzer": "resemblyzer"}[name])
    file = resources.files("voxsphere.pretrained") / "calibrations" / f"{name}.json"
    assert json.loads(file.read_text(encoding="utf-8"))["fingerprint"] == loaded.fingerprint


@pytest.mark.parametrize("known", KNOWN.values(), ids=KNOWN)
def test_every_known_model_states_whose_it_is(known):
    card = known.card
    for fact in (card.licence_code, card.licence_weights, card.licence_data, card.training_data, card.front_end):
        assert fact
    assert len(known.weights.sha256) == 64
