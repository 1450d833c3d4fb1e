"""How far apart two embeddings are, for losses on triplets and their miners."""

from dataclasses import dataclass
from typing import Literal, get_args

import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.nn import functional

from voxsphere.core.errors import BadInput
from voxsphere.losses.precision import in_full

Distance = Literal["euclidean", "squared", "cosine", "inner"]


@dataclass(frozen=True)
class Measure:
    """euclidean ‖a − b‖, squared ‖a − b‖², cosine 1 − cos(a, b), or inner −aᵀb; larger is farther.

    With `normalised` the embeddings are brought to unit length first; to the cosine that makes no difference.
    The gradient of ‖a − b‖ where a = b is 0.
    """

    distance: Distance = "euclidean"
    normalised: bool = True

    def __post_init__(self) -> None:
        if self.distance not in get_args(Distance):
            raise BadInput(f"distance: {self.distance!r} is not one of {', '.join(get_args(Distance))}")

    def between(
        self, embedding: Float[Tensor, "batch dim"], first: Int64[Tensor, " n"], second: Int64[Tensor, " n"]
    ) -> Float[Tensor, " n"]:
        """The distances of row first[i] and row second[i]."""
        # Every row would be fetched often; the table holds each distance once, and no differences.
        if 4 * len(first) > len(embedding) ** 2:
            return self.table(embedding)[first, second]
        x = self._prepared(embedding)
        a, b = x[first], x[second]
        if self.distance == "euclidean":
            length: Tensor = torch.linalg.vector_norm(a - b, dim=1)
            return length
        if self.distance == "squared":
            return (a - b).square().sum(1)
        return self._of_products((a * b).sum(1))

    def table(self, embedding: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch batch"]:
        """The distances of all rows to all rows."""
        x = self._prepared(embedding)
        if self.distance in ("euclidean", "squared"):
            # The differences themselves: near neighbours would drown in ‖a‖² + ‖b‖² − 2aᵀb.
            distance = torch.cdist(x, x, compute_mode="donot_use_mm_for_euclid_dist")
            return distance if self.distance == "euclidean" else distance.square()
        return self._of_products(x @ x.T)

    def _prepared(self, embedding: Tensor) -> Tensor:
        x = in_full(embedding)
        return functional.normalize(x) if self.normalised or self.distance == "cosine" else x

    def _of_products(self, product: Tensor) -> Tensor:
        return 1 - product if self.distance == "cosine" else -product
