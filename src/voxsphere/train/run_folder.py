"""Whose a run folder is: one recipe and one training set, for as long as it stands."""

from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import Any

from voxsphere.core.errors import BadInput
from voxsphere.core.files import check_writable, read_json, write_json
from voxsphere.data.training_set import TrainingSet
from voxsphere.train.recipe import Recipe, check_form, differences


def check(folder: Path, recipe: Recipe) -> None:
    """See that the folder is free, or this recipe's."""
    path = folder / "recipe.json"
    if path.exists():
        earlier = check_form(read_json(path), str(path))
        if changed := differences(earlier, recipe.to_json()):
            more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
            raise BadInput(f"{folder}: holds a run of another recipe ({changed[0]}{more}); choose another --out")
    elif any((folder / "checkpoints").glob("step-*")):
        raise BadInput(f"{path}: is gone, but the run's checkpoints are there; bring it back, or choose another --out")
    else:
        check_writable(path)


def claim(folder: Path, recipe: Recipe, data: TrainingSet, start: Mapping[str, Any] | None = None) -> None:
    """Make the folder this recipe's with these data; `BadInput` where its run was begun with others.

    `start` is the note of the weights that it begins from: None where there are none, or are none any more.
    """
    path = folder / "data.json"
    told: dict[str, Any] = {
        "fingerprint": data.fingerprint,
        "utterances": len(data.train),
        "speakers": len(data.train.speakers),
        "held_out_utterances": len(data.held_out),
        "held_out_speakers": len(data.held_out.speakers),
        "trials": len(data.trials),
        "closed": data.closed,
        "stamp": data.stamp,
        "start": start,
        "classes": data.train.speakers,
    }
    if path.exists():
        earlier = read_json(path)
        if not isinstance(earlier, dict) or not {"fingerprint", "utterances"} <= set(earlier):
            raise BadInput(f"{path}: does not tell what the run learns from; bring it back, or choose another --out")
        if earlier["fingerprint"] != data.fingerprint:
            raise BadInput(
                f"{folder}: was begun with other data ({earlier['utterances']} utterances, now {told['utterances']}, "
                "or other labels); bring the manifest back, or choose another --out"
            )
        begun = earlier.get("start")
        if start is not None and isinstance(begun, dict) and begun.get("fingerprint") != start["fingerprint"]:
            raise BadInput(
                f"{folder}: was begun from other weights ({begun.get('name')} {begun.get('fingerprint')}, now "
                f"{start['name']} {start['fingerprint']}); bring those back, or choose another --out"
            )
    else:
        write_json(path, told)
    if not (folder / "recipe.json").exists():
        recipe.save(folder / "recipe.json")


def set_aside(folder: Path) -> Path | None:
    """Where the logbook and the weights of a run went that has lost its checkpoints; None where there were none."""
    if not any((folder / "weights").glob("epoch-*")):
        return None
    aside = next(path for n in count(1) if not (path := folder / f"lost-{n}").exists())
    aside.mkdir()
    for name in ("logbook.jsonl", "weights"):
        if (folder / name).exists():
            (folder / name).rename(aside / name)
    return aside
