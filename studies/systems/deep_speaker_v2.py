"""The study of deep-speaker v2: its four numbers, with one scale for all, and with each speaker's own, which leaks.

The original reports the accuracy of windows after the softmax, the triplet loss after 2,000 and 5,000 steps, the
accuracy of a new head on the frozen layer, and how far two cuts of unseen speakers lie apart.
"""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from studies.systems.deep_speaker_page import four_numbers
from studies.systems.floors import STATISTICS, UNTRAINED, statistics
from studies.systems.place import Place
from studies.systems.running import HEARD, Embed, embedder, model_of, nearest_means, scored, trained, untrained
from studies.systems.store import Store
from studies.systems.study import HELD_OUT, SEEDS, Row, Study, Tested, Told
from studies.systems.tables import standard
from voxsphere.core.manifest import Manifest
from voxsphere.core.trials import Trials
from voxsphere.data.by_speaker import by_speaker
from voxsphere.data.corpora import prepare as prepare_corpus
from voxsphere.data.cuts import RECORDING, Plan, cuts
from voxsphere.data.deep_speaker import deep_speaker_cuts
from voxsphere.data.feature_sets import compute
from voxsphere.data.forms import write
from voxsphere.data.pairs import draw
from voxsphere.data.source import source_of
from voxsphere.data.split_table import with_splits
from voxsphere.metrics.identification import top_k
from voxsphere.recipes.systems.deep_speaker_v2 import CEPSTRA, deep_speaker_v2
from voxsphere.train.classifier import Classifier, classifier_of
from voxsphere.train.counting import count
from voxsphere.train.logbook import read_logbook
from voxsphere.train.posteriors import log_posteriors
from voxsphere.train.stages import Stages

CUTS = 60
"""Of each speaker, to teach and to judge."""
DRAW, CHOOSING_DRAW = 1, 0
"""The seed of which recordings judge, and of which once chose the settings; those that did both judge no more."""
SOFTMAX, TRIPLETS = "after softmax", "after triplets"
"""The same recordings of the speakers who are learnt, decided on after the first stage and after the last."""
STEPS = (2000, 5000)
ALIKE, LEAKING = "mfcc.tsv", "by_speaker.tsv"
EPOCHS, EPOCHS_SMOKE = (15, 21, 6), (1, 1, 1)
RATE = 0.01
"""Of 0.001 (seed 0), 0.005 and 0.01 (seed 7); 15 epochs, and not 10: both by the recordings of `CHOOSING_DRAW`."""


def prepare(place: Place) -> None:
    """The tree like VCTK's, cuts of it, their features; and those of whole recordings to be tested with.

    Splits whole_train, whole_dev and whole_held_out are the recordings of which train's, dev's and held_out's cuts
    are, but for what once chose the settings; eval is what the corpus's lists name. None of these is learnt from.
    """
    form = place.form
    write("deep_speaker_v2", place.corpus, form)
    tree = with_splits(prepare_corpus("vctk", form).manifest, str(form / "speakers.tsv"))
    plan = Plan(per_speaker=4 if place.smoke else CUTS, seed=DRAW)
    drawn = cuts(tree, plan, memory=form / "cuts.edges.tsv").manifest
    whole_plan = replace(plan, per_speaker="whole")
    whole = cuts(tree, whole_plan, memory=form / "cuts.edges.tsv").manifest
    before = cuts(tree, replace(whole_plan, seed=CHOOSING_DRAW), memory=form / "cuts.edges.tsv").manifest
    chose = set() if place.smoke else set(_of_split(before, "dev").ids)
    tested = cuts(place.corpus.judging, whole_plan, memory=form / "eval.edges.tsv").manifest
    every = (
        *drawn,
        *(replace(u, split=f"whole_{u.split}") for u in whole if u.split != "dev" or u.id not in chose),
        *(replace(u, split="eval") for u in tested),
    )
    made = compute(Manifest(every), CEPSTRA, form / "mfcc.ark")
    by_speaker(made.manifest, form / "by_speaker.ark")


