"""The parts of a recipe made into what is trained; what they cannot be made into is told in one line."""

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from torch import nn
from torch.optim import LBFGS, Optimizer, SparseAdam

from voxsphere.core.errors import BadInput, flattened
from voxsphere.core.parts import classes_of
from voxsphere.core.random import stream
from voxsphere.data.dataset import Items
from voxsphere.data.loader import Plan, Share
from voxsphere.data.training_set import TrainingSet
from voxsphere.models.speaker import SpeakerModel
from voxsphere.train.feed import feed
from voxsphere.train.judging import check_judges
from voxsphere.train.parameters import parameter_groups
from voxsphere.train.parts import PARTS
from voxsphere.train.recipe import Recipe
from voxsphere.train.sam import Sam
from voxsphere.train.schedule import Progress, Schedule
from voxsphere.train.start import freeze

FAILURES = (TypeError, ValueError, ArithmeticError, AttributeError, LookupError, RuntimeError)
"""What torch and Python say of options that are of the right kind, and senseless."""

LONG_ENOUGH = 5.0
"""Seconds: the trial of the network takes no longer example, whose length cannot be what is wrong."""


@dataclass(frozen=True)
class Assembly:
    """What is trained (on the CPU yet), what trains it, and what it is fed with; the share is this process's."""

    model: SpeakerModel
    objective: nn.Module
    optimizer: Optimizer
    learning_rate: Schedule
    margin: Schedule | None
    dropout: Schedule | None
    items: Items
    plan: Plan
    share: Share


def accelerator_of(recipe: Recipe, *, cpu: bool) -> Accelerator:
    """The devices, processes and precision of a run; `BadInput` where they do not know the recipe's `compute`."""
    if recipe.compute == "fp16" and (cpu or not torch.cuda.is_available()):
        raise BadInput("compute fp16 needs a GPU; take bf16, which CPUs know too: --set compute=bf16")
    # Accelerate keeps one state a process and would refuse a second run with another precision.
    AcceleratorState._reset_state()
    precision = "no" if recipe.compute == "fp32" else recipe.compute
    # Without a GPU, several processes find each other only if Accelerate is told to stay on the CPU.
    return Accelerator(cpu=cpu or not torch.accelerator.is_available(), mixed_precision=precision)


