"""The speaker recognition systems: every network is a recipe, every option of the page is one, and they learn."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
import torch

from voxsphere.audio.wave import write
from voxsphere.core.errors import BadInput
from voxsphere.core.manifest import Manifest, Utterance
from voxsphere.core.random import stream
from voxsphere.core.trials import Trials
from voxsphere.data.forms import write as write_form
from voxsphere.data.forms.corpus import Corpus
from voxsphere.recipes import find
from voxsphere.recipes.systems.speaker_systems import CALLED, NAMES, RECIPES, SYSTEM, speaker_systems
from voxsphere.train.logbook import read_logbook
from voxsphere.train.recipe import from_json
from voxsphere.train.run import train
from voxsphere.zoo import NETWORKS

PAGE = Path(__file__).parents[3] / "docs/systems/speaker_systems.md"
NARROW = {
    "tdnn": "encoder.width=16 encoder.last=24",
    "tdnn-v6": "encoder.width=16 encoder.last=24",
    "etdnn": "encoder.width=16 encoder.last=24",
    "ftdnn": "encoder.width=16 encoder.bottleneck=8 encoder.first=16 encoder.last=24",
    "dtdnn": "encoder.width=16 encoder.growth=8 encoder.bottleneck=8",
    "aret": "encoder.width=32 encoder.last=24",
    "ecapa": "encoder.width=16 encoder.last=24 encoder.squeeze=8",
    "rescnn10": "encoder.width=4",
    "loresnet8": "encoder.width=4",
    "resnet34": "encoder.width=4",
    "thin-resnet10": "encoder.width=4",
    "resnet20": "encoder.width=4",
    "lstm": "encoder.hidden=16",
    "attention-lstm": "encoder.hidden=16",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Eight speakers of five recordings each in the system's own form, two of them in a list of trials."""
    root = tmp_path_factory.mktemp("system")
    utterances = []
    for speaker in range(8):
        for take in range(5):
            path = root / f"waves/{speaker}-{take}.wav"
            wave = stream("wave", speaker, take).normal(0, 0.1, 24000) + 0.1 * np.sin(
                np.arange(24000) * (speaker + 1) / 9
            )
            write(path, wave.astype(np.float32), 16000)
            split = "train" if speaker < 6 else "eval"
            utterances.append(Utterance(f"s{speaker}-{take}", str(path), f"s{speaker}", split=split, dataset="d"))
    trials = Trials.from_pairs(["s6-0", "s6-0"], ["s6-1", "s7-0"], [True, False])
    corpus = Corpus(Manifest(tuple(utterances)), {"both": trials})
    return write_form("speaker_systems", corpus, root / "form").folder


def test_every_network_of_the_system_is_a_recipe_by_its_name_in_the_zoo():
    of_system = {name for name, network in NETWORKS.items() if SYSTEM in network.systems}
    assert of_system <= {name.removeprefix("speaker_systems/") for name in RECIPES}
    assert set(CALLED.values()) <= of_system
    assert set(NAMES) == of_system | set(CALLED)


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_holds_the_published_network_and_reads_back(name):
    recipe = RECIPES[f"speaker_systems/{name}"]()
    network = NETWORKS[CALLED.get(name, name)]
    with torch.device("meta"):
        assert sum(p.numel() for p in recipe.model().parameters() if p.requires_grad) == network.parameters
    assert from_json(recipe.to_json(), "recipe.json").hash == recipe.hash


def test_the_defaults_are_the_systems():
    told = speaker_systems("tdnn").to_json()
    assert (told["batch_size"], told["epochs"], told["seed"]) == (128, 20, 123456)
    assert told["optimizer"] | {"part": "SGD", "momentum": 0.9, "weight_decay": 5e-4} == told["optimizer"]
    rate = {"part": "Steps", "initial": 0.1, "factor": 0.1, "milestones": [10.0, 15.0]}
    assert told["learning_rate"] | rate == told["learning_rate"]
    examples = speaker_systems("tdnn").examples()
    drawn = {examples.seconds([], stream("a", i)) for i in range(300)}
    # 200, 220 … 400 frames of 20 ms; the last frame's window is whole.
    assert sorted(drawn) == pytest.approx([2.01 + 0.2 * i for i in range(11)])
    lstm = speaker_systems("lstm").to_json()
    assert (lstm["optimizer"]["part"], lstm["batch_size"], lstm["sampler"]["repeats"]) == ("Adam", 64, 256)


def test_a_family_alone_and_a_misspelt_member_are_answered_with_the_names():
    with pytest.raises(BadInput, match=r"^speaker_systems: give speaker_systems/NAME with NAME one of: tdnn, .*lstm$"):
        find("speaker_systems")
    with pytest.raises(BadInput, match="speaker_systems/tdn: no recipe of that name; did you mean 'tdnn'"):
        find("speaker_systems/tdn")
    with pytest.raises(BadInput, match="no network 'x'"):
        speaker_systems("x")


def settings():
    """Every span of the page that begins with --set, as its settings."""
    spans = re.findall(r"`(--set [^`\n]+)`", PAGE.read_text("utf-8"))
    return [[word for word in shlex.split(span) if word != "--set"] for span in spans]


@pytest.mark.parametrize("chosen", settings(), ids=" ".join)
def test_what_the_page_sets_can_be_set(chosen, monkeypatch):
    for name in ("MUSAN", "RIRS"):
        monkeypatch.setenv(name, "/nowhere")
    network = "lstm" if any("encoder.dropout" in each for each in chosen) else "tdnn"
    recipe = speaker_systems(network).with_options(*chosen)
    assert recipe.hash != speaker_systems(network).hash or chosen[0] in UNCHANGED
    assert from_json(recipe.to_json(), "recipe.json").hash == recipe.hash
    with torch.device("meta"):
        model = recipe.model()
        # A teacher is weights on a disk, which a page's test does not ask for.
        if "objective=Distillation" not in chosen:
            domains = {"num_domains": 2} if chosen[0].startswith("data.domain") else {}
            recipe.objective(model=model, num_speakers=8, **domains)


UNCHANGED = {
    "data.folder=train",
    "data.targets=2000",
    "data.left_out=2",
    "examples.length=[2.01,4.01]",
    "sampler=SpeakerBalanced",
    "epochs=20",
    "batch_size=128",
    "optimizer=SGD",
    "learning_rate=Steps",
    "model.pooling=StatsPooling",
    "objective.head.margin=0.2",
    "validation.every=1",
    "validation.figure=eer*min_dcf*min_dcf_0.001",
    "seed=123456",
}
"""Settings that say what the recipe says already."""


@pytest.mark.parametrize("name", NARROW)
def test_a_narrow_network_takes_a_real_step_on_kaldi_folders(name, folder, tmp_path):
    recipe, _ = find(f"speaker_systems/{name}", data=folder)
    narrow = [f"model.{option}" for option in NARROW[name].split()]
    quick = ["examples.length=0.5", "sampler.repeats=2", "batch_size=8", "epochs=1", "log_every=1", "data.held_out=2"]
    made = recipe.with_options(*narrow, "model.projection.dim=8", *quick)
    train(made, tmp_path, workers=0, cpu=True)
    logged = [line for line in read_logbook(tmp_path / "logbook.jsonl") if line["kind"] == "steps"]
    assert len(logged) == 1  # 4 speakers × 2 pieces
    assert np.isfinite(logged[0]["loss"])
    (judged,) = [line for line in read_logbook(tmp_path / "logbook.jsonl") if line["kind"] == "validation"]
    assert round(8 * judged["valid_error"], 9) in range(9)  # two recordings of each of four speakers, left out