def recipe(place: Place, seed: int, *, table: str = ALIKE, unit: bool = False) -> Stages:
    """The recipe for so many epochs of each stage, the softmax at a rate to be done in these; no weights are chosen."""
    settings = [f"data.root={place.form}", f"data.table={table}", f"seed={seed}", "keep=last"]
    for stage, epochs in enumerate(EPOCHS_SMOKE if place.smoke else EPOCHS, 1):
        settings += [f"{stage}.epochs={epochs}", f"{stage}.validation.every={epochs}"]
        if stage != 2:
            rate = f"{stage}.learning_rate"
            settings += [f"{stage}.stopping=null", f"{rate}=Linear", f"{rate}.initial={RATE}", f"{rate}.final=0"]
    if place.smoke:
        settings += ["data.targets=50", "1.batch_size=300", "3.batch_size=300", "2.sampler.utterances=2"]
        settings += ["2.batch_size=120"]
    if unit:
        settings += ["2.objective.metric.loss.normalised=true", "3.model.projection=LengthNorm"]
    return deep_speaker_v2().with_options(*settings)


def lists(place: Place, *, table: str = ALIKE) -> dict[str, Tested]:
    """Trials of the 29 speakers who are not learnt, within the corpora that they came from; and the corpus's lists."""
    whole = Manifest.load(place.form / table)
    others = _of_split(whole, "whole_held_out")
    drawn = draw(_of_their_corpora(others), targets=500, seed=0).trials
    tested = _of_split(whole, "eval")
    every = {name: Tested(tested, _there(trials, tested)) for name, trials in place.corpus.trials.items()}
    return {HELD_OUT: Tested(others, drawn), **every}


def sets(place: Place, *, table: str = ALIKE) -> dict[str, Manifest]:
    """The recordings of the speakers who are learnt that nothing was cut from to teach."""
    return dict.fromkeys((SOFTMAX, TRIPLETS), _of_split(Manifest.load(place.form / table), "whole_dev"))


def row(name: str, **options: Any) -> Row:
    """A row: three stages, and what is told of each."""

    def run(place: Place, seed: int) -> Told:
        made, folder = recipe(place, seed, **options), place.run_folder(name, seed)
        table = options.get("table", ALIKE)
        told = trained(made, folder)
        tested = lists(place, table=table)
        scores = scored(embedder(model_of(made, folder)), tested)
        windows, decisions = {}, {}
        for stage, (after, manifest) in zip((1, 3), sets(place, table=table).items(), strict=True):
            windows[after], decisions[after] = decided(classifier_of(made.folder(folder, stage)), manifest)
        apart = distances(scores[HELD_OUT], tested[HELD_OUT].trials)
        recordings = {after: float(right.mean()) for after, right in decisions.items()}
        losses = triplet_losses(made.folder(folder, 2))
        figures = {"windows": windows, "recordings": recordings, "triplet_loss": losses, "apart": apart}
        return {"steps": told["stages"]["triplet"]["steps"], **figures, "scores": scores, "decisions": decisions}

    return Row(name, run)


def decided(classifier: Classifier, manifest: Manifest) -> tuple[float, np.ndarray]:
    """The share of windows that are given to their speaker, and which recordings are, by all their windows' sum."""
    source, number = source_of(classifier.model), {name: i for i, name in enumerate(classifier.speakers)}
    right, told = [], []
    for utterance in manifest:
        parts = log_posteriors(classifier.model, classifier.head, [source.beginning(utterance)], by="frames").numpy()
        true = number[f"{utterance.dataset}/{utterance.speaker}"]
        right.append(top_k(parts, np.full(len(parts), true)))
        told.append(bool(top_k(parts.sum(0, keepdims=True), np.array([true]))[0]))
    return float(np.concatenate(right).mean()), np.array(told)


def triplet_losses(folder: Path) -> dict[str, float]:
    """The mean loss of the hundred steps up to each of `STEPS`, as far as there were so many, and up to the last."""
    lines = [line for line in read_logbook(folder / "logbook.jsonl") if line["kind"] == "steps"]
    ends = np.array([line["step"] for line in lines])
    counts = np.diff(ends, prepend=0)  # a line tells the mean since the one before
    losses = np.array([line["loss"] for line in lines])

    def until(step: int) -> float:
        part = (ends > step - 100) & (ends <= step)
        return float(np.average(losses[part], weights=counts[part]))

    return {str(step): until(step) for step in (*STEPS, int(ends[-1])) if step <= ends[-1]}


