"""A finished run to a model one can use: the folder with its card, calibrated decisions, and the page."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np

import voxsphere
from voxsphere.backend.calibrate import Calibration
from voxsphere.catalogue import CATALOGUE
from voxsphere.core.embeddings import Embeddings
from voxsphere.core.errors import BadInput
from voxsphere.core.files import read_json, write_json
from voxsphere.core.manifest import Manifest
from voxsphere.core.parts import classes_of
from voxsphere.core.scores import Scores
from voxsphere.core.trials import Trials
from voxsphere.data.training_set import TrainingSet
from voxsphere.evaluate.calibration import cross_validated_llr, fit_error_table
from voxsphere.evaluate.identification import Identified
from voxsphere.evaluate.results import Results, evaluate
from voxsphere.evaluate.scoring import score
from voxsphere.extract.corpus import extract
from voxsphere.metrics.confidence import LEAST_SPEAKERS
from voxsphere.pretrained import Card, Pretrained, open_folder, save_folder
from voxsphere.train.naming import measured, name_known
from voxsphere.train.page import write_page
from voxsphere.train.recipe import Recipe
from voxsphere.train.stages import whole_name
from voxsphere.train.verdict import Verdict, decided_in, verdict
from voxsphere.train.weights import Weights


@dataclass(frozen=True)
class Finished:
    """The model folder, its figures on held-out speakers (or of a closed set on its own), its card, and the page.

    `own` names the classes that are not of the catalogue, which whoever opens the folder has to hand over. `verdict`
    says whether it is better than another model, where that was asked. `stored` is set of a model that takes stored
    features, not recordings.
    """

    model: Path
    page: Path
    results: Results | Identified
    card: Card
    own: tuple[str, ...] = ()
    verdict: Verdict | None = None
    stored: bool = False


def finish(
    recipe: Recipe,
    folder: str | Path,
    *,
    beside: Pretrained | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> Finished:
    """Make `model/`, `held_out.scores.txt`, `report.html` and `curves.svg` in the run's folder, of its weights.

    The model is calibrated on the held-out speakers' trials, where there are enough speakers, and the error rates to
    expect are cross-validated over them; no test list is read. A closed set has no such speakers: its head names its
    own in the recordings held out, and there is no calibration (`held_out.decisions.tsv` stands for the scores).
    `beside` is a model to be compared with on these trials; a run that has been compared stays so: `beside.json` and
    `beside.safetensors` keep what that takes.
    """
    folder = Path(folder)
    data = recipe.data()
    weights = Weights(folder / "weights", keep=recipe.keep, count=recipe.average)
    state, epochs = weights.model(), weights.epochs
    card = _begun_from(_card(recipe, data, epochs, name=whole_name(folder, recipe)), folder)
    target = save_folder(recipe.model, state, card, folder / "model")
    own = tuple(sorted(set(classes_of(recipe.model)) - set(CATALOGUE)))
    page = folder / "report.html"
    if data.closed:
        if beside is not None:
            raise BadInput(f"{beside.card.name}: is compared on speakers held out, and this run learns all it has")
        found = name_known(recipe, folder, data, progress=progress)
        card = replace(card, measured=(measured(found), *([data.stamp] if data.stamp else [])))
        target = save_folder(recipe.model, state, card, folder / "model")
        write_page(folder, page, results=found, scores=None, card=card)
        return Finished(target, page, found, card, own, stored=recipe.model().width is not None)
    made = open_folder(target, extra=classes_of(recipe.model))
    embeddings = _embed(made, data.held_out, folder / "held_out.safetensors", progress)
    known = _heard(data.trials, embeddings)
    scores = score(known, embeddings)
    scores.save(folder / "held_out.scores.txt")
    speaker_of = data.held_out.speaker_of()
    results = evaluate(scores, speaker_of=speaker_of)
    other = _other(folder, data, beside, progress)
    said = None if other is None else _compared(recipe, data, folder, scores, *other)
    card = _with_results(_calibrated(card, scores, embeddings, speaker_of), results, data, said)
    target = save_folder(recipe.model, state, card, folder / "model")
    write_page(folder, page, results=results, scores=scores, card=card, verdict=said)
    return Finished(target, page, results, card, own, said, made.model.width is not None)


def _compared(
    recipe: Recipe, data: TrainingSet, folder: Path, scores: Scores, name: str, embeddings: Embeddings
) -> Verdict:
    """The verdict on these scores beside the model `name`, as far as it could embed the recordings of the trials."""
    told = read_json(folder / "data.json")
    start = told.get("start")
    both = _heard(scores.trials, embeddings)
    row = {pair: i for i, pair in enumerate(_pairs(scores.trials))}
    own = replace(scores, trials=both, values=scores.values[[row[pair] for pair in _pairs(both)]])
    return verdict(
        own,
        score(both, embeddings),
        name=name,
        speaker_of=data.held_out.speaker_of(),
        decided=decided_in(cast(dict[str, Any], recipe.to_json()), told),
        known=start is None or bool(start.get("all_heard")),
    )


def _other(
    folder: Path, data: TrainingSet, beside: Pretrained | None, progress: Callable[[int], None]
) -> tuple[str, Embeddings] | None:
    """The name of the model to be compared with and its embeddings of the held-out recordings; None where none is."""
    note, made = folder / "beside.json", folder / "beside.safetensors"
    if beside is not None:
        embeddings = _embed(beside, data.held_out, made, progress)
        write_json(note, {"name": beside.card.name, "fingerprint": beside.fingerprint})
        return beside.card.name, embeddings
    if not (note.exists() and made.exists()):
        return None
    told, embeddings = read_json(note), Embeddings.load(made)
    if not isinstance(told, dict) or told.get("fingerprint") != embeddings.model:
        raise BadInput(
            f"{note}: names no model, or another than {made.name} is of; remove both to do without a verdict"
        )
    return str(told.get("name")), embeddings


def _pairs(trials: Trials) -> list[tuple[str, str]]:
    return [(trials.ids[a], trials.ids[b]) for a, b in zip(trials.enrol, trials.test, strict=True)]


def _embed(model: Pretrained, held_out: Manifest, out: Path, progress: Callable[[int], None]) -> Embeddings:
    out.unlink(missing_ok=True)  # a longer run of the same folder makes another model
    made = extract(model, held_out, out, progress=progress)
    if not made.embeddings:
        raise BadInput(f"none of the {len(held_out)} held-out recordings can be embedded; {made.failures[0][1]}")
    return Embeddings.load(out)


def _heard(trials: Trials, embeddings: Embeddings) -> Trials:
    """The trials of which both recordings could be embedded."""
    there = np.isin(np.array(trials.ids), np.array(embeddings.ids))
    both = there[trials.enrol] & there[trials.test]
    if both.all():
        return trials
    names = np.array(trials.ids)
    target = None if trials.target is None else trials.target[both]
    return Trials.from_pairs(list(names[trials.enrol[both]]), list(names[trials.test[both]]), target)


def _card(recipe: Recipe, data: TrainingSet, epochs: tuple[int, ...], *, name: str) -> Card:
    model = recipe.model()
    millions = sum(p.numel() for p in model.parameters()) / 1e6
    network = type(model.encoder).__name__
    learnt = f"{len(data.train)} utterances of {len(data.train.speakers)} speakers"
    sets = sorted({utterance.dataset for utterance in data.train if utterance.dataset})
    languages = sorted({utterance.language for utterance in data.train if utterance.language})
    spoken = f"; languages: {', '.join(languages)}" if 0 < len(languages) <= 12 else ""
    whole = len(epochs) == epochs[-1] - epochs[0] + 1
    named = f"{epochs[0]} to {epochs[-1]}" if whole else ", ".join(map(str, epochs))
    chosen = f"epochs {named} averaged" if len(epochs) > 1 else f"epoch {epochs[0]}"
    return Card(
        name=name,
        summary=f"{network}, {millions:.2f} M parameters, {model.dim}-d embeddings, trained on {learnt}",
        paper=_paper(type(model.encoder)),
        source=f"voxsphere {voxsphere.__version__}, recipe {recipe.name} ({recipe.hash}), {chosen}",
        licence_code="Apache-2.0",
        licence_weights="not stated",
        licence_data="not stated",
        training_data=learnt + (f" ({', '.join(sets)})" if sets else "") + spoken,
        front_end=f"{model.sample_rate} Hz, {_front_end(recipe)}",
    )


def _begun_from(card: Card, folder: Path) -> Card:
    """The card with what the run was begun from, as its data.json tells: its name, and what binds whoever uses it."""
    start = read_json(folder / "data.json").get("start")
    if start is None:
        return card
    name = start["name"]
    unknown = "" if start.get("all_heard") else f"; it is not known whether {name} heard the held-out speakers, too"

    def with_licence(own: str, licence: str) -> str:
        return f"{own}; begun from {name} (licence {licence})"

    return replace(
        card,
        source=f"{card.source}, begun from {name} (weights {start['fingerprint']})",
        licence_weights=with_licence(card.licence_weights, start["licence_weights"]),
        licence_data=with_licence(card.licence_data, start["licence_data"]),
        training_data=f"{card.training_data}; begun from {name}, trained on: {start['training_data']}{unknown}",
    )


def _paper(network: type) -> str:
    """What the network's file says first, which names its paper; a class written elsewhere speaks for itself."""
    told = (getattr(inspect.getmodule(network), "__doc__", None), network.__doc__)
    return next((text.strip().splitlines()[0] for text in told if text), network.__name__)


