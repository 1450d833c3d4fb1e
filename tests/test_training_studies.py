"""The studies of training in their smallest form: that they still run, end to end, on real speech."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from voxsphere.core.manifest import Manifest
from voxsphere.core.scores import Scores
from voxsphere.metrics.detection import eer

ROOT = Path(__file__).parents[1]


def study(*command: str) -> str:
    path = f"{ROOT}{os.pathsep}{ROOT / 'src'}"
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.corpus
def test_the_small_corpus_study_trains_scores_and_compares(corpus, tmp_path):
    small = ("--small", "--place", str(tmp_path))
    study("studies.small_corpus", "train", "0", *small)
    study("studies.small_corpus", "score", *small)
    found = json.loads((tmp_path / "small_corpus.json").read_text())
    assert {(row["list"], row["ours"], row["other"]) for row in found["compared"]} == {
        ("an4", "small_corpus-seed0", "small_corpus-untrained"),
        ("an4", "small_corpus-seed0", "mean-and-std"),
    }
    assert all(0 < row["eer"] < 0.5 and 0 < row["other_eer"] < 0.5 for row in found["compared"])
    assert (tmp_path / "scores" / "mean-and-std" / "an4.cosine.parquet").exists()
    learnt, tested = (Manifest.load(path) for path in study("studies.small_corpus", "lists", *small).split())
    assert not {u.speaker.removeprefix("an4/") for u in learnt} & {u.speaker for u in tested}
    coloured = study("studies.small_corpus", "colour", *small)
    assert Manifest.load(coloured.strip()).ids == tested.ids
    scored = [
        Scores.load(tmp_path / "scores" / name / "an4.cosine.parquet")
        for name in ("mean-and-std", "mean-and-std-coloured")
    ]
    plain, coloured = (eer(scores.target_scores, scores.nontarget_scores) for scores in scored)
    assert coloured > 1.2 * plain


@pytest.mark.slow
@pytest.mark.corpus
def test_the_loop_is_timed_with_and_without_augmentation(corpus, tmp_path):
    files = sorted((corpus / "an4").rglob("*.flac"))
    listed = "".join(f"{path}\t{path.parent.name}\n" for path in files[::8])
    (tmp_path / "list.tsv").write_text(f"path\tspeaker\n{listed}")
    small = ["--batch", "4", "--seconds", "0.5", "--steps", "2", "--warmup", "1"]
    for setting in (["--augment", "none"], ["--augment", "standard", "--profile"]):
        told = json.loads(study("studies.throughput", str(tmp_path / "list.tsv"), *small, *setting))
        assert told["utterances_per_second"] > 0
        assert 0 <= told["loader_share"] < 1
    assert any("conv" in operator for operator in told["shares"])
    assert 0.5 < sum(told["shares"].values()) <= 1.01
