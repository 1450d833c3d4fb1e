"""Large-margin fine-tuning: a last stage with longer crops, a wide margin and a small rate."""

import inspect
from dataclasses import replace
from functools import partial
from typing import Any

from voxsphere.core.errors import BadInput
from voxsphere.data.examples import Crops
from voxsphere.train.recipe import Recipe
from voxsphere.train.schedule import Constant
from voxsphere.train.start import STAGE, Start


def large_margin(
    recipe: Recipe, *, seconds: float = 6.0, margin: float = 0.5, epochs: int = 5, rate: float = 1e-4
) -> Recipe:
    """The stage that follows `recipe`, a classification with a margin, in a `Stages`; its name is NAME_lm.

    Thienpondt, Desplanques & Demuynck 2021, The IDLab VoxSRC-20 submission, arXiv:2010.11255, as WeSpeaker's v2 recipes
    do it: crops of `seconds`, a wide `margin` from the first step on, and a small `rate`, here constant. The network
    and the class weights are those that `recipe` ends with. As there, the sped-up copies that count as further speakers
    are left out. What the start of `recipe` freezes stays frozen. WeSpeaker keeps their classes, of which no example
    comes any more, as impostors; here they go, and the weights of the others stay as they are. With a quarter of the
    batch and crops thrice as long an update takes less memory than before.

    The rate is for SGD with momentum: a recipe for Adam wants about a tenth of its own peak (`rate=1e-4` is one for
    1e-3, too). `BadInput` where the recipe's head asks for no margin.
    """
    data = recipe.data
    if isinstance(data, partial) and "speeds" in inspect.signature(data.func).parameters:
        data = partial(data.func, **{**data.keywords, "speeds": ()})
    frozen = () if recipe.start is None else recipe.start().freeze
    return replace(
        recipe,
        name=f"{recipe.name}_lm",
        start=partial(Start, model=f"{STAGE}{recipe.name}", head="carried", freeze=frozen),
        data=data,
        objective=_with_margin(recipe.objective, margin, recipe.name),
        examples=partial(Crops, length=seconds),
        learning_rate=partial(Constant, value=rate),
        margin=None,
        batch_size=max(2, recipe.batch_size // 4),
        epochs=epochs,
        keep="last",
        stopping=None,
    )


def _with_margin(part: Any, margin: float, name: str) -> Any:
    """The objective with this margin in its head, or in the head that its head wraps."""
    constructor, given = (part.func, part.keywords) if isinstance(part, partial) else (part, {})
    known = inspect.signature(constructor).parameters
    if "margin" in known and known["margin"].annotation is float:
        # WeSpeaker's inter-top-k head drops its penalty in this stage, too.
        unpunished = {"penalty": 0.0} if "penalty" in known else {}
        return partial(constructor, **{**given, "margin": margin, **unpunished})
    inner = given.get("head", known["head"].default if "head" in known else inspect.Parameter.empty)
    if inner is inspect.Parameter.empty:
        raise BadInput(f"large_margin: the head of recipe {name} asks for no margin that could be wider")
    return partial(constructor, **{**given, "head": _with_margin(inner, margin, name)})
