"""The command line as a newcomer and as a program meet it."""

import json
import os
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest

from voxsphere.audio.wave import write
from voxsphere.core.embeddings import Embeddings
from voxsphere.core.scores import Scores


@pytest.fixture
def speakers(tmp_path, babble):
    """A folder of speaker folders, and trials over it."""
    for speaker in ("ann", "bob", "cid"):
        (tmp_path / "speakers" / speaker).mkdir(parents=True)
        for number in range(2):
            write(tmp_path / "speakers" / speaker / f"{number}.wav", babble(1.5, seed=hash_of(speaker, number)), 16000)
    names = [f"{speaker}/{number}.wav" for speaker in ("ann", "bob", "cid") for number in range(2)]
    lines = [f"{int(a[:3] == b[:3])} {a} {b}\n" for i, a in enumerate(names) for b in names[i + 1 :]]
    (tmp_path / "trials.txt").write_text("".join(lines))
    return tmp_path


def hash_of(speaker: str, number: int) -> int:
    return ord(speaker[0]) * 10 + number


def test_a_corpus_goes_from_folder_to_error_rates(voxsphere, speakers, tiny_model):
    embeddings, scores, report = speakers / "e.safetensors", speakers / "s.txt", speakers / "r.html"
    assert voxsphere("extract", speakers / "speakers", "--out", embeddings, "--model", tiny_model).status == 0
    assert len(Embeddings.load(embeddings)) == 6
    assert voxsphere("score", speakers / "trials.txt", embeddings, "--out", scores).status == 0
    assert Scores.load(scores).scale == "cosine"
    done = voxsphere("evaluate", scores, "--report", report, "--json")
    told = json.loads(done.out)
    assert {"eer", "eer_interval", "min_dcf", "act_dcf", "cllr", "min_cllr", "counts"} <= told.keys()
    assert told["counts"]["trials"] == 15
    assert "<svg" in report.read_text()
    shown = voxsphere("evaluate", scores)
    assert "EER" in shown.out
    assert "95 % interval" in shown.out


def test_several_score_files_make_one_table(voxsphere, speakers, tiny_model):
    embeddings, page = speakers / "e.safetensors", speakers / "both.html"
    voxsphere("extract", speakers / "speakers", "--out", embeddings, "--model", tiny_model)
    files = [speakers / name / "s.txt" for name in ("one", "two")]
    for file in files:
        voxsphere("score", speakers / "trials.txt", embeddings, "--out", file)
    shown = voxsphere("evaluate", *files, "--report", page).out
    assert [line.split()[0] for line in shown.splitlines()[1:3]] == ["one/s.txt", "two/s.txt"]
    assert all(name in shown for name in ("EER", "threshold", "minDCF .01", "minDCF .001"))
    assert page.read_text().count("<svg") == 2
    told = json.loads(voxsphere("evaluate", *files, "--json").out)
    assert [each["scores"] for each in told] == [str(file) for file in files]
    alone = json.loads(voxsphere("evaluate", files[0], "--json").out)
    assert {name: value for name, value in told[0].items() if name != "scores"} == alone


def test_a_score_file_that_cannot_be_evaluated_is_named(voxsphere, tmp_path):
    (tmp_path / "good.txt").write_text("a b 1 target\na c 0 nontarget\n")
    (tmp_path / "bad.txt").write_text("a b 1 target\n")
    done = voxsphere("evaluate", tmp_path / "good.txt", tmp_path / "bad.txt")
    assert done.status == 2
    assert "bad.txt: the list has no non-target trials" in done.err


def test_scores_are_llrs_where_calibration_is_asked_for(voxsphere, speakers, tiny_model):
    embeddings, scores = speakers / "e.safetensors", speakers / "s.parquet"
    voxsphere("extract", speakers / "speakers", "--out", embeddings, "--model", tiny_model)
    asked = ("score", speakers / "trials.txt", embeddings, "--out", scores, "--calibrate", tiny_model)
    assert voxsphere(*asked).status == 0
    cosine = speakers / "c.parquet"
    voxsphere("score", speakers / "trials.txt", embeddings, "--out", cosine)
    np.testing.assert_allclose(Scores.load(scores).values, 20 * Scores.load(cosine).values - 10)
    assert json.loads(voxsphere("evaluate", scores, "--json").out)["cllr"] > 0


def test_embeddings_of_another_model_are_not_calibrated(voxsphere, speakers, tiny_model):
    Embeddings(("ann/0.wav",), np.ones((1, 3), dtype=np.float32), model="other").save(speakers / "e.npz")
    (speakers / "trials.txt").write_text("1 ann/0.wav ann/0.wav\n")
    asked = ("score", speakers / "trials.txt", speakers / "e.npz", "--out", speakers / "s.txt")
    done = voxsphere(*asked, "--calibrate", tiny_model)
    assert done.status == 2
    assert "was made by model other" in done.err
    assert not (speakers / "s.txt").exists()


