"""What the rows of a study are made of: a recipe trained to its end, its network, and the scores of trials by it."""

import math
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float32, Float64

from studies.systems.study import Tested
from voxsphere.core.embeddings import Embeddings
from voxsphere.core.errors import BadInput
from voxsphere.core.manifest import Manifest, Utterance
from voxsphere.core.scores import Scores
from voxsphere.data.source import source_of
from voxsphere.evaluate.enrolment import score_speakers
from voxsphere.evaluate.scoring import score
from voxsphere.models.speaker import SpeakerModel
from voxsphere.train.logbook import read_logbook
from voxsphere.train.recipe import Recipe
from voxsphere.train.run import Outcome, train
from voxsphere.train.stages import Stages
from voxsphere.train.weights import Weights

Embed = Callable[[Iterable[Utterance]], Float32[np.ndarray, "utterances dim"]]
HEARD = 6.0
"""Seconds from the beginning of an utterance that are embedded, where a study says nothing else."""
BATCH = 64


def trained(recipe: Recipe | Stages, folder: Path, *, cpu: bool = True) -> dict[str, Any]:
    """Train to the end, or go on; gives the recipe's hash and what `learnt` says (of the last stage)."""
    if isinstance(recipe, Recipe):
        train(recipe, folder, workers=0, cpu=cpu)
        return {"recipe": recipe.hash, **learnt(folder)}
    recipe.claim(folder)
    each = [stage for stage, _ in recipe.in_turn(folder, partial(_train, cpu=cpu))]
    told = {stage.name: learnt(recipe.folder(folder, i)) for i, stage in enumerate(each, 1)}
    return {"recipe": recipe.hash, **told[each[-1].name], "stages": told}


def _train(recipe: Recipe, folder: Path, *, cpu: bool) -> Outcome:
    return train(recipe, folder, workers=0, cpu=cpu)


def learnt(folder: Path) -> dict[str, Any]:
    """The last figures in a run's logbook: `steps`, `losses` by their names, `validation` by its figures' names."""
    lines = list(read_logbook(folder / "logbook.jsonl"))
    last = {kind: {} for kind in ("steps", "validation")} | {line["kind"]: line for line in lines}
    numbers = {kind: {k: v for k, v in last[kind].items() if isinstance(v, int | float)} for kind in last}
    steps = numbers["steps"].pop("step", 0)
    return {"steps": steps, "losses": numbers["steps"], "validation": numbers["validation"]}


def model_of(recipe: Recipe | Stages, folder: Path) -> SpeakerModel:
    """The network as the run left it: the weights that its recipe keeps (of stages: as the last one left it)."""
    if isinstance(recipe, Stages):
        return model_of(recipe.recipes[-1], recipe.folder(folder, len(recipe.recipes)))
    model = recipe.model()
    model.load_state_dict(Weights(folder / "weights", keep=recipe.keep, count=recipe.average).model())
    return model.eval()


def untrained(recipe: Recipe | Stages, seed: int) -> SpeakerModel:
    """The network with first weights of this seed."""
    torch.manual_seed(seed)
    return (recipe.recipes[-1] if isinstance(recipe, Stages) else recipe).model().eval()


def embedder(model: SpeakerModel, *, seconds: float = HEARD) -> Embed:
    """Embeds the first `seconds` of utterances, of waves or stored features as the model takes them."""
    source = source_of(model)

    def embed(utterances: Iterable[Utterance]) -> np.ndarray:
        some = list(utterances)
        pieces = [
            model.embed([source.beginning(utterance, seconds) for utterance in some[first : first + BATCH]])
            for first in range(0, len(some), BATCH)
        ]
        return np.concatenate(pieces)

    return embed


def scored(embed: Embed, lists: Mapping[str, Tested]) -> dict[str, Float64[np.ndarray, " trials"]]:
    """The cosine of every trial of every list; each recording is embedded once."""
    asked = {utterance.id: utterance for tested in lists.values() for utterance in _named(tested)}
    held = Embeddings(tuple(asked), embed(asked.values()))

    def told(tested: Tested) -> Scores:
        trials, enrolment = tested.trials, tested.enrolment
        return score_speakers(trials, held, enrolment) if enrolment else score(trials, held)

    return {name: told(tested).values for name, tested in lists.items()}


def _named(tested: Tested) -> list[Utterance]:
    """The recordings that the trials name, and those that speakers enrol with."""
    known = {utterance.id: utterance for utterance in tested.manifest}
    enrolled = (name for names in tested.enrolment.values() for name in names)
    asked = [name for name in (*tested.trials.ids, *enrolled) if name not in tested.enrolment]
    if lost := [name for name in asked if name not in known]:
        raise BadInput(f"{len(lost)} recordings of the trials, such as {lost[0]}, are not in the manifest")
    return [known[name] for name in asked]


def nearest_means(
    embed: Embed, taught: Manifest, sets: Mapping[str, Manifest]
) -> dict[str, Bool[np.ndarray, " utterances"]]:
    """Whether each utterance's embedding is nearest, by cosine, to its own speaker's mean over `taught`.

    All are taken less the mean over `taught`.
    """
    learnt_vectors = _unit(taught_vectors := embed(taught), centre := taught_vectors.mean(0))
    speakers, row = np.unique([utterance.speaker for utterance in taught], return_inverse=True)
    means = np.stack([learnt_vectors[row == i].mean(0) for i in range(len(speakers))])
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    return {
        name: speakers[np.argmax(_unit(embed(tested), centre) @ means.T, axis=1)] == [u.speaker for u in tested]
        for name, tested in sets.items()
    }


def _unit(vectors: np.ndarray, centre: np.ndarray) -> np.ndarray:
    apart = vectors - centre
    return np.asarray(apart / np.maximum(np.linalg.norm(apart, axis=1, keepdims=True), math.ulp(1.0)))
