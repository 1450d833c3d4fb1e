"""The studies of the reference systems: what the harness keeps, compares and shows, and that every study still runs."""

import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from studies import pool
from studies.bootstrap import Sides, of_decisions, of_trials
from studies.systems import SYSTEMS, UNSHOWN, named, page, written
from studies.systems.figures import figures
from studies.systems.hypersphere_page import five_likeliest
from studies.systems.store import Store
from studies.systems.study import Row, Study
from studies.systems.tables import by_list, standard, steps

from voxsphere.core.errors import BadInput
from voxsphere.core.files import write_json
from voxsphere.metrics.detection import eer, eer_of, min_dcf

ROOT = Path(__file__).parents[1]
STORED = ROOT / "studies" / "outputs" / "systems"


def harness(*command: str, fails: bool = False) -> str:
    path = f"{ROOT}{os.pathsep}{ROOT / 'src'}"
    asked = [sys.executable, "-m", "studies.systems", *command]
    done = subprocess.run(
        asked, cwd=ROOT, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True, check=False
    )
    assert (done.returncode != 0) is fails, done.stderr
    return done.stderr if fails else done.stdout


def all_pairs(speakers: int, takes: int = 3) -> Sides:
    number = np.repeat(np.arange(speakers), takes)
    a, b = np.triu_indices(len(number), 1)
    return Sides(number[a], number[b])


def scores_of(sides: Sides, seed: int, apart: float) -> np.ndarray:
    return np.clip(np.random.default_rng(seed).normal(size=len(sides.enrol)) / 10 + apart * sides.target, -1, 1)


def nothing(place: object, seed: int) -> dict[str, object]:
    raise NotImplementedError


def study(**options: object) -> Study:
    rows = (Row("good", nothing), Row("bad", nothing))
    floors = (Row("untrained copy", nothing), Row("mean and std", nothing, (0,)))
    usual = {"rows": rows, "floors": floors, "budget": "Ten steps.", "reference": "good", "prepare": print}
    return Study(name="combined_loss", **(usual | options))


def filled(folder: Path, **options: object) -> tuple[Study, Store]:
    """A store of a study whose good row is good, whose bad row is no better than what is to be beaten."""
    made, store, sides = study(**options), Store(folder), all_pairs(20)
    store.set_list("held_out", sides)
    store.set_set("last", np.repeat(np.arange(20), 3))
    chances = {"good": (0.3, 0.9), "bad": (0.02, 0.2), "untrained copy": (0.02, 0.2), "mean and std": (0.05, 0.3)}
    for row, (apart, right) in chances.items():
        for seed in (0,) if row == "mean and std" else (0, 1):
            decided = np.random.default_rng(seed).random(60) < right
            told = {"scores": {"held_out": scores_of(sides, seed, apart)}, "decisions": {"last": decided}}
            store.add(row, seed, {"loss": 1.5, "cpu_seconds": 60.0, **told}, order=made.names)
    return made, store


def test_each_step_is_shown_by_how_much_it_changes_what_is_judged_by(tmp_path):
    made, store = filled(tmp_path, compared=(("bad", "good"), ("good", "untrained copy")))
    found = figures(made, store, replicates=200)
    head, _, first, second = steps(made, found).splitlines()[2:]
    assert head == "| step | EER, held-out train speakers | right decisions, last |"
    assert first.startswith("| `bad` less `good` | **+")
    assert " | **-" in first
    assert second.startswith("| `good` less `untrained copy` | **-")
    assert steps(study(), found) == ""
    assert steps(made, {"lists": {}, "sets": {}}) == ""


def test_what_is_stored_comes_back_to_four_places(tmp_path):
    made, store = filled(tmp_path)
    sides = all_pairs(20)
    assert store.lists["held_out"].enrol.tolist() == sides.enrol.tolist()
    assert np.abs(store.scores("held_out", "good")[1] - scores_of(sides, 1, 0.3)).max() <= 0.5e-4
    right = np.random.default_rng(1).random(60) < 0.9
    assert store.decisions("last", "good")[1].tolist() == right.tolist()
    assert list(store.runs) == list(made.names)
    assert store.runs["good"]["seeds"]["0"] == {"loss": 1.5, "cpu_seconds": 60.0}
    assert store.done("good", 1)
    assert not store.done("good", 2)


