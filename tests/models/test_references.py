"""Each network gives the embeddings of its reference implementation, with the same weights on the same features."""

from pathlib import Path

import numpy as np
import pytest
import torch
from presets import REFERENCES
from seeded import seeded

GOLDENS = Path(__file__).parents[1] / "goldens" / "models"


@pytest.mark.parametrize("name", REFERENCES)
def test_a_network_gives_the_embeddings_of_its_reference(name):
    golden = np.load(GOLDENS / f"{name}.npz")
    model = REFERENCES[name]().eval()
    model.load_state_dict(seeded(model))
    with torch.inference_mode():
        ours = model(torch.from_numpy(golden["features"])).numpy()
    assert np.linalg.norm(ours - golden["embedding"]) < 1e-5 * np.linalg.norm(golden["embedding"])
