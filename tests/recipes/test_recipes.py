"""The named recipes: complete, saved and read back, and each takes real steps on a replica of its corpus."""

import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from voxsphere.audio.wave import write
from voxsphere.core.errors import BadInput
from voxsphere.core.random import stream
from voxsphere.recipes import RECIPES, find
from voxsphere.train.logbook import read_logbook
from voxsphere.train.recipe import Recipe, from_json
from voxsphere.train.run import train
from voxsphere.train.stages import Stages, stages_from_json

VOXCELEB = ("xvector_voxceleb", "ecapa_voxceleb", "resnet34_voxceleb", "campplus_voxceleb")


@pytest.fixture(scope="module")
def replica(tmp_path_factory):
    """Six speakers of VoxCeleb2 with two files each, three kinds of MUSAN, two rooms."""
    root = tmp_path_factory.mktemp("replica")

    def noise(path, seconds):
        write(root / path, stream(path).normal(0, 0.1, round(seconds * 16000)).astype(np.float32), 16000)

    lines = ["path\tspeaker\tsession\tsplit", "nowhere.wav\tid00017\tnone\ttest"]
    for speaker in range(12, 18):
        for video in ("21Uxsk56VDQ", "9A1xoF8gqRs"):
            path = f"vox2/dev/id000{speaker}/{video}/00001.wav"
            noise(path, 1.5 + 0.5 * (speaker % 3))
            lines.append(f"{path}\tid000{speaker}\t{video}\tdev")
    (root / "vox2.tsv").write_text("\n".join(lines) + "\n")
    for kind in ("noise", "music", "speech"):
        noise(f"musan/{kind}/free/{kind}-0000.wav", 3.0)
    noise("rirs/room/small.wav", 0.2), noise("rirs/room/large.wav", 0.4)
    return root


@pytest.mark.slow
@pytest.mark.parametrize("name", VOXCELEB)
def test_a_published_recipe_takes_two_real_steps(name, replica, tmp_path, monkeypatch):
    for variable, place in (("VOXCELEB", ""), ("MUSAN", "musan"), ("RIRS", "rirs")):
        monkeypatch.setenv(variable, str(replica / place))
    options = ("batch_size=12", "epochs=1", "data.held_out=2", "data.targets=2", "log_every=1")
    small = RECIPES[name]().with_options(*options)
    assert train(small, tmp_path, workers=0).steps == 2  # 4 speakers × 2 files × 3 speeds, 12 a step
    logged = [line for line in read_logbook(tmp_path / "logbook.jsonl") if line["kind"] == "steps"]
    assert [line["margin"] for line in logged] == [0.0, 0.0]
    assert all(np.isfinite(line["loss"]) for line in logged)


@pytest.mark.parametrize("name", ["MUSAN", "RIRS"])
def test_noise_or_rooms_that_are_missing_are_told_before_the_first_step(name, replica, tmp_path, monkeypatch):
    for variable, place in (("VOXCELEB", ""), ("MUSAN", "musan"), ("RIRS", "rirs")):
        monkeypatch.setenv(variable, str(replica / place))
    monkeypatch.delenv(name)
    recipe = RECIPES["xvector_voxceleb"]().with_options("batch_size=12", "data.held_out=2", "data.targets=2")
    with pytest.raises(BadInput, match=f"environment variable {name} is not set"):
        train(recipe, tmp_path, workers=0)


@pytest.mark.parametrize("name", VOXCELEB)
def test_the_published_protocol_is_there_in_full(name):
    told = RECIPES[name]().to_json()
    assert told["optimizer"] | {"momentum": 0.9, "nesterov": True, "weight_decay": 1e-4} == told["optimizer"]
    assert told["learning_rate"]["initial"] == 0.1
    assert told["learning_rate"]["final"] == 5e-5
    assert told["objective"]["head"] | {"part": "AamSoftmax", "margin": 0.2, "scale": 32.0} == told["objective"]["head"]
    assert told["data"]["speeds"] == [0.9, 1.1]
    assert (told["batch_size"], 3 * told["epochs"], told["examples"]["length"]) == (256, 150, 2.015)
    assert told["augment"][0]["probability"] == 0.6
    assert RECIPES[name]().model().features.frames_of(round(2.015 * 16000)) == 200


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_reads_back_from_its_json(name):
    recipe = RECIPES[name]()
    read = stages_from_json if isinstance(recipe, Stages) else from_json
    assert read(recipe.to_json(), "recipe.json").hash == recipe.hash


