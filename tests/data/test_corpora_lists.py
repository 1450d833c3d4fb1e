"""Lists of other toolkits as manifests: NeMo's, SpeechBrain's, lhotse's, and Kaldi's further files and commands."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from voxsphere.audio.wave import read, write
from voxsphere.core.errors import BadInput
from voxsphere.core.manifest import Manifest, Utterance
from voxsphere.data.corpora import prepare
from voxsphere.data.kaldi import read_kaldi, save_kaldi
from voxsphere.data.manifests import open_manifest
from voxsphere.data.speechbrain import read_speechbrain


def lines(path: Path, *records: object) -> Path:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "wt") as file:
        file.writelines(json.dumps(record) + "\n" for record in records)
    return path


def test_a_nemo_list_has_parts_where_offsets_stand(tmp_path):
    listed = lines(
        tmp_path / "train.json",
        {"audio_filepath": "a.wav", "offset": None, "duration": 3.5, "label": 7, "text": "hi", "snr": 12, "bad": [1]},
        {"audio_filepath": "/far/b.wav", "offset": 0, "duration": 2, "label": "ann", "lang": "en"},
        {"audio_filepath": "s3://bucket/c.wav", "duration": 1.0},
    )
    first, second, third = open_manifest(listed)
    assert first == Utterance("a.wav", str(tmp_path / "a.wav"), "7", duration=3.5, text="hi", extra=(("snr", "12"),))
    assert second == Utterance("/far/b.wav@0", "/far/b.wav", "ann", 0.0, 2.0, language="en")
    assert (third.path, third.speaker) == ("s3://bucket/c.wav", "")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"audio_filepath": "a", "offset": -1}\n', "line 1: offset -1 is no number of seconds"),
        ('{"audio_filepath": "a"}\n{"audio_filepath": "a"}\n', "line 2: a stands there already"),
        ('{"audio_filepath": "a"}\n{"audio\n', "line 2 is not JSON"),
        ('{"audio_filepath": "a"}\n{"path": "a"}\n', "line 2 is no object with an audio_filepath"),
    ],
)
def test_what_is_wrong_in_a_nemo_list_is_named(tmp_path, text, told):
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(BadInput, match=told):
        open_manifest(tmp_path / "x.json")


def test_a_speechbrain_list_counts_samples_of_the_files(tmp_path, monkeypatch):
    monkeypatch.setenv("data_root", str(tmp_path))
    write(tmp_path / "a.wav", np.zeros(8000, np.float32), 8000)
    (tmp_path / "train.csv").write_text(
        "ID,duration,wav,start,stop,spk_id,wrd\n"
        "a--1,1.0,$data_root/a.wav,2000,6000,ann,\nb,4.5,/far/b.wav,,,bob,HELLO\nc,4,/far/c.wav,400,,bob,\n"
    )
    first, second, third = open_manifest(tmp_path / "train.csv")
    assert first == Utterance("a--1", str(tmp_path / "a.wav"), "ann", 0.25, 0.5)
    assert second == Utterance("b", "/far/b.wav", "bob", duration=4.5, text="HELLO")
    assert (third.start, third.duration) == (0.05, None)
    assert read_speechbrain(tmp_path / "train.csv", sample_rate=16000).utterances[0].start == 0.125
    # 16 kHz is what the recipes use, where no file is there to ask.
    (tmp_path / "a.wav").unlink()
    assert open_manifest(tmp_path / "train.csv").utterances[0].start == 0.125


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("path,speaker\na,b\n", "has no columns ID and wav"),
        ("ID,wav\na\n", "line 2 does not have the fields"),
        ("ID,wav\na,/a.wav\na,/b.wav\n", "line 3: a stands there already"),
        ("ID,wav\na,$nowhere_set/a.wav\n", "line 2: set the environment variable"),
        ("ID,wav,start,stop\na,/a.wav,1.5,3\n", "line 2: start '1.5' is no number of samples"),
        ("ID,wav,start,stop\na,/a.wav,5,3\n", "line 2: stop 3 is not after start 5"),
        ("ID,wav,duration\na,/a.wav,long\n", "line 2: duration 'long' is no number of seconds"),
        ("ID,wav\n", "lists no utterance"),
    ],
)
def test_what_is_wrong_in_a_speechbrain_list_is_named(tmp_path, text, told):
    (tmp_path / "x.csv").write_text(text)
    with pytest.raises(BadInput, match=told):
        open_manifest(tmp_path / "x.csv")


def recording(name, *sources, seconds=10.0):
    kept = [{"type": "file", "channels": [n], "source": source} for n, source in enumerate(sources)]
    return {"id": name, "sources": kept, "sampling_rate": 16000, "num_samples": 16000 * seconds, "duration": seconds}


def supervision(name, of, start, duration, **more):
    return {"id": name, "recording_id": of, "start": start, "duration": duration, "channel": 0, **more}


def test_lhotse_recordings_and_supervisions_go_together(tmp_path):
    lines(tmp_path / "x_recordings_dev.jsonl.gz", recording("r", "/l.wav", "/r.wav"), recording("q", "/q.wav"))
    listed = lines(
        tmp_path / "x_supervisions_dev.jsonl.gz",
        supervision("u1", "r", 1.5, 2.0, speaker="ann", gender="Female", language="English", text=" a  b "),
        supervision("u2", "r", 4.0, 2.0, speaker="bob") | {"channel": 1},
        supervision("u3", "q", 0.0, 10.0, speaker="ann", gender="M"),
    )
    first, second, third = made = open_manifest(listed)
    assert first == Utterance("u1", "/l.wav", "ann", 1.5, 2.0, session="r", gender="f", language="English", text="a b")
    assert (second.path, second.start) == ("/r.wav", 4.0)
    assert third == Utterance("u3", "/q.wav", "ann", None, 10.0, gender="m")
    assert open_manifest(tmp_path / "x_recordings_dev.jsonl.gz") == made
    listed.unlink()
    alone = open_manifest(tmp_path / "x_recordings_dev.jsonl.gz")
    assert [(u.id, u.speaker, u.duration) for u in alone] == [("r", "", 10.0), ("q", "", 10.0)]


def test_supervisions_of_a_lhotse_cut_count_from_its_start_and_end_with_it(tmp_path):
    cut = {
        "id": "c", "start": 2.0, "duration": 3.0, "channel": 0, "recording": recording("r", "/r.wav"),
        "supervisions": [supervision("s", "r", -0.5, 1.0, speaker="ann"), supervision("t", "r", 1.0, 9.0)],
    }  # fmt: skip
    bare = {**cut, "id": "d", "supervisions": []}
    first, second, third = open_manifest(lines(tmp_path / "cuts.jsonl", cut, bare))
    assert (first.start, first.duration, first.speaker, first.session) == (2.0, 0.5, "ann", "r")
    assert (second.start, second.duration) == (3.0, 2.0)
    assert (third.id, third.start, third.duration, third.speaker) == ("d", 2.0, 3.0, "")


def test_lhotse_itself_writes_what_is_read_here(tmp_path):
    lhotse = pytest.importorskip("lhotse")
    write(tmp_path / "a.wav", np.zeros(32000, np.float32), 16000)
    made = lhotse.Recording.from_file(tmp_path / "a.wav")
    parts = [
        lhotse.SupervisionSegment(f"s{n}", "a", start=n / 2, duration=0.5, speaker=f"p{n}", gender="female")
        for n in range(3)
    ]
    cuts = lhotse.CutSet.from_manifests(
        lhotse.RecordingSet.from_recordings([made]), lhotse.SupervisionSet.from_segments(parts)
    )
    cuts.trim_to_supervisions().to_file(tmp_path / "cuts.jsonl.gz")
    told = [(u.path, u.speaker, u.start, u.duration, u.gender) for u in open_manifest(tmp_path / "cuts.jsonl.gz")]
    assert told == [(str(tmp_path / "a.wav"), f"p{n}", n / 2, 0.5, "f") for n in range(3)]
    cuts.perturb_speed(1.1).to_file(tmp_path / "fast.jsonl")
    with pytest.raises(BadInput, match="is changed on the fly"):
        open_manifest(tmp_path / "fast.jsonl")


@pytest.mark.parametrize(
    ("records", "told"),
    [
        ([], "lists nothing"),
        ([{"a": 1}], "holds neither cuts nor recordings"),
        ([3], "line 1 is no JSON object"),
        ([supervision("u", "r", 0, 1)], "the recordings are expected beside it in x_recordings"),
        ([recording("r", "/a") | {"sources": [{"type": "command", "channels": [0], "source": "ls"}]}], "is a command"),
        ([{"sources": []}], "is no list of lhotse's"),
    ],
)
def test_what_is_wrong_in_a_lhotse_list_is_named(tmp_path, records, told):
    with pytest.raises(BadInput, match=told):
        open_manifest(lines(tmp_path / "x_supervisions.jsonl", *records))


def test_a_truncated_lhotse_list_is_named(tmp_path):
    whole = lines(tmp_path / "x.jsonl.gz", *(recording(f"{n}", f"/{n}.wav") for n in range(500))).read_bytes()
    (tmp_path / "x.jsonl.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadInput, match=r"x\.jsonl\.gz: is damaged after line"):
        open_manifest(tmp_path / "x.jsonl.gz")


def kaldi(folder: Path, **files: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)
    return folder


def test_a_kaldi_folder_keeps_languages_lengths_features_and_trials(tmp_path):
    folder = kaldi(
        tmp_path, wav__scp="u wav.ark:12\nv /v.wav\n", utt2spk="u s\nv t\n", utt2lang="u zh\n", utt2dur="v 3.5\n",
        feats__scp="u feats.ark:7\n", vad__scp="u /vad.ark:9\n", trials="u v nontarget\n",
    )  # fmt: skip
    (folder / "wav.ark").touch()
    made = prepare("kaldi", folder)
    first, second = made.manifest
    assert (first.path, first.language) == (str(folder / "wav.ark:12"), "zh")
    assert first.extra == (("feats", "feats.ark:7"), ("vad", "/vad.ark:9"))
    assert (second.duration, second.extra) == (3.5, ())
    assert made.trials["trials"].ids == ("u", "v")
    assert made.missing == ("/v.wav",)


def test_a_kaldi_folder_of_features_alone_has_them_for_its_paths(tmp_path):
    folder = kaldi(tmp_path, feats__scp="u /feats.ark:7\n", utt2spk="u s\n")
    assert [(u.path, u.extra) for u in open_manifest(folder)] == [("/feats.ark:7", ())]


def test_commands_run_only_where_they_are_allowed_and_once(tmp_path, monkeypatch):
    monkeypatch.setenv("VOXSPHERE_CACHE", str(tmp_path / "cache"))
    write(tmp_path / "a.flac", np.full(160, 0.25, np.float32), 16000)
    ran = tmp_path / "ran"
    command = f"echo x >> '{ran}'; cat '{tmp_path}/a.flac' | cat |"
    folder = kaldi(tmp_path / "data", wav__scp=f"u {command}\n", utt2spk="u s\n")
    for asked in (lambda: prepare("kaldi", folder), lambda: open_manifest(folder), lambda: read_kaldi(folder)):
        with pytest.raises(BadInput, match="line 1 is a command; commands are not run unless allowed"):
            asked()
    assert not ran.exists()
    for _ in range(2):
        (utterance,) = prepare("kaldi", folder, allow_commands=True).manifest
        assert np.allclose(read(utterance.path, rate=16000), 0.25, atol=1e-4)
    assert ran.read_text() == "x\n"


@pytest.mark.parametrize(("command", "told"), [("echo why >&2; exit 3", r"status 3 \(why\)"), ("true", "no output")])
def test_a_command_that_fails_is_named(tmp_path, monkeypatch, command, told):
    monkeypatch.setenv("VOXSPHERE_CACHE", str(tmp_path / "cache"))
    folder = kaldi(tmp_path / "data", wav__scp=f"u {command} |\n", utt2spk="u s\n")
    with pytest.raises(BadInput, match=f"u: its command in wav.scp .*{told}"):
        prepare("kaldi", folder, allow_commands=True)


def test_what_kaldi_knows_of_a_manifest_comes_back(tmp_path):
    made = Manifest(
        (
            Utterance("a1", "/a b.wav", "ann", 0.5, 1.25, gender="f", language="en", text="HI YOU"),
            Utterance("b1", "s3://bucket/b.wav", "bob", 2.0, None, gender="m"),
        )
    )
    save_kaldi(made, tmp_path)
    assert read_kaldi(tmp_path) == made
    assert (tmp_path / "spk2gender").read_text() == "ann f\nbob m\n"


@pytest.mark.parametrize(
    "utterance",
    [
        Utterance("a b", "/a.wav", "s"),
        Utterance("a", "/a.wav", ""),
        Utterance("a", "/a.wav", "s", speed=1.1),
        Utterance("a", "rm -r x |", "s"),
    ],
)
def test_what_kaldis_files_cannot_hold_is_named(tmp_path, utterance):
    with pytest.raises(BadInput, match="Kaldi's files cannot hold"):
        save_kaldi(Manifest((utterance,)), tmp_path)
