"""What penalties share: what they refuse."""

from jaxtyping import Float
from torch import Tensor

from voxsphere.core.errors import BadInput
from voxsphere.losses.precision import in_full


def checked_rows(embedding: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch dim"]:
    """The embeddings in full precision; `BadInput` where they are not one a row, or none at all."""
    if embedding.ndim != 2:
        raise BadInput(f"embeddings of shape {tuple(embedding.shape)}; a penalty takes one row an utterance")
    if not len(embedding):
        raise BadInput("an empty batch has no loss; give one embedding or more")
    return in_full(embedding)


def checked_classes(
    embedding: Float[Tensor, "batch dim"], classes: Float[Tensor, "classes dim"] | None
) -> Float[Tensor, "classes dim"]:
    """The head's class weights; `BadInput` where there are none, or fewer than two, or of another dimension."""
    if classes is None:
        raise BadInput("this penalty reads the head's class weights, and this head has none; take a head that has them")
    if classes.ndim != 2 or len(classes) < 2 or checked_rows(embedding).shape[1] != classes.shape[1]:
        raise BadInput(
            f"class weights of shape {tuple(classes.shape)} for embeddings of shape {tuple(embedding.shape)}; "
            "give one row a class, two or more, of the embeddings' dimension"
        )
    return classes
