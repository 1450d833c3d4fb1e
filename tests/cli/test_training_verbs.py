"""`train`, `recipes` and `bench loader` as a person and a program meet them."""

import json
from pathlib import Path

import pytest

RECIPE = str(Path(__file__).parents[1] / "train" / "tiny_recipe.py")
SHORT = ("--set", "epochs=2", "--workers", "0")


@pytest.fixture
def tiny(speakers, monkeypatch):
    monkeypatch.setenv("SPEAKERS", str(speakers))
    return RECIPE


def test_train_prints_one_object_and_makes_a_model_that_verifies(tiny, speakers, voxsphere, tmp_path):
    done = voxsphere("train", tiny, "--out", tmp_path / "run", *SHORT, "--json")
    assert done.status == 0, done.err
    told = json.loads(done.out)
    assert (told["steps"], told["resumed_at"], told["broken"]) == (10, 0, {})
    assert set(told["held_out"]) >= {"eer", "eer_interval", "min_dcf", "counts"}
    assert Path(told["report"]).exists()
    pair = (speakers / "s00" / "0.wav", speakers / "s01" / "1.wav")
    verdict = voxsphere("verify", *pair, "--model", told["model"], "--json")
    assert verdict.status == 0, verdict.err
    assert json.loads(verdict.out)["score"] is not None


def test_whole_utterances_in_buckets_are_learnt_from_after_a_check(tiny, speakers, voxsphere, tmp_path):
    assert voxsphere("prepare", "folder", speakers, "--out", tmp_path / "m.tsv").status == 0
    asked = ("train", tiny, *SHORT, "--set", "examples=Whole", "--set", "sampler=Bucketed", "--out", tmp_path / "run")
    refused = voxsphere(*asked, "--data", tmp_path / "m.tsv")
    assert refused.status == 2
    assert "need durations in the manifest; `voxsphere check --out` writes them" in refused.err
    assert voxsphere("check", tmp_path / "m.tsv", "--out", tmp_path / "measured.tsv").status == 0
    done = voxsphere(*asked, "--data", tmp_path / "measured.tsv", "--json")
    assert done.status == 0, done.err
    assert json.loads(done.out)["steps"] > 0


def test_the_same_command_goes_on_and_the_run_folder_alone_is_enough(tiny, voxsphere, tmp_path):
    assert voxsphere("train", tiny, "--out", tmp_path / "run", *SHORT).status == 0
    again = voxsphere("train", tmp_path / "run", "--workers", "0", "--json")
    assert again.status == 0, again.err
    assert json.loads(again.out)["resumed_at"] == 10


@pytest.mark.slow
def test_a_folder_of_speakers_is_all_that_is_needed(speakers, voxsphere, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = voxsphere("train", speakers, "--set", "epochs=1", "--set", "model.encoder.width=32", "--workers", "0")
    assert done.status == 0, done.err
    assert "voxsphere verify A B --model runs/" in done.out
    assert (next(tmp_path.glob("runs/*/model")) / "card.json").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("nowhere",), "no recipe 'nowhere'"),
        ((RECIPE, "--set", "epochs"), "an option is changed by name=value"),
        ((RECIPE, "--set", "model.encoder.widht=3"), "did you mean 'width'"),
        ((RECIPE, "--set", "epochs=many"), "epochs: takes a whole number, not 'many'"),
        (("smoke", "--force-test-list"), "--force-test-list: the data of recipe smoke have no list of trials"),
        ((RECIPE, "--device", "tpu"), "--device tpu"),
        ((RECIPE, "--data", "nowhere.tsv"), "nowhere.tsv: no such file"),
    ],
)
def test_what_is_wrong_is_one_line_and_status_2(arguments, told, tiny, voxsphere, tmp_path):
    done = voxsphere("train", *arguments, "--out", tmp_path / "run")
    assert done.status == 2
    assert told in done.err
    assert done.err.strip().splitlines()[-1].startswith("voxsphere: ")
    assert "Traceback" not in done.err