def test_a_run_that_broke_is_known_until_it_is_made_up_for(tmp_path):
    made, store = filled(tmp_path)
    store.add_broken("good", 2, "BadInput: no disk", order=made.names)
    assert not store.done("good", 2)
    assert "Broke off: `good`, seed 2: BadInput: no disk." in standard(made, store)
    store.add("good", 2, {"cpu_seconds": 1.0}, order=made.names)
    assert store.runs["good"]["broken"] == {}


def test_other_trials_than_those_stored_are_refused(tmp_path):
    made, store = filled(tmp_path)
    store.set_list("held_out", all_pairs(20))
    with pytest.raises(BadInput, match="judged by others"):
        store.set_list("held_out", all_pairs(21))
    with pytest.raises(BadInput, match="tells 5 of the list held_out, which has 1770"):
        store.add("good", 0, {"scores": {"held_out": np.zeros(5)}}, order=made.names)
    with pytest.raises(BadInput, match="set other, which is none"):
        store.add("good", 0, {"decisions": {"other": np.zeros(5)}}, order=made.names)


def test_figures_are_means_of_the_seeds_and_tell_what_beats_what(tmp_path):
    made, store = filled(tmp_path)
    found, target = figures(made, store, replicates=200), all_pairs(20).target
    told = found["lists"]["held_out"]["rows"]["good"]
    seeds = [(scores[target], scores[~target]) for scores in store.scores("held_out", "good").values()]
    assert told["seeds"] == 2
    assert told["eer"]["value"] == pytest.approx(np.mean([eer(*each) for each in seeds]), abs=1e-6)
    cost = np.mean([min_dcf(*each, p_target=0.001) for each in seeds])
    assert told["min_dcf_0.001"]["value"] == pytest.approx(cost, abs=1e-6)
    assert told["eer"]["interval"][0] <= told["eer"]["value"] <= told["eer"]["interval"][1]
    right = np.mean([each.mean() for each in store.decisions("last", "good").values()])
    assert found["sets"]["last"]["rows"]["good"]["accuracy"]["value"] == pytest.approx(right, abs=1e-6)
    assert found["beats"]["good"] == {"untrained copy": True, "mean and std": True}
    assert found["beats"]["bad"]["untrained copy"] is False
    by_set = figures(study(judged="last"), store, replicates=200)["beats"]
    assert by_set["good"] == {"untrained copy": True, "mean and std": True}
    assert by_set["bad"]["mean and std"] is False


def test_a_row_is_compared_with_another_where_the_study_asks(tmp_path):
    made, store = filled(tmp_path, compared=(("good", "bad"),))
    told = figures(made, store, replicates=100)["lists"]["held_out"]["rows"]
    assert set(told["good"]["eer"]["less"]) == {"untrained copy", "mean and std", "bad"}
    value, low, high = told["good"]["eer"]["less"]["bad"]
    assert value == pytest.approx(told["good"]["eer"]["value"] - told["bad"]["eer"]["value"], abs=2e-6)
    assert low <= value <= high < 0
    with pytest.raises(BadInput, match="no row 'better'"):
        study(compared=(("good", "better"),))


def test_nothing_is_shown_on_few_speakers(tmp_path):
    made, store, sides = study(), Store(tmp_path), all_pairs(9)
    store.set_list("held_out", sides)
    for row, apart in {"good": 0.5, "untrained copy": 0.0}.items():
        told = {"scores": {"held_out": scores_of(sides, 0, apart)}, "cpu_seconds": 1.0}
        store.add(row, 0, told, order=made.names)
    found = figures(made, store, replicates=100)
    less = found["lists"]["held_out"]["rows"]["good"]["eer"]["less"]["untrained copy"]
    assert less[2] < 0
    assert found["beats"] == {"good": {"untrained copy": False, "mean and std": None}}


