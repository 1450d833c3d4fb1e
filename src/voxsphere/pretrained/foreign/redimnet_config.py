"""The model that a published ReDimNet or ReDimNet2 checkpoint says it is (its `model_config`)."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from voxsphere.audio.tf_mel import TfMel
from voxsphere.audio.torch_mel import TorchMel
from voxsphere.core.errors import BadInput
from voxsphere.models.encoders.redimnet import ReDimNet
from voxsphere.models.encoders.redimnet2 import ReDimNet2
from voxsphere.models.poolings.attentive import AttentiveStatsPooling
from voxsphere.models.projection import NormLinear, NormLinearNorm
from voxsphere.models.speaker import SpeakerModel

# What IDRnD's class (commit dd9f519) and PalabraAI's (ffe8f27) take for options that a configuration leaves out.
_DEFAULTS: dict[str, Any] = {
    "F": 72, "out_channels": None, "embed_dim": 192, "feat_agg_dropout": 0.0, "hop_length": 160,
    "pooling_func": "ASTP", "feat_type": "pt", "emb_bn": False, "spec_params": {}, "return_2d_output": False,
    "agg_gnorm": False, "dual_agg": False, "tf_optimized_arch": False, "compress_tconvs": True,
    "use_freq_pos_enc": False, "fm_weigthing_type": "NC", "spec_in_channels": 1, "pad_right_samples": None,
    "before_pool_offset": None,
}  # fmt: skip
_REDIMNET: dict[str, Any] = {
    "C": 16, "block_1d_type": "att", "block_2d_type": "convnext_like", "group_divisor": 4, "global_context_att": False
}  # fmt: skip
_REDIMNET2: dict[str, Any] = {
    "C": 24, "block_1d_type": "conv+att", "block_2d_type": "basic_resnet", "group_divisor": 1,
    "global_context_att": True,
}  # fmt: skip
# Options of which we know only what no published network departs from.
_FIXED = (
    "pooling_func", "tf_optimized_arch", "compress_tconvs", "use_freq_pos_enc", "fm_weigthing_type",
    "spec_in_channels", "pad_right_samples", "before_pool_offset",
)  # fmt: skip
_LEARNING = {"num_classes", "class_dropout", "head_activation", "return_all_outputs"}  # of no account for embeddings
_SPECTRUM = {"do_spec_aug", "freq_mask_width", "time_mask_width", "freq_start_bin", "num_apply_spec_aug"}


def redimnet_from_config(config: Mapping[str, Any]) -> "partial[SpeakerModel]":
    """The model of IDRnD's or PalabraAI's `model_config`, which of the two being seen from its stages' strides.

    `BadInput` names an option that is unknown, or that has a value that no published network has.
    """
    values, second = _checked(config)
    stages = values["stages_setup"]
    shared = {
        "channels": values["C"], "block": values["block_2d_type"], "context": values["block_1d_type"],
        "group": values["group_divisor"], "last": values["out_channels"],
    }  # fmt: skip
    if second:
        encoder: partial[Any] = partial(
            ReDimNet2,
            **shared,
            stages=tuple(
                (tuple(stride), count, widening, reduction) for stride, count, widening, _, reduction in stages
            ),
            image=values["return_2d_output"],
            group_norm=values["agg_gnorm"],
            dual=values["dual_agg"],
        )
    else:
        plain = tuple((stride, count, widening, reduction) for stride, count, widening, _, reduction in stages)
        encoder = partial(ReDimNet, **shared, stages=plain, dropout=values["feat_agg_dropout"])
    return partial(
        SpeakerModel,
        features=_features(values),
        encoder=encoder,
        pooling=partial(AttentiveStatsPooling, context=values["global_context_att"]),
        projection=partial(NormLinearNorm if values["emb_bn"] else NormLinear, dim=values["embed_dim"]),
    )


def _checked(config: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
    """The configuration with all its defaults, and whether it is a ReDimNet2's."""
    known = {*_DEFAULTS, *_REDIMNET, *_LEARNING, "stages_setup", "causal"}
    if "stages_setup" not in config:
        raise BadInput("the checkpoint's model_config has no stages_setup; is it a ReDimNet?")
    if unknown := sorted(set(config) - known):
        raise BadInput(f"{unknown[0]}: is not an option of ReDimNet; there are: {', '.join(sorted(known))}")
    second = not isinstance(config["stages_setup"][0][0], int)
    values = _DEFAULTS | (_REDIMNET2 if second else _REDIMNET) | {"causal": "none"} | dict(config)
    for name in _FIXED:
        if values[name] != _DEFAULTS[name]:
            raise BadInput(f"{name}={values[name]!r} cannot be imported, only {_DEFAULTS[name]!r} can")
    if values["causal"] not in ("none", False):
        raise BadInput(f"causal={values['causal']!r} cannot be imported, only 'none' can")
    if not second and (own := [name for name in ("return_2d_output", "agg_gnorm", "dual_agg") if values[name]]):
        raise BadInput(f"{own[0]}={values[own[0]]!r} is for ReDimNet2, but these stages are a ReDimNet's")
    return values, second


def _features(values: Mapping[str, Any]) -> "partial[Any]":
    """The front end of a configuration: torchaudio's mel spectrogram, or TensorFlow's."""
    spectrum = {name: value for name, value in values["spec_params"].items() if name not in _SPECTRUM}
    preemphasis = 0.97 if spectrum.pop("do_preemph", True) else 0.0
    normalise = spectrum.pop("norm_signal", False)
    kind = values["feat_type"].removesuffix("_mel")
    if spectrum or kind not in ("pt", "tf") or (kind == "pt" and normalise):
        raise BadInput(f"the front end {values['feat_type']} with {values['spec_params']} cannot be imported")
    options = {"num_mels": values["F"], "frame_shift": values["hop_length"] / 16000, "preemphasis": preemphasis}
    return partial(TfMel, **options, normalise=normalise) if kind == "tf" else partial(TorchMel, **options)
