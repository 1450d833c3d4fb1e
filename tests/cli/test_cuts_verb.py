"""The verb cuts, and the flag that leaks, as a person and as a program meet them."""

import json

import numpy as np
import pytest

from voxsphere.audio.wave import write
from voxsphere.core.manifest import Manifest


@pytest.fixture
def voices(tmp_path):
    for speaker in range(3):
        for number in range(5):
            path = tmp_path / "voices" / f"s{speaker}" / f"{number}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            noise = 0.1 * np.random.default_rng(10 * speaker + number).normal(size=8000).astype(np.float32)
            write(path, noise, 8000)
    return tmp_path / "voices"


def test_cuts_are_drawn_and_their_features_stored(voxsphere, voices, tmp_path):
    asked = ("--trim-edges", "--per-speaker", 4, "--out", tmp_path / "cuts.tsv", "--json")
    done = voxsphere("cuts", voices, *asked)
    assert done.status == 0, done.err
    assert json.loads(done.out) == {
        "out": str(tmp_path / "cuts.tsv"), "utterances": 24, "speakers": 3, "splits": {"dev": 12, "train": 12},
        "failures": [], "notes": [],
    }  # fmt: skip
    assert (tmp_path / "cuts.edges.tsv").exists()
    before = (tmp_path / "cuts.tsv").read_bytes()
    assert voxsphere("cuts", voices, *asked).status == 0
    assert (tmp_path / "cuts.tsv").read_bytes() == before

    stored = ("--features", "Mfcc", "--set", "sample_rate=8000", "--out", tmp_path / "mfcc.ark")
    assert voxsphere("features", "extract", tmp_path / "cuts.tsv", *stored).status == 0
    made = Manifest.load(tmp_path / "mfcc.tsv")
    for cut, row in zip(Manifest.load(tmp_path / "cuts.tsv"), made, strict=True):
        assert (row.id, row.speaker, row.split, row.duration) == (cut.id, cut.speaker, cut.split, cut.duration)
        assert int(dict(row.extra)["num_frames"]) == 1 + (round(8000 * cut.duration) - 200) // 80

    done = voxsphere("features", "convert", tmp_path / "mfcc.tsv", "--by-speaker", "--out", tmp_path / "leaky.ark")
    assert done.status == 0, done.err
    assert "they tell who speaks" in done.err


def test_examples_of_one_length_are_automatically_many(voxsphere, voices, tmp_path):
    asked = ("--length", 0.5, "--per-speaker", "auto", "--share", 2, "--out", tmp_path / "egs.tsv")
    done = voxsphere("cuts", voices, *asked)
    assert done.status == 0, done.err
    assert "72 cuts of 3 speakers:" in " ".join(done.out.split())
    made = Manifest.load(tmp_path / "egs.tsv")
    assert {u.duration for u in made} == {0.5}
    # 2 · 9 s / 0.5 / 3 = 12 to learn from, and 8 to judge by: the next powers of two.
    assert [sum(u.split == split for u in made) for split in ("train", "dev")] == [3 * 16, 3 * 8]


def test_what_cannot_be_cut_or_meant_is_told(voxsphere, voices, tmp_path):
    (voices / "s0" / "0.wav").write_bytes(b"no sound")
    done = voxsphere("cuts", voices, "--trim-edges", "--per-speaker", 2, "--out", tmp_path / "cuts.tsv")
    assert done.status == 2
    assert "1 recordings were left out" in done.err
    assert len(Manifest.load(tmp_path / "cuts.tsv")) == 12
    for option, value in (("--per-speaker", "some"), ("--length", "long"), ("--share", "most"), ("--share", "1.5")):
        done = voxsphere("cuts", voices, option, value, "--out", tmp_path / "cuts.tsv")
        assert done.status == 2
        assert value in done.err


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--per-speaker", "whole", "--length", 3), "--length: is of cuts; --per-speaker whole takes all"),
        (("--per-speaker", "whole", "--least", 1), "--least: is of cuts"),
        (("--percentile", 90), "--percentile: is of edges; they are left out by --trim-edges"),
        (("--share", "nan"), "share: nan is neither a share, 0 to 1, nor a number"),
    ],
)
def test_options_that_would_change_nothing_are_one_line(voxsphere, voices, tmp_path, options, told):
    done = voxsphere("cuts", voices, "--out", tmp_path / "cuts.tsv", *options)
    assert done.status == 2
    assert told in done.err
    assert done.err.count("\n") == 1
