"""Several recipes in a row, each of which begins from the weights of one before it."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from voxsphere.core.errors import BadInput
from voxsphere.core.files import check_writable, read_json, write_json
from voxsphere.core.parts import Json, nearest
from voxsphere.train.recipe import FORMAT, Recipe, differences, from_json
from voxsphere.train.run import Outcome
from voxsphere.train.start import STAGE

_NUMBERED = re.compile(r"(\d+)\.(.*)", re.DOTALL)


@dataclass(frozen=True)
class Stages:
    """A system that is trained in several runs, in folders `1-NAME`, `2-NAME` … of one folder.

    Every recipe but the first has a `start`; `stage:NAME` in it means the run of the earlier recipe of that name.
    """

    name: str
    recipes: tuple[Recipe, ...]

    def __post_init__(self) -> None:
        if not self.recipes:
            raise BadInput(f"{self.name}: has no stages; give one recipe or more")
        twice = [name for name, count in Counter(recipe.name for recipe in self.recipes).items() if count > 1]
        if twice:
            raise BadInput(f"{self.name}: two of its stages are named {twice[0]}; give each a name of its own")
        for i, recipe in enumerate(self.recipes):
            self._check_start(i, recipe)

    def _check_start(self, i: int, recipe: Recipe) -> None:
        if recipe.start is None:
            if i:
                raise BadInput(
                    f"{self.name}: its stage {i + 1} ({recipe.name}) begins from nothing; give it a start, such as "
                    f"Start(model='{STAGE}{self.recipes[i - 1].name}')"
                )
            return
        model, before = recipe.start().model, [earlier.name for earlier in self.recipes[:i]]
        if model.startswith(STAGE) and model.removeprefix(STAGE) not in before:
            raise BadInput(
                f"{self.name}: its stage {i + 1} ({recipe.name}) begins from {model}, which is none before it"
                f"{nearest(model.removeprefix(STAGE), before) if before else ''}"
            )

    def to_json(self) -> Json:
        """All recipes in full."""
        recipes = [recipe.to_json() for recipe in self.recipes]
        return {"format": FORMAT, "part": "Stages", "name": self.name, "recipes": recipes}

    @property
    def hash(self) -> str:
        """Eight letters that stand for everything in the recipes."""
        return hashlib.sha256(json.dumps(self.to_json(), sort_keys=True).encode()).hexdigest()[:8]

    def with_options(self, *settings: str) -> "Stages":
        """The stages with options changed: `name=value` in every stage, `2.name=value` in the second alone.

        `BadInput` names the stage that has no such option.
        """
        shares: list[list[str]] = [[] for _ in self.recipes]
        for setting in settings:
            if (numbered := _NUMBERED.fullmatch(setting.strip())) is None:
                for share in shares:
                    share.append(setting)
                continue
            number = int(numbered[1])
            if not 1 <= number <= len(shares):
                known = ", ".join(f"{i} ({recipe.name})" for i, recipe in enumerate(self.recipes, 1))
                raise BadInput(f"--set {setting}: there is no stage {number}; there are {known}")
            shares[number - 1].append(numbered[2])
        return replace(self, recipes=tuple(self._changed(i, share) for i, share in enumerate(shares)))

    def _changed(self, i: int, settings: list[str]) -> Recipe:
        try:
            return self.recipes[i].with_options(*settings)
        except BadInput as error:
            raise BadInput(
                f"stage {i + 1} ({self.recipes[i].name}): {error}; --set {i + 1}.NAME=VALUE is for this stage alone"
            ) from error

    def folder(self, whole: Path, number: int) -> Path:
        """The run folder of stage `number`, from 1, in the folder of the whole."""
        return whole / f"{number}-{self.recipes[number - 1].name}"

    def in_turn(self, whole: Path, run: Callable[[Recipe, Path], Outcome]) -> Iterator[tuple[Recipe, Outcome]]:
        """Let `run` take each stage and its folder, in order; ends with one that was stopped.

        The next stage begins when its predecessor's outcome has been dealt with.
        """
        for number, recipe in enumerate(self.recipes, 1):
            outcome = run(recipe, self.folder(whole, number))
            yield recipe, outcome
            if not outcome.finished:
                return

    def claim(self, whole: Path) -> None:
        """Make the folder that of these stages; `BadInput` where it is another run's."""
        path = whole / "recipe.json"
        if not path.exists():
            if any(whole.glob("checkpoints/step-*")):
                raise BadInput(f"{whole}: holds the run of a single recipe; choose another --out")
            check_writable(path)
            write_json(path, self.to_json())
            return
        if is_stages(content := read_json(path)):
            earlier = stages_from_json(content, str(path))
            if changed := _changes(earlier, self):
                more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
                raise BadInput(f"{whole}: holds a run of other stages ({changed[0]}{more}); choose another --out")
        else:
            raise BadInput(f"{whole}: holds the run of a single recipe; choose another --out")


def whole_name(folder: Path, recipe: Recipe) -> str:
    """What the model of a run in this folder is called: by its recipe; a stage's, by its system's name first."""
    folder = folder.resolve()
    whole = folder.parent / "recipe.json"
    if not re.fullmatch(rf"\d+-{re.escape(recipe.name)}", folder.name) or not whole.exists():
        return recipe.name
    content = read_json(whole)
    return f"{stages_from_json(content, str(whole)).name}, {recipe.name}" if is_stages(content) else recipe.name


def is_stages(content: Any) -> bool:
    """Whether this is the JSON of stages, whatever is wrong inside."""
    return isinstance(content, dict) and content.get("part") == "Stages"


def stages_from_json(content: Any, where: str) -> Stages:
    """The stages in `content`; `where` names its file in an error."""
    if content.get("format") != FORMAT:
        raise BadInput(
            f"{where}: are stages of form {content.get('format')}, this version reads {FORMAT}; update voxsphere"
        )
    recipes = content.get("recipes")
    if not isinstance(recipes, list) or not isinstance(content.get("name"), str):
        raise BadInput(f"{where}: tells of no stages (it needs a name, and recipes)")
    made = tuple(from_json(recipe, f"{where}: stage {i}") for i, recipe in enumerate(recipes, 1))
    try:
        return Stages(content["name"], made)
    except BadInput as error:
        raise BadInput(f"{where}: {error}") from error


def _changes(earlier: Stages, now: Stages) -> list[str]:
    if len(earlier.recipes) != len(now.recipes):
        return [f"{len(earlier.recipes)} stages → {len(now.recipes)}"]
    pairs = zip(earlier.recipes, now.recipes, strict=True)
    changed = [
        d for i, (one, other) in enumerate(pairs, 1) for d in differences(one.to_json(), other.to_json(), f"{i}")
    ]
    return changed or ([] if earlier.name == now.name else [f"name: {earlier.name} → {now.name}"])
