"""Features of another front end, normalised: over the utterance, a sliding window, a data set, or each frame."""

from collections.abc import Callable, Iterable
from typing import Literal

import torch
from jaxtyping import Float, Float64, Int64
from torch import Tensor, nn
from torch.nn import functional

from voxsphere.audio import frames
from voxsphere.audio.front_end import FrontEnd
from voxsphere.core.errors import BadInput


class UtteranceNorm(nn.Module):
    """Each feature less its mean over the utterance (CMN); with `variance` over its standard deviation too (CMVN).

    y = (x - mean) / sqrt(variance + `eps`). With `affine` a learnt scale and shift a feature follow: instance norm
    (Ulyanov et al. 2016, arXiv:1607.08022), and `variance=True` alone is its form without them. `unbiased` divides the
    squares by frames - 1.
    """

    def __init__(
        self,
        *,
        of: Callable[..., FrontEnd],
        variance: bool = False,
        affine: bool = False,
        unbiased: bool = False,
        eps: float = 1e-5,
    ) -> None:
        super().__init__()
        self.of = of()
        self.input, self.sample_rate, self.hop, self.dim = self.of.input, self.of.sample_rate, self.of.hop, self.of.dim
        self.variance, self.unbiased, self.eps = variance, unbiased, eps
        self.scale = nn.Parameter(torch.ones(self.dim)) if affine else None
        self.shift = nn.Parameter(torch.zeros(self.dim)) if affine else None

    def forward(self, wave: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch frames dim"]:
        """The normalised features of each frame."""
        x = self.of(wave)
        x = x - x.mean(1, keepdim=True)
        if self.variance:
            squares = x.square().mean(1, keepdim=True)
            if self.unbiased:
                squares = squares * (x.shape[1] / _at_least_one(x.shape[1] - 1))
            x = x / (squares + self.eps).sqrt()
        return x if self.scale is None or self.shift is None else x * self.scale + self.shift

    def frames_of(self, samples: int) -> int:
        """How many frames `forward` makes of so many samples."""
        return self.of.frames_of(samples)


class SlidingNorm(nn.Module):
    """Each frame less the mean of the `window` frames around it, and over their standard deviation with `variance`.

    Equal to Kaldi's apply-cmvn-sliding (feat/feature-functions.cc, SlidingWindowCmn). `centred`, the window begins
    `window` // 2 frames before the frame, and is moved into the utterance where it would stick out. Otherwise it is
    the `window` frames before and the frame itself; as long as these are fewer than `min_window` it reaches ahead to
    `min_window` frames. A shorter utterance is its own window. A variance is no smaller than 1e-10, and a frame that
    is its own window becomes zeros where variances are normalised. Sums are made in float64.
    """

    def __init__(
        self,
        *,
        of: Callable[..., FrontEnd],
        window: int = 300,
        min_window: int = 100,
        centred: bool = True,
        variance: bool = False,
    ) -> None:
        super().__init__()
        if not 1 <= min_window <= window:
            raise BadInput(f"min_window is 1 to window ({window}) frames, not {min_window}")
        self.of = of()
        self.input, self.sample_rate, self.hop, self.dim = self.of.input, self.of.sample_rate, self.of.hop, self.of.dim
        self.window, self.min_window, self.centred, self.variance = window, min_window, centred, variance

    def forward(self, wave: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch frames dim"]:
        """The normalised features of each frame."""
        x = self.of(wave)
        begin, end = self._windows(torch.arange(x.shape[1], device=x.device), x.shape[1])
        # What the whole utterance shares would only cost digits in the sums.
        wide = frames.widened(x)
        wide = wide - wide.mean(1, keepdim=True)
        held = (end - begin).to(wide.dtype)[:, None]
        mean = _sums(wide, begin, end) / held
        y = wide - mean
        if self.variance:
            spread = (_sums(wide.square(), begin, end) / held - mean.square()).clamp_min(1e-10)
            y = torch.where(held > 1, y / spread.sqrt(), 0.0)
        return y.to(x.dtype)

    def frames_of(self, samples: int) -> int:
        """How many frames `forward` makes of so many samples."""
        return self.of.frames_of(samples)

    def _windows(self, at: Int64[Tensor, " frames"], count: int) -> tuple[Int64[Tensor, " frames"], ...]:
        """Each frame's window: its first frame, and the one behind its last."""
        if self.centred:
            begin = at - self.window // 2
            end = begin + self.window + (-begin).clamp_min(0)
        else:
            begin = at - self.window
            end = (at + 1).clamp_min(self.min_window)
        beyond = (end - count).clamp_min(0)
        return (begin.clamp_min(0) - beyond).clamp_min(0), end - beyond


class GlobalNorm(nn.Module):
    """Each feature less a fixed `mean` and over a fixed `deviation`: a number for all, or one for each feature.

    The numbers are known beforehand or counted by `fit`; either way they are saved with the model's weights. This
    takes the place of statistics by speaker, which ask who speaks before that is known (deep-speaker v2's). With
    `counted` a run counts them over its training data before the first step, unless it begins from another model's
    weights: numbers of "each" feature, or two for "all" features together.
    """

    def __init__(
        self,
        *,
        of: Callable[..., FrontEnd],
        mean: float | tuple[float, ...] = 0.0,
        deviation: float | tuple[float, ...] = 1.0,
        counted: Literal["no", "each", "all"] = "no",
    ) -> None:
        super().__init__()
        if counted not in ("no", "each", "all"):
            raise BadInput(f"counted is 'no', 'each' or 'all', not {counted!r}")
        self.of, self.counted = of(), counted
        self.input, self.sample_rate, self.hop, self.dim = self.of.input, self.of.sample_rate, self.of.hop, self.of.dim
        self.mean: Tensor
        self.register_buffer("mean", _one_each("mean", mean, self.dim))
        self.deviation: Tensor
        self.register_buffer("deviation", _one_each("deviation", deviation, self.dim))
        if not (self.deviation.is_meta or bool((self.deviation > 0).all())):
            raise BadInput("deviation holds numbers that are not above 0; leave out features that never change")

    def forward(self, wave: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch frames dim"]:
        """The normalised features of each frame."""
        normalised: Tensor = (self.of(wave) - self.mean) / self.deviation
        return normalised

    @torch.no_grad()
    def fit(self, waves: Iterable[Float[Tensor, "batch samples"]]) -> None:
        """Set the numbers to mean and standard deviation over all frames of these batches of waves.

        They are those of each feature, or of all features together where `counted` is "all". What never changes gets
        the deviation 1. Raises `BadInput` where there is no frame.
        """
        count = 0
        total = squares = torch.zeros(self.dim, dtype=torch.float64)
        for batch in waves:
            found = self.of(batch).flatten(0, 1).double().cpu()
            count += len(found)
            total = total + found.sum(0)
            squares = squares + found.square().sum(0)
        if not count:
            raise BadInput("there are no frames to count a mean of; give one wave or more")
        if self.counted == "all":
            total, squares = total.mean().expand_as(total), squares.mean().expand_as(squares)
        mean = total / count
        spread = squares / count - mean.square()
        # Rounding leaves about 1e-16 of the squares; what spreads no more than that does not change.
        still = spread <= 1e-12 * squares / count
        self.mean.copy_(mean)
        self.deviation.copy_(torch.where(still, 1.0, spread.clamp_min(0).sqrt()))

    def frames_of(self, samples: int) -> int:
        """How many frames `forward` makes of so many samples."""
        return self.of.frames_of(samples)


class FrameNorm(nn.Module):
    """Each frame by the mean and standard deviation of its own features (Deep Speaker, P. Rémy's final version).

    A frame of equal features becomes zeros.
    """

    def __init__(self, *, of: Callable[..., FrontEnd]) -> None:
        super().__init__()
        self.of = of()
        self.input, self.sample_rate, self.hop, self.dim = self.of.input, self.of.sample_rate, self.of.hop, self.of.dim

    def forward(self, wave: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch frames dim"]:
        """The normalised features of each frame."""
        x = frames.centre(self.of(wave))
        return x / x.square().mean(-1, keepdim=True).clamp_min(1e-24).sqrt()

    def frames_of(self, samples: int) -> int:
        """How many frames `forward` makes of so many samples."""
        return self.of.frames_of(samples)


def _sums(
    x: Float64[Tensor, "batch frames dim"], begin: Int64[Tensor, " frames"], end: Int64[Tensor, " frames"]
) -> Float64[Tensor, "batch frames dim"]:
    """The sum of x over each window, as a difference of two running sums."""
    running = functional.pad(x.cumsum(1), (0, 0, 1, 0))
    return running[:, end] - running[:, begin]


def _one_each(name: str, values: float | tuple[float, ...], dim: int) -> Float[Tensor, " dim"]:
    if isinstance(values, int | float):
        return torch.full((dim,), float(values))
    if len(values) != dim:
        raise BadInput(f"{name} holds {len(values)} numbers for {dim} features; give one, or one for each")
    return torch.tensor(values, dtype=torch.get_default_dtype())


def _at_least_one(count: int) -> int:
    # An exported graph's lengths are symbols, which the built-in `max` would settle once and for all.
    clamped: int = torch.sym_max(1, count)  # type: ignore[no-untyped-call]
    return clamped
