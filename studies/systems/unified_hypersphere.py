"""The study of the unified hypersphere: margins after softmax, repetition and reversal, crops, sizes, dropout.

All rows learn from the corpus written as VoxCeleb1 (`voxsphere prepare … --as unified_hypersphere`) and read back by
the reader of VoxCeleb and its two protocols. Rows of verification learn from train speakers with four recordings or
more, but for 40 of them who, like the evaluation speakers, have names that begin with E; rows of identification from
those with eight or more. Rows that fine-tune share one run of softmax.
"""

import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from studies.store import alone
from studies.systems.floors import closed_set_floors, verification_floors
from studies.systems.hypersphere_page import TOP5, five_likeliest
from studies.systems.hypersphere_ways import COMPARED, CROPS, KNOWN_WAYS, REFERENCE, SMOKE, WAYS, Way
from studies.systems.place import Place
from studies.systems.running import HEARD, Embed, embedder, model_of, scored, trained
from studies.systems.store import Store
from studies.systems.study import HELD_OUT, SEEDS, Row, Study, Tested, Told
from studies.systems.tables import standard
from voxsphere.core.manifest import Manifest, Utterance
from voxsphere.core.trials import Trials
from voxsphere.data.corpora.voxceleb import from_voxceleb
from voxsphere.data.forms import Corpus, write
from voxsphere.data.pairs import draw
from voxsphere.data.source import source_of
from voxsphere.data.split import split
from voxsphere.data.split_table import named
from voxsphere.data.voxceleb1 import identification
from voxsphere.extract.crops import ByPieces, DrawnCrops
from voxsphere.models.speaker import SpeakerModel
from voxsphere.recipes.systems import SYSTEMS
from voxsphere.train.classifier import Classifier, classifier_of
from voxsphere.train.posteriors import log_posteriors
from voxsphere.train.run import train
from voxsphere.train.stages import Stages

HELD, TARGETS = 40, 2000
"""So many train speakers are held out, and so many of their pairs are tried, with five times as many of two people."""
LEAST, LEAST_KNOWN = 4, 8
"""A speaker has so many recordings to be learnt for verification, and for identification."""
KNOWN = "test_utterances"
SECONDS = 1.0

# ---- what every row has: the recipe's own, but for what these change

REDUCED = (
    "model.encoder.width=4",
    "model.features.of.frame_length=0.016",
    "model.features.of.frame_shift=0.016",
    "model.projection.dim=128",
    "model.projection.dropout=0.0",
    "model.projection.weight_decay=0.0",
    f"examples.length={SECONDS}",
    "batch_size=24",
    "sampler.batches=100",
    "validation.every=100",
    "optimizer=Adam",
    "learning_rate=Cosine",
    "clip=5",
    "1.learning_rate.peak=0.003",
    "2.learning_rate.peak=0.001",
    "1.epochs=40",
    "2.epochs=10",
)


def _stages(root: Path, seed: int, *settings: str, system: str = "unified_hypersphere") -> Stages:
    made = SYSTEMS[system]().with_options(f"data.root={root}", *REDUCED, f"seed={seed}", *settings)
    assert isinstance(made, Stages)
    return made


# ---- the corpus


def prepare(place: Place) -> None:
    """Write the trees of both protocols."""
    several = _speaking(place.corpus.teaching, 2 if place.smoke else LEAST)
    learnt, held = split(several, held_out=4 if place.smoke else HELD, seed=0)
    drawn = draw(held, targets=TARGETS, seed=0).trials
    strangers = tuple(replace(u, split="eval") for u in (*held, *place.corpus.judging))
    whole = Manifest((*(replace(u, split="train") for u in learnt), *strangers))
    write("unified_hypersphere", Corpus(whole, {HELD_OUT: drawn, **place.corpus.trials}), _verification(place))
    known = _speaking(place.corpus.teaching, 4 if place.smoke else LEAST_KNOWN)
    write("unified_hypersphere", Corpus(known, {}), _identification(place), settings=("layout=2017",))


def _speaking(manifest: Manifest, least: int) -> Manifest:
    """The speakers with so many utterances or more."""
    count = Counter(utterance.speaker for utterance in manifest)
    return Manifest(tuple(u for u in manifest if count[u.speaker] >= least))


def _verification(place: Place) -> Path:
    return place.form / "verification"


def _identification(place: Place) -> Path:
    return place.form / "identification"


@cache
def _read(root: Path) -> Manifest:
    return from_voxceleb(root).manifest


def lists(place: Place) -> dict[str, Tested]:
    """The held-out train speakers' trials, and the corpus's lists, by the ids of the tree."""
    files = sorted((_verification(place) / "trials").glob("*.txt"))
    return {path.stem: Tested(_read(_verification(place)), Trials.load(path)) for path in files}


def sets(place: Place) -> dict[str, Manifest]:
    """The utterances of split 3."""
    return {KNOWN: Manifest(identification(_read(_identification(place))).test)}


# ---- the runs