@pytest.mark.parametrize("name", ["ecapa_voxceleb", "resnet34_voxceleb"])
def test_the_published_large_margin_stage_is_there_in_full(name):
    first, last = RECIPES[f"{name}_lm"]().recipes
    assert first.hash == RECIPES[name]().hash
    told, head = last.to_json(), last.to_json()["objective"]["head"]
    assert (told["name"], told["batch_size"], told["epochs"], told["keep"]) == (f"{name}_lm", 128, 5, "last")
    assert head | {"margin": 0.5, "scale": 32.0} == head
    assert told["data"]["speeds"] == []
    rate = {"initial": 1e-4, "final": 2.5e-5, "scale_ratio": 2.0, "warmup_epochs": 1, "warm_from": 0.0}
    assert told["learning_rate"] | rate == told["learning_rate"]
    assert told["start"] == {"part": "Start", "model": f"stage:{name}", "head": "carried", "freeze": []}
    assert last.model().features.frames_of(round(told["examples"]["length"] * 16000)) == 600


@pytest.mark.slow
@pytest.mark.parametrize("name", ["softmax_then_margin", "softmax_then_triplet"])
def test_a_small_system_in_stages_learns(name, voxsphere, tmp_path):
    pytest.importorskip("espeakng_loader", reason="synthetic voices need the extra synthetic")
    done = voxsphere("train", name, "--out", tmp_path, "--workers", "0", "--json")
    assert done.status == 0, done.err
    told = json.loads(done.out)
    assert [Path(stage["run"]).name[0] for stage in told["stages"]] == ["1", "2", "3"][: len(told["stages"])]
    assert told["model"] == told["stages"][-1]["model"]
    assert told["held_out"]["eer"] < 0.35  # half of the pairs by chance


def test_a_folder_of_speakers_gets_a_recipe_of_its_own(speakers):
    recipe, folder = find(str(speakers))
    assert folder is None
    data = recipe.data()
    assert len(data.held_out.speakers) == 2
    assert len(data.train.speakers) == 10
    assert recipe.batch_size <= len(data.train)


def test_a_list_of_another_toolkit_and_a_name_with_a_dollar_get_a_recipe(speakers, tmp_path):
    listed = tmp_path / "of $speakers.jsonl"
    rows = [{"audio_filepath": str(path), "label": path.parent.name} for path in sorted(speakers.rglob("*.wav"))]
    listed.write_text("".join(json.dumps(row) + "\n" for row in rows))
    recipe, _ = find(str(listed))
    assert len(recipe.data().train.speakers) == 10


def test_a_folder_whose_speakers_to_judge_by_have_most_of_the_files_still_fills_a_batch(tmp_path):
    for name, files in (("a", 20), ("b", 20), ("c", 1), ("d", 1), ("e", 1), ("f", 1)):
        for i in range(files):
            write(tmp_path / name / f"{i}.wav", np.full(16000, 0.1, np.float32), 16000)
    recipe, _ = find(str(tmp_path))
    data = recipe.data()
    assert {utterance.speaker for utterance in data.held_out} == {"a", "b"}
    assert 2 <= recipe.batch_size <= len(data.train) == 4


def test_a_folder_with_too_few_speakers_says_what_is_least(tmp_path):
    for name in ("a", "b", "c"):
        write(tmp_path / name / "1.wav", np.zeros(16000, np.float32), 16000)
    with pytest.raises(BadInput, match="four speakers with two files each are the least"):
        find(str(tmp_path))


def test_other_data_keep_what_the_recipe_says_of_judging(speakers):
    recipe, _ = find("small_corpus", data=speakers)
    assert isinstance(recipe.data, partial)
    assert recipe.data.keywords == {"manifest": str(speakers), "split": "", "held_out": 0.1, "targets": 2000}


@pytest.mark.parametrize(
    ("splits", "taken"),
    [
        ("train test", "train"), ("dev test", "dev"), ("dev eval", "dev"), ("dev", ""), ("TRAIN TEST", "TRAIN"),
        ("Dev Eval", "Dev"),
    ],
)  # fmt: skip
def test_of_other_data_only_the_rows_for_training_are_taken(splits, taken, tmp_path):
    rows = "".join(f"{i}.wav\ts{i}\t{split}\n" for i, split in enumerate(splits.split()))
    (tmp_path / "m.tsv").write_text(f"path\tspeaker\tsplit\n{rows}")
    recipe, _ = find("small_corpus", data=tmp_path / "m.tsv")
    assert isinstance(recipe.data, partial)
    assert recipe.data.keywords["split"] == taken


def test_an_unknown_recipe_is_answered_with_the_known_ones():
    with pytest.raises(BadInput, match=r"no recipe 'ecpa'.*smoke, synthetic_voices, small_corpus"):
        find("ecpa")


def test_a_file_without_a_recipe_says_what_it_lacks(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text("x = 1\n")
    with pytest.raises(BadInput, match="has no function `recipe`"):
        find(str(path))
    path.write_text("import nowhere_to_be_found\n")
    with pytest.raises(BadInput, match="cannot be run"):
        find(str(path))


def test_a_saved_recipe_is_found_by_its_file_and_by_its_run(tmp_path):
    recipe = RECIPES["smoke"]()
    recipe.save(tmp_path / "recipe.json")
    assert find(str(tmp_path / "recipe.json"))[0].hash == recipe.hash
    found, folder = find(str(tmp_path))
    assert isinstance(found, Recipe)
    assert folder is None  # no run has begun there
