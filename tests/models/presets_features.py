"""Small models and references of front ends."""

from functools import partial

from small import Frames, small

from voxsphere.audio.band_passed import BandPassed
from voxsphere.audio.deltas import Deltas
from voxsphere.audio.features import Fbank, Mfcc, Spectrogram
from voxsphere.audio.ge2e_mel import GE2EMel
from voxsphere.audio.learnt_filters import LinearFilters, TriangularFilters
from voxsphere.audio.lpc import Lpc
from voxsphere.audio.lpcc import Lpcc
from voxsphere.audio.mel_cepstrum import MelCepstrum
from voxsphere.audio.normalisation import FrameNorm, GlobalNorm, SlidingNorm, UtteranceNorm
from voxsphere.audio.self_supervised import SelfSupervised
from voxsphere.audio.sinc import SincFilters
from voxsphere.audio.speechbrain_fbank import SpeechBrainFbank
from voxsphere.audio.stacking import Stacked
from voxsphere.audio.stored import Stored
from voxsphere.models.encoders.layer_adapters import LayerAdapters
from voxsphere.models.poolings.attentive import AttentiveStatsPooling
from voxsphere.models.projection import Affine
from voxsphere.models.speaker import SpeakerModel

_LAYERS = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    **{f"{place}_dropout": 0.0 for place in ("hidden", "activation", "attention", "feat_proj")},
}
_CONVOLUTIONS = {"conv_dim": (8,) * 7, "num_conv_pos_embeddings": 8, "num_conv_pos_embedding_groups": 2}

_WAVLM = {"model_type": "wavlm", "num_buckets": 8, "max_bucket_distance": 20, **_LAYERS, **_CONVOLUTIONS}
_W2V_BERT = {"model_type": "wav2vec2-bert", "conv_depthwise_kernel_size": 5, "conformer_conv_dropout": 0.0, **_LAYERS}

_FBANK = partial(Fbank, num_mels=12)
_POWER = partial(Spectrogram, form="power")

SMALL: dict[str, partial[SpeakerModel]] = {
    "BandPassed": small(partial(BandPassed, of=partial(Fbank, num_mels=12, cmn=True))),
    "Deltas": small(partial(Deltas, of=partial(Mfcc, num_ceps=6))),
    "Deltas, librosa": small(partial(Deltas, of=partial(Mfcc, num_ceps=6), window=1, form="librosa")),
    "Fbank": small(partial(Fbank, num_mels=20, cmn=True)),
    "FrameNorm": small(partial(FrameNorm, of=_FBANK)),
    "GE2EMel": small(partial(GE2EMel, num_mels=12)),
    "GlobalNorm": small(partial(GlobalNorm, of=_FBANK, mean=10.0, deviation=tuple(1.0 + i for i in range(12)))),
    "LayerAdapters": small(encoder=partial(LayerAdapters, layers=4, width=6)),
    "LinearFilters": small(partial(LinearFilters, of=_POWER, num_filters=12)),
    "Lpc": small(partial(Lpc, order=8)),
    "Lpcc": small(partial(Lpcc, order=8, num_ceps=10, energy=False)),
    "MelCepstrum": small(partial(MelCepstrum, order=10, energy=False)),
    "Mfcc": small(Mfcc),
    "SpeechBrainFbank": small(partial(SpeechBrainFbank, num_mels=20)),
    "SelfSupervised": small(partial(SelfSupervised, config=_WAVLM, tune="all")),
    "SelfSupervised, w2v-BERT": small(partial(SelfSupervised, config=_W2V_BERT, tune="all", layers=2)),
    "SincFilters": small(partial(SincFilters, num_filters=12, length=51, stride=5)),
    "SlidingNorm": small(partial(SlidingNorm, of=_FBANK, window=30, min_window=10)),
    "SlidingNorm, variance": small(
        partial(SlidingNorm, of=_FBANK, window=30, min_window=10, centred=False, variance=True)
    ),
    "Spectrogram": small(Spectrogram),
    "Stacked": small(partial(Stacked, of=partial(Fbank, num_mels=12, cmn=True), count=3, every=2)),
    "Stored": small(partial(Stored, dim=12)),
    "TriangularFilters": small(partial(TriangularFilters, of=_POWER, num_filters=12)),
    "TriangularFilters, sided": small(partial(TriangularFilters, of=_POWER, num_filters=12, sided=True)),
    "UtteranceNorm": small(partial(UtteranceNorm, of=_FBANK)),
    "UtteranceNorm, affine": small(partial(UtteranceNorm, of=_FBANK, variance=True, affine=True)),
}

# What a golden of the same name was asked of a reference implementation, without a front end.
REFERENCES: dict[str, partial[SpeakerModel]] = {
    "layer_adapters": small(
        partial(Frames, dim=4 * 16),
        partial(LayerAdapters, layers=4, width=12),
        partial(AttentiveStatsPooling, bottleneck=12, activation="relu-norm"),
        partial(Affine, dim=8),
    )
}

# Parameters that shift what a normalisation receives by a constant, which it subtracts again.
# Log energies that nothing centres lie all on one side of the first ReLU.
SHIFTS: dict[str, set[str]] = {
    **{name: {"encoder.layers.0.conv.bias"} for name in ("LinearFilters", "SincFilters")},
    # The bias of the keys adds the same to all scores of a query.
    "SelfSupervised": {f"features.network.encoder.layers.{i}.attention.k_proj.bias" for i in range(2)},
    "SelfSupervised, w2v-BERT": {f"features.network.encoder.layers.{i}.self_attn.linear_k.bias" for i in range(2)},
}
