"""docs/losses.md says what was measured, of every loss there is; the study that measures runs end to end."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from studies.losses import NAMES, figures, named
from studies.losses_catalogue import ELSEWHERE, FAMILIES, REFERENCE, ROWS
from studies.losses_drawing import svg
from studies.losses_figures import draw
from studies.losses_page import STORED, files
from studies.losses_pictures import picture
from studies.losses_store import Store, slug

from voxsphere.catalogue import CATALOGUE
from voxsphere.core.errors import BadInput
from voxsphere.core.files import read_json
from voxsphere.core.trials import Trials
from voxsphere.metrics.confidence import paired_bootstrap
from voxsphere.metrics.detection import eer, eer_of, error_rates_of

ROOT = Path(__file__).parents[1]
DESCRIBED = [each for family in FAMILIES.values() for each in family]


@pytest.mark.slow
def test_the_page_is_made_of_the_classes_and_of_what_was_measured():
    for path, text in files().items():
        assert (ROOT / path).read_text(encoding="utf-8") == text, "run `python -m studies.losses page`"


def test_the_page_describes_every_loss_of_the_catalogue():
    known = {each for each in CATALOGUE.values() if each.__module__.startswith("voxsphere.losses.")}
    assert set(DESCRIBED) == known
    assert len(DESCRIBED) == len(known)


def test_every_loss_is_in_a_row_of_the_table():
    text = " ".join(row.made_of for row in ROWS)
    assert [each for each in DESCRIBED if each.__name__ not in text] == list(ELSEWHERE)
    assert len({slug(name) for name in NAMES}) == len(ROWS)
    assert REFERENCE in NAMES


def test_a_row_says_what_is_not_a_default():
    assert named("GE2E, contrast").made_of == "Ge2e(method=contrast)"
    assert named("a-softmax").made_of == "ASoftmax, LambdaAnnealing"
    assert named("softmax, centre").made_of == "Softmax + CenterLoss"
    with pytest.raises(BadInput, match="did you mean 'softmax'"):
        named("softmaxx")


def test_a_picture_shows_the_slope_of_the_loss():
    drawn = picture(CATALOGUE["AamSoftmax"])
    curve = drawn.curves[1]
    # One class of 400 against 399 at right angles: the slope is s·sin(t + m) times what the softmax gives the others.
    angle, others = curve.at[45], np.log(399)
    share = 1 / (1 + np.exp(30 * np.cos(angle + 0.2) - others))
    assert curve.values[45] == pytest.approx(30 * np.sin(angle + 0.2) * share, rel=1e-9)
    assert svg(drawn).count('<path class="curve') == 4  # two curves and their keys


def trials_of(speakers: int) -> tuple[Trials, dict[str, str]]:
    ids = [f"{speaker}/{take}" for speaker in range(speakers) for take in range(3)]
    pairs = [(a, b) for a in ids for b in ids if a < b]
    trials = Trials.from_pairs(*zip(*pairs, strict=True), [a.split("/")[0] == b.split("/")[0] for a, b in pairs])
    return trials, {name: name.split("/")[0] for name in ids}


def scores_of(trials: Trials, seed: int, apart: float) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=len(trials)) + apart * trials.target


def test_one_seed_is_drawn_as_the_paired_bootstrap_draws():
    trials, speaker_of = trials_of(30)
    scores = {"one": [scores_of(trials, 0, 1.0)], "other": [scores_of(trials, 1, 2.0)]}
    drawn = draw(trials, speaker_of, scores)
    sides = [(values[trials.target], values[~trials.target]) for (values,) in scores.values()]
    assert drawn.value == {name: eer(*side) for name, side in zip(scores, sides, strict=True)}
    number = np.array([int(speaker_of[name]) for name in trials.ids])
    enrol, test = number[trials.enrol], number[trials.test]
    target = trials.target
    apart = paired_bootstrap(
        *sides[::-1],
        enrol[target],
        np.stack([enrol[~target], test[~target]], axis=1),
        lambda tally: np.array([eer_of(error_rates_of(tally))]),
        replicates=1000,
    )
    assert drawn.difference("one", "other")[0] == pytest.approx(apart.value[0])
    assert drawn.difference("one", "other")[1:] == pytest.approx([apart.low[0], apart.high[0]], abs=0.01)


def test_seeds_that_differ_widen_the_interval_and_a_loss_does_not_differ_from_itself():
    trials, speaker_of = trials_of(30)
    even = [scores_of(trials, seed, 2.0) for seed in range(3)]
    uneven = [scores_of(trials, seed, apart) for seed, apart in enumerate((1.0, 2.0, 3.5))]
    drawn = draw(trials, speaker_of, {"even": even, "uneven": uneven, "again": even}, replicates=300)
    wide = {name: np.subtract(*drawn.interval(name)[::-1]) for name in drawn.value}
    assert wide["uneven"] > 2 * wide["even"]
    assert drawn.difference("even", "again") == [0, 0, 0]
    assert drawn.value["uneven"] == pytest.approx(np.mean([eer(s[trials.target], s[~trials.target]) for s in uneven]))


@pytest.mark.skipif(not (STORED / "figures.json").exists(), reason="the study has not been run yet")
def test_the_figures_are_those_of_the_stored_scores():
    store, stored = Store(STORED), read_json(STORED / "figures.json")
    trials, _ = store.held_out
    for name, told in stored["losses"].items():
        each = [eer(scores[trials.target], scores[~trials.target]) for scores in store.scores(name).values()]
        assert told["eer"] == pytest.approx(np.mean(each), abs=1e-9)
        assert told["seeds"] == len(each)
    assert stored["best"] == min((n for n in NAMES if n in stored["losses"]), key=lambda n: stored["losses"][n]["eer"])


@pytest.mark.slow
def test_the_study_trains_and_compares(tmp_path):
    def study(*command: str) -> str:
        path = f"{ROOT}{os.pathsep}{ROOT / 'src'}"
        asked = [sys.executable, "-m", "studies.losses", *command, "--smoke", "--place", str(tmp_path)]
        done = subprocess.run(
            asked, cwd=ROOT, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert study("run", "aam", "triplet, batch hard", "--jobs", "1").count("seeds 0") == 2
    study("floor")
    told = json.loads((tmp_path / "figures.json").read_text())
    assert set(told["losses"]) == {"mean and std", "untrained", "aam", "triplet, batch hard"}
    for name, row in told["losses"].items():
        assert row["interval"][0] <= row["eer"] <= row["interval"][1]
        assert row["to_reference"][0] == pytest.approx(row["eer"] - told["losses"]["aam"]["eer"]), name
    runs = json.loads((tmp_path / "runs.json").read_text())
    assert runs["aam"]["seeds"]["0"]["seconds_per_step"] > 0
    assert "seeds 0" not in study("run", "aam", "--jobs", "1")
    assert told == json.loads((tmp_path / "figures.json").read_text()) == figures(Store(tmp_path))
