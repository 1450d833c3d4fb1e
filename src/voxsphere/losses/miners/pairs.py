"""Who is whose in a batch: the pairs from which triplets are made."""

import torch
from jaxtyping import Bool, Float, Int, Int64
from torch import Tensor

from voxsphere.core.errors import BadInput


def checked_labels(embedding: Float[Tensor, "batch dim"], label: Int[Tensor, " batch"]) -> None:
    """`BadInput` unless there is one label a row, and a row."""
    if embedding.ndim != 2 or label.shape != embedding.shape[:1]:
        raise BadInput(
            f"labels of shape {tuple(label.shape)} for embeddings of shape {tuple(embedding.shape)}; give [batch, dim] "
            "and whose each row is"
        )
    if not len(embedding):
        raise BadInput("an empty batch has no triplets; give one embedding or more")


def same_speaker(label: Int[Tensor, " batch"]) -> Bool[Tensor, "batch batch"]:
    """Whether two rows are one speaker's; no row is its own partner."""
    return (label[:, None] == label).fill_diagonal_(False)


def other_speaker(label: Int[Tensor, " batch"]) -> Bool[Tensor, "batch batch"]:
    """Whether two rows are two speakers'."""
    return label[:, None] != label


def unordered(label: Int[Tensor, " batch"]) -> tuple[Int64[Tensor, " pairs"], Int64[Tensor, " pairs"]]:
    """Every pair of one speaker's rows once, the first row first."""
    first, second = same_speaker(label).triu().nonzero().unbind(1)
    return first, second


def ordered(label: Int[Tensor, " batch"]) -> tuple[Int64[Tensor, " pairs"], Int64[Tensor, " pairs"]]:
    """Every pair of one speaker's rows both ways."""
    first, second = same_speaker(label).nonzero().unbind(1)
    return first, second


def joined(
    anchor: Int64[Tensor, " pairs"], positive: Int64[Tensor, " pairs"], negatives: Bool[Tensor, "pairs batch"]
) -> Int64[Tensor, "n 3"]:
    """Each pair with each of its negatives."""
    pair, negative = negatives.nonzero().unbind(1)
    return torch.stack([anchor[pair], positive[pair], negative], 1)
