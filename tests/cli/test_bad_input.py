"""Every kind of bad recording: one clear line that names the file, status 2, nothing lost."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from voxsphere.core.embeddings import Embeddings

RATE = 16000


def speech(seconds: float, seed: int = 0) -> np.ndarray:
    """Noise with syllables: enough for an energy detector to call it speech."""
    random = np.random.default_rng(seed)
    time = np.arange(round(seconds * RATE)) / RATE
    return (random.normal(0, 0.1, len(time)) * (np.sin(2 * np.pi * 2 * time) > -0.5)).astype(np.float32)


def missing(folder: Path) -> Path:
    return folder / "nobody.wav"


def directory(folder: Path) -> Path:
    (folder / "folder.wav").mkdir()
    return folder / "folder.wav"


def empty(folder: Path) -> Path:
    (folder / "empty.wav").touch()
    return folder / "empty.wav"


def text(folder: Path) -> Path:
    (folder / "letter.wav").write_text("Dear Sir or Madam,\n" * 50)
    return folder / "letter.wav"


def truncated_flac(folder: Path) -> Path:
    path = folder / "cut.flac"
    soundfile.write(path, speech(3), RATE)
    path.write_bytes(path.read_bytes()[:20000])
    return path


def no_samples(folder: Path) -> Path:
    path = folder / "nothing.wav"
    soundfile.write(path, np.zeros(0, dtype=np.float32), RATE)
    return path


def ten_milliseconds(folder: Path) -> Path:
    path = folder / "blink.wav"
    soundfile.write(path, speech(0.01), RATE)
    return path


def zeros(folder: Path) -> Path:
    path = folder / "silence.wav"
    soundfile.write(path, np.zeros(2 * RATE, dtype=np.float32), RATE)
    return path


def not_a_number(folder: Path) -> Path:
    path = folder / "nan.wav"
    wave = speech(1)
    wave[100] = np.nan
    soundfile.write(path, wave, RATE, subtype="FLOAT")
    return path


BAD = [missing, directory, empty, text, truncated_flac, no_samples, ten_milliseconds, zeros, not_a_number]


@pytest.mark.parametrize("make", BAD, ids=lambda make: make.__name__)
def test_verify_refuses_a_bad_recording_in_one_line_that_names_it(make, tmp_path, tiny_model, voxsphere):
    good, bad = tmp_path / "good.wav", make(tmp_path)
    soundfile.write(good, speech(2), RATE)
    done = voxsphere("verify", good, bad, "--model", tiny_model)
    assert done.status == 2
    assert done.out == ""
    assert len(done.err.splitlines()) == 1
    assert str(bad) in done.err
    assert "Traceback" not in done.err


def test_extract_that_embeds_nothing_says_that_no_file_was_written(tmp_path, tiny_model, voxsphere):
    (tmp_path / "manifest.tsv").write_text("path\tspeaker\nnowhere.wav\tx\n")
    out = tmp_path / "voices.safetensors"
    done = voxsphere("extract", tmp_path / "manifest.tsv", "--model", tiny_model, "--out", out)
    assert done.status == 2
    assert f"nothing could be embedded; {out} was not written" in done.out.replace("\n", "")
    assert not out.exists()


def test_extract_reports_bad_recordings_and_keeps_the_others(tmp_path, tiny_model, voxsphere):
    rows = ["path\tspeaker"]
    for number in range(3):
        soundfile.write(tmp_path / f"good{number}.wav", speech(1 + number / 10, seed=number), RATE)
        rows.append(f"good{number}.wav\ts{number}")
    rows += [f"{make(tmp_path).name}\tx" for make in BAD]
    (tmp_path / "manifest.tsv").write_text("\n".join(rows) + "\n")
    out = tmp_path / "voices.safetensors"
    done = voxsphere("extract", tmp_path / "manifest.tsv", "--model", tiny_model, "--out", out, "--json")
    assert done.status == 2
    told = json.loads(done.out)
    assert told["embeddings"] == 3
    assert {failure["id"] for failure in told["failures"]} == {row.split("\t")[0] for row in rows[4:]}
    assert Embeddings.load(out).ids == ("good0.wav", "good1.wav", "good2.wav")
    listed = (tmp_path / "voices.safetensors.failed.tsv").read_text().splitlines()
    assert len(listed) == 1 + len(BAD)
    assert not (tmp_path / "voices.safetensors.partial").exists()


def test_ninety_six_kilohertz_in_six_channels_is_read(tmp_path, tiny_model, voxsphere):
    path = tmp_path / "studio.wav"
    wave = np.repeat(speech(2), 6)  # 96 kHz
    soundfile.write(path, np.stack([wave] * 6, axis=1), 96000)
    done = voxsphere("verify", path, path, "--model", tiny_model, "--json")
    assert done.status == 0
    assert json.loads(done.out)["score"] == pytest.approx(1, abs=1e-5)


def test_too_little_speech_is_an_answer_and_never_a_nan(tmp_path, tiny_model, voxsphere):
    long, short = tmp_path / "long.wav", tmp_path / "short.wav"
    soundfile.write(long, speech(2), RATE)
    soundfile.write(short, speech(0.15), RATE)
    done = voxsphere("verify", long, short, "--model", tiny_model, "--json")
    assert done.status == 0
    answer = json.loads(done.out)
    assert answer["decision"] == "insufficient speech"
    assert answer["llr"] is None
    assert any("at least" in warning for warning in answer["warnings"])


def test_check_says_no_with_status_one(tmp_path, tiny_model, voxsphere):
    soundfile.write(tmp_path / "a.wav", speech(2), RATE)
    soundfile.write(tmp_path / "b.wav", speech(0.15), RATE)
    arguments = ("verify", tmp_path / "a.wav", tmp_path / "b.wav", "--model", tiny_model, "--check")
    assert voxsphere(*arguments).status == 1


@pytest.mark.slow
def test_ten_hours_are_embedded_in_bounded_memory(tmp_path, tiny_model, in_a_new_process):
    path = tmp_path / "day.flac"
    minute = speech(60)[::16].copy()  # at 1 kHz, so that the file is quick to write
    with soundfile.SoundFile(path, "w", 1000, 1) as file:
        for _ in range(600):
            file.write(minute)
    done = in_a_new_process("embed", path, "--model", tiny_model, "--out", tmp_path / "day.npz")
    assert done.status == 0, done.err
    # Read whole, the wave alone would take 10 h x 16,000 x 4 bytes = 2.3 GB.
    assert done.peak_megabytes < 1200
