"""What losses on triplets share: what they refuse, and the mean over no triplet at all."""

from jaxtyping import Float, Int64
from torch import Tensor

from voxsphere.core.errors import BadInput


def checked_triplets(
    embedding: Float[Tensor, "batch dim"], triplets: Int64[Tensor, "n 3"]
) -> tuple[Int64[Tensor, " n"], Int64[Tensor, " n"], Int64[Tensor, " n"]]:
    """Anchors, positives and negatives; `BadInput` if these are no triplets, or the embeddings are not one a row."""
    if embedding.ndim != 2 or triplets.ndim != 2 or triplets.shape[1] != 3:
        raise BadInput(
            f"triplets of shape {tuple(triplets.shape)} over embeddings of shape {tuple(embedding.shape)}; "
            "give rows of anchor, positive and negative, numbers of rows of [batch, dim]"
        )
    anchor, positive, negative = triplets.unbind(1)
    return anchor, positive, negative


def mean_of(each: Float[Tensor, " n"]) -> Float[Tensor, ""]:
    """The mean; of nothing it is 0, still hanging on the embeddings' graph, which then hands down zeros."""
    return each.sum() / max(len(each), 1)
