"""The mean and the standard deviation over time, one or both."""

import torch
from jaxtyping import Float
from torch import Tensor

from voxsphere.models.poolings.weights import WeightedPooling, shares


class MeanPooling(WeightedPooling):
    """The mean over time."""

    def __init__(self, in_dim: int) -> None:
        super().__init__()
        self.in_dim = self.dim = in_dim

    def _pool(
        self, frames: Float[Tensor, "batch in_dim frames"], weight: Float[Tensor, "batch frames"] | None
    ) -> Float[Tensor, "batch dim"]:
        return average(frames, shares(frames, weight))


class StatsPooling(WeightedPooling):
    """Mean and standard deviation over time (Snyder et al. 2018, X-vectors).

    `unbiased` divides the squared deviations by frames − 1, and with weights by Σw − Σw²/Σw, which is the same number
    for weights of 0 and 1. One frame deviates by 0. `floor` is added to the variance: it keeps the gradient of the
    square root finite.
    """

    def __init__(self, in_dim: int, *, unbiased: bool = True, floor: float = 1e-12) -> None:
        super().__init__()
        self.in_dim, self.dim = in_dim, 2 * in_dim
        self.unbiased, self.floor = unbiased, floor

    def _pool(
        self, frames: Float[Tensor, "batch in_dim frames"], weight: Float[Tensor, "batch frames"] | None
    ) -> Float[Tensor, "batch dim"]:
        return torch.cat(statistics(frames, shares(frames, weight), unbiased=self.unbiased, floor=self.floor), dim=1)


class StdPooling(WeightedPooling):
    """The standard deviation alone, which serves nearly as well as with the mean (Wang et al. 2021, Revisiting the
    statistics pooling layer in deep speaker embedding learning; WeSpeaker's TSDP).

    `unbiased` and `floor` as in `StatsPooling`.
    """

    def __init__(self, in_dim: int, *, unbiased: bool = True, floor: float = 1e-7) -> None:
        super().__init__()
        self.in_dim = self.dim = in_dim
        self.unbiased, self.floor = unbiased, floor

    def _pool(
        self, frames: Float[Tensor, "batch in_dim frames"], weight: Float[Tensor, "batch frames"] | None
    ) -> Float[Tensor, "batch dim"]:
        return statistics(frames, shares(frames, weight), unbiased=self.unbiased, floor=self.floor)[1]


def average(
    frames: Float[Tensor, "batch dim frames"], share: Float[Tensor, "batch 1 frames"] | None
) -> Float[Tensor, "batch dim"]:
    """Mean under shares that sum to 1 over time, or equal ones."""
    return frames.mean(-1) if share is None else under(share, frames)


def statistics(
    frames: Float[Tensor, "batch dim frames"], share: Tensor | None, *, unbiased: bool, floor: float
) -> tuple[Float[Tensor, "batch dim"], Float[Tensor, "batch dim"]]:
    """Mean and standard deviation under shares that sum to 1 over time; `floor` is added to the variance.

    They come in the frames' precision. Where that is half, they are taken in single: in half, the floor would be 0.
    """
    mean, variance = moments(frames, share)
    if unbiased and share is None:
        variance = variance * (frames.shape[-1] / max(frames.shape[-1] - 1, 1))
    elif unbiased and share is not None:
        # The floor stands for "one frame", of which there is no spread to correct.
        variance = variance / (1 - share.to(variance.dtype).square().sum(-1)).clamp(min=1e-6)
    std = (variance + floor).sqrt()
    return (mean, std) if std.dtype == frames.dtype else (mean.to(frames.dtype), std.to(frames.dtype))


def moments(
    frames: Float[Tensor, "*batch dim frames"], share: Float[Tensor, "*batch #dim frames"] | None
) -> tuple[Float[Tensor, "*batch dim"], Float[Tensor, "*batch dim"]]:
    """Mean and variance under shares that sum to 1 over time, of each channel or of all, or equal ones.

    In single precision or better. The mean is subtracted before squaring: Σαh² − (Σαh)² would lose the small deviations
    of large numbers.
    """
    device = frames.device.type
    if torch.amp.is_autocast_available(device) and torch.is_autocast_enabled(device):
        with torch.autocast(device, enabled=False):  # it would take the matrix products in half precision
            return moments(frames, share)
    if frames.dtype.itemsize < 4:
        frames = frames.float()
    if share is None:
        mean = frames.mean(-1, keepdim=True)
        # The norm squares and sums in one pass over the memory.
        variance = torch.linalg.vector_norm(frames - mean, dim=-1).square() / frames.shape[-1]
    else:
        share = share.to(frames.dtype)
        mean = under(share, frames)[..., None]
        deviation = frames - mean
        variance = under(share, product(deviation, deviation))
    return mean.squeeze(-1), variance


def under(
    share: Float[Tensor, "*batch #dim frames"], x: Float[Tensor, "*batch dim frames"]
) -> Float[Tensor, "*batch dim"]:
    """The sum over time of `x` times its share; where all channels have one share, a matrix product."""
    share = share.to(x.dtype)
    return (share @ x.mT).squeeze(-2) if share.shape[-2] == 1 else (share * x).sum(-1)


def product(x: Tensor, factor: Tensor) -> Tensor:
    """`x * factor`, written over x where no gradient asks for x: taking memory costs more than multiplying."""
    return x * factor if torch.is_grad_enabled() else x.mul_(factor)
