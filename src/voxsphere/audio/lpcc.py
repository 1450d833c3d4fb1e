"""Cepstra of the all-pole filter of linear prediction."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from voxsphere.audio.frames import Window
from voxsphere.audio.lpc import Lpc
from voxsphere.core.errors import BadInput


class Lpcc(nn.Module):
    """The cepstrum c_0 … c_`num_ceps` of K / A(z), by recursion from the predictor, as SPTK's `lpc2c`.

    c_0 = ln K and c_n = -a_n - Σ_k (k / n) c_k a_{n-k} for k = max(1, n - `order`) … n - 1, where a_n is 0 beyond
    `order`: so ln |K / A(e^iω)| = c_0 + Σ c_n cos nω. `num_ceps` may exceed the order. Without `energy`, c_0 is left
    out and element 0 is c_1. Options shared with `Lpc` mean the same; in silence c_0 is half the logarithm of `floor`
    and all others are 0.

    Atal 1974, Effectiveness of linear prediction characteristics of the speech wave for automatic speaker
    identification and verification, JASA 55(6), eq. 12; SPTK 3.11, lpc2c.c.
    """

    input = "wave"

    def __init__(
        self,
        *,
        sample_rate: int = 8000,
        order: int = 20,
        num_ceps: int = 20,
        energy: bool = True,
        window: Window = "blackman",
        frame_length: float = 0.030,
        frame_shift: float = 0.010,
        centred: bool = True,
        scale: float = 32768.0,
        floor: float = 1e-8,
    ) -> None:
        super().__init__()
        if num_ceps < 1:
            raise BadInput(f"num_ceps: {num_ceps} cepstra tell nothing; give 1 or more")
        self.lpc = Lpc(
            sample_rate=sample_rate,
            order=order,
            window=window,
            frame_length=frame_length,
            frame_shift=frame_shift,
            centred=centred,
            scale=scale,
            floor=floor,
        )
        self.num_ceps, self.energy = num_ceps, energy
        self.dim, self.sample_rate, self.hop = num_ceps + energy, sample_rate, self.lpc.hop

    def forward(self, wave: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch frames dim"]:
        """The cepstra of each frame; the wave as for `Lpc`."""
        cepstra = cepstrum_of(self.lpc.predictor(wave), self.num_ceps)
        return (cepstra if self.energy else cepstra[..., 1:]).to(wave.dtype)

    def frames_of(self, samples: int) -> int:
        """How many frames `forward` makes of so many samples."""
        return self.lpc.frames_of(samples)


def cepstrum_of(
    predictor: Float[Tensor, "batch frames order+1"], num_ceps: int
) -> Float[Tensor, "batch frames num_ceps+1"]:
    """c_0 … c_num_ceps of gain and coefficients."""
    order = predictor.shape[-1] - 1
    weighted = predictor[..., :0]  # k · c_k for k = 1, 2 …
    for n in range(1, num_ceps + 1):
        first = max(1, n - order)
        # a_{n-k} for k = first … n - 1 are a_{n-first} … a_1
        total = (weighted[..., first - 1 :] * predictor[..., 1 : n - first + 1].flip(-1)).sum(-1, keepdim=True)
        own = n * predictor[..., n : n + 1] if n <= order else torch.zeros_like(total)
        weighted = torch.cat([weighted, -own - total], dim=-1)
    steps = torch.arange(1, num_ceps + 1, dtype=predictor.dtype, device=predictor.device)
    return torch.cat([predictor[..., :1].log(), weighted / steps], dim=-1)
