"""All pairs of a manifest, against every combination by itself; and conditions on its columns."""

import time
from itertools import combinations

import numpy as np
import pytest

from voxsphere.core.errors import BadInput
from voxsphere.core.manifest import Manifest, Utterance
from voxsphere.data.all_pairs import all_pairs
from voxsphere.data.where import where


def manifest_of(*people, **options):
    return Manifest(tuple(Utterance(f"u{i}", f"{i}.wav", who, **options) for i, who in enumerate(people)))


def test_every_two_utterances_are_tried_once_and_known_by_their_speakers():
    manifest = manifest_of("a", "b", "a", "c", "b", "a")
    made = all_pairs(manifest)
    found = [(made.ids[a], made.ids[b], bool(t)) for a, b, t in zip(made.enrol, made.test, made.target, strict=True)]
    assert found == [(one.id, other.id, one.speaker == other.speaker) for one, other in combinations(manifest, 2)]


def test_one_name_in_two_data_sets_is_two_people_and_faster_copies_are_left_out():
    rows = (
        Utterance("x", "x.wav", "a", dataset="one"),
        Utterance("y", "y.wav", "a", dataset="two"),
        Utterance("z", "z.wav", "a", dataset="one"),
        Utterance("z@0.9", "z.wav", "a@0.9", dataset="one", speed=0.9),
    )
    made = all_pairs(Manifest(rows))
    assert made.ids == ("x", "y", "z")
    assert made.target.tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("people", "told"), [((), "is empty"), (("a",), "all pairs of 1"), (("a", ""), "names no speaker")]
)
def test_what_has_no_pairs_is_told(people, told):
    with pytest.raises(BadInput, match=told):
        all_pairs(manifest_of(*people))


@pytest.mark.slow
def test_voxceleb1s_pairs_are_there_in_seconds_and_in_nine_bytes_each():
    """4,872 utterances of 40 people: 11.9 million pairs, and as many targets as the people's sizes say."""
    people = [f"p{i % 40}" for i in range(4872)]
    begun = time.perf_counter()
    made = all_pairs(manifest_of(*people))
    assert time.perf_counter() - begun < 15  # 0.4 s on an idle core
    sizes = np.bincount([int(name[1:]) for name in people])
    assert (len(made), int(made.target.sum())) == (4872 * 4871 // 2, int((sizes * (sizes - 1) // 2).sum()))
    assert made.enrol.nbytes + made.test.nbytes + made.target.nbytes == 9 * len(made)


def test_conditions_are_met_by_columns_known_and_unknown():
    rows = (
        Utterance("x", "x.wav", "a", split="test", extra=(("set", "dev"),)),
        Utterance("y", "y.wav", "b", split="test", extra=(("set", "test"),)),
        Utterance("z", "z.wav", "b", split="train"),
    )
    manifest = Manifest(rows)
    assert where(manifest, ()).ids == ("x", "y", "z")
    assert where(manifest, ("split=test",)).ids == ("x", "y")
    assert where(manifest, ("split=test", "set=test")).ids == ("y",)
    assert where(manifest, ("set=",)).ids == ("z",)
    for conditions, told in ((("set",), "a condition is COLUMN=VALUE"), (("split=eval",), "none of 3 utterances")):
        with pytest.raises(BadInput, match=told):
            where(manifest, conditions)
