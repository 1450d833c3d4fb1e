"""How the distances of held-out trials lie: counts of both kinds of pairs in fixed bins."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64, Int64

BINS = 100
EDGES: Float64[np.ndarray, " edges"] = np.linspace(0.0, 2.0, BINS + 1)
"""The bins' edges, as distances 1 − cosine: 0 is one direction, 1 a right angle, 2 the opposite."""


@dataclass(frozen=True)
class Distances:
    """How many target and non-target trials have a distance in each of the bins."""

    target: Int64[np.ndarray, " bins"]
    nontarget: Int64[np.ndarray, " bins"]

    @staticmethod
    def of(target: Float64[np.ndarray, " n"], nontarget: Float64[np.ndarray, " m"]) -> "Distances":
        """The counts of trials with these cosines."""
        counts = [np.histogram(np.clip(1 - scores, 0, 2), EDGES)[0] for scores in (target, nontarget)]
        return Distances(*counts)

    def to_json(self) -> dict[str, Any]:
        """What a line of the logbook tells."""
        return {"target": self.target.tolist(), "nontarget": self.nontarget.tolist()}

    @staticmethod
    def from_json(line: Mapping[str, Any]) -> "Distances":
        """What `to_json` wrote."""
        return Distances(np.array(line["target"]), np.array(line["nontarget"]))
