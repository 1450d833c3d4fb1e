"""3D-Speaker's model folders: ModelScope's configuration.json or a training YAML, and a state dict."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from voxsphere.audio.features import Fbank
from voxsphere.core.errors import BadInput
from voxsphere.core.files import read_json
from voxsphere.models.encoders.campplus import CamPlusPlus
from voxsphere.models.encoders.eres2net import ERes2Net
from voxsphere.models.encoders.eres2netv2 import ERes2NetV2
from voxsphere.models.encoders.res2net import Res2Net
from voxsphere.models.encoders.resnet import ResNet
from voxsphere.models.encoders.tdnn import Tdnn
from voxsphere.models.poolings.statistics import StatsPooling
from voxsphere.models.projection import Affine, LinearNorm, TwoAffine
from voxsphere.pretrained.foreign import three_d_speaker
from voxsphere.pretrained.foreign.checkpoint import read_checkpoint, weights_in
from voxsphere.pretrained.foreign.found import Form, Found, configuration_of, first_of, unknown
from voxsphere.pretrained.foreign.renaming import Rules
from voxsphere.pretrained.foreign.settings import Options, read_yaml, section, word
from voxsphere.pretrained.foreign.speechbrain_folder import ecapa_tdnn

_WEIGHTS = ("embedding_model.ckpt", "models/**/embedding_model.ckpt", "*.ckpt", "*.bin", "*.pt", "*.safetensors")


def find(folder: Path) -> Found:
    """The model in a folder of 3D-Speaker's, or the one whose weights are the file that is given.

    A training folder has no copy of its configuration; it belongs there, or beside the weights that are given.
    """
    names = ("configuration.json", "*.yaml", "*.yml")
    where = (
        configuration_of(folder, folder, *names) if folder.is_file() else first_of(folder, *names, what="configuration")
    )
    network, options, weights = _modelscope(where) if where.suffix == ".json" else _training(where)
    if network not in NETWORKS:
        raise unknown(network, NETWORKS, where)
    form = NETWORKS[network](options)
    options.finish()
    if folder.is_file():
        weights = folder
    elif weights is None:
        weights = first_of(folder, *_WEIGHTS, what="weights")
    state = weights_in(read_checkpoint(weights), weights)
    features = partial(Fbank, num_mels=_BANDS, scale=1.0, cmn=True)
    words = f"16 kHz, {_BANDS}-band log mel filterbank (Kaldi, Povey window, 25/10 ms), utterance mean subtracted"
    return Found("3D-Speaker", network, form, features, words, weights, state, where.parent.name)


# All of 3D-Speaker's networks take as many; what ModelScope's types do not say is the class's default.
_BANDS = 80


def _modelscope(where: Path) -> tuple[str, Options, Path | None]:
    """The class, its options and the weights that ModelScope's description means."""
    content = read_json(where)
    model = content.get("model") if isinstance(content, Mapping) else None
    if not isinstance(model, Mapping) or not isinstance(told := model.get("model_config"), Mapping):
        raise BadInput(f"{where}: has no model with its model_config; is it of a speaker model?")
    kind = word(model.get("type"))
    if kind not in MODELSCOPE:
        raise BadInput(f"{where}: the type {kind} cannot be imported; there are: {', '.join(MODELSCOPE)}")
    network, names = MODELSCOPE[kind]
    options = Options(
        {names.get(str(name), str(name)): value for name, value in told.items()}, f"{where}: model_config"
    )
    options.choice("sample_rate", 16000, (16000,))
    file = model.get("pretrained_model")
    return network, options, where.parent / Path(str(file)).name if file else None


def _training(where: Path) -> tuple[str, Options, Path | None]:
    """The class and the options that a training configuration names."""
    content = read_yaml(where)
    told, front = section(content, "embedding_model", where), section(content, "feature_extractor", where)
    path = word(told.get("obj")).split(".")
    computed = Options(front.get("args"), f"{where}: feature_extractor")
    computed.choice("sample_rate", 16000, (16000,))
    computed.choice("n_mels", _BANDS, (_BANDS,))
    computed.choice("mean_nor", False, (True,))
    computed.finish()
    options = Options(told.get("args"), f"{where}: embedding_model")
    return ".".join(path[-2:]), options, None


def _bands(options: Options, name: str = "feat_dim") -> None:
    options.choice(name, _BANDS, (_BANDS,))


def _campplus(options: Options) -> Form:
    _bands(options)
    growth = options.size("growth_rate", 32)
    encoder = partial(
        CamPlusPlus,
        growth=growth,
        bottleneck=growth * options.size("bn_size", 4),
        width=options.size("init_channels", 128),
    )
    options.choice("config_str", "batchnorm-relu", ("batchnorm-relu",))
    options.choice("output_level", "segment", ("segment",))
    options.ignore("memory_efficient")
    return Form(
        encoder,
        partial(StatsPooling),
        partial(LinearNorm, dim=options.size("embedding_size", 512)),
        three_d_speaker.campplus(),
        "Wang et al. 2023, CAM++, arXiv:2303.00332",
    )


