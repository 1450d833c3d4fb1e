"""What was found in another project's folder: its network as one of ours, and where its weights lie."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from torch import Tensor

from voxsphere.core.errors import BadInput
from voxsphere.models.speaker import SpeakerModel
from voxsphere.pretrained.foreign.renaming import Rules


@dataclass(frozen=True)
class Form:
    """A network of another project in our parts, and the rules that turn its names of weights into ours."""

    encoder: "partial[Any]"
    pooling: "partial[Any]"
    projection: "partial[Any]"
    rules: Rules
    paper: str


@dataclass(frozen=True)
class Found:
    """A model in another project's folder. `front_end` says in words what `features` computes.

    `name` is what to call it where the weights themselves were given.
    """

    project: str
    network: str
    form: Form
    features: "partial[Any]"
    front_end: str
    weights: Path
    state: Mapping[str, Tensor]
    name: str

    @property
    def recipe(self) -> "partial[SpeakerModel]":
        """The model, in our parts."""
        form = self.form
        return partial(
            SpeakerModel,
            features=self.features,
            encoder=form.encoder,
            pooling=form.pooling,
            projection=form.projection,
        )


def first_of(folder: Path, *patterns: str, what: str) -> Path:
    """The one file that the first of the `patterns` finds which finds any; `BadInput` where it is none, or several."""
    mend = "give the path of the one to import" if what == "weights" else "leave the one that belongs to the weights"
    for pattern in patterns:
        found = _files(folder, pattern)
        if len(found) == 1:
            return found[0]
        if found:
            names = ", ".join(str(path.relative_to(folder)) for path in found[:10])
            raise BadInput(f"{folder}: holds several {what}: {names}; {mend}")
    there = sorted(path.name for path in folder.iterdir())[:10] if folder.is_dir() else []
    held = f"there are {', '.join(there)}" if there else "it is empty"
    raise BadInput(f"{folder}: holds no {what} ({' or '.join(patterns)}); {held}")


def configuration_of(weights: Path, folder: Path, *patterns: str) -> Path:
    """The configuration that belongs to `weights`: the nearest one beside them or in the folders above.

    These reach up to the `folder` that was given; where that is the file of weights itself, two levels up.
    """
    given = folder.is_file()
    beside = Path(os.path.abspath(weights)).parent if given else weights.parent
    homes = [beside, *beside.parents]
    homes = homes[:3] if given else homes[: homes.index(folder) + 1]
    near = next((home for home in homes if any(_files(home, pattern) for pattern in patterns)), None)
    return first_of(near or (beside if given else folder), *patterns, what="configuration")


def _files(folder: Path, pattern: str) -> list[Path]:
    """The files of that pattern but for CKPT.yaml, a checkpoint's notes in SpeechBrain and 3D-Speaker."""
    return sorted(path for path in folder.glob(pattern) if path.is_file() and path.name != "CKPT.yaml")


def unknown(network: str, known: Mapping[str, Any], where: Path) -> BadInput:
    """The refusal of a network that has no form here."""
    return BadInput(f"{where}: the network {network} cannot be imported; there are: {', '.join(known)}")
