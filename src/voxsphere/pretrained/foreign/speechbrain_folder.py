"""SpeechBrain's model folders: hyperparams.yaml and embedding_model.ckpt."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from voxsphere.audio.speechbrain_fbank import SpeechBrainFbank
from voxsphere.core.errors import BadInput
from voxsphere.models.encoders.ecapa_tdnn import EcapaTdnn
from voxsphere.models.encoders.tdnn import Tdnn
from voxsphere.models.poolings.attentive import AttentiveStatsPooling
from voxsphere.models.poolings.statistics import StatsPooling
from voxsphere.models.projection import Affine, NormLinear
from voxsphere.pretrained.foreign import speechbrain
from voxsphere.pretrained.foreign.checkpoint import read_checkpoint, weights_in
from voxsphere.pretrained.foreign.found import Form, Found, configuration_of, first_of, unknown
from voxsphere.pretrained.foreign.settings import CLASS, Options, read_yaml, section, word


def find(folder: Path) -> Found:
    """The model in a folder of SpeechBrain's, or the one whose weights are the file that is given.

    Neither the classifier nor the embeddings' own mean is taken: SpeechBrain does not subtract it when it verifies.
    """
    weights = folder if folder.is_file() else first_of(
        folder, "embedding_model.ckpt", "**/embedding_model.ckpt", "*.safetensors", what="weights"
    )  # fmt: skip
    where = configuration_of(weights, folder, "hyperparams.yaml", "hyper*.yaml")
    content = read_yaml(where)
    told = section(content, "embedding_model", where)
    network = _class(told)
    if network not in NETWORKS:
        raise unknown(network, NETWORKS, where)
    options = Options(told, f"{where}: embedding_model")
    options.ignore(CLASS, "device", "dropout")
    bands, form = NETWORKS[network](options)
    options.finish()
    features, front_end = _front_end(content, bands, where)
    state = weights_in(read_checkpoint(weights), weights)
    return Found("SpeechBrain", network, form, features, front_end, weights, state, where.parent.name)


def _class(told: dict[str, Any]) -> str:
    """The name of the class that a part is to be built of, without its module."""
    return word(told.get(CLASS, "")).partition(":")[2].rpartition(".")[2]


def _front_end(content: dict[str, Any], bands: int, where: Path) -> tuple["partial[SpeechBrainFbank]", str]:
    told = section(content, "compute_features", where)
    if (kind := _class(told)) != "Fbank":
        raise BadInput(f"{where}: its front end is {kind or 'not named'}; only Fbank can be imported")
    options = Options(told, f"{where}: compute_features")
    options.ignore(CLASS, "requires_grad", "left_frames", "right_frames", "param_change_factor", "param_rand_factor")
    for name in ("deltas", "context"):
        options.choice(name, False, (False,))
    options.choice("filter_shape", "triangular", ("triangular",))
    rate, mels = options.size("sample_rate", 16000), options.size("n_mels", 40)
    length, shift = options.number("win_length", 25), options.number("hop_length", 10)
    features = partial(
        SpeechBrainFbank, sample_rate=rate, num_mels=mels, n_fft=options.size("n_fft", 400),
        frame_length=length / 1000, frame_shift=shift / 1000, low_freq=options.least("f_min", 0),
        high_freq=options.number("f_max", rate / 2), cmn=True,
    )  # fmt: skip
    options.finish()
    if mels != bands:
        raise BadInput(f"{where}: the network takes {bands} bands, compute_features gives {mels}")
    norm = Options(section(content, "mean_var_norm", where), f"{where}: mean_var_norm")
    norm.ignore(CLASS)
    norm.choice("norm_type", "global", ("sentence",))
    norm.choice("std_norm", True, (False,))
    norm.finish()
    words = (
        f"{rate / 1000:g} kHz, {mels}-band mel filterbank in dB (SpeechBrain, Hamming window, {length:g}/{shift:g} ms)"
    )
    return features, f"{words}, utterance mean subtracted"


def _xvector(options: Options) -> tuple[int, Form]:
    options.choice("tdnn_blocks", 5, (5,))
    *widths, last = options.sizes("tdnn_channels", (512, 512, 512, 512, 1500))
    if len(set(widths)) != 1:
        raise BadInput(f"{options.where}: tdnn_channels are {widths} before the last, but must be all alike")
    slopes = {"torch.nn.LeakyReLU": 0.01, "torch.nn.ReLU": 0.0}
    slope = slopes[_activation(options, "torch.nn.LeakyReLU", tuple(slopes))]
    encoder = partial(
        Tdnn, width=widths[0], last=last, kernels=options.sizes("tdnn_kernel_sizes", (5, 3, 3, 1, 1)),
        dilations=options.sizes("tdnn_dilations", (1, 2, 3, 1, 1)), slope=slope, reflect=True,
    )  # fmt: skip
    return options.size("in_channels", 40), Form(
        encoder,
        partial(StatsPooling),
        partial(Affine, dim=options.size("lin_neurons", 512)),
        speechbrain.xvector(),
        "Snyder et al. 2018, X-vectors: Robust DNN embeddings for speaker recognition",
    )


def ecapa_tdnn(options: Options) -> tuple[int, Form]:
    """The bands it takes, and the network: SpeechBrain's class, of which 3D-Speaker's is a copy."""
    *widths, last = options.sizes("channels", (512, 512, 512, 512, 1536))
    if len(set(widths)) != 1:
        raise BadInput(f"{options.where}: channels are {widths} before the last, but must be all alike")
    dilations = options.sizes("dilations", (1, 2, 3, 4, 1))
    for name, value, sizes in (
        ("kernel_sizes", (5, 3, 3, 3, 1), options.sizes("kernel_sizes", (5, 3, 3, 3, 1))),
        ("groups", (1,) * 5, options.sizes("groups", (1,) * 5)),
        ("dilations", (1, *dilations[1:4], 1), dilations),
    ):
        if sizes != value:
            raise BadInput(f"{options.where}: {name} are {list(sizes)}; only {list(value)} can be imported")
    _activation(options, "torch.nn.ReLU", ("torch.nn.ReLU",))
    encoder = partial(
        EcapaTdnn, width=widths[0], last=last, dilations=dilations[1:4], scale=options.size("res2net_scale", 8),
        squeeze=options.size("se_channels", 128), summed=False, passed="first", reflect=True, normed=True,
    )  # fmt: skip
    pooling = partial(
        AttentiveStatsPooling, bottleneck=options.size("attention_channels", 128),
        context=options.choice("global_context", True, (True, False)), activation="relu-norm-tanh",
        unbiased_context=False, floor=1e-12,
    )  # fmt: skip
    return options.size("input_size", 80), Form(
        encoder,
        pooling,
        partial(NormLinear, dim=options.size("lin_neurons", 192)),
        speechbrain.ecapa_tdnn(),
        "Desplanques et al. 2020, ECAPA-TDNN, arXiv:2005.07143",
    )


def _activation(options: Options, default: str, known: tuple[str, ...]) -> str:
    told = options.take("activation", {CLASS: f"name:{default}"})
    asked = str(told.get(CLASS)).partition(":")[2] if isinstance(told, dict) else word(told)
    if asked not in known:
        raise BadInput(f"{options.where}: the activation {asked} cannot be imported; there are: {', '.join(known)}")
    return asked


NETWORKS: dict[str, Callable[[Options], tuple[int, Form]]] = {"ECAPA_TDNN": ecapa_tdnn, "Xvector": _xvector}
"""SpeechBrain's networks that voxsphere computes, by their classes' names; each tells the bands it takes, too."""
