"""Samplers: who comes how often, beside whom, and that nothing but seed and epoch decides it."""

import subprocess
import sys
from collections import Counter
from functools import partial

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from voxsphere.core.errors import BadInput
from voxsphere.data.samplers import Bucketed, ByDuration, Drawn, Shuffled, SpeakerBalanced, SpeakersByUtterances

SAMPLERS = {
    "shuffled": Shuffled,
    "drawn": Drawn,
    "drawn, five batches": partial(Drawn, batches=5),
    "balanced": SpeakerBalanced,
    "balanced, three each": partial(SpeakerBalanced, repeats=3),
    "balanced, fixed": partial(SpeakerBalanced, renew=False),
    "pairs": partial(SpeakersByUtterances, utterances=2),
    "pairs, three times": partial(SpeakersByUtterances, utterances=2, cycles=3),
    "bucketed": partial(Bucketed, width=2),
    "by duration": ByDuration,
}


@st.composite
def corpora(draw):
    """Numbers of speakers from 0 on, each at least once, in any order, and durations."""
    speakers = draw(st.integers(1, 12))
    more = draw(st.lists(st.integers(0, speakers - 1), max_size=60))
    numbers = draw(st.permutations([*range(speakers), *more]))
    durations = draw(st.lists(st.floats(0.1, 30), min_size=len(numbers), max_size=len(numbers)))
    return numbers, durations


def made(kind, corpus, batch_size, seed=0):
    """The sampler, if it can make batches of that size at all."""
    try:
        return SAMPLERS[kind](*corpus, batch_size=batch_size, seed=seed)
    except BadInput:
        assume(False)


@pytest.mark.parametrize("kind", SAMPLERS)
@settings(deadline=None)
@given(corpora(), st.integers(1, 16), st.integers(0, 5))
def test_an_epoch_is_whole_batches_of_rows_that_exist(kind, corpus, batch_size, epoch):
    sampler = made(kind, corpus, batch_size)
    rows = sampler.batches(epoch)
    assert rows.shape == (sampler.batches_per_epoch, batch_size)
    assert sampler.batches_per_epoch >= 1
    assert 0 <= rows.min() <= rows.max() < len(corpus[0])


@pytest.mark.parametrize("kind", SAMPLERS)
@settings(deadline=None, max_examples=40)
@given(corpora(), st.integers(1, 8), st.integers(0, 5), st.integers(0, 3))
def test_batches_depend_on_seed_and_epoch_alone(kind, corpus, batch_size, epoch, seed):
    first, second = (made(kind, corpus, batch_size, seed) for _ in range(2))
    for earlier in (3, 1, 4):
        second.batches(earlier)
    np.random.seed(epoch)
    np.testing.assert_array_equal(first.batches(epoch), second.batches(epoch))


@pytest.mark.parametrize("kind", SAMPLERS)
def test_seeds_and_epochs_give_other_orders(kind):
    corpus = [i % 10 for i in range(60)], [1.0 + i % 7 for i in range(60)]
    drawn = [SAMPLERS[kind](*corpus, batch_size=4, seed=seed).batches(epoch) for seed in (0, 1) for epoch in (0, 1)]
    assert len({rows.tobytes() for rows in drawn}) == 4


def test_another_process_deals_the_same():
    told = (
        "from voxsphere.data.samplers import *; import hashlib; c = [i % 9 for i in range(80)], [1.0 + i for i in "
        "range(80)]\n"
        "for s in (Shuffled, SpeakerBalanced, SpeakersByUtterances, Bucketed):\n"
        "    print(hashlib.sha256(s(*c, batch_size=8, seed=5).batches(7).tobytes()).hexdigest())"
    )
    runs = [subprocess.run([sys.executable, "-c", told], capture_output=True, check=True).stdout for _ in range(2)]
    assert runs[0] == runs[1]
    assert len(set(runs[0].split())) == 4


@pytest.mark.parametrize("kind", ["shuffled", "bucketed"])
@settings(deadline=None)
@given(corpora(), st.integers(1, 16), st.integers(0, 5))
def test_no_utterance_comes_twice_an_epoch_and_fewer_than_a_batch_wait(kind, corpus, batch_size, epoch):
    rows = made(kind, corpus, batch_size).batches(epoch).ravel()
    assert len(set(rows)) == len(rows) > len(corpus[0]) - batch_size


@pytest.mark.parametrize("kind", [Shuffled, Bucketed])
def test_who_has_to_wait_is_drawn_anew_each_epoch(kind):
    # 11 utterances, batches of 4: three wait. The longest must not be the same ones always.
    corpus = [0] * 11, [float(i + 1) for i in range(11)]
    sampler = kind(*corpus, batch_size=4, seed=0)
    came = Counter(row for epoch in range(300) for row in sampler.batches(epoch).ravel().tolist())
    assert sum(came.values()) == 300 * 8
    # Each comes with a chance of 8/11, so 218 times in 300, give or take 8.
    assert all(170 < came[row] < 260 for row in range(11))


