"""The reference implementations' networks, imported from check-outs of their projects, at their published sizes.

Nothing of these projects is in this repository. Each function below makes one project's networks importable and gives
their constructors by the name that `voxsphere.zoo` has for them, with how they want to be given features [batch,
frames, bands]. Projects call their modules alike, so a process loads one of them.
"""

import importlib
import importlib.util
import math
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock
from unittest.mock import MagicMock

import torch
from torch import Tensor, nn

from voxsphere.models.encoders.redimnet2 import ReDimNet2
from voxsphere.models.encoders.resnet import DEPTHS
from voxsphere.pretrained.foreign import redimnet as redimnet_names
from voxsphere.pretrained.foreign import speechbrain as speechbrain_names
from voxsphere.pretrained.foreign import three_d_speaker as three_d_speaker_names
from voxsphere.pretrained.foreign import wespeaker as wespeaker_names
from voxsphere.pretrained.foreign.renaming import Rules
from voxsphere.zoo import NETWORKS


@dataclass(frozen=True)
class Reference:
    """A network of somebody else's: how it is built, how it is asked for embeddings of features, and, where the
    product can import its weights, the rules of renaming by which it does."""

    build: Callable[[], nn.Module]
    run: Callable[[nn.Module, Tensor], Any] = lambda network, features: network(features)
    rules: Rules | None = None


def import_wespeaker(checkout: str | Path) -> None:
    """Make WeSpeaker's modules importable without its command line, which its __init__ imports with all it needs."""
    sys.modules["wespeaker"] = ModuleType("wespeaker")
    sys.modules["wespeaker"].__path__ = [f"{checkout}/wespeaker"]


def wespeaker(checkout: Path) -> dict[str, Reference]:
    """wenet-e2e/wespeaker."""
    import_wespeaker(checkout)
    models = {
        name: importlib.import_module(f"wespeaker.models.{name}")
        for name in ("tdnn", "ecapa_tdnn", "resnet", "samresnet", "res2net", "eres2net")
    }
    ecapa = partial(models["ecapa_tdnn"].ECAPA_TDNN, feat_dim=80, embed_dim=192)
    built: dict[str, Callable[[], nn.Module]] = {
        "xvector-wespeaker": partial(models["tdnn"].XVEC, feat_dim=80, embed_dim=512),
        "ecapa-512": partial(ecapa, channels=512, global_context_att=True, emb_bn=True),
        "ecapa-1024": partial(ecapa, channels=1024, global_context_att=True, emb_bn=True),
        "ecapa-512-no-context": partial(ecapa, channels=512, emb_bn=True),
        "ecapa-1024-no-context": partial(ecapa, channels=1024, emb_bn=True),
        "simam-resnet34": models["samresnet"].SimAM_ResNet34_ASP,
        "simam-resnet100": models["samresnet"].SimAM_ResNet100_ASP,
        "eres2net34-aug": partial(models["eres2net"].ERes2Net34_aug, feat_dim=80, embed_dim=192),
    }
    for depth in (18, 34, 50, 101, 152, 221, 293):
        made = getattr(models["resnet"], f"ResNet{depth}")
        built[f"resnet{depth}"] = partial(made, feat_dim=80, embed_dim=256)
    for size in ("base", "large"):
        res2net = getattr(models["res2net"], f"Res2Net34_{size.title()}")
        eres2net = getattr(models["eres2net"], f"ERes2Net34_{size.title()}")
        built[f"res2net34-{size}"] = partial(res2net, feat_dim=80, embed_dim=256)
        built[f"eres2net34-{size}"] = partial(eres2net, feat_dim=80, embed_dim=512)
    rules = {
        **{name: wespeaker_names.ecapa_tdnn() for name in built if name.startswith("ecapa")},
        **{f"resnet{depth}": wespeaker_names.resnet(blocks) for depth, blocks in DEPTHS.items()},
        **{name: wespeaker_names.res2net(DEPTHS[34]) for name in built if name.startswith("res2net")},
        **{name: wespeaker_names.eres2net() for name in built if name.startswith("eres2net")},
        "xvector-wespeaker": wespeaker_names.xvector(),
        "simam-resnet34": wespeaker_names.simam_resnet(DEPTHS[34]),
        "simam-resnet100": wespeaker_names.simam_resnet((6, 16, 24, 3)),
    }
    return {name: Reference(build, rules=rules[name]) for name, build in built.items()}


