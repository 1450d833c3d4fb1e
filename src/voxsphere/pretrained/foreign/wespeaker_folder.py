"""WeSpeaker's model folders: config.yaml, and a state dict such as avg_model.pt."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from voxsphere.audio.features import Fbank
from voxsphere.core.errors import BadInput
from voxsphere.models.encoders.campplus import CamPlusPlus
from voxsphere.models.encoders.ecapa_tdnn import EcapaTdnn
from voxsphere.models.encoders.eres2net import ERes2Net
from voxsphere.models.encoders.redimnet import ReDimNet
from voxsphere.models.encoders.res2net import Res2Net
from voxsphere.models.encoders.resnet import DEPTHS, ResNet
from voxsphere.models.encoders.simam_resnet import DEPTHS as SIMAM_DEPTHS
from voxsphere.models.encoders.simam_resnet import SimAmResNet
from voxsphere.models.encoders.tdnn import Tdnn
from voxsphere.models.poolings.attentive import AttentiveStatsPooling
from voxsphere.models.poolings.statistics import MeanPooling, StatsPooling, StdPooling
from voxsphere.models.projection import Affine, LinearNorm, NormLinear, NormLinearNorm, TwoAffine
from voxsphere.pretrained.foreign import wespeaker
from voxsphere.pretrained.foreign.checkpoint import read_checkpoint, weights_in
from voxsphere.pretrained.foreign.found import Form, Found, configuration_of, first_of, unknown
from voxsphere.pretrained.foreign.redimnet import redimnet_of_wespeaker
from voxsphere.pretrained.foreign.renaming import Rules
from voxsphere.pretrained.foreign.settings import Options, read_yaml, section, word
from voxsphere.pretrained.foreign.three_d_speaker import campplus
from voxsphere.zoo.redimnet import NETWORKS as PUBLISHED

# Their training saves the classification layer with the network.
_HEAD = (r"^projection\..*", "")
_ATTENTION: Rules = [(r"^pool\.linear1\.", "pooling.hidden."), (r"^pool\.linear2\.", "pooling.score.")]
_BANDS = {"ReDimNetB0": 60, **{f"ReDimNetB{size}": 72 for size in range(1, 7)}}  # where the class's default is not 80
_FLOOR = 1e-7  # what their poolings add to a variance


def find(folder: Path) -> Found:
    """The model in a folder of WeSpeaker's, or the one whose weights are the file that is given."""
    weights = folder if folder.is_file() else first_of(
        folder, "avg_model.pt", "models/avg_model.pt", "final_model.pt", "models/final_model.pt", "*.pt",
        "models/*.pt", "*.safetensors", what="weights",
    )  # fmt: skip
    where = configuration_of(weights, folder, "config.yaml")
    content = read_yaml(where)
    network = word(content.get("model"))
    if network not in NETWORKS:
        raise unknown(network, NETWORKS, where)
    options = Options(section(content, "model_args", where), f"{where}: model_args")
    bands = options.size("acoustic_dim" if network.startswith("SimAM") else "feat_dim", _BANDS.get(network, 80))
    form = NETWORKS[network](options)
    options.finish()
    features, front_end = _front_end(section(content, "dataset_args", where), bands, where)
    state = weights_in(read_checkpoint(weights), weights)
    return Found("WeSpeaker", network, form, features, front_end, weights, state, where.parent.name)


def _front_end(data: dict[str, Any], bands: int, where: Path) -> tuple["partial[Fbank]", str]:
    """Kaldi's filter bank with Hamming windows, as their data pipeline computes it, without dither."""
    if (kind := data.get("frontend", "fbank")) != "fbank":
        raise BadInput(f"{where}: its front end is {word(kind)}; only fbank can be imported")
    options = Options(data.get("fbank_args"), f"{where}: fbank_args")
    options.ignore("dither")  # noise is for training
    mels, shift, length = (
        options.size("num_mel_bins", 80),
        options.number("frame_shift", 10),
        options.number("frame_length", 25),
    )
    options.finish()
    if mels != bands:
        raise BadInput(f"{where}: the network takes {bands} bands, fbank_args give {mels}")
    norms = Options(data.get("cmvn_args"), f"{where}: cmvn_args")
    centred = norms.choice("norm_mean", True, (True, False))
    norms.choice("norm_var", False, (False,))
    norms.finish()
    whole = Options(data, f"{where}: dataset_args")
    cmn = whole.choice("cmvn", True, (True, False)) and centred
    rate = whole.size("resample_rate", 16000)
    features = partial(
        Fbank, sample_rate=rate, num_mels=mels, window="hamming", frame_length=length / 1000,
        frame_shift=shift / 1000, cmn=cmn,
    )  # fmt: skip
    words = f"{rate / 1000:g} kHz, {mels}-band log mel filterbank (Kaldi, Hamming window, {length:g}/{shift:g} ms)"
    return features, f"{words}, utterance mean subtracted" if cmn else words


def _pooling(options: Options, default: str, *, context: bool = False) -> "partial[Any]":
    known: dict[str, partial[Any]] = {
        "TSTP": partial(StatsPooling, floor=_FLOOR),
        "TSDP": partial(StdPooling, floor=_FLOOR),
        "TAP": partial(MeanPooling),
        "ASTP": partial(AttentiveStatsPooling, context=context, floor=_FLOOR),
    }
    return known[options.choice("pooling_func", default, tuple(known))]


