"""Corpora that lhotse knows, by lhotse's own recipes, on replicas of their layouts: who speaks, and in which split."""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from voxsphere.audio.wave import write
from voxsphere.core.errors import BadInput
from voxsphere.data.corpora import prepare
from voxsphere.recipes import find

pytest.importorskip("lhotse")

Told = dict[str, tuple[str, str, str]]
"""The speaker, split and subset of each id."""


def sound(path: Path, seconds: float = 0.1) -> None:
    wave = np.random.default_rng(0).normal(0, 0.1, round(16000 * seconds)).astype(np.float32)
    if path.suffix != ".wav":  # under another name, as TIMIT's
        write(path.with_suffix(".wav"), wave, 16000)
        path.with_suffix(".wav").rename(path)
    else:
        write(path, wave, 16000)


def text(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def aishell(root: Path) -> Told:
    told = {}
    for part, speaker in (("train", "S0002"), ("dev", "S0724"), ("test", "S0764")):
        told[f"BAC009{speaker}W0122"] = (speaker, part, "")
        sound(root / f"data_aishell/wav/{part}/{speaker}/BAC009{speaker}W0122.wav")
    text(root / "data_aishell/transcript/aishell_transcript_v0.8.txt", "".join(f"{id} 而 对\n" for id in told))
    return told


def aidatatang_200zh(root: Path) -> Told:
    told = {}
    for part, speaker in (("train", "G0013"), ("dev", "G0002"), ("test", "G0016")):
        told[f"T0055{speaker}S0002"] = (speaker, part, "")
        sound(root / f"aidatatang_200zh/corpus/{part}/{speaker}/T0055{speaker}S0002.wav")
    lines = "".join(f"{id} 以后 你 是\n" for id in told)
    text(root / "aidatatang_200zh/transcript/aidatatang_200_zh_transcript.txt", lines)
    return told


def magicdata(root: Path) -> Told:
    told = {}
    for part, speaker in (("train", "14_3466"), ("dev", "5_1813"), ("test", "38_5721")):
        id = f"{speaker}_20170826171159"
        told[id] = (speaker, part, "")
        sound(root / part / speaker / f"{id}.wav")
        text(root / part / "TRANS.txt", f"UtteranceID\tSpeakerID\tTranscription\n{id}.wav\t{speaker}\t今天\n")
    return told


def tal_csasr(root: Path) -> Told:
    """Lhotse takes each recording of this one for a speaker: its files do not say who speaks."""
    told = {}
    for part, id in (("train", "0000001"), ("dev", "0000002"), ("test", "0000003")):
        told[id] = (id, part, f"{part}_set")
        sound(root / f"TALCS_corpus/{part}_set/wav/{id}.wav")
        text(root / f"TALCS_corpus/{part}_set/label.txt", f"{id} 我们 hello\n")
    return told


def commonvoice(root: Path) -> Told:
    columns = ["client_id", "path", "sentence", "up_votes", "down_votes", "age", "gender", "accents", "variant"]
    told = {}
    for part in ("train", "dev", "test"):
        id = f"common_voice_en_{part}"
        told[id] = (f"c-{part}", part, f"en-{part}")
        sound(root / "en/clips" / f"{id}.wav")
        row = [f"c-{part}", f"{id}.wav", "hello", "2", "0", "", "male", "", ""]
        text(root / "en" / f"{part}.tsv", "\t".join(columns) + "\n" + "\t".join(row) + "\n")
    return told


def timit(root: Path) -> Told:
    told = {}
    for folder, speaker, part in (("TRAIN", "FCJF0", "train"), ("TEST", "FAKS0", "dev"), ("TEST", "MDAB0", "test")):
        told[f"{speaker}-SI1"] = (speaker, part, part.upper())
        place = root / "data" / folder / "DR1" / speaker / "SI1.WAV"
        sound(place)
        text(place.with_suffix(".TXT"), "0 1600 She had\n")
        text(place.with_suffix(".WRD"), "0 800 she\n800 1600 had\n")
        text(place.with_suffix(".PHN"), "0 800 sh\n800 1600 iy\n")
    return told


def aishell3(root: Path) -> Told:
    told = {}
    for part, speaker in (("train", "SSB0005"), ("test", "SSB0009")):
        told[f"{speaker}0001"] = (speaker, part, "")
        sound(root / part / "wav" / speaker / f"{speaker}0001.wav")
        text(root / part / "content.txt", f"{speaker}0001.wav\t广 guang3 州 zhou1\n")
    text(root / "spk-info.txt", "# speaker\nSSB0005\tB\tfemale\tnorth\nSSB0009\tB\tmale\tnorth\n")
    text(root / "train/label_train-set.txt", "# tones\nSSB00050001|guang3|广州\n")
    return told


def ami(root: Path) -> Told:
    told, meetings = {}, ""
    notes = root / "ami_public_manual_1.6.2"
    for meeting, speaker, part in (
        ("ES2002a", "MEE006", "train"),
        ("ES2003a", "MEE009", "dev"),
        ("ES2004a", "F", "test"),
    ):
        told[f"{meeting}-0-0"] = (speaker, part, "")
        sound(root / f"wav_db/{meeting}/audio/{meeting}.Headset-0.wav", 2.0)
        meetings += (
            f'<meeting observation="{meeting}"><speaker nxt_agent="A" channel="0" global_name="{speaker}"/></meeting>'
        )
        segment = '<segment transcriber_start="0.5" transcriber_end="1.5"/>'
        text(notes / f"segments/{meeting}.A.segments.xml", f"<root>{segment}</root>")
        text(notes / f"words/{meeting}.A.words.xml", '<root><w starttime="0.6" endtime="1.4">hi</w></root>')
    text(notes / "corpusResources/meetings.xml", f"<meetings>{meetings}</meetings>")
    return told


def chime6(root: Path) -> Told:
    from lhotse.recipes.chime6 import DATASET_PARTS

    told = {}
    for part, sessions in DATASET_PARTS.items():
        for session in sessions:
            speaker = f"P{session}"
            told[f"{session}-0"] = (speaker, "test" if part == "eval" else part, "eval" if part == "eval" else "")
            sound(root / f"audio/{part}/{session}_U01.CH1.wav", 1.5)
            turn = {"speaker": speaker, "start_time": "0:00:00.50", "end_time": "0:00:01.25", "words": "hello"}
            text(root / f"transcriptions/{part}/{session}.json", json.dumps([turn]))
    return told


@pytest.mark.parametrize(
    "laid", [chime6, aishell, aishell3, aidatatang_200zh, magicdata, tal_csasr, commonvoice, timit, ami]
)
def test_a_corpus_that_lhotse_knows_is_prepared_by_its_recipe_and_its_test_part_does_not_teach(
    laid, tmp_path, monkeypatch, capsys
):
    # Threads read the recordings in place of processes, which would need seconds to begin.
    monkeypatch.setattr("lhotse.recipes.commonvoice.ProcessPoolExecutor", lambda **_: ThreadPoolExecutor(1))
    told = laid(tmp_path)
    made = prepare(f"lhotse:{laid.__name__}", tmp_path)
    subset = {u.id: dict(u.extra).get("subset", "") for u in made.manifest}
    assert {u.id: (u.speaker, u.split, subset[u.id]) for u in made.manifest} == told
    assert {u.dataset for u in made.manifest} == {laid.__name__}
    assert made.missing == ()
    made.manifest.save(tmp_path / "m.tsv")
    data = find("smoke", data=tmp_path / "m.tsv")[0].data
    assert isinstance(data, partial)
    assert data.keywords["split"] == "train"
    assert capsys.readouterr().out == ""  # stdout is for what the verb says of it


def test_an_utterance_of_a_meeting_is_the_part_in_which_its_speaker_is_heard(tmp_path):
    ami(tmp_path)
    first = prepare("lhotse:ami", tmp_path).manifest.utterances[0]
    assert (first.start, first.duration, first.gender) == (0.6, 0.8, "m")


@pytest.mark.parametrize(
    ("part", "split"),
    [
        ("TRAIN", "train"), ("train-clean-100", "train"), ("en-training", "train"), ("train_L", "train"),
        ("DEV", "dev"), ("valid", "dev"), ("train_dev", "dev"), ("ihm-dev", "dev"),
        ("eval", "test"), ("eval1", "test"), ("tst-COMMON", "test"), ("TEST_NET", "test"), ("test-train", "test"),
        ("XL", "XL"), ("validated", "validated"), ("latest", "latest"), ("", ""),
    ],
)  # fmt: skip
def test_parts_are_named_train_dev_and_test_and_others_as_they_are(part, split, tmp_path, monkeypatch):
    (tmp_path / "a.wav").touch()
    recording = {"id": "a", "duration": 1.0, "sources": [{"type": "file", "channels": [0], "source": str(tmp_path)}]}
    given = {part: {"recordings": [Given(recording)]}} if part else {"recordings": [Given(recording)]}
    monkeypatch.setattr("voxsphere.data.corpora.lhotse_recipes._recipe", lambda name: lambda folder: given)
    (utterance,) = prepare("lhotse:mine", tmp_path).manifest
    assert utterance.split == split
    assert dict(utterance.extra) == ({} if split == part else {"subset": part})


class Given:
    """What lhotse's objects are asked for."""

    def __init__(self, content: dict[str, object]) -> None:
        self.content = content

    def to_dict(self) -> dict[str, object]:
        return self.content


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("aishel", "lhotse has no such recipe; it has .*aishell"),
        ("librimix", "its recipe asks for more than a folder"),
        ("aishell", "lhotse's recipe aishell stopped .*FileNotFoundError"),
        # In the package, but not named in its front.
        ("tal_csasr", "lhotse's recipe tal_csasr stopped"),
    ],
)
def test_why_lhotse_prepares_nothing_is_told(tmp_path, name, told):
    with pytest.raises(BadInput, match=told):
        prepare(f"lhotse:{name}", tmp_path)


def test_without_lhotse_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "lhotse.recipes", None)
    with pytest.raises(BadInput, match=r"lhotse:ami needs lhotse: pip install 'voxsphere\[data\]'"):
        prepare("lhotse:ami", tmp_path)
