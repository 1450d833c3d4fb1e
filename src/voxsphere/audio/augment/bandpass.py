"""Band-pass filters, as a telephone line or a cheap microphone is one."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from jaxtyping import Float32

from voxsphere.audio.augment.between import check, uniform
from voxsphere.core.errors import BadInput


@dataclass(frozen=True)
class PassBand:
    """What lies between `low` and `high` (Hz), by a causal Butterworth filter of `order`, in second-order sections."""

    low: float
    high: float
    order: int

    def __call__(self, wave: Float32[np.ndarray, " samples"], sample_rate: int) -> Float32[np.ndarray, " samples"]:
        import scipy.signal

        if not self.low < self.high < sample_rate / 2:
            raise BadInput(
                f"a band of {self.low:g} to {self.high:g} Hz does not lie below half of {sample_rate} Hz; lower it"
            )
        passed = scipy.signal.sosfilt(_sections(self.low, self.high, self.order, sample_rate), wave)
        return np.asarray(passed, np.float32)


def check_order(name: str, order: int) -> None:
    """Raise `BadInput`, naming the option, for an order that is not 1 to 30."""
    if not 1 <= order <= 30:
        raise BadInput(f"{name}: {order} is no order from 1 to 30")


@lru_cache(maxsize=64)
def _sections(low: float, high: float, order: int, sample_rate: int) -> np.ndarray[Any, Any]:
    import scipy.signal

    sections: np.ndarray[Any, Any] = scipy.signal.butter(order, (low, high), "bandpass", fs=sample_rate, output="sos")
    return sections


@dataclass(frozen=True, kw_only=True)
class BandPass:
    """A band whose edges are drawn from `low` and `high` (Hz, lowest and highest); 300–3000 Hz is a telephone's.

    Order 15 is a steep 90 dB an octave on either side.
    """

    low: tuple[float, float] = (300.0, 300.0)
    high: tuple[float, float] = (3000.0, 3000.0)
    order: int = 15

    def __post_init__(self) -> None:
        check("BandPass.low", self.low, least=1)
        check("BandPass.high", self.high, least=self.low[1] + 1)
        check_order("BandPass.order", self.order)

    def draw(self, random: np.random.Generator, samples: int, sample_rate: int) -> PassBand:
        """Which band; its upper edge at most 99 % of half the sampling rate."""
        most = 0.99 * sample_rate / 2
        return PassBand(uniform(random, self.low), min(uniform(random, self.high), most), self.order)
