"""What of studies/peers can be tested without SpeechBrain and WeSpeaker: it is timed rightly, on what was stored."""

import ast
import json
from argparse import Namespace
from pathlib import Path

import pytest
from studies.peers.clock import Clock
from studies.peers.inputs import train_files
from studies.peers.rounds import SETTINGS

ROOT = Path(__file__).parents[1]


def test_the_stored_figures_are_of_the_settings_that_the_rounds_run():
    known = {(setting.name, who): its for setting in SETTINGS for who, _, its in setting.loops()}
    for text in (ROOT / "studies" / "outputs" / "throughput.jsonl").read_text().splitlines():
        line = json.loads(text)
        told = vars(known[line["cell"], line["who"]])
        assert {key: line[key] for key in told.keys() & line.keys()} == {key: told[key] for key in told.keys() & line}


def test_nothing_here_needs_voxsphere():
    for path in (ROOT / "studies" / "peers").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                assert node.module is not None
                assert not node.module.startswith("voxsphere")
                assert not node.module.startswith("studies.") or node.module.startswith("studies.peers")


def test_the_clock_leaves_the_warm_up_out_and_goes_round(monkeypatch, capsys):
    now = iter([0.0, 5.0, 10.0, 10.5, 12.0, 12.5, 14.0])  # asked, had, asked, had, asked, had, ended
    monkeypatch.setattr("studies.peers.clock.time.perf_counter", lambda: next(now))
    clock = Clock(warmup=1, steps=2)
    handed = []
    for batch in clock.over(lambda: iter("ab")):
        handed.append(batch)
        clock.losses.append(3.0 - len(handed))
    assert handed == ["a", "b", "a"]
    setting = {"batch": 8, "steps": 2, "net": "n", "seconds": 2.0, "workers": 1, "threads": 1, "augment": "standard"}
    clock.report(Namespace(**setting, precision="fp32", compile=False), rows_per_file=5, peer="somebody")
    told = json.loads(capsys.readouterr().out)
    assert told["utterances_per_second"] == 4.0
    assert told["rows_per_second"] == 20.0
    assert told["loader_share"] == 0.25
    assert (told["step_ms_min"], told["step_ms_median"], told["first_batch_s"]) == (2000.0, 2000.0, 5.0)
    assert (told["loss_first"], told["loss_last"]) == (2.0, 0.0)


@pytest.mark.corpus
def test_the_files_are_as_many_as_the_page_says(corpus):
    files = train_files(corpus)
    assert (len(files), len({speaker for _, speaker in files})) == (4296, 1654)
