"""The verbs of a corpus as a person and as a program meet them."""

import json
import sys
import types
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from voxsphere.audio.wave import write
from voxsphere.core.manifest import Manifest, Utterance
from voxsphere.core.trials import Trials
from voxsphere.data.manifests import open_manifest


@pytest.fixture
def corpus_folder(tmp_path, babble) -> Path:
    """Eight speakers of three recordings."""
    for speaker in range(8):
        for number in range(3):
            path = tmp_path / "voices" / f"s{speaker}" / f"{number}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            write(path, babble(1.5, seed=10 * speaker + number), 16000)
    return tmp_path / "voices"


def test_a_folder_is_split_paired_and_checked(voxsphere, corpus_folder, tmp_path):
    done = voxsphere("split", corpus_folder, "--held-out", "3", "--out", tmp_path / "sides", "--json")
    assert done.status == 0, done.err
    told = json.loads(done.out)
    assert told["held_out"] == {"path": str(tmp_path / "sides/held_out.tsv"), "utterances": 9, "speakers": 3}
    assert told["train"]["speakers"] == 5
    held, train = Manifest.load(told["held_out"]["path"]), Manifest.load(told["train"]["path"])
    assert not set(held.speakers) & set(train.speakers)
    listed = tmp_path / "trials.txt"
    done = voxsphere("trials", told["held_out"]["path"], "--out", listed, "--targets", 6, "--json")
    assert json.loads(done.out) | {"notes": []} == {
        "out": str(listed), "trials": 33, "targets": 6, "nontargets": 27, "recordings": 9, "notes": [],
    }  # fmt: skip
    assert int(Trials.load(listed).target.sum()) == 6
    asked = ("--trials", listed, "--against", told["held_out"]["path"], "--check")
    done = voxsphere("check", told["train"]["path"], *asked, "--json")
    assert done.status == 0
    assert json.loads(done.out)["clean"] is True
    done = voxsphere("check", told["held_out"]["path"], "--trials", listed)
    assert "compared with nothing" in done.out
    # The whole corpus holds the held-out speakers: training on it would leak.
    done = voxsphere("check", corpus_folder, *asked, "--json")
    leaks = json.loads(done.out)["leaks"]
    assert done.status == 1
    assert {leak["test"] for leak in leaks if leak["kind"] == "speaker"} == set(held.speakers)
    assert sum(leak["kind"] == "file" for leak in leaks) == 9


def test_one_table_with_a_column_can_be_written(voxsphere, corpus_folder, tmp_path):
    out = tmp_path / "whole.tsv"
    assert voxsphere("split", corpus_folder, "--held-out", "0.25", "--out", out).status == 0
    assert sorted(u.split for u in Manifest.load(out)) == ["held_out"] * 6 + ["train"] * 18
    assert len(open_manifest(out)) == 24


def test_a_check_speaks_to_people(voxsphere, corpus_folder):
    (corpus_folder / "s0/0.wav").write_bytes(b"RIFF")
    (corpus_folder / "s1/0.wav").write_bytes((corpus_folder / "s2/0.wav").read_bytes())
    done = voxsphere("check", corpus_folder)
    assert done.status == 0
    for words in ("24 utterances of 8 speakers", "1 recordings are broken", "s0/0.wav", "more than once", "not clean"):
        assert words in done.out
    assert "s1/0.wav = s2/0.wav (of s1 and s2)" in done.out
    assert voxsphere("check", corpus_folder, "--check").status == 1


