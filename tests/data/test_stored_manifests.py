"""Manifests of stored features: HDF5 files by speaker, Kaldi lists, one or many, and Kaldi folders without waves."""

from pathlib import Path

import numpy as np
import pytest

from voxsphere.audio.stores import read_array
from voxsphere.core.errors import BadInput
from voxsphere.core.manifest import Manifest
from voxsphere.data.manifests import open_manifest
from voxsphere.data.training_set import training_set

h5py = pytest.importorskip("h5py")
kaldiio = pytest.importorskip("kaldiio")

LENGTHS = {"ann-1": 30, "ann-2": 41, "bob-1": 17, "bob-2": 55}


def matrix(name: str) -> np.ndarray:
    return np.full((LENGTHS[name], 5), sum(map(ord, name)), np.float32)


@pytest.fixture
def kaldi(tmp_path) -> Path:
    """Two folders of lists and archives below one, as a Kaldi recipe leaves them, and one list of all."""
    for part, speaker in (("x", "ann"), ("y", "bob")):
        folder = tmp_path / "mfcc" / part
        folder.mkdir(parents=True)
        names = [name for name in LENGTHS if name.startswith(speaker)]
        with kaldiio.WriteHelper(f"ark,scp:{folder}/raw.ark,{folder}/raw.scp", compression_method=None) as out:
            for name in names:
                out(name, matrix(name))
        (folder / "utt2spk").write_text("".join(f"{name} {speaker}\n" for name in names))
        (folder / "utt2num_frames").write_text("".join(f"{name} {LENGTHS[name]}\n" for name in names))
    return tmp_path


def check(manifest: Manifest) -> None:
    assert len(manifest) == 4
    for utterance in manifest:
        name = utterance.id.rpartition("/")[2]
        assert utterance.speaker == name.partition("-")[0]
        assert dict(utterance.extra)["num_frames"] == str(LENGTHS[name])
        assert utterance.duration is None
        np.testing.assert_array_equal(read_array(utterance.path), matrix(name))


def test_a_pattern_names_all_lists_below_a_folder(kaldi, tmp_path):
    made = open_manifest(f"{kaldi}/mfcc/**/*.scp")
    check(made)
    made.save(tmp_path / "table.tsv")
    again = open_manifest(tmp_path / "table.tsv")
    check(again)
    assert again.ids == made.ids


def test_one_list_is_a_manifest_and_its_speakers_lie_beside_it(kaldi):
    made = open_manifest(kaldi / "mfcc/y/raw.scp")
    assert [(u.id, u.speaker) for u in made] == [("bob-1", "bob"), ("bob-2", "bob")]
    (kaldi / "mfcc/y/utt2spk").unlink()
    assert {u.speaker for u in open_manifest(kaldi / "mfcc/y/raw.scp")} == {""}


def test_a_kaldi_folder_without_waves_is_one_of_features(kaldi):
    for file in ("utt2spk", "utt2num_frames", "raw.scp"):
        text = "".join((kaldi / "mfcc" / part / file).read_text() for part in "xy")
        (kaldi / ("feats.scp" if file == "raw.scp" else file)).write_text(text)
    check(open_manifest(kaldi))
    (kaldi / "utt2dur").write_text("ann-1 0.3\n")
    assert open_manifest(kaldi).utterances[0].duration == 0.3


def test_rows_of_an_archive_are_found_from_the_lists_folder(kaldi):
    place = (kaldi / "mfcc/x/raw.scp").read_text().split()[1].rpartition("/")[2]
    (kaldi / "mfcc/x/part.scp").write_text(f"part {place}[3:7]\n")
    (kaldi / "mfcc/x/utt2spk").write_text("part ann\n")
    (utterance,) = open_manifest(kaldi / "mfcc/x/part.scp")
    np.testing.assert_array_equal(read_array(utterance.path), matrix("ann-1")[3:8])


def test_an_hdf5_file_has_a_group_a_speaker(tmp_path):
    with h5py.File(tmp_path / "train.hdf", "w") as file:
        for i, name in enumerate(LENGTHS):
            held = matrix(name)
            file[f"{name[:3]}/{name}"] = held if i % 2 else held.T[None]
    made = open_manifest(tmp_path / "train.hdf")
    assert made.ids == ("ann/ann-1", "ann/ann-2", "bob/bob-1", "bob/bob-2")
    check(made)


def test_an_hdf5_file_of_waves_tells_their_durations(tmp_path):
    with h5py.File(tmp_path / "pack.h5", "w") as file:
        file.create_dataset("ann/a", data=np.zeros(8000, np.int16)).attrs["sample_rate"] = 16000
    (utterance,) = open_manifest(tmp_path / "pack.h5")
    assert (utterance.path, utterance.duration, utterance.extra) == (f"{tmp_path}/pack.h5#ann/a", 0.5, ())


def test_what_is_no_such_manifest_is_one_line(kaldi, tmp_path):
    def told(path: object) -> str:
        with pytest.raises(BadInput) as caught:
            open_manifest(path)
        assert "\n" not in str(caught.value)
        return str(caught.value)

    with h5py.File(tmp_path / "flat.h5", "w") as file:
        file["ann-1"] = matrix("ann-1")
    with h5py.File(tmp_path / "strange.h5", "w") as file:
        file["ann/strange"] = np.zeros(7)
    h5py.File(tmp_path / "empty.h5", "w").close()
    (kaldi / "command.scp").write_text("a cat a.ark |\n")
    (kaldi / "mfcc/x/utt2spk").write_text("ann-1 ann\n")
    assert "flat.h5#ann-1: lies in no group" in told(tmp_path / "flat.h5")
    strange = told(tmp_path / "strange.h5")
    assert "strange.h5#ann/strange: holds float64 of shape (7,), which is neither a wave" in strange
    with h5py.File(tmp_path / "deltas.h5", "w") as file:
        file["ann/deltas"] = np.zeros((3, 23, 80))
    deltas = told(tmp_path / "deltas.h5")
    assert "(3, 23, 80)" in deltas
    assert "numbers of shape [1, dim, frames] or [frames, dim], without deltas" in deltas
    assert "empty.h5: holds no dataset" in told(tmp_path / "empty.h5")
    assert "command.scp: line 1 is a command" in told(kaldi / "command.scp")
    assert "ann-2 has no speaker in" in told(kaldi / "mfcc/x/raw.scp")
    assert "no such file" in told(kaldi / "none/**/*.scp")


def test_seconds_that_are_not_known_leave_nothing_out(kaldi):
    with pytest.raises(BadInput, match=r"tell a number of frames and no duration.*data\.min_seconds=0 takes all"):
        training_set(manifest=f"{kaldi}/mfcc/**/*.scp", min_seconds=1.0)
