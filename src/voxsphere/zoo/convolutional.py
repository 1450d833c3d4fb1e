"""The reference systems' two-dimensional networks."""

from collections.abc import Callable
from functools import partial

from voxsphere.audio.features import Fbank, Spectrogram
from voxsphere.audio.normalisation import FrameNorm, UtteranceNorm
from voxsphere.audio.torch_mel import TorchMel
from voxsphere.models.encoders.image_resnet import ImageResNet
from voxsphere.models.encoders.normed_resnet20 import NormedResNet20
from voxsphere.models.encoders.rescnn import ResCnn
from voxsphere.models.encoders.resnet20 import ResNet20
from voxsphere.models.encoders.se_resnet import SeResNet
from voxsphere.models.encoders.thin_resnet import ThinResNet
from voxsphere.models.poolings.attentive import AttentiveStatsPooling
from voxsphere.models.poolings.self_attention import SelfAttentionPooling
from voxsphere.models.poolings.statistics import MeanPooling, StatsPooling
from voxsphere.models.projection import Affine, AffineLength, AffineNorm, DoubleRateAffine
from voxsphere.models.speaker import Encoder, Features, Pooling, Projection, SpeakerModel
from voxsphere.zoo.network import Network

_SYSTEMS = "SpeakerVerifiaction-pytorch"
_COUNTED = f"{_SYSTEMS} at e30cf98e"
# With the head of 1,251 classes and these biases its files have 12,934,563 (128) and 16,757,667 (512) numbers.
_UNIFIED = "unified-embedding at f595e02e (Caffe), without the head and the 3,712 biases that are held at 0"
_TRAINER = "voxceleb_trainer at f51bab8"
_VISION = "torchvision (25,557,032 and 44,549,160), but for the first convolution and the last layer"

_DEEP_SPEAKER = "Li et al. 2017, Deep Speaker: an End-to-End Neural Speaker Embedding System, arXiv:1705.02304"
_RESNET = "He et al. 2016, Deep Residual Learning for Image Recognition, arXiv:1512.03385"
_LENGTH = "Cai et al. 2018, Analysis of length normalization in end-to-end speaker verification, arXiv:1806.03209"
_THIN = "Xie et al. 2019, Utterance-level aggregation for speaker recognition in the wild, arXiv:1902.10107"
_HYPERSPHERE = "Hajibabaei & Dai 2018, Unified hypersphere embedding for speaker recognition, arXiv:1807.08312"

_FBANK = partial(Fbank, num_mels=64, cmn=True)
_FRAME_NORMED = partial(FrameNorm, of=partial(Fbank, num_mels=64))
_LOG_SPECTROGRAM = partial(UtteranceNorm, of=partial(Spectrogram, n_fft=320, frame_length=0.02, form="log"))
# The deviations of magnitudes of waves between -1 and 1 are small; of 16-bit integers this would be 0.001.
_MAGNITUDES = partial(UtteranceNorm, of=partial(Spectrogram), variance=True, eps=1e-12)


def _torch_mel(num_mels: int, *, preemphasis: float) -> Callable[..., Features]:
    mel = partial(
        TorchMel, num_mels=num_mels, frame_shift=0.01, low_freq=0.0, high_freq=8000.0, preemphasis=preemphasis
    )
    return partial(UtteranceNorm, of=mel, variance=True)


def _network(
    name: str,
    parameters: int,
    encoder: Callable[..., Encoder],
    projection: Callable[..., Projection],
    *,
    paper: str,
    features: Callable[..., Features] = _FBANK,
    pooling: Callable[..., Pooling] = MeanPooling,
    source: str = _COUNTED,
    systems: tuple[str, ...] = (_SYSTEMS,),
    peer: str = _COUNTED,
) -> Network:
    model = partial(SpeakerModel, features=features, encoder=encoder, pooling=pooling, projection=projection)
    return Network(name, model, paper, parameters, source, systems, peer)


_rescnn = partial(_network, projection=partial(AffineLength, norm=True), paper=_DEEP_SPEAKER)
_loresnet = partial(
    _network,
    projection=partial(AffineLength, dim=128, norm=True, alpha=12.0),
    paper=_DEEP_SPEAKER,
    features=_LOG_SPECTROGRAM,
)
_image = partial(_network, projection=partial(AffineNorm), paper=_RESNET)
# There statistics are taken over stretches in which channels and frames are mixed (a reshape stands for a transpose).
# So its pooling was left out of the comparison, and the frames averaged.
_thin = partial(
    _network,
    projection=partial(AffineNorm, dim=128),
    paper=_THIN,
    pooling=partial(StatsPooling),
    peer=f"{_COUNTED}, without its pooling",
)
_resnet20 = partial(_network, paper=_HYPERSPHERE, features=_MAGNITUDES)
_unified = partial(_resnet20, encoder=partial(ResNet20), source=_UNIFIED, systems=("unified-embedding",), peer="")
_se34 = partial(_network, projection=partial(Affine, dim=512), source=_TRAINER, systems=(), peer=_TRAINER)

