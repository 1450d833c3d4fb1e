"""Which parameters are trained, and at what rate: the groups for the one optimiser."""

from typing import Any

from torch import nn


def parameter_groups(objective: nn.Module) -> list[dict[str, Any]]:
    """Everything that wants a gradient, in groups for a torch optimiser.

    A part may offer `parameter_groups()`: dicts with "params", perhaps a "rate" (a factor to the scheduled learning
    rate) and the optimiser's own options, such as "weight_decay". The rest makes one group.
    """
    special: list[dict[str, Any]] = []
    for module in objective.modules():
        offered = getattr(module, "parameter_groups", None)
        if offered is not None:
            groups = [{**group, "params": [p for p in group["params"] if p.requires_grad]} for group in offered()]
            special += [group for group in groups if group["params"]]
    taken = {id(parameter) for group in special for parameter in group["params"]}
    rest = [p for p in objective.parameters() if p.requires_grad and id(p) not in taken]
    return [{"params": rest}, *special]
