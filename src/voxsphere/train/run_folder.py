"""Whose a run folder is: one recipe and one training set, for as long as it stands."""

from pathlib import Path

from voxsphere.core.errors import BadInput
from voxsphere.core.files import check_writable, read_json, write_json
from voxsphere.data.training_set import TrainingSet
from voxsphere.train.recipe import Recipe, check_form, differences


def claim(folder: Path, recipe: Recipe) -> None:
    """Make the folder this recipe's, or see that it is."""
    path = folder / "recipe.json"
    if path.exists():
        earlier = check_form(read_json(path), str(path))
        if changed := differences(earlier, recipe.to_json()):
            more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
            raise BadInput(f"{folder}: holds a run of another recipe ({changed[0]}{more}); choose another --out")
        return
    check_writable(path)
    recipe.save(path)


def check_data(folder: Path, data: TrainingSet) -> None:
    """Note that the folder's run learns from these data; `BadInput` where it was begun with others."""
    path = folder / "data.json"
    told = {
        "fingerprint": data.fingerprint,
        "utterances": len(data.train),
        "speakers": len(data.train.speakers),
        "held_out_utterances": len(data.held_out),
        "held_out_speakers": len(data.held_out.speakers),
        "trials": len(data.trials),
        "stamp": data.stamp,
    }
    if path.exists():
        earlier = read_json(path)
        if earlier["fingerprint"] != data.fingerprint:
            raise BadInput(
                f"{folder}: was begun with other data ({earlier['utterances']} utterances, now {told['utterances']}, "
                "or other labels); bring the manifest back, or choose another --out"
            )
        return
    write_json(path, told)
