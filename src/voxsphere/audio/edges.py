"""Where the sound of a recording begins and ends, by its loudest samples."""

import numpy as np
from jaxtyping import Float32


def edges(wave: Float32[np.ndarray, " samples"], *, percentile: float = 95.0) -> tuple[int, int] | None:
    """The first sample whose |x| is above this percentile of |x|, and the one behind the last; None where none is.

    Deep-speaker v2's "voice only": silence within stays. The percentile lies on a straight line between the two
    nearest of the sorted samples, as NumPy's does.
    """
    loudness = np.abs(wave.astype(np.float64))
    above = np.flatnonzero(loudness > np.percentile(loudness, percentile))
    return (int(above[0]), int(above[-1]) + 1) if len(above) else None