@settings(deadline=None)
@given(corpora(), st.integers(1, 6), st.integers(0, 5))
def test_balanced_speakers_come_equally_often_until_the_last_batch_is_full(corpus, repeats, epoch):
    speakers, durations = np.array(corpus[0]), corpus[1]
    sampler = SpeakerBalanced(speakers, durations, batch_size=1, seed=0, repeats=repeats)
    rows = sampler.batches(epoch).ravel()
    assert set(Counter(speakers[rows].tolist()).values()) == {repeats}


@settings(deadline=None)
@given(corpora(), st.integers(1, 30), st.integers(0, 5))
def test_balanced_utterances_come_in_turn(corpus, repeats, epoch):
    speakers, durations = np.array(corpus[0]), corpus[1]
    rows = SpeakerBalanced(speakers, durations, batch_size=1, seed=0, repeats=repeats).batches(epoch).ravel()
    for speaker in np.unique(speakers):
        counts = [int((rows == row).sum()) for row in np.flatnonzero(speakers == speaker)]
        assert max(counts) - min(counts) <= 1


def test_without_repeats_a_balanced_epoch_is_as_long_as_the_corpus():
    sampler = SpeakerBalanced([0] * 7 + [1] * 3, [1.0] * 10, batch_size=2, seed=0)
    assert sampler.batches_per_epoch == 5
    assert Counter((sampler.batches(0) < 7).ravel().tolist()) == {True: 5, False: 5}


@pytest.mark.parametrize(("seconds", "repeats"), [(1.5, 1), (3.0, 2), (3.1, 4), (340 * 3600 / 1211, 1024), (0.1, 1)])
def test_as_many_pieces_as_the_systems_egs(seconds, repeats):
    # Each of five speakers: 2^ceil(log2(2 · seconds / 3)); VoxCeleb1 has 340 hours of 1,211 speakers.
    sampler = SpeakerBalanced(range(5), [seconds] * 5, batch_size=5, seed=0, repeats="auto")
    assert sampler.repeats == repeats
    with pytest.raises(BadInput, match="repeats=auto counts seconds"):
        SpeakerBalanced(range(2), [1.0, None], batch_size=2, seed=0, repeats="auto")


def test_examples_that_are_not_renewed_come_again_in_another_order():
    corpus = [i % 5 for i in range(40)], [1.0] * 40
    kept = SpeakerBalanced(*corpus, batch_size=10, seed=0, repeats=4, renew=False)
    one, other = kept.batches(0), kept.batches(1)
    assert sorted(one.ravel()) == sorted(other.ravel())
    assert not np.array_equal(one, other)
    renewed = SpeakerBalanced(*corpus, batch_size=10, seed=0, repeats=4)
    assert sorted(renewed.batches(0).ravel()) != sorted(renewed.batches(1).ravel())


@settings(deadline=None)
@given(corpora(), st.integers(1, 4), st.integers(1, 12), st.integers(0, 5))
def test_pairs_stand_side_by_side_and_no_speaker_comes_twice_in_a_batch(corpus, utterances, speakers, epoch):
    numbers = np.array(corpus[0])
    assume(speakers <= len(np.unique(numbers)))
    sampler = SpeakersByUtterances(*corpus, batch_size=speakers * utterances, seed=0, utterances=utterances)
    of = numbers[sampler.batches(epoch)].reshape(-1, speakers, utterances)
    assert (of == of[:, :, :1]).all()
    for batch in of[:, :, 0]:
        assert len(set(batch.tolist())) == speakers


@settings(deadline=None)
@given(corpora(), st.integers(1, 4), st.integers(0, 5))
def test_a_speaker_who_has_enough_gives_different_utterances(corpus, utterances, epoch):
    numbers = np.array(corpus[0])
    sampler = SpeakersByUtterances(*corpus, batch_size=utterances, seed=0, utterances=utterances)
    for group in sampler.batches(epoch):
        has = int((numbers == numbers[group[0]]).sum())
        assert len(set(group.tolist())) == min(has, utterances)


def test_each_speakers_utterances_are_dealt_out_before_any_comes_again():
    numbers = np.repeat(np.arange(8), 6)
    sampler = SpeakersByUtterances(numbers, [1.0] * 48, batch_size=8, seed=0, utterances=2)
    rows = sampler.batches(0).ravel()
    assert sampler.batches_per_epoch == 6
    assert len(set(rows.tolist())) == 48


def test_a_speaker_with_few_utterances_is_not_forgotten():
    numbers = np.array([0] * 30 + [1] * 30 + [2])
    sampler = SpeakersByUtterances(numbers, [1.0] * 61, batch_size=4, seed=0, utterances=2)
    assert 60 in sampler.batches(0)


