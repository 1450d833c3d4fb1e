"""Text spoken by a voice that is made of numbers: the espeak-ng synthesiser, driven through its C library."""

import ctypes
import math
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32

from voxsphere.core.errors import BadInput

ACCENTS = ("en", "en-029", "en-GB-x-gbclan", "en-GB-x-gbcwmd", "en-GB-x-rp", "en-US", "en-US-nyc")
"""The accents of English, by espeak-ng's own names."""
# Not en-GB-scotland: its trilled r is cut by a counter of cycles that runs on from text to text (wavegen.c), so that
# the same words would not sound the same twice.

Speak = Callable[[str, "Voice", int], Float32[np.ndarray, " samples"]]
"""Text, a voice and a seed of its breath's noise to a wave, ±1."""

_DATA = ("phondata", "phonindex", "phontab", "intonations", "en_dict")
_SYNCHRONOUS, _DO_NOT_EXIT = 2, 0x8000
_CHARACTERS_ARE_UTF8 = 1
_RATE, _VOLUME, _PITCH, _RANGE = 1, 2, 3, 4
_QUIET = 35  # of 100: loud enough for 16 bits, and few voices reach the gain control
_LONGEST_PATH = 150  # the library keeps 160 bytes, and reads elsewhere what does not fit
_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
# The library holds its state in global variables: one user at a time.
_LOCK = threading.Lock()


@dataclass(frozen=True, kw_only=True)
class Voice:
    """A speaker as espeak-ng's formant synthesiser has one.

    `pitch` is the median fundamental frequency in Hz and `span` how far the melody moves it, in Hz (0: a monotone);
    `rate` is words a minute, 80 to 450 (of which long and short tracts lose a part). `tract` multiplies all
    resonances, consonants' too, as a shorter vocal tract would (0.8 long, 1.2 short). `formants` are factors of
    frequency, strength and width of the vowels' resonances 0 (below the first formant) to 8; those not given stay as
    they are. `tilt` is dB an octave that voiced sounds gain above 600 Hz, `breath` the strength of the noise in them
    (0 none, 30 hoarse), `voicing` that of their tone (1 as designed).
    """

    accent: str = "en-US"
    pitch: float = 110.0
    span: float = 36.0
    rate: float = 175.0
    tract: float = 1.0
    formants: tuple[tuple[float, float, float], ...] = ()
    tilt: float = 0.0
    breath: float = 0.0
    voicing: float = 1.0

    def __post_init__(self) -> None:
        if self.accent not in ACCENTS:
            raise BadInput(f"accent {self.accent!r} is not one of {', '.join(ACCENTS)}")
        if len(self.formants) > 9:
            raise BadInput(f"a voice has 9 formants, not {len(self.formants)}")
        ranges = {
            "pitch": (40, 500),
            "span": (0, self.pitch),
            "tract": (0.5, 2),
            "rate": (80 * max(self.tract, 1), 450 * min(self.tract, 1)),
            "tilt": (-12, 6),
            "breath": (0, 100),
            "voicing": (0, 2),
        }
        for name, (low, high) in ranges.items():
            if not low <= getattr(self, name) <= high:
                raise BadInput(f"a voice's {name} is {low:g} to {high:g} here, not {getattr(self, name)}")


@contextmanager
def espeak(*, rate: int = 16000) -> Iterator[Speak]:
    """The synthesiser while the block lasts: `speak(text, voice, seed)` gives a mono wave at `rate` Hz.

    Equal arguments give equal samples, whatever was spoken before, in any process of one machine. Another thread's
    block waits until this one ends; a block within a block of one thread would wait for ever. Raises `BadInput` where
    the optional package `espeakng_loader` (espeak-ng, GPL-3) is not installed, and for a text with nothing to say.
    """
    library, data = _library()
    with _LOCK, tempfile.TemporaryDirectory(prefix="espeak") as folder:
        engine = _Engine(library, data, Path(folder, "espeak-ng-data"), rate)
        try:
            yield engine.speak
        finally:
            engine.stop()


def version() -> str:
    """The version of the synthesiser's library; other versions speak otherwise."""
    library, _ = _library()
    library.espeak_Info.restype = ctypes.c_char_p
    told: bytes = library.espeak_Info(None)
    return told.decode()


