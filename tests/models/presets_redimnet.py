"""Small models and references of ReDimNet and ReDimNet2."""

from functools import partial

from small import Frames, small

from voxsphere.audio.tf_mel import TfMel
from voxsphere.audio.torch_mel import TorchMel
from voxsphere.models.encoders.redimnet import ReDimNet
from voxsphere.models.encoders.redimnet2 import ReDimNet2
from voxsphere.models.poolings.attentive import AttentiveStatsPooling
from voxsphere.models.projection import NormLinear
from voxsphere.models.speaker import SpeakerModel

_TAIL = (partial(AttentiveStatsPooling, bottleneck=128, context=True), partial(NormLinear, dim=32))

SMALL: dict[str, partial[SpeakerModel]] = {
    "ReDimNet": small(
        encoder=partial(
            ReDimNet, channels=4, stages=((1, 1, 2, 10), (2, 1, 1, None)), block="basic_resnet_fwse", group=2
        )
    ),
    "ReDimNet, ConvNeXt blocks": small(
        encoder=partial(
            ReDimNet, channels=4, stages=((2, 1, 1, 10),), block="convnext_like_relu", context="conv", group=4, last=12
        )
    ),
    "ReDimNet, attention alone": small(
        encoder=partial(ReDimNet, channels=2, stages=((1, 1, 1, 5),), block="basic_resnet", context="att", group=1)
    ),
    "ReDimNet, frame by frame": small(
        encoder=partial(ReDimNet, channels=2, stages=((2, 1, 1, 5),), context="fc", group=2)
    ),
    "ReDimNet2": small(
        encoder=partial(
            ReDimNet2,
            channels=4,
            stages=(((1, 1), 1, 2, 10), ((2, 1), 1, 1, None), ((1, 2), 1, 0.5, 10)),
            last=3,
            group_norm=True,
            dual=True,
        )
    ),
    "ReDimNet2, as a sequence": small(
        encoder=partial(ReDimNet2, channels=2, stages=(((2, 1), 1, 1, 5), ((1, 2), 1, 1, 5)), context="fc", image=False)
    ),
    "TfMel": small(partial(TfMel, num_mels=20)),
    "TorchMel": small(partial(TorchMel, num_mels=20)),
}

# What a golden of the same name was asked of a reference implementation, without a front end.
REFERENCES: dict[str, partial[SpeakerModel]] = {
    "redimnet_b0": small(
        partial(Frames, dim=60),
        partial(
            ReDimNet,
            channels=2,
            stages=((1, 1, 1, 10), (2, 1, 2, 10), (1, 1, 3, 10), (2, 1, 2, 5), (1, 1, 1, 5)),
            block="basic_resnet",
            group=1,
        ),
        *_TAIL,
    ),
    "redimnet_b2": small(
        partial(Frames, dim=72),
        partial(
            ReDimNet,
            channels=4,
            stages=((1, 2, 1, 12), (2, 2, 1, 12), (1, 3, 1, 12), (2, 4, 1, 8), (1, 4, 1, 8), (2, 4, 1, 4)),
            block="convnext_like",
            group=4,
        ),
        *_TAIL,
    ),
    "redimnet_b5": small(
        partial(Frames, dim=72),
        partial(
            ReDimNet,
            channels=8,
            stages=((1, 1, 2, 48), (2, 1, 2, 48), (2, 1, 1, 24), (2, 1, 1, 16)),
            block="basic_resnet_fwse",
            group=8,
        ),
        *_TAIL,
    ),
}

REFERENCES |= {
    "redimnet_wave": small(
        partial(TorchMel, num_mels=24),
        partial(ReDimNet, channels=4, stages=((1, 1, 2, 12), (2, 1, 1, None), (2, 2, 1, 12)), group=2),
        *_TAIL,
    ),
    "redimnet2_b0": small(
        partial(Frames, dim=72),
        partial(
            ReDimNet2,
            channels=4,
            stages=(
                ((1, 1), 1, 2, 36), ((2, 1), 1, 1, 36), ((1, 2), 2, 1, 36),
                ((2, 1), 1, 1, 36), ((1, 2), 1, 1, 18), ((2, 1), 1, 1, 18),
            ),
            last=16,
        ),
        *_TAIL,
    ),
    "redimnet2_b6": small(
        partial(Frames, dim=72),
        partial(
            ReDimNet2,
            channels=8,
            stages=(
                ((1, 1), 1, 3, 72), ((2, 1), 1, 2, None), ((1, 2), 1, 2, 48),
                ((2, 1), 1, 1, 48), ((1, 2), 1, 0.75, 36), ((2, 1), 1, 0.5, 24),
            ),
            last=16,
            group_norm=True,
            dual=True,
        ),
        *_TAIL,
    ),
    "redimnet2_wave": small(
        partial(TfMel, num_mels=24),
        partial(ReDimNet2, channels=4, stages=(((1, 1), 1, 2, 12), ((2, 2), 1, 1, 12), ((1, 2), 1, 1, 8)), image=False),
        *_TAIL,
    ),
}  # fmt: skip

# Parameters that shift what a normalisation receives by a constant, which it subtracts again.
SHIFTS: dict[str, set[str]] = {
    "ReDimNet": {
        "encoder.stages.0.blocks.0.second_linear.bias",
        "encoder.stages.0.squeeze.conv.bias",
        *(f"encoder.stages.0.time.convs.{i}.convs.0.bias" for i in range(4)),
        "encoder.stages.0.time.mixer.key.bias",
        "encoder.stages.1.blocks.0.second_linear.bias",
    },
    "ReDimNet, ConvNeXt blocks": {
        "encoder.last.linear.bias",
        "encoder.stages.0.blocks.0.convs.0.bias",
        *(f"encoder.stages.0.time.convs.{i}.convs.{k}.bias" for i in range(4) for k in range(3)),
        # With a single stage no nonlinearity stands between these and the last batch norm.
        "encoder.stages.0.time.convs.3.linear.bias",
        "encoder.stages.0.time.expand.bias",
    },
    "ReDimNet, attention alone": {
        "encoder.stages.0.blocks.0.second_linear.bias",
        "encoder.stages.0.time.mixer.key.bias",
    },
    "ReDimNet2": {
        *(f"encoder.stages.{i}.blocks.0.second_linear.bias" for i in range(3)),
        *(f"encoder.stages.{i}.squeeze.linear.bias" for i in (0, 2)),
        *(f"encoder.stages.{i}.time.convs.{k}.convs.0.bias" for i in (0, 2) for k in range(4)),
        *(f"encoder.stages.{i}.time.mixer.key.bias" for i in (0, 2)),
    },
    "ReDimNet2, as a sequence": {f"encoder.stages.{i}.blocks.0.second_linear.bias" for i in range(2)},
    "ReDimNet, frame by frame": {"encoder.stages.0.blocks.0.convs.0.bias"},
}
