"""Files below a folder: odd names, links, circles, and what cannot be read."""

import os
from pathlib import Path

import pytest

from voxsphere.core.errors import BadInput
from voxsphere.data.corpora import prepare
from voxsphere.data.walk import walk


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def test_files_are_named_in_order_and_hidden_ones_are_not(tmp_path):
    touch(tmp_path, "b/1.wav", "a/x y/ü#1:2.wav", "a-b/2.wav", ".git/3.wav", "a/.4.wav")
    assert walk(tmp_path).files == ("a-b/2.wav", "a/x y/ü#1:2.wav", "b/1.wav")


def test_linked_folders_are_followed_but_not_in_circles(tmp_path):
    touch(tmp_path, "store/ann/1.wav", "corpus/bob/2.wav")
    (tmp_path / "corpus/ann").symlink_to(tmp_path / "store/ann")
    (tmp_path / "corpus/bob/self").symlink_to(tmp_path / "corpus")
    (tmp_path / "store/ann/up").symlink_to("..")
    (tmp_path / "store/back").symlink_to(tmp_path / "corpus")
    found = walk(tmp_path / "corpus")
    # Through `up` lies the store once more, and no way leads round for ever.
    assert set(found.files) >= {"ann/1.wav", "bob/2.wav"}
    assert not any("self" in name or name.count("up/") > 1 for name in found.files)
    assert found.unreadable == ()


def test_two_folders_that_link_to_each_other_are_each_walked_once(tmp_path):
    touch(tmp_path, "corpus/ann/1.wav", "store/bob/2.wav")
    (tmp_path / "corpus/ann/other").symlink_to(tmp_path / "store/bob")
    (tmp_path / "store/bob/other").symlink_to(tmp_path / "corpus/ann")
    assert walk(tmp_path / "corpus").files == ("ann/1.wav", "ann/other/2.wav")


def test_what_cannot_be_read_is_named_and_stops_nobody(tmp_path, monkeypatch):
    touch(tmp_path, "ann/1.wav", "secret/2.wav")
    (tmp_path / "ann/gone.wav").symlink_to("nowhere.wav")
    odd = os.fsencode(tmp_path / "ann") + b"/\xff.wav"
    open(odd, "w").close()
    look = os.scandir

    def guarded(path):
        if str(path).endswith("secret"):
            raise PermissionError(13, "Permission denied", path)
        return look(path)

    monkeypatch.setattr(os, "scandir", guarded)
    made = prepare("folder", tmp_path)
    assert made.manifest.ids == ("ann/1.wav",)
    names = ("ann/\\xff.wav", "ann/gone.wav", "secret")
    assert made.missing == tuple(str(tmp_path / name) for name in names)


def test_a_root_that_is_no_folder_is_named(tmp_path):
    with pytest.raises(BadInput, match="none: no such folder"):
        walk(tmp_path / "none")
    touch(tmp_path, "file")
    with pytest.raises(BadInput, match="file: is no folder"):
        prepare("voxceleb", tmp_path / "file")


def test_an_unknown_kind_is_told_those_that_are_known(tmp_path):
    with pytest.raises(BadInput, match=r"voxcelebb: no kind of corpus; known are folder, kaldi, .*lhotse:NAME"):
        prepare("voxcelebb", tmp_path)