def _front_end(recipe: Recipe) -> str:
    return _called(recipe.model.keywords["features"])


def _called(part: object) -> str:
    """A part with the options it is given, and those of the parts within, as one would call it."""
    if isinstance(part, partial):
        options = ", ".join(f"{name}={_called(value)}" for name, value in part.keywords.items())
        return f"{part.func.__name__}({options})"
    return f"{part.__name__}()" if isinstance(part, type) else f"{part}"


def _calibrated(card: Card, scores: Scores, embeddings: Embeddings, speaker_of: dict[str, str]) -> Card:
    """The card with a calibration and the error rates to expect, if there are speakers enough to measure them."""
    trials = scores.trials
    assert trials.target is not None
    assert embeddings.seconds is not None
    seconds = embeddings.seconds[np.asarray(embeddings.rows(trials.ids))]
    names = sorted({speaker_of[name] for name in trials.ids})
    number = np.searchsorted(names, [speaker_of[name] for name in trials.ids])
    speaker_a, speaker_b = number[trials.enrol], number[trials.test]
    seconds_a, seconds_b = seconds[trials.enrol], seconds[trials.test]
    enough = np.minimum(seconds_a, seconds_b) >= card.min_speech_seconds
    target = np.asarray(trials.target)
    if len(np.unique(speaker_a[target & enough])) < LEAST_SPEAKERS:
        return card
    values = scores.values[enough]
    sides = seconds_a[enough], seconds_b[enough], target[enough], speaker_a[enough], speaker_b[enough]
    said = f"fitted on trials of {len(names)} speakers held out from training, whose EER was known while it trained"
    llr = cross_validated_llr(values, *sides)
    errors = fit_error_table(llr, *sides, provenance=f"cross-validated over speakers; {said}")
    if not errors.bins:
        return card
    return replace(card, calibration=Calibration.fit(values, *sides[:3], provenance=said), errors=errors)


def _with_results(card: Card, results: Results, data: TrainingSet, said: Verdict | None) -> Card:
    ends = results.eer.interval if results.speakers >= LEAST_SPEAKERS else None
    between = "" if ends is None else f" (95 % interval {100 * ends[0]:.1f} to {100 * ends[1]:.1f})"
    told = (
        f"EER {100 * results.eer.value:.1f} %{between} on {results.trials} trials of {results.speakers} speakers held "
        "out from training"
    )
    compared = [] if said is None else [f"{said.words}; {said.basis}"]
    return replace(card, measured=(told, *compared, *([data.stamp] if data.stamp else [])))