def assemble(recipe: Recipe, data: TrainingSet, accelerator: Accelerator) -> Assembly:
    """Make the recipe's parts, seeded by it, and let the network take one example.

    `BadInput` names the part that cannot be made of its options, and says what does not go together.
    """
    torch.manual_seed(recipe.seed)
    with _telling("model", recipe.model):
        model = recipe.model()
    with _telling("objective", recipe.objective):
        objective = recipe.objective(model=model, num_speakers=len(data.train.speakers), **_domains(recipe, data))
    if not isinstance(objective, nn.Module):
        raise BadInput(f"objective: {type(objective).__name__} is no torch.nn.Module, which it is to be")
    _check_wishes(recipe, objective)
    check_judges(recipe.validation(), data, objective)
    if recipe.start is not None:
        freeze(model, recipe.start().freeze)
    optimizer = _optimizer(recipe, objective)
    with _telling("sampler, examples, augment or masks", recipe.sampler, recipe.examples, recipe.augment, recipe.masks):
        items, plan = feed(recipe, data, model)
    share = Share(accelerator.process_index, accelerator.num_processes, recipe.accumulate)
    share.check(recipe.batch_size, plan.examples.places.count)
    _check_pieces(objective, recipe.batch_size // (share.world * share.micro))
    _try_example(recipe, model, plan)
    begin = Progress(0, recipe.epochs * plan.steps_per_epoch, plan.steps_per_epoch)
    learning_rate = _schedule("learning_rate", recipe.learning_rate, begin)
    margin = None if recipe.margin is None else _schedule("margin", recipe.margin, begin)
    if margin is not None:
        _try_margins(objective, margin, begin)
    dropout = None if recipe.dropout is None else _schedule("dropout", recipe.dropout, begin)
    return Assembly(model, objective, optimizer, learning_rate, margin, dropout, items, plan, share)


def _domains(recipe: Recipe, data: TrainingSet) -> dict[str, int]:
    """How many domains the data tell apart, for an objective that asks."""
    if "num_domains" not in inspect.signature(recipe.objective).parameters:
        return {}
    if len(data.domain_names) < 2:
        only = f"; {data.domain} is {data.domain_names[0]} throughout" if data.domain else ""
        raise BadInput(
            f"objective: learns to tell domains apart, and the data name no two{only}; name a column of the manifest "
            "that does: --set data.domain=session (or dataset, language, gender, any other)"
        )
    return {"num_domains": len(data.domain_names)}


@contextmanager
def _telling(name: str, *parts: Any) -> Iterator[None]:
    """Turn the errors of constructors into `BadInput`, where all the parts are the toolkit's.

    In somebody's own class the error may be the class's, and its author wants to know where.
    """
    try:
        yield
    except BadInput:
        raise
    except FAILURES as error:
        if set(classes_of(list(parts)).values()) - set(PARTS.values()):
            raise
        raise BadInput(f"{name}: cannot be made of the options given ({_reason(error)}); change them") from error


def _schedule(name: str, made: Callable[[], Schedule], begin: Progress) -> Schedule:
    with _telling(name, made):
        schedule = made()
        schedule(begin)
    return schedule


def _try_margins(objective: nn.Module, margin: Schedule, begin: Progress) -> None:
    """`BadInput` if the head refuses the schedule's first margin, or its last; leaves no trace in the objective."""
    set_margin = getattr(objective, "set_margin", None)
    if set_margin is None:
        return
    beside = {name: buffer for name, buffer in objective.named_buffers() if not name.startswith("model.")}
    before = {name: buffer.clone() for name, buffer in beside.items()}
    try:
        for step in (0, begin.steps - 1):
            value = margin(replace(begin, step=step))
            try:
                set_margin(value)
            except BadInput as error:
                raise BadInput(f"margin: the schedule says {value:.4g} at step {step}; {error}") from error
    finally:
        for name, buffer in beside.items():
            buffer.copy_(before[name])


def _try_example(recipe: Recipe, model: SpeakerModel, plan: Plan) -> None:
    """`BadInput` if the network cannot take one of the shortest examples; leaves no trace in it, or in randomness."""
    known = [seconds for seconds in plan.durations if seconds is not None]
    shortest = [min(known, default=None)]
    drawn = min(plan.examples.seconds(shortest, stream("trial of the examples", i)) for i in range(20))
    seconds = min(drawn, LONG_ENOUGH)
    training = [module for module in model.modules() if module.training]
    try:
        with torch.random.fork_rng(devices=()), torch.no_grad():
            model.eval()
            model(model.zeros(seconds))
    except FAILURES as error:
        if set(classes_of(recipe.model).values()) - set(PARTS.values()):
            raise
        raise BadInput(
            f"model: cannot take an example of {seconds:.3g} s ({_reason(error)}); take longer examples (--set "
            "examples.length=…), or other options or parts of the model"
        ) from error
    finally:
        for module in training:
            module.training = True


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {flattened(error)}"


def _optimizer(recipe: Recipe, objective: nn.Module) -> Optimizer:
    groups = parameter_groups(objective)
    if not any(group["params"] for group in groups):
        raise BadInput("start.freeze: leaves nothing that could learn; freeze fewer parts")
    try:
        optimizer = recipe.optimizer(groups)
    except (ValueError, TypeError) as error:
        raise BadInput(f"optimizer: cannot be made for this model ({error}); choose another, such as AdamW") from error
    if isinstance(optimizer, SparseAdam):
        raise BadInput("optimizer: SparseAdam takes only sparse gradients, which no part here has; choose AdamW")
    if recipe.compute == "fp16" and isinstance(optimizer, Sam | LBFGS):
        raise BadInput(
            f"{type(optimizer).__name__} cannot train in fp16, whose scaled gradients it would take as "
            "they are; take --set compute=bf16"
        )
    return optimizer


def _check_wishes(recipe: Recipe, objective: nn.Module) -> None:
    """`BadInput` where what the recipe asks for has nothing in a toolkit's objective that it could mean."""
    if set(classes_of(recipe.objective).values()) - set(PARTS.values()):
        return  # somebody's own: who knows
    kind = type(objective).__name__
    if "error" in recipe.validation().figure.split("*") and getattr(objective, "head", None) is None:
        raise BadInput(f"validation.figure: error is 1 − accuracy, and {kind} has none here; choose eer, or loss")
    inside = [module for module in objective.modules() if module is not objective and hasattr(module, "set_margin")]
    if recipe.margin is not None and all(hasattr(module, "head") for module in inside):  # wrappers only pass it on
        raise BadInput(
            f"recipe.margin: {kind} has none here that a schedule could set; leave it out (--set margin=null)"
        )


def _check_pieces(objective: nn.Module, size: int) -> None:
    normed = any(
        isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d) and module.training for module in objective.modules()
    )
    if size < 2 and normed:
        raise BadInput("one utterance a piece has no spread for batch norm; take a larger batch_size, or fewer pieces")
