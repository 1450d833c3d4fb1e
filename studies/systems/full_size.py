"""How long the systems take at their published size: training steps, and the embedding of twenty recordings.

    python -m studies.systems.full_size                    # all, one after the other; about an hour on one core
    python -m studies.systems.full_size NAME… --steps 5    # these alone, into the same file
    python -m studies.systems.full_size --list

Each network learns from the corpus in its system's own input form, as `python -m studies.systems prepare` writes it,
with the recipe's own batches and crops; the corpus has fewer speakers than the published ones, so the head is smaller.
Of a step and of a recording counted are CPU seconds of one thread, so that a busy machine does not count. Written to
`studies/outputs/systems/full_size.json`, of which docs/results.md is made.
"""

import platform
import resource
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from studies.pool import pool
from studies.systems import named
from studies.systems.place import Place
from studies.systems.preparing import prepare
from voxsphere.core.errors import BadInput
from voxsphere.core.files import read_json, write_json
from voxsphere.core.manifest import Utterance
from voxsphere.core.parts import nearest
from voxsphere.data.loader import load
from voxsphere.data.source import source_of
from voxsphere.extract.crops import ByPieces, DrawnCrops
from voxsphere.models.speaker import SpeakerModel
from voxsphere.recipes.systems import SYSTEMS
from voxsphere.train.assembly import accelerator_of, assemble
from voxsphere.train.loop import steps
from voxsphere.train.recipe import Recipe
from voxsphere.train.schedule import Progress
from voxsphere.train.stages import Stages

STORED = Path("studies/outputs/systems/full_size.json")
FILES = 20
LONGEST = 60.0
"""Seconds of a recording that are embedded, where it is not embedded by crops."""


@dataclass(frozen=True)
class Whole:
    """A network to time: of which recipe of which system, of which of its stages, over which part of the input form.

    With `crops` a recording is embedded by so many; else whole. `pieces` splits a batch for the sake of memory.
    """

    system: str
    recipe: str
    stage: int = 0
    root: str = ""
    crops: int = 0
    pieces: int = 1

    def made(self, place: Place) -> Recipe:
        """The recipe, over the input form."""
        system = SYSTEMS[self.recipe]().with_options(f"data.root={place.form / self.root}", f"accumulate={self.pieces}")
        return system.recipes[self.stage] if isinstance(system, Stages) else system


WHOLE = {
    "combined loss, ResNet of 50 layers": Whole("combined_loss", "combined_loss", pieces=4),
    "deep speaker, softmax": Whole("deep_speaker_v2", "deep_speaker_v2"),
    "deep speaker, triplets": Whole("deep_speaker_v2", "deep_speaker_v2", stage=1),
    "TDNN": Whole("speaker_systems", "speaker_systems/tdnn"),
    "ETDNN": Whole("speaker_systems", "speaker_systems/etdnn"),
    "FTDNN": Whole("speaker_systems", "speaker_systems/ftdnn"),
    "DTDNN": Whole("speaker_systems", "speaker_systems/dtdnn"),
    "ARET": Whole("speaker_systems", "speaker_systems/aret"),
    "ECAPA-TDNN": Whole("speaker_systems", "speaker_systems/ecapa"),
    "ResCNN10": Whole("speaker_systems", "speaker_systems/rescnn10"),
    "attention LSTM": Whole("speaker_systems", "speaker_systems/attention-lstm"),
    "ResNet34": Whole("speaker_systems", "speaker_systems/resnet34"),
    "hypersphere, ResNet-20": Whole("unified_hypersphere", "unified_hypersphere", root="verification", crops=50),
    "SpkID MLP": Whole("spkid_mlp", "spkid_mlp"),
}


def run(
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME", help="See --list.")] = None,
    count: Annotated[int, typer.Option("--steps", help="So many are timed, after one.")] = 3,
    listed: Annotated[bool, typer.Option("--list", help="Say which there are, and end.")] = False,
    out: Annotated[Path, typer.Option(help="The file of results.")] = STORED,
    folder: Annotated[Path | None, typer.Option("--place", help="Where input forms lie; else in the cache.")] = None,
) -> None:
    """Time the networks, each in processes of its own, and keep what was found."""
    if listed:
        print(*WHOLE, sep="\n")
        return
    for name in names or WHOLE:
        if name not in WHOLE:
            raise BadInput(f"no network {name!r}{nearest(name, WHOLE)}")
        place = Place.of(WHOLE[name].system, folder)
        prepare(named(WHOLE[name].system), place)
        for what, timed in (
            ("training", partial(training, name, place, count)),
            ("hearing", partial(hearing, name, place)),
        ):
            with pool(1) as alone:
                found = alone.submit(timed).result()
            print(name, what, found, flush=True)
            _keep(out, name, what, found)


