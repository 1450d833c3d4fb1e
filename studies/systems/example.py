"""The smallest study of a system: what the harness is tested by, and an example to write another from.

A small TDNN learns the train speakers; verification on held-out ones and on the corpus's lists, identification of the
last utterance of each speaker that it learnt.
"""

from dataclasses import replace
from functools import partial

from studies.systems.floors import Sets, closed_set_floors, verification_floors
from studies.systems.place import Place
from studies.systems.running import embedder, model_of, nearest_means, scored, trained
from studies.systems.study import HELD_OUT, Row, Study, Tested, Told
from voxsphere.core.manifest import Manifest
from voxsphere.data.training_set import training_set
from voxsphere.losses.margin import AamSoftmax
from voxsphere.losses.softmax import Softmax
from voxsphere.recipes.smoke import smoke
from voxsphere.train.objectives import Classification
from voxsphere.train.recipe import Recipe

LAST = "last_utterances"


def prepare(place: Place) -> None:
    """The input form: here plain manifests, whose speakers' names tell the data set already."""
    taught = place.corpus.teaching.utterances
    last = {utterance.speaker: utterance.id for utterance in taught}
    some = {
        "learnt": [u for u in taught if last[u.speaker] != u.id],
        "last": [u for u in taught if last[u.speaker] == u.id],
        "eval": place.corpus.judging,
    }
    for name, utterances in some.items():
        Manifest(tuple(replace(u, dataset="") for u in utterances)).save(place.form / f"{name}.tsv")


def recipe(place: Place, seed: int, *, margin: float | None = 0.1) -> Recipe:
    """The recipe `smoke` on the input form, with a margin or without."""
    data = partial(training_set, manifest=str(place.form / "learnt.tsv"), held_out=0.3, targets=60, min_utterances=2)
    head = Softmax if margin is None else partial(AamSoftmax, margin=margin, scale=20.0)
    return replace(
        smoke(), name="example", data=data, objective=partial(Classification, head=head), epochs=4, seed=seed
    )


def lists(place: Place) -> dict[str, Tested]:
    """The held-out train speakers' trials, and the corpus's lists."""
    data = recipe(place, 0).data()
    tested = Manifest.load(place.form / "eval.tsv")
    every = {name: Tested(tested, trials) for name, trials in place.corpus.trials.items()}
    return {HELD_OUT: Tested(data.held_out, data.trials), **every}


def sets(place: Place) -> dict[str, Manifest]:
    """The last utterances of the speakers that are learnt."""
    learnt = set(recipe(place, 0).data().train.speakers)
    last = Manifest.load(place.form / "last.tsv")
    return {LAST: Manifest(tuple(u for u in last if u.speaker in learnt))}


def row(name: str, *, margin: float | None) -> Row:
    """A row: trains, scores, decides."""

    def run(place: Place, seed: int) -> Told:
        made, folder = recipe(place, seed, margin=margin), place.run_folder(name, seed)
        told = trained(made, folder)
        embed = embedder(model_of(made, folder))
        decisions = nearest_means(embed, made.data().train, sets(place))
        return {**told, "scores": scored(embed, lists(place)), "decisions": decisions}

    return Row(name, run)


def floors() -> tuple[Row, ...]:
    """What is to be beaten on the lists and on the sets: a row's two tellings in one."""
    of_sets: Sets = sets
    pairs = zip(verification_floors(recipe, lists), closed_set_floors(recipe, of_sets), strict=True)

    def both(one: Row, other: Row) -> Row:
        return Row(one.name, lambda place, seed: {**one.run(place, seed), **other.run(place, seed)}, one.seeds)

    return tuple(both(*pair) for pair in pairs)


STUDY = Study(
    name="example",
    rows=(row("softmax", margin=None), row("aam", margin=0.1)),
    budget="A TDNN of 64 channels, 4 epochs of crops of a second.",
    reference="aam",
    prepare=prepare,
    lists=lists,
    sets=sets,
    floors=floors(),
)