def test_recipes_lists_them_and_shows_one_in_full(voxsphere):
    listed = json.loads(voxsphere("recipes", "--json").out)["recipes"]
    assert {"smoke", "small_corpus", "ecapa_voxceleb"} <= set(listed)
    shown = json.loads(voxsphere("recipes", "ecapa_voxceleb").out)
    assert shown["objective"]["head"]["part"] == "AamSoftmax"
    assert "ecapa_voxceleb" in voxsphere("recipes").out


def test_bench_loader_names_the_bottleneck(tiny, voxsphere):
    done = voxsphere("bench", "loader", tiny, "--workers", "0", "--batches", "3", "--json")
    assert done.status == 0, done.err
    told = json.loads(done.out)
    assert told["bottleneck"] == ("loader" if told["loader"] < told["device"] else "device")
    assert told["kept"] == pytest.approx(told["together"] / told["device"])


def test_bench_loader_is_not_deceived_by_workers_that_deliver_in_bunches(tiny, voxsphere, tmp_path):
    recipe = tmp_path / "slow.py"
    recipe.write_text(f"""
import runpy, time
from dataclasses import replace

class Slow:
    resizes = False

    def draw(self, random, samples, rate):
        return Nap()

class Nap:
    def __call__(self, wave, rate):
        time.sleep(0.02)
        return wave

def recipe():
    return replace(runpy.run_path({RECIPE!r})["recipe"](), augment=(Slow,))
""")
    done = voxsphere("bench", "loader", recipe, "--workers", "2", "--batches", "6", "--json")
    assert done.status == 0, done.err
    told = json.loads(done.out)
    # Two workers, 20 ms an example: 100 a second and no more.
    assert 20 < told["loader"] < 105
    assert told["together"] < 105


def test_a_rule_for_stopping_of_ones_own_ends_with_a_model_and_a_page(tiny, voxsphere, tmp_path):
    recipe = tmp_path / "mine.py"
    recipe.write_text(f"""
import runpy
from dataclasses import dataclass, replace

@dataclass(frozen=True, kw_only=True)
class MyStopping:
    most: int = 2

    def __call__(self, progress):
        return len(progress.figures) >= self.most

def recipe():
    return replace(runpy.run_path({RECIPE!r})["recipe"](), stopping=MyStopping)
""")
    done = voxsphere("train", recipe, "--out", tmp_path / "run", "--workers", "0")
    assert done.status == 0, done.err
    assert "stopped by itself" in (tmp_path / "run" / "report.html").read_text()


def test_bench_loader_refuses_what_train_refuses(tiny, voxsphere):
    done = voxsphere("bench", "loader", tiny, "--set", "batch_size=7", "--workers", "0")
    assert done.status == 2
    assert "a batch of 7 cannot be shared out evenly" in done.err


def test_a_run_that_was_asked_to_stop_says_so_in_one_object(tiny, voxsphere, tmp_path, monkeypatch):
    monkeypatch.setattr("voxsphere.train.signals.Wish.agreed", lambda self, *wishes: (True, *wishes))
    done = voxsphere("train", tiny, "--out", tmp_path / "run", *SHORT, "--json")
    assert done.status == 143
    told = {"run": str(tmp_path / "run"), "state": "stopped", "step": 1, "steps": 10}
    assert json.loads(done.out) == told


@pytest.fixture
def staged(tiny, tmp_path):
    """A file of two stages, the second with a frozen encoder."""
    path = tmp_path / "staged.py"
    path.write_text(f"""
import runpy
from dataclasses import replace
from functools import partial

from voxsphere.train.stages import Stages
from voxsphere.train.start import Start

def recipe():
    first = replace(runpy.run_path({RECIPE!r})["recipe"](), name="first", epochs=1, keep="last")
    second = replace(first, name="second", start=partial(Start, model="stage:first", freeze=("encoder",)))
    return Stages("staged", (first, second))
""")
    return path


