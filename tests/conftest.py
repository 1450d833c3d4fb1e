"""What tests in several rooms share: the corpus, a tiny model, the command line."""

import os
import subprocess
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from voxsphere.audio.features import Fbank
from voxsphere.audio.wave import write
from voxsphere.backend.calibrate import Calibration
from voxsphere.backend.expected import ErrorBin, ErrorTable
from voxsphere.cli import main
from voxsphere.core.errors import BadInput
from voxsphere.core.random import stream
from voxsphere.models.encoders.tdnn import Tdnn
from voxsphere.models.poolings.statistics import StatsPooling
from voxsphere.models.projection import Affine
from voxsphere.models.speaker import SpeakerModel
from voxsphere.pretrained import Card, load, save_folder

TINY = partial(
    SpeakerModel,
    features=partial(Fbank, num_mels=24, cmn=True),
    encoder=partial(Tdnn, width=16, last=32),
    pooling=partial(StatsPooling),
    projection=partial(Affine, dim=16),
)


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    status: int
    out: str
    err: str
    peak_megabytes: float = 0.0


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The development corpus."""
    folder = os.environ.get("VOXSPHERE_CORPUS")
    if not folder:
        pytest.skip("VOXSPHERE_CORPUS is not set: the development corpus is not here")
    return Path(folder)


@pytest.fixture
def killed_after_the_archive(monkeypatch):
    """Once called, a process that writes an archive and lists of it is killed when none of the lists is there yet."""
    replace = os.replace

    def killed(source, target) -> None:
        if not str(target).endswith(".ark"):
            raise KeyboardInterrupt
        replace(source, target)

    return lambda: monkeypatch.setattr(os, "replace", killed)


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory) -> Path:
    """A folder with a small untrained model, and a calibration made up for it."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = TINY()
    flat = dict.fromkeys(("miss_low", "false_alarm_low"), (0.0, 0.0)) | dict.fromkeys(
        ("miss", "false_alarm"), (0.1, 0.1)
    )
    flat |= dict.fromkeys(("miss_high", "false_alarm_high"), (0.2, 0.2))
    rates = ErrorBin(least=0.3, most=None, target_trials=10, nontarget_trials=10, speakers=5, **flat)
    card = Card(
        name="tiny", summary="untrained", paper="none", source="tests", licence_code="Apache-2.0",
        licence_weights="Apache-2.0", licence_data="none", training_data="none", front_end="24 mels",
        calibration=Calibration(20.0, 0.0, -10.0, 0.0, provenance="made up"),
        errors=ErrorTable((-10.0, 10.0), (rates,), provenance="made up"),
    )  # fmt: skip
    return save_folder(TINY, model.state_dict(), card, tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="session")
def campplus():
    """The real CAM++, fetched once into the cache."""
    return _pretrained("campplus-zh-en")


@pytest.fixture(scope="session")
def resemblyzer():
    """The real GE2E model, fetched once into the cache."""
    return _pretrained("ge2e-resemblyzer")


def _pretrained(name: str):
    try:
        return load(name)
    except BadInput as error:
        if "cannot be fetched" not in str(error):
            raise
        pytest.skip(f"the weights are not to be had: {error}")


@pytest.fixture(scope="session")
def babble():
    """Makes noise with syllables, which an energy detector calls speech: seconds, seed -> wave at 16 kHz."""

    def make(seconds: float, seed: int = 0) -> np.ndarray:
        random = np.random.default_rng(seed)
        time = np.arange(round(seconds * 16000)) / 16000
        return (random.normal(0, 0.1, len(time)) * (np.sin(2 * np.pi * 2 * time) > -0.5)).astype(np.float32)

    return make


@pytest.fixture(scope="session")
def speakers(tmp_path_factory) -> Path:
    """A folder of twelve made-up speakers, each noise with a colour and a rhythm of its own, in five files."""
    root = tmp_path_factory.mktemp("speakers")
    for speaker in range(12):
        for take in range(5):
            random = stream("speakers", speaker, take)
            time = np.arange(round(16000 * random.uniform(0.7, 1.2))) / 16000
            tone = np.sin(2 * np.pi * 150 * 1.2**speaker * time) * (1 + np.sin(2 * np.pi * (2 + speaker % 4) * time))
            wave = 0.1 * tone + 0.02 * random.normal(size=len(time))
            write(root / f"s{speaker:02d}" / f"{take}.wav", wave.astype(np.float32), 16000)
    return root


@pytest.fixture
def voxsphere(capsys):
    """Runs the command line in this process."""

    def run(*arguments: object) -> Done:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        told = capsys.readouterr()
        return Done(int(ended.value.code or 0), told.out, told.err)

    return run


@pytest.fixture
def one_thread():
    """The test computes on one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


# A new process begins with its parent's memory, which wait4 counts as the child's peak: a child tells its own.
_MEASURED = """
import pathlib, resource, sys
from voxsphere.cli import main
place, arguments = sys.argv[1], sys.argv[2:]
try:
    main(arguments)
finally:
    status = pathlib.Path("/proc/self/status")
    if status.exists():
        peak = next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    else:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    pathlib.Path(place).write_text(str(peak))
"""


@pytest.fixture
def in_a_new_process(tmp_path_factory):
    """Runs the command line in a process of its own, and measures the memory it needed."""

    def run(*arguments: object) -> Done:
        peak = tmp_path_factory.mktemp("measured") / "kilobytes"
        command = [sys.executable, "-c", _MEASURED, str(peak), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return Done(done.returncode, done.stdout, done.stderr, float(peak.read_text()) / 1000)

    return run
