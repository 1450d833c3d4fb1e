"""The logbook: lines that are whole, and a broken run's that are cut off where its checkpoint stands."""

import json
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voxsphere.core.errors import BadInput
from voxsphere.train.logbook import Board, Logbook, read_logbook

numbers = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53)
lines = st.lists(st.dictionaries(st.text(max_size=5).filter(lambda name: name != "kind"), numbers), max_size=8)


def write(path, told, position=0) -> int:
    logbook = Logbook(path, position)
    for line in told:
        logbook.write("steps", line)
    end = logbook.position
    logbook.close()
    return end


@settings(deadline=None)
@given(lines)
def test_what_is_written_is_read(tmp_path_factory, told):
    path = tmp_path_factory.mktemp("logbook") / "logbook.jsonl"
    assert write(path, told) == path.stat().st_size
    assert list(read_logbook(path)) == [{"kind": "steps", **line} for line in told]


@settings(deadline=None)
@given(lines, st.integers(0, 8), st.binary(max_size=30))
def test_a_broken_run_writes_the_same_bytes_as_one_that_was_not(tmp_path_factory, told, kept, rest):
    folder = tmp_path_factory.mktemp("logbook")
    write(folder / "whole.jsonl", told)
    position = write(folder / "broken.jsonl", told[:kept])
    write(folder / "broken.jsonl", told[kept:][:2], position)
    with (folder / "broken.jsonl").open("ab") as file:
        file.write(rest)  # what a killed process was at
    write(folder / "broken.jsonl", told[kept:], position)
    assert (folder / "broken.jsonl").read_bytes() == (folder / "whole.jsonl").read_bytes()


def test_a_last_line_that_was_cut_is_left_out(tmp_path):
    path = tmp_path / "logbook.jsonl"
    write(path, [{"step": 1}, {"step": 2}])
    content = path.read_bytes()
    for end in range(len(content) // 2, len(content)):
        path.write_bytes(content[:end])
        assert [line["step"] for line in read_logbook(path)] == [1]


def test_each_line_is_there_for_who_looks_on(tmp_path):
    logbook = Logbook(tmp_path / "logbook.jsonl")
    for step in range(5):
        logbook.write("steps", {"step": step})
        assert [line["step"] for line in read_logbook(logbook.path)] == list(range(step + 1))
    logbook.close()


def test_what_the_checkpoint_counts_is_on_the_disk(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(os, "fsync", lambda handle: synced.append(os.fstat(handle).st_size))
    logbook = Logbook(tmp_path / "logbook.jsonl")
    logbook.write("steps", {"step": 1})
    assert logbook.position == synced[-1] > 0
    logbook.close()


def test_a_logbook_shorter_than_its_checkpoint_says_is_refused(tmp_path):
    path = tmp_path / "logbook.jsonl"
    end = write(path, [{"step": 1}])
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(BadInput, match="shorter than its checkpoint says; bring the whole run folder back"):
        Logbook(path, end)
    path.unlink()
    with pytest.raises(BadInput, match="shorter than its checkpoint says"):
        Logbook(path, end)
    assert not path.exists()


def test_a_logbook_that_cannot_be_written_is_one_line(tmp_path):
    with pytest.raises(BadInput, match="cannot be written"):
        Logbook(tmp_path / "no folder" / "logbook.jsonl")


@pytest.mark.parametrize("line", ["no JSON", "[1]", "3", '{"step": 1}', "\xff"])
def test_a_line_of_something_else_is_named(tmp_path, line):
    path = tmp_path / "logbook.jsonl"
    path.write_bytes(json.dumps({"kind": "steps"}).encode() + b"\n" + line.encode("latin-1") + b"\n")
    with pytest.raises(BadInput, match=r"logbook\.jsonl: line 2 is no line of a logbook"):
        list(read_logbook(path))


def test_a_logbook_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(BadInput, match="no such file"):
        list(read_logbook(tmp_path / "logbook.jsonl"))


def test_the_board_holds_what_is_known_at_each_step(tmp_path):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    board = Board(tmp_path, 0)
    for step in (1, 2):
        board.write(step, {"loss": step / 4, "margin": None})
    board.close()
    events = accumulator.EventAccumulator(str(tmp_path))
    events.Reload()
    assert events.Tags()["scalars"] == ["loss"]
    assert [(event.step, event.value) for event in events.Scalars("loss")] == [(1, 0.25), (2, 0.5)]
