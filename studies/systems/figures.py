"""The figures of a system's study, of its stored scores and decisions: intervals, differences, and what it beats."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from studies.bootstrap import Arrays, Drawn, Sides, of_decisions, of_trials
from studies.systems.store import Store
from studies.systems.study import Study, Tested
from voxsphere.core.manifest import Manifest
from voxsphere.evaluate.speakers import speakers_of
from voxsphere.metrics.confidence import LEAST_SPEAKERS
from voxsphere.metrics.detection import Curve, eer_of, eer_threshold_of, min_dcf_of, min_dcf_point

Figures = dict[str, Any]
REPLICATES = 1000
PRIORS = (0.01, 0.001)
PLACES = 6


def sides_of(tested: Tested) -> Sides:
    """Who speaks in each trial."""
    speaker_of = {u.id: u.speaker for u in tested.manifest} | {speaker: speaker for speaker in tested.enrolment}
    enrol, test, _ = speakers_of(tested.trials, speaker_of)
    return Sides(enrol, test)


def numbers_of(manifest: Manifest) -> np.ndarray:
    """Who speaks in each utterance."""
    return np.unique([utterance.speaker for utterance in manifest], return_inverse=True)[1]


def figures(study: Study, store: Store, *, replicates: int = REPLICATES) -> Figures:
    """Of each list and set and each row that is stored of it: figures with their intervals, and `less`, by how much
    they exceed those of the reference, of each floor, and of what the study compares them with; and the verdict
    `beats`."""
    lists = {name: _of_list(study, store, name, sides, replicates) for name, sides in store.lists.items()}
    sets = {name: _of_set(study, store, name, speaker, replicates) for name, speaker in store.sets.items()}
    judged = (lists | sets).get(study.judged, {"rows": {}, "speakers": 0})
    better, figure = (-1, "eer") if study.judged in lists else (1, "accuracy")
    enough = judged["speakers"] >= LEAST_SPEAKERS
    floors = [floor.name for floor in study.floors]
    beats = {
        row: {floor: _beats(told[figure]["less"].get(floor), better, enough=enough) for floor in floors}
        for row, told in judged["rows"].items()
        if row not in floors
    }
    return {"replicates": replicates, "lists": lists, "sets": sets, "beats": beats}


def _beats(less: list[float] | None, better: int, *, enough: bool) -> bool | None:
    """Whether the whole interval lies on the better side of 0; None where there is nothing to beat.

    On fewer speakers than `LEAST_SPEAKERS` nothing is shown.
    """
    return None if less is None else enough and (less[1] > 0 if better > 0 else less[2] < 0)


def _of_list(study: Study, store: Store, name: str, sides: Sides, replicates: int) -> Figures:
    scores = _stored({row: store.scores(name, row) for row in study.names})
    drawn = of_trials(sides, scores, _OF_TRIALS, replicates=replicates) if scores else {}
    counts = {"trials": len(sides.enrol), "targets": int(sides.target.sum()), "speakers": _speakers(sides)}
    return {**counts, "rows": {row: _told(study, drawn, row, len(scores[row])) for row in scores}}


def _of_set(study: Study, store: Store, name: str, speaker: np.ndarray, replicates: int) -> Figures:
    right = _stored({row: store.decisions(name, row) for row in study.names})
    drawn = {"accuracy": of_decisions(speaker, right, replicates=replicates)} if right else {}
    counts = {"utterances": len(speaker), "speakers": int(speaker.max()) + 1}
    return {**counts, "rows": {row: _told(study, drawn, row, len(right[row])) for row in right}}


def _stored(of_row: Mapping[str, Mapping[int, np.ndarray]]) -> dict[str, Arrays]:
    return {row: [of_seed[seed] for seed in sorted(of_seed)] for row, of_seed in of_row.items() if of_seed}


def _told(study: Study, drawn: Mapping[str, Drawn], row: str, seeds: int) -> Figures:
    asked_for = (other for one, other in study.compared if one == row)
    every = dict.fromkeys((*(floor.name for floor in study.floors), study.reference, *asked_for))
    others = [name for name in every if name != row]
    # How thresholds differ says nothing: scales of scores are a network's own.
    asked = {name: [] if name.endswith("threshold") else others for name in drawn}
    return {"seeds": seeds} | {name: _figure(each, row, asked[name]) for name, each in drawn.items()}


def _figure(drawn: Drawn, row: str, others: Iterable[str]) -> Figures:
    less = {other: _rounded(drawn.difference(row, other)) for other in others if other in drawn.value}
    return {"value": round(drawn.value[row], PLACES), "interval": _rounded(drawn.interval(row)), "less": less}


def _rounded(values: list[float]) -> list[float]:
    return [round(value, PLACES) for value in values]


def _speakers(sides: Sides) -> int:
    return len(np.unique(np.concatenate([sides.enrol, sides.test])))


def _cost(curve: Curve, prior: float) -> float:
    return min_dcf_of(curve, p_target=prior)


def _cost_threshold(curve: Curve, prior: float) -> float:
    """The threshold of the least cost, or the highest score where that is to reject all."""
    return float(curve.thresholds[min(min_dcf_point(curve, p_target=prior), len(curve.thresholds) - 2)])


_OF_TRIALS = {
    "eer": eer_of,
    "eer_threshold": eer_threshold_of,
    **{f"min_dcf_{prior:g}": lambda curve, prior=prior: _cost(curve, prior) for prior in PRIORS},
    **{f"min_dcf_{prior:g}_threshold": lambda curve, prior=prior: _cost_threshold(curve, prior) for prior in PRIORS},
}
