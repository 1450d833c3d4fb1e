"""Study of the combined-loss system: does a softmax beside the triplets help, does mining, does the entropy term?"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from torch.optim import SGD

from studies.systems.combined_loss_page import rates
from studies.systems.floors import verification_floors
from studies.systems.place import Place
from studies.systems.running import embedder, model_of, scored, trained
from studies.systems.store import Store
from studies.systems.study import BY_SPEAKER, HELD_OUT, Row, Study, Tested, Told
from studies.systems.tables import standard
from voxsphere.core.manifest import Manifest, Utterance
from voxsphere.data.examples import Crops
from voxsphere.data.feature_choice import gathered, parted
from voxsphere.data.forms.combined_loss import SOURCES, by_speakers
from voxsphere.data.forms.combined_loss import combined_loss as write_form
from voxsphere.data.hdf5_set import hdf5_set
from voxsphere.data.manifests import open_manifest
from voxsphere.data.pairs import draw
from voxsphere.data.samplers import SpeakersByUtterances
from voxsphere.data.split import split
from voxsphere.losses.koleo import KoLeo
from voxsphere.losses.margin import AmSoftmax
from voxsphere.losses.mined import Mined
from voxsphere.losses.miners.dealt import Dealt
from voxsphere.losses.miners.hardest_negative import HardestNegative
from voxsphere.losses.softmax import Softmax
from voxsphere.losses.triplet import Triplet
from voxsphere.models.encoders.time_resnet import TimeResNet
from voxsphere.recipes.systems.combined_loss import combined_loss
from voxsphere.train.objectives import Classification, Joint, Metric
from voxsphere.train.recipe import Recipe
from voxsphere.train.schedule import Cosine
from voxsphere.train.validation import Verification

EPOCHS = 40
BATCH = 64
SECONDS = (1.0, 1.4)
PILOTS = "combined_loss_rates"
CHOOSING, HELD_OUT_TO_JUDGE, EARLIER = 60, 120, 19
"""Of the speakers who are not learnt from, the first choose the rates in the study `PILOTS`, the second judge in this
one, less so many of them whom `_earlier` names."""


@dataclass(frozen=True)
class Way:
    """What a row teaches with, how fast, and in batches of how many utterances of a speaker."""

    objective: Callable[..., Any]
    rate: float
    utterances: int = 2


_DEALT = partial(Mined, loss=partial(Triplet, margin=0.3), miner=Dealt)
_MINED = partial(Mined, loss=partial(Triplet, margin=0.3), miner=partial(HardestNegative, margin=0.3))
_ENTROPY = (partial(KoLeo, lamb=1e-3),)
_SOFTMAX, _AM = partial(Softmax, normalised=True), partial(AmSoftmax, margin=0.35)
"""The original's `--softmax softmax` and `--softmax am_softmax`, with its margin."""

WAYS: dict[str, Way] = {
    "triplet": Way(partial(Metric, metric=_DEALT), 0.1, 3),
    "triplet, mined": Way(partial(Metric, metric=_MINED), 0.03),
    "softmax": Way(partial(Classification, head=_SOFTMAX), 0.3),
    "combined": Way(partial(Joint, head=_SOFTMAX, metric=_DEALT, classified="first"), 1.0, 3),
    "combined, mined": Way(partial(Joint, head=_SOFTMAX, metric=_MINED), 0.3),
    "combined, mined, entropy": Way(partial(Joint, head=_SOFTMAX, metric=_MINED, penalties=_ENTROPY), 0.3),
    "AM": Way(partial(Classification, head=_AM), 0.03),
    "AM combined": Way(partial(Joint, head=_AM, metric=_DEALT, classified="first"), 0.03, 3),
    "AM combined, mined": Way(partial(Joint, head=_AM, metric=_MINED), 0.03),
    "AM combined, mined, entropy": Way(partial(Joint, head=_AM, metric=_MINED, penalties=_ENTROPY), 0.03),
}
REFERENCE = "AM combined, mined, entropy"


def recipe(place: Place, way: Way, seed: int) -> Recipe:
    """The system's recipe with a small network and one way to teach; a smoke is of two short epochs."""
    system = combined_loss()
    batch, epochs = (12, 2) if place.smoke else (BATCH, EPOCHS)
    return replace(
        system,
        name="combined-loss-study",
        data=partial(hdf5_set, root=str(place.form), min_utterances=2, targets=500),
        model=partial(
            system.model,
            encoder=partial(TimeResNet, blocks=(1, 1, 1, 1), block="basic", first=16, width=8 if place.smoke else 32),
        ),
        objective=way.objective,
        sampler=partial(SpeakersByUtterances, utterances=way.utterances),
        examples=partial(Crops, length=(0.4, 0.8) if place.smoke else SECONDS),
        optimizer=partial(SGD, momentum=0.9, weight_decay=5e-4),
        learning_rate=partial(Cosine, peak=way.rate, final=way.rate / 100, warmup_epochs=1),
        batch_size=batch // way.utterances * way.utterances,
        epochs=epochs,
        clip=5.0,
        keep="last",
        # A sign of life; what a row tells is scored when it has ended.
        validation=partial(Verification, every=epochs, seconds=1.0),
        seed=seed,
    )


