"""A model as a folder: `model.safetensors`, `recipe.json`, `card.json`."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save
from torch import Tensor

from voxsphere.catalogue import CATALOGUE
from voxsphere.core.errors import BadInput, one_line
from voxsphere.core.files import atomic, existing, read_json, sha256, write_json
from voxsphere.core.parts import chosen, describe, rebuild
from voxsphere.models.speaker import SpeakerModel
from voxsphere.pretrained.card import Card

FILES = ("model.safetensors", "recipe.json", "card.json")


@dataclass(frozen=True)
class Pretrained:
    """A model ready to use: in evaluation mode, with its card, and the fingerprint that score files carry."""

    model: SpeakerModel
    card: Card
    fingerprint: str
    folder: Path


def save_folder(
    recipe: "partial[SpeakerModel]",
    state: Mapping[str, Tensor],
    card: Card,
    folder: str | Path,
    *,
    replace: bool = True,
) -> Path:
    """Write a model folder whole: its parts are made beside `folder` and moved into place together.

    A part that was built from somebody else's files offers `settled(options)`, the options that need them no more.

    A folder that is there already is replaced (`replace` False: is refused), unless it holds the same: then it stays,
    and its readers are not disturbed. Where the new one cannot be moved in, the old one stays.
    """
    folder = Path(folder)
    if folder.name in ("", ".."):
        raise BadInput(f"{folder}: a model is moved into place as a whole folder; give it a name of its own")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    except OSError as error:
        raise BadInput(f"{folder}: cannot be written ({error.strerror}); choose a place you may write to") from error
    try:
        os.chmod(made, 0o755)
        write_json(made / "recipe.json", describe(_settled(recipe)))
        write_json(made / "card.json", card.to_json())
        with atomic(made / "model.safetensors", "wb") as file:  # as every file: who may read the card may read it
            file.write(save({name: value.detach().contiguous() for name, value in state.items()}))
        if not _same(made, folder):
            _move(made, folder, replace=replace)
    except OSError as error:
        if not _same(made, folder):  # somebody else may have made it meanwhile
            raise BadInput(f"{folder}: cannot be written ({error.strerror})") from error
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return folder


def _move(made: Path, folder: Path, *, replace: bool) -> None:
    """Move `made` to where `folder` is; what is there goes last, and comes back where the new one cannot be moved."""
    try:
        os.replace(made, folder)  # nothing is there, or an empty folder
        return
    except OSError:
        if folder.is_symlink() or not folder.is_dir() or _same(made, folder):
            raise
    if not replace:
        raise BadInput(f"{folder}: holds another model; choose a folder that is not there yet")
    aside = made.with_name(f"{made.name}.old")
    os.replace(folder, aside)
    try:
        os.replace(made, folder)
    except BaseException:
        os.replace(aside, folder)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def open_folder(folder: str | Path, *, extra: Mapping[str, Callable[..., Any]] | None = None) -> Pretrained:
    """Load a model folder; `extra` names classes of your own that its recipe may use.

    Raises `BadInput` naming the file that is missing, damaged, or does not fit the others.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise BadInput(f"{folder}: is not a model folder (it holds {', '.join(FILES)})")
    for name in FILES:
        if not (folder / name).exists():
            raise BadInput(f"{folder}: is not a model folder, it has no {name}")
    catalogue = {**CATALOGUE, **(extra or {})}
    recipe = _recipe(read_json(folder / "recipe.json"), catalogue, folder / "recipe.json")
    try:
        state = load_file(existing(folder / "model.safetensors"))
    except Exception as error:  # safetensors raises an exception class of its own for damaged files
        raise BadInput(f"{folder / 'model.safetensors'}: is damaged ({error}); copy the model again") from error
    model = build(recipe, state, where=str(folder))
    card = Card.from_json(read_json(folder / "card.json"), str(folder / "card.json"))
    return Pretrained(model, card, _fingerprint(folder, catalogue), folder)


def network_of(folder: str | Path) -> "partial[SpeakerModel]":
    """The recipe of a model folder's network, to make another of its kind; `BadInput` where it tells of none."""
    path = Path(folder) / "recipe.json"
    recipe = _recipe(read_json(path), CATALOGUE, path)
    if not isinstance(recipe, partial) or recipe.func is not SpeakerModel:
        raise BadInput(f"{path}: describes no SpeakerModel")
    return recipe


def build(recipe: Callable[[], Any], state: Mapping[str, Tensor], *, where: str) -> SpeakerModel:
    """The recipe's model with these weights, in evaluation mode."""
    try:
        with torch.random.fork_rng(
            devices=()
        ):  # building draws initial weights; the caller's generator must not notice
            model = recipe()
    except (TypeError, ValueError, AttributeError, RuntimeError, ArithmeticError, LookupError) as error:
        raise BadInput(f"{where}: recipe.json describes no model that can be built ({one_line(error)})") from error
    if not isinstance(model, SpeakerModel):
        raise BadInput(f"{where}: recipe.json describes no SpeakerModel")
    try:
        model.load_state_dict(dict(state), strict=True)
    except RuntimeError as error:
        raise BadInput(f"{where}: the weights do not fit the recipe ({str(error).splitlines()[1].strip()})") from error
    return model.eval()


def _recipe(content: Any, catalogue: Mapping[str, Callable[..., Any]], path: Path) -> Callable[[], Any]:
    try:
        recipe = rebuild(content, catalogue)
    except BadInput as error:
        raise BadInput(f"{path}: {error}") from error
    if not callable(recipe):
        raise BadInput(f"{path}: describes no part (it needs a name under 'part')")
    found: Callable[[], Any] = recipe
    return found


def _settled(part: Any) -> Any:
    """The part with all it names by value, so that the folder is enough to load it."""
    if isinstance(part, partial):
        options = {name: _settled(value) for name, value in part.keywords.items()}
        settle = getattr(part.func, "settled", None)
        return partial(part.func, **(options if settle is None else settle(options)))
    if isinstance(part, list | tuple):
        return tuple(_settled(item) for item in part)
    return part


def _same(one: Path, other: Path) -> bool:
    return all((other / name).exists() and sha256(one / name) == sha256(other / name) for name in FILES)


def _fingerprint(folder: Path, catalogue: Mapping[str, Callable[..., Any]]) -> str:
    # Weights and recipe together decide the embedding; the card does not, so a new calibration keeps old files valid,
    # and neither does an option that a part has gained since.
    recipe = json.dumps(chosen(read_json(folder / "recipe.json"), catalogue), sort_keys=True)
    return hashlib.sha256((sha256(folder / "model.safetensors") + recipe).encode()).hexdigest()[:12]
