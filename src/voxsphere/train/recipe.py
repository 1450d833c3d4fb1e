"""The recipe: all choices that decide what a training run learns, every part a deferred constructor."""

import hashlib
import inspect
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

from torch import optim

from voxsphere.audio.augment.contract import Augmentation
from voxsphere.audio.augment.spec import SpecAugment
from voxsphere.core.errors import BadInput
from voxsphere.core.files import read_json, write_json
from voxsphere.core.kinds import check_parts
from voxsphere.core.parts import Json, describe, override, rebuild
from voxsphere.data.examples import Crops, Examples
from voxsphere.data.samplers import Sampler, Shuffled
from voxsphere.data.training_set import TrainingSet
from voxsphere.models.speaker import SpeakerModel
from voxsphere.train.average import Ema
from voxsphere.train.judging import Validation
from voxsphere.train.objectives import Objective
from voxsphere.train.parts import PARTS
from voxsphere.train.schedule import Schedule, Stopping
from voxsphere.train.start import Start
from voxsphere.train.validation import Verification
from voxsphere.zoo import named

_NAME = re.compile(r"[\w.-]+")

FORMAT = 1
"""The form of saved recipes and checkpoints; a later one is refused."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One training run, as far as it decides the result.

    `batch_size` is that of one update over all processes and pieces, so a recipe trains the same model on one device
    or on eight; each of its `accumulate` pieces goes through the network by itself. (Losses on tuples compare only the
    utterances of one piece: for `Metric` and `Joint` fewer and larger pieces are another training.)
    `learning_rate`, `margin` and `dropout` (its strength in networks that drop by a schedule) are functions of the
    progress. `clip` bounds the gradient's norm before each step. `keep` says which weights become the model: the last,
    those of the best validation, or the average of the last `average` epochs. `start` names the weights that the run
    begins from, random ones if it is left out, and what stays of them. `max_broken` is the share of unreadable files
    above which a run stops. `compute` is the precision of the forward pass; weights stay float32.
    """

    name: str
    data: Callable[[], TrainingSet]
    model: partial[SpeakerModel]
    objective: Callable[..., Objective]
    learning_rate: Callable[[], Schedule]
    start: Callable[[], Start] | None = None
    examples: Callable[[], Examples] = Crops
    sampler: Callable[..., Sampler] = Shuffled
    augment: tuple[Callable[[], Augmentation], ...] = ()
    masks: Callable[[], SpecAugment] | None = None
    optimizer: Callable[..., optim.Optimizer] = optim.Adam
    margin: Callable[[], Schedule] | None = None
    dropout: Callable[[], Schedule] | None = None
    batch_size: int = 64
    accumulate: int = 1
    epochs: int = 10
    clip: float | None = None
    compute: Literal["fp32", "bf16", "fp16"] = "fp32"
    ema: Callable[[], Ema] | None = None
    keep: Literal["last", "best", "average"] = "last"
    average: int = 10
    validation: Callable[[], Validation] = Verification
    stopping: Callable[[], Stopping] | None = None
    max_broken: float = 0.01
    seed: int = 0
    log_every: int = 20
    compile: bool = False

    def __post_init__(self) -> None:
        for name in ("batch_size", "accumulate", "epochs", "average", "log_every"):
            if getattr(self, name) < 1:
                raise BadInput(f"recipe.{name}: {getattr(self, name)} is none; give 1 or more")
        if self.clip is not None and not self.clip > 0:
            raise BadInput(f"recipe.clip: {self.clip} would stop all learning; give a length above 0, or null")
        if not 0 <= self.max_broken <= 1:
            raise BadInput(f"recipe.max_broken: {self.max_broken} is no share; give 0 to 1")
        if not -(2**63) <= self.seed < 2**63:
            raise BadInput(f"recipe.seed: {self.seed} is out of range; give a whole number of at most 18 digits")
        _check_rate(self.optimizer)

    def check(self) -> None:
        """`BadInput` where a part stands that cannot be meant there, or lacks an option; see `check_parts`."""
        check_parts(self, PARTS)

    def to_json(self) -> Json:
        """The complete recipe, every default spelled out."""
        return {"format": FORMAT, **_mapping(describe(self))}

    @property
    def hash(self) -> str:
        """Eight letters that stand for everything in the recipe."""
        return hashlib.sha256(json.dumps(self.to_json(), sort_keys=True).encode()).hexdigest()[:8]

    def with_options(self, *settings: str) -> "Recipe":
        """The recipe with `name=value` options changed, such as `model.encoder.width=1024`.

        `model` also takes the name of a network of the zoo: `model=ecapa-512`.
        """
        recipe = self
        for setting in settings:
            name, equals, text = setting.partition("=")
            if not equals:
                raise BadInput(f"--set {setting}: an option is changed by name=value")
            name, text = name.strip(), text.strip()
            if name == "model" and _NAME.fullmatch(text) and text not in PARTS:
                recipe = replace(recipe, model=named(text).model)
            else:
                recipe = override(recipe, name, text, PARTS)
        recipe.check()
        return recipe

    def save(self, path: str | Path) -> None:
        """Write the recipe as JSON."""
        write_json(path, self.to_json())

    @staticmethod
    def load(path: str | Path) -> "Recipe":
        """The recipe that `save` wrote; `BadInput` names what is strange in it, or that it is from a later version."""
        return from_json(read_json(path), str(path))


def _check_rate(optimizer: object) -> None:
    """`BadInput` for a learning rate given to the optimiser, where it would be overwritten by the schedule's."""
    if not isinstance(optimizer, partial):
        return
    options, known = optimizer.keywords, inspect.signature(optimizer.func).parameters
    # A recipe that was saved spells its defaults out.
    if "lr" in options and options["lr"] != known["lr"].default:
        raise BadInput(f"recipe.optimizer.lr: {options['lr']} would do nothing; the rate is set by learning_rate")
    _check_rate(options.get("base"))


def check_form(content: Any, where: str) -> dict[str, Json]:
    """`content` if it is a recipe's JSON of the form that this version knows; `where` names its file in an error."""
    if not isinstance(content, dict) or content.get("part") != "Recipe":
        raise BadInput(f"{where}: is no training recipe (its 'part' is not 'Recipe')")
    if content.get("format") != FORMAT:
        raise BadInput(
            f"{where}: is a recipe of form {content.get('format')}, this version reads {FORMAT}; update voxsphere"
        )
    return content


def from_json(content: Any, where: str) -> Recipe:
    """The recipe in `content`; `where` names its file in an error."""
    told = {name: value for name, value in check_form(content, where).items() if name != "format"}
    try:
        recipe = rebuild(told, PARTS | {"Recipe": Recipe})()
        recipe.check()
    except (BadInput, TypeError) as error:
        raise BadInput(f"{where}: {error}") from error
    assert isinstance(recipe, Recipe)
    return recipe


def differences(one: Json, other: Json, name: str = "") -> list[str]:
    """The options in which two descriptions differ, each as `name: this → that`."""
    if isinstance(one, dict) and isinstance(other, dict) and one.get("part") == other.get("part"):
        keys = list(dict.fromkeys([*one, *other]))
        return [d for key in keys for d in differences(one.get(key), other.get(key), f"{name}.{key}".strip("."))]
    return [] if one == other else [f"{name}: {_short(one)} → {_short(other)}"]


def _short(value: Json) -> str:
    text = str(value["part"]) if isinstance(value, dict) and "part" in value else json.dumps(value)
    return text if len(text) <= 40 else text[:39] + "…"


def _mapping(description: Json) -> dict[str, Json]:
    assert isinstance(description, dict)
    return description
