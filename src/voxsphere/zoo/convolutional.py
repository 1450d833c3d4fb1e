"""The reference systems' two-dimensional networks."""

from functools import partial

from torch import nn

from voxsphere.audio.features import Fbank, Spectrogram
from voxsphere.models.encoders.image_resnet import ImageResNet
from voxsphere.models.encoders.normed_resnet20 import NormedResNet20
from voxsphere.models.encoders.rescnn import ResCnn
from voxsphere.models.encoders.resnet20 import ResNet20
from voxsphere.models.encoders.thin_resnet import ThinResNet
from voxsphere.models.poolings.statistics import MeanPooling, StatsPooling
from voxsphere.models.projection import AffineLength, AffineNorm, DoubleRateAffine
from voxsphere.models.speaker import SpeakerModel
from voxsphere.zoo.network import Network

_SYSTEMS = "SpeakerVerifiaction-pytorch"
_COUNTED = f"{_SYSTEMS} at e30cf98e"
_DEEP_SPEAKER = "Li et al. 2017, Deep Speaker: an End-to-End Neural Speaker Embedding System, arXiv:1705.02304"
_RESNET = "He et al. 2016, Deep Residual Learning for Image Recognition, arXiv:1512.03385"
# With the head of 1,251 classes and biases held at 0 its files have 12,934,563 (128) and 16,757,667 (512) numbers.
_UNIFIED = "unified-embedding at f595e02e (Caffe), without the head and the 3,712 biases that are held at 0"

# Deep Speaker's bands are normalised within each frame, SpeakerVerifiaction-pytorch's over the utterance.
_FBANK = partial(Fbank, num_mels=64, cmn=True)

_SPECTROGRAM = partial(Spectrogram, n_fft=320, frame_length=0.02, form="log")


def _rescnn(name: str, parameters: int, *blocks: int) -> Network:
    return Network(
        name=name,
        model=partial(
            SpeakerModel,
            features=_FBANK,
            encoder=partial(ResCnn, blocks=blocks),
            pooling=partial(MeanPooling),
            projection=partial(AffineLength, norm=True),
        ),
        paper=_DEEP_SPEAKER,
        parameters=parameters,
        source=_COUNTED,
        systems=(_SYSTEMS,),
        peer=_COUNTED,
    )


_RESCNN = (
    _rescnn("rescnn10", 11_625_152, 1, 1, 1, 1),
    _rescnn("rescnn18", 17_895_872, 2, 2, 2, 2),
    _rescnn("rescnn34", 28_004_032, 3, 4, 6, 3),
    # Called ResCNN-101 there; with blocks of two convolutions it is not a ResNet-101.
    _rescnn("rescnn101-basic", 48_075_456, 3, 4, 23, 3),
    Network(
        name="rescnn-deep-speaker",
        model=partial(
            SpeakerModel,
            features=_FBANK,
            encoder=partial(ResCnn, bias="all", rectify=True),
            pooling=partial(MeanPooling),
            projection=partial(AffineLength, alpha=1.0),
        ),
        paper=_DEEP_SPEAKER,
        parameters=24_172_288,
        source="philipperemy/deep-speaker at 7b30bbc1 (Keras)",
        systems=("deep-speaker v2",),
    ),
    Network(
        name="rescnn-superficial",
        model=partial(
            SpeakerModel,
            features=_FBANK,
            encoder=partial(ResCnn, blocks=(1, 1, 1), clip=None),
            pooling=partial(MeanPooling),
            projection=partial(AffineNorm),
        ),
        paper=_DEEP_SPEAKER,
        parameters=3_102_400,
        source=_COUNTED,
        systems=(_SYSTEMS,),
        peer=_COUNTED,
    ),
)


def _loresnet(depth: int, parameters: int, *blocks: int) -> Network:
    return Network(
        name=f"loresnet{depth}",
        model=partial(
            SpeakerModel,
            features=_SPECTROGRAM,
            encoder=partial(ResCnn, blocks=blocks, clip=None, bias="first"),
            pooling=partial(MeanPooling),
            projection=partial(AffineLength, dim=128, norm=True, alpha=12.0),
        ),
        paper=_DEEP_SPEAKER,
        parameters=parameters,
        source=_COUNTED,
        systems=(_SYSTEMS,),
        peer=_COUNTED,
    )


