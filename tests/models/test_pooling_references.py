"""Each pooling gives what its reference implementations give, with the same weights on the same frames."""

from pathlib import Path

import numpy as np
import pytest
import torch
from presets_poolings import POOLING_REFERENCES
from seeded import seeded

GOLDEN = np.load(Path(__file__).parents[1] / "goldens" / "models" / "poolings.npz")


def pooled(name: str, weight: torch.Tensor | None = None) -> np.ndarray:
    pooling = POOLING_REFERENCES[name](in_dim=GOLDEN["frames"].shape[1])
    pooling.load_state_dict(seeded(pooling))
    with torch.inference_mode():
        return pooling.eval()(torch.from_numpy(GOLDEN["frames"]), weight).numpy()


def test_the_golden_holds_each_reference_and_no_other():
    assert set(GOLDEN.files) == {"frames", "lengths", *POOLING_REFERENCES, "speechbrain ASP, context, lengths"}


@pytest.mark.parametrize("name", POOLING_REFERENCES)
def test_a_pooling_gives_what_its_reference_gives(name):
    ours, theirs = pooled(name), GOLDEN[name]
    assert ours.shape == theirs.shape
    assert np.linalg.norm(ours - theirs) < 1e-5 * np.linalg.norm(theirs)
    assert np.abs(ours - theirs).max() < 1e-5 * max(1.0, np.abs(theirs).max())


def test_weights_of_0_and_1_are_lengths_to_speechbrain():
    frames, lengths = GOLDEN["frames"], GOLDEN["lengths"]
    mask = torch.from_numpy(np.arange(frames.shape[-1])[None] < lengths[:, None] * frames.shape[-1])
    ours, theirs = pooled("speechbrain ASP, context", mask.float()), GOLDEN["speechbrain ASP, context, lengths"]
    assert np.linalg.norm(ours - theirs) < 1e-5 * np.linalg.norm(theirs)
    assert np.linalg.norm(ours - pooled("speechbrain ASP, context")) > 0.1
