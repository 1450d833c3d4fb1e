"""The error rates to expect of a decision, measured by threshold for classes of speech duration."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from voxsphere.core.errors import BadInput

RATES = ("miss", "miss_low", "miss_high", "false_alarm", "false_alarm_low", "false_alarm_high")


@dataclass(frozen=True)
class Expected:
    """Miss and false-alarm rates (fractions, with 95 % intervals) of decisions under a stated condition."""

    condition: str
    miss: float
    miss_interval: tuple[float, float]
    false_alarm: float
    false_alarm_interval: tuple[float, float]
    target_trials: int
    nontarget_trials: int
    speakers: int


@dataclass(frozen=True)
class ErrorBin:
    """Error rates, one an LLR threshold, of trials whose shorter side has [`least`, `most`) seconds of speech.

    `most` None is no upper end. Rates are fractions; `_low` and `_high` are the ends of their 95 % intervals.
    """

    least: float
    most: float | None
    target_trials: int
    nontarget_trials: int
    speakers: int
    miss: tuple[float, ...]
    miss_low: tuple[float, ...]
    miss_high: tuple[float, ...]
    false_alarm: tuple[float, ...]
    false_alarm_low: tuple[float, ...]
    false_alarm_high: tuple[float, ...]

    @property
    def condition(self) -> str:
        """The bin in words: "2 to 4 s", "8 s or more"."""
        return f"{self.least:g} s or more" if self.most is None else f"{self.least:g} to {self.most:g} s"

    def holds(self, seconds: float) -> bool:
        """Whether `seconds` of speech fall into this bin."""
        return self.least <= seconds and (self.most is None or seconds < self.most)


@dataclass(frozen=True)
class ErrorTable:
    """Bins of speech duration, with rates at the same ascending grid of LLR thresholds (nats)."""

    thresholds: tuple[float, ...]
    bins: tuple[ErrorBin, ...]
    provenance: str = ""

    def __post_init__(self) -> None:
        if len(self.thresholds) < 2 or not np.all(np.diff(self.thresholds) > 0):
            raise BadInput("an error table needs two or more ascending thresholds")
        for each in self.bins:
            if any(len(getattr(each, name)) != len(self.thresholds) for name in RATES):
                raise BadInput(f"error table, {each.condition}: each rate needs one number a threshold")

    def at(self, threshold: float, seconds: float) -> Expected | None:
        """The rates to expect at an LLR threshold, `seconds` being the speech of the shorter side.

        Linear between the grid's thresholds. None where nothing was measured: beyond the grid, or in no bin.
        """
        found = next((each for each in self.bins if each.holds(seconds)), None)
        if found is None or not self.thresholds[0] <= threshold <= self.thresholds[-1]:
            return None
        rate = {name: float(np.interp(threshold, self.thresholds, getattr(found, name))) for name in RATES}
        return Expected(
            condition=found.condition,
            miss=rate["miss"],
            miss_interval=(rate["miss_low"], rate["miss_high"]),
            false_alarm=rate["false_alarm"],
            false_alarm_interval=(rate["false_alarm_low"], rate["false_alarm_high"]),
            target_trials=found.target_trials,
            nontarget_trials=found.nontarget_trials,
            speakers=found.speakers,
        )

    def to_json(self) -> dict[str, Any]:
        """The table as JSON values."""
        plain = asdict(self)
        plain["thresholds"] = list(self.thresholds)
        plain["bins"] = [{**each, **{name: list(each[name]) for name in RATES}} for each in plain["bins"]]
        return plain

    @staticmethod
    def from_json(content: Mapping[str, Any]) -> "ErrorTable":
        """The table that `to_json` gave; `BadInput` names what is missing."""
        missing = [field.name for field in fields(ErrorTable) if field.name not in content]
        if missing:
            raise BadInput(f"an error table needs {', '.join(missing)}")
        bins = tuple(_bin(each) for each in content["bins"])
        thresholds = tuple(float(value) for value in content["thresholds"])
        return ErrorTable(thresholds, bins, provenance=str(content["provenance"]))


def _bin(content: Mapping[str, Any]) -> ErrorBin:
    missing = [field.name for field in fields(ErrorBin) if field.name not in content]
    if missing:
        raise BadInput(f"a bin of an error table needs {', '.join(missing)}")
    rates = {name: tuple(float(value) for value in content[name]) for name in RATES}
    most = content["most"]
    return ErrorBin(
        least=float(content["least"]),
        most=None if most is None else float(most),
        target_trials=int(content["target_trials"]),
        nontarget_trials=int(content["nontarget_trials"]),
        speakers=int(content["speakers"]),
        **rates,
    )
