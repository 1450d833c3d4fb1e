"""What a loss on tuples, a loss on triplets, a miner and a penalty are: the doors by which objectives call them."""

from typing import Protocol

from jaxtyping import Float, Int, Int64
from torch import Tensor


class TupleLoss(Protocol):
    """`(*, options)`; a loss over a batch of speakers by utterances, raw embeddings in, a scalar out.

    It takes two speakers and two utterances of each, or more, and refuses less in one line. What is random in it draws
    from torch's generator, which the loop seeds.
    """

    def __call__(self, tuples: Float[Tensor, "speakers utterances dim"]) -> Float[Tensor, ""]: ...


class TripletLoss(Protocol):
    """`(*, options)`; a loss over triplets of a batch's rows: anchor, positive, negative.

    The mean of what `each` says of every triplet; exactly 0, with a graph, where there is none. A triplet is active
    where `each` is above 0: there it still teaches.
    """

    def __call__(self, embedding: Float[Tensor, "batch dim"], triplets: Int64[Tensor, "n 3"]) -> Float[Tensor, ""]: ...

    def each(self, embedding: Float[Tensor, "batch dim"], triplets: Int64[Tensor, "n 3"]) -> Float[Tensor, " n"]: ...


class Miner(Protocol):
    """`(*, options)`; which triplets of a batch to learn from, as rows (anchor, positive, negative).

    `label` tells whose each row is: rows with the same number are one speaker's. No gradient passes. A batch of which
    no triplet can be made gives an empty [0, 3]. What is random draws from torch's generator, which the loop seeds.
    """

    def __call__(self, embedding: Float[Tensor, "batch dim"], label: Int[Tensor, " batch"]) -> Int64[Tensor, "n 3"]: ...


class Penalty(Protocol):
    """`(in_dim, num_classes, *, options)`; what is added to a head's loss, already times its own weight.

    `classes` are the head's class weights, for the penalties that read them; None where the head has none.
    """

    def __call__(
        self,
        embedding: Float[Tensor, "batch dim"],
        speaker: Int[Tensor, " batch"],
        classes: Float[Tensor, "classes dim"] | None,
    ) -> Float[Tensor, ""]: ...
