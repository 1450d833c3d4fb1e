"""Two systems on the same trials: what is told of their difference."""

import numpy as np
import pytest

from voxsphere.core.errors import BadInput
from voxsphere.core.scores import Scores
from voxsphere.core.trials import Trials
from voxsphere.evaluate.comparison import compare


def scored(noise: float, seed: int, *, speakers: int = 20, takes: int = 3) -> Scores:
    """A list over all pairs; the higher the noise, the worse the scores."""
    ids = [f"s{s:02d}/{t}" for s in range(speakers) for t in range(takes)]
    pairs = [(a, b) for i, a in enumerate(ids) for b in ids[i + 1 :]]
    target = np.array([a[:3] == b[:3] for a, b in pairs])
    random = np.random.default_rng(seed)
    values = target + noise * random.normal(size=len(pairs))
    return Scores(Trials.from_pairs([a for a, _ in pairs], [b for _, b in pairs], target), values, scale="cosine")


def speakers(scores: Scores) -> dict[str, str]:
    return {name: name[:3] for name in scores.trials.ids}


def shuffled(scores: Scores, seed: int = 3) -> Scores:
    order = np.random.default_rng(seed).permutation(len(scores))
    trials = scores.trials
    names = np.array(trials.ids)
    pairs = names[trials.enrol[order]], names[trials.test[order]], np.asarray(trials.target)[order]
    mixed = Trials.from_pairs(*(list(side) for side in pairs[:2]), pairs[2])
    return Scores(mixed, scores.values[order], scale="cosine")


def test_a_system_is_no_different_from_itself():
    system = scored(0.5, 0)
    told = compare(system, shuffled(system), speaker_of=speakers(system))
    assert (told.difference, told.interval, told.verdict) == (0.0, (0.0, 0.0), "not shown different")


def test_a_clearly_better_system_is_better_and_the_other_worse():
    good, bad = scored(0.3, 0), scored(0.9, 1)
    told, turned = (compare(*pair, speaker_of=speakers(good)) for pair in ((good, bad), (bad, good)))
    assert (told.verdict, turned.verdict) == ("better", "worse")
    assert told.difference == pytest.approx(told.other_eer - told.eer)
    assert told.interval == pytest.approx(tuple(-end for end in reversed(turned.interval)))


def test_on_nine_speakers_no_difference_is_shown_and_no_interval():
    good, bad = scored(0.1, 0, speakers=9), scored(3, 1, speakers=9)
    told = compare(good, bad, speaker_of=speakers(good))
    assert told.difference > 0.3
    assert (told.interval, told.replicates, told.verdict) == (None, 0, "not shown different")
    assert told.speakers == 9


def test_equally_good_systems_are_rarely_called_different():
    verdicts = [
        compare(scored(0.5, seed), scored(0.5, seed + 100), speaker_of=speakers(scored(0.5, 0)), replicates=200).verdict
        for seed in range(20)
    ]
    assert verdicts.count("not shown different") >= 16


def test_lists_of_different_trials_are_not_compared():
    with pytest.raises(BadInput, match="different trials"):
        compare(scored(0.5, 0), scored(0.5, 0, speakers=19))
