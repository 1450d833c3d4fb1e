"""Trials drawn from a manifest: lawful, balanced, as many as there are, the same for the same seed."""

import time
from collections import Counter
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voxsphere.core.errors import BadInput
from voxsphere.core.manifest import Manifest, Utterance
from voxsphere.data.pairs import draw

ROW = st.tuples(
    st.integers(0, 5),  # speaker
    st.sampled_from(["", "x", "y", "z"]),  # session
    st.sampled_from(["f", "m", ""]),
    st.sampled_from(["en", "fa"]),
    st.sampled_from(["a", "b"]),
)


def manifest_of(rows) -> Manifest:
    return Manifest(
        tuple(
            Utterance(f"u{n}", f"/{n}.wav", f"s{s}", session=session, gender=gender, language=language, dataset=dataset)
            for n, (s, session, gender, language, dataset) in enumerate(rows)
        )
    )


def target_pairs(manifest: Manifest, cross_session: bool) -> dict[tuple[str, str], set[frozenset[str]]]:
    """Every target pair of each speaker, found by looking at all pairs."""
    found: dict[tuple[str, str], set[frozenset[str]]] = {}
    for who in {(u.dataset, u.speaker) for u in manifest}:
        own = [u for u in manifest if (u.dataset, u.speaker) == who]
        every = list(combinations(own, 2))
        across = [(a, b) for a, b in every if (a.session or a.path) != (b.session or b.path)]
        kept = across if cross_session and across else every
        found[who] = {frozenset((a.id, b.id)) for a, b in kept}
    return found


def drawn_pairs(manifest: Manifest, **options):
    """The drawn targets and non-targets, each an (enrolment, test) pair of utterances."""
    of = {u.id: u for u in manifest}
    drawn = draw(manifest, **options).trials
    pairs = [(of[drawn.ids[a]], of[drawn.ids[b]]) for a, b in zip(drawn.enrol, drawn.test, strict=True)]
    targets = [pair for pair, same in zip(pairs, drawn.target, strict=True) if same]
    return targets, [pair for pair, same in zip(pairs, drawn.target, strict=True) if not same]


def level(sizes: list[int], wanted: int) -> list[int]:
    """The fairest deal, one pair at a time to whoever has had the fewest."""
    given = [0] * len(sizes)
    for _ in range(min(wanted, sum(sizes))):
        given[min((g, n) for n, (g, size) in enumerate(zip(given, sizes, strict=True)) if g < size)[1]] += 1
    return sorted(given)


@settings(max_examples=200, deadline=None)
@given(
    rows=st.lists(ROW, min_size=2, max_size=30),
    targets=st.one_of(st.none(), st.integers(1, 60)),
    each=st.integers(1, 4),
    gender=st.booleans(),
    language=st.booleans(),
    dataset=st.booleans(),
    cross_session=st.booleans(),
    seed=st.integers(0, 3),
)
def test_trials_keep_every_law(rows, targets, each, gender, language, dataset, cross_session, seed):
    manifest = manifest_of(rows)
    asked = {"same_gender": gender, "same_language": language, "same_dataset": dataset, "cross_session": cross_session}
    possible = target_pairs(manifest, cross_session)
    groups = {u.id: (u.gender * gender, u.language * language, u.dataset * dataset) for u in manifest}
    opposed = {
        frozenset((a.id, b.id))
        for a, b in combinations(manifest, 2)
        if (a.dataset, a.speaker) != (b.dataset, b.speaker) and groups[a.id] == groups[b.id]
    }
    try:
        same, others = drawn_pairs(manifest, targets=targets, nontargets_per_target=each, seed=seed, **asked)
    except BadInput:
        able = {u.id for who, pairs in possible.items() if pairs for u in manifest if (u.dataset, u.speaker) == who}
        paired = sum(bool(pairs) for pairs in possible.values())
        unlucky = targets is not None and targets < paired  # whoever was drawn has nobody alike
        assert not paired or unlucky or not any(pair & able for pair in opposed)
        return
    every = [frozenset((a.id, b.id)) for a, b in same + others]
    assert len(set(every)) == len(every)
    assert all(len(pair) == 2 for pair in every)
    assert {frozenset((a.id, b.id)) for a, b in same} <= set.union(*possible.values())
    assert {frozenset((a.id, b.id)) for a, b in others} <= opposed
    given = Counter((a.dataset, a.speaker) for a, _ in same)
    sizes = [len(pairs) for pairs in possible.values()]
    assert sorted(given[who] for who in possible) == level(sizes, sum(sizes) if targets is None else targets)
    enrolled = Counter((a.dataset, a.speaker) for a, _ in others)
    used = {frozenset((a.id, b.id)) for a, b in others}
    own = {who: {u.id for u in manifest if (u.dataset, u.speaker) == who} for who in possible}
    for who in possible:
        assert enrolled[who] <= each * given[who]
        if enrolled[who] < each * given[who]:  # then it has none left
            assert all(pair in used for pair in opposed if pair & own[who])


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(ROW, min_size=4, max_size=30), data=st.data())
def test_a_draw_does_not_see_the_order_of_the_rows(rows, data):
    manifest = manifest_of([(0, "x", "f", "en", "a"), (0, "y", "f", "en", "a"), (1, "x", "f", "en", "a"), *rows])
    shuffled = Manifest(tuple(data.draw(st.permutations(manifest.utterances))))
    one, two = draw(manifest, targets=5), draw(shuffled, targets=5)
    assert one.trials.ids == two.trials.ids
    np.testing.assert_array_equal(one.trials.enrol, two.trials.enrol)
    np.testing.assert_array_equal(one.trials.test, two.trials.test)
    assert one.notes == two.notes