def three_d_speaker(checkout: Path) -> dict[str, Reference]:
    """modelscope/3D-Speaker."""
    sys.path.insert(0, str(checkout))

    def of(path: str, name: str) -> Any:
        return getattr(importlib.import_module(f"speakerlab.models.{path}"), name)

    built: dict[str, Callable[[], nn.Module]] = {
        "xvector-3d-speaker": partial(of("xvector.TDNN", "Xvector"), feat_dim=80),
        "ecapa-3d-speaker": partial(
            of("ecapa_tdnn.ECAPA_TDNN", "ECAPA_TDNN"), 80, channels=[1024, 1024, 1024, 1024, 3072]
        ),
        "campplus": of("campplus.DTDNN", "CAMPPlus"),
        "resnet34-3d-speaker": partial(of("resnet.ResNet", "ResNet"), feat_dim=80, embedding_size=192),
        "res2net-3d-speaker": of("res2net.Res2Net", "Res2Net"),
        "eres2net-base": of("eres2net.ERes2Net", "ERes2Net"),
        "eres2net-large": partial(of("eres2net.ERes2Net", "ERes2Net"), m_channels=64),
        "eres2net-huge": of("eres2net.ERes2Net_huge", "ERes2Net"),
        "eres2netv2": of("eres2net.ERes2NetV2", "ERes2NetV2"),
        "eres2netv2-w24s4ep4": partial(of("eres2net.ERes2NetV2", "ERes2NetV2"), baseWidth=24, scale=4, expansion=4),
    }
    rules = {
        "xvector-3d-speaker": three_d_speaker_names.xvector(),
        "ecapa-3d-speaker": three_d_speaker_names.ecapa_tdnn(),
        "campplus": three_d_speaker_names.campplus(),
        "resnet34-3d-speaker": three_d_speaker_names.resnet(),
        "res2net-3d-speaker": three_d_speaker_names.res2net(),
        **{f"eres2net-{size}": three_d_speaker_names.eres2net() for size in ("base", "large", "huge")},
        **{name: three_d_speaker_names.eres2netv2() for name in ("eres2netv2", "eres2netv2-w24s4ep4")},
    }
    return {name: Reference(build, rules=rules[name]) for name, build in built.items()}


def speechbrain(packages: Path) -> dict[str, Reference]:
    """SpeechBrain, installed in the folder `packages`."""
    sys.path.append(str(packages))
    ecapa = importlib.import_module("speechbrain.lobes.models.ECAPA_TDNN").ECAPA_TDNN
    xvector = importlib.import_module("speechbrain.lobes.models.Xvector").Xvector

    def silent() -> nn.Module:
        """Without the noise that its pooling adds to the mean, of a size that it adds to the deviation, too."""
        network: nn.Module = xvector(in_channels=24, lin_neurons=512)
        network.blocks[15].eps = 0.0  # type: ignore[index, union-attr]
        return network

    return {
        "ecapa-speechbrain": Reference(
            partial(ecapa, 80, channels=[1024, 1024, 1024, 1024, 3072]), rules=speechbrain_names.ecapa_tdnn()
        ),
        "xvector-speechbrain": Reference(silent, rules=speechbrain_names.xvector()),
    }


def voxceleb_trainer(checkout: Path) -> dict[str, Reference]:
    """clovaai/voxceleb_trainer; its mel bands and their normalisation are left out."""
    sys.path.insert(0, str(checkout))
    sys.modules["torchaudio"] = MagicMock()
    sys.modules["torchaudio"].transforms.MelSpectrogram = lambda **_: nn.Identity()

    def build(name: str, **options: Any) -> nn.Module:
        network: nn.Module = importlib.import_module(f"models.{name}").MainModel(nOut=512, log_input=False, **options)
        network.torchfb, network.instancenorm = nn.Identity(), nn.Identity()
        return network

    def bands_first(network: nn.Module, features: Tensor) -> Any:
        return network(features.mT)

    return {
        "resnet-se34l": Reference(partial(build, "ResNetSE34L", encoder_type="SAP"), bands_first),
        "resnet-se34v2": Reference(partial(build, "ResNetSE34V2", encoder_type="ASP", n_mels=64), bands_first),
    }


