"""Waves convolved with long responses: overlap-add in blocks of a size that suits the response."""

from dataclasses import dataclass

import numpy as np
import scipy.fft
from jaxtyping import Complex64, Float32

_LEAST = 4096


@dataclass(frozen=True)
class Response:
    """A response ready to convolve with: its spectrum, how many taps it has, and the tap that counts as no delay."""

    spectrum: Complex64[np.ndarray, " bins"]
    taps: int
    centre: int

    @property
    def nbytes(self) -> int:
        """The memory it takes."""
        return self.spectrum.nbytes


def prepared(response: Float32[np.ndarray, " taps"], centre: int | None = None) -> Response:
    """A response at unit energy, its tap `centre` (its strongest, if not told) at no delay; it must not be all 0."""
    taps = np.asarray(response, np.float32)
    # Twice the response, rounded up to a power of two: the fastest size for responses of 0.1 to 1 s at 16 kHz, and
    # one that does not depend on the wave.
    size = max(_LEAST, 1 << (2 * len(taps) - 1).bit_length())
    spectrum = scipy.fft.rfft(taps / np.linalg.norm(taps), size)
    return Response(spectrum, len(taps), int(np.argmax(np.abs(taps))) if centre is None else centre)


def convolved(wave: Float32[np.ndarray, " samples"], response: Response) -> Float32[np.ndarray, " samples"]:
    """The wave convolved with a response, from the tap of no delay on and cut to the wave's length."""
    samples = len(wave)
    size = 2 * (len(response.spectrum) - 1)
    step = size - response.taps + 1
    count = max(1, -(-samples // step))
    blocks = np.zeros((count, size), np.float32)
    for number in range(count):
        part = wave[number * step : (number + 1) * step]
        blocks[number, : len(part)] = part
    spectra = scipy.fft.rfft(blocks, overwrite_x=True)
    spectra *= response.spectrum
    answers = scipy.fft.irfft(spectra, size, overwrite_x=True)
    whole = np.zeros((count - 1) * step + size, np.float32)
    for number in range(count):
        whole[number * step : number * step + size] += answers[number]
    return whole[response.centre : response.centre + samples]
