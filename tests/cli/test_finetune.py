"""`finetune` as a person and a program meet it: new speakers, a head that begins at their means, and a verdict."""

import json
import runpy
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from voxsphere.audio.wave import write
from voxsphere.core.random import stream
from voxsphere.pretrained import open_folder, save_folder
from voxsphere.pretrained.folder import network_of
from voxsphere.train.finish import finish
from voxsphere.train.run import train

tiny_recipe = runpy.run_path(str(Path(__file__).parents[1] / "train" / "tiny_recipe.py"))["recipe"]
SHORT = ("--set", "epochs=1", "--set", "examples.length=0.5", "--workers", "0")


@pytest.fixture(scope="module")
def source(speakers, tmp_path_factory):
    """A run that has learnt a little, finished: the model to begin from."""
    folder = tmp_path_factory.mktemp("source") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPEAKERS", str(speakers))
        recipe = replace(tiny_recipe(), epochs=2, keep="last", name="source")
        train(recipe, folder, workers=0)
        finish(recipe, folder)
    return folder


def test_it_ends_with_a_verdict_in_words_and_numbers(source, speakers, voxsphere, tmp_path):
    done = voxsphere("finetune", speakers, "--from", source, *SHORT, "--out", tmp_path, "--json")
    assert done.status == 0, done.err
    told = json.loads(done.out)
    said = told["verdict"]
    assert said["against"] == "source"
    assert said["answer"] in ("better", "not shown better", "worse")
    assert said["words"].startswith(said["answer"])
    assert said["eer"] == told["held_out"]["eer"]
    assert said["difference"] == pytest.approx(said["against_eer"] - said["eer"])
    assert (said["answer"], said["difference_interval"]) == ("not shown better", None)  # two are held out of twelve
    assert said["words"].endswith("on too few speakers (2) to say")
    assert said["decided"] == []
    assert "they decided nothing of the training" in said["basis"]
    assert (said["advice"] == "") == (said["answer"] == "better")
    card = open_folder(told["model"]).card
    assert any(line.startswith(said["words"]) for line in card.measured)
    assert "95 % interval" not in "".join(card.measured)
    assert "begun from source" in card.source
    page = Path(told["report"]).read_text()
    assert "Better than source?" in page
    assert said["words"] in page


def test_train_of_its_folder_keeps_the_verdict_on_page_and_card(source, speakers, voxsphere, tmp_path):
    """Without the model that it was compared with."""
    shutil.copytree(source / "model", tmp_path / "other")
    asked = ("finetune", speakers, "--from", tmp_path / "other", *SHORT, "--out", tmp_path / "run", "--json")
    told = json.loads(voxsphere(*asked).out)
    assert "it is not known whether source heard them when it was trained" in told["verdict"]["basis"]
    before = open_folder(told["model"]).card.measured
    shutil.rmtree(tmp_path / "other")
    again = voxsphere("train", tmp_path / "run", "--json", "--workers", "0")
    assert again.status == 0, again.err
    assert open_folder(told["model"]).card.measured == before
    assert told["verdict"]["words"] in Path(told["report"]).read_text()


def test_held_out_speakers_whom_the_model_learnt_are_refused(source, speakers, voxsphere, tmp_path):
    """A run, and the model folder in it: the four that the run held out may judge, and no fifth."""
    for model in (source, source / "model"):
        done = voxsphere(
            "finetune", speakers, "--from", model, *SHORT, "--set", "data.held_out=5", "--out", tmp_path / "run"
        )  # fmt: skip
        assert done.status == 2
        assert "start.model source: learnt 1 of the 5 speakers held out here, such as s" in done.err
        assert not (tmp_path / "run").exists()


def test_the_other_models_eer_is_that_of_the_model_as_it_was(source, speakers, voxsphere, tmp_path):
    """A rate of 0 learns nothing: both are one, and nothing is shown."""
    still = ("--set", "learning_rate=Constant", "--set", "learning_rate.value=0", "--freeze", "encoder",
             "--freeze", "projection", "--freeze", "pooling")  # fmt: skip
    done = voxsphere("finetune", speakers, "--from", source / "model", *SHORT, *still, "--out", tmp_path, "--json")
    assert done.status == 0, done.err
    said = json.loads(done.out)["verdict"]
    assert said["answer"] == "not shown better"
    assert (said["eer"], said["difference"], said["difference_interval"]) == (said["against_eer"], 0.0, None)
    assert "Stay with source" in said["advice"]


def test_check_asks_whether_it_is_better(source, speakers, voxsphere, tmp_path):
    still = ("--set", "learning_rate=Constant", "--set", "learning_rate.value=0", "--freeze", "encoder",
             "--freeze", "projection")  # fmt: skip
    asked = ("finetune", speakers, "--from", source, *SHORT, *still, "--out", tmp_path)
    assert voxsphere(*asked, "--check").status == 1
    done = voxsphere(*asked)
    assert done.status == 0
    assert "not shown better than source" in done.out


