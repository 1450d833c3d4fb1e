"""One wave, the stores that tests put it into, and a web server of a folder."""

import http.server
import io
import re
import tarfile
from pathlib import Path

import numpy as np
import pytest

from voxsphere.audio import shards
from voxsphere.audio.wave import blocks, info, opened, read
from voxsphere.core.errors import BadInput

RATE = 16000


def noise(seconds: float, seed: int = 0) -> np.ndarray:
    steps = np.random.default_rng(seed).integers(-20000, 20000, round(seconds * RATE))
    return (steps / 32768).astype(np.float32)


def steps(wave: np.ndarray) -> np.ndarray:
    return (wave * 32768).astype(np.int16)


class Server(http.server.SimpleHTTPRequestHandler):
    """A web server of a folder that serves ranges; `faults` answers are errors first, `asked` counts requests."""

    faults: list[int]
    asked: list[str]
    ranged = True
    error_content_type = "application/xml"  # as object stores explain themselves
    error_message_format = "<Error><Code>NoSuchKey</Code><Message>%(message)s</Message></Error>"

    def __init__(self, *arguments, log, faults, ranged, **named):
        self.asked, self.faults, self.ranged = log, faults, ranged
        super().__init__(*arguments, **named)

    def do_GET(self):
        self.asked.append(f"{self.path} {self.headers.get('Range', '')}")
        if self.faults:
            self.send_error(self.faults.pop())
            return
        span = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        path = Path(self.translate_path(self.path))
        if not (self.ranged and span and path.is_file()):
            super().do_GET()
            return
        first, size = int(span[1]), path.stat().st_size
        with path.open("rb") as file:
            file.seek(first)
            piece = file.read(int(span[2]) + 1 - first)
        self.send_response(206)
        self.send_header("Content-Range", f"bytes {first}-{first + len(piece) - 1}/{size}")
        self.send_header("Content-Length", str(len(piece)))
        self.end_headers()
        self.wfile.write(piece)

    def log_message(self, *ignored):
        pass


WAVE = noise(3.0)


def make_tar(path: Path, members: dict[str, bytes]) -> dict[str, str]:
    """A tar file, and the locators of its members with their places."""
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as tar:
        for name, content in members.items():
            about = tarfile.TarInfo(name)
            about.size = len(content)
            tar.addfile(about, io.BytesIO(content))
    with tarfile.open(path) as tar:
        return {about.name: f"{path}#{shards.placed(about.name, about.offset_data, about.size)}" for about in tar}


def encoded(wave: np.ndarray, form: str = "FLAC", **options) -> bytes:
    soundfile = pytest.importorskip("soundfile")
    file = io.BytesIO()
    soundfile.write(file, wave, RATE, format=form, **options)
    return file.getvalue()


def kaldi_offset(scp: Path, key: str) -> str:
    return next(line.rpartition(":")[2] for line in scp.read_text().splitlines() if line.startswith(key + " "))


def locators(folder: str, store: Path) -> dict[str, str]:
    """Locators of the wave in each store, with files at `folder`, a path or an address."""
    with tarfile.open(store / "s.tar") as tar:
        about = tar.getmember("a.flac")
    return {
        "file": f"{folder}/a.flac",
        "member": f"{folder}/s.tar#a.flac",
        "placed member": f"{folder}/s.tar#a.flac@{about.offset_data}+{about.size}",
        "HDF5 of 16 bits": f"{folder}/p.h5#ann/int16",
        "HDF5 of floats": f"{folder}/p.h5#ann/float",
        "Kaldi archive of WAV": f"{folder}/w.ark:{kaldi_offset(store / 'w.scp', 'a')}",
        "Kaldi archive of FLAC": f"{folder}/f.ark:{kaldi_offset(store / 'f.scp', 'a')}",
    }


def check_reads(locator: str) -> None:
    about = info(locator)
    assert (about.rate, about.samples, about.channels) == (RATE, len(WAVE), 1)
    np.testing.assert_array_equal(read(locator, rate=RATE), WAVE)
    for start, duration in ((0.0, 0.3), (1.2345, 0.7), (2.9, None), (2.5, 9.0)):
        first = round(start * RATE)
        last = len(WAVE) if duration is None else first + round(duration * RATE)
        np.testing.assert_array_equal(read(locator, rate=RATE, start=start, duration=duration), WAVE[first:last])
    np.testing.assert_array_equal(np.concatenate(list(blocks(locator, rate=RATE, seconds=0.4))), WAVE)
    with opened(locator) as recording:
        assert recording.about == about
        np.testing.assert_array_equal(read(recording, rate=RATE, start=1.0, duration=0.5), WAVE[16000:24000])
        np.testing.assert_array_equal(read(recording, rate=RATE), WAVE)


def refused(locator: str) -> str:
    with pytest.raises(BadInput) as caught:
        read(locator, rate=RATE)
    assert "\n" not in str(caught.value)
    return str(caught.value)