def test_a_check_writes_the_manifest_again_with_what_it_measured(voxsphere, corpus_folder, tmp_path, babble):
    (corpus_folder / "s0/0.wav").write_bytes(b"RIFF")
    write(corpus_folder / "s1/0.wav", babble(0.75), 16000)
    part = Utterance("part", str(corpus_folder / "s3/0.wav"), "s3", start=1.0, duration=9.0)
    given = Manifest((*(*open_manifest(corpus_folder), part),)).with_speeds_as_speakers(2.0)
    given.save(tmp_path / "m.tsv")
    out = tmp_path / "lists" / "measured.tsv"
    done = voxsphere("check", tmp_path / "m.tsv", "--out", out)
    assert done.status == 0, done.err
    assert "2 recordings are broken" in done.out
    assert "s0/0.wav" in done.out
    assert "48 utterances of 16 speakers that can be decoded" in done.out
    made = {u.id: u for u in Manifest.load(out)}
    assert tuple(made) == tuple(id for id in given.ids if not id.startswith("s0/0.wav"))
    assert (made["s1/0.wav"].duration, made["s1/0.wav@2"].duration, made["s1/0.wav@2"].speed) == (0.75, 0.75, 2.0)
    assert (made["part"].start, made["part"].duration) == (1.0, 0.5)  # as much as there is
    assert 0 < float(dict(made["s2/0.wav"].extra)["speech_seconds"]) <= 1.5
    done = voxsphere("check", out, "--out", out, "--json")
    assert json.loads(done.out)["out"] == str(out)
    assert {u.id: u for u in Manifest.load(out)} == made


def test_a_check_writes_nothing_where_nothing_can_be_decoded(voxsphere, tmp_path):
    (tmp_path / "voices/a").mkdir(parents=True)
    (tmp_path / "voices/a/1.wav").write_bytes(b"RIFF")
    done = voxsphere("check", tmp_path / "voices", "--out", tmp_path / "m.tsv", "--json")
    assert (done.status, done.out) == (2, "")
    assert "m.tsv: is not written, nothing could be decoded; the first: " in done.err
    assert not (tmp_path / "m.tsv").exists()


def test_a_check_with_a_model_listens_to_what_is_near(voxsphere, corpus_folder, tmp_path, tiny_model):
    """The copy differs from its original in every sample: only the sound tells."""
    import soundfile

    wave, rate = soundfile.read(corpus_folder / "s0/0.wav", dtype="float32")
    (tmp_path / "test/x").mkdir(parents=True)
    soundfile.write(tmp_path / "test/x/1.mp3", wave, rate, format="MP3")
    (corpus_folder / "s1/0.wav").write_bytes(b"")
    asked = ("check", corpus_folder, "--against", tmp_path / "test", "--json")
    assert json.loads(voxsphere(*asked).out)["leaks"] == []
    leaks = json.loads(voxsphere(*asked, "--model", tiny_model).out)["leaks"]
    assert [(leak["kind"], leak["test"]) for leak in leaks] == [("sound", "x/1.mp3")]
    for name, source in (("a", corpus_folder), ("b", tmp_path / "test")):
        voxsphere("extract", source, "--model", tiny_model, "--out", tmp_path / f"{name}.npz")
    made = ("--embeddings", tmp_path / "a.npz", "--embeddings", tmp_path / "b.npz")
    assert json.loads(voxsphere(*asked, *made).out)["leaks"] == leaks


@dataclass(frozen=True)
class Prepared:
    """What `prepare` of the corpora gives."""

    manifest: Manifest
    trials: dict[str, Trials] = field(default_factory=dict)
    missing: tuple[str, ...] = ()


@pytest.mark.parametrize("missing", [(), tuple(f"/wav/{n}.wav" for n in range(7))])
def test_prepare_saves_the_manifest_its_lists_and_what_is_missing(voxsphere, tmp_path, monkeypatch, missing):
    asked: list[object] = []

    def corpus(kind, root, *, allow_commands):
        asked.append((kind, root, allow_commands))
        manifest = Manifest((Utterance("a", "/a.wav", "s"), Utterance("b", "/b.wav", "s")))
        return Prepared(manifest, {"vox1_o": Trials.from_pairs(["a"], ["b"], [True])}, missing)

    monkeypatch.setitem(sys.modules, "voxsphere.data.corpora", types.SimpleNamespace(prepare=corpus))
    out = tmp_path / "made" / "m.tsv"
    done = voxsphere("prepare", "voxceleb", tmp_path, "--out", out, "--allow-commands", "--json")
    assert done.status == 0, done.err
    assert asked == [("voxceleb", tmp_path, True)]
    lists, listed = out.with_name("m.vox1_o.txt"), out.with_name("m.tsv.missing.txt")
    assert json.loads(done.out) == {
        "out": str(out), "utterances": 2, "speakers": 1, "missing": len(missing),
        "trials": [{"name": "vox1_o", "path": str(lists), "trials": 1}],
        "missing_list": str(listed) if missing else None,
    }  # fmt: skip
    assert Manifest.load(out).ids == ("a", "b")
    assert lists.read_text() == "1 a b\n"
    assert (listed.read_text().split() if missing else []) == list(missing)
    done = voxsphere("prepare", "voxceleb", tmp_path, "--out", out)
    assert len(done.err.splitlines()) == (6 if missing else 0)
    assert "1 trials in" in done.out


