"""Packing: what comes out is what went in, broken-off work goes on, and nothing broken gets in."""

import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from voxsphere.audio.wave import info, read
from voxsphere.core.errors import BadInput
from voxsphere.core.manifest import Manifest, Utterance
from voxsphere.data.pack import pack

soundfile = pytest.importorskip("soundfile")
h5py = pytest.importorskip("h5py")

RATE = 16000


def noise(seconds: float, seed: int, rate: int = RATE) -> np.ndarray:
    return np.random.default_rng(seed).integers(-20000, 20000, round(seconds * rate)) / 32768


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    """Files of many forms, parts of them, one recording at two speeds, ids that are hard to write down."""
    folder = tmp_path / "source"
    folder.mkdir()
    soundfile.write(folder / "a.flac", noise(2.0, 1), RATE)
    soundfile.write(folder / "b.wav", noise(1.5, 2, 8000), 8000, subtype="PCM_24")
    soundfile.write(folder / "c.mp3", noise(2.5, 3), RATE)
    soundfile.write(folder / "d.opus", noise(1.2, 4), RATE, format="OGG", subtype="OPUS")
    soundfile.write(folder / "e.wav", np.stack([noise(1.0, 5), noise(1.0, 6)], 1), 44100)
    extra = (("licence", "CC0"), ("room", "3"))
    whole = [
        Utterance("x/a.flac", str(folder / "a.flac"), "ann", session="s1", gender="f", text="HELLO", extra=extra),
        Utterance("x a", str(folder / "b.wav"), "bob/1", duration=1.5, language="en"),
        Utterance("x.a.flac", str(folder / "c.mp3"), "bob/1"),
        Utterance("ünï", str(folder / "d.opus"), "zoë", dataset="d", split="train"),
        Utterance("stereo", str(folder / "e.wav"), "ann"),
    ]
    parts = [
        Utterance("part of flac", str(folder / "a.flac"), "ann", start=0.5, duration=0.75),
        Utterance("part of mp3", str(folder / "c.mp3"), "bob/1", start=1.25),
    ]
    return Manifest((*whole, *parts, replace(whole[0], id="x/a.flac@0.9", speaker="ann@0.9", speed=0.9)))


def wave_of(utterance: Utterance) -> np.ndarray:
    duration = utterance.duration if utterance.start is not None else None
    return read(utterance.path, rate=info(utterance.path).rate, start=utterance.start, duration=duration)


def check_equal(manifest: Manifest, packed: Manifest) -> None:
    assert packed.ids == manifest.ids
    for before, after in zip(manifest, packed, strict=True):
        assert info(after.path).rate == info(before.path).rate
        np.testing.assert_array_equal(wave_of(after), wave_of(before))
        assert after.start is None
        assert after.duration == pytest.approx(len(wave_of(after)) / info(after.path).rate)
        same = {"path": "", "start": None, "duration": None}
        assert replace(after, **same) == replace(before, **same)


def test_shards_give_back_what_went_in(manifest, tmp_path):
    done = []
    packed = pack(manifest, tmp_path / "out", form="shards", progress=done.append)
    assert packed.failures == ()
    assert packed.path == tmp_path / "out" / "manifest.tsv"
    check_equal(manifest, packed.manifest)
    check_equal(manifest, Manifest.load(packed.path))
    assert sum(done) == len(manifest)


def test_hdf5_gives_back_what_went_in(manifest, tmp_path):
    packed = pack(manifest, tmp_path / "out.h5", form="hdf5")
    assert packed.path == tmp_path / "out.tsv"
    check_equal(manifest, packed.manifest)
    check_equal(manifest, Manifest.load(packed.path))
    with h5py.File(tmp_path / "out.h5") as file:
        assert file["ann/x-a"].dtype == np.int16
        assert file["ann/x-a"].attrs["sample_rate"] == RATE
        assert file["ann/x-a"].attrs["id"] == "x/a.flac"


def test_a_pack_can_be_moved_and_packed_again(manifest, tmp_path):
    pack(manifest, tmp_path / "out", form="shards")
    pack(manifest, tmp_path / "out.h5", form="hdf5")
    (tmp_path / "far").mkdir()
    for name in ("out", "out.h5", "out.tsv"):
        os.rename(tmp_path / name, tmp_path / "far" / name)
    for listing in ("far/out/manifest.tsv", "far/out.tsv"):
        moved = Manifest.load(tmp_path / listing)
        check_equal(manifest, moved)
        again = tmp_path / f"again of {listing.replace('/', ' ')}"
        check_equal(manifest, pack(moved, again, form="shards").manifest)


