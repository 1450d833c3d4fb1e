"""A model over stored features as one over waves: with the front end that made them inside."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from voxsphere.audio.stored import Stored
from voxsphere.catalogue import CATALOGUE
from voxsphere.core.errors import BadInput, one_line
from voxsphere.core.files import read_json
from voxsphere.core.parts import rebuild
from voxsphere.pretrained.card import Card
from voxsphere.pretrained.folder import build, network_of, open_folder, save_folder


def over_waves(folder: str | Path, features: str | Path, out: str | Path) -> Card:
    """Make the model folder `out` of the one in `folder`, which takes stored features; its card is returned.

    `features` is the .json that `features extract` wrote beside the store: the front end it tells of takes the place
    of `Stored`, all weights stay, and so the new model gives of a recording what the old one gives of its features.
    Raises `BadInput` where the model takes waves already, the two do not fit, or the features are not what a front
    end alone makes of a wave.
    """
    recipe, front = network_of(folder), _front_end(Path(features))
    made = partial(recipe.func, **{**recipe.keywords, "features": _within(recipe.keywords["features"], front, folder)})
    model = open_folder(folder)
    # What is stored no more is what the model held as its own; a front end with weights would bring random ones.
    if front().state_dict():
        raise BadInput(f"{features}: tells of a front end with weights of its own, which the store does not keep")
    build(made, model.model.state_dict(), where=str(folder))
    card = replace(model.card, front_end=f"{front.func.__name__} of waves, as {Path(features).name} tells it")
    save_folder(made, model.model.state_dict(), card, out, replace=False)
    return card


def _front_end(path: Path) -> "partial[Any]":
    content = read_json(path)
    if not isinstance(content, dict) or "features" not in content:
        raise BadInput(f"{path}: does not tell how features were made; give the .json beside the store")
    if content["features"] is None:
        raise BadInput(f"{path}: no front end makes these features of a wave: {content.get('warning', 'ask who did')}")
    try:
        front = rebuild(content["features"], CATALOGUE)
        front()
    except (BadInput, TypeError, ValueError) as error:
        raise BadInput(f"{path}: tells of no front end that can be made ({one_line(error)})") from error
    assert isinstance(front, partial)
    return front


def _within(part: Any, front: "partial[Any]", folder: str | Path) -> "partial[Any]":
    """The front end `part` with `front` where it has `Stored`."""
    made = part if isinstance(part, partial) else partial(part)
    if made.func is not Stored:
        if "of" not in made.keywords:
            raise BadInput(f"{folder}: takes waves already ({made.func.__name__}); there is nothing to put inside")
        return partial(made.func, **{**made.keywords, "of": _within(made.keywords["of"], front, folder)})
    stored, computed = made(), front()
    for name in ("dim", "sample_rate", "hop"):
        if getattr(stored, name) != getattr(computed, name):
            raise BadInput(
                f"{folder}: takes features of {name} {getattr(stored, name)}, and these are of "
                f"{getattr(computed, name)}; give the .json of those it learnt from"
            )
    return front