NETWORKS: tuple[Network, ...] = (
    _rescnn("rescnn10", 11_625_152, partial(ResCnn, blocks=(1, 1, 1, 1))),
    _rescnn("rescnn18", 17_895_872, partial(ResCnn, blocks=(2, 2, 2, 2))),
    _rescnn("rescnn34", 28_004_032, partial(ResCnn, blocks=(3, 4, 6, 3))),
    # Called ResCNN-101 there; with blocks of two convolutions it is not a ResNet-101.
    _rescnn("rescnn101-basic", 48_075_456, partial(ResCnn, blocks=(3, 4, 23, 3))),
    _rescnn(
        "rescnn-superficial",
        3_102_400,
        partial(ResCnn, blocks=(1, 1, 1), clip=None),
        projection=partial(AffineNorm),
    ),
    _rescnn(
        "rescnn-deep-speaker",
        24_172_288,
        partial(ResCnn, bias="all", rectify=True),
        projection=partial(AffineLength, alpha=1.0),
        features=_FRAME_NORMED,
        source="philipperemy/deep-speaker at 7b30bbc1 (Keras)",
        systems=("deep-speaker",),
        peer="",
    ),
    _loresnet("loresnet8", 2_708_096, partial(ResCnn, blocks=(1, 1, 1), clip=None, bias="first")),
    _loresnet("loresnet10", 10_837_632, partial(ResCnn, blocks=(1, 1, 1, 1), clip=None, bias="first")),
    _image("image-resnet10", 5_948_096, partial(ImageResNet, blocks=(1, 1, 1, 1))),
    _image("image-resnet18", 12_218_816, partial(ImageResNet, blocks=(2, 2, 2, 2))),
    _image("image-resnet34", 22_326_976, partial(ImageResNet)),
    _image("image-resnet101-basic", 42_398_400, partial(ImageResNet, blocks=(3, 4, 23, 3))),
    # The paper's, of bottlenecks strided as in torchvision, which that project means to have.
    _image("image-resnet50", 27_696_064, partial(ImageResNet, bottleneck=True), source=_VISION, systems=(), peer=""),
    _image(
        "image-resnet101",
        46_688_192,
        partial(ImageResNet, blocks=(3, 4, 23, 3), bottleneck=True),
        source=_VISION,
        systems=(),
        peer="",
    ),
    _image(
        "siresnet34",
        1_349_552,
        partial(ImageResNet, width=16, kernel=3, stride=1, pool_stride=1, bins=1),
        projection=partial(AffineLength, dim=128, alpha=12.0),
        paper=_LENGTH,
    ),
    _thin("thin-resnet10", 438_976, partial(ThinResNet, blocks=(1, 1, 1, 1))),
    _thin("thin-resnet18", 831_616, partial(ThinResNet, blocks=(2, 2, 2, 2))),
    _thin("thin-resnet34", 1_464_768, partial(ThinResNet)),
    _thin("thin-resnet34-se", 1_485_478, partial(ThinResNet, block="se")),
    # Its kernels lie across the axis that is left, and not, as there, across the one that is gone.
    _thin("thin-resnet34-cbam", 2_566_944, partial(ThinResNet, block="cbam"), peer=""),
    # There it cannot be built (a TypeError). Here it is the next one without its attention to channels.
    _thin(
        "thin-resnet34-res2",
        834_568,
        partial(ThinResNet, block="res2"),
        source="counted layer by layer: those of thin-resnet34, a block's second in eight groups, one of them idle",
        peer="",
    ),
    _thin("thin-resnet34-se-res2", 855_278, partial(ThinResNet, block="se-res2")),
    # Bottlenecks that end as narrow as they began.
    _thin("thin-resnet50-narrow", 1_002_528, partial(ThinResNet, bottleneck=True, expansion=1)),
    _thin(
        "thin-resnet101-narrow",
        1_775_008,
        partial(ThinResNet, blocks=(3, 4, 23, 3), bottleneck=True, expansion=1),
    ),
    _resnet20("resnet20-normed", 12_947_456, partial(NormedResNet20), projection=partial(AffineNorm, dim=128)),
    _unified("resnet20", 16_112_192, projection=partial(DoubleRateAffine)),
    _unified("resnet20-verification", 12_769_472, projection=partial(DoubleRateAffine, dim=128, dropout=0.5)),
    _se34(
        "resnet-se34l",
        1_437_078,
        partial(SeResNet),
        features=_torch_mel(40, preemphasis=0.0),
        pooling=partial(SelfAttentionPooling),
        paper="Chung et al. 2020, In defence of metric learning for speaker recognition, arXiv:2003.11982",
    ),
    _se34(
        "resnet-se34v2",
        8_028_492,
        partial(SeResNet, width=32, kernel=3, stride=1, last_stride=2, late_norm=True, bins=None),
        features=_torch_mel(64, preemphasis=0.97),
        pooling=partial(AttentiveStatsPooling, activation="relu-norm", floor=1e-5),
        paper="Heo et al. 2020, Clova baseline system for the VoxCeleb Speaker Recognition Challenge 2020, "
        "arXiv:2009.14153",
    ),
)