def test_a_threshold_parts_the_trials_as_its_figure_says(tmp_path):
    made, store = filled(tmp_path)
    sides = all_pairs(20)
    target = sides.target
    told = {"scores": {"held_out": scores_of(sides, 7, 0.3)}, "cpu_seconds": 1.0}
    store.add("mean and std", 0, told, order=made.names)
    told = figures(made, store, replicates=10)["lists"]["held_out"]["rows"]["mean and std"]
    scores = store.scores("held_out", "mean and std")[0]
    accepted = scores >= told["eer_threshold"]["value"] - 1e-9
    misses, alarms = 1 - accepted[target].mean(), accepted[~target].mean()
    assert misses == pytest.approx(alarms, abs=0.02)
    assert told["eer"]["value"] == pytest.approx((misses + alarms) / 2, abs=0.02)
    accepted = scores >= told["min_dcf_0.01_threshold"]["value"] - 1e-9
    cost = (1 - accepted[target].mean()) + 99 * accepted[~target].mean()
    assert told["min_dcf_0.01"]["value"] == pytest.approx(cost, abs=1e-6)


def test_decisions_are_drawn_by_speakers_not_by_utterances():
    # Speakers are wholly right or wholly wrong: the share among 40 of them, whatever each of them says.
    of_speaker = np.arange(40) % 4 > 0
    few, many = (
        of_decisions(np.repeat(np.arange(40), takes), {"row": [np.repeat(of_speaker, takes)]}) for takes in (1, 25)
    )
    assert few.value == many.value == {"row": 0.75}
    assert few.interval("row") == pytest.approx(many.interval("row"), abs=0.01)
    expected = 2 * 1.96 * np.sqrt(0.75 * 0.25 / 40)
    assert np.subtract(*few.interval("row")[::-1]) == pytest.approx(expected, rel=0.1)


def test_the_same_row_twice_does_not_differ_in_any_figure():
    sides = all_pairs(15)
    seeds = [scores_of(sides, seed, 0.1) for seed in range(3)]
    drawn = of_trials(sides, {"one": seeds, "again": seeds}, {"eer": eer_of}, replicates=50)
    assert drawn["eer"].difference("one", "again") == [0, 0, 0]


def test_the_tables_show_the_verdict_and_every_row(tmp_path):
    made, store = filled(tmp_path)
    (tmp_path / "figures.json").write_text(json.dumps(figures(made, store, replicates=200)))
    text = standard(made, store)
    assert (
        "Ten steps. One thread a run; 4 runs, 4 CPU minutes in all, in the median 60 s a run, the longest 60 s" in text
    )
    assert "`good` is shown better on held-out train speakers than *untrained copy*: yes (EER **-" in text
    assert "The system counts as running. Rows that do not beat both: `bad`." in text
    assert "Held-out train speakers (1,770 trials, 60 of them targets, 20 speakers):" in text
    assert "Last (60 utterances, 20 speakers):" in text
    for row in ("| good | 2 |", "| bad | 2 |", "| *mean and std* | 1 |"):
        assert text.count(row) == 2, row


def test_lists_are_shown_a_line_each(tmp_path):
    made, store = filled(tmp_path)
    found = figures(made, store, replicates=100)
    head, _, *lines = by_list(found, ["good"]).splitlines()
    assert head == "| row | list | EER % | threshold | minDCF (0.01) | minDCF (0.001) |"
    told = found["lists"]["held_out"]["rows"]["good"]
    assert [line.split(" | ")[1] for line in lines] == ["held-out train speakers"]
    assert f"{told['eer_threshold']['value']:.3f} (" in lines[0]


def test_how_often_the_speaker_is_among_the_five_likeliest(tmp_path):
    store = Store(tmp_path)
    for seed, share in ((0, 0.9), (1, 0.94)):
        store.add("known", seed, {"top5_test": share}, order=["known", "stranger"])
    store.add("stranger", 0, {}, order=["known", "stranger"])
    lines = five_likeliest(store, ("known", "stranger", "not run"), "test").splitlines()
    assert lines[2:] == [
        "| row | seeds | among the five likeliest, % |",
        "| --- | ---: | ---: |",
        "| known | 2 | 92.0 (90.0–94.0) |",
    ]
    assert five_likeliest(store, ("stranger",), "test") == ""


