"""Weights that a module computes from its own, kept until those change."""

from collections.abc import Callable
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

Folded = tuple[Tensor, ...]

_Kept = tuple[list[Tensor], list[tuple[int, int]], Folded]

# Beside the modules, not in them: a copy, a saved file or a graph of a module holds nothing of this.
_KEPT: WeakKeyDictionary[nn.Module, dict[str, _Kept]] = WeakKeyDictionary()


def plainly_on_cpu(x: Tensor) -> bool:
    """Whether `x` is computed on a CPU as it is, without gradients, mixed precision or tracing.

    Only then may a module in evaluation take a path of its own that is faster there.
    """
    traced = torch.compiler.is_compiling() or torch.jit.is_tracing()  # type: ignore[attr-defined, no-untyped-call]
    return not (x.device.type != "cpu" or traced or torch.is_grad_enabled() or torch.is_autocast_enabled("cpu"))


def kept(module: nn.Module, own: list[Tensor], fold: Callable[[], Folded], *, form: str = "") -> Folded:
    """`fold()`, which depends on the tensors `own` alone; while no gradient is asked for, once for each state of them.

    `form` tells several foldings of one module apart. A tensor has changed if it is another one, lies elsewhere, or was
    written to by torch's own count, which every optimiser and `load_state_dict` keep. Only writing through `.data`,
    which goes by that count, is not seen.
    """
    # A traced graph must compute from the weights, and tensors made under inference_mode count no changes.
    if torch.is_grad_enabled() or torch.compiler.is_compiling() or any(tensor.is_inference() for tensor in own):
        return fold()
    state = [(tensor.data_ptr(), tensor._version) for tensor in own]
    forms = _KEPT.setdefault(module, {})
    found = forms.get(form)
    if found is not None and found[1] == state and all(a is b for a, b in zip(found[0], own, strict=True)):
        return found[2]
    folded = fold()
    forms[form] = (own, state, folded)
    return folded