def distances(scores: np.ndarray, trials: Trials) -> dict[str, float]:
    """1 − the mean cosine of trials of one speaker, and of two."""
    target = np.asarray(trials.target)
    return {"same": float(1 - scores[target].mean()), "different": float(1 - scores[~target].mean())}


def section(store: Store) -> str:
    """The four numbers, and the usual tables."""
    names = [row.name for row in STUDY.rows]
    four = four_numbers(store, names, (SOFTMAX, TRIPLETS))
    text = (
        "The original's numbers, the mean over seeds with the lowest and the highest. A window is 115 ms; a recording "
        "is decided on by the sum of its windows' log posteriors. In the row that leaks, features are scaled by each "
        "speaker's own mean and deviation in training and in every test, as in the original: whoever makes them knows "
        "who speaks, and its figures are no results."
    )
    return "\n\n".join(part for part in (text, four, standard(STUDY, store)) if part)


def floors() -> tuple[Row, ...]:
    """The network as it is drawn, with its statistics counted; and no network. Each speaker's mean decides.

    The mean is that over the whole recordings of which the cuts are, and whole recordings are decided on, as by rows.
    """

    def told(place: Place, hear: Callable[[float], Embed]) -> Told:
        taught = _of_split(Manifest.load(place.form / ALIKE), "whole_train")
        return {
            "scores": scored(hear(HEARD), lists(place)),
            "decisions": nearest_means(hear(math.inf), taught, sets(place)),
        }

    def copy(place: Place, seed: int) -> Told:
        model = untrained(recipe(place, seed), seed)
        count(model, _cuts(place))
        return told(place, lambda seconds: embedder(model, seconds=seconds))

    def described(place: Place, seed: int) -> Told:
        model = untrained(recipe(place, seed), seed)
        return told(place, lambda seconds: statistics(model, _cuts(place), seconds=seconds))

    return Row(UNTRAINED, copy, SEEDS), Row(STATISTICS, described, SEEDS[:1])


def _cuts(place: Place) -> Manifest:
    return deep_speaker_cuts(root=str(place.form), table=ALIKE).train


def _of_split(manifest: Manifest, split: str) -> Manifest:
    return Manifest(tuple(utterance for utterance in manifest if utterance.split == split))


def _of_their_corpora(manifest: Manifest) -> Manifest:
    """Each recording of the corpus that it came from, which the tree tells as the speaker's region."""
    return Manifest(
        tuple(replace(u, dataset=dict(u.extra).get("region", ""), session=dict(u.extra)[RECORDING]) for u in manifest)
    )


def _there(trials: Trials, manifest: Manifest) -> Trials:
    """The trials of recordings that could be cut: one that holds no voice has no features."""
    known = np.isin(trials.ids, manifest.ids)
    kept = known[trials.enrol] & known[trials.test]
    assert trials.target is not None
    enrol, test = (np.array(trials.ids, dtype=object)[side[kept]] for side in (trials.enrol, trials.test))
    return Trials.from_pairs(enrol.tolist(), test.tolist(), np.asarray(trials.target)[kept].tolist())


STUDY = Study(
    name="deep_speaker_v2",
    rows=(
        row("one scale for all"),
        row("one scale for all, unit length", unit=True),
        row("each speaker's own scale (leaks)", table=LEAKING),
    ),
    budget=f"{CUTS} random cuts of each of 80 speakers to learn from, where the original takes 1,000; "
    f"{EPOCHS[0]} epochs of softmax and {EPOCHS[2]} of the last head, at a rate that falls from {RATE} to 0, where the "
    f"original takes up to 1,000 at 0.001; {EPOCHS[1]} of triplets (5,040 steps). This rate and number of epochs were "
    "chosen, of five settings, on another draw of the recordings that judge; what is in both draws does not judge. The "
    "held-out speakers and the lists chose nothing.",
    reference="one scale for all",
    prepare=prepare,
    lists=lists,
    sets=sets,
    floors=floors(),
    judged=SOFTMAX,
    section=section,
)
