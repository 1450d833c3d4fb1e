"""Networks over self-supervised front ends."""

from functools import partial
from typing import Any

from voxsphere.audio.normalisation import UtteranceNorm
from voxsphere.audio.self_supervised import SelfSupervised
from voxsphere.models.encoders.ecapa_tdnn import EcapaTdnn
from voxsphere.models.encoders.layer_adapters import LayerAdapters
from voxsphere.models.poolings.attentive import AttentiveStatsPooling
from voxsphere.models.projection import Affine, NormLinear
from voxsphere.models.speaker import SpeakerModel
from voxsphere.zoo.network import Network

WAVLM_LARGE: dict[str, Any] = {
    "model_type": "wavlm",
    "hidden_size": 1024,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
    "intermediate_size": 4096,
    "feat_extract_norm": "layer",
    "do_stable_layer_norm": True,
}
"""microsoft/wavlm-large: Chen et al. 2021, WavLM, arXiv:2110.13900, section 4."""

W2V_BERT_2: dict[str, Any] = {
    "model_type": "wav2vec2-bert",
    "hidden_size": 1024,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
    "intermediate_size": 4096,
}
"""facebook/w2v-bert-2.0: Barrault et al. 2023, Seamless, arXiv:2312.05187, section 3; transformers' defaults."""

HUBERT_LARGE: dict[str, Any] = {
    "model_type": "hubert",
    "hidden_size": 1024,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
    "intermediate_size": 4096,
    "feat_extract_norm": "layer",
    "do_stable_layer_norm": True,
    "conv_bias": True,
}
"""facebook/hubert-large-ll60k: Hsu et al. 2021, HuBERT, arXiv:2106.07447, table 1."""

_UNISPEECH = "UniSpeech at 40d3227"


def _ecapa(name: str, config: dict[str, Any], parameters: int, *, paper: str) -> Network:
    """UniSpeech's ECAPA_TDNN_SMALL over a network that is trained with it."""
    return Network(
        name=name,
        model=partial(
            SpeakerModel,
            features=partial(UtteranceNorm, of=partial(SelfSupervised, config=config, tune="all"), variance=True),
            encoder=partial(EcapaTdnn, width=512, squeeze=128, summed=False),
            pooling=partial(AttentiveStatsPooling, floor=1e-9),
            projection=partial(NormLinear, dim=256),
        ),
        paper=paper,
        parameters=parameters,
        source=f"transformers 5.23.0 and {_UNISPEECH} (ECAPA_TDNN_SMALL)",
        peer=_UNISPEECH,
    )


NETWORKS = (
    _ecapa("wavlm-large-ecapa-512", WAVLM_LARGE, 323_862_937, paper="Chen et al. 2021, WavLM, arXiv:2110.13900"),
    _ecapa("hubert-large-ecapa-512", HUBERT_LARGE, 323_848_537, paper="Hsu et al. 2021, HuBERT, arXiv:2106.07447"),
    Network(
        name="w2v-bert-2-mfa",
        model=partial(
            SpeakerModel,
            features=partial(SelfSupervised, config=W2V_BERT_2, layers="all", tune="lora", rank=64, alpha=128.0),
            encoder=partial(LayerAdapters),
            pooling=partial(AttentiveStatsPooling, activation="relu-norm"),
            projection=partial(Affine, dim=256),
        ),
        paper="Li et al. 2025, Enhancing Speaker Verification with w2v-BERT 2.0, arXiv:2510.04213",
        parameters=12_452_096,
        source="transformers 5.23.0 and WeSpeaker at dfa7419",
        peer="WeSpeaker at dfa7419",
    ),
)
