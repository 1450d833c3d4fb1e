"""Files are whole or not there."""

import stat

import pytest

from voxsphere.core.errors import BadInput
from voxsphere.core.files import atomic, existing, read_json, read_text, sha256, write_json


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    (tmp_path / "f").write_text("old")

    def fail():
        with atomic(tmp_path / "f") as file:
            file.write("half of the new")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert (tmp_path / "f").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["f"]


def test_a_write_makes_folders_and_an_ordinary_file(tmp_path):
    with atomic(tmp_path / "a/b/f", "wb") as file:
        file.write(b"new")
    assert (tmp_path / "a/b/f").read_bytes() == b"new"
    assert stat.S_IMODE((tmp_path / "a/b/f").stat().st_mode) & 0o600 == 0o600


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(BadInput, match="cannot be written"), atomic(tmp_path / "file/below") as file:
        file.write("")


def test_json_survives_and_damage_names_the_line(tmp_path):
    write_json(tmp_path / "j", {"a": [1, None, "ü"]})
    assert read_json(tmp_path / "j") == {"a": [1, None, "ü"]}
    (tmp_path / "j").write_text('{"a":\n oops}')
    with pytest.raises(BadInput, match="line 2"):
        read_json(tmp_path / "j")


def test_what_is_no_text_file_is_refused(tmp_path):
    (tmp_path / "b").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadInput, match="not UTF-8"):
        read_text(tmp_path / "b")
    with pytest.raises(BadInput, match="directory"):
        existing(tmp_path)
    with pytest.raises(BadInput, match="no such file"):
        existing(tmp_path / "none")


def test_sha256_is_the_known_one(tmp_path):
    (tmp_path / "abc").write_bytes(b"abc")
    assert sha256(tmp_path / "abc").startswith("ba7816bf8f01cfea")