def prepare(place: Place) -> None:
    """The corpus as `prepare --as combined_loss` writes it, with the speakers held out who choose and who judge."""
    write_form(place.corpus, place.form, hold_out=4 if place.smoke else CHOOSING + HELD_OUT_TO_JUDGE)


def strangers(place: Place) -> tuple[Manifest, Manifest]:
    """The speakers held out to choose, and those held out to judge, as the corpus knows them; in a smoke, all do."""
    told = {utterance.id: utterance for utterance in place.corpus.manifest}
    stored = open_manifest(place.form / "valid.tsv")
    known = Manifest(tuple(replace(told[u.id], path=u.path, start=None, extra=u.extra) for u in stored))
    if place.smoke:
        return known, known
    choosing, judging = split(known, held_out=HELD_OUT_TO_JUDGE, seed=1)
    earlier = _earlier(place, told)
    return choosing, Manifest(tuple(utterance for utterance in judging if utterance.speaker not in earlier))


def _earlier(place: Place, told: Mapping[str, Utterance]) -> set[str]:
    """Who chose batch, crops, weight decay and epochs: half of those who were held out when 120 were."""
    whole, _ = parted(gathered([place.form / "mfcc" / source for source in SOURCES]))
    _, held_out = parted(whole, hold_out=120, seed=0)
    choosing, _ = split(Manifest(tuple(told[utterance.id] for utterance in held_out)), held_out=60, seed=1)
    return set(choosing.speakers)


def tried(place: Place, manifest: Manifest) -> Tested:
    """Trials of these speakers, within data sets and genders."""
    return Tested(manifest, draw(manifest, targets=40 if place.smoke else 1000).trials)


def lists(place: Place) -> Mapping[str, Tested]:
    """The trials of the speakers held out to judge, of recordings and of speakers, and the lists of the corpus."""
    held_out = tried(place, strangers(place)[1])
    enrolment, trials = by_speakers(held_out.trials, held_out.manifest.speaker_of())
    eval_features = open_manifest(place.form / "mfcc/eval")
    return {
        HELD_OUT: held_out,
        BY_SPEAKER: Tested(held_out.manifest, trials, enrolment),
        **{name: Tested(eval_features, trials) for name, trials in place.corpus.trials.items()},
    }


def taught(place: Place, way: Way, name: str, seed: int, lists: Mapping[str, Tested]) -> Told:
    """What a run of this name and seed tells, trained one way."""
    made, folder = recipe(place, way, seed), place.run_folder(name, seed)
    told = trained(made, folder)
    return {**told, "scores": scored(embedder(model_of(made, folder)), lists)}


def _row(name: str) -> Row:
    return Row(name, lambda place, seed: taught(place, WAYS[name], name, seed, lists(place)))


COMPARED = (
    ("triplet, mined", "triplet"),
    ("combined", "triplet"),
    ("combined", "softmax"),
    ("combined, mined", "triplet, mined"),
    ("combined, mined", "softmax"),
    ("combined, mined", "combined"),
    ("combined, mined, entropy", "combined, mined"),
    ("AM", "softmax"),
    ("AM combined", "triplet"),
    ("AM combined", "AM"),
    ("AM combined, mined", "triplet, mined"),
    ("AM combined, mined", "AM"),
    ("AM combined, mined", "AM combined"),
    ("AM combined, mined, entropy", "AM combined, mined"),
)
"""Steps from one way to another, each of which the study asks about."""


def section(store: Store) -> str:
    """The usual tables, and that of the rates."""
    parts = (standard(STUDY, store), rates(Store(store.folder.with_name(PILOTS))))
    return "\n\n".join(part for part in parts if part)


STUDY = Study(
    name="combined_loss",
    rows=tuple(_row(name) for name in WAYS),
    budget=(
        f"Every row: 0.8 M parameters (a block a stage, half the published width), {EPOCHS} epochs of the 2,408 "
        f"utterances of the 406 train speakers who have two or more, in batches of {BATCH} (two of each speaker, "
        "three where triplets are dealt), crops of 1 to 1.4 s, SGD. The rate of each row is "
        "the best of 0.03, 0.1 and 0.3, and of those beyond while the best was at an end, with another seed on trials "
        f"of {CHOOSING} other speakers, who are not learnt from either (the entropy term takes the rate of the row "
        "that it adds to). Batch, crops, weight decay and epochs, the same for all rows, had been chosen before on 60 "
        f"speakers of an earlier draw; the {EARLIER} of the {HELD_OUT_TO_JUDGE} held out here who were among them do "
        "not judge. The corpus's lists chose nothing."
    ),
    reference=REFERENCE,
    prepare=prepare,
    lists=lists,
    section=section,
    compared=COMPARED,
    floors=verification_floors(lambda place, seed: recipe(place, WAYS[REFERENCE], seed), lists),
)