def _keep(out: Path, name: str, what: str, found: dict[str, Any]) -> None:
    """Put down what was timed of a network, beside the rest of it and the others."""
    stored = read_json(out)["networks"] if out.exists() else {}
    networks = stored | {name: stored.get(name, {}) | {what: found}}
    write_json(out, {"machine": machine(), "networks": {key: networks[key] for key in WHOLE if key in networks}})


def training(name: str, place: Place, count: int) -> dict[str, Any]:
    """CPU seconds of `count` updates after a first one, with the recipe's own batches; loading is part of them."""
    recipe = WHOLE[name].made(place)
    data, accelerator = recipe.data(), accelerator_of(recipe, cpu=True)
    made = assemble(recipe, data, accelerator)
    objective, optimizer = accelerator.prepare(made.objective, made.optimizer)
    epoch = made.plan.steps_per_epoch
    updates = steps(
        objective, optimizer, load(made.items, made.plan, first=0, share=made.share, workers=0), accelerator,
        progress=lambda done: Progress(done, recipe.epochs * epoch, epoch), learning_rate=made.learning_rate,
        margin=made.margin, dropout=made.dropout, clip=recipe.clip, pieces=recipe.accumulate,
    )  # fmt: skip
    next(updates)
    seconds = [_seconds(lambda: next(updates)) for _ in range(count)]
    return {
        "parameters": sum(parameter.numel() for parameter in made.model.parameters()),
        "speakers": len(data.train.speakers),
        "batch": recipe.batch_size,
        "pieces": recipe.accumulate,
        "length": _length(recipe, made.model),
        "steps": count,
        "seconds": round(statistics.median(seconds), 4),
        "range": [round(min(seconds), 4), round(max(seconds), 4)],
        "gib": _peak(),
    }


def hearing(name: str, place: Place) -> dict[str, Any]:
    """CPU seconds of reading and embedding each of twenty recordings, by fresh weights."""
    whole = WHOLE[name]
    model = whole.made(place).model().eval()
    source = source_of(model)

    def embed(utterance: Utterance) -> np.ndarray:
        if not whole.crops:
            return model.embed([source.beginning(utterance, LONGEST)])[0]
        return ByPieces(DrawnCrops(count=whole.crops)).embed(model, utterance, source.beginning(utterance))

    files = _files(whole.system, place, model)
    heard = [len(source.beginning(utterance, LONGEST)) / source.rate for utterance in files]
    if not whole.crops:
        embed(files[0])
    seconds = [_seconds(partial(embed, utterance)) for utterance in files]
    return {
        "files": len(files),
        "audio": round(sum(heard), 1),
        "crops": whole.crops,
        "seconds": round(statistics.median(seconds), 4),
        "total": round(sum(seconds), 2),
        "gib": _peak(),
    }


def _files(system: str, place: Place, model: SpeakerModel) -> Sequence[Utterance]:
    """Twenty recordings, evenly from those of the trials: of the corpus for a network that takes waves; stored features
    from those that the study scores, or decides on."""
    if model.width is None:
        every = place.corpus.judging.utterances
    else:
        study = named(system)
        lists = [tested.manifest for tested in study.lists(place).values()]
        every = (lists[-1] if lists else next(iter(study.sets(place).values()))).utterances
    return every[:: max(1, len(every) // FILES)][:FILES]


def _seconds(call: Callable[[], object]) -> float:
    begun = time.process_time()
    call()
    return time.process_time() - begun


def _length(recipe: Recipe, model: SpeakerModel) -> str:
    """How long an example is, in seconds; windows are as long as the network says."""
    examples: Any = recipe.examples()
    length = (examples.of(model) if hasattr(examples, "of") else examples).length
    return "–".join(f"{each:.4g}" for each in (length if isinstance(length, tuple) else (length,)))


def _peak() -> float:
    """The most memory that this process has held, in GiB."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2)


def machine() -> str:
    """What the processor calls itself."""
    info = Path("/proc/cpuinfo")
    names = [line.partition(":")[2].strip() for line in info.read_text().splitlines() if line.startswith("model name")]
    return names[0] if names else platform.processor()


if __name__ == "__main__":
    try:
        typer.run(run)
    except BadInput as error:
        sys.exit(f"error: {error}")
