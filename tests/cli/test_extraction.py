"""Embedding by crops and chunks, all pairs, conditions and the form of a system, from the command line."""

import json

import numpy as np
import pytest

from voxsphere.audio.wave import write
from voxsphere.core.embeddings import Embeddings
from voxsphere.core.manifest import Manifest, Utterance
from voxsphere.core.scores import Scores
from voxsphere.core.trials import Trials
from voxsphere.data.forms import Corpus
from voxsphere.data.forms import write as write_form


@pytest.fixture
def manifest(tmp_path, babble):
    """Three speakers of two recordings each, two of them of a set to be tried."""
    rows = []
    for i in range(6):
        path = tmp_path / f"{i}.wav"
        write(path, babble(1 + i / 5, seed=i), 16000)
        extra = (("set", "test" if i < 4 else "dev"),)
        rows.append(Utterance(f"u{i}", str(path), f"s{i // 2}", extra=extra))
    Manifest(tuple(rows)).save(tmp_path / "m.tsv")
    return tmp_path / "m.tsv"


def test_all_pairs_of_a_set_are_listed_embedded_by_crops_scored_and_judged(voxsphere, manifest, tiny_model, tmp_path):
    pytest.importorskip("pyarrow")
    pairs, vectors, scores = (tmp_path / name for name in ("p.parquet", "e.safetensors", "s.parquet"))
    done = voxsphere("trials", manifest, "--where", "set=test", "--all-pairs", "--out", pairs, "--json")
    assert json.loads(done.out) == {
        "out": str(pairs), "trials": 6, "targets": 2, "nontargets": 4, "recordings": 4, "notes": [],
    }  # fmt: skip
    told = ("extract", manifest, "--where", "set=test", "--model", tiny_model, "--out", vectors)
    done = voxsphere(*told, "--crops", 4, "--crop-seconds", 0.5, "--json")
    assert json.loads(done.out)["embeddings"] == 4
    made = Embeddings.load(vectors)
    assert made.model.endswith("+crops=4x0.5s,seed=0,pooled")
    assert voxsphere("score", pairs, vectors, "--out", scores).status == 0
    found = Scores.load(scores)
    assert (len(found), found.model) == (6, made.model)
    text = tmp_path / "s.txt"
    assert voxsphere("score", pairs, vectors, "--out", text).status == 0
    np.testing.assert_allclose(Scores.load(text).values, found.values)
    assert voxsphere("evaluate", scores, "--json").status == 0


def test_the_same_pairs_as_text(voxsphere, manifest, tmp_path):
    done = voxsphere("trials", manifest, "--all-pairs", "--out", tmp_path / "p.txt", "--form", "kaldi")
    assert "15 trials of 6 recordings, 3 of them targets" in done.out
    assert len(Trials.load(tmp_path / "p.txt")) == 15


@pytest.mark.parametrize(
    ("options", "ending"),
    [
        (("--chunks", 0.4), "+chunks=0.4s,embedding"),
        (("--chunks", 0.4, "--average", "pooled"), "+chunks=0.4s,pooled"),
        (
            ("--crops", 2, "--plain-crops", "--crop-seed", 3, "--average", "embedding"),
            "+crops=2x3.015s,plain,seed=3,embedding",
        ),
    ],
)
def test_a_file_says_how_it_was_heard_and_takes_no_other_cut(
    voxsphere, manifest, tiny_model, tmp_path, options, ending
):
    told = ("extract", manifest, "--model", tiny_model, "--out", tmp_path / "e.npz")
    assert voxsphere(*told, *options).status == 0
    assert Embeddings.load(tmp_path / "e.npz").model.endswith(ending)
    done = voxsphere(*told)
    assert done.status == 2
    assert "embeddings of another model, or of other pieces" in done.err


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--crops", 2, "--chunks", 0.4), "--crops and --chunks are two ways to cut an utterance"),
        (("--chunks", 0.0), "chunks of 0 s: give more than no time"),
        (("--chunks", "inf"), "chunks of inf s: give more than no time, and 600 s at most"),
        (("--crops", 3, "--plain-crops", "--crop-seconds", "inf"), "crops of inf s: give"),
        (("--plain-crops",), "--plain-crops: is of drawn crops; say how many by --crops"),
        (("--crop-seed", 4), "--crop-seed: is of drawn crops"),
        (("--chunks", 0.4, "--crop-seconds", 0.4), "--crop-seconds: is of drawn crops"),
        (("--average", "pooled"), "--average: is of an utterance's pieces; say which, by --crops or --chunks"),
        (("--where", "set=other"), "none of 6 utterances is so"),
    ],
)
def test_what_cannot_be_meant_is_one_line(voxsphere, manifest, tiny_model, tmp_path, options, told):
    done = voxsphere("extract", manifest, "--model", tiny_model, "--out", tmp_path / "e.npz", *options)
    assert done.status == 2
    assert told in done.err
    assert done.err.count("\n") == 1


@pytest.mark.parametrize("option", [("--targets", 5), ("--seed", 0), ("--no-same-gender",)])
def test_all_pairs_take_no_option_of_drawing(voxsphere, manifest, tmp_path, option):
    done = voxsphere("trials", manifest, "--all-pairs", *option, "--out", tmp_path / "p.txt")
    assert done.status == 2
    assert f"{option[0].replace('no-', '')}: is of drawing, and --all-pairs draws nothing" in done.err
    assert not (tmp_path / "p.txt").exists()


def test_a_corpus_is_written_as_voxceleb_is_learnt_and_its_people_are_named_by_crops(voxsphere, speakers, tmp_path):
    rows = tuple(
        Utterance(f"{path.parent.name}/{path.stem}", str(path), path.parent.name)
        for path in sorted(speakers.glob("s0[0-3]/*.wav"))
    )
    tree = write_form("unified_hypersphere", Corpus(Manifest(rows), {}), tmp_path / "tree").folder
    Manifest(rows).save(tmp_path / "c.tsv")
    done = voxsphere("prepare", tmp_path / "c.tsv", "--as", "unified_hypersphere", "--out", tree, "--json")
    assert json.loads(done.out)["utterances"] == len(rows)
    done = voxsphere(
        "prepare", tmp_path / "c.tsv", "--as", "unified_hypersphere", "--out", tree, "--set", "layout=2017"
    )
    assert "holds another corpus, or this one in another form" in done.err
    small = ("model.encoder.width=2", "model.encoder.units=[1,1]", "model.projection.dim=8", "examples.length=0.4",
             "batch_size=6", "sampler.batches=3", "epochs=1")  # fmt: skip
    settings = [word for each in small for word in ("--set", each)]
    run = tmp_path / "run"
    told = ("train", "unified_hypersphere/identification", "--data", tree, "--out", run, "--workers", 0)
    assert voxsphere(*told, *settings).status == 0
    assert voxsphere("prepare", "voxceleb", tree, "--out", tmp_path / "vox1.tsv").status == 0
    told = ("identify", tmp_path / "vox1.tsv", "--split", "test", "--run", run, "--json")
    for options in ((), ("--crops", 3, "--crop-seconds", 0.4)):
        found = json.loads(voxsphere(*told, *options).out)
        assert found["decided"] == 4
        assert 0 <= found["results"]["top1"] <= found["results"]["top5"] <= 1
