"""Recurrent, time-residual and frame-level networks."""

from functools import partial

from voxsphere.audio.ge2e_mel import GE2EMel
from voxsphere.models.encoders.ge2e_lstm import GE2ELstm
from voxsphere.models.poolings.statistics import MeanPooling
from voxsphere.models.projection import LengthNorm
from voxsphere.models.speaker import SpeakerModel
from voxsphere.zoo.network import Network

NETWORKS = (
    Network(
        name="ge2e-lstm",
        model=partial(
            SpeakerModel,
            features=partial(GE2EMel),
            encoder=partial(GE2ELstm),
            pooling=partial(MeanPooling),
            projection=partial(LengthNorm),
            min_seconds=0.0,
        ),
        paper="Wan et al. 2018, Generalized End-to-End Loss for Speaker Verification, arXiv:1710.10467",
        parameters=1_423_616,
        source="Resemblyzer 0.1.4",
        peer="Resemblyzer 0.1.4",
    ),
)