def multitask_asv(checkout: Path) -> dict[str, Reference]:
    """joaomonteirof/multitask_asv at fcd32da; later versions lack the batch norm after the first convolution."""
    sys.path.insert(0, str(checkout))
    networks = importlib.import_module("model")

    def as_image(channels: int, network: nn.Module, features: Tensor) -> Any:
        batch, frames, _ = features.shape
        return network(features.mT.reshape(batch, channels, 23, frames).contiguous())

    return {
        f"resnet-{kind}{'-deltas' if channels > 1 else ''}": Reference(
            partial(getattr(networks, f"ResNet_{kind}"), n_z=200, delta=channels > 1), partial(as_image, channels)
        )
        for kind in ("mfcc", "stats", "large", "small", "lstm")
        for channels in (1, 3)
    }


def redimnet(checkout: Path) -> dict[str, Reference]:
    """IDRnD/redimnet."""
    sys.path.insert(0, str(checkout))
    wrap = importlib.import_module("redimnet.model").ReDimNetWrap
    return _redimnets(wrap, "redimnet-", redimnet_names.redimnet())


def redimnet2(checkout: Path) -> dict[str, Reference]:
    """PalabraAI/redimnet2."""
    sys.path.insert(0, str(checkout))
    wrap = importlib.import_module("redimnet2.redimnet2").ReDimNet2Wrap
    return _redimnets(wrap, "redimnet2-", redimnet_names.redimnet2())


def redimnet_of(wrap: Callable[..., nn.Module], encoder: "partial[Any]", bands: int, dim: int) -> nn.Module:
    """The reference, whose class is `wrap`, with our encoder's options, over frames of `bands`."""
    options = encoder.keywords
    stages = [
        (stride, count, widening, [(3, 3)], reduction) for stride, count, widening, reduction in options["stages"]
    ]
    shared = {
        "F": bands, "C": options["channels"], "stages_setup": stages, "block_1d_type": "conv+att",
        "out_channels": options.get("last"), "global_context_att": True, "embed_dim": dim,
    }  # fmt: skip
    if encoder.func is ReDimNet2:
        return wrap(
            **shared,
            causal="none",
            feat_type="tf",
            spec_params={"norm_signal": True},
            return_2d_output=options.get("image", True),
            agg_gnorm=options.get("group_norm", False),
            dual_agg=options.get("dual", False),
        )
    return wrap(
        **shared, block_2d_type=options.get("block", "convnext_like"), group_divisor=options["group"], hop_length=240
    )


class Bands(nn.Module):
    """Frames as a ReDimNet's front end would give them: bands before frames."""

    def forward(self, frames: Tensor) -> Tensor:
        """Turn them."""
        return frames.transpose(1, 2)


def _redimnets(wrap: Callable[..., nn.Module], prefix: str, rules: Rules) -> dict[str, Reference]:
    def build(name: str) -> nn.Module:
        model = NETWORKS[name].model()
        assert isinstance(model.features.dim, int)
        network = redimnet_of(wrap, NETWORKS[name].model.keywords["encoder"], model.features.dim, model.dim)
        network.spec = Bands()
        return network

    return {name: Reference(partial(build, name), rules=rules) for name in NETWORKS if name.startswith(prefix)}


class _Absent(ModuleType):
    """A module of SpeakerVerifiaction-pytorch that does not run at this commit, and that its networks do without."""

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        if name == "get_activation":
            return lambda activation: {"relu": nn.ReLU, "leakyrelu": nn.LeakyReLU}[activation]
        if name in ("get_filter_layer", "get_mask_layer", "get_input_norm"):
            return lambda *_, **__: None
        return type(name, (nn.Module,), {})