def _image_resnet(name: str, parameters: int, *blocks: int) -> Network:
    return Network(
        name=name,
        model=partial(
            SpeakerModel,
            features=_FBANK,
            encoder=partial(ImageResNet, blocks=blocks),
            pooling=partial(MeanPooling),
            projection=partial(AffineNorm),
        ),
        paper=_RESNET,
        parameters=parameters,
        source=_COUNTED,
        systems=(_SYSTEMS,),
        peer=_COUNTED,
    )


_SIRESNET = Network(
    name="siresnet34",
    model=partial(
        SpeakerModel,
        features=_FBANK,
        encoder=partial(ImageResNet, width=16, kernel=3, stride=1, pool_stride=1, bins=1),
        pooling=partial(MeanPooling),
        projection=partial(AffineLength, dim=128, alpha=12.0),
    ),
    paper="Cai et al. 2018, Analysis of length normalization in end-to-end speaker verification, arXiv:1806.03209",
    parameters=1_349_552,
    source=_COUNTED,
    systems=(_SYSTEMS,),
    peer=_COUNTED,
)


def _thin_resnet(name: str, parameters: int, encoder: "partial[ThinResNet]") -> Network:
    return Network(
        name=f"thin-resnet{name}",
        model=partial(
            SpeakerModel,
            features=_FBANK,
            encoder=encoder,
            pooling=partial(StatsPooling),
            projection=partial(AffineNorm, dim=128),
        ),
        paper="Xie et al. 2019, Utterance-level aggregation for speaker recognition in the wild, arXiv:1902.10107",
        parameters=parameters,
        source=_COUNTED,
        systems=(_SYSTEMS,),
        peer=_COUNTED,
    )


def _resnet20(name: str, parameters: int, encoder: "partial[nn.Module]", projection: "partial[nn.Module]") -> Network:
    normed = encoder.func is NormedResNet20
    return Network(
        name=name,
        model=partial(
            SpeakerModel,
            features=partial(Spectrogram),
            encoder=encoder,
            pooling=partial(MeanPooling),
            projection=projection,
        ),
        paper="Hajibabaei & Dai 2018, Unified hypersphere embedding for speaker recognition, arXiv:1807.08312",
        parameters=parameters,
        source=_COUNTED if normed else _UNIFIED,
        systems=(_SYSTEMS,) if normed else ("unified-embedding",),
        peer=_COUNTED if normed else "",
    )


NETWORKS: tuple[Network, ...] = (
    *_RESCNN,
    _loresnet(8, 2_708_096, 1, 1, 1),
    _loresnet(10, 10_837_632, 1, 1, 1, 1),
    _image_resnet("image-resnet10", 5_948_096, 1, 1, 1, 1),
    _image_resnet("image-resnet18", 12_218_816, 2, 2, 2, 2),
    _image_resnet("image-resnet34", 22_326_976, 3, 4, 6, 3),
    _image_resnet("image-resnet101-basic", 42_398_400, 3, 4, 23, 3),
    _SIRESNET,
    _thin_resnet("10", 438_976, partial(ThinResNet, blocks=(1, 1, 1, 1))),
    _thin_resnet("18", 831_616, partial(ThinResNet, blocks=(2, 2, 2, 2))),
    _thin_resnet("34", 1_464_768, partial(ThinResNet)),
    _thin_resnet("34-se", 1_485_478, partial(ThinResNet, block="se")),
    _thin_resnet("34-cbam", 2_566_944, partial(ThinResNet, block="cbam")),
    _thin_resnet("34-se-res2", 855_278, partial(ThinResNet, block="se-res2")),
    # Bottlenecks that end as narrow as they began.
    _thin_resnet("50-narrow", 1_002_528, partial(ThinResNet, bottleneck=True, expansion=1)),
    _thin_resnet("101-narrow", 1_775_008, partial(ThinResNet, blocks=(3, 4, 23, 3), bottleneck=True, expansion=1)),
    _resnet20("resnet20", 16_112_192, partial(ResNet20), partial(DoubleRateAffine)),
    _resnet20("resnet20-verification", 12_769_472, partial(ResNet20), partial(DoubleRateAffine, dim=128, dropout=0.5)),
    _resnet20("resnet20-normed", 12_947_456, partial(NormedResNet20), partial(AffineNorm, dim=128)),
)
