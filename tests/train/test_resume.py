"""A run that is killed again and again ends with the weights and the logbook of one that was not, to the bit."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import torch

from voxsphere.core.random import stream

HERE = Path(__file__).parent
RECIPE = HERE / "tiny_recipe.py"


def command(run: Path, world: int, *driver: str) -> list[str]:
    program = [str(HERE / "killed_in_save.py"), *driver] if driver else ["-m", "voxsphere"]
    launcher = ["-m", "torch.distributed.run", "--standalone", f"--nproc_per_node={world}"] if world > 1 else []
    return [sys.executable, *launcher, *program, "train", str(RECIPE), "--out", str(run), "--save-steps", "3"]


def start(line: list[str], speakers: Path, stderr: int | None = None) -> subprocess.Popen[bytes]:
    environment = os.environ | {"SPEAKERS": str(speakers), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(line, env=environment, stdout=subprocess.DEVNULL, stderr=stderr)


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill the process and all that it started, which the launcher puts into groups of their own."""
    for child in [*psutil.Process(process.pid).children(recursive=True), process]:
        child.send_signal(signal.SIGKILL)
    process.wait()


def wait_for_lines(run: Path, lines: int, process: subprocess.Popen[bytes]) -> None:
    logbook = run / "logbook.jsonl"
    until = time.monotonic() + 120
    while not logbook.exists() or logbook.read_bytes().count(b"\n") < lines:
        assert process.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < until, "the run does not go on"
        time.sleep(0.002)


def made(run: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in [run / "logbook.jsonl", *sorted((run / "weights").iterdir())]}


@pytest.mark.slow
@pytest.mark.parametrize("world", [1, 2])
def test_a_killed_run_goes_on_as_if_nothing_had_happened(world, speakers, tmp_path):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    assert start(command(whole, world), speakers).wait() == 0
    lines = stream("kills", world).permutation(12)[:2] + 1  # and a third time inside a save
    for line in sorted(lines):
        process = start(command(broken, world), speakers)
        wait_for_lines(broken, int(line), process)
        kill(process)
    assert start(command(broken, world, "2"), speakers).wait() != 0
    assert list((broken / "checkpoints").glob(".step-*")), "no half checkpoint lies there: nothing was proven"
    assert start(command(broken, world), speakers).wait() == 0
    assert made(broken) == made(whole)
    assert not list((broken / "checkpoints").glob(".step-*"))


@pytest.mark.slow
def test_a_joint_objective_leaves_two_processes_with_equal_weights(speakers, tmp_path):
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
    line = [sys.executable, *launcher, str(HERE / "joint_on_each.py"), str(tmp_path)]
    assert start(line, speakers).wait() == 0
    first, second = (torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in (0, 1))
    assert first.keys() == second.keys()
    assert any(name.startswith("head.") for name in first)
    assert all(torch.equal(value, second[name]) for name, value in first.items())


@pytest.mark.slow
def test_machines_without_a_common_disk_go_on_from_the_first_ones_checkpoint(speakers, tmp_path):
    """Two machines, as far as the processes know, each with a disk of its own; the run's folder is on the first's."""
    whole, disks = tmp_path / "whole", [tmp_path / "first", tmp_path / "second"]
    assert start(command(whole, 2), speakers).wait() == 0

    def both() -> list[subprocess.Popen[bytes]]:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        place = [f"--master_port={port}", "--master_addr=127.0.0.1", "--nnodes=2", "--nproc_per_node=1"]
        lines = [command(disk, 1) for disk in disks]
        launched = [
            [line[0], "-m", "torch.distributed.run", *place, f"--node_rank={rank}", *line[1:]]
            for rank, line in enumerate(lines)
        ]
        return [start(line, speakers) for line in launched]

    running = both()
    wait_for_lines(disks[0], 5, running[0])
    for machine in running:
        kill(machine)
    assert list((disks[0] / "checkpoints").glob("step-*")), "nothing was saved: nothing to go on from"
    assert [machine.wait() for machine in both()] == [0, 0]
    assert made(disks[0]) == made(whole)


@pytest.mark.slow
def test_a_signal_to_the_workers_too_does_not_kill_the_run(speakers, tmp_path):
    line = [*command(tmp_path, 1)[:-2], "--set", "epochs=200", "--workers", "1"]
    process = start(line, speakers)
    wait_for_lines(tmp_path, 3, process)
    for each in [*psutil.Process(process.pid).children(recursive=True), process]:
        each.send_signal(signal.SIGTERM)
    assert process.wait() == 143
    assert list((tmp_path / "checkpoints").glob("step-*")), "nothing was saved"


@pytest.mark.slow
def test_a_killed_loading_process_is_told_with_what_helps(speakers, tmp_path):
    line = [*command(tmp_path, 1)[:-2], "--set", "epochs=3000", "--workers", "1"]
    process = start(line, speakers, stderr=subprocess.PIPE)
    wait_for_lines(tmp_path, 3, process)
    for worker in psutil.Process(process.pid).children():
        worker.kill()
    _, told = process.communicate(timeout=120)
    assert process.returncode == 2
    assert b"makes batches was killed, most often for want of memory" in told.splitlines()[-1]


@pytest.mark.slow
def test_sigterm_finishes_the_step_and_saves(speakers, tmp_path):
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    assert start(command(whole, 1), speakers).wait() == 0
    line = [*command(stopped, 1)[:-2], "--save-seconds", "3600", "--set", "epochs=8"]
    process = start(line, speakers)
    wait_for_lines(stopped, 3, process)
    process.send_signal(signal.SIGTERM)
    assert process.wait() == 143
    assert list((stopped / "checkpoints").glob("step-*")), "nothing was saved"
    assert start(line, speakers).wait() == 0
    assert made(stopped) == made(whole)
