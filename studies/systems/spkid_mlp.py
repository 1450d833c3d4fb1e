"""The study of the SpkID MLP: who speaks, by windows and files, against how many frames and units the network has."""

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from studies.systems.floors import closed_set_floors
from studies.systems.place import Place
from studies.systems.running import trained
from studies.systems.study import Row, Study, Told
from voxsphere.core.manifest import Manifest, Utterance
from voxsphere.data.forms import write
from voxsphere.data.source import source_of
from voxsphere.data.stored import num_frames
from voxsphere.metrics.identification import top_k
from voxsphere.recipes.systems.spkid_mlp import spkid_mlp
from voxsphere.train.classifier import classifier_of
from voxsphere.train.posteriors import log_posteriors
from voxsphere.train.recipe import Recipe

FILES, WINDOWS = "files", "windows"
FRAMES, UNITS = 21, 100
PASSES = 6
"""Times that the network sees about as many windows as there are."""
EVERY, MARGIN, RATE = 10, 20, 100
"""Of each file every tenth frame is asked, if all networks see as many frames of the file around it; a second's."""


def name_of(in_frames: int, hidden: int) -> str:
    """What a row is called."""
    return f"{in_frames} frame{'s' * (in_frames > 1)}, {hidden} units"


def prepare(place: Place) -> None:
    """The lab's form: mel-cepstra of train speakers who have eight files or more, a quarter of each one's to test."""
    write("spkid_mlp", place.corpus, place.form)


def recipe(place: Place, seed: int, *, in_frames: int = FRAMES, hidden: int = UNITS) -> Recipe:
    """The recipe for so many passes; no figure chooses anything."""
    passes = 1 if place.smoke else PASSES
    settings = [f"model.encoder.in_frames={in_frames}", f"model.encoder.hidden={hidden}", f"seed={seed}"]
    settings += [f"epochs={passes}", f"validation.every={passes}", "keep=last", "stopping=null"]
    settings += ["batch_size=200"] * place.smoke
    return spkid_mlp(str(place.form)).with_options(*settings)


def sets(place: Place) -> dict[str, Manifest]:
    """The files of all.test, and every tenth window in them: its 21 frames, called by the file and the middle one."""
    files = recipe(place, 0).data().held_out
    windows = (_window(u, middle) for u in files for middle in middles(u))
    return {FILES: files, WINDOWS: Manifest(tuple(windows))}


def middles(utterance: Utterance) -> range:
    """The frames of a file whose windows are asked."""
    return range(MARGIN, (num_frames(utterance) or 0) - MARGIN, EVERY)


def _window(utterance: Utterance, middle: int) -> Utterance:
    start = (middle - FRAMES // 2) / RATE
    return replace(utterance, id=f"{utterance.id}@{middle}", start=start, duration=FRAMES / RATE)


def row(in_frames: int, hidden: int) -> Row:
    """A row: trains, and decides on files by the sum over their windows."""

    def run(place: Place, seed: int) -> Told:
        made = recipe(place, seed, in_frames=in_frames, hidden=hidden)
        folder = place.run_folder(name_of(in_frames, hidden), seed)
        told = trained(made, folder)
        right = list(decided(str(folder), sets(place)[FILES]))
        decisions = {FILES: np.array([file for file, _ in right]), WINDOWS: np.concatenate([own for _, own in right])}
        return {**told, "decisions": decisions}

    return Row(name_of(in_frames, hidden), run)


def decided(run: str, files: Manifest) -> Iterator[tuple[bool, np.ndarray]]:
    """Of each file, whether it is given to its speaker, and which of its asked windows are."""
    classifier = classifier_of(run)
    source = source_of(classifier.model)
    for utterance in files:
        parts = log_posteriors(classifier.model, classifier.head, [source.beginning(utterance)]).numpy()
        true = np.full(len(parts), classifier.speakers.index(utterance.speaker))
        yield bool(top_k(parts.sum(0, keepdims=True), true[:1])[0]), top_k(parts, true)[list(middles(utterance))]


STUDY = Study(
    name="spkid_mlp",
    rows=(
        *(row(in_frames, UNITS) for in_frames in (1, 5, 11, 21, 41)),
        *(row(FRAMES, hidden) for hidden in (20, 50, 200)),
    ),
    budget=f"{PASSES} passes over about as many windows as there are (a million), where the original makes up to 20; "
    "batches of 1,000 windows, Adam at 0.001, the weights of the last pass. Mel-cepstra c0 to c19 at 8 kHz of 167 "
    "train speakers with eight files or more, a quarter of each one's files to be tested with.",
    reference=name_of(FRAMES, UNITS),
    prepare=prepare,
    sets=sets,
    floors=closed_set_floors(recipe, sets, seconds=math.inf),
    judged=FILES,
)
