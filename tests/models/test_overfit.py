"""Every encoder can learn eight utterances by heart: its gradients reach what decides."""

import pytest
import torch
from presets import SMALL
from torch.nn import functional

from voxsphere.audio.wave import read
from voxsphere.catalogue import CATALOGUE
from voxsphere.data.manifests import open_manifest

STEPS = 240
ENCODERS = [name for name in SMALL if ".encoders." in CATALOGUE[name.partition(",")[0]].__module__]


@pytest.fixture(scope="module")
def utterances(corpus) -> torch.Tensor:
    """Two seconds of each of eight speakers."""
    first = {u.speaker: u for u in open_manifest(corpus / "manifest.tsv") if u.dataset == "librispeech"}
    waves = [read(u.path, rate=16000, start=0.5, duration=2.0) for u in list(first.values())[:8]]
    return torch.stack([torch.from_numpy(wave) for wave in waves])


@pytest.mark.corpus
@pytest.mark.parametrize("name", ENCODERS)
def test_an_encoder_learns_eight_utterances_by_heart(name, utterances):
    torch.manual_seed(0)
    model = SMALL[name]()
    head = torch.nn.Linear(model.dim, 8)
    optimizer = torch.optim.Adam([*model.parameters(), *head.parameters()], lr=0.01)
    model.train()
    for _ in range(STEPS):
        loss = functional.cross_entropy(head(model(utterances)), torch.arange(8))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if loss < 0.1:
            break
    assert loss < 0.1
