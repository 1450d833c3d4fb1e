"""Closed sets: the same speakers teach and judge, by different recordings."""

import pytest

from voxsphere.core.errors import BadInput
from voxsphere.core.manifest import Manifest, Utterance
from voxsphere.data.closed_set import closed_set


def made(tmp_path, rows):
    """A manifest of (id, speaker, split, dataset)."""
    table = tmp_path / "table.tsv"
    Manifest(tuple(Utterance(i, f"{i}.wav", s, split=p, dataset=d) for i, s, p, d in rows)).save(table)
    return str(table)


def test_the_split_that_judges_is_taken_as_it_is(tmp_path):
    rows = [(f"{s}{i}", s, split, "d") for s in "abc" for i, split in enumerate(("train", "train", "dev", "test"))]
    found = closed_set(manifest=made(tmp_path, rows))
    assert found.closed
    assert {u.id[1:] for u in found.train} == {"0", "1"}
    assert {u.id[1:] for u in found.held_out} == {"2"}
    assert found.train.speakers == ("d/a", "d/b", "d/c") == found.held_out.speakers
    assert not len(found.trials)


def test_without_such_a_split_a_share_of_each_speaker_is_drawn(tmp_path):
    table = made(tmp_path, [(f"{s}{i}", s, "", "") for s in "abc" for i in range(10)])
    found = closed_set(manifest=table, share=0.3)
    for speaker in "abc":
        assert sum(u.speaker == speaker for u in found.held_out) == 3
        assert sum(u.speaker == speaker for u in found.train) == 7
    assert not {u.id for u in found.train} & {u.id for u in found.held_out}
    assert closed_set(manifest=table, share=0.3).fingerprint == found.fingerprint
    assert closed_set(manifest=table, share=0.3, seed=1).fingerprint != found.fingerprint


def test_who_has_too_few_recordings_teaches_only_or_is_left_out(tmp_path):
    rows = [(f"a{i}", "a", "", "") for i in range(4)] + [("b0", "b", "", ""), ("b1", "b", "", ""), ("c0", "c", "", "")]
    found = closed_set(manifest=made(tmp_path, rows), least=3)
    assert found.held_out.speakers == ("a",)
    assert found.train.speakers == ("a", "b")  # c has but one recording


@pytest.mark.parametrize(
    ("rows", "options", "words"),
    [
        ([("a0", "a", "", ""), ("a1", "a", "", "")], {}, "leaves 1 speakers"),
        ([("a0", "a", "", ""), ("b0", "b", "", "")], {"min_utterances": 1}, "leaves no recording to judge by"),
        ([("a0", "a", "train", ""), ("b0", "b", "train", ""), ("c0", "c", "dev", "")], {"min_utterances": 1}, "c"),
        ([(f"{s}{i}", s, "", "") for s in "ab" for i in range(3)], {"share": 1.5}, "a share of 1.5"),
        ([(f"{s}{i}", s, "", "d") for s in "ab" for i in range(3)], {"datasets": ("x",)}, "is of data sets x"),
    ],
)
def test_what_is_no_closed_set_is_refused(tmp_path, rows, options, words):
    with pytest.raises(BadInput, match=words):
        closed_set(manifest=made(tmp_path, rows), **options)
