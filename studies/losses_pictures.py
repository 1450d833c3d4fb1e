"""Pictures of what a loss does: how hard it turns an embedding, over an angle or a distance."""

import math
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import torch
from torch import Tensor

from studies.losses_catalogue import FAMILIES
from studies.losses_drawing import Curve, Picture
from voxsphere.losses.center import CenterLoss
from voxsphere.losses.focal import Focal
from voxsphere.losses.hyperbolic import HyperbolicAam
from voxsphere.losses.koleo import KoLeo
from voxsphere.losses.margin import AamSoftmax, AmSoftmax
from voxsphere.losses.min_arc import MinArc
from voxsphere.losses.n_pair import NPair
from voxsphere.losses.negative_arc import NegativeArc
from voxsphere.losses.prototypical import Prototypical
from voxsphere.losses.ring import RingLoss
from voxsphere.losses.smoothing import LabelSmoothing

CLASSES = 400

_LENGTHS: dict[type, float] = {HyperbolicAam: 0.9, Prototypical: 3.0, NPair: 3.0}
"""The length of embeddings (and of the hyperbolic classes), where it is neither 10 (heads) nor 1 (tuples)."""


def picture(loss: type) -> Picture | None:
    """The picture of a class; None for what has no gradient of its own: miners, and a loss that is of one with one."""
    family = next(name for name, members in FAMILIES.items() if loss in members)
    if family == "Classification heads":
        return _head(loss)
    if family == "Penalties beside a head":
        return _penalty(loss)
    if family == "Losses on tuples":
        return _tuples(loss)
    return _triplet(loss) if hasattr(loss, "each") else None


def _slopes(loss: Callable[[Tensor], Tensor], at: list[float], sign: int = 1) -> list[float]:
    """The derivative at each place, or its negative."""
    found = []
    for place in at:
        x = torch.tensor(place, dtype=torch.float64, requires_grad=True)
        # What is drawn at random is the same everywhere.
        with torch.random.fork_rng(devices=()):
            torch.manual_seed(0)
            found.append(sign * float(torch.autograd.grad(loss(x), x)[0]))
    return found


def _angles() -> list[float]:
    return [math.radians(degree) for degree in range(1, 180, 2)]


def _axis(dim: int, place: int) -> Tensor:
    return torch.eye(dim, dtype=torch.float64)[place]


def _between(first: Tensor, second: Tensor, angle: Tensor | float) -> Tensor:
    """The unit vector at an angle from the first towards the second."""
    angle = torch.as_tensor(angle, dtype=torch.float64)
    return angle.cos() * first + angle.sin() * second


def _class_weights(rows: int, length: float = 1.0) -> Tensor:
    """The first class lies on the first axis; all others on the third, which no embedding here leaves."""
    weight = length * _axis(3, 2).repeat(rows, 1)
    weight[0] = length * _axis(3, 0)
    return weight


def _head(loss: Any) -> Picture:
    length = _LENGTHS.get(loss, 10.0)
    classes = length if loss is HyperbolicAam else 1.0
    wrapped = loss in (LabelSmoothing, Focal)
    made = (lambda **sizes: loss(head=AamSoftmax, **sizes)) if wrapped else loss
    curves = (
        Curve("softmax of 30·cos", "plain", _angles(), _plain()),
        Curve(f"{loss.__name__} of aam" if wrapped else loss.__name__, "pull", _angles(), _pull(made, length, classes)),
    )
    said = (
        f"How hard the embedding (length {length:g}) is turned towards its class, by the angle between them; the other "
        f"{CLASSES - 1} classes stand at right angles to it. Dashed: the softmax of 30·cos, without a margin."
    )
    return Picture(curves, "angle to the own class", "slope, per radian", said)


def _pull(make: Any, length: float, of_classes: float) -> list[float]:
    with torch.random.fork_rng(devices=()):
        head = make(in_dim=3, num_classes=CLASSES).double().eval()
    with torch.no_grad():
        head.weight.copy_(_class_weights(len(head.weight), of_classes))
    own = torch.tensor([0])
    return _slopes(lambda angle: head(length * _between(_axis(3, 0), _axis(3, 1), angle)[None], own), _angles())


@cache
def _plain() -> list[float]:
    return _pull(partial(AmSoftmax, margin=0.0), 10.0, 1.0)


