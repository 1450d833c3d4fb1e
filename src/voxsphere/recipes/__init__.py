"""Named systems: each a function that returns its `Recipe`. `find` also takes files, runs and folders of recordings."""

import runpy
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from voxsphere.core.errors import BadInput
from voxsphere.data.manifests import open_manifest
from voxsphere.data.training_set import training_set
from voxsphere.recipes.own_folder import own_folder, teaching_split
from voxsphere.recipes.small_corpus import small_corpus
from voxsphere.recipes.smoke import smoke
from voxsphere.recipes.synthetic_voices import synthetic_voices
from voxsphere.recipes.voxceleb import (
    campplus_voxceleb,
    ecapa_voxceleb,
    resnet34_voxceleb,
    xvector_voxceleb,
)
from voxsphere.train.recipe import Recipe

RECIPES: dict[str, Callable[[], Recipe]] = {
    "smoke": smoke,
    "synthetic_voices": synthetic_voices,
    "small_corpus": small_corpus,
    "xvector_voxceleb": xvector_voxceleb,
    "ecapa_voxceleb": ecapa_voxceleb,
    "resnet34_voxceleb": resnet34_voxceleb,
    "campplus_voxceleb": campplus_voxceleb,
}


def find(name: str, *, data: Path | None = None) -> tuple[Recipe, Path | None]:
    """The recipe that `name` means, and the run folder that it belongs to, if it has one.

    A name of `RECIPES`; a run folder or its recipe.json; a .py file with a function `recipe`; or a folder of speaker
    folders or a manifest, for which a small recipe is made. `data` is a manifest to learn from instead of the recipe's
    own.
    """
    path = Path(name)
    folder = None
    if name in RECIPES:
        recipe = RECIPES[name]()
    elif path.suffix == ".py":
        recipe = _from_python(path)
    elif path.suffix == ".json" or (path / "recipe.json").exists():
        file = path if path.suffix == ".json" else path / "recipe.json"
        recipe = Recipe.load(file)
        begun = any((file.parent / name).exists() for name in ("data.json", "checkpoints"))
        folder = file.parent if begun and data is None else None
    elif path.exists():
        recipe = own_folder(path)
    else:
        raise BadInput(
            f"no recipe {name!r}: not a file, not a folder, and not one of {', '.join(RECIPES)}; a folder to learn "
            "from holds a folder a speaker"
        )
    return (recipe if data is None else _with_data(recipe, data)), folder


def _with_data(recipe: Recipe, manifest: Path) -> Recipe:
    """The recipe on another manifest: what is said of the old one's parts no longer holds, how to judge still does.

    Of a manifest that says which rows are for training, only those are taken.
    """
    kept = recipe.data.keywords if isinstance(recipe.data, partial) and recipe.data.func is training_set else {}
    of_manifest = ("manifest", "split", "split_table", "datasets", "held_out_manifest", "trials")
    options = {name: value for name, value in kept.items() if name not in of_manifest}
    split = teaching_split(open_manifest(manifest))
    return replace(recipe, data=partial(training_set, manifest=str(manifest), split=split, **options))


def _from_python(path: Path) -> Recipe:
    if not path.exists():
        raise BadInput(f"{path}: no such file")
    try:
        made = runpy.run_path(str(path)).get("recipe")
        recipe = made() if callable(made) else made
    except BadInput:
        raise
    except Exception as error:  # it is the user's program, and may fail in any way
        raise BadInput(f"{path}: cannot be run ({type(error).__name__}: {error})") from error
    if not isinstance(recipe, Recipe):
        raise BadInput(f"{path}: has no function `recipe` that returns a voxsphere.train.recipe.Recipe")
    return recipe