def test_a_corpus_is_packed_and_what_is_broken_is_told(voxsphere, corpus_folder, tmp_path):
    done = voxsphere("pack", corpus_folder, "--out", tmp_path / "shards", "--json")
    assert done.status == 0, done.err
    told = json.loads(done.out)
    assert (told["utterances"], told["failures"]) == (24, [])
    assert Manifest.load(told["manifest"]).ids == open_manifest(corpus_folder).ids
    (corpus_folder / "s0/0.wav").write_bytes(b"RIFF")
    done = voxsphere("pack", corpus_folder, "--out", tmp_path / "again", "--to", "shards")
    assert done.status == 2
    assert "s0/0.wav" in done.err
    assert "23 utterances" in done.out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("split", "voices", "--out", "x", "--held-out", "some"), "--held-out some"),
        (("split", "voices", "--out", "x", "--held-out", "8"), "8 of 8 speakers"),
        (("split", "nobody.tsv", "--out", "x"), "nobody.tsv: no such file"),
        (("trials", "voices", "--out", "voices/s0/0.wav/t.txt"), "cannot be written"),
        (("check", "voices", "--trials", "none.txt"), "none.txt: no such file"),
        (("check", "voices", "--model", "m", "--embeddings", "e"), "give one of them"),
        (("check", "voices", "--out", "m.json"), "m.json: a manifest is named .tsv or .parquet"),
        (("prepare", "folder", "voices", "--out", "m.json"), "m.json: a manifest is named"),
        (("pack", "nobody.tsv", "--out", "x"), "nobody.tsv: no such file"),
    ],
)
def test_bad_input_is_one_line_with_status_two(voxsphere, corpus_folder, tmp_path, monkeypatch, arguments, told):
    monkeypatch.chdir(tmp_path)
    done = voxsphere(*arguments)
    assert done.status == 2
    assert done.out == ""
    assert len(done.err.splitlines()) == 1
    assert told in done.err


def test_ids_with_blanks_do_not_fit_a_list(voxsphere, tmp_path):
    rows = tuple(Utterance(f"{s} {n}", f"/{s}/{n}.wav", s) for s in "ab" for n in range(2))
    Manifest(rows).save(tmp_path / "m.tsv")
    done = voxsphere("trials", tmp_path / "m.tsv", "--out", tmp_path / "t.txt")
    assert done.status == 2
    assert "id with blanks" in done.err
    assert not (tmp_path / "t.txt").exists()


def test_the_kaldi_form_is_written_where_it_is_asked_for(voxsphere, tmp_path):
    rows = tuple(Utterance(f"{s}{n}", f"/{s}/{n}.wav", s) for s in "ab" for n in range(2))
    Manifest(rows).save(tmp_path / "m.tsv")
    done = voxsphere("trials", tmp_path / "m.tsv", "--out", tmp_path / "t.txt", "--form", "other")
    assert done.status == 2
    done = voxsphere("trials", tmp_path / "m.tsv", "--out", tmp_path / "t.txt", "--form", "kaldi")
    assert done.status == 0
    assert "no session is known" in done.err
    assert {line.split()[2] for line in (tmp_path / "t.txt").read_text().splitlines()} == {"target", "nontarget"}
    assert np.count_nonzero(Trials.load(tmp_path / "t.txt").target) == 2