def test_a_system_that_has_not_been_run_says_so_in_a_line(tmp_path):
    text = "\n".join(page.sections(tmp_path))
    for name, title in SYSTEMS.items():
        assert f"### {title}\n\nThis system's study has not been run (`python -m studies.systems run {name}`)." in text


def test_what_the_figures_say_of_a_systems_claims_stands_below_them(tmp_path):
    write_json(tmp_path / "combined_loss/figures.json", figures(*filled(tmp_path / "combined_loss"), replicates=100))
    (tmp_path / "combined_loss/note.md").write_text("Combining helps.\n")
    text = "\n".join(page.sections(tmp_path))
    assert text.index("### Combined loss") < text.index("\n\nCombining helps.\n") < text.index("### Deep Speaker v2")


def test_what_breaks_keeps_none_of_the_others():
    done, reasons = [], []
    works = {
        "fine": partial(int, "1"),
        "raises": partial(int, "x"),
        "dies": partial(os._exit, 3),
        "too": partial(int, "2"),
    }
    broken = pool.run([pool.Task(name, work, done.append, reasons.append) for name, work in works.items()], 2)
    assert sorted(done) == [1, 2]
    assert broken == [f"{name}: {reason}" for name, reason in zip(("raises", "dies"), reasons, strict=True)]
    assert reasons[0].startswith("ValueError: invalid literal")
    assert reasons[1] == "its process died"


def test_strange_names_are_answered_with_those_there_are():
    with pytest.raises(BadInput, match="did you mean 'spkid_mlp'"):
        named("spkid_mpl")
    with pytest.raises(BadInput, match="no row 'godo'; did you mean 'good'"):
        study().row("godo")
    with pytest.raises(BadInput, match="its reference 'best' is none of its rows"):
        study(reference="best")


@pytest.mark.parametrize("name", [name for name in SYSTEMS if (STORED / name / "figures.json").exists()])
def test_the_figures_are_those_of_the_stored_scores(name):
    store = Store(STORED / name)
    for key, told in store.figures["lists"].items():
        target = store.lists[key].target
        for row, found in told["rows"].items():
            each = [eer(scores[target], scores[~target]) for scores in store.scores(key, row).values()]
            assert found["eer"]["value"] == pytest.approx(np.mean(each), abs=1e-6)
            assert found["seeds"] == len(each)
    for key, told in store.figures["sets"].items():
        for row, found in told["rows"].items():
            each = [right.mean() for right in store.decisions(key, row).values()]
            assert found["accuracy"]["value"] == pytest.approx(np.mean(each), abs=1e-6)


@pytest.mark.slow
def test_a_study_goes_on_where_it_broke(tmp_path):
    rehearsed = ("example", "--smoke", "--place", str(tmp_path))
    strange = tmp_path / "example" / "runs" / "aam-seed0" / "recipe.json"
    strange.parent.mkdir(parents=True)
    strange.write_text("{}")
    said = harness("run", *rehearsed, fails=True)
    assert "error: 1 runs broke off, the first: aam, seed 0: BadInput" in said
    store = Store(tmp_path / "example")
    assert store.done("softmax", 0)
    assert "recipe.json" in store.runs["aam"]["broken"]["0"]
    strange.unlink()
    said = harness("run", *rehearsed)
    assert "aam 0 " in said
    assert "softmax 0 " not in said
    harness("floor", *rehearsed)
    assert [set(told["seeds"]) for told in store.runs.values()] == [{"0"}] * 4
    assert set(store.figures["lists"]) == {"held_out", "synthetic"}
    assert set(store.figures["beats"]) == {"softmax", "aam"}
    assert store.figures == json.loads(json.dumps(figures(named("example"), store, replicates=100)))


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in (*SYSTEMS, *UNSHOWN) if written(name)])
def test_every_study_runs_in_its_smallest_form(name, tmp_path):
    rehearsed = ("--smoke", "--place", str(tmp_path))
    reference = named(name).reference
    harness("run", name, reference, *rehearsed)
    harness("floor", name, *rehearsed)
    assert None not in Store(tmp_path / name).figures["beats"][reference].values()