def spoken(*counts: int, **columns: str) -> Manifest:
    """So many utterances of each speaker."""
    return Manifest(
        tuple(
            Utterance(f"{s}-{n}", f"/{s}/{n}.wav", f"s{s}", **columns)
            for s, count in enumerate(counts)
            for n in range(count)
        )
    )


def test_impostors_are_drawn_evenly_from_speakers_of_many_and_of_few_utterances():
    manifest = spoken(*[2] * 10, *[40] * 10)
    _, others = drawn_pairs(manifest, targets=20, nontargets_per_target=40)
    tested = Counter(b.speaker for _, b in others)
    counts = [tested[speaker] for speaker in manifest.speakers]
    assert sum(counts) == 800
    # Each of 20 speakers is tested 40 times on average, with a standard deviation of about 6.2 if drawn evenly.
    assert max(abs(count - 40) for count in counts) < 5 * 6.2


def test_each_way_round_comes_as_often():
    same, _ = drawn_pairs(spoken(*[30] * 20), targets=2000)
    first = sum(int(a.id.split("-")[1]) < int(b.id.split("-")[1]) for a, b in same)
    assert 880 < first < 1120  # 1000 and more than five standard deviations


def test_another_seed_draws_other_pairs_and_the_same_seed_the_same():
    manifest = spoken(*[10] * 10)
    one, again, other = (draw(manifest, targets=50, seed=seed).trials for seed in (0, 0, 1))
    assert one.ids == again.ids
    np.testing.assert_array_equal(one.enrol, again.enrol)
    assert (one.ids, one.enrol.tolist()) != (other.ids, other.enrol.tolist())


def test_what_cannot_be_had_is_noted():
    assert draw(spoken(2, 2)).notes[0] == "no session is known: targets are pairs of two files"
    notes = draw(spoken(2, 2, session="x"), targets=5, nontargets_per_target=3).notes
    assert notes[0] == "2 of 2 speakers have one session only: their targets are within it"
    assert notes[1] == "2 targets instead of 5: the speakers have no more pairs"
    assert notes[2] == "4 non-targets instead of 6: some speakers have no more that are alike"
    assert draw(spoken(3, 3), targets=1, nontargets_per_target=1, cross_session=False).notes == ()


def test_copies_at_another_speed_are_left_out():
    manifest = spoken(3, 3).with_speeds_as_speakers(0.9)
    assert not any("@" in name for name in draw(manifest).trials.ids)


@pytest.mark.parametrize(
    ("manifest", "told"),
    [
        (spoken(1, 1), "no speaker has two utterances"),
        (spoken(2), "nobody drawn has others alike"),
        (Manifest(()), "the manifest is empty"),
        (Manifest((Utterance("u", "/a.wav"),)), "'u' names no speaker"),
    ],
)
def test_impossible_draws_are_refused(manifest, told):
    with pytest.raises(BadInput, match=told):
        draw(manifest)


def test_nontargets_are_not_asked_of_a_single_speaker_who_needs_none():
    assert len(draw(spoken(3), nontargets_per_target=0).trials) == 3


@pytest.mark.slow
def test_a_million_trials_over_a_hundred_thousand_utterances_take_seconds():
    speakers = np.random.default_rng(0).integers(0, 5000, 100_000)
    rows = (Utterance(f"{n}", f"/{n}.wav", f"s{s}", gender="fm"[s % 2]) for n, s in enumerate(speakers))
    manifest = Manifest(tuple(rows))
    begun = time.perf_counter()
    assert len(draw(manifest, targets=170_000).trials) == 1_020_000
    assert time.perf_counter() - begun < 30  # 3 s on an idle core
