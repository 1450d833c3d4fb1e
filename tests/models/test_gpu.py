"""Every part of the catalogue gives on a GPU what it gives on the CPU."""

import pytest
import torch
from presets import SMALL

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no GPU on this machine")


@pytest.mark.parametrize("name", SMALL)
def test_embeddings_are_the_same_on_both_devices(name):
    torch.manual_seed(0)
    model = SMALL[name]().eval()
    waves = [0.1 * torch.randn(16000), 0.1 * torch.randn(24000)]
    on_cpu = model.embed(waves)
    on_gpu = model.cuda().embed(waves)
    torch.testing.assert_close(torch.from_numpy(on_gpu), torch.from_numpy(on_cpu), rtol=1e-3, atol=1e-4)
