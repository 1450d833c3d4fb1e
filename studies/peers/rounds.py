"""Our training loop beside SpeechBrain's and WeSpeaker's, in turns, on the same files, batches, crops and threads.

    PEERS/venv/bin/python -m studies.peers.rounds PEERS PYTHON > studies/outputs/throughput.jsonl
    PEERS/venv/bin/python -m studies.peers.rounds PEERS PYTHON --only resnet34     # the settings whose name has this

PYTHON is the one that voxsphere is installed for; VOXSPHERE_CORPUS is set. Every run is a process of its own, which
waits until the machine is quiet; a round has every loop of a setting once, and the next one turns their order round.
Prints a JSON line a run. Two rounds take two hours on two cores.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path


@dataclass(frozen=True)
class Setting:
    """What one figure is measured on."""

    net: str
    augment: str
    threads: int = 1
    workers: int = 1
    batch: int = 32
    seconds: float = 2.0
    steps: int = 12
    warmup: int = 3
    precision: str = "fp32"
    compile: bool = False
    note: str = ""

    @property
    def name(self) -> str:
        """As in docs/results.md."""
        compiled = " compiled" if self.compile else ""
        return f"{self.net} {self.augment} {self.precision}{compiled} t{self.threads} w{self.workers}{self.note}"

    def flags(self) -> list[str]:
        """The command line of one run."""
        told = {key: value for key, value in vars(self).items() if key not in ("compile", "note")}
        given = [word for key, value in told.items() for word in (f"--{key}", str(value))]
        return [*given, *(["--compile"] if self.compile else [])]

    def loops(self) -> Iterator[tuple[str, str, "Setting"]]:
        """(loop, module, its own setting). SpeechBrain's recipe makes five rows of a file: few steps."""
        yield "ours", "studies.throughput", self
        yield "wespeaker", "studies.peers.wespeaker_throughput", self
        brain = "studies.peers.speechbrain_throughput"
        kind = "single" if self.augment == "standard" else self.augment
        if self.net == "resnet34":
            yield f"speechbrain-w32-{kind}", brain, replace(self, net="resnet34w32", augment=kind)
        elif self.augment == "none":
            yield "speechbrain", brain, self
        else:
            yield "speechbrain-recipe", brain, replace(self, steps=3, warmup=1)
            yield "speechbrain-single", brain, replace(self, augment=kind)


_SMALL = Setting("ecapa512", "none", batch=8, seconds=1.0, steps=3, warmup=1, note=" batch8 1s")
SETTINGS = (
    *(Setting("ecapa512", augment) for augment in ("none", "standard")),
    *(Setting("resnet34", augment, steps=4, warmup=2) for augment in ("none", "standard")),
    *(Setting("ecapa512", augment, threads=2, workers=2) for augment in ("none", "standard")),
    Setting("ecapa512", "none", compile=True),
    # Without bfloat16 instructions a batch of 32 takes minutes.
    *(replace(_SMALL, precision=precision) for precision in ("fp32", "bf16")),
)


def wait(load: float = 0.6, minutes: int = 10) -> None:
    """Until the last minute's load is below this, but no longer than this."""
    ending = time.monotonic() + 60 * minutes
    while os.getloadavg()[0] >= load and time.monotonic() < ending:
        time.sleep(5)


def main() -> None:
    """Run every setting's loops."""
    parser = argparse.ArgumentParser()
    parser.add_argument("peers", type=Path)
    parser.add_argument("python")
    parser.add_argument("--only", default="")
    parser.add_argument("--rounds", type=int, default=2)
    asked = parser.parse_args()
    for setting in (setting for setting in SETTINGS if asked.only in setting.name):
        one = str(setting.threads)
        quiet = {"OMP_NUM_THREADS": one, "MKL_NUM_THREADS": one, "OMP_WAIT_POLICY": "PASSIVE", "HF_HUB_OFFLINE": "1"}
        loops = list(setting.loops())
        for number in range(1, asked.rounds + 1):
            for who, module, its in loops if number % 2 else reversed(loops):
                program = [asked.python, "-m", module, asked.peers / "train.tsv"]
                if who != "ours":
                    program = [sys.executable, "-m", module, asked.peers]
                wait()
                command = [*program, *its.flags()]
                told = subprocess.run(command, env=os.environ | quiet, stdout=subprocess.PIPE, text=True, check=True)
                line = json.loads(told.stdout.splitlines()[-1])
                print(json.dumps({"cell": setting.name, "round": number, "who": who} | line), flush=True)


if __name__ == "__main__":
    main()