def _after_softmax(stages: Stages, place: Place, name: str, seed: int) -> tuple[dict[str, Any], Path]:
    """Train the stages in the row's own folder, the first as a run that rows with the same one share."""
    first, folder = stages.recipes[0], place.run_folder(name, seed)
    shared, own = place.runs / f"softmax-{first.hash}", stages.folder(folder, 1)
    with alone(shared):
        train(first, shared / "run", workers=0, cpu=True)
        if not own.exists():
            shutil.copytree(shared / "run", own)
    return trained(stages, folder), folder


def _by_crops(model: SpeakerModel, count: int) -> Embed:
    """Embeds the first seconds of an utterance by crops of it."""
    hearing, source = ByPieces(DrawnCrops(count=count, seconds=SECONDS)), source_of(model)

    def embed(utterances: Sequence[Utterance]) -> np.ndarray:
        return np.stack([hearing.embed(model, u, source.beginning(u, HEARD)) for u in utterances])

    return lambda utterances: embed(list(utterances))


def _verifying(name: str, way: Way) -> Row:
    def run(place: Place, seed: int) -> Told:
        stages = _stages(_verification(place), seed, *way.settings, *(SMOKE if place.smoke else ()))
        told, folder = _after_softmax(stages, place, way.trained_as or name, seed)
        model = model_of(stages, folder)
        embed = _by_crops(model, way.crops) if way.crops else embedder(model)
        return {**told, "scores": scored(embed, lists(place))}

    return Row(name, run, SEEDS if way.thrice else SEEDS[:1])


def _identifying(name: str, way: Way) -> Row:
    def run(place: Place, seed: int) -> Told:
        settings = (*way.settings, *(SMOKE if place.smoke else ()))
        stages = _stages(_identification(place), seed, *settings, system="unified_hypersphere/identification")
        told, folder = _after_softmax(stages, place, way.trained_as or name, seed)
        classifier = classifier_of(folder)
        ranks = {}
        for set_name, tested in sets(place).items():
            ranks[set_name] = np.array([_rank(classifier, utterance, way.crops) for utterance in named(tested)])
        fifth = {TOP5 + set_name: float((rank < 5).mean()) for set_name, rank in ranks.items()}
        return {**told, **fifth, "decisions": {set_name: rank == 0 for set_name, rank in ranks.items()}}

    return Row(name, run)


def _rank(classifier: Classifier, utterance: Utterance, crops: int) -> int:
    """How many speakers are taken to be likelier than the true one."""
    model = classifier.model
    held = source_of(model).beginning(utterance, HEARD)
    pieces = DrawnCrops(count=crops, seconds=SECONDS)(model, utterance, held) if crops else [held]
    told = log_posteriors(model, classifier.head, pieces, by="pooled")[0]
    return int((told > told[classifier.speakers.index(utterance.speaker)]).sum())


def _floors() -> tuple[Row, ...]:
    """What is to be beaten: in verification, and by the nearest mean in identification."""

    def strangers(place: Place, seed: int) -> Stages:
        return _stages(_verification(place), seed, *(SMOKE if place.smoke else ()))

    def known(place: Place, seed: int) -> Stages:
        return _stages(
            _identification(place), seed, *(SMOKE if place.smoke else ()), system="unified_hypersphere/identification"
        )

    def tested(place: Place) -> dict[str, Manifest]:
        return {name: named(manifest) for name, manifest in sets(place).items()}

    pairs = zip(verification_floors(strangers, lists), closed_set_floors(known, tested), strict=True)

    def both(one: Row, other: Row) -> Row:
        return Row(one.name, lambda place, seed: {**one.run(place, seed), **other.run(place, seed)}, one.seeds)

    return tuple(both(*pair) for pair in pairs)


def section(store: Store) -> str:
    """The usual tables, and how often the speaker is among the five likeliest."""
    five = five_likeliest(store, tuple(KNOWN_WAYS), KNOWN)
    return "\n\n".join(part for part in (standard(STUDY, store), five) if part)


STUDY = Study(
    name="unified_hypersphere",
    rows=(
        *(_verifying(name, way) for name, way in WAYS.items()),
        *(_identifying(name, way) for name, way in KNOWN_WAYS.items()),
    ),
    budget=(
        "ResNet-20 at a sixteenth of its width (4 to 32 channels), embeddings of 128 dimensions (512 are published for "
        "identification; 1,024 are tried with one seed, to see whether more help at all), spectra of 129 bins every 16 "
        "ms, crops of 1 s, 24 a step; Adam (SGD does not leave its plateau in so few steps), 4,000 steps of softmax, "
        "then 1,000 of the loss named, at rates of 0.003 and 0.001 that fall by half a cosine. Rows that differ in the "
        "second loss alone share a run of softmax for each seed, whose time is that of the row that came first: a "
        "whole run takes as long as the longest. Scale 30 and margin 6 (0.2 in cosines) where nothing is said; "
        "A-Softmax weighs the plain logit by λ, which falls from 1,000 to 5 in half of its steps. Rates, scale and "
        "margin were chosen, with another seed of the run, on the very speakers who are held out here, so that their "
        "figures are a little too kind; the lists chose nothing. Of an utterance the first 6 s are heard in "
        f"{CROPS} crops, whose pooled vectors are averaged."
    ),
    reference=REFERENCE,
    prepare=prepare,
    lists=lists,
    sets=sets,
    section=section,
    compared=COMPARED,
    floors=_floors(),
)
