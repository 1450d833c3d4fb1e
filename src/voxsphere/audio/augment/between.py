"""Numbers drawn between two limits, and the limits checked."""

import math

import numpy as np

from voxsphere.core.errors import BadInput


def uniform(random: np.random.Generator, limits: tuple[float, float]) -> float:
    """A number drawn evenly between two limits; the limit itself where they are equal, infinity included."""
    low, high = limits
    return float(random.uniform(low, high)) if low < high else float(low)


def whole(random: np.random.Generator, limits: tuple[int, int]) -> int:
    """A whole number drawn evenly between two limits, both included."""
    return int(random.integers(limits[0], limits[1], endpoint=True))


def check(name: str, limits: tuple[float, float], *, least: float = -math.inf, most: float = math.inf) -> None:
    """`BadInput` unless `limits` are two numbers in order within `least` and `most`."""
    ordered = len(limits) == 2 and least <= limits[0] <= limits[1] <= most
    if not ordered or (limits[0] < limits[1] and not all(map(math.isfinite, limits))):
        reach = f" from {least:g} to {most:g}" if math.isfinite(least) or math.isfinite(most) else ""
        raise BadInput(f"{name}: {limits} is not a lower and an upper limit{reach}")


def check_probability(name: str, probability: float) -> None:
    """`BadInput` unless `probability` is from 0 to 1."""
    if not 0 <= probability <= 1:
        raise BadInput(f"{name}: {probability} is no probability; give a number from 0 to 1")
