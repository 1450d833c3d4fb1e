"""Splits by speakers: nobody on both sides, fair to data sets and genders, the same for the same people."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voxsphere.core.errors import BadInput
from voxsphere.core.manifest import Manifest, Utterance
from voxsphere.data.people import person
from voxsphere.data.split import marked, split


def manifest_of(counts: list[tuple[str, str, int]]) -> Manifest:
    """Speakers 0, 1, … of these (data set, gender, number of utterances)."""
    rows = [
        Utterance(f"{s}-{n}", f"/{s}/{n}.wav", f"s{s}", dataset=dataset, gender=gender)
        for s, (dataset, gender, count) in enumerate(counts)
        for n in range(count)
    ]
    return Manifest(tuple(rows))


SPEAKERS = st.lists(
    st.tuples(st.sampled_from(["a", "b", ""]), st.sampled_from(["f", "m", ""]), st.integers(1, 4)),
    min_size=3,
    max_size=40,
)


@settings(max_examples=100, deadline=None)
@given(counts=SPEAKERS, seed=st.integers(0, 9), data=st.data())
def test_a_split_parts_the_speakers_and_loses_nobody(counts, seed, data):
    manifest = manifest_of(counts)
    number = data.draw(st.integers(1, len(counts) - 1))
    teaching, judging = split(manifest, held_out=number, seed=seed)
    assert len(judging.speakers) == number
    assert not set(teaching.speakers) & set(judging.speakers)
    assert sorted(teaching.ids + judging.ids) == sorted(manifest.ids)
    place = {name: row for row, name in enumerate(manifest.ids)}
    for side in (teaching, judging):
        assert [place[name] for name in side.ids] == sorted(place[name] for name in side.ids)


@settings(max_examples=100, deadline=None)
@given(counts=SPEAKERS, data=st.data())
def test_a_split_does_not_see_the_order_of_the_rows(counts, data):
    manifest = manifest_of(counts)
    shuffled = Manifest(tuple(data.draw(st.permutations(manifest.utterances))))
    assert split(manifest, held_out=2, seed=1)[1].speakers == split(shuffled, held_out=2, seed=1)[1].speakers


@settings(max_examples=100, deadline=None)
@given(counts=SPEAKERS, data=st.data())
def test_speakers_of_one_utterance_are_held_out_last(counts, data):
    number = data.draw(st.integers(1, len(counts) - 1))
    judging = split(manifest_of(counts), held_out=number, seed=0)[1]
    several = sum(count > 1 for _, _, count in counts)
    assert sum(count > 1 for count in Counter(u.speaker for u in judging).values()) == min(number, several)


@settings(max_examples=100, deadline=None)
@given(sizes=st.lists(st.integers(1, 30), min_size=2, max_size=6), data=st.data())
def test_every_data_set_and_gender_gives_its_share_to_within_two_speakers(sizes, data):
    counts = [(f"d{n // 2}", "fm"[n % 2], 2) for n, size in enumerate(sizes) for _ in range(size)]
    number = data.draw(st.integers(1, len(counts) - 1))
    judging = split(manifest_of(counts), held_out=number, seed=3)[1]
    held = Counter((dataset, gender) for dataset, gender, _ in {(u.dataset, u.gender, u.speaker) for u in judging})
    for n, size in enumerate(sizes):
        assert abs(held[(f"d{n // 2}", "fm"[n % 2])] - number * size / len(counts)) <= 2


def test_speakers_are_held_out_in_twos_of_a_kind():
    manifest = manifest_of([("a", "fm"[n % 2], 2) for n in range(22)])
    held = split(manifest, held_out=0.05, seed=0)[1]
    assert len(held.speakers) == 2
    assert len({utterance.gender for utterance in held}) == 1


def test_another_seed_holds_out_others():
    manifest = manifest_of([("", "", 2)] * 50)
    assert split(manifest, held_out=10, seed=0)[1].speakers != split(manifest, held_out=10, seed=1)[1].speakers


def test_a_further_speaker_moves_few_others():
    people = [("", "", 2)] * 100
    before = set(split(manifest_of(people), held_out=20, seed=0)[1].speakers)
    after = set(split(manifest_of([*people, ("", "", 2)]), held_out=20, seed=0)[1].speakers)
    assert len(before - after) <= 1


def test_one_name_in_two_data_sets_is_two_people_and_speed_copies_stay_with_theirs():
    rows = [
        Utterance(f"{dataset}{n}{u}", "/a.wav", f"s{n}", dataset=dataset)
        for dataset in "ab"
        for n in range(10)
        for u in range(2)
    ]
    manifest = Manifest(tuple(rows)).with_speeds_as_speakers(0.9, 1.1)
    teaching, judging = split(manifest, held_out=5, seed=0)
    assert len({person(utterance) for utterance in judging}) == 5
    assert len(judging) == 5 * 2 * 3
    assert not {person(utterance) for utterance in judging} & {person(utterance) for utterance in teaching}


def test_the_column_form_names_both_sides():
    manifest = manifest_of([("", "", 2)] * 6)
    held = split(manifest, held_out=2, seed=0)[1]
    whole = marked(manifest, held)
    assert whole.ids == manifest.ids
    assert {u.id for u in whole if u.split == "held_out"} == set(held.ids)
    assert {u.split for u in whole} == {"train", "held_out"}


@pytest.mark.parametrize(
    ("held_out", "told"),
    [(0, "0 of 3 speakers"), (3, "3 of 3 speakers"), (1.5, "a share of 1.5"), (0.0, "a share of 0"), (0.9, "3 of 3")],
)
def test_impossible_splits_are_refused(held_out, told):
    with pytest.raises(BadInput, match=told):
        split(manifest_of([("", "", 2)] * 3), held_out=held_out, seed=0)


def test_an_empty_manifest_and_one_without_speakers_are_refused():
    with pytest.raises(BadInput, match="empty"):
        split(Manifest(()), held_out=1, seed=0)
    with pytest.raises(BadInput, match=r"'u' names no speaker"):
        split(Manifest((Utterance("u", "/a.wav"),)), held_out=1, seed=0)
