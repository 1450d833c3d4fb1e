"""Another project's model as a voxsphere model folder."""

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np

from voxsphere.catalogue import CATALOGUE
from voxsphere.core.errors import BadInput, one_line
from voxsphere.core.files import sha256
from voxsphere.core.parts import describe, rebuild
from voxsphere.core.random import stream
from voxsphere.models.speaker import SpeakerModel
from voxsphere.pretrained.card import Card
from voxsphere.pretrained.folder import FILES, build, save_folder
from voxsphere.pretrained.foreign import redimnet_file, speechbrain_folder, three_d_speaker_folder, wespeaker_folder
from voxsphere.pretrained.foreign.found import Found
from voxsphere.pretrained.foreign.renaming import converted, shapes_of

KINDS: dict[str, Callable[[Path], Found]] = {
    "wespeaker": wespeaker_folder.find,
    "3dspeaker": three_d_speaker_folder.find,
    "speechbrain": speechbrain_folder.find,
    "redimnet": redimnet_file.find,
}
"""The projects whose folders can be imported, by the names the command line knows them by."""

UNKNOWN = "not stated"


def import_model(
    kind: str, source: str | Path, out: str | Path, *, name: str | None = None, licence: str = UNKNOWN
) -> Card:
    """Make the model folder `out` of another project's folder (or file of weights) `source`, and return its card.

    `kind` is one of `KINDS`. The card is named `name`, by default as the source's folder is; `licence` is the weights',
    which no checkpoint states. Nothing in the source is run, and nothing is written unless all of it fits. `out` is not
    there yet, or is empty, or holds the same import already: a model is never replaced. Raises `BadInput` naming what
    is missing, unknown, or does not fit.
    """
    if kind not in KINDS:
        raise BadInput(f"no kind {kind!r} of model to import; there are: {', '.join(KINDS)}")
    source, out = Path(source), Path(out)
    if not source.exists():
        raise BadInput(f"{source}: no such folder")
    _check_free(out)
    found = KINDS[kind](source)
    where = str(found.weights)
    try:
        recipe = rebuild(describe(found.recipe), CATALOGUE)  # as the folder will be opened
        with warnings.catch_warnings(action="ignore"):  # of layers without channels, which fit no weights
            shapes = shapes_of(recipe)
    except (TypeError, ValueError, RuntimeError, ArithmeticError) as error:
        told = one_line(error)
        raise BadInput(f"{where}: its configuration describes no network that can be built ({told})") from error
    state = converted(found.state, found.form.rules, shapes, where=where)
    model = build(recipe, state, where=where)
    for weight, value in model.state_dict().items():
        if not bool(value.isfinite().all()):
            raise BadInput(f"{where}: {weight} holds numbers too large for float32; take another checkpoint")
    noise = stream("import", "noise").normal(0, 0.1, model.sample_rate)
    if not np.isfinite(model.embed([noise])).all():  # a negative variance, say
        raise BadInput(f"{where}: the network's embedding of noise is not a number; take another checkpoint")
    card = _card(found, model, name or (found.name if source.is_file() else source.resolve().name), licence)
    # The model's own state: in the precision it computes in, whatever theirs was saved in.
    save_folder(recipe, model.state_dict(), card, out, replace=False)
    return card


def _check_free(out: Path) -> None:
    try:
        strange = out.exists() and (not out.is_dir() or {path.name for path in out.iterdir()} - set(FILES))
    except OSError as error:
        raise BadInput(f"{out}: cannot be written ({error.strerror}); choose a place you may write to") from error
    if strange:
        raise BadInput(f"{out}: holds other things than a model; choose a folder that is not there yet")


def _card(found: Found, model: SpeakerModel, name: str, licence: str) -> Card:
    millions = sum(parameter.numel() for parameter in model.parameters()) / 1e6
    return Card(
        name=name,
        summary=f"{found.network} by {found.project}, {millions:.3g} M parameters, {model.dim}-d embeddings",
        paper=found.form.paper,
        source=f"imported from {found.project}'s {found.weights.name} (SHA-256 {sha256(found.weights)})",
        licence_code="Apache-2.0",
        licence_weights=licence,
        licence_data=UNKNOWN,
        training_data=UNKNOWN,
        front_end=found.front_end,
        measured=("nothing yet; `voxsphere evaluate` measures it on trials of your own",),
    )
