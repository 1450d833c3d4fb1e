"""Hidden states of a self-supervised network as features: WavLM, HuBERT, wav2vec 2.0, w2v-BERT 2.0."""

import math
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from voxsphere.audio import frames
from voxsphere.audio.features import Fbank
from voxsphere.audio.normalisation import UtteranceNorm
from voxsphere.audio.stacking import Stacked
from voxsphere.core.errors import BadInput, flattened
from voxsphere.core.parts import nearest

# What LoRA adapts where nothing is asked: the queries and values of attention (Hu et al. 2021, LoRA, section 4.2).
# WavLM's attention reads the weights of its projections and never calls them, so that an adapter there stays idle.
_TARGETS = {
    "hubert": ("q_proj", "v_proj"),
    "wav2vec2": ("q_proj", "v_proj"),
    "wav2vec2-bert": ("linear_q", "linear_v"),
    "wavlm": ("intermediate_dense", "output_dense"),
}
_IDLE_IN_WAVLM = {"q_proj", "k_proj", "v_proj", "out_proj"}


class SelfSupervised(nn.Module):
    """The hidden states of a network that learnt from speech without labels, 50 frames a second, by `transformers`.

    `name` is a model on the Hugging Face hub, such as "microsoft/wavlm-large", or a folder with one; its weights are
    fetched when the model is first built (HF_HUB_OFFLINE=1 allows only what is there already). `config` describes the
    network by value instead, as its config.json does ("model_type" and what differs from the type's defaults), with
    random weights; given both, the name is only where the weights come from. A saved model keeps the configuration
    by value and all weights, frozen ones too, and asks for no network.

    `layers`: "weighted" sums the input of the first layer and the outputs of all, under learnt weights that a softmax
    makes add up to 1 (Yang et al. 2021, SUPERB, arXiv:2105.01051, section 3); a number takes one of them, 0 being the
    input of the first layer, and drops the layers above; "all" lays them side by side, the lowest first. Where layers
    are normalised before use ("do_stable_layer_norm"), the last is the normalised one.

    `tune`: "frozen" keeps the network as it is, always in evaluation mode; "lora" trains low-rank additions of `rank`
    to the linear layers `targets`, scaled by `alpha` / `rank`, with dropout `lora_dropout` before them, and leaves the
    rest as "frozen" does (Hu et al. 2021, arXiv:2106.09685, by `peft`); "all" trains everything. `rate` is the factor
    to the learning rate of what is trained inside the network. The networks' own masking and layer dropping are off:
    the one draws outside torch's generator, the other leaves weights without gradients.

    `normalise` brings each wave to zero mean and unit variance; by default where the network was trained so, which is
    where its first convolutions are layer-normalised (fairseq's rule for large models). w2v-BERT 2.0 takes no wave but
    pairs of 80 log mel energies, each band normalised over the utterance; here an odd last frame is dropped, which
    transformers' extractor pads and masks.
    """

    input = "wave"
    sample_rate = 16000

    def __init__(
        self,
        *,
        name: str | None = None,
        config: Mapping[str, Any] | None = None,
        layers: Literal["weighted", "all"] | int = "weighted",
        tune: Literal["frozen", "lora", "all"] = "frozen",
        normalise: bool | None = None,
        rank: int = 16,
        alpha: float = 32.0,
        lora_dropout: float = 0.0,
        targets: tuple[str, ...] | None = None,
        rate: float = 1.0,
    ) -> None:
        super().__init__()
        if tune not in ("frozen", "lora", "all"):
            raise BadInput(f"a self-supervised network cannot be tuned by {tune!r}; there are: frozen, lora, all")
        described = _configuration(name, config)
        self.tune, self.layers, self.rate = tune, layers, rate
        depth = described.num_hidden_layers
        numbered = type(layers) is int and 0 <= layers <= depth
        if not numbered and layers not in ("weighted", "all"):
            raise BadInput(f"layers is 'weighted', 'all' or 0 to {depth}, not {layers!r}")
        self.front = None if hasattr(described, "conv_kernel") else _stacked_bands(described)
        self.convolutions = [] if self.front else list(zip(described.conv_kernel, described.conv_stride, strict=True))
        self.hop = self.front.hop if self.front else math.prod(described.conv_stride)
        self.normalise = getattr(described, "feat_extract_norm", "") == "layer" if normalise is None else normalise
        self.dim = described.hidden_size * (depth + 1 if layers == "all" else 1)
        self.network = _network(described, name)
        if not isinstance(layers, str):
            _cut_above(self.network, layers)
        self.weights = nn.Parameter(torch.zeros(depth + 1)) if layers == "weighted" else None
        self.network.requires_grad_(tune == "all")
        if tune == "lora":
            _adapt(self.network, rank=rank, alpha=alpha, dropout=lora_dropout, targets=targets)
        self.train()

    def forward(self, wave: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch frames dim"]:
        """The states of each frame; the wave is ±1 at 16 kHz, of at least one frame (25 ms; `BadInput`).

        The network computes in its own precision, what stands before and behind it in the wave's. fp16 on a CPU is
        refused (`BadInput`).
        """
        precision: torch.dtype = self.network.dtype  # type: ignore[assignment]
        if wave.device.type == "cpu" and torch.float16 in (wave.dtype, precision):
            raise BadInput("fp16 needs a GPU; on a CPU take a self-supervised network and a wave of bf16 or fp32")
        out = self.network(
            self._network_input(wave).to(precision), output_hidden_states=self.layers in ("weighted", "all")
        )
        if self.weights is None and self.layers != "all":
            one: Tensor = out.last_hidden_state.to(wave.dtype)
            return one
        # Versions of transformers differ in whether the last of these is normalised; the last hidden state always is.
        states = [state.to(wave.dtype) for state in (*out.hidden_states[:-1], out.last_hidden_state)]
        if self.weights is None:
            return torch.cat(states, dim=-1)
        shares = self.weights.softmax(0)
        weighted: Tensor = sum((share * state for share, state in zip(shares, states, strict=True)), torch.zeros(()))
        return weighted

    def frames_of(self, samples: int) -> int:
        """How many frames `forward` makes of so many samples."""
        if self.front is not None:
            return self.front.frames_of(samples)
        for kernel, stride in self.convolutions:
            samples = frames.count(samples, length=kernel, shift=stride)
        return samples

    def train(self, mode: bool = True) -> "SelfSupervised":
        """Training mode or evaluation mode; what is frozen stays in evaluation mode."""
        super().train(mode)
        if self.tune != "all":
            self.network.eval()
            for name, module in self.network.named_modules():
                if "lora_dropout" in name:
                    module.train(mode)
        return self

    def parameter_groups(self) -> Iterable[dict[str, Any]]:
        """What is trained inside the network, at its own rate."""
        inside = [parameter for parameter in self.network.parameters() if parameter.requires_grad]
        return [{"params": inside, "rate": self.rate}] if inside else []

    @staticmethod
    def settled(options: dict[str, Any]) -> dict[str, Any]:
        """The options that rebuild the network without its source: the configuration by value, and no name."""
        if options.get("name") is None:
            return options
        described = _configuration(options["name"], options.get("config"))
        # Published configurations hold options of other versions, which do nothing.
        known = _options(described)
        by_value = {key: value for key, value in described.to_diff_dict().items() if key in known}
        return {**options, "name": None, "config": by_value}

    def _network_input(self, wave: Float[Tensor, "batch samples"]) -> Tensor:
        if self.front is not None:
            bands: Tensor = self.front(wave)
            return bands
        least = 1
        for kernel, stride in reversed(self.convolutions):
            least = (least - 1) * stride + kernel
        frames.long_enough(wave, least)
        if self.normalise:
            wave = wave - wave.mean(1, keepdim=True)
            wave = wave / (wave.square().mean(1, keepdim=True) + 1e-7).sqrt()
        return wave


def _configuration(name: str | None, config: Mapping[str, Any] | None) -> Any:
    """The configuration in transformers' form, with its own masking and layer dropping off."""
    transformers = _extra("transformers")
    if config is not None:
        if not isinstance(config, Mapping):
            raise BadInput(f"config is a mapping as in config.json, with a model_type, not {config!r}")
        given = dict(config)
        kind = given.pop("model_type", None)
        if not isinstance(kind, str) or kind not in _TARGETS:
            raise BadInput(f"config.model_type is {kind!r}; there are: {', '.join(_TARGETS)}")
        lists = {key: list(value) if isinstance(value, tuple) else value for key, value in given.items()}
        known = _options(transformers.AutoConfig.for_model(kind))
        for key in lists:
            if key not in known:
                raise BadInput(f"config has no option {key!r} for {kind}{nearest(key, known)}")
        try:
            described = transformers.AutoConfig.for_model(kind, **lists)
        except Exception as error:  # transformers checks by classes of its own
            raise _unbuildable(kind, error) from error
    elif name is not None:
        try:
            described = transformers.AutoConfig.from_pretrained(name)
        except Exception as error:  # transformers checks by classes of its own
            raise BadInput(f"{name}: cannot be had ({flattened(error)}); give a folder, or go online") from error
        if described.model_type not in _TARGETS:
            raise BadInput(f"{name}: is a {described.model_type!r}; networks of these kinds: {', '.join(_TARGETS)}")
    else:
        raise BadInput("a self-supervised network needs a name (on the hub, or a folder) or a config")
    if getattr(described, "add_adapter", False) or getattr(described, "use_intermediate_ffn_before_adapter", False):
        raise BadInput("config.add_adapter changes the frame rate above the layers; take the network without it")
    described.update({"apply_spec_augment": False, "mask_time_prob": 0.0, "mask_feature_prob": 0.0, "layerdrop": 0.0})
    return described


def _options(described: Any) -> set[str]:
    """The options that a configuration's class knows, under the names of its config.json."""
    return {*type(described)().to_dict(), "torch_dtype"}


def _unbuildable(kind: str, error: Exception) -> BadInput:
    return BadInput(f"config describes no {kind} that can be built ({type(error).__name__}: {flattened(error)})")


def _network(described: Any, name: str | None) -> nn.Module:
    transformers = _extra("transformers")
    # On the meta device only shapes are wanted.
    if name is None or torch.get_default_device().type == "meta":
        try:
            made: nn.Module = transformers.AutoModel.from_config(described)
        except Exception as error:  # whatever its parts make of the numbers
            raise _unbuildable(described.model_type, error) from error
        return made
    try:
        made, told = transformers.AutoModel.from_pretrained(
            name, config=described, dtype=torch.get_default_dtype(), output_loading_info=True
        )
    except (OSError, ValueError) as error:
        raise BadInput(
            f"{name}: its weights cannot be had ({flattened(error)}); give a folder, or go online"
        ) from error
    except RuntimeError as error:
        raise BadInput(f"{name}: its weights do not fit the configuration ({flattened(error)})") from error
    if told["missing_keys"]:
        raise BadInput(f"{name}: its weights lack {min(told['missing_keys'])}; is it another network's checkpoint?")
    return made


def _stacked_bands(described: Any) -> Stacked:
    """w2v-BERT 2.0's input: log mel energies over their mean and deviation in the utterance, two frames as one."""
    count = 2
    fbank = partial(Fbank, num_mels=described.feature_projection_input_dim // count)
    return Stacked(of=partial(UtteranceNorm, of=fbank, variance=True, unbiased=True, eps=1e-7), count=count)


def _cut_above(network: Any, layers: int) -> None:
    """Leave the lowest `layers` alone, and the last of them as it goes to the next."""
    if layers == len(network.encoder.layers):
        return
    del network.encoder.layers[layers:]
    if getattr(network.config, "do_stable_layer_norm", False):
        network.encoder.layer_norm = nn.Identity()


def _adapt(network: Any, *, rank: int, alpha: float, dropout: float, targets: tuple[str, ...] | None) -> None:
    kind = network.config.model_type
    chosen = _TARGETS[kind] if targets is None else targets
    if kind == "wavlm" and (idle := sorted(_IDLE_IN_WAVLM.intersection(chosen))):
        raise BadInput(
            f"targets: {', '.join(idle)} would learn nothing, WavLM's attention reads past adapters; "
            f"take {' or '.join(_TARGETS[kind])}"
        )
    peft = _extra("peft")
    if rank < 1:
        raise BadInput(f"rank: additions of rank {rank} hold nothing; give 1 or more")
    if not 0 <= dropout < 1:
        raise BadInput(f"lora_dropout: {dropout} is no share to drop; give 0 or more, below 1")
    lora = peft.LoraConfig(r=rank, lora_alpha=alpha, lora_dropout=dropout, target_modules=list(chosen))
    try:
        peft.inject_adapter_in_model(lora, network)
    except ValueError as error:
        raise BadInput(f"targets: {flattened(error)}") from error


def _extra(module: Literal["transformers", "peft"]) -> Any:
    """The optional package; seconds to import, so only where it is used."""
    try:
        if module == "peft":
            import peft

            return peft
        import transformers

        return transformers
    except ImportError as error:
        raise BadInput(
            f"self-supervised front ends need {module}; install it with pip install 'voxsphere[ssl]'"
        ) from error