def _tuples(loss: Any) -> Picture:
    length, made, right = _LENGTHS.get(loss, 1.0), loss().double(), math.pi / 2
    own, near = _axis(4, 0), math.radians(30)

    def batch(positive: Tensor | float, negative: Tensor | float) -> Tensor:
        others = (_axis(4, 2), _between(_axis(4, 2), _axis(4, 3), near))
        speaker = torch.stack([own, _between(own, _axis(4, 1), positive)])
        other = torch.stack([_between(own, each, negative) for each in others])
        found: Tensor = made(length * torch.stack([speaker, other]))
        return found

    curves = (
        Curve("pull on the positive", "pull", _angles(), _slopes(lambda angle: batch(angle, right), _angles())),
        Curve("push on the negatives", "push", _angles(), _slopes(lambda angle: batch(near, angle), _angles(), -1)),
    )
    said = (
        f"Two speakers by two utterances (length {length:g}). Pull: the positive's angle to the first utterance "
        "varies, the other speaker stands at right angles. Push: that of the other speaker varies, the positive "
        "stands at 30°."
    )
    return Picture(curves, "angle to the first utterance", "slope, per radian", said)


def _triplet(loss: Any) -> Picture:
    made, beside = loss().double(), math.radians(45)
    own, triplet = _axis(3, 0), torch.tensor([[0, 1, 2]])

    def of(positive: Tensor | float, negative: Tensor | float) -> Tensor:
        rows = [own, _between(own, _axis(3, 1), positive), _between(own, _axis(3, 2), negative)]
        found: Tensor = made(torch.stack(rows), triplet)
        return found

    curves = (
        Curve("pull on the positive", "pull", _angles(), _slopes(lambda angle: of(angle, beside), _angles())),
        Curve("push on the negative", "push", _angles(), _slopes(lambda angle: of(beside, angle), _angles(), -1)),
    )
    said = "One triplet of unit vectors. The one whose angle to the anchor does not vary stands at 45°."
    return Picture(curves, "angle to the anchor", "slope, per radian", said)


def _penalty(loss: Any) -> Picture:
    """What a penalty does by itself, its parameters as they begin."""
    made, own = loss(in_dim=3, num_classes=CLASSES).double(), torch.tensor([0])
    if loss is CenterLoss:
        torch.nn.init.zeros_(made.centres)
    if loss in (CenterLoss, RingLoss):
        at = [0.3 * step for step in range(1, 81)]
        pull = Curve(loss.__name__, "pull", at, _slopes(lambda x: made(x * _axis(3, 0)[None], own, None), at))
        across, said = _LENGTHWISE[loss]
        return Picture((pull,), across, "slope", said, degrees=False)
    if loss is NegativeArc:
        weight = _class_weights(CLASSES)
        slopes = _slopes(lambda angle: made(_between(_axis(3, 0), _axis(3, 1), angle)[None], own, weight), _angles())
        said = f"Pull towards the own class, in a batch of one; the other {CLASSES - 1} stand at right angles."
        return Picture((Curve(loss.__name__, "pull", _angles(), slopes),), *_TURNED, said)
    of_pair, said = _PAIRWISE[loss]

    def varied(angle: Tensor) -> Tensor:
        return of_pair(made, torch.stack([_axis(3, 0), _between(_axis(3, 0), _axis(3, 1), angle)]))

    push = Curve(loss.__name__, "push", _angles(), _slopes(varied, _angles(), -1))
    return Picture((push,), "angle between", "slope, per radian", said)


def _of_embeddings(made: Any, pair: Tensor) -> Tensor:
    found: Tensor = made(pair, torch.tensor([0, 1]), None)
    return found


def _of_classes(made: Any, pair: Tensor) -> Tensor:
    far = -pair[:1].repeat(CLASSES - 2, 1)
    found: Tensor = made(pair[:1], torch.tensor([0]), torch.cat([pair, far]))
    return found


_TURNED = ("angle to the own class", "slope, per radian")
_LENGTHWISE: dict[type, tuple[str, str]] = {
    CenterLoss: ("distance to the class's centre", "Pull towards the centre."),
    RingLoss: (
        "length of the embedding",
        "Pull towards shorter embeddings; where it is negative, towards longer ones.",
    ),
}
_PAIRWISE: dict[type, tuple[Callable[[Any, Tensor], Tensor], str]] = {
    KoLeo: (_of_embeddings, "Push between an embedding and the one nearest to it, in a batch of two."),
    MinArc: (_of_classes, "Push between the weight vectors of a class and of the nearest other."),
}
