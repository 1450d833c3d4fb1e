"""ReDimNet's published files: one .pt that holds the network's options and its weights."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, get_args

from voxsphere.audio.torch_mel import TorchMel
from voxsphere.core.errors import BadInput
from voxsphere.models.encoders.redimnet import ReDimNet
from voxsphere.models.layers.redim import Block
from voxsphere.models.layers.time_context import Context
from voxsphere.models.poolings.attentive import AttentiveStatsPooling
from voxsphere.models.projection import NormLinear, NormLinearNorm
from voxsphere.pretrained.foreign.checkpoint import read_checkpoint, weights_in
from voxsphere.pretrained.foreign.found import Form, Found, first_of
from voxsphere.pretrained.foreign.redimnet import redimnet
from voxsphere.pretrained.foreign.settings import Options

# Options that change training, or what is given out besides the embedding.
_OF_TRAINING = ("num_classes", "class_dropout", "head_activation", "feat_agg_dropout")
_AUGMENTATION = ("do_spec_aug", "freq_start_bin", "num_apply_spec_aug", "freq_mask_width", "time_mask_width")


def find(folder: Path) -> Found:
    """The model in a file such as b2-vox2-lm.pt, or in a folder that holds one such file."""
    weights = folder if folder.is_file() else first_of(folder, "*.pt", "*.pth", what="weights")
    content = read_checkpoint(weights)
    told = content.get("model_config")
    if not isinstance(told, Mapping) or "state_dict" not in content:
        raise BadInput(f"{weights}: holds no model_config and state_dict, as ReDimNet's published files do")
    options = Options(told, f"{weights}: model_config")
    options.ignore(*_OF_TRAINING)
    for name in ("tf_optimized_arch", "return_all_outputs"):
        options.choice(name, False, (False,))
    options.choice("feat_type", "pt", ("pt", "pt_mel"))
    bands, shift = options.size("F", 72), options.size("hop_length", 160)
    features, front_end = _front_end(options.left.pop("spec_params", {}), bands, shift, weights)
    form = _form(options)
    options.finish()
    state = weights_in(content, weights)
    return Found("IDRnD", "ReDimNet", form, features, front_end, weights, state)


def _front_end(told: Any, bands: int, shift: int, weights: Path) -> tuple["partial[TorchMel]", str]:
    options = Options(told if isinstance(told, Mapping) else {"spec_params": told}, f"{weights}: spec_params")
    options.ignore(*_AUGMENTATION)
    options.choice("spec_norm", "mn", ("mn",))
    options.choice("norm_signal", False, (False,))
    for name, value in (("sample_rate", 16000), ("win_length", 400), ("n_fft", 512)):
        options.choice(name, value, (value,))
    features = partial(
        TorchMel,
        num_mels=bands,
        frame_shift=shift / 16000,
        low_freq=options.least("f_min", 20),
        high_freq=options.number("f_max", 7600),
        preemphasis=0.97 if options.choice("do_preemph", True, (True, False)) else 0.0,
    )
    options.finish()
    words = f"16 kHz, {bands}-band log mel filterbank (torchaudio, Hamming window, 25/{shift / 16:g} ms)"
    return features, f"{words}, utterance mean subtracted"


def _form(options: Options) -> Form:
    widened = options.left.pop("out_channels", None)
    last = None if widened is None else Options({"out_channels": widened}, options.where).size("out_channels", 1)
    encoder = partial(
        ReDimNet,
        channels=options.size("C", 16),
        stages=_stages(options),
        block=options.choice("block_2d_type", "convnext_like", get_args(Block)),
        context=options.choice("block_1d_type", "att", get_args(Context)),
        group=options.size("group_divisor", 4),
        last=last,
    )
    options.choice("pooling_func", "ASTP", ("ASTP",))
    pooling = partial(
        AttentiveStatsPooling, context=options.choice("global_context_att", False, (False, True)), floor=1e-7
    )
    normed = options.choice("emb_bn", False, (False, True))
    projection = partial(NormLinearNorm if normed else NormLinear, dim=options.size("embed_dim", 192))
    rules = redimnet(last_norm=normed)
    return Form(encoder, pooling, projection, rules, "Yakovlev et al. 2024, ReDimNet, arXiv:2407.18223")


def _stages(options: Options) -> tuple[tuple[int, int, float, int | None], ...]:
    """Stride, blocks, widening and reduction of each stage; the kernel sizes between, which no block uses, fall out."""
    told = options.left.pop("stages_setup", None)
    right = isinstance(told, list | tuple) and all(isinstance(row, list | tuple) and len(row) == 5 for row in told)
    if not right or not told:
        raise BadInput(f"{options.where}: stages_setup are rows of five values, not {told!r}")
    stages = []
    for stride, blocks, widening, _, reduction in told:
        row = Options({"stride": stride, "blocks": blocks, "widening": widening}, f"{options.where}: stages_setup")
        cut = None if reduction is None else Options({"reduction": reduction}, row.where).size("reduction", 1)
        stages.append((row.size("stride", 1), row.size("blocks", 1), row.number("widening", 1), cut))
    return tuple(stages)
