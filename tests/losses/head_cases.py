"""Heads as the tests build them, and the slow loops that they are held against."""

import math
from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import Tensor, nn

from voxsphere.losses.a_softmax import ASoftmax
from voxsphere.losses.circle import CircleSoftmax
from voxsphere.losses.curricular import CurricularAam
from voxsphere.losses.dynamic_margin import DynamicMargin
from voxsphere.losses.focal import Focal
from voxsphere.losses.hyperbolic import HyperbolicAam
from voxsphere.losses.inter_top_k import InterTopKAam
from voxsphere.losses.logistic_margin import LogisticMargin
from voxsphere.losses.margin import AamSoftmax, AmSoftmax
from voxsphere.losses.smoothing import LabelSmoothing
from voxsphere.losses.softmax import Softmax
from voxsphere.losses.sphereface2 import SphereFace2
from voxsphere.losses.sub_centre import SubCentreAam

BATCH, DIM, CLASSES = 6, 5, 7

HEADS: dict[str, Callable[..., nn.Module]] = {
    "softmax": Softmax,
    "softmax of unit vectors": partial(Softmax, normalised=True),
    "am": partial(AmSoftmax, margin=0.3, scale=15.0),
    "aam": partial(AamSoftmax, margin=0.4, scale=20.0),
    "a-softmax 1": partial(ASoftmax, margin=1, plain=3.0),
    "a-softmax 2": partial(ASoftmax, margin=2, plain=0.5),
    "a-softmax 3": partial(ASoftmax, margin=3, plain=1.0),
    "a-softmax 4": partial(ASoftmax, margin=4, plain=0.0),
    "logistic": partial(LogisticMargin, margin=3.0, scale=8.0),
    "logistic, normalised": partial(LogisticMargin, margin=5.0, scale=10.0, normalised=True),
    "dynamic": partial(DynamicMargin, margin=0.3, scale=10.0, divisor=1.5),
    "sub-centre": partial(SubCentreAam, margin=0.4, scale=10.0),
    "inter-top-k": partial(InterTopKAam, margin=0.4, scale=10.0, top=2, penalty=0.1),
    "circle": partial(CircleSoftmax, margin=0.3, scale=12.0),
    "sphereface2": partial(SphereFace2, margin=0.3, scale=6.0),
    "curricular": partial(CurricularAam, margin=0.3, scale=10.0),
    "hyperbolic": partial(HyperbolicAam, margin=0.3, scale=4.0),
    "smoothed aam": partial(LabelSmoothing, head=partial(AamSoftmax, margin=0.4, scale=10.0), epsilon=0.2),
    "focal aam": partial(Focal, head=partial(AamSoftmax, margin=0.4, scale=10.0), gamma=1.5),
}


def build(name: str, num_classes: int = CLASSES, dim: int = DIM) -> nn.Module:
    """A head in float64, past its first state, not training (`CurricularAam` would move on with every look)."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        head = HEADS[name](dim, num_classes).double().eval()
        for key, value in [*head.named_parameters(), *head.named_buffers()]:
            if key.endswith("weight"):
                nn.init.normal_(value, std=0.4)
            elif key in ("bias", "shift"):
                nn.init.normal_(value)
            elif key == "scale":
                value.data.mul_(torch.empty_like(value).uniform_(0.8, 1.2))
            elif key == "typical":
                value.fill_(0.4)
    return head


def drawn(*shape: int, seed: int = 1) -> Tensor:
    """Normal numbers in float64, the same every time."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def speakers() -> Tensor:
    """A class for each row of a batch."""
    return torch.tensor([0, 6, 3, 3, 1, 5])


def soft_targets() -> Tensor:
    """Shares of the classes for each row, some of them 0."""
    shares = drawn(BATCH, CLASSES, seed=2).softmax(1)
    return torch.where(shares < 0.05, 0, shares)


def one_hot(speaker: Tensor) -> Tensor:
    """The soft targets that say the same as classes."""
    return nn.functional.one_hot(speaker, CLASSES).double()


def slow_cosine(a: list[float], b: list[float]) -> float:
    """Of the angle between two vectors."""
    return sum(x * y for x, y in zip(a, b, strict=True)) / math.hypot(*a) / math.hypot(*b)


def slow_aam(cosine: float, margin: float) -> float:
    """cos(t + m), and past π the line that goes on falling."""
    angle = math.acos(max(-1.0, min(1.0, cosine)))
    return math.cos(angle + margin) if angle + margin < math.pi else cosine - margin * math.sin(margin)


def slow_cross_entropy(logits: list[float], true: int) -> float:
    """In nats, with the largest logit taken out of the sum."""
    most = max(logits)
    return most + math.log(math.fsum(math.exp(z - most) for z in logits)) - logits[true]


def situations(head: nn.Module) -> dict[str, Tensor]:
    """Embeddings somewhere, next to their classes and opposite to them."""
    centres = head.weight.detach().view(CLASSES, -1, DIM)[speakers(), 0]
    near = 0.05 * drawn(BATCH, DIM)
    return {
        "anywhere": drawn(BATCH, DIM),
        "small": 0.1 * drawn(BATCH, DIM),
        "near": centres + near,
        "opposite": near - centres,
    }


def assert_by_loops(head: nn.Module, slow: Callable[[nn.Module, list[float], int], list[float]]) -> None:
    """The penalised logits, and the loss of classes and of soft targets, are those of `slow(head, row, true class)`."""
    for where, embedding in situations(head).items():
        rows = embedding.tolist()
        wanted = [slow(head, row, c) for row, c in zip(rows, speakers().tolist(), strict=True)]
        found = head.penalised(embedding, speakers())
        torch.testing.assert_close(found, torch.tensor(wanted, dtype=torch.float64), rtol=1e-8, atol=1e-8, msg=where)
        losses = [slow_cross_entropy(z, c) for z, c in zip(wanted, speakers().tolist(), strict=True)]
        assert head(embedding, speakers()).item() == pytest.approx(sum(losses) / BATCH, rel=1e-8, abs=1e-12), where
        total = 0.0
        for row, shares in zip(rows, soft_targets().tolist(), strict=True):
            total += sum(q * slow_cross_entropy(slow(head, row, c), c) for c, q in enumerate(shares))
        assert head(embedding, soft_targets()).item() == pytest.approx(total / BATCH, rel=1e-8), where
