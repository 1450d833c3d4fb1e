"""The verdict: what may be said of two models on the same trials, in words that follow the paired interval."""

from functools import partial

import numpy as np
import pytest

from voxsphere.core.scores import Scores
from voxsphere.core.trials import Trials
from voxsphere.recipes.smoke import smoke
from voxsphere.train.schedule import Plateau, Stopping
from voxsphere.train.verdict import decided_by_held_out, decided_in, verdict, verdict_section


def scores(distance: float, seed: int, speakers: int = 12) -> Scores:
    """Trials of all pairs of three recordings of each speaker; targets lie `distance` above the others."""
    ids = [f"s{speaker:02d}/{take}" for speaker in range(speakers) for take in range(3)]
    pairs = [(a, b) for i, a in enumerate(ids) for b in ids[i + 1 :]]
    target = np.array([a[:3] == b[:3] for a, b in pairs])
    trials = Trials.from_pairs([a for a, _ in pairs], [b for _, b in pairs], target)
    values = np.random.default_rng(seed).normal(0, 1, len(pairs)) + distance * target
    return Scores(trials, values, scale="cosine", model="made up")


def judge(distance: float, other: float, **options):
    one, two = scores(distance, 1, **options), scores(other, 2, **options)
    return verdict(one, two, name="old", speaker_of={name: name[:3] for name in one.trials.ids})


@pytest.mark.parametrize(
    ("distance", "other", "answer"), [(4, 1, "better"), (1, 4, "worse"), (2, 2, "not shown better")]
)
def test_the_answer_is_what_the_interval_allows(distance, other, answer):
    said = judge(distance, other)
    low, high = said.comparison.interval
    assert (low > 0, high < 0) == (answer == "better", answer == "worse")
    assert said.answer == answer
    assert said.words.startswith(f"{answer} than old")
    gain = abs(100 * said.comparison.difference)
    assert f"{gain:.2f}" in said.words
    assert f"{100 * said.results.eer.value:.2f} % instead of {100 * said.other.eer.value:.2f} %" in said.words
    assert (said.advice == "") == (answer == "better")
    if answer != "not shown better":
        assert f"by {gain:.2f} ± {50 * (high - low):.2f} points EER" in said.words


@pytest.mark.parametrize("speakers", [2, 9])
@pytest.mark.parametrize(("distance", "other"), [(9, 0), (0, 9)])
def test_on_fewer_than_ten_speakers_nothing_is_claimed_and_that_is_said(distance, other, speakers):
    """All right beside a coin, either way: with two speakers the bootstrap's interval would be of no width."""
    said = judge(distance, other, speakers=speakers)
    assert said.answer == "not shown better"
    assert said.comparison.verdict == "not shown different"
    assert abs(said.comparison.difference) > 0.3, "the systems are alike: nothing was proven"
    assert said.words.startswith("not shown better than old: ")
    assert said.words.endswith(f"on too few speakers ({speakers}) to say")
    assert "points" not in said.words
    assert "interval of the difference" not in said.basis
    told = said.to_json()
    assert [told[f"{name}_interval"] for name in ("difference", "eer", "against_eer")] == [None] * 3
    assert told["replicates"] == 0
    assert "hold out 10 speakers or more (--set data.held_out=10), or give more speakers" in said.advice
    assert verdict_section(said).count("(interval not available)") == 2


def test_ten_speakers_are_enough():
    assert judge(9, 0, speakers=10).answer == "better"


def test_both_rates_have_intervals_in_the_json_and_on_the_page():
    said = judge(4, 1)
    told = said.to_json()
    assert told["eer_interval"][0] <= told["eer"] <= told["eer_interval"][1]
    assert told["against_eer_interval"][0] <= told["against_eer"] <= told["against_eer_interval"][1]
    page = verdict_section(said)
    assert said.words in page
    assert "Better than old?" in page


def test_what_the_held_out_speakers_decide_is_read_off_the_recipe():
    from dataclasses import replace

    plain = smoke()
    assert decided_by_held_out(plain.to_json()) == ()
    asked = replace(
        plain, keep="best", stopping=partial(Stopping, patience=2), learning_rate=partial(Plateau, initial=0.1)
    )
    assert decided_by_held_out(asked.to_json()) == ("which epoch to keep", "when to stop", "the learning rate")
    before = {"start": {"decided": ["when to stop in stage first"]}}
    assert decided_in(plain.to_json(), before) == ("when to stop in stage first",)
    assert decided_in(plain.to_json(), {"start": None}) == ()


def test_that_nobody_knows_whether_the_other_heard_the_judges_is_said():
    one, two = scores(4, 1), scores(1, 2)
    speaker_of = {name: name[:3] for name in one.trials.ids}
    for known in (True, False):
        said = verdict(one, two, name="old", speaker_of=speaker_of, known=known)
        assert ("it is not known whether old heard them when it was trained" in said.basis) is not known
        assert said.to_json()["known_unheard"] is known