def test_what_is_learnt_can_be_shown(source, voxsphere, tmp_path):
    """A model whose embeddings all lie on one line, a line that tells little, is mended, and that is said."""
    before = open_folder(source / "model")
    state = before.model.state_dict()
    state["projection.linear.weight"] = torch.zeros(8, 32).index_fill(1, torch.tensor(8), 1.0)
    save_folder(network_of(source / "model"), state, before.card, tmp_path / "spoilt")
    tones(tmp_path / "tones", speakers=30)
    asked = ("--set", "epochs=8", "--set", "learning_rate.peak=0.01", "--set", "data.held_out=18", "--freeze",
             "encoder", "--set", "examples.length=0.5", "--workers", "0", "--set", "augment=[]")  # fmt: skip
    asked = (*asked, "--json", "--check")
    done = voxsphere("finetune", tmp_path / "tones", "--from", tmp_path / "spoilt", *asked, "--out", tmp_path / "run")
    said = json.loads(done.out)["verdict"]
    assert said["answer"] == "better", said["words"]
    assert said["words"].startswith(f"better than source by {100 * said['difference']:.2f} ± ")
    assert done.status == 0


def tones(folder: Path, *, speakers: int) -> None:
    """A folder of made-up speakers, each a tone of its own in noise, in four files."""
    for speaker in range(speakers):
        for take in range(4):
            time, noise = np.arange(12000) / 16000, stream("tones", speaker, take).normal(0, 0.02, 12000)
            wave = 0.1 * np.sin(2 * np.pi * 120 * 1.1**speaker * time) + noise
            write(folder / f"t{speaker:02d}" / f"{take}.wav", wave.astype(np.float32), 16000)


def test_held_out_speakers_who_decided_something_are_named(source, speakers, voxsphere, tmp_path):
    done = voxsphere(
        "finetune", speakers, "--from", source, *SHORT, "--set", "keep=best", "--out", tmp_path, "--json"
    )  # fmt: skip
    said = json.loads(done.out)["verdict"]
    assert said["decided"] == ["which epoch to keep"]
    assert "they also decided which epoch to keep, which flatters the new model" in said["basis"]


def test_a_large_margin_stage_follows_and_is_the_one_that_is_judged(source, speakers, voxsphere, tmp_path):
    asked = ("finetune", speakers, "--from", source, *SHORT, "--set", "2.learning_rate.value=0.0", "--large-margin",
             "--freeze", "encoder", "--out", tmp_path, "--json")  # fmt: skip
    done = voxsphere(*asked)
    assert done.status == 0, done.err
    told = json.loads(done.out)
    name = f"{speakers.name}-from-source"
    assert [Path(stage["run"]).name for stage in told["stages"]] == [f"1-{name}", f"2-{name}_lm"]
    assert told["verdict"]["eer"] == told["stages"][1]["held_out"]["eer"]
    again = voxsphere(*asked)
    assert [stage["resumed_at"] for stage in json.loads(again.out)["stages"]] == [s["steps"] for s in told["stages"]]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("SPEAKERS", "--from", "nowhere"), "no model 'nowhere': not a folder"),
        (("nowhere", "--from", "SOURCE"), "nowhere: no such file"),
        (("SPEAKERS", "--from", "SOURCE", "--freeze", "encodr"), "no part 'encodr'; did you mean 'encoder'"),
        (("SPEAKERS", "--from", "SOURCE", "--set", "epocs=2"), "did you mean 'epochs'"),
        (("SPEAKERS", "--from", "SOURCE", "--set", "model.encoder.width=10"), "do not fit this recipe's model"),
        (("SPEAKERS", "--from", "SOURCE", "--device", "tpu"), "--device tpu"),
        (("SPEAKERS", "--from", "BEGUN"), "the run has made no model yet; finish it first"),
    ],
)
def test_what_is_wrong_is_one_line_and_status_2(arguments, told, source, speakers, voxsphere, tmp_path):
    begun = tmp_path / "begun"
    shutil.copytree(source, begun)
    shutil.rmtree(begun / "model")
    places = {"SPEAKERS": speakers, "SOURCE": source, "BEGUN": begun}
    done = voxsphere("finetune", *(places.get(each, each) for each in arguments), "--out", tmp_path / "run")
    assert done.status == 2
    assert told in done.err
    assert done.err.strip().splitlines()[-1].startswith("voxsphere: ")
    assert "Traceback" not in done.err
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
@pytest.mark.corpus
@pytest.mark.pretrained
def test_a_real_model_is_taught_real_speakers(corpus, campplus, voxsphere, tmp_path):
    """CAM++ and AN4's train speakers: only the projection learns, which a minute is enough for."""
    table = [line.split("\t") for line in (corpus / "split.tsv").read_text().splitlines()]
    column = {name: i for i, name in enumerate(table[0])}
    teachers = {
        row[column["speaker"]] for row in table if (row[column["dataset"]], row[column["split"]]) == ("an4", "train")
    }
    files = [path for name in sorted(teachers) for path in sorted((corpus / "an4" / name).glob("*"))[:4]]
    manifest = tmp_path / "an4.tsv"
    manifest.write_text("path\tspeaker\n" + "".join(f"{path}\t{path.parent.name}\n" for path in files))
    frozen = ("--freeze", "encoder", "--freeze", "pooling", "--set", "epochs=2", "--set", "examples.length=2.0")
    done = voxsphere(
        "finetune", manifest, "--from", "campplus-zh-en", *frozen, "--out", tmp_path / "run", "--workers", "0", "--json"
    )
    assert done.status == 0, done.err
    said = json.loads(done.out)["verdict"]
    assert said["against"] == "campplus-zh-en"
    assert said["answer"] != "worse", said["words"]
    assert max(said["eer"], said["against_eer"]) < 0.1
    card = open_folder(tmp_path / "run" / "model").card
    assert card.licence_weights == "not stated; begun from campplus-zh-en (licence Apache-2.0)"
