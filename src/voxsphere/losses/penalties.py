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


def check_more_than_one(num_classes: int) -> int:
    """The number of classes; `BadInput` where there is none beside the true one."""
    if num_classes < 2:
        raise BadInput(f"a penalty on {num_classes} classes; it takes 2 or more")
    return num_classes


def checked_classes(
    embedding: Float[Tensor, "batch dim"], classes: Float[Tensor, "classes dim"] | None, num_classes: int
) -> Float[Tensor, "classes dim"]:
    """The head's class weights; `BadInput` where there are none, not one a class, or of another dimension."""
    if classes is None:
        raise BadInput("this penalty reads the head's class weights, and this head has none; take a head that has them")
    if classes.shape != (num_classes, checked_rows(embedding).shape[1]):
        raise BadInput(
            f"class weights of shape {tuple(classes.shape)} for {num_classes} classes and embeddings of shape "
            f"{tuple(embedding.shape)}; this penalty takes one row a class: take a head with one centre a class"
        )
    return classes