def test_stages_are_told_each_and_the_last_as_the_whole(staged, voxsphere, tmp_path):
    run = tmp_path / "run"
    done = voxsphere("train", staged, "--out", run, "--set", "2.epochs=2", "--workers", "0", "--json")
    assert done.status == 0, done.err
    told = json.loads(done.out)
    assert [stage["run"] for stage in told["stages"]] == [str(run / "1-first"), str(run / "2-second")]
    assert [stage["steps"] for stage in told["stages"]] == [5, 10]
    assert (told["run"], told["state"]) == (str(run), "finished")
    assert {name: told[name] for name in ("model", "held_out")} == {
        name: told["stages"][1][name] for name in ("model", "held_out")
    }
    again = voxsphere("train", run, "--workers", "0", "--json")
    assert again.status == 0, again.err
    assert [stage["resumed_at"] for stage in json.loads(again.out)["stages"]] == [5, 10]
    alone = voxsphere("train", run / "2-second", "--workers", "0", "--json")
    assert "stages" not in json.loads(alone.out)


def test_stages_that_were_asked_to_stop_say_in_which(staged, voxsphere, tmp_path, monkeypatch):
    taken = iter(range(100))
    monkeypatch.setattr("voxsphere.train.signals.Wish.agreed", lambda self, *w: (next(taken) == 6, *w))
    done = voxsphere("train", staged, "--out", tmp_path / "run", "--workers", "0", "--json")
    assert done.status == 143
    told = {"run": str(tmp_path / "run"), "state": "stopped", "stage": 2, "step": 2, "steps": 5}
    assert json.loads(done.out) == told


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--set", "epocs=3"), "stage 1 (first): epocs: Recipe has no option 'epocs'; did you mean 'epochs'"),
        (("--set", "3.epochs=3"), "there is no stage 3; there are 1 (first), 2 (second)"),
        (("--force-test-list", "--set", "data=synthetic_set"), "data.allow_test_list: synthetic_set has no option"),
    ],
)
def test_what_is_wrong_with_stages_is_one_line_and_status_2(arguments, told, staged, voxsphere, tmp_path):
    done = voxsphere("train", staged, *arguments, "--out", tmp_path / "run")
    assert done.status == 2
    assert told in done.err
    assert not (tmp_path / "run").exists()


def test_bench_loader_times_the_first_of_several_stages(staged, voxsphere):
    done = voxsphere("bench", "loader", staged, "--workers", "0", "--batches", "3", "--json")
    assert done.status == 0, done.err


def test_bench_precision_compares_precisions_by_time_memory_and_errors(tiny, voxsphere):
    asked = ("bench", "precision", tiny, "--device", "cpu", "--workers", "0", "--rounds", "2")
    told = json.loads(voxsphere(*asked, "--json").out)
    assert [each["compute"] for each in told["precisions"]] == ["fp32", "bf16"]
    for each in told["precisions"]:
        assert each["minutes"] > 0
        assert each["megabytes"] > 50
        assert 0 <= each["train_accuracy"] <= 1
        assert each["valid_accuracy"] is None  # nothing is left out of these data
        assert 0 <= each["eer"] <= 1
        assert each["rounds"] == 2
        assert len(each["min_dcf"]) == 2
    shown = voxsphere("bench", "precision", tiny, "--device", "cpu", "--workers", "0", "--compute", "bf16").out
    assert [line.split()[0] for line in shown.splitlines()[:2]] == ["minutes", "bf16"]


def test_bench_precision_refuses_what_it_cannot_do(tiny, voxsphere, tmp_path):
    done = voxsphere("bench", "precision", tiny, "--device", "cpu", "--compute", "fp32,fp8")
    assert done.status == 2
    assert "--compute fp8: here there are fp32, bf16" in done.err
    done = voxsphere("bench", "precision", tiny, "--test", tmp_path)
    assert done.status == 2
    assert "--test and --trials go together" in done.err
