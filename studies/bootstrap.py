"""Figures averaged over seeds, with intervals over speakers and seeds, and differences on the same trials."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int

from voxsphere.core.random import stream
from voxsphere.metrics.detection import Curve, Ranking, error_rates_of

Arrays = Sequence[np.ndarray]
"""An array for each seed."""
Named = Callable[[Curve], float]


@dataclass(frozen=True)
class Sides:
    """Of each trial: the numbers of the speakers on both sides."""

    enrol: Int[np.ndarray, " trials"]
    test: Int[np.ndarray, " trials"]

    @property
    def target(self) -> Bool[np.ndarray, " trials"]:
        """Whether both are one."""
        return self.enrol == self.test

    @property
    def speakers(self) -> int:
        """How many speakers there are, numbered from 0."""
        return int(max(self.enrol.max(), self.test.max())) + 1


@dataclass(frozen=True)
class Drawn:
    """One figure of each row, the mean of its seeds: as measured, and in each replicate; all share the draws."""

    value: dict[str, float]
    replicates: dict[str, Float64[np.ndarray, " replicates"]]

    def interval(self, name: str) -> list[float]:
        """The 95 % interval of a row's figure."""
        return _between(self.replicates[name])

    def difference(self, name: str, other: str) -> list[float]:
        """How much higher a row's figure is than another's, and the ends of its 95 % interval."""
        apart = self.replicates[name] - self.replicates[other]
        return [self.value[name] - self.value[other], *_between(apart)]


def _between(values: Float64[np.ndarray, " replicates"]) -> list[float]:
    return [float(end) for end in np.quantile(values, [0.025, 0.975])]


def of_trials(
    sides: Sides, scores: Mapping[str, Arrays], figures: Mapping[str, Named], *, replicates: int = 1000
) -> dict[str, Drawn]:
    """Each figure of the trials' scores, under speakers drawn anew as `metrics.confidence` draws them, and seeds too.

    All rows see the same draws, so that what makes one easy for all cancels in a difference: seeds pair too, as a
    seed decides the network's first weights and what each step hears. A row with fewer seeds draws from its own.
    """
    target = sides.target
    ranked = {name: [Ranking.of(values[target], values[~target]) for values in seeds] for name, seeds in scores.items()}

    def told(ranking: Ranking, *weights: Float64[np.ndarray, " trials"]) -> Float64[np.ndarray, " figures"]:
        curve = error_rates_of(ranking.tally(*weights))
        return np.array([figure(curve) for figure in figures.values()])

    found = {name: np.empty((replicates, len(figures))) for name in ranked}
    draws = _draws(sides.speakers, max(map(len, ranked.values()), default=1))
    done = 0
    while done < replicates:
        count, of_seeds = next(draws)
        weights = count[sides.enrol[target]], count[sides.enrol[~target]] * count[sides.test[~target]]
        if not all(weight.any() for weight in weights):
            continue
        for name, seeds in ranked.items():
            chosen = _chosen(of_seeds, len(seeds))
            each = [times * told(seed, *weights) for seed, times in zip(seeds, chosen, strict=True) if times]
            found[name][done] = sum(each) / len(seeds)
        done += 1
    value = {name: np.mean([told(seed) for seed in seeds], axis=0) for name, seeds in ranked.items()}
    return {figure: _figure(value, found, i) for i, figure in enumerate(figures)}


def of_decisions(
    speaker: Int[np.ndarray, " utterances"], right: Mapping[str, Arrays], *, replicates: int = 1000
) -> Drawn:
    """The share of right decisions, under speakers drawn anew with all they said, and seeds too; as in `of_trials`."""
    speakers = int(speaker.max()) + 1
    spoken = np.bincount(speaker, minlength=speakers).astype(np.float64)
    hits = {name: [np.bincount(speaker, seed, minlength=speakers) for seed in seeds] for name, seeds in right.items()}
    found = {name: np.empty((replicates, 1)) for name in right}
    draws = _draws(speakers, max(map(len, right.values()), default=1))
    done = 0
    while done < replicates:
        count, of_seeds = next(draws)
        if not (of_all := count @ spoken):
            continue
        for name, seeds in hits.items():
            chosen = _chosen(of_seeds, len(seeds))
            each = [times * (count @ seed) / of_all for seed, times in zip(seeds, chosen, strict=True) if times]
            found[name][done] = sum(each) / len(seeds)
        done += 1
    value = {name: np.array([np.mean([seed.mean() for seed in seeds])]) for name, seeds in right.items()}
    return _figure(value, found, 0)


def _figure(value: Mapping[str, np.ndarray], found: Mapping[str, np.ndarray], i: int) -> Drawn:
    return Drawn({n: float(each[i]) for n, each in value.items()}, {n: each[:, i] for n, each in found.items()})


def _draws(speakers: int, seeds: int) -> Iterator[tuple[Float64[np.ndarray, " speakers"], np.ndarray]]:
    """How often each speaker is drawn, and numbers from 0 to 1 that choose seeds; without end."""
    random = stream("bootstrap over speakers and seeds")
    while True:
        drawn = random.integers(0, speakers, speakers)
        yield np.bincount(drawn, minlength=speakers).astype(np.float64), random.uniform(size=seeds)


def _chosen(of_seeds: Float64[np.ndarray, " most"], seeds: int) -> Int[np.ndarray, " seeds"]:
    """How often each of so many seeds is taken."""
    return np.bincount((of_seeds[:seeds] * seeds).astype(int), minlength=seeds)
