"""Mel-cepstral analysis: the cepstrum on a warped frequency axis that fits a frame's periodogram best."""

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor, nn

from voxsphere.audio import frames
from voxsphere.audio.frames import Window
from voxsphere.audio.lpc import count_shaped, shaped_frames, unit_window
from voxsphere.core.errors import BadInput

# The warpings that come nearest to the mel scale at common rates (SPTK's manual, mgcep).
_WARPINGS = {8000: 0.31, 10000: 0.35, 16000: 0.42}

_FARTHEST = 5.0  # nats of ln |D|²


class MelCepstrum(nn.Module):
    """Mel-cepstral coefficients c_0 … c_`order` (SPTK's `mcep`, the `.mcp` files of UPC's speaker lab).

    The spectrum is modelled by D(z) = exp Σ c_m z̃^-m on the frequency axis of the all-pass z̃^-1 = (z^-1 - α) /
    (1 - α z^-1), and the c_m are those whose unbiased log spectrum is nearest to the frame's periodogram I: the
    minimum of the convex E(c) = 1/2π ∫ I / |D|² + ln |D|² dω. Newton's method from the frequency-transformed cepstrum
    of ln I solves, in each step, (r_|i-j| + r_i+j) Δ_j = r_i - (-α)^i with r_m = 1/2π ∫ I / |D|² cos(m ω̃) dω: a
    Toeplitz and a Hankel matrix. At the minimum r_0 is 1.

    `alpha` None is the warping that is nearest to the mel scale: .31 at 8 kHz, .35 at 10 kHz, .42 at 16 kHz; 0 gives
    the plain cepstrum. `n_fft` None is the least power of two that holds a frame. A frame is done when a step changes
    its ln |D|² by less than `tolerance` anywhere, or after `iterations`; then one more step is taken, by which all
    gradients go: at the minimum they are exact. Two departures from SPTK, which end at the same minimum: it is done
    when r_0 changes by less than a thousandth of itself, and takes steps of any size, where ours change ln |D|² by no
    more than 5. `floor` is added to the periodogram (SPTK's -e; rounding to 16 bits adds .083): in silence c_0 is
    half its logarithm and all others are 0. Without `energy`, c_0 is left out and element 0 is c_1. Options shared
    with `Lpc` mean the same.

    Fukada, Tokuda, Kobayashi & Imai 1992, An adaptive algorithm for mel-cepstral analysis of speech, ICASSP;
    Tokuda, Kobayashi, Masuko & Imai 1994, Mel-generalized cepstral analysis, ICSLP (γ = 0); SPTK 3.11, mcep.c.
    """

    input = "wave"

    def __init__(
        self,
        *,
        sample_rate: int = 8000,
        order: int = 20,
        alpha: float | None = None,
        energy: bool = True,
        n_fft: int | None = None,
        iterations: int = 30,
        tolerance: float = 1e-3,
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
        self.n_fft = frames.power_of_two(self.length) if n_fft is None else n_fft
        self.alpha = _warping(sample_rate) if alpha is None else alpha
        _check_axis(order, self.alpha, self.n_fft, self.length)
        if not (floor > 0 and tolerance > 0 and iterations >= 0):
            raise BadInput(f"floor={floor}, tolerance={tolerance}, iterations={iterations}: give what is above 0")
        self.order, self.energy, self.centred, self.floor = order, energy, centred, floor
        self.iterations, self.tolerance = iterations, tolerance
        self.dim, self.sample_rate = order + energy, sample_rate
        self.window: Tensor
        self.register_buffer("window", unit_window(window, self.length, scale), persistent=False)
        self.cosines: Tensor  # cos(m ω̃) of each bin, for m = 0 … 2 · order
        self.start: Tensor  # from the log periodogram to its cepstrum on the warped axis
        self.mean: Tensor  # what each bin counts in a mean over the whole circle
        for name, values in _tables(self.n_fft, self.alpha, order).items():
            self.register_buffer(name, torch.from_numpy(values).to(torch.get_default_dtype()), persistent=False)

    def forward(self, wave: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch frames dim"]:
        """The mel-cepstrum of each frame; the wave as for `Lpc`."""
        shaped = shaped_frames(wave, self.window, shift=self.hop, centred=self.centred)
        periodogram = frames.power(shaped, self.n_fft) + self.floor
        with torch.no_grad():
            near = self._minimum(periodogram)
        cepstra = near + self._step(periodogram, near)[0]
        return (cepstra if self.energy else cepstra[..., 1:]).to(wave.dtype)

    def frames_of(self, samples: int) -> int:
        """How many frames `forward` makes of so many samples."""
        return count_shaped(samples, length=self.length, shift=self.hop, centred=self.centred)

    def _minimum(self, periodogram: Float[Tensor, "batch frames bins"]) -> Float[Tensor, "batch frames order+1"]:
        """Close to the minimum; each frame stops by itself, so that no frame depends on those beside it."""
        cepstra = frames.project(periodogram.log(), self.start)
        going = torch.ones_like(cepstra[..., :1], dtype=torch.bool)
        for _ in range(self.iterations):
            if _known(going) and not going.any():
                break
            step, change = self._step(periodogram, cepstra)
            cepstra = torch.where(going, cepstra + step, cepstra)
            going = going & (change > self.tolerance)
        return cepstra

    def _step(
        self, periodogram: Float[Tensor, "batch frames bins"], cepstra: Float[Tensor, "batch frames order+1"]
    ) -> tuple[Float[Tensor, "batch frames order+1"], Float[Tensor, "batch frames 1"]]:
        """Newton's step, and the most by which it changes ln |D|²."""
        cosines = self.cosines[:, : self.order + 1].mT
        ratio = periodogram * (-2 * frames.project(cepstra, cosines)).exp()
        r = frames.project(ratio * self.mean.to(ratio.dtype), self.cosines)
        at = torch.arange(self.order + 1, device=r.device)
        matrix = r[..., (at[:, None] - at).abs()] + r[..., at[:, None] + at]
        # Of a pure tone hardly more than one bin counts, and the matrix is singular to the last digit.
        matrix = matrix + 1e-10 * r[..., :1, None] * torch.eye(self.order + 1, dtype=r.dtype, device=r.device)
        constant = torch.pow(torch.full_like(r[..., :1], -self.alpha), at)  # the mean of cos(m ω̃) over ω
        step: Tensor = torch.linalg.solve(matrix, (r[..., : self.order + 1] - constant)[..., None])[..., 0]
        change = 2 * frames.project(step.detach(), cosines).abs().amax(-1, keepdim=True)
        return step * (_FARTHEST / change.clamp_min(_FARTHEST)), change


def _warping(sample_rate: int) -> float:
    if sample_rate not in _WARPINGS:
        raise BadInput(f"alpha: no warping is known for {sample_rate} Hz; give one (known: {_WARPINGS})")
    return _WARPINGS[sample_rate]


def _check_axis(order: int, alpha: float, n_fft: int, length: int) -> None:
    if not -1 < alpha < 1:
        raise BadInput(f"alpha: an all-pass of {alpha} is not stable; give more than -1 and less than 1")
    if n_fft < length or n_fft % 2:
        raise BadInput(f"n_fft: {n_fft} is odd, or shorter than a frame of {length} samples")
    if not 1 <= order <= n_fft // 4:
        raise BadInput(f"order: {order} lies outside 1 to {n_fft // 4}, which n_fft={n_fft} can tell apart")


def _tables(n_fft: int, alpha: float, order: int) -> dict[str, Float64[np.ndarray, "..."]]:
    omega = 2 * np.pi * np.arange(n_fft // 2 + 1) / n_fft
    warped = omega + 2 * np.arctan2(alpha * np.sin(omega), 1 - alpha * np.cos(omega))
    slope = (1 - alpha**2) / (1 + alpha**2 - 2 * alpha * np.cos(omega))  # dω̃ / dω
    mean = np.where((omega == 0) | (omega == np.pi), 1, 2) / n_fft
    cosines = np.cos(warped[:, None] * np.arange(2 * order + 1))
    # ln I = 2 c_0 + 2 Σ c_m cos(m ω̃), so c_m is a mean over ω̃, and c_0 half of one.
    halved = np.where(np.arange(order + 1) == 0, 0.5, 1.0)
    return {"cosines": cosines, "start": (mean * slope)[:, None] * cosines[:, : order + 1] * halved, "mean": mean}


def _known(values: Tensor) -> bool:
    """Whether values may be asked for: not while a graph is made of what is done, nor of shapes alone."""
    graph = torch.jit.is_tracing() or torch.compiler.is_compiling()  # type: ignore[attr-defined, no-untyped-call]
    return not (graph or values.is_meta)
