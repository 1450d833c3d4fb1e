"""Trial lists: two forms, told apart by content."""

import time

import numpy as np
import pytest

from voxsphere.core.errors import BadInput
from voxsphere.core.trials import Trials


def written(folder, text):
    (folder / "trials.txt").write_text(text)
    return folder / "trials.txt"


def test_both_forms_mean_the_same(tmp_path):
    voxceleb = Trials.load(written(tmp_path, "1 a b\n0 a c\n\n"))
    kaldi = Trials.load(written(tmp_path, "a b target\na c nontarget\n"))
    for trials in (voxceleb, kaldi):
        assert trials.ids == ("a", "b", "c") or set(trials.ids) == {"a", "b", "c"}
        assert [trials.ids[i] for i in trials.enrol] == ["a", "a"]
        assert [trials.ids[i] for i in trials.test] == ["b", "c"]
        assert trials.target.tolist() == [True, False]


def test_pairs_without_labels_have_none(tmp_path):
    assert Trials.load(written(tmp_path, "a b\na c\n")).target is None


@pytest.mark.parametrize("form", ["voxceleb", "kaldi"])
@pytest.mark.parametrize("labels", [[True, False, True], None])
def test_trials_survive_the_disk(tmp_path, form, labels):
    trials = Trials.from_pairs(["a", "b", "a"], ["b", "c", "c"], labels)
    trials.save(tmp_path / "t.txt", form=form)
    again = Trials.load(tmp_path / "t.txt")
    assert again.ids == trials.ids
    np.testing.assert_array_equal(again.enrol, trials.enrol)
    np.testing.assert_array_equal(again.test, trials.test)
    assert (again.target is None) == (labels is None)
    assert labels is None or again.target.tolist() == labels


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "holds no trial"),
        ("a b maybe\n", "line 1 is not a trial"),
        ("1 a b\n0 a\n", "line 2"),
        ("1 a b\n2 a b\n", "line 2"),
        ("a b target\n1 a b\n", "line 2"),
        ("a b\na b target\n", "line 2"),
    ],
)
def test_the_line_that_is_no_trial_is_named(tmp_path, text, told):
    with pytest.raises(BadInput, match=told) as refused:
        Trials.load(written(tmp_path, text))
    assert "trials.txt" in str(refused.value)


@pytest.mark.parametrize("labels", [[True, False, True], None])
def test_trials_survive_as_a_table(tmp_path, labels):
    pytest.importorskip("pyarrow")
    trials = Trials.from_pairs(["a", "b", "a"], ["b", "c", "c"], labels)
    trials.save(tmp_path / "t.parquet")
    again = Trials.load(tmp_path / "t.parquet")
    pairs = [
        [(each.ids[a], each.ids[b]) for a, b in zip(each.enrol, each.test, strict=True)] for each in (trials, again)
    ]
    assert pairs[0] == pairs[1]
    assert (again.target is None) == (labels is None)
    assert labels is None or again.target.tolist() == labels


def test_tables_of_plain_words_from_elsewhere_are_read_in_any_pieces(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    table = pyarrow.table({"test": ["b", "c", "c"], "enrol": ["a", "a", "d"], "target": [True, False, False]})
    parquet.write_table(table, tmp_path / "t.parquet", row_group_size=2)
    again = Trials.load(tmp_path / "t.parquet")
    assert [(again.ids[a], again.ids[b]) for a, b in zip(again.enrol, again.test, strict=True)] == [
        ("a", "b"), ("a", "c"), ("d", "c"),
    ]  # fmt: skip
    assert again.target.tolist() == [True, False, False]


@pytest.mark.parametrize(("content", "told"), [(b"PAR1 nothing", "is damaged or no Parquet"), (None, "no column test")])
def test_a_table_that_is_none_is_told(tmp_path, content, told):
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    if content is None:
        parquet.write_table(pyarrow.table({"enrol": ["a"]}), tmp_path / "t.parquet")
    else:
        (tmp_path / "t.parquet").write_bytes(content)
    with pytest.raises(BadInput, match=told):
        Trials.load(tmp_path / "t.parquet")


@pytest.mark.slow
def test_a_million_lines_load_in_seconds(tmp_path):
    names = np.random.default_rng(0).integers(0, 5000, (1_000_000, 2))
    path = written(tmp_path, "".join(f"{i % 2} id{a:05d}/x.wav id{b:05d}/y.wav\n" for i, (a, b) in enumerate(names)))
    begun = time.perf_counter()
    assert len(Trials.load(path)) == 1_000_000
    assert time.perf_counter() - begun < 15  # about 2 s on an idle core


@pytest.mark.corpus
def test_the_official_lists_are_read(corpus):
    for path in sorted(corpus.glob("trials_*.txt")):
        trials = Trials.load(path)
        assert trials.target.any(), path
        assert not trials.target.all(), path


def test_a_speaker_called_1_or_0_does_not_make_a_list_voxcelebs(tmp_path):
    (tmp_path / "trials").write_text("1 u7 target\n0 u8 nontarget\n")
    trials = Trials.load(tmp_path / "trials")
    assert [trials.ids[i] for i in (*trials.enrol, *trials.test)] == ["1", "0", "u7", "u8"]
    assert trials.target is not None
    assert trials.target.tolist() == [True, False]