def test_shards_follow_the_naming_of_webdataset_and_wespeaker(manifest, tmp_path):
    packed = pack(manifest, tmp_path / "out", form="shards")
    with tarfile.open(tmp_path / "out" / "shard-000000.tar") as tar:
        names = tar.getnames()
        groups = [tuple(names[first : first + 3]) for first in range(0, len(names), 3)]
        content = {name: tar.extractfile(name).read() for name in names}
    keys = [group[0].removesuffix(".spk") for group in groups]
    assert len(set(keys)) == len(manifest) - 1  # two speeds share a recording
    for key, group in zip(keys, groups, strict=True):
        assert "." not in key  # WebDataset's extension begins at the first dot
        assert group[:2] == (f"{key}.spk", f"{key}.json")
        assert group[2].startswith(f"{key}.")
    by_id = {json.loads(content[f"{key}.json"])["id"]: key for key in keys}
    key = by_id["x/a.flac"]
    about = {"id": "x/a.flac", "speaker": "ann", "session": "s1", "gender": "f", "text": "HELLO"}
    about |= {"licence": "CC0", "room": "3", "sample_rate": RATE, "samples": 2 * RATE}
    assert json.loads(content[f"{key}.json"]) == about
    assert content[f"{key}.spk"] == b"ann"
    assert content[f"{key}.flac"] == (tmp_path / "source" / "a.flac").read_bytes()  # as it is, byte for byte
    assert packed.manifest.utterances[0].path == packed.manifest.utterances[-1].path


def test_other_encodings_say_what_they_are(manifest, tmp_path):
    flac = pack(manifest, tmp_path / "flac", form="shards", encoding="flac").manifest
    opus = pack(manifest, tmp_path / "opus", form="shards", encoding="opus").manifest
    short = pack(manifest, tmp_path / "short.h5", form="hdf5", encoding="flac").manifest
    for before, *after in zip(manifest, flac, short, opus, strict=True):
        wave = wave_of(before)
        for utterance in after[:2]:
            np.testing.assert_allclose(wave_of(utterance), wave.clip(-1, 32767 / 32768), atol=0.51 / 32768)
        assert [info(utterance.path).format for utterance in after] == ["FLAC", "HDF5", "OGG"]
        assert info(after[2].path).seconds == pytest.approx(len(wave) / info(before.path).rate, abs=0.01)
        # Opus keeps noise's power rather than its samples.
        assert np.std(wave_of(after[2])) == pytest.approx(np.std(wave), rel=0.35)
    with h5py.File(tmp_path / "short.h5") as file:
        assert file["bob-1/x-a-2"].dtype == np.int16


def corpus_of(folder: Path, count: int) -> Manifest:
    folder.mkdir()
    utterances = []
    for number in range(count):
        path = folder / f"{number:03d}.wav"
        soundfile.write(path, noise(4.0, number), RATE)
        utterances.append(Utterance(path.name, str(path), f"s{number % 7}"))
    return Manifest(tuple(utterances))


def test_whole_shards_are_kept_and_passed_over(tmp_path):
    manifest = corpus_of(tmp_path / "source", 24)
    out = tmp_path / "out"
    first = pack(manifest, out, form="shards", shard_megabytes=1, workers=1)
    shards = sorted(out.glob("*.tar"))
    assert len(shards) == 3
    assert all(shard.stat().st_size >= 1_000_000 for shard in shards[:-1])
    reference = [shard.read_bytes() for shard in shards]
    # As if the packing had been killed while it wrote the last shard's index.
    (out / "shard-000002.index.json").unlink()
    (out / "manifest.tsv").unlink()
    (out / ".shard-000002.tar.x1y2").write_bytes(b"half")
    times = [shard.stat().st_mtime_ns for shard in shards]
    again = pack(manifest, out, form="shards", shard_megabytes=1, workers=2)
    assert [shard.stat().st_mtime_ns for shard in shards[:2]] == times[:2]
    assert [shard.read_bytes() for shard in shards] == reference
    assert again == first
    assert not list(out.glob(".shard*"))


_SLOW = """
import sys, time
from voxsphere.core.manifest import Manifest
from voxsphere.data import pack as room
from functools import partial
quick = room.encoded
def slow(utterance, encoding):
    time.sleep(0.05)
    return quick(utterance, encoding)
room.encoded = slow
room.pack(Manifest.load(sys.argv[1]), sys.argv[2], form="shards", shard_megabytes=1, workers=1)
"""


@pytest.mark.slow
def test_a_killed_packing_lists_no_half_shard_and_goes_on(tmp_path):
    manifest = corpus_of(tmp_path / "source", 40)
    manifest.save(tmp_path / "source.tsv")
    out = tmp_path / "out"
    arguments = [sys.executable, "-c", _SLOW, str(tmp_path / "source.tsv"), str(out)]
    for shards in (1, 2):
        process = subprocess.Popen(arguments)
        until = time.monotonic() + 60
        while len(list(out.glob("*.index.json"))) < shards and time.monotonic() < until:
            time.sleep(0.01)
        time.sleep(0.1)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert not (out / "manifest.tsv").exists()
        for index in out.glob("*.index.json"):
            with tarfile.open(out / index.name.replace(".index.json", ".tar")) as tar:
                assert len(tar.getnames()) == 3 * len(json.loads(index.read_text()))
    check_equal(manifest, pack(manifest, out, form="shards", shard_megabytes=1).manifest)
    untouched = pack(manifest, tmp_path / "untouched", form="shards", shard_megabytes=1)
    for shard in untouched.path.parent.glob("*.tar"):
        assert (out / shard.name).read_bytes() == shard.read_bytes()


