"""The frames' deviations from centres, which dictionaries and VLADs sum."""

from jaxtyping import Float
from torch import Tensor

from voxsphere.models.poolings.weights import shares


def residuals(
    frames: Float[Tensor, "batch in_dim frames"],
    belongs: Float[Tensor, "batch centres frames"],
    centres: Float[Tensor, "centres in_dim"],
    weight: Float[Tensor, "batch frames"] | None,
) -> Float[Tensor, "batch centres in_dim"]:
    """The mean over time of what each frame has of each centre, times its deviation from it."""
    share = shares(frames, weight)
    belongs = belongs / frames.shape[-1] if share is None else belongs * share
    return belongs @ frames.transpose(1, 2) - belongs.sum(-1, keepdim=True) * centres
