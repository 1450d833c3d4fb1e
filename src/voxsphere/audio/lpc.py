"""Linear prediction: the coefficients of the all-pole filter that a frame's autocorrelation asks for."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from voxsphere.audio import frames
from voxsphere.audio.frames import Window
from voxsphere.core.errors import BadInput

# A frame that is predicted to more than twelve digits is predicted to the precision of float64: its error is noise.
_LEAST_ERROR = 1e-12


class Lpc(nn.Module):
    """Linear-prediction coefficients by autocorrelation and Levinson and Durbin's recursion, as SPTK's `lpc`.

    The spectrum of a frame is modelled by K / A(z) with A(z) = 1 + Σ a_k z^-k for k = 1 … `order`. Element 0 is the
    gain K (`gain`, as SPTK gives it) and elements 1 … `order` are the a_k, with *these* signs: x[n] is predicted as
    -Σ a_k x[n-k]. Without `gain`, element 0 is a_1.

    A frame lies around every `frame_shift` seconds with zeros beyond the ends of the wave (SPTK's `frame`), or, not
    `centred`, only where the wave fills it. The window's squares add up to 1 (SPTK's `window`). `scale` takes the wave
    (±1) to 16-bit integers, as SPTK reads them. `floor` is the least energy of a windowed frame: in silence K is its
    root and all a_k are 0, where SPTK gives nothing. Lengths are in seconds.

    Makhoul 1975, Linear prediction: a tutorial review, Proc. IEEE 63(4), eqs 38 and 67; SPTK 3.11, lpc.c, levdur.c.
    """

    input = "wave"

    def __init__(
        self,
        *,
        sample_rate: int = 8000,
        order: int = 20,
        gain: bool = True,
        window: Window = "blackman",
        frame_length: float = 0.030,
        frame_shift: float = 0.010,
        centred: bool = True,
        scale: float = 32768.0,
        floor: float = 1e-8,
    ) -> None:
        super().__init__()
        self.length = frames.samples_of(frame_length, sample_rate)
        self.hop = frames.samples_of(frame_shift, sample_rate)
        if not 1 <= order < self.length:
            raise BadInput(
                f"order: {self.length} samples a frame are not predicted from {order} before each; give fewer"
            )
        if not floor > 0:
            raise BadInput(f"floor: {floor} is no energy that silence could be given; give more than 0")
        self.order, self.gain, self.centred, self.floor = order, gain, centred, floor
        self.dim, self.sample_rate = order + gain, sample_rate
        self.window: Tensor
        self.register_buffer("window", unit_window(window, self.length, scale), persistent=False)

    def forward(self, wave: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch frames dim"]:
        """The gain and the coefficients of each frame. The wave is ±1 at `sample_rate`; float64 in gives float64 out.

        `BadInput` for a wave without a sample or, not `centred`, one that fills no frame.
        """
        coefficients = self.predictor(wave)
        return (coefficients if self.gain else coefficients[..., 1:]).to(wave.dtype)

    def predictor(self, wave: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch frames order+1"]:
        """Gain and coefficients in the precision that they are computed in."""
        shaped = shaped_frames(wave, self.window, shift=self.hop, centred=self.centred)
        return levinson_durbin(autocorrelation(shaped, self.order, self.floor))

    def frames_of(self, samples: int) -> int:
        """How many frames `forward` makes of so many samples."""
        return count_shaped(samples, length=self.length, shift=self.hop, centred=self.centred)


def unit_window(name: Window, length: int, scale: float) -> Float[Tensor, " length"]:
    """`scale` times a window whose squares add up to 1."""
    shape = frames.window(name, length)
    return torch.from_numpy(scale * shape / np.sqrt(np.square(shape).sum())).to(torch.get_default_dtype())


def shaped_frames(
    wave: Float[Tensor, "batch samples"], window: Float[Tensor, " length"], *, shift: int, centred: bool
) -> Float[Tensor, "batch frames length"]:
    """Windowed frames, in float64 where the device knows it."""
    wide, length = frames.widened(wave), len(window)
    cut = (
        frames.cut_centred(wide, length=length, shift=shift)
        if centred
        else frames.cut(wide, length=length, shift=shift)
    )
    return cut * window.to(cut.dtype)


def count_shaped(samples: int, *, length: int, shift: int, centred: bool) -> int:
    """How many frames `shaped_frames` gives."""
    if centred:
        return frames.count_centred(samples, shift=shift)
    return frames.count(samples, length=length, shift=shift)


def autocorrelation(
    shaped: Float[Tensor, "batch frames length"], order: int, floor: float
) -> Float[Tensor, "batch frames order+1"]:
    """r_k = Σ_n x[n] x[n+k] for k = 0 … `order`; r_0 is at least `floor`."""
    length = shaped.shape[-1]
    lags = [(shaped[..., : length - k] * shaped[..., k:]).sum(-1) for k in range(order + 1)]
    return torch.stack([lags[0].clamp_min(floor), *lags[1:]], dim=-1)


def levinson_durbin(lags: Float[Tensor, "batch frames order+1"]) -> Float[Tensor, "batch frames order+1"]:
    """The gain and the coefficients that solve Σ_j a_j r_|i-j| = -r_i for i = 1 … order.

    K² = r_0 + Σ a_j r_j, what is left unpredicted of the energy.
    """
    error = lags[..., :1]
    least = _LEAST_ERROR * error
    coefficients = lags[..., :0]
    for order in range(1, lags.shape[-1]):
        predicted = (coefficients * lags[..., 1:order].flip(-1)).sum(-1, keepdim=True)
        reflection = -(lags[..., order : order + 1] + predicted) / error
        coefficients = torch.cat([coefficients + reflection * coefficients.flip(-1), reflection], dim=-1)
        error = torch.maximum(error * (1 - reflection.square()), least)
    return torch.cat([error.sqrt(), coefficients], dim=-1)