@settings(deadline=None)
@given(corpora(), st.integers(1, 4), st.integers(1, 7), st.integers(0, 5))
def test_with_cycles_every_speaker_comes_so_often_however_many_utterances_he_has(corpus, utterances, cycles, epoch):
    numbers = np.array(corpus[0])
    sampler = SpeakersByUtterances(*corpus, batch_size=utterances, seed=0, utterances=utterances, cycles=cycles)
    groups = sampler.batches(epoch)
    assert sampler.batches_per_epoch == len(groups) == cycles * len(np.unique(numbers))
    assert set(Counter(numbers[groups[:, 0]].tolist()).values()) == {cycles}
    for group in groups:
        assert len(set(group.tolist())) == min(int((numbers == numbers[group[0]]).sum()), utterances)


@settings(deadline=None)
@given(corpora(), st.integers(1, 3), st.integers(1, 8), st.integers(1, 5))
def test_cycles_are_even_over_speakers_in_large_batches_too(corpus, utterances, speakers, cycles):
    numbers = np.array(corpus[0])
    assume(speakers <= len(np.unique(numbers)))
    sampler = SpeakersByUtterances(
        *corpus, batch_size=speakers * utterances, seed=0, utterances=utterances, cycles=cycles
    )
    came = Counter(numbers[sampler.batches(0)[:, ::utterances]].ravel().tolist())
    # What does not fill a batch waits, so some speakers come once less.
    assert all(cycles - 1 <= came[speaker] <= cycles for speaker in np.unique(numbers).tolist())


def test_a_speakers_utterances_are_all_dealt_before_any_comes_again_in_a_cycle():
    numbers = np.array([0] * 6 + [1] * 6)
    rows = SpeakersByUtterances(numbers, [1.0] * 12, batch_size=4, seed=0, utterances=2, cycles=6).batches(0)
    for speaker in (0, 1):
        own = rows[numbers[rows] == speaker]
        assert set(Counter(own.tolist()).values()) == {2}  # six pairs of six utterances: twice each


def test_cycles_below_zero_are_refused():
    with pytest.raises(BadInput, match="a speaker cannot come -1 times an epoch"):
        SpeakersByUtterances([0, 1], [1.0] * 2, batch_size=2, seed=0, utterances=1, cycles=-1)


@pytest.mark.parametrize(
    ("batch_size", "utterances", "mend"),
    [(5, 2, "size=4"), (10, 2, "size=8"), (8, 1, "size=4"), (6, 4, "size=4"), (3, 4, "size=4"), (4, 0, "1 or more")],
)
def test_batches_that_the_speakers_cannot_fill_are_refused(batch_size, utterances, mend):
    with pytest.raises(BadInput, match=f"a batch of {batch_size} cannot hold {utterances} utterances.*{mend}$"):
        SpeakersByUtterances([0, 0, 1, 1, 2, 2, 3], [1.0] * 7, batch_size=batch_size, seed=0, utterances=utterances)


@pytest.mark.parametrize("kind", ["shuffled", "balanced", "bucketed"])
def test_an_epoch_that_fills_no_batch_is_refused(kind):
    with pytest.raises(BadInput, match="do not fill one batch of 9; take a smaller batch_size"):
        SAMPLERS[kind]([0, 1, 2, 3], [1.0] * 4, batch_size=9, seed=0)


def test_buckets_need_durations():
    with pytest.raises(BadInput, match="buckets need durations"):
        Bucketed([0, 1], [1.0, None], batch_size=1, seed=0)


def test_buckets_of_no_width_are_refused():
    with pytest.raises(BadInput, match="a width of 1 or more"):
        Bucketed([0, 1], [1.0, 2.0], batch_size=1, seed=0, width=0)


def test_wide_buckets_hold_what_is_alike_and_narrow_ones_do_not():
    durations = np.random.default_rng(0).uniform(1, 20, 1000)

    def spread(width):
        rows = Bucketed([0] * 1000, durations, batch_size=10, seed=0, width=width).batches(0)
        return float(np.ptp(durations[rows], axis=1).mean())

    assert spread(100) < 0.3 < spread(10) < spread(1)
    assert spread(1) > 12


def test_buckets_come_in_no_order_of_length():
    durations = np.random.default_rng(0).uniform(1, 20, 1000)
    rows = Bucketed([0] * 1000, durations, batch_size=10, seed=0, width=100).batches(0)
    means = durations[rows].mean(1)
    assert abs(np.corrcoef(means, np.arange(len(means)))[0, 1]) < 0.3


def test_drawn_examples_are_of_all_utterances_alike_and_an_epoch_has_as_many_batches_as_asked():
    sampler = Drawn([0, 0, 0, 1], [None] * 4, batch_size=10, seed=0, batches=800)
    rows = np.concatenate([sampler.batches(epoch) for epoch in (0, 1)])
    assert (sampler.batches_per_epoch, rows.shape) == (800, (1600, 10))
    counts = np.bincount(rows.ravel(), minlength=4)
    assert np.abs(counts - 4000).max() < 5 * np.sqrt(16000 * 3 / 16)  # five deviations
    assert not np.array_equal(sampler.batches(0), sampler.batches(1))
    with pytest.raises(BadInput, match="-1 batches"):
        Drawn([0], [None], batch_size=1, seed=0, batches=-1)
