"""The weights that a run begins from, and which parts of the network stay as they come."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from torch import nn

from voxsphere.core.errors import BadInput
from voxsphere.core.parts import nearest

STAGE = "stage:"
"""How the name of a stage begins, in the start of a later one."""


@dataclass(frozen=True, kw_only=True)
class Start:
    """Begin from another model's weights, not from random ones; they fit by name and shape, all of them.

    `model` says whose: a known model, a model folder, an address, a hub id (as `voxsphere.load` takes them), a run
    folder (the weights that it keeps), or `stage:NAME`, the stage of that name in the same `Stages`.

    `head` says where the objective's class weights begin: "new" as without a start; "carried" as the run left them in
    its newest checkpoint, by the names of the speakers, each of whom that run must have learnt (also those of `Softmax`
    by another head, whose scales and shifts are new then); "means" in the
    direction of each speaker's mean embedding by the start's model (Qi, Brown & Lowe 2018, Low-shot learning with
    imprinted weights, arXiv:1712.07136), with the length that they have at random.

    `freeze` names parts of the network ("features", "encoder", "pooling", "projection", or parts within, such as
    "encoder.layers.0"). They take no gradient, are left out of the optimiser, and stay in evaluation mode: batch norms
    normalise by the statistics that came with the weights, and leave them alone; nothing is dropped out.
    """

    model: str
    head: Literal["new", "carried", "means"] = "new"
    freeze: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.model:
            raise BadInput("start.model: names nothing; give a model's name, a model folder or a run folder")
        if self.head not in ("new", "carried", "means"):
            raise BadInput(f"start.head: is 'new', 'carried' or 'means', not {self.head!r}")


def freeze(model: nn.Module, parts: Iterable[str]) -> None:
    """Let these parts of a model learn nothing and change nothing of themselves; see `Start`."""
    for name in parts:
        known = dict(model.named_modules())
        if not name or name not in known:
            top = [part for part, _ in model.named_children()]
            close = nearest(name, known if "." in name else top)
            raise BadInput(f"start.freeze: the model has no part {name!r}{close if len(close) < 400 else ''}")
        known[name].requires_grad_(False).eval()
