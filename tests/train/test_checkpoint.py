"""Checkpoints: what is saved comes back, and damage of whatever kind costs one checkpoint, never the run."""

import errno
import io
import os
from contextlib import redirect_stderr
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from voxsphere.core.errors import BadInput
from voxsphere.train import checkpoint

STATE = {
    "step": 7,
    "objective": {"weight": torch.arange(6.0).reshape(2, 3), "count": torch.tensor(3)},
    "optimizer": {"state": {0: {"exp_avg": torch.ones(2), "step": torch.tensor(7.0)}}, "param_groups": [{"lr": 0.1}]},
    "journal": {"broken": {"/ä.wav": "/ä.wav: is damaged"}, "figures": [{"eer": 0.125}], "pending": []},
    "scaler": None,
}


def same(one, other) -> bool:
    if isinstance(one, torch.Tensor):
        return one.dtype == other.dtype and torch.equal(one, other)
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


def test_what_is_saved_comes_back(tmp_path):
    checkpoint.save(tmp_path, 7, STATE)
    assert same(checkpoint.newest(tmp_path), STATE)


def test_where_nothing_was_saved_there_is_nothing(tmp_path):
    assert checkpoint.newest(tmp_path) is None
    assert checkpoint.newest(tmp_path / "not there") is None


def test_the_newest_is_taken_and_the_one_before_it_kept(tmp_path):
    for step in (2, 9, 10, 100, 1000):
        checkpoint.save(tmp_path, step, {"step": step})
    assert checkpoint.newest(tmp_path) == {"step": 1000}
    assert sorted(path.name[:14] for path in tmp_path.iterdir()) == ["step-000000100", "step-000001000"]


def test_a_step_saved_twice_is_one_file(tmp_path):
    paths = {checkpoint.save(tmp_path, 7, STATE) for _ in range(3)}
    assert [*tmp_path.iterdir()] == [*paths]


DAMAGES = {
    "empty": lambda content, at: b"",
    "cut": lambda content, at: content[: at % len(content)],
    "one bit": lambda content, at: _flipped(content, at % (8 * len(content))),
    "longer": lambda content, at: content + b"\0",
    "zeros": lambda content, at: bytes(len(content)),
    "other": lambda content, at: b"no checkpoint",
}


def _flipped(content: bytes, bit: int) -> bytes:
    changed = bytearray(content)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


@pytest.mark.parametrize("kind", DAMAGES)
@settings(deadline=None, max_examples=25)
@given(at=st.integers(0, 2**30))
def test_a_damaged_checkpoint_is_told_and_the_one_before_it_serves(kind, tmp_path_factory, at):
    folder = tmp_path_factory.mktemp("run")
    checkpoint.save(folder, 5, {"step": 5})
    path = checkpoint.save(folder, 10, STATE)
    path.write_bytes(DAMAGES[kind](path.read_bytes(), at))
    with redirect_stderr(io.StringIO()) as err:
        assert checkpoint.newest(folder) == {"step": 5}
    told = err.getvalue()
    assert told.startswith(f"voxsphere: {path}: damaged (")
    assert told.count("\n") == 1


def test_where_all_are_damaged_the_run_begins_anew_and_its_saves_stay(tmp_path, capfd):
    for step in (50, 100):
        checkpoint.save(tmp_path, step, STATE).write_bytes(b"")
    assert checkpoint.newest(tmp_path) is None
    assert capfd.readouterr().err.count(": damaged (") == 2
    for step in (5, 10, 15):
        checkpoint.save(tmp_path, step, {"step": step})
    assert [path.name[:14] for path in sorted(tmp_path.glob("step-*"))] == ["step-000000010", "step-000000015"]
    assert len(list(tmp_path.glob("damaged-*"))) == 2


def test_a_disk_that_is_away_for_a_moment_does_not_make_checkpoints_damaged(tmp_path, monkeypatch):
    path = checkpoint.save(tmp_path, 5, STATE)

    def away(self):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(Path, "read_bytes", away)
    with pytest.raises(BadInput, match=r"cannot be read \(Input/output error\); nothing was changed"):
        checkpoint.newest(tmp_path)
    assert path.exists()


def test_a_checkpoint_that_cannot_be_opened_is_as_good_as_damaged(tmp_path):
    checkpoint.save(tmp_path, 5, {"step": 5})
    (tmp_path / "step-000000010-0123456789abcdef.pt").mkdir()
    assert checkpoint.newest(tmp_path) == {"step": 5}


def test_nothing_is_unpickled(tmp_path):
    class Trap:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "sprung"),)

    checkpoint.save(tmp_path, 5, {"step": 5})
    checkpoint.save(tmp_path, 10, {"trap": Trap()})
    assert checkpoint.newest(tmp_path) == {"step": 5}
    assert not (tmp_path / "sprung").exists()


def test_what_killed_saves_left_behind_is_swept_away(tmp_path):
    checkpoint.save(tmp_path, 5, STATE)
    (tmp_path / ".step-000000009-abc.pt.half").write_bytes(b"half")
    checkpoint.save(tmp_path, 10, STATE)
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("place", ["os.fsync", "os.replace"])
def test_a_save_that_fails_leaves_the_others_as_they_were(tmp_path, monkeypatch, place):
    for step in (5, 10):
        checkpoint.save(tmp_path, step, {"step": step})
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def full(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(place, full)
    with pytest.raises(BadInput, match="cannot be written"):
        checkpoint.save(tmp_path, 15, STATE)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_reading_a_run_passes_damaged_checkpoints_over_and_changes_nothing(tmp_path):
    checkpoint.save(tmp_path, 1, {"step": 1})
    damaged = checkpoint.save(tmp_path, 2, {"step": 2})
    damaged.write_bytes(damaged.read_bytes()[:-9])
    before = sorted(tmp_path.iterdir())
    assert checkpoint.newest(tmp_path, reading=True) == {"step": 1}
    assert sorted(tmp_path.iterdir()) == before
