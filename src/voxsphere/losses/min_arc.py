"""Class weights far apart: a penalty on the arcs between a head's weight vectors."""

from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from voxsphere.core.errors import BadInput
from voxsphere.losses.head import check_classes, check_positive, precisely
from voxsphere.losses.penalties import check_more_than_one, checked_classes


class MinArc(nn.Module):
    """The form "arc": −weight · mean_i min_{j≠y_i} θ(w_{y_i}, w_j), the arc in radians to the nearest other class.

    Wang, Xiang, Zou and Xu 2020, MMA Regularization, arXiv:2006.06527. The form "energy" is
    weight · mean_i mean_{j≠y_i} ‖ŵ_{y_i} − ŵ_j‖^−2, the hyperspherical energy with s = 2 of Liu et al. 2018, Learning
    towards Minimum Hyperspherical Energy, arXiv:1805.09298, eq. 1: all other classes push, the nearest most.

    Both papers run over all classes; here i runs over the batch, so that a hundred thousand classes make no table of
    their square. Nearest is searched without gradient. The weight is ours. (The SpkVer system's class of this name
    moves the negatives' angles instead: `NegativeArc`.)
    """

    def __init__(
        self, in_dim: int, num_classes: int, *, weight: float = 0.1, form: Literal["arc", "energy"] = "arc"
    ) -> None:
        super().__init__()
        if form not in ("arc", "energy"):
            raise BadInput(f"form: {form!r} is not one of arc, energy")
        self.num_classes = check_more_than_one(num_classes)
        self.weight, self.form = check_positive("weight", weight), form

    def forward(
        self,
        embedding: Float[Tensor, "batch dim"],
        speaker: Int[Tensor, " batch"],
        classes: Float[Tensor, "classes dim"] | None,
    ) -> Float[Tensor, ""]:
        """The weighted mean over the batch's classes; of the embeddings only the number is read."""
        with precisely(embedding):
            unit = functional.normalize(checked_classes(embedding, classes, self.num_classes))
            true = check_classes(speaker, len(embedding), len(unit))
            return self.weight * (self._arcs if self.form == "arc" else self._energy)(unit, true)

    def _arcs(self, unit: Tensor, true: Tensor) -> Tensor:
        with torch.no_grad():
            nearest = (unit[true] @ unit.T).scatter(1, true[:, None], -torch.inf).argmax(1)
        return -_arc(unit[true], unit[nearest]).mean()

    def _energy(self, unit: Tensor, true: Tensor) -> Tensor:
        # Two classes in one place would push with endless force.
        force = (2 - 2 * unit[true] @ unit.T).clamp_min(1e-6).reciprocal()
        return force.scatter(1, true[:, None], 0).sum(1).mean() / (len(unit) - 1)


def _arc(a: Float[Tensor, "n dim"], b: Float[Tensor, "n dim"]) -> Float[Tensor, " n"]:
    """Between unit vectors; an arccos would lose its digits, and its gradient, where they nearly meet."""
    return 2 * torch.atan2(torch.linalg.vector_norm(a - b, dim=1), torch.linalg.vector_norm(a + b, dim=1))
