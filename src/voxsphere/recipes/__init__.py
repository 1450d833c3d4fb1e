"""Named systems: each a function that returns its `Recipe`, or its `Stages` where it is trained in several runs.

`find` also takes files, runs and folders of recordings.
"""

import inspect
import runpy
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from voxsphere.core.errors import BadInput
from voxsphere.core.files import read_json
from voxsphere.core.parts import nearest
from voxsphere.data.manifests import open_manifest
from voxsphere.data.training_set import training_set
from voxsphere.recipes.own_folder import own_folder, teaching_split
from voxsphere.recipes.small_corpus import small_corpus
from voxsphere.recipes.smoke import smoke
from voxsphere.recipes.stages import softmax_then_margin, softmax_then_triplet
from voxsphere.recipes.synthetic_voices import synthetic_voices
from voxsphere.recipes.systems import FAMILIES, SYSTEMS
from voxsphere.recipes.voxceleb import (
    campplus_voxceleb,
    ecapa_voxceleb,
    ecapa_voxceleb_lm,
    resnet34_voxceleb,
    resnet34_voxceleb_lm,
    xvector_voxceleb,
)
from voxsphere.train.recipe import Recipe, from_json
from voxsphere.train.stages import Stages, is_stages, stages_from_json

RECIPES: dict[str, Callable[[], Recipe | Stages]] = {
    "smoke": smoke,
    "synthetic_voices": synthetic_voices,
    "small_corpus": small_corpus,
    "softmax_then_margin": softmax_then_margin,
    "softmax_then_triplet": softmax_then_triplet,
    "xvector_voxceleb": xvector_voxceleb,
    "ecapa_voxceleb": ecapa_voxceleb,
    "resnet34_voxceleb": resnet34_voxceleb,
    "campplus_voxceleb": campplus_voxceleb,
    "ecapa_voxceleb_lm": ecapa_voxceleb_lm,
    "resnet34_voxceleb_lm": resnet34_voxceleb_lm,
    **SYSTEMS,
}


def find(name: str, *, data: Path | None = None) -> tuple[Recipe | Stages, Path | None]:
    """The recipe that `name` means, or the stages, and the run folder that they belong to, if they have one.

    A name of `RECIPES`; a run folder or its recipe.json; a .py file with a function `recipe`; or a folder of speaker
    folders or a manifest, for which a small recipe is made. `data` is what to learn from instead of the recipe's own: a
    manifest, or for a reference system a folder in its own input form.
    """
    path = Path(name)
    folder = None
    recipe: Recipe | Stages
    if name in RECIPES:
        recipe = _of_name(name, data)
    elif (family := name.partition("/")[0]) in FAMILIES and not path.suffix:
        given = name.removeprefix(family).strip("/")
        said = f"no recipe of that name{nearest(given, names_of(family))}" if given else f"give {one_line_of(family)}"
        raise BadInput(f"{name}: {said}")
    elif path.suffix == ".py":
        recipe = _from_python(path)
    elif path.suffix == ".json" or (path / "recipe.json").exists():
        file = path if path.suffix == ".json" else path / "recipe.json"
        content = read_json(file)
        recipe = stages_from_json(content, str(file)) if is_stages(content) else from_json(content, str(file))
        begun = is_stages(content) or any((file.parent / name).exists() for name in ("data.json", "checkpoints"))
        folder = file.parent if begun and data is None else None
    elif path.exists():
        recipe = own_folder(path)
    else:
        raise BadInput(
            f"no recipe {name!r}: not a file, not a folder, and not one of {', '.join(listed())}; a folder to learn "
            "from holds a folder a speaker"
        )
    if data is None:
        return recipe, folder
    if isinstance(recipe, Stages):
        return replace(recipe, recipes=tuple(_with_data(stage, data) for stage in recipe.recipes)), folder
    return _with_data(recipe, data), folder


def listed() -> dict[str, str]:
    """What there is by name, each with the first line that is told of it; of a family one entry, `family/NAME`."""
    told: dict[str, str] = {}
    for name, made in RECIPES.items():
        family = name.partition("/")[0]
        if family in FAMILIES:
            told[f"{family}/NAME"] = f"{FAMILIES[family]} `voxsphere recipes {family}` lists the names."
        else:
            told[name] = (made.__doc__ or "").strip().splitlines()[0]
    return told


def names_of(family: str) -> list[str]:
    """The names of a family's recipes, without its own."""
    return [name.removeprefix(f"{family}/") for name in RECIPES if name.startswith(f"{family}/")]


def one_line_of(family: str) -> str:
    """What a family's recipes are called, in one line."""
    return f"{family}/NAME with NAME one of: {', '.join(names_of(family))}"


def _of_name(name: str, data: Path | None) -> Recipe | Stages:
    """The named recipe; one that looks at its data, such as how wide stored features are, is told where they lie."""
    make: Callable[..., Recipe | Stages] = RECIPES[name]
    looks = data is not None and "root" in inspect.signature(make).parameters
    return make(root=str(data)) if looks else make()


def _with_data(recipe: Recipe, manifest: Path) -> Recipe:
    """The recipe on another manifest: what is said of the old one's parts no longer holds, how to judge still does.

    Of a manifest that says which rows are for training, only those are taken. Data that have a `root` get another one.
    """
    if "root" in inspect.signature(recipe.data).parameters:
        return replace(recipe, data=partial(recipe.data, **{"root": str(manifest)}))
    kept = recipe.data.keywords if isinstance(recipe.data, partial) and recipe.data.func is training_set else {}
    of_manifest = ("manifest", "split", "split_table", "datasets", "held_out_manifest", "trials")
    options = {name: value for name, value in kept.items() if name not in of_manifest}
    split = teaching_split(open_manifest(manifest))
    return replace(recipe, data=partial(training_set, manifest=str(manifest), split=split, **options))


def _from_python(path: Path) -> Recipe | Stages:
    if not path.exists():
        raise BadInput(f"{path}: no such file")
    try:
        made = runpy.run_path(str(path)).get("recipe")
        recipe = made() if callable(made) else made
    except BadInput:
        raise
    except Exception as error:  # it is the user's program, and may fail in any way
        raise BadInput(f"{path}: cannot be run ({type(error).__name__}: {error})") from error
    if not isinstance(recipe, Recipe | Stages):
        raise BadInput(f"{path}: has no function `recipe` that returns a voxsphere.train.recipe.Recipe (or Stages)")
    return recipe
