"""Wave (or stored features) in, vector out: features, encoder, pooling and projection as one module."""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Literal, Protocol

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor, nn

from voxsphere.core.errors import BadInput
from voxsphere.models.layers.entry import refuse_half

Wave = Float[np.ndarray, " samples"] | Float[Tensor, " samples"]
Matrix = Float[np.ndarray, "frames dim"] | Float[Tensor, "frames dim"]
_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d)
ANALYSIS_WINDOW = 0.025  # seconds; what is shorter does not fill the window of a single frame


class Features(Protocol):
    """A front end: waves (±1, at `sample_rate`) to frames, one every `hop` samples.

    Its `input` is "wave", or "stored" where it takes frames that were computed elsewhere. What wraps another one holds
    it as `of`.
    """

    input: str
    dim: int
    sample_rate: int
    hop: int

    def __call__(self, wave: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch frames dim"]: ...

    def frames_of(self, samples: int) -> int: ...


class Encoder(Protocol):
    """A network over frames; time may shrink."""

    dim: int

    def __call__(self, features: Float[Tensor, "batch frames in_dim"]) -> Float[Tensor, "batch dim out_frames"]: ...


class Pooling(Protocol):
    """Frames to one vector, under a soft weight per frame."""

    dim: int

    def __call__(
        self, frames: Float[Tensor, "batch in_dim frames"], weight: Float[Tensor, "batch frames"] | None = None
    ) -> Float[Tensor, "batch dim"]: ...


class Projection(Protocol):
    """The pooled vector to the embedding."""

    dim: int

    def __call__(self, pooled: Float[Tensor, "batch in_dim"]) -> Float[Tensor, "batch dim"]: ...


class SpeakerModel(nn.Module):
    """A speaker embedding model, front end included.

    The four parts are deferred constructors (`functools.partial`); each is asked for its `dim` to build the next.
    `min_seconds` is the length to which `embed` brings shorter waves, by repeating them (`short="tile"`) or by
    repeating them forwards and backwards in turn, which has no jumps (`short="mirror"`); 0 leaves them as they are.
    Waves above `max_seconds` are embedded in equal windows.

    Over the front end `Stored` it takes matrices [frames, `width`] of stored features wherever it takes waves, and
    counts in frames: what is said of waves and samples holds for them.
    """

    def __init__(
        self,
        *,
        features: Callable[..., Features],
        encoder: Callable[..., Encoder],
        pooling: Callable[..., Pooling],
        projection: Callable[..., Projection],
        min_seconds: float = 0.5,
        short: Literal["tile", "mirror"] = "tile",
        max_seconds: float = 60.0,
    ) -> None:
        super().__init__()
        if short not in ("tile", "mirror"):
            raise BadInput(f"short is 'tile' or 'mirror', not {short!r}")
        if not 0 <= min_seconds <= max_seconds:
            raise BadInput(f"min_seconds lies between 0 and max_seconds ({max_seconds}), not at {min_seconds}")
        self.features = features()
        self.encoder = encoder(in_dim=self.features.dim)
        self.pooling = pooling(in_dim=self.encoder.dim)
        self.projection = projection(in_dim=self.pooling.dim)
        self.min_seconds, self.short, self.max_seconds = min_seconds, short, max_seconds
        if round(max_seconds * self.rate) < 1:
            raise BadInput(f"windows of {max_seconds} s hold nothing at {self.rate:g} samples or frames a second")
        for name, module in self.named_modules():
            if isinstance(module, _CONVOLUTIONS) and min(*module.kernel_size, *module.stride, *module.dilation) < 1:
                raise BadInput(f"{name}: a convolution's kernel, stride and dilation are each 1 or more")

    @property
    def dim(self) -> int:
        """The embedding's dimension."""
        return self.projection.dim

    @property
    def sample_rate(self) -> int:
        """The rate of the waves it takes, in samples per second."""
        return self.features.sample_rate

    @property
    def width(self) -> int | None:
        """How many features a frame of the stored matrices has that it takes; None where it takes waves."""
        front = self._innermost
        return front.dim if front.input == "stored" else None

    @property
    def rate(self) -> float:
        """What makes a second of the input: so many samples, or frames of stored features."""
        front = self._innermost
        return front.sample_rate / front.hop if front.input == "stored" else front.sample_rate

    @property
    def _innermost(self) -> Features:
        front = self.features
        while hasattr(front, "of"):
            front = front.of
        return front

    @property
    def shortest(self) -> int:
        """The shortest wave that `embed` takes, in samples: one analysis window. One frame of stored features."""
        return round(ANALYSIS_WINDOW * self.sample_rate) if self.width is None else 1

    def zeros(self, seconds: float) -> Float[Tensor, "one samples *dim"]:
        """A batch of one input of this length that holds nothing, to try the model on."""
        return torch.zeros(1, round(seconds * self.rate), *(() if self.width is None else (self.width,)))

    def frames(
        self, wave: Float[Tensor, "batch samples *dim"], *, masks: Float[Tensor, "batch frames features"] | None = None
    ) -> Float[Tensor, "batch dim out_frames"]:
        """The encoder's frames. `masks` multiply the features (SpecAugment: 0 hides a band or a stretch).

        The front end computes in float32, or in float64 with weights of float64; its features are brought to the
        weights' precision. Raises `BadInput` for weights or a wave of fp16 on a CPU.
        """
        features = self.features_of(wave)
        return self.encoder(features if masks is None else features * masks)

    def features_of(self, wave: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch frames features"]:
        """The front end's features, in the precision that `frames` tells of."""
        refuse_half(wave, "the wave is")
        weights = next(self.parameters(), wave)
        refuse_half(weights, "the model's weights are")
        precise = torch.promote_types(weights.dtype, torch.float32)
        return self.features(wave.to(precise)).to(weights.dtype)

    def embed_features(self, features: Float[Tensor, "batch frames features"]) -> Float[Tensor, "batch dim"]:
        """Raw embeddings of what `features_of` gave, or of what was made of it, masked if it is to be."""
        return self.projection(self.pooling(self.encoder(features)))

    def pooled(
        self,
        wave: Float[Tensor, "batch samples *dim"],
        *,
        weight: Float[Tensor, "batch out_frames"] | None = None,
        masks: Float[Tensor, "batch frames features"] | None = None,
    ) -> Float[Tensor, "batch pooled"]:
        """The vector between pooling and projection. `weight` counts the encoder's frames, on any scale."""
        return self.pooling(self.frames(wave, masks=masks), weight)

    def forward(
        self,
        wave: Float[Tensor, "batch samples *dim"],
        *,
        weight: Float[Tensor, "batch out_frames"] | None = None,
        masks: Float[Tensor, "batch frames features"] | None = None,
    ) -> Float[Tensor, "batch dim"]:
        """Raw embeddings of waves (±1) of equal length; see `frames` and `pooled` for `masks` and `weight`."""
        return self.projection(self.pooled(wave, weight=weight, masks=masks))

    def embed(
        self,
        waves: Sequence[Wave | Matrix],
        *,
        weights: Sequence[Sequence[float]] | None = None,
        batch_seconds: float = 60.0,
    ) -> Float32[np.ndarray, "waves dim"]:
        """Raw embeddings of waves (±1) of any lengths, in evaluation mode and without gradients.

        Equal lengths are computed together, at most `batch_seconds` at a time; nothing is ever padded. A wave that
        needs several `windows` gets the average of theirs by `weights`, one list a wave, such as the seconds of speech
        in each window (default, and where all are 0: all alike). Raises `BadInput` for a wave that is empty, shorter
        than `shortest` samples, not finite, or of integers, and for one where stored features are taken or the reverse.
        """
        checked = [self._checked(wave, f"wave {i}: " if len(waves) > 1 else "") for i, wave in enumerate(waves)]
        cuts = [self.windows(len(wave)) for wave in checked]
        pieces = [wave[cut] for wave, windows in zip(checked, cuts, strict=True) for cut in windows]
        vectors = iter(self._embed_pieces([self.lengthened(piece) for piece in pieces], batch_seconds))
        result = np.empty((len(checked), self.dim), dtype=np.float32)
        for i, windows in enumerate(cuts):
            of_wave = np.stack([next(vectors) for _ in windows])
            share = np.ones(len(windows)) if weights is None or not any(weights[i]) else np.asarray(weights[i])
            if len(share) != len(windows):
                raise BadInput(f"wave {i}: {len(share)} weights for {len(windows)} windows; see SpeakerModel.windows")
            result[i] = np.average(of_wave, axis=0, weights=share)
        return result

    def windows(self, samples: int) -> tuple[slice, ...]:
        """The windows, equal up to a sample and none above `max_seconds`, that a wave of `samples` is embedded in."""
        count = max(1, math.ceil(samples / round(self.max_seconds * self.rate)))
        bounds = [samples * i // count for i in range(count + 1)]
        return tuple(slice(start, stop) for start, stop in pairwise(bounds))

    def _checked(self, wave: Wave | Matrix, name: str) -> Float32[Tensor, "samples *dim"]:
        tensor = _tensor(wave)
        if not tensor.is_floating_point():
            raise BadInput(f"{name}holds {tensor.dtype} samples; a wave is made of floats between -1 and 1")
        if self.width is not None and tensor.shape[1:] != (self.width,):
            raise BadInput(
                f"{name}this model takes stored features [frames, {self.width}], not an array {list(tensor.shape)}"
            )
        if self.width is None and tensor.ndim != 1:
            raise BadInput(f"{name}a wave has one axis, samples, not {tensor.ndim}; mix channels down or choose one")
        if len(tensor) == 0:
            raise BadInput(f"{name}holds no samples")
        if not tensor.isfinite().all():
            raise BadInput(f"{name}holds samples that are not finite numbers; decode or record it again")
        if len(tensor) < self.shortest:
            held, least = (1000 * samples / self.sample_rate for samples in (len(tensor), self.shortest))
            raise BadInput(f"{name}holds {held:.0f} ms of sound, at least {least:.0f} ms are needed; record more")
        return tensor.to(torch.float32)

    def lengthened(self, wave: Float32[Tensor, "samples *dim"]) -> Float32[Tensor, "samples *dim"]:
        """The wave as `embed` takes it: repeated to `min_seconds` where it is shorter."""
        least = math.ceil(self.min_seconds * self.rate)
        if len(wave) >= least:
            return wave
        unit = torch.cat([wave, wave.flip(0)]) if self.short == "mirror" else wave
        return torch.cat([unit] * math.ceil(least / len(unit)))[:least]

    def _embed_pieces(self, pieces: list[Tensor], batch_seconds: float) -> list[Float32[np.ndarray, " dim"]]:
        by_length: dict[int, list[int]] = {}
        for i, piece in enumerate(pieces):
            by_length.setdefault(len(piece), []).append(i)
        device = next((tensor.device for tensor in [*self.parameters(), *self.buffers()]), torch.device("cpu"))
        vectors: dict[int, np.ndarray] = {}
        with torch.inference_mode(), evaluating(self):
            for samples, members in by_length.items():
                size = max(1, int(batch_seconds * self.rate / samples))
                for batch in (members[first : first + size] for first in range(0, len(members), size)):
                    embedded = self(torch.stack([pieces[i] for i in batch]).to(device))
                    vectors.update(zip(batch, embedded.float().cpu().numpy(), strict=True))
        return [vectors[i] for i in range(len(pieces))]


def _tensor(wave: Wave | Matrix) -> Tensor:
    if isinstance(wave, Tensor):
        return wave.detach()
    array = np.ascontiguousarray(wave)  # torch knows neither negative strides nor memory that may not be written
    return torch.from_numpy(array if array.flags.writeable else array.copy())


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Evaluation mode for a while; afterwards each part is again in the mode it was in, frozen parts too."""
    training = [module for module in model.modules() if module.training]
    if training:
        model.eval()
    try:
        yield
    finally:
        for module in training:
            module.training = True