def speaker_verification_tdnns(checkout: str | Path) -> dict[str, ModuleType]:
    """SpeakerVerifiaction-pytorch's TDNN files by name; a module TDNN.py beside the folder TDNN hides them."""
    for name in ("Define_Model", "Define_Model.TDNN"):
        sys.modules[name] = ModuleType(name)
        sys.modules[name].__path__ = []
    for name in ("FilterLayer", "ResNet", "CNN"):
        sys.modules[f"Define_Model.{name}"] = _Absent(name)
    loaded = {}
    for path in ("Pooling", "TDNN/TDNN", "TDNN/ETDNN", "TDNN/FTDNN", "TDNN/DTDNN", "TDNN/ARET", "TDNN/ECAPA_TDNN"):
        name = f"Define_Model.{path.replace('/', '.')}"
        spec = importlib.util.spec_from_file_location(name, f"{checkout}/Define_Model/{path}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
        loaded[path.rpartition("/")[2]] = module
    return loaded


class _Unused(MetaPathFinder, Loader):
    """Finds an empty stand-in for each package that SpeakerVerifiaction-pytorch's two-dimensional networks import in
    vain."""

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """A stand-in's."""
        unused = ("Process_Data", "python_speech_features", "torchaudio", "torchvision")
        return ModuleSpec(fullname, self) if fullname.partition(".")[0] in unused else None

    def create_module(self, spec: ModuleSpec) -> Any:
        """Anything under any name."""
        module = MagicMock(name=spec.name)
        module.__path__, module.__spec__, module.__name__ = [], spec, spec.name
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Nothing."""


def speaker_verification_images(checkout: str | Path) -> tuple[Any, Any]:
    """SpeakerVerifiaction-pytorch's modules CNN and ResNet, with the names that the first forgets to import."""
    sys.meta_path.append(_Unused())
    sys.modules["Define_Model"] = ModuleType("Define_Model")
    sys.modules["Define_Model"].__path__ = [f"{checkout}/Define_Model"]
    cnn, resnet = (importlib.import_module(f"Define_Model.{name}") for name in ("CNN", "ResNet"))
    cnn.math, cnn.torch = math, torch
    cnn.ReLU, cnn.ReLU20 = nn.ReLU, lambda inplace=False: nn.Hardtanh(0, 20, inplace)
    cnn.AngleLinear = lambda in_features, out_features, m: nn.Linear(in_features, out_features)  # its layer for classes
    return cnn, resnet


def speaker_verification_lstms(checkout: Path) -> Any:
    """SpeakerVerifiaction-pytorch's module LSTM; its packages import far more than its recurrent networks need."""
    sys.path.insert(0, str(checkout / "Define_Model"))
    return importlib.import_module("LSTM")


def without_a_gpu(network: nn.Module, features: Tensor) -> Any:
    """Run one of SpeakerVerifiaction-pytorch's LSTMs, which asks for a GPU by name in the midst of its forward pass.

    Its first states are parameters for one size of batch; here they are zeros for any.
    """
    network.h0 = network.c0 = nn.Parameter(torch.zeros(2, len(features), 128), requires_grad=False)
    with mock.patch("torch.Tensor.cuda", lambda tensor: tensor):
        return network(features)


def speaker_verification(checkout: Path) -> dict[str, Reference]:
    """Wenhao-Yang/SpeakerVerifiaction-pytorch, one-dimensional networks."""
    files = speaker_verification_tdnns(checkout)

    def xvector(bands: int, name: str = "TDNN_v5") -> Callable[[], nn.Module]:
        return partial(getattr(files["TDNN"], name), 2, 512, bands, channels=[512, 512, 512, 512, 1500])

    def aret(name: str, block: str, size: int) -> Callable[[], nn.Module]:
        return partial(getattr(files["ARET"], name), 2, 256, 80, block_type=block, resnet_size=size)

    built: dict[str, Callable[[], nn.Module]] = {
        "xvector": xvector(80),
        "xvector-24": xvector(24),
        "xvector-40": xvector(40),
        "xvector-161": xvector(161),
        "xvector-norm-relu": xvector(80, "TDNN_v6"),
        "etdnn": partial(files["ETDNN"].ETDNN, 2, 256, input_norm="", input_dim=80),
        "ftdnn": partial(files["FTDNN"].FTDNN, 2, 80, 512),
        "dtdnn": partial(files["DTDNN"].DTDNN, 80, 512, 2),
        "dtdnn-30": partial(files["DTDNN"].DTDNN, 30, 512, 2),
        "aret-basic": aret("RET", "basic", 17),
        "aret-agg": aret("RET", "agg", 17),
        "aret-cbam": aret("RET", "cbam", 17),
        "aret-se": aret("RET", "seblock_v2", 17),
        "aret-shuffle": aret("RET", "shublock", 17),
        "aret-agg-14": aret("RET", "agg", 14),
        "aret-agg-18": aret("RET_v2", "agg", 18),
        "aret-basic-one-layer": aret("RET_v3", "basic", 17),
        "aret-agg-one-layer": aret("RET_v3", "agg", 17),
        "ecapa-summed": partial(files["ECAPA_TDNN"].ECAPA_TDNN, 2, 192, 80),
        "ecapa-summed-40": partial(files["ECAPA_TDNN"].ECAPA_TDNN, 2, 192, 40),
    }
    lstms = speaker_verification_lstms(checkout)

    def recurrent(name: str) -> nn.Module:
        network: nn.Module = getattr(lstms, name)(40, 2, 1)
        # It forgets the batch's axis where that is one.
        network.fc1.register_forward_pre_hook(lambda _, given: (given[0].reshape(-1, 128),))  # type: ignore[union-attr]
        return network

    return {name: Reference(build) for name, build in built.items()} | {
        "lstm": Reference(partial(recurrent, "LSTM_End"), without_a_gpu),
        "attention-lstm": Reference(partial(recurrent, "AttentionLSTM"), without_a_gpu),
    }


def speaker_verification_2d(checkout: Path) -> dict[str, Reference]:
    """Wenhao-Yang/SpeakerVerifiaction-pytorch, two-dimensional networks."""
    cnn, resnet = speaker_verification_images(checkout)

    def upright(network: nn.Module, features: Tensor) -> Any:
        return network(features.mT[:, None])

    def turned(network: nn.Module, features: Tensor) -> Any:
        return network(features[:, None])

    def thin(size: int, block: str = "None") -> Callable[[], nn.Module]:
        return partial(resnet.ThinResNet, size, 1, input_dim=64, block_type=block)

    rescnn = partial(cnn.ResCNNSpeaker, embedding_size=512, num_classes=1)
    wide = [64, 128, 256, 512]
    built: dict[str, Callable[[], nn.Module]] = {
        "loresnet8": partial(resnet.LocalResNet, 128, 1, resnet_size=8),
        "loresnet10": partial(resnet.LocalResNet, 128, 1, resnet_size=10, channels=wide),
        "siresnet34": partial(resnet.SimpleResNet, num_classes=1),
        "resnet20-normed": partial(resnet.ResNet20, 1, 128),
        "thin-resnet10": thin(10),
        "thin-resnet18": thin(18),
        "thin-resnet34": thin(34),
        "thin-resnet34-se": thin(34, "seblock"),
        "thin-resnet34-se-res2": thin(34, "se2block"),
        "thin-resnet50-narrow": thin(50),
        "thin-resnet101-narrow": thin(101),
        **{
            f"image-resnet{depth}{'-basic' if depth == 101 else ''}": partial(resnet.ResNet, depth, num_classes=1)
            for depth in (10, 18, 34, 101)
        },
    }
    return (
        {name: Reference(build, turned) for name, build in built.items()}
        | {
            f"rescnn{depth}{'-basic' if depth == 101 else ''}": Reference(partial(rescnn, depth), upright)
            for depth in (10, 18, 34, 101)
        }
        | {"rescnn-superficial": Reference(partial(cnn.SuperficialResCNN, 512, n_classes=1), upright)}
    )


PROJECTS: Mapping[str, Callable[[Path], dict[str, Reference]]] = {
    "wespeaker": wespeaker,
    "3d-speaker": three_d_speaker,
    "speechbrain": speechbrain,
    "redimnet": redimnet,
    "redimnet2": redimnet2,
    "voxceleb-trainer": voxceleb_trainer,
    "multitask-asv": multitask_asv,
    "speaker-verification": speaker_verification,
    "speaker-verification-2d": speaker_verification_2d,
}
