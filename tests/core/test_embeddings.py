"""Embedding files: every form gives back what was put in, and damage is one line."""

import kaldiio
import numpy as np
import pytest

from voxsphere.core.embeddings import Embeddings
from voxsphere.core.errors import BadInput

MADE = Embeddings(
    ids=("s1/a", "s1/b", "ü"),
    vectors=np.random.default_rng(0).normal(size=(3, 5)).astype(np.float32),
    model="abc",
    seconds=np.array([1.5, 2.5, 0.0], dtype=np.float32),
)


@pytest.mark.parametrize("ending", [".safetensors", ".npz", ".h5", ".hdf"])
@pytest.mark.parametrize("seconds", [MADE.seconds, None])
def test_own_forms_keep_everything(tmp_path, ending, seconds):
    path = tmp_path / f"e{ending}"
    Embeddings(MADE.ids, MADE.vectors, MADE.model, seconds).save(path)
    again = Embeddings.load(path)
    assert (again.ids, again.model) == (MADE.ids, "abc")
    np.testing.assert_array_equal(again.vectors, MADE.vectors)
    assert (again.seconds is None) == (seconds is None)


@pytest.mark.parametrize("ending", [".ark", ".scp"])
def test_kaldi_reads_ours_and_we_read_kaldis(tmp_path, ending):
    MADE.save(tmp_path / f"ours{ending}")
    theirs = kaldiio.load_scp(str(tmp_path / "ours.scp"))
    for name, vector in zip(MADE.ids, MADE.vectors, strict=True):
        np.testing.assert_array_equal(theirs[name], vector)
    kaldiio.save_ark(
        str(tmp_path / "k.ark"), dict(zip(MADE.ids, MADE.vectors, strict=True)), scp=str(tmp_path / "k.scp")
    )
    again = Embeddings.load(tmp_path / f"k{ending}")
    assert again.ids == MADE.ids
    np.testing.assert_array_equal(again.vectors, MADE.vectors)


def test_an_old_list_does_not_outlive_its_archive(tmp_path, killed_after_the_archive):
    MADE.save(tmp_path / "e.ark")
    killed_after_the_archive()
    with pytest.raises(KeyboardInterrupt):
        Embeddings(MADE.ids[::-1], MADE.vectors).save(tmp_path / "e.ark")
    assert Embeddings.load(tmp_path / "e.ark").ids == MADE.ids[::-1]
    assert not (tmp_path / "e.scp").exists()


def test_a_command_in_an_scp_is_not_run(tmp_path):
    (tmp_path / "e.scp").write_text(f"a touch {tmp_path}/ran |\n")
    with pytest.raises(BadInput, match="commands are not run"):
        Embeddings.load(tmp_path / "e.scp")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("ending", [".safetensors", ".npz", ".h5", ".ark", ".scp"])
def test_damage_is_told_in_one_line_that_names_the_file(tmp_path, ending):
    path = tmp_path / f"e{ending}"
    path.write_bytes(b"not this \x00\x01\x02 at all")
    with pytest.raises(BadInput) as refused:
        Embeddings.load(path)
    assert str(path) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_an_ending_nobody_knows_lists_those_that_are_known(tmp_path):
    with pytest.raises(BadInput, match=r"\.safetensors"):
        MADE.save(tmp_path / "e.pkl")


def test_rows_finds_ids_and_names_the_first_that_is_missing():
    assert MADE.rows(["ü", "s1/a"]).tolist() == [2, 0]
    with pytest.raises(BadInput, match="s2/x"):
        MADE.rows(["ü", "s2/x", "s2/y"])


def test_two_embeddings_of_one_id_are_refused():
    with pytest.raises(BadInput, match="s1/a: has two"):
        Embeddings(("s1/a", "s1/a"), np.zeros((2, 3), dtype=np.float32))


def test_a_pickled_archive_is_not_unpickled(tmp_path):
    np.savez(tmp_path / "e.npz", ids=np.array([{"a": 1}], dtype=object), vectors=np.zeros((1, 2)))
    with pytest.raises(BadInput):
        Embeddings.load(tmp_path / "e.npz")


def test_an_npz_of_names_and_vectors_that_numpy_wrote_is_read(tmp_path):
    np.savez(tmp_path / "e.npz", ids=np.array(["a", "bé"]), vectors=np.eye(2))
    found = Embeddings.load(tmp_path / "e.npz")
    assert found.ids == ("a", "bé")
    np.testing.assert_array_equal(found.vectors, np.eye(2))
