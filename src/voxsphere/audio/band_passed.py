"""Features of a wave of which a band is kept, as a telephone line keeps one."""

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor, nn

from voxsphere.audio import frames
from voxsphere.audio.augment.bandpass import PassBand, check_order
from voxsphere.audio.front_end import FrontEnd
from voxsphere.core.errors import BadInput

_FAINT = 1e-7
"""Of the largest tap: what comes after is cut off."""
_LONGEST = 1 << 16


class BandPassed(nn.Module):
    """The features of another front end, over the wave between `low` and `high` (Hz): a causal Butterworth filter.

    Whatever a model with this front end hears passes through the same band: what it learns from, who enrols and who is
    tried (SpeakerVerifiaction-pytorch's make_feat with --bandpass: 300 to 3,000 Hz, order 15). The augmentation
    `BandPass` filters training examples alone. The filter is its impulse response as far as it is above 1e-7 of its
    peak, which equals second-order sections to about 1e-6 of the wave's peak; silence stands before the wave.

    `BadInput` where the front end takes stored features, and for a band that is empty, not below half the sampling
    rate, or so narrow that it rings for more than 65,536 samples.
    """

    def __init__(
        self, *, of: Callable[..., FrontEnd], low: float = 300.0, high: float = 3000.0, order: int = 15
    ) -> None:
        super().__init__()
        self.of = of()
        self.input, self.sample_rate, self.hop, self.dim = self.of.input, self.of.sample_rate, self.of.hop, self.of.dim
        if self.input != "wave":
            raise BadInput("stored features have no wave to filter; compute them by --features BandPassed --set of=…")
        # No buffer: in bfloat16, which a model's buffers may become, it would be another filter.
        self.taps = _taps(PassBand(low, high, order), self.sample_rate)

    def forward(self, wave: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch frames dim"]:
        """The features of the filtered wave."""
        samples = wave.shape[1]
        size = samples + len(self.taps)
        # What is left beside the band lies below float32's rounding of what is in it.
        wide = frames.widened(wave)
        spectrum = torch.fft.rfft(wide, n=size) * torch.fft.rfft(self.taps.to(wide), n=size)
        passed = torch.fft.irfft(spectrum, n=size)[:, :samples]
        return self.of(passed.to(wave.dtype))

    def frames_of(self, samples: int) -> int:
        """How many frames `forward` makes of so many samples."""
        return self.of.frames_of(samples)


def _taps(band: PassBand, sample_rate: int) -> Float64[Tensor, " taps"]:
    """The band's impulse response, to float32's precision, up to where it is faint."""
    check_order("order", band.order)
    if not band.low > 0:
        raise BadInput(f"a band from {band.low:g} Hz: give a lower edge above 0")
    click = np.zeros(_LONGEST, np.float32)
    click[0] = 1
    response = band(click, sample_rate)
    loudness = np.abs(response)
    last = int(np.flatnonzero(loudness > _FAINT * loudness.max())[-1])
    if last + 1 == _LONGEST:
        raise BadInput(f"a band of {band.low:g} to {band.high:g} Hz rings for too long; widen it or lower its order")
    return torch.from_numpy(response[: last + 1].astype(np.float64))
