"""The networks have as many trainable parameters as published, or as their reference implementations."""

from functools import partial

import pytest
import torch

from voxsphere.audio.features import Fbank
from voxsphere.audio.ge2e_mel import GE2EMel
from voxsphere.models.encoders.campplus import CamPlusPlus
from voxsphere.models.encoders.ge2e_lstm import GE2ELstm
from voxsphere.models.poolings.statistics import MeanPooling, StatsPooling
from voxsphere.models.projection import LengthNorm, LinearNorm
from voxsphere.models.speaker import SpeakerModel

COUNTS = {
    "CAM++ 192": (Fbank, CamPlusPlus, StatsPooling, LinearNorm, 6_848_544),
    "CAM++ 512": (Fbank, CamPlusPlus, StatsPooling, partial(LinearNorm, dim=512), 7_176_224),
    "d-vector": (GE2EMel, GE2ELstm, MeanPooling, LengthNorm, 1_423_616),
}


@pytest.mark.parametrize("name", COUNTS)
def test_a_network_has_the_published_number_of_parameters(name):
    features, encoder, pooling, projection, published = COUNTS[name]
    with torch.device("meta"):
        model = SpeakerModel(features=features, encoder=encoder, pooling=pooling, projection=projection)
    assert sum(p.numel() for p in model.parameters() if p.requires_grad) == published
