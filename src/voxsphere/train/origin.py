"""What a start's name stands for: the weights themselves, the run that made them, and what their card says."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from voxsphere.core.errors import BadInput
from voxsphere.core.files import expanded, read_json
from voxsphere.pretrained import Card, Pretrained, load
from voxsphere.train.recipe import check_form
from voxsphere.train.start import STAGE
from voxsphere.train.verdict import decided_in
from voxsphere.train.weights import Keep, Weights

SHOWN = 3
"""So many of the weights that do not fit are named."""


@dataclass(frozen=True)
class Origin:
    """A model's weights; `run` is the folder of the run they lie in, None where they lie in a model folder.

    `made_by` is the run that learnt them, where it is there to be asked: that one, or the one whose `model` the model
    folder is. `stage` says that they are an earlier stage's of the same system.
    """

    name: str
    state: Mapping[str, Tensor]
    card: Card | None
    run: Path | None
    made_by: Path | None = None
    stage: bool = False

    @property
    def fingerprint(self) -> str:
        """Twelve letters that stand for the weights: names, shapes and values, wherever they lie."""
        digest = hashlib.sha256()
        for name, value in sorted(self.state.items()):
            digest.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
            # As bytes: numpy has no bfloat16.
            digest.update(value.detach().cpu().reshape(-1).contiguous().view(torch.uint8).numpy().tobytes())
        return digest.hexdigest()[:12]

    def note(self) -> dict[str, Any]:
        """What a run's data.json says of what it was begun from.

        `heard` are the speakers whom it, and what it was begun from itself, are known to have learnt; `all_heard` says
        that there were no others. `decided` is what held-out speakers decided in earlier stages of the same system.
        """
        card, data = self.card, _told_by(self.made_by)
        before, classes = data.get("start"), data.get("classes")
        heard = set(before.get("heard", ())) if isinstance(before, dict) else set()
        whole = isinstance(classes, list) and (before is None or bool(before.get("all_heard")))
        decided: tuple[str, ...] = ()
        if self.stage and self.made_by is not None:
            found = decided_in(read_json(self.made_by / "recipe.json"), data)
            decided = tuple(what if " in stage " in what else f"{what} in stage {self.name}" for what in found)
        told = {
            "name": self.name,
            "fingerprint": self.fingerprint,
            "heard": sorted(heard | set(classes if isinstance(classes, list) else ())),
            "all_heard": whole,
            "decided": list(decided),
        }
        return told | {
            name: "not stated" if card is None else getattr(card, name)
            for name in ("licence_weights", "licence_data", "training_data")
        }


def find_origin(name: str, folder: Path) -> Origin:
    """The weights that `name` stands for in a run in `folder`; `BadInput` says what was looked for."""
    if name.startswith(STAGE):
        return replace(_of_run(_stage(name, folder)), stage=True)
    path = expanded(name) if "$" in name or name.startswith("~") else name
    run = run_of(Path(path))
    if run is not None:
        return _of_run(run)
    pretrained = load(path)
    within = pretrained.folder.resolve()
    made_by = run_of(within.parent) if within.name == "model" else None
    return Origin(pretrained.card.name, pretrained.model.state_dict(), pretrained.card, None, made_by)


def model_folder(name: str) -> Pretrained:
    """The finished model that `name` stands for, a run's own too; for what a run is to be compared with."""
    path = expanded(name) if "$" in name or name.startswith("~") else name
    run = run_of(Path(path))
    if run is None:
        return load(path)
    if not (run / "model").exists():
        raise BadInput(f"{run}: the run has made no model yet; finish it first (voxsphere train {run})")
    return load(run / "model")


def run_of(folder: Path) -> Path | None:
    """The run in this folder: itself, or its last stage; None where it holds no run."""
    file = folder / "recipe.json"
    if not file.exists():
        return None
    content = read_json(file)
    part = content.get("part") if isinstance(content, dict) else None
    if part == "Stages":
        recipes = content.get("recipes")
        if not isinstance(recipes, list) or not recipes or not isinstance(recipes[-1], dict):
            raise BadInput(f"{file}: tells of no stages")
        return folder / f"{len(recipes)}-{recipes[-1].get('name')}"
    return folder if part == "Recipe" else None


def check_fit(own: Mapping[str, Tensor], given: Mapping[str, Tensor], name: str) -> None:
    """`BadInput` with what is amiss, unless `given` holds a tensor of the same shape for each of `own` and no other."""
    strange = [f"{key} is missing" for key in own if key not in given]
    strange += [
        f"{key} is {_sizes(value)}, here {_sizes(own[key])}"
        for key in own
        if (value := given.get(key)) is not None and value.shape != own[key].shape
    ]
    strange += [f"{key} has no place here" for key in sorted(given) if key not in own]
    if strange:
        more = f"; and {len(strange) - SHOWN} more" if len(strange) > SHOWN else ""
        raise BadInput(
            f"start.model {name}: {len(strange)} of its weights do not fit this recipe's model: "
            f"{'; '.join(strange[:SHOWN])}{more}; the recipe's model is to be the same network (`voxsphere finetune "
            "--from` sees to that)"
        )


def _of_run(run: Path) -> Origin:
    file = run / "recipe.json"
    if not file.exists():
        raise BadInput(f"{run}: holds no run yet; train it first")
    recipe = check_form(read_json(file), str(file))
    keep, count, name = recipe["keep"], recipe["average"], recipe["name"]
    assert isinstance(count, int)
    kept: Keep = "average" if keep == "average" else "last"  # the best is the last that was kept
    card = run / "model" / "card.json"
    return Origin(
        str(name),
        Weights(run / "weights", keep=kept, count=count).model(),
        Card.from_json(read_json(card), str(card)) if card.exists() else None,
        run,
        run,
    )


def _told_by(run: Path | None) -> dict[str, Any]:
    """A run's data.json; empty where there is none."""
    if run is None or not (run / "data.json").exists():
        return {}
    data = read_json(run / "data.json")
    return data if isinstance(data, dict) else {}


def check_unheard(note: Mapping[str, Any], speakers: Sequence[str]) -> None:
    """`BadInput` where the start learnt some of these speakers, who are to judge what is begun from it.

    Sped-up copies (`NAME@0.9`) count as the speaker.
    """
    judges = set(speakers)
    heard = [name for name in note["heard"] if name in judges]
    heard = heard or [name for name in note["heard"] if name.rpartition("@")[0] in judges]
    if heard:
        raise BadInput(
            f"start.model {note['name']}: learnt {len(heard)} of the {len(judges)} speakers held out here, such as "
            f"{heard[0]}, who would judge it too kindly; hold out others (--set data.held_out_manifest=…, or another "
            "data.seed), or tell data sets apart (the manifest's column dataset) if they only share names"
        )


def _stage(name: str, folder: Path) -> Path:
    wanted = name.removeprefix(STAGE)
    beside = sorted(path for path in folder.absolute().parent.glob("*-*") if (path / "recipe.json").exists())
    found = [path for path in beside if re.fullmatch(r"\d+-" + re.escape(wanted), path.name)]
    if not found:
        raise BadInput(
            f"start.model {name}: no run of that stage lies beside {folder}; stages are run in turn by `voxsphere "
            "train` of the whole; a run by itself begins from a run folder"
        )
    return found[0]


def _sizes(value: Tensor) -> str:
    return "×".join(map(str, value.shape)) or "a single number"