def _library() -> tuple[Any, Path]:
    try:
        import espeakng_loader

        return ctypes.CDLL(espeakng_loader.get_library_path()), Path(espeakng_loader.get_data_path())
    except ImportError:
        raise BadInput("synthetic voices need espeak-ng: pip install 'voxsphere[synthetic]'") from None
    except (OSError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise BadInput(
            f"espeak-ng cannot be loaded ({reason}); pip install --force-reinstall espeakng_loader"
        ) from None


class _Engine:
    """The running library, with a data folder of our own, where voices can be written."""

    def __init__(self, library: Any, data: Path, home: Path, rate: int) -> None:
        if len(str(home).encode()) > _LONGEST_PATH:
            raise BadInput(f"{home}: a path too long for espeak-ng; set TMPDIR to a folder with a shorter one")
        (home / "voices" / "!v").mkdir(parents=True)
        (home / "lang").mkdir()
        for name in _DATA:
            shutil.copyfile(data / name, home / name)
        self._accents, self._home, self._library, self._rate = data / "lang" / "gmw", home, library, rate
        self._native = library.espeak_Initialize(_SYNCHRONOUS, 0, str(home.parent).encode(), _DO_NOT_EXIT)
        if self._native <= 0:
            raise BadInput(f"{home}: espeak-ng does not start with this folder (status {self._native})")
        self._pieces: list[np.ndarray] = []
        # The library calls it while speaking: it has to live as long as the engine.
        self._callback = _CALLBACK(self._collect)
        library.espeak_SetSynthCallback(self._callback)

    def speak(self, text: str, voice: Voice, seed: int) -> Float32[np.ndarray, " samples"]:
        import soxr

        self._take(voice)
        self._library.espeak_ng_SetRandSeed(ctypes.c_long(seed % 2**31))
        # What was loud before leaves the library's gain control turned down; something whispered brings it back.
        self._say("among many", volume=1)
        self._pieces.clear()
        status = self._say(text, volume=_QUIET)
        wave = np.concatenate([*self._pieces, np.zeros(0, np.int16)]).astype(np.float32) / np.float32(32768)
        if status != 0 or not wave.any():
            raise BadInput(f"espeak-ng finds nothing to say in {text!r}")
        # Played `tract` times faster: pitch and rate were asked for so much lower.
        resampled: Float32[np.ndarray, " samples"] = soxr.resample(
            wave, self._native * voice.tract, self._rate, quality="HQ"
        )
        return resampled

    def stop(self) -> None:
        self._library.espeak_Terminate()

    def _say(self, text: str, *, volume: int) -> int:
        self._library.espeak_SetParameter(_VOLUME, volume, 0)
        spoken = text.encode()
        size = ctypes.c_size_t(len(spoken) + 1)
        status: int = self._library.espeak_Synth(spoken, size, 0, 1, 0, _CHARACTERS_ARE_UTF8, None, None)
        return status

    def _take(self, voice: Voice) -> None:
        # Both files are read anew each time; names of our own are found at once, others make the library scan.
        shutil.copyfile(self._accents / voice.accent, self._home / "lang" / "accent")
        (self._home / "voices" / "!v" / "own").write_text(_variant(voice))
        if self._library.espeak_SetVoiceByName(b"accent+own") != 0:
            raise BadInput(f"espeak-ng does not take the voice {voice}")
        for parameter, value in ((_RATE, round(voice.rate / voice.tract)), (_PITCH, 50), (_RANGE, 50)):
            self._library.espeak_SetParameter(parameter, value, 0)

    def _collect(self, samples: Any, count: int, _events: Any) -> int:
        if samples and count:
            self._pieces.append(np.ctypeslib.as_array(samples, (count,)).copy())
        return 0


def _variant(voice: Voice) -> str:
    """The voice as a variant file of espeak-ng (docs/voices.md there)."""
    # Measured: the library's floor is 9 Hz below the number it is given, and the melody's median 0.78 spans above it.
    low = (voice.pitch - 0.78 * voice.span) / voice.tract + 9
    lines = ["language variant", "name own"]
    # Flutter and roughness are counters that run on from one text to the next: the same text would differ.
    lines += ["flutter 0", "roughness 0", f"pitch {round(low)} {round(low + voice.span / voice.tract)}"]
    for number, (frequency, strength, width) in enumerate(voice.formants):
        lines.append(f"formant {number} {_percent(frequency)} {_percent(strength)} {_percent(width)}")
    # The library's own curve is 170, 135, 110 at these frequencies.
    tone = [(600, 170), (1200, 135), (2000, 110), (4000, 110)]
    bent = [(hertz, round(level * 10 ** (voice.tilt * math.log2(hertz / 600) / 20))) for hertz, level in tone]
    lines.append("tone " + " ".join(f"{hertz} {min(level, 255)}" for hertz, level in bent))
    if voice.breath > 0:
        lines.append("breath 0 " + " ".join([str(round(voice.breath))] * 6))
    lines.append(f"voicing {_percent(voice.voicing)}")
    return "\n".join(lines) + "\n"


def _percent(factor: float) -> int:
    return round(100 * factor)
