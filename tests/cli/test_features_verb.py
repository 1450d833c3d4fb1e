"""The verbs of stored features as a person and as a program meet them."""

import json

import numpy as np
import pytest

from voxsphere.audio.stores import read_array
from voxsphere.audio.wave import write
from voxsphere.data.manifests import open_manifest

pytest.importorskip("h5py")


@pytest.fixture
def voices(tmp_path):
    for speaker in range(2):
        for number in range(2):
            path = tmp_path / "voices" / f"s{speaker}" / f"{number}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            noise = 0.1 * np.random.default_rng(10 * speaker + number).normal(size=8000).astype(np.float32)
            write(path, noise, 8000)
    return tmp_path / "voices"


def test_features_are_computed_and_converted(voxsphere, voices, tmp_path):
    asked = ("--features", "MelCepstrum", "--set", "order=15", "--out", tmp_path / "mcp", "--json")
    done = voxsphere("features", "extract", voices, *asked)
    assert done.status == 0, done.err
    assert json.loads(done.out) == {
        "out": str(tmp_path / "mcp"), "manifest": str(tmp_path / "mcp/manifest.tsv"),
        "utterances": 4, "speakers": 2, "frames": 400, "dim": 16, "failures": [],
    }  # fmt: skip
    assert (tmp_path / "mcp/s1/0.mcp").stat().st_size == 8 + 4 * 100 * 16
    done = voxsphere("features", "convert", tmp_path / "mcp", "--out", tmp_path / "feats.ark", "--compression", 2)
    assert done.status == 0, done.err
    assert "4 utterances of 2 speakers in 400 frames of 16 features" in " ".join(done.out.split())
    for utterance in open_manifest(tmp_path / "feats.tsv"):
        original = read_array(tmp_path / "mcp" / utterance.id.replace(".wav", ".mcp"))
        np.testing.assert_allclose(read_array(utterance.path), original, atol=0.1)


def test_front_ends_around_front_ends_are_named_by_options(voxsphere, voices, tmp_path):
    settings = ("--set", "of=Mfcc", "--set", "of.sample_rate=8000", "--set", "of.num_ceps=10")
    done = voxsphere("features", "extract", voices, "--features", "Deltas", *settings, "--out", tmp_path / "d.h5")
    assert done.status == 0, done.err
    assert read_array(f"{tmp_path}/d.h5#s0/1").shape == (98, 30)


def test_what_was_left_out_is_told_and_makes_the_status_2(voxsphere, voices, tmp_path):
    (voices / "s0/0.wav").write_bytes(b"")
    asked = ("--features", "Lpcc", "--out", tmp_path / "x", "--to", "lpcc", "--json")
    done = voxsphere("features", "extract", voices, *asked)
    assert done.status == 2
    assert [each["id"] for each in json.loads(done.out)["failures"]] == ["s0/0.wav"]
    assert json.loads(done.out)["utterances"] == 3


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (
            ("--features", "Fbanks", "--out", "x.h5"),
            "--features Fbanks: no front end of that name; there are: BandPassed, Deltas, ",
        ),
        (("--features", "EcapaTdnn", "--out", "x.h5"), "no front end of that name"),
        (("--features", "Fbank", "--out", "x.h5", "--set", "mels=3"), "mels: Fbank has no option 'mels'"),
        (("--features", "Fbank", "--out", "x.h5", "--set", "num_mels"), "--set num_mels: give NAME=VALUE"),
        (("--features", "Fbank", "--out", "x.h5", "--set", "low_freq=9000"), "--features Fbank: a mel bank from"),
        (("--features", "Deltas", "--out", "x.h5"), "--features Deltas: "),
        (("--features", "Lpc", "--out", "x.wav"), "x.wav: does not tell what to write"),
        (("--features", "Lpc", "--out", "x.h5", "--compression", "2"), "only Kaldi archives"),
    ],
)
def test_what_is_asked_for_wrongly_is_told_in_one_line(voxsphere, voices, asked, told, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = voxsphere("features", "extract", voices, *asked)
    assert done.status == 2
    assert done.err.count("\n") == 1
    assert told in done.err
