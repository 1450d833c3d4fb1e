"""Hyperbolic additive margin: classes by their distance in the Poincaré ball."""

import math

import torch
from torch import Tensor, nn

from voxsphere.losses.head import check_positive, checked, class_weights
from voxsphere.losses.scheduled_margin import ScheduledMargin
from voxsphere.losses.softmax_head import PushedHead

EDGE = 1e-5
"""The share of the ball's radius that no point comes nearer to its edge, where distances have no end."""


class HyperbolicAam(ScheduledMargin, PushedHead):
    """Hyperbolic additive margin softmax (HAM): the true class's logit is −s·(d + m), the others' −s·d.

    Fang and He 2026, Hyperbolic Additive Margin Softmax with Hierarchical Information for Speaker Verification,
    arXiv:2601.19709. d is the distance in the Poincaré ball of curvature −c,
    d(x, w) = arcosh(1 + 2c·‖x − w‖²/((1 − c‖x‖²)(1 − c‖w‖²)))/√c, between the embedding and the class's weight, either
    brought back to (1 − 10⁻⁵)/√c where it is longer; so the length of an embedding matters within the ball only.
    `margin` is a distance, 0 or more. Class weights begin near the origin (deviation 10⁻³), as in WeSpeaker's head.

    The distance is taken as its equal 2·arsinh(√c·‖x − w‖/√((1 − c‖x‖²)(1 − c‖w‖²)))/√c, which needs no floor where
    x = w; differences are taken one by one, since those by way of the inner product are lost in rounding near the
    edge. (WeSpeaker leaves c out of the distance: the same for c = 1.)
    """

    def __init__(
        self, in_dim: int, num_classes: int, *, margin: float = 0.2, scale: float = 30.0, curvature: float = 1.0
    ) -> None:
        super().__init__()
        self.weight = class_weights(in_dim, num_classes)
        nn.init.normal_(self.weight, std=1e-3)
        self.scale, self.curvature = check_positive("scale", scale), check_positive("curvature", curvature)
        self._begin_with(margin, most=math.inf)

    def _logits(self, embedding: Tensor) -> Tensor:
        x, w = _within(checked(embedding, self.weight), self.curvature), _within(self.weight, self.curvature)
        apart = torch.cdist(x, w, compute_mode="donot_use_mm_for_euclid_dist")
        wide = (_room(x, self.curvature)[:, None] * _room(w, self.curvature)).sqrt()
        root = math.sqrt(self.curvature)
        return -2 * self.scale / root * (root * apart / wide).asinh()

    def _push(self, true: Tensor, embedding: Tensor) -> Tensor:
        return true - self.scale * self.margin


def _within(points: Tensor, curvature: float) -> Tensor:
    """The points, those too long brought back to just within the edge of the ball."""
    length: Tensor = torch.linalg.vector_norm(points, dim=1, keepdim=True).clamp_min(EDGE)
    return points * ((1 - EDGE) / math.sqrt(curvature) / length).clamp_max(1)


def _room(points: Tensor, curvature: float) -> Tensor:
    squared: Tensor = curvature * points.square().sum(1)
    return 1 - squared
