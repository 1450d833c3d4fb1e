"""A process of `bench precision` does not outlive the one that began it."""

import os
import signal
import subprocess
import sys
import time

BEGIN = """
import multiprocessing, os, time
from concurrent.futures import ProcessPoolExecutor
from voxsphere.bench.precision import _end_with_parent

if __name__ == "__main__":
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn, initializer=_end_with_parent) as pool:
        print(pool.submit(os.getpid).result(), flush=True)
        time.sleep(600)
"""


def test_a_killed_measurement_leaves_no_process_behind(tmp_path):
    (tmp_path / "begin.py").write_text(BEGIN)
    with subprocess.Popen([sys.executable, tmp_path / "begin.py"], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.send_signal(signal.SIGTERM)
    until = time.monotonic() + 30
    while _runs(child) and time.monotonic() < until:
        time.sleep(0.05)
    assert not _runs(child)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