def _xvector(options: Options) -> Form:
    _bands(options)
    options.choice("pooling_func", "TSTP", ("TSTP",))
    return Form(
        partial(Tdnn, width=options.size("hid_dim", 512), last=options.size("stats_dim", 1500), affine=False),
        partial(StatsPooling, floor=1e-8),
        partial(Affine, dim=options.size("embed_dim", 512)),
        three_d_speaker.xvector(),
        "Snyder et al. 2018, X-vectors: Robust DNN embeddings for speaker recognition",
    )


def _residual(options: Options, network: "partial[Any]", rules: Rules, paper: str, *, two: bool = False) -> Form:
    """A network over images, with one linear layer after its pooling or `two`, as the project's default has it."""
    _bands(options)
    options.choice("pooling_func", "TSTP", ("TSTP",))
    options.choice("two_emb_layer", two, (two,))
    dim = options.size("embedding_size", 128 if two else 192)
    projection = partial(TwoAffine, dim=dim) if two else partial(Affine, dim=dim)
    return Form(network, partial(StatsPooling, floor=1e-8), projection, rules, paper)


def _resnet(options: Options) -> Form:
    network = partial(ResNet, depth=34, width=options.size("m_channels", 32))
    paper = "Zeinali et al. 2019, BUT system description to VoxSRC 2019, arXiv:1910.12592"
    return _residual(options, network, three_d_speaker.resnet(), paper, two=True)


def _res2net(options: Options) -> Form:
    network = partial(Res2Net, width=options.size("m_channels", 32))
    return _residual(options, network, three_d_speaker.res2net(), "Gao et al. 2019, Res2Net, arXiv:1904.01169")


def _eres2net(options: Options) -> Form:
    network = partial(ERes2Net, width=options.size("m_channels", 32))
    return _residual(options, network, three_d_speaker.eres2net(), _ERES2NET)


def _eres2net_huge(options: Options) -> Form:
    network = partial(ERes2Net, width=options.size("m_channels", 64), base_width=24, scale=3, expansion=4)
    return _residual(options, network, three_d_speaker.eres2net(), _ERES2NET)


def _eres2netv2(options: Options) -> Form:
    network = partial(
        ERes2NetV2,
        width=options.size("m_channels", 64),
        base_width=options.size("baseWidth", 26),
        scale=options.size("scale", 2),
        expansion=options.size("expansion", 2),
    )
    paper = "Chen et al. 2024, ERes2NetV2, arXiv:2406.02167"
    return _residual(options, network, three_d_speaker.eres2netv2(), paper)


def _ecapa_tdnn(options: Options) -> Form:
    bands, form = ecapa_tdnn(options)
    if bands != _BANDS:
        raise BadInput(f"{options.where}: input_size is {bands}, but the front end gives {_BANDS} bands")
    return form


_ERES2NET = "Chen et al. 2023, An enhanced Res2Net with local and global feature fusion, arXiv:2305.12838"

NETWORKS: dict[str, Callable[[Options], Form]] = {
    "DTDNN.CAMPPlus": _campplus,
    "ECAPA_TDNN.ECAPA_TDNN": _ecapa_tdnn,
    "ERes2Net.ERes2Net": _eres2net,
    "ERes2Net_huge.ERes2Net": _eres2net_huge,
    "ERes2NetV2.ERes2NetV2": _eres2netv2,
    "Res2Net.Res2Net": _res2net,
    "ResNet.ResNet": _resnet,
    "TDNN.Xvector": _xvector,
}
"""3D-Speaker's networks that voxsphere computes, by file and class."""

_RESIDUAL = {"embed_dim": "embedding_size", "channels": "m_channels"}
MODELSCOPE: dict[str, tuple[str, dict[str, str]]] = {
    "cam++-sv": ("DTDNN.CAMPPlus", {"fbank_dim": "feat_dim", "emb_size": "embedding_size"}),
    "ecapa-tdnn-sv": ("ECAPA_TDNN.ECAPA_TDNN", {}),
    "eres2net-sv": ("ERes2Net.ERes2Net", _RESIDUAL),
    "eres2net-aug-sv": ("ERes2Net_huge.ERes2Net", _RESIDUAL),
    "eres2netv2-sv": ("ERes2NetV2.ERes2NetV2", _RESIDUAL),
    "res2net-sv": ("Res2Net.Res2Net", _RESIDUAL),
    "resnet-sv": ("ResNet.ResNet", _RESIDUAL),
}
"""ModelScope's types of speaker models: the class that each is, and its options' names there."""
