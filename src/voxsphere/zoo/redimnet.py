"""ReDimNet and ReDimNet2: stages and sizes.

ReDimNet's stages are WeSpeaker's (models/redimnet.py at dfa7419, which says itself that its sizes differ from the
paper's). IDRnD/redimnet at dd9f519 states no others: its hubconf.py takes a network's options from its checkpoint.
Millions of parameters and GMAC for two seconds, as its EVALUATION.md has them from the paper, and ours, with frames
10 ms apart:

|    | paper | here | paper, GMAC | here, GMAC |
| -- | ----: | ---: | ----------: | ---------: |
| B0 | 1.0 | 1.00 | 0.43 | 0.39 |
| B1 | 2.2 | 2.13 | 0.54 | 0.57 |
| B2 | 4.7 | 4.89 | 0.90 | 0.90 |
| B3 | 3.0 | 3.23 | 3.00 | 2.88 |
| B4 | 6.3 | 6.44 | 4.80 | 4.66 |
| B5 | 9.2 | 7.66 | 9.87 | 8.75 |
| B6 | 15.0 | 15.02 | 20.27 | 20.05 |

So B5 is not the paper's. It is the published file's: b5-vox2-ft_lm.pt holds 7,709,351 numbers and has B5's options
(findit-studio/coremlit's README of its conversion of that file, which we have not opened), and so many are ours with
the running statistics and that front end. Its frames are 15 ms apart, here 10, as WeSpeaker has them.
`pretrained.foreign.redimnet_config` builds what a checkpoint's own configuration says.
"""

from collections.abc import Sequence
from functools import partial

from voxsphere.audio.tf_mel import TfMel
from voxsphere.audio.torch_mel import TorchMel
from voxsphere.models.encoders.redimnet import ReDimNet, Stage
from voxsphere.models.encoders.redimnet2 import ReDimNet2, Stage2
from voxsphere.models.layers.redim import Block
from voxsphere.models.poolings.attentive import AttentiveStatsPooling
from voxsphere.models.projection import NormLinear
from voxsphere.models.speaker import SpeakerModel
from voxsphere.zoo.network import Network

_POOLING = partial(AttentiveStatsPooling, context=True)


def _redimnet(
    size: int, parameters: int, block: Block, stages: Sequence[Stage], *, channels: int, group: int, bands: int = 72
) -> Network:
    return Network(
        name=f"redimnet-b{size}",
        model=partial(
            SpeakerModel,
            features=partial(TorchMel, num_mels=bands),
            encoder=partial(ReDimNet, channels=channels, stages=stages, block=block, group=group),
            pooling=_POOLING,
            projection=partial(NormLinear),
        ),
        paper="Yakovlev et al. 2024, Reshape Dimensions Network for Speaker Recognition, arXiv:2407.18223",
        parameters=parameters,
        source="IDRnD/redimnet at dd9f519 with WeSpeaker's configurations at dfa7419",
        peer="IDRnD/redimnet at dd9f519",
    )


def _redimnet2(
    size: int, parameters: int, stages: Sequence[Stage2], *, channels: int, last: int | None = None
) -> Network:
    return Network(
        name=f"redimnet2-b{size}",
        model=partial(
            SpeakerModel,
            features=partial(TfMel),
            encoder=partial(ReDimNet2, channels=channels, stages=stages, last=last),
            pooling=_POOLING,
            projection=partial(NormLinear),
        ),
        paper="Yakovlev & Okhotnikov 2026, ReDimNet2, arXiv:2603.11841",
        parameters=parameters,
        source="PalabraAI/redimnet2 at ffe8f27 with its training recipes' configurations, without their group norm",
        peer="PalabraAI/redimnet2 at ffe8f27",
    )


_DEEP: tuple[Stage, ...] = ((1, 4, 2, 48), (2, 4, 2, 48), (1, 6, 2, 48), (2, 6, 1, 32), (1, 8, 1, 24), (2, 4, 1, 16))


def _stages2(widenings: Sequence[float], reductions: Sequence[int], counts: str = "234543") -> tuple[Stage2, ...]:
    """Six stages, of which every second one strides: bands, frames, bands, frames, bands."""
    strides = ((1, 1), (2, 1), (1, 2), (2, 1), (1, 2), (2, 1))
    return tuple(zip(strides, map(int, counts), widenings, reductions, strict=True))


NETWORKS = (
    _redimnet(
        0, 1_004_250, "basic_resnet", ((1, 2, 1, 30), (2, 3, 2, 30), (1, 3, 3, 30), (2, 4, 2, 10), (1, 3, 1, 10)),
        channels=10, group=1, bands=60,
    ),
    _redimnet(
        1, 2_126_936, "convnext_like", ((1, 2, 1, None), (2, 3, 1, None), (3, 4, 1, 12), (2, 5, 1, 12), (2, 3, 1, 8)),
        channels=12, group=8,
    ),
    _redimnet(
        2, 4_892_848, "convnext_like",
        ((1, 2, 1, 12), (2, 2, 1, 12), (1, 3, 1, 12), (2, 4, 1, 8), (1, 4, 1, 8), (2, 4, 1, 4)),
        channels=16, group=4,
    ),
    _redimnet(
        3, 3_225_020, "basic_resnet_fwse",
        ((1, 6, 4, 32), (2, 6, 2, 32), (1, 8, 2, 32), (2, 10, 2, 16), (1, 10, 1, 16), (2, 8, 1, 16)),
        channels=16, group=1,
    ),
    _redimnet(4, 6_441_520, "basic_resnet_fwse", _DEEP, channels=32, group=1),
    _redimnet(5, 7_659_760, "basic_resnet_fwse", _DEEP, channels=32, group=16),
    _redimnet(
        6, 15_015_472, "basic_resnet",
        ((1, 4, 4, 32), (2, 6, 2, 32), (1, 6, 2, 24), (3, 8, 1, 24), (1, 8, 1, 16), (2, 8, 1, 16)),
        channels=32, group=32,
    ),
    _redimnet2(0, 1_114_356, _stages2((2, 1, 1, 1, 1, 1), (36, 36, 36, 36, 18, 18)), channels=12, last=64),
    _redimnet2(1, 2_160_336, _stages2((2, 1, 1, 1, 1, 1), (32, 32, 32, 32, 16, 16)), channels=16),
    _redimnet2(
        2, 3_676_320,
        (((1, 1), 2, 2, 40), ((2, 1), 3, 1, 30), ((1, 2), 4, 1, 30), ((3, 1), 5, 1, 20), ((1, 2), 4, 1, 20),
         ((2, 1), 3, 1, 10)),
        channels=20,
    ),
    _redimnet2(3, 4_179_848, _stages2((4, 3, 2, 1, 1, 1), (24,) * 6), channels=24),
    _redimnet2(4, 6_657_440, _stages2((4, 3, 2, 1, 1, 1), (24,) * 6), channels=32),
    _redimnet2(5, 8_955_816, _stages2((4, 3, 2, 1, 1, 1), (48, 48, 48, 48, 32, 32)), channels=48, last=256),
    _redimnet2(
        6, 12_390_176, _stages2((3, 2, 2, 1, 0.75, 0.5), (64, 64, 48, 48, 32, 24), "345543"), channels=64, last=224
    ),
)  # fmt: skip
