"""Classification heads: softmax, and its relatives that ask the true class for a margin.

A head takes the embedding raw and holds one weight vector a class. `speaker` is the class of each row, or soft targets:
row b is then the mean of the losses of its classes under q_b, each taken with the margin on its own class, so that a
one-hot row is the same as its class. Weights, angles and the loss are in float32 (or in the weights' own float64)
whatever autocast does to the network: near cos t = 1 bfloat16 goes in steps of 0.004.

Weights begin Glorot uniform (`xavier_uniform_`), as in WeSpeaker's, 3D-Speaker's and SpeechBrain's margin heads.
The margin is a buffer in the checkpoint: fill it to change it.
"""

import math
from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from voxsphere.core.errors import BadInput

Speaker = Int[Tensor, " batch"] | Float[Tensor, "batch classes"]


class Softmax(nn.Module):
    """Softmax over an affine map of the embedding: cross-entropy of W x + b."""

    def __init__(self, in_dim: int, num_classes: int, *, bias: bool = True) -> None:
        super().__init__()
        self.weight = _class_weights(in_dim, num_classes)
        self.bias = nn.Parameter(torch.zeros(num_classes)) if bias else None

    def logits(self, embedding: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch classes"]:
        """W x + b."""
        with _precisely(embedding):
            return functional.linear(_checked(embedding, self.weight), self.weight, self.bias)

    def forward(self, embedding: Float[Tensor, "batch dim"], speaker: Speaker) -> Float[Tensor, ""]:
        """The mean cross-entropy over the batch, in nats."""
        with _precisely(embedding):
            return _cross_entropy(self.logits(embedding), speaker, lambda true: true)


class AmSoftmax(nn.Module):
    """Additive margin softmax: the true class's logit is s·(cos t − m), the others' s·cos t.

    Wang et al. 2018, Additive Margin Softmax for Face Verification, eq. 6 (also CosFace, Wang et al. 2018, eq. 4).
    `margin` is a difference of cosines, 0 … 2.
    """

    margin: Tensor

    def __init__(self, in_dim: int, num_classes: int, *, margin: float = 0.2, scale: float = 30.0) -> None:
        super().__init__()
        _check_options(margin, 2.0, scale)
        self.weight = _class_weights(in_dim, num_classes)
        self.scale = scale
        self.register_buffer("margin", torch.tensor(float(margin)))

    def logits(self, embedding: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch classes"]:
        """s·cos t, without a margin."""
        with _precisely(embedding):
            return self.scale * _cosine(embedding, self.weight)

    def forward(self, embedding: Float[Tensor, "batch dim"], speaker: Speaker) -> Float[Tensor, ""]:
        """The mean cross-entropy over the batch with the margin on the true class, in nats."""
        with _precisely(embedding):
            return _cross_entropy(self.logits(embedding), speaker, lambda true: true - self.scale * self.margin)


class AamSoftmax(nn.Module):
    """Additive angular margin softmax: the true class's logit is s·cos(t + m), the others' s·cos t.

    Deng et al. 2019, ArcFace, arXiv:1801.07698, eq. 3. `margin` is in radians, 0 … π/2.

    Departs from the equation where t + m passes π: there the cosine would rise again, so the logit goes on as
    s·(cos t − m·sin m) and keeps falling with the angle (the authors' code and SpeechBrain's do so; WeSpeaker's and
    3D-Speaker's subtract 1 − cos m). With `easy_margin` the margin is asked only of what is nearer than a right angle.
    """

    margin: Tensor

    def __init__(
        self, in_dim: int, num_classes: int, *, margin: float = 0.2, scale: float = 30.0, easy_margin: bool = False
    ) -> None:
        super().__init__()
        _check_options(margin, math.pi / 2, scale)
        self.weight = _class_weights(in_dim, num_classes)
        self.scale, self.easy_margin = scale, easy_margin
        self.register_buffer("margin", torch.tensor(float(margin)))

    def logits(self, embedding: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch classes"]:
        """s·cos t, without a margin."""
        with _precisely(embedding):
            return self.scale * _cosine(embedding, self.weight)

    def forward(self, embedding: Float[Tensor, "batch dim"], speaker: Speaker) -> Float[Tensor, ""]:
        """The mean cross-entropy over the batch with the margin on the true class, in nats."""
        with _precisely(embedding):
            return _cross_entropy(self.logits(embedding), speaker, self._pushed)

    def _pushed(self, true: Tensor) -> Tensor:
        cosine, m = true / self.scale, self.margin
        # The floor keeps the root's gradient finite at cos t = ±1, where rounding may also take cos² past 1.
        sine = (1 - cosine.square()).clamp_min(1e-12).sqrt()
        pushed = cosine * m.cos() - sine * m.sin()  # cos(t + m)
        if self.easy_margin:
            return self.scale * torch.where(cosine > 0, pushed, cosine)
        return self.scale * torch.where(cosine > -m.cos(), pushed, cosine - m * m.sin())


def _cosine(embedding: Tensor, weight: Tensor) -> Tensor:
    return functional.linear(functional.normalize(_checked(embedding, weight)), functional.normalize(weight))


def _cross_entropy(logits: Tensor, speaker: Tensor, push: Callable[[Tensor], Tensor]) -> Tensor:
    """The mean over the batch of Σ_c q_c · CE_c, where CE_c has the logit of class c, and no other, pushed down."""
    if not speaker.is_floating_point():
        true = _classes(logits, speaker)[:, None]
        return functional.cross_entropy(logits.scatter(1, true, push(logits.gather(1, true))), true[:, 0])
    if speaker.shape != logits.shape:
        raise BadInput(
            f"soft targets of shape {tuple(speaker.shape)} for {len(logits)} embeddings and {logits.shape[1]} classes; "
            "give a row an embedding, a column a class"
        )
    # -log of z'/(z' + others) is softplus(log others - log z'); the threshold is where float64 sees no difference.
    missed = functional.softplus(_log_others(logits) - push(logits), threshold=40)
    return (speaker.to(logits.dtype) * missed).sum(1).mean()


def _log_others(logits: Float[Tensor, "batch classes"]) -> Float[Tensor, "batch classes"]:
    """log Σ_{j≠c} exp z_j for every class c.

    It is log Σ_j exp z_j + log(1 − p_c), which loses its digits for the class that leads: that one is summed anew.
    """
    leader = functional.one_hot(logits.argmax(1), logits.shape[1]).bool()
    share = logits.softmax(1).masked_fill(leader, 0)
    others = logits.logsumexp(1, keepdim=True) + (-share).log1p()
    return torch.where(leader, logits.masked_fill(leader, -math.inf).logsumexp(1, keepdim=True), others)


def _precisely(embedding: Tensor) -> torch.autocast:
    return torch.autocast(embedding.device.type, enabled=False)


def _class_weights(in_dim: int, num_classes: int) -> nn.Parameter:
    if in_dim < 1 or num_classes < 2:
        raise BadInput(f"a head of {num_classes} classes over {in_dim} dimensions; it takes 2 or more, and 1 or more")
    return nn.Parameter(nn.init.xavier_uniform_(torch.empty(num_classes, in_dim)))


def _check_options(margin: float, most: float, scale: float) -> None:
    if not 0 <= margin <= most:
        raise BadInput(f"margin: {margin:g} is not within 0 and {most:.4g}")
    if not 0 < scale < math.inf:
        raise BadInput(f"scale: {scale:g} is not a number above 0")


def _checked(embedding: Tensor, weight: Tensor) -> Tensor:
    """The embedding in the weights' precision."""
    if embedding.ndim != 2 or embedding.shape[1] != weight.shape[1]:
        raise BadInput(
            f"embeddings of shape {tuple(embedding.shape)}; this head takes one row of {weight.shape[1]} an utterance"
        )
    if not len(embedding):
        raise BadInput("an empty batch has no loss; give one embedding or more")
    return embedding.to(weight.dtype)


def _classes(logits: Tensor, speaker: Tensor) -> Tensor:
    if speaker.shape != logits.shape[:1]:
        raise BadInput(f"speakers of shape {tuple(speaker.shape)} for {len(logits)} embeddings; give each its class")
    # A look into an accelerator's memory would make every step wait, and into a compiled graph would break it; there
    # torch's own assertion stops the run.
    if speaker.device.type == "cpu" and not torch.compiler.is_compiling():
        least, most = int(speaker.min()), int(speaker.max())
        if least < 0 or most >= logits.shape[1]:
            wrong = least if least < 0 else most
            raise BadInput(f"speaker {wrong}: this head's classes are 0 to {logits.shape[1] - 1}")
    return speaker.long()
