"""Study of the combined-loss system: does a softmax beside the triplets help, does mining, does the entropy term?"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from studies.systems.combined_loss_page import rates
from studies.systems.floors import verification_floors
from studies.systems.place import Place
from studies.systems.running import embedder, model_of, scored, trained
from studies.systems.store import Store
from studies.systems.study import BY_SPEAKER, HELD_OUT, Row, Study, Tested, Told
from studies.systems.tables import standard
from voxsphere.core.manifest import Manifest
from voxsphere.data.examples import Crops
from voxsphere.data.forms.combined_loss import by_speakers
from voxsphere.data.forms.combined_loss import combined_loss as write_form
from voxsphere.data.hdf5_set import hdf5_set
from voxsphere.data.manifests import open_manifest
from voxsphere.data.pairs import draw
from voxsphere.data.samplers import SpeakerBalanced, SpeakersByUtterances
from voxsphere.data.split import split
from voxsphere.losses.koleo import KoLeo
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

EACH = 15
"""Utterances of each speaker in an epoch: 3 times 5 where triplets are mined, 5 times 3 where they are dealt."""
EPOCHS, LONGER = 2, 5
BATCH = 80
SECONDS = (1.0, 3.0)
PILOTS = "combined_loss_rates"
CHOOSING, JUDGING = 60, 60
"""Of the speakers who are not learnt from, these choose the rates in the study `PILOTS`, those judge in this one."""


@dataclass(frozen=True)
class Way:
    """What a row teaches with, in batches of how many utterances of a speaker (1: of speakers in turn), how fast, for
    how long."""

    objective: Callable[..., Any]
    utterances: int
    rate: float
    epochs: int = EPOCHS


_SOFTMAX = partial(Softmax, normalised=True)
_DEALT = partial(Mined, loss=partial(Triplet, margin=0.3), miner=Dealt)
_MINED = partial(Mined, loss=partial(Triplet, margin=0.3), miner=partial(HardestNegative, margin=0.3))
_ENTROPY = (partial(KoLeo, lamb=1e-3),)

WAYS: dict[str, Way] = {
    "triplet": Way(partial(Metric, metric=_DEALT), 3, 0.01),
    "triplet, mined": Way(partial(Metric, metric=_MINED), 5, 0.3),
    "softmax": Way(partial(Classification, head=_SOFTMAX), 1, 1.0),
    "combined": Way(partial(Joint, head=_SOFTMAX, metric=_DEALT, classified="first"), 3, 0.1),
    "combined, mined": Way(partial(Joint, head=_SOFTMAX, metric=_MINED), 5, 0.1),
    "combined, mined, entropy": Way(partial(Joint, head=_SOFTMAX, metric=_MINED, penalties=_ENTROPY), 5, 0.1),
    "combined, mined, entropy, longer": Way(
        partial(Joint, head=_SOFTMAX, metric=_MINED, penalties=_ENTROPY), 5, 0.1, LONGER
    ),
}


def recipe(place: Place, way: Way, seed: int) -> Recipe:
    """The system's recipe with a small network and one way to teach; a smoke is of two short epochs."""
    system = combined_loss()
    each, batch = (10, 20) if place.smoke else (EACH, BATCH)
    several = partial(SpeakersByUtterances, utterances=way.utterances, cycles=each // way.utterances)
    return replace(
        system,
        name="combined-loss-study",
        data=partial(hdf5_set, root=str(place.form), targets=500),
        model=partial(
            system.model,
            encoder=partial(TimeResNet, blocks=(1, 1, 1, 1), block="basic", first=16, width=8 if place.smoke else 32),
        ),
        objective=way.objective,
        sampler=partial(SpeakerBalanced, repeats=each) if way.utterances == 1 else several,
        examples=partial(Crops, length=(0.4, 0.8) if place.smoke else SECONDS),
        learning_rate=partial(Cosine, peak=way.rate, final=way.rate / 100, warmup_epochs=0.5),
        batch_size=batch // way.utterances * way.utterances,
        epochs=2 if place.smoke else way.epochs,
        keep="last",
        # A sign of life; what a row tells is scored when it has ended.
        validation=partial(Verification, every=way.epochs, seconds=2.0),
        seed=seed,
    )


def prepare(place: Place) -> None:
    """The corpus as `prepare --as combined_loss` writes it, with the speakers held out who choose and who judge."""
    write_form(place.corpus, place.form, hold_out=4 if place.smoke else CHOOSING + JUDGING)


def strangers(place: Place) -> tuple[Manifest, Manifest]:
    """The speakers held out to choose, and those held out to judge, as the corpus knows them; in a smoke, all do."""
    told = {utterance.id: utterance for utterance in place.corpus.manifest}
    stored = open_manifest(place.form / "valid.tsv")
    known = Manifest(tuple(replace(told[u.id], path=u.path, start=None, extra=u.extra) for u in stored))
    return (known, known) if place.smoke else split(known, held_out=JUDGING, seed=1)


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


def section(store: Store) -> str:
    """The usual tables, and that of the rates."""
    return "\n\n".join(part for part in (standard(STUDY, store), rates(Store(store.folder.with_name(PILOTS)))) if part)


STUDY = Study(
    name="combined_loss",
    rows=tuple(_row(name) for name in WAYS),
    budget=(
        f"Every row: 0.8 M parameters (a block a stage, half the published width), {EPOCHS} epochs of {EACH} "
        f"utterances of each of the 1,616 speakers in batches of {BATCH}, crops of 1 to 3 s, about 95 s on one core; "
        f"`longer` {LONGER} epochs. SGD. The rate of each row is the best of five, the same "
        f"five for all, with another seed on trials of {CHOOSING} other speakers, who are not learnt from either (the "
        "entropy term and `longer` take the rate of the row that they add to). The batch and that all "
        "speakers are learnt from (as in the original), also those of one recording, had been chosen before on 60 held-"
        "out speakers of another draw. The corpus's lists chose nothing."
    ),
    reference="combined, mined, entropy",
    prepare=prepare,
    lists=lists,
    section=section,
    floors=verification_floors(lambda place, seed: recipe(place, WAYS["combined, mined, entropy"], seed), lists),
)