@pytest.mark.parametrize("form", ["shards", "hdf5"])
def test_broken_files_are_named_and_left_out(tmp_path, form):
    manifest = corpus_of(tmp_path / "source", 4)
    cut = tmp_path / "source" / "001.wav"
    cut.write_bytes(cut.read_bytes()[:5000])
    (tmp_path / "source" / "002.wav").unlink()
    done = []
    packed = pack(manifest, tmp_path / "out.h5", form=form, progress=done.append)
    assert [name for name, _ in packed.failures] == ["001.wav", "002.wav"]
    assert "truncated" in packed.failures[0][1]
    assert "no such file" in packed.failures[1][1]
    assert packed.manifest.ids == ("000.wav", "003.wav")
    assert sum(done) == 4
    report = tmp_path / "out.h5" / "failed.tsv" if form == "shards" else tmp_path / "out.failed.tsv"
    assert report.read_text().splitlines()[1].startswith("001.wav\t")
    if form == "shards":  # mended, and packed again
        soundfile.write(cut, noise(4.0, 1), RATE)
        soundfile.write(tmp_path / "source" / "002.wav", noise(4.0, 2), RATE)
        check_equal(manifest, pack(manifest, tmp_path / "out.h5", form=form).manifest)
        assert not report.exists()


def test_what_is_in_the_way_is_not_overwritten(tmp_path):
    manifest = corpus_of(tmp_path / "source", 2)
    with pytest.raises(BadInput, match="holds other things"):
        pack(manifest, tmp_path / "source", form="shards")
    pack(manifest, tmp_path / "out", form="shards")
    with pytest.raises(BadInput, match="another manifest or with other options"):
        pack(Manifest(manifest.utterances[:1]), tmp_path / "out", form="shards")
    with pytest.raises(BadInput, match="another manifest or with other options"):
        pack(manifest, tmp_path / "out", form="shards", encoding="opus")
    pack(manifest, tmp_path / "out.h5", form="hdf5")
    with pytest.raises(BadInput, match=r"out\.h5: is there already"):
        pack(manifest, tmp_path / "out.h5", form="hdf5")
    with pytest.raises(BadInput, match=r"is to be named \.h5"):
        pack(manifest, tmp_path / "other", form="hdf5")
    with pytest.raises(BadInput, match="HDF5 holds samples, not Opus"):
        pack(manifest, tmp_path / "opus.h5", form="hdf5", encoding="opus")
    with pytest.raises(BadInput, match="shards of 0 megabytes"):
        pack(manifest, tmp_path / "none", form="shards", shard_megabytes=0)


@pytest.mark.parametrize("form", ["shards", "hdf5"])
def test_a_pack_of_nothing_readable_is_refused(tmp_path, form):
    manifest = Manifest((Utterance("a", str(tmp_path / "gone.wav"), "s"),))
    with pytest.raises(BadInput, match=r"no recording could be packed; the first: .*gone\.wav: no such file"):
        pack(manifest, tmp_path / "out.h5", form=form)
    assert not list(tmp_path.rglob("*.tsv"))
    assert form == "shards" or not list(tmp_path.iterdir())


@pytest.mark.parametrize("form", ["shards", "hdf5"])
def test_a_full_disk_is_told_in_one_line_and_leaves_nothing_half(tmp_path, monkeypatch, form):
    manifest = corpus_of(tmp_path / "source", 2)

    def full(*ignored):
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(BadInput, match="cannot be written") as caught:
        pack(manifest, tmp_path / "out.h5", form=form)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.rglob("*.tar"))
    assert form == "shards" or sorted(path.name for path in tmp_path.iterdir()) == ["source"]


def test_webdataset_style_reading_by_tarfile_alone_gives_the_samples(tmp_path):
    manifest = corpus_of(tmp_path / "source", 3)
    pack(manifest, tmp_path / "out", form="shards")
    with tarfile.open(tmp_path / "out" / "shard-000000.tar", mode="r|") as tar:  # a stream, as shards are read
        waves = [soundfile.read(io.BytesIO(tar.extractfile(m).read()))[0] for m in tar if m.name.endswith(".wav")]
    for number, wave in enumerate(waves):
        np.testing.assert_array_equal(wave, noise(4.0, number))