def _campplus(options: Options) -> Form:
    growth = options.size("growth_rate", 32)
    encoder = partial(
        CamPlusPlus,
        growth=growth,
        bottleneck=growth * options.size("bn_size", 4),
        width=options.size("init_channels", 128),
    )
    options.choice("config_str", "batchnorm-relu", ("batchnorm-relu",))
    options.choice("pooling_func", "TSTP", ("TSTP",))
    return Form(
        encoder,
        partial(StatsPooling, floor=_FLOOR),
        partial(LinearNorm, dim=options.size("embed_dim", 512)),
        [_HEAD, *campplus()],
        "Wang et al. 2023, CAM++, arXiv:2303.00332",
    )


def _residual(
    network: "partial[Any]",
    rules: Callable[[int], Rules],
    paper: str,
    *,
    pooling: str = "TSTP",
    context: bool = False,
    dim: int = 128,
) -> Callable[[Options], Form]:
    """A network with one or two linear layers after its pooling; `rules` take their number."""

    def form(options: Options) -> Form:
        layers = 2 if options.choice("two_emb_layer", False, (False, True)) else 1
        last = TwoAffine if layers == 2 else Affine
        return Form(
            network,
            _pooling(options, pooling, context=context),
            partial(last, dim=options.size("embed_dim", dim)),
            [_HEAD, *_ATTENTION, *rules(layers)],
            paper,
        )

    return form


def _resnet(depth: int) -> Callable[[Options], Form]:
    return _residual(
        partial(ResNet, depth=depth),
        lambda layers: wespeaker.resnet(DEPTHS[depth], layers=layers),
        "Zeinali et al. 2019, BUT system description to VoxSRC 2019, arXiv:1910.12592",
    )


def _res2net(width: int) -> Callable[[Options], Form]:
    def rules(layers: int) -> Rules:
        return wespeaker.res2net((3, 4, 6, 3), layers=layers)

    return _residual(partial(Res2Net, width=width), rules, "Gao et al. 2019, Res2Net, arXiv:1904.01169")


def _eres2net(network: "partial[ERes2Net]") -> Callable[[Options], Form]:
    paper = "Chen et al. 2023, An enhanced Res2Net with local and global feature fusion, arXiv:2305.12838"
    return _residual(network, lambda layers: wespeaker.eres2net(layers=layers), paper)


def _redimnet(network: "partial[ReDimNet]") -> Callable[[Options], Form]:
    stages = len(network.keywords["stages"])
    return _residual(
        network,
        lambda layers: redimnet_of_wespeaker(stages, layers=layers),
        "Yakovlev et al. 2024, Reshape Dimensions Network for Speaker Recognition, arXiv:2407.18223",
        pooling="ASTP",
        context=True,
        dim=192,
    )


def _simam_resnet(depth: int) -> Callable[[Options], Form]:
    def form(options: Options) -> Form:
        options.ignore("dropout")
        return Form(
            partial(SimAmResNet, depth=depth, width=options.size("in_planes", 64)),
            partial(AttentiveStatsPooling, activation="relu-norm", floor=1e-5),
            partial(Affine, dim=options.size("embed_dim", 256)),
            [_HEAD, *wespeaker.simam_resnet(SIMAM_DEPTHS[depth])],
            "Qin et al. 2022, Simple attention module based speaker verification, arXiv:2110.06534",
        )

    return form


def _ecapa_tdnn(width: int, *, context: bool) -> Callable[[Options], Form]:
    def form(options: Options) -> Form:
        normed = options.choice("emb_bn", False, (False, True))
        last = NormLinearNorm if normed else NormLinear
        rules = wespeaker.ecapa_tdnn()
        if not normed:
            rules = [(r"^bn\.", "projection.norm."), *rules]
        return Form(
            partial(EcapaTdnn, width=width, squeeze=128, summed=False),
            _pooling(options, "ASTP", context=context),
            partial(last, dim=options.size("embed_dim", 192)),
            [_HEAD, *rules],
            "Desplanques et al. 2020, ECAPA-TDNN, arXiv:2005.07143",
        )

    return form


def _xvector(options: Options) -> Form:
    dim = options.size("embed_dim", 512)
    return Form(
        partial(Tdnn, width=options.size("hid_dim", 512), last=options.size("stats_dim", 1500), affine=False),
        _pooling(options, "TSTP"),
        partial(TwoAffine, dim=dim),
        [_HEAD, *wespeaker.xvector()],
        "Snyder et al. 2018, X-vectors: Robust DNN embeddings for speaker recognition",
    )


NETWORKS: dict[str, Callable[[Options], Form]] = {
    "XVEC": _xvector,
    **{
        f"ECAPA_TDNN{glob}_c{width}": _ecapa_tdnn(width, context=bool(glob))
        for width in (512, 1024)
        for glob in ("", "_GLOB")
    },
    "CAMPPlus": _campplus,
    **{f"ResNet{depth}": _resnet(depth) for depth in DEPTHS},
    "Res2Net34_Base": _res2net(32),
    "Res2Net34_Large": _res2net(64),
    "ERes2Net34_Base": _eres2net(partial(ERes2Net, width=32)),
    "ERes2Net34_Large": _eres2net(partial(ERes2Net, width=64)),
    "ERes2Net34_aug": _eres2net(partial(ERes2Net, width=64, base_width=24, scale=3, expansion=4)),
    **{
        f"ReDimNetB{network.name[-1]}": _redimnet(network.model.keywords["encoder"])
        for network in PUBLISHED
        if network.name.startswith("redimnet-b")  # their sizes and stages are WeSpeaker's
    },
    **{f"SimAM_ResNet{depth}_ASP": _simam_resnet(depth) for depth in SIMAM_DEPTHS},
}
"""WeSpeaker's networks that voxsphere computes, by the names its configurations give them."""