def test_extract_can_be_held_to_what_trials_name(voxsphere, speakers, tiny_model):
    (speakers / "trials.txt").write_text("1 ann/0.wav ann/1.wav\n")
    out = speakers / "e.npz"
    trials = ("--trials", speakers / "trials.txt")
    assert voxsphere("extract", speakers / "speakers", "--out", out, "--model", tiny_model, *trials).status == 0
    assert Embeddings.load(out).ids == ("ann/0.wav", "ann/1.wav")
    (speakers / "trials.txt").write_text("1 ann/0.wav dee/1.wav\n")
    done = voxsphere("extract", speakers / "speakers", "--out", out, "--model", tiny_model, *trials)
    assert done.status == 2
    assert "dee/1.wav" in done.err


def test_embed_keeps_the_names_it_was_given(voxsphere, speakers, tiny_model):
    files = [speakers / "speakers/ann/0.wav", speakers / "speakers/bob/1.wav"]
    assert voxsphere("embed", *files, "--out", speakers / "e.npz", "--model", tiny_model).status == 0
    assert Embeddings.load(speakers / "e.npz").ids == tuple(map(str, files))


def test_verify_speaks_to_people(voxsphere, speakers, tiny_model):
    one = speakers / "speakers/ann/0.wav"
    done = voxsphere("verify", one, one, "--model", tiny_model)
    assert done.out.startswith("same speaker")
    for word in ("log-likelihood ratio", "probability", "cosine score 1.000", "misses", "false alarms", "tiny"):
        assert word in done.out


def test_models_and_cards_are_shown(voxsphere):
    assert "campplus-zh-en" in voxsphere("models").out
    cards = json.loads(voxsphere("models", "--json").out)["models"]
    assert {card["name"] for card in cards} == {"campplus-zh-en", "ge2e-resemblyzer"}
    assert "Apache-2.0" in voxsphere("models", "ge2e-resemblyzer").out


def test_the_doctor_finds_what_is_needed(voxsphere):
    done = voxsphere("doctor", "--json")
    found = {finding["name"]: finding["state"] for finding in json.loads(done.out)["findings"]}
    assert found["torch"] == found["soundfile"] == "ok"
    assert found["PyYAML"] in ("ok", "optional")
    assert "decoders" in voxsphere("doctor").out


def test_the_version_is_told(voxsphere):
    assert re.fullmatch(r"voxsphere \d+\.\d+\.\d+\n", voxsphere("--version").out)


def test_a_card_is_shown_to_the_letter_and_not_as_markup(voxsphere, tiny_model, tmp_path):
    folder = shutil.copytree(tiny_model, tmp_path / "marked")
    card = json.loads((folder / "card.json").read_text())
    strange = {"name": "[/red]", "summary": "[/dim]", "training_data": "[bold]all[/]"}
    (folder / "card.json").write_text(json.dumps(card | strange))
    shown = voxsphere("models", folder).out
    assert all(text in shown for text in strange.values())


@pytest.mark.parametrize("place", ["voices.pkl", "file/voices.npz", "."])
def test_a_place_that_cannot_be_written_is_told_before_the_work(voxsphere, speakers, tiny_model, place, monkeypatch):
    (speakers / "file").touch()
    monkeypatch.setattr("voxsphere.extract.corpus.listen", None)
    done = voxsphere("extract", speakers / "speakers", "--out", speakers / place, "--model", tiny_model)
    assert done.status == 2
    assert len(done.err.splitlines()) == 1
    assert str(speakers / place) in done.err


def test_a_misspelt_option_ends_with_status_two(voxsphere):
    assert voxsphere("verify", "a", "b", "--pior", "0.1").status == 2


def test_help_does_not_wait_for_torch():
    process = [sys.executable, "-X", "importtime", "-m", "voxsphere", "--help"]
    done = subprocess.run(process, capture_output=True, text=True, check=True)
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert not {"torch", "numpy", "soundfile", "scipy"} & loaded
    assert "verify" in done.stdout
    times = []
    for _ in range(5):
        before = os.times()
        subprocess.run([sys.executable, "-m", "voxsphere", "--help"], capture_output=True, check=True)
        after = os.times()
        times.append(after.children_user + after.children_system - before.children_user - before.children_system)
    assert min(times) < 1.0  # seconds of computing, whatever else the machine does; about 0.15


def test_the_benchmark_runs_and_reports_a_ratio(voxsphere, tiny_model):
    told = json.loads(voxsphere("bench", "embed", "--model", tiny_model, "--seconds", 1, "--repeats", 3, "--json").out)
    assert told["ours"] > 0
    assert told["ratio"] is None or told["ratio"] > 0
