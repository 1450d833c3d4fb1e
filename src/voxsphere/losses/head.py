"""What all classification heads share: class weights, angles, the cross-entropy, and what is refused.

A head takes the embedding raw and holds one weight vector a class. `speaker` is the class of each row, or soft targets:
row b is then the mean of the losses of its classes under q_b, each taken with the margin on its own class, so that a
one-hot row is the same as its class. Weights, angles and the loss are in float32 (or in the weights' own float64)
whatever autocast does to the network: near cos t = 1 bfloat16 goes in steps of 0.004.

Weights begin Glorot uniform (`xavier_uniform_`), as in WeSpeaker's, 3D-Speaker's and SpeechBrain's margin heads.
"""

import math
from collections.abc import Callable
from typing import Protocol

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from voxsphere.core.errors import BadInput

Speaker = Int[Tensor, " batch"] | Float[Tensor, "batch classes"]


class Head(Protocol):
    """`(in_dim, num_classes, *, options)`; what tells the training speakers apart.

    `logits` bear no margin: accuracy, identification and distillation read them. `weight` has a row a class, or several
    one after the other. A head whose margin a schedule may set also offers `set_margin(value)`.
    """

    @property
    def weight(self) -> Tensor: ...

    def __call__(self, embedding: Float[Tensor, "batch dim"], speaker: Speaker) -> Float[Tensor, ""]: ...

    def logits(self, embedding: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch classes"]: ...


class PenalisedHead(Head, Protocol):
    """A head that is a softmax over logits, of which it can give those with the margin on each row's true class."""

    def penalised(
        self, embedding: Float[Tensor, "batch dim"], speaker: Int[Tensor, " batch"]
    ) -> Float[Tensor, "batch classes"]: ...


def class_weights(in_dim: int, num_classes: int, *, centres: int = 1) -> nn.Parameter:
    """One weight vector a class, or several side by side: `[num_classes · centres, in_dim]`, Glorot uniform."""
    if in_dim < 1 or num_classes < 2:
        raise BadInput(f"a head of {num_classes} classes over {in_dim} dimensions; it takes 2 or more, and 1 or more")
    return nn.Parameter(nn.init.xavier_uniform_(torch.empty(num_classes * centres, in_dim)))


def check_margin(margin: float, most: float, *, name: str = "margin") -> float:
    """The margin, or `BadInput` if it is not within 0 and `most`, or not finite."""
    if not 0 <= margin <= most or math.isinf(margin):
        raise BadInput(f"{name}: {margin:g} is not {'0 or more' if math.isinf(most) else f'within 0 and {most:.4g}'}")
    return margin


def check_positive(name: str, value: float) -> float:
    """The option's value, or `BadInput` if it is not a finite number above 0."""
    if not 0 < value < math.inf:
        raise BadInput(f"{name}: {value:g} is not a number above 0")
    return value


def pass_margin(head: object, value: float) -> None:
    """Set the margin of a head that has one."""
    if (set_margin := getattr(head, "set_margin", None)) is not None:
        set_margin(value)


def precisely(embedding: Tensor) -> torch.autocast:
    """The surroundings in which autocast leaves a head alone."""
    return torch.autocast(embedding.device.type, enabled=False)


def checked(embedding: Tensor, weight: Tensor) -> Tensor:
    """The embedding in the weights' precision; `BadInput` if it is none that they can be asked about."""
    if embedding.ndim != 2 or embedding.shape[1] != weight.shape[1]:
        raise BadInput(
            f"embeddings of shape {tuple(embedding.shape)}; this head takes one row of {weight.shape[1]} an utterance"
        )
    if not len(embedding):
        raise BadInput("an empty batch has no loss; give one embedding or more")
    return embedding.to(weight.dtype)


def cosine(embedding: Tensor, weight: Tensor, *, scale: float = 1.0) -> Tensor:
    """The cosine of each embedding and each class weight, times `scale`."""
    # Scaling the embeddings spares a copy of the logits, which are many more.
    return functional.linear(scale * functional.normalize(checked(embedding, weight)), functional.normalize(weight))


def pushed(logits: Tensor, speaker: Tensor, push: Callable[[Tensor], Tensor]) -> Tensor:
    """The logits with `push` done to the one of each row's class, speakers given as classes."""
    true = check_classes(speaker, *logits.shape)[:, None]
    return logits.scatter(1, true, push(logits.gather(1, true)))


def cross_entropy(logits: Tensor, speaker: Tensor, push: Callable[[Tensor], Tensor]) -> Tensor:
    """The mean over the batch of Σ_c q_c · CE_c, where CE_c has the logit of class c, and no other, pushed down."""
    if not speaker.is_floating_point():
        return functional.cross_entropy(pushed(logits, speaker, push), speaker.long())
    check_shares(speaker, *logits.shape)
    # -log of z'/(z' + others) is softplus(log others - log z'); the threshold is where float64 sees no difference.
    missed = functional.softplus(_log_others(logits) - push(logits), threshold=40)
    return (speaker.to(logits.dtype) * missed).sum(1).mean()


def by_class(
    losses: Callable[[Tensor, Tensor], Tensor], embedding: Tensor, speaker: Tensor, num_classes: int
) -> Tensor:
    """The mean over the batch of `losses(embedding, classes)`, one a row: for losses of any form.

    With soft targets a row is asked about once for each class it has a share in, so the work grows with their number.
    """
    if not speaker.is_floating_point():
        return losses(embedding, check_classes(speaker, len(embedding), num_classes)).mean()
    check_shares(speaker, len(embedding), num_classes)
    row, true = speaker.nonzero(as_tuple=True)
    found = losses(embedding[row], true)
    return (speaker[row, true].to(found.dtype) * found).sum() / len(embedding)


def check_classes(speaker: Tensor, batch: int, num_classes: int) -> Tensor:
    """The class of each row as torch's indices; `BadInput` if there is not one a row, or one is unknown."""
    if speaker.shape != (batch,):
        raise BadInput(f"speakers of shape {tuple(speaker.shape)} for {batch} embeddings; give each its class")
    # A look into an accelerator's memory would make every step wait, and into a compiled graph would break it; there
    # torch's own assertion stops the run.
    if speaker.device.type == "cpu" and not torch.compiler.is_compiling():
        least, most = int(speaker.min()), int(speaker.max())
        if least < 0 or most >= num_classes:
            wrong = least if least < 0 else most
            raise BadInput(f"speaker {wrong}: this head's classes are 0 to {num_classes - 1}")
    return speaker.long()


def check_shares(speaker: Tensor, batch: int, num_classes: int) -> None:
    """`BadInput` if soft targets are not of a row an embedding and a column a class."""
    if speaker.shape != (batch, num_classes):
        raise BadInput(
            f"soft targets of shape {tuple(speaker.shape)} for {batch} embeddings and {num_classes} classes; "
            "give a row an embedding, a column a class"
        )


def _log_others(logits: Float[Tensor, "batch classes"]) -> Float[Tensor, "batch classes"]:
    """log Σ_{j≠c} exp z_j for every class c.

    It is log Σ_j exp z_j + log(1 − p_c), which loses its digits for the class that leads: that one is summed anew.
    """
    leader = functional.one_hot(logits.argmax(1), logits.shape[1]).bool()
    share = logits.softmax(1).masked_fill(leader, 0)
    others = logits.logsumexp(1, keepdim=True) + (-share).log1p()
    return torch.where(leader, logits.masked_fill(leader, -math.inf).logsumexp(1, keepdim=True), others)
