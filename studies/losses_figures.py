"""Figures of the study of losses: EERs averaged over seeds, their intervals, and differences of the same trials."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from voxsphere.core.random import stream
from voxsphere.core.trials import Trials
from voxsphere.evaluate.speakers import speakers_of
from voxsphere.metrics.detection import Ranking, eer_of, error_rates_of

Seeds = Sequence[Float64[np.ndarray, " trials"]]


@dataclass(frozen=True)
class Drawn:
    """Each loss's EER, the mean of its seeds: as measured, and in each replicate; all share the replicates' draws."""

    value: dict[str, float]
    replicates: dict[str, Float64[np.ndarray, " replicates"]]

    def interval(self, name: str) -> list[float]:
        """The 95 % interval of a loss's EER."""
        return _between(self.replicates[name])

    def difference(self, name: str, other: str) -> list[float]:
        """How much higher a loss's EER is than another's, and the ends of its 95 % interval."""
        apart = self.replicates[name] - self.replicates[other]
        return [self.value[name] - self.value[other], *_between(apart)]


def _between(values: Float64[np.ndarray, " replicates"]) -> list[float]:
    return [float(end) for end in np.quantile(values, [0.025, 0.975])]


def draw(
    trials: Trials, speaker_of: Mapping[str, str], scores: Mapping[str, Seeds], *, replicates: int = 1000
) -> Drawn:
    """The EERs under speakers drawn anew as `metrics.confidence` draws them, and seeds drawn anew with them.

    All losses see the same draws, so that what makes one easy for all cancels in a difference: seeds pair too, as a
    seed decides the network's first weights and what each step hears. A loss with fewer seeds draws from its own.
    """
    enrol, test, _ = speakers_of(trials, speaker_of)
    target = np.asarray(trials.target, dtype=bool)
    ranked = {name: [Ranking.of(values[target], values[~target]) for values in seeds] for name, seeds in scores.items()}
    found = {name: np.empty(replicates) for name in ranked}
    random, speakers = stream("bootstrap over speakers and seeds"), int(max(enrol.max(), test.max())) + 1
    done = 0
    while done < replicates:
        count = np.bincount(random.integers(0, speakers, speakers), minlength=speakers).astype(np.float64)
        of_seeds = random.uniform(size=max(map(len, ranked.values())))
        weights = count[enrol[target]], count[enrol[~target]] * count[test[~target]]
        if not all(weight.any() for weight in weights):
            continue
        for name, seeds in ranked.items():
            chosen = np.bincount((of_seeds[: len(seeds)] * len(seeds)).astype(int), minlength=len(seeds))
            each = [times * _eer(seed, *weights) for seed, times in zip(seeds, chosen, strict=True) if times]
            found[name][done] = sum(each) / len(seeds)
        done += 1
    value = {name: float(np.mean([_eer(seed) for seed in seeds])) for name, seeds in ranked.items()}
    return Drawn(value, found)


def _eer(ranking: Ranking, *weights: Float64[np.ndarray, " trials"]) -> float:
    return float(eer_of(error_rates_of(ranking.tally(*weights))))
