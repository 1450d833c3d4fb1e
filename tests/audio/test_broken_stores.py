"""Stores that are broken, out of reach or in need of a package: one clear line each, and no keys in it."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest
from store_samples import RATE, WAVE, check_reads, encoded, kaldi_offset, locators, make_tar, refused, steps

from voxsphere.audio import remote, stores
from voxsphere.audio.wave import read

h5py = pytest.importorskip("h5py")
pytest.importorskip("soundfile")
pytest.importorskip("kaldiio")
pytest.importorskip("fsspec")


def test_what_is_broken_in_a_tar_file_is_told_in_one_line(tmp_path):
    locator = make_tar(tmp_path / "s.tar", {"a.wav": encoded(WAVE, "WAV"), "b.wav": encoded(WAVE, "WAV")})["b.wav"]
    tar = tmp_path / "s.tar"
    assert refused(f"{tar}#c.wav") == f"{tar}#c.wav: there is no such member in the tar file"
    offset = int(re.search(r"@(\d+)", locator)[1])
    assert "does not lie there" in refused(locator.replace(f"@{offset}", f"@{offset + 512}"))
    assert "does not lie there" in refused(locator.replace("b.wav", "a.wav"))
    assert "does not lie there" in refused(re.sub(r"\+\d+", "+17", locator))
    assert "does not lie there" in refused(locator.replace(f"@{offset}", "@99999999"))
    tar.write_bytes(tar.read_bytes()[: offset + 5000])
    assert "the tar file is truncated" in refused(locator)
    assert "truncated" in refused(f"{tar}#b.wav")
    np.testing.assert_array_equal(read(f"{tar}#a.wav", rate=RATE), WAVE)
    tar.write_bytes(tar.read_bytes()[: offset - 1000])
    assert "no such member in the tar file, which is truncated" in refused(f"{tar}#b.wav")
    tar.write_bytes(b"nothing of the kind" * 99)
    assert "cannot be read as a tar file" in refused(f"{tar}#b.wav")
    assert refused(f"{tmp_path}/gone.tar#b.wav") == f"{tmp_path}/gone.tar: no such file"


def test_what_is_broken_in_an_hdf5_file_is_told_in_one_line(tmp_path):
    with h5py.File(tmp_path / "p.h5", "w") as file:
        file["s/a"] = steps(WAVE)
        file["s/empty"] = steps(WAVE[:0])
        file["s/empty"].attrs["sample_rate"] = RATE
        file["s/nan"] = np.full(10, np.nan, np.float32)
        file["s/nan"].attrs["sample_rate"] = RATE
    place = f"{tmp_path}/p.h5"
    assert f"{place}#s/b: there is no such dataset" in refused(f"{place}#s/b")
    assert "is a group" in refused(f"{place}#s")
    assert "an attribute 'sample_rate'" in refused(f"{place}#s/a")
    assert "holds no samples" in refused(f"{place}#s/empty")
    assert "NaN" in refused(f"{place}#s/nan")
    cut = tmp_path / "cut.h5"
    cut.write_bytes(Path(place).read_bytes()[:3000])
    assert f"{cut}: cannot be read as HDF5" in refused(f"{cut}#s/a")
    assert "no such file" in refused(f"{tmp_path}/gone.h5#s/a")


def test_what_is_broken_in_a_kaldi_archive_is_told_in_one_line(store, tmp_path):
    offset = int(kaldi_offset(store / "w.scp", "a"))
    ark = store / "w.ark"
    assert "neither a wave nor a binary matrix begins there" in refused(f"{ark}:{offset + 1}")
    assert "the archive ends before" in refused(f"{ark}:99999999")
    (tmp_path / "cut.ark").write_bytes(ark.read_bytes()[: offset + 40000])
    assert "truncated: holds 1." in refused(f"{tmp_path}/cut.ark:{offset}")
    assert "no such file" in refused(f"{tmp_path}/gone.ark:5")
    assert "no such file" in refused("touch owned |")


def test_what_is_broken_behind_a_web_server_is_told_in_one_line(store, serve):
    address, asked, faults = serve(store)
    assert refused(f"{address}/gone.flac") == f"{address}/gone.flac: no such file there"
    assert refused(f"{address}/gone.tar#a.flac@512+99") == f"{address}/gone.tar: no such file there"
    place = locators(address, store)["placed member"]
    faults += [503, 503, 500]
    np.testing.assert_array_equal(read(place, rate=RATE), WAVE)  # a passing fault is no matter
    faults += [503] * 9
    assert "s.tar: cannot be fetched (status 503)" in refused(place)
    faults.clear()
    before = len(asked)
    faults += [403]
    assert "(status 403)" in refused(place)
    assert len(asked) == before + 1  # a lasting one is not tried again


def test_keys_in_an_address_are_not_told(store, serve):
    address, _, _ = serve(store)
    with_keys = address.replace("//", "//user:secret@") + "/gone.tar?signature=hidden#a.flac"
    told = refused(with_keys)
    assert "gone.tar" in told
    assert "secret" not in told
    assert "hidden" not in told
    assert stores.shown(with_keys) == f"{address}/gone.tar#a.flac"


def test_a_server_without_ranges_is_told_and_a_cached_copy_helps(store, serve, tmp_path, monkeypatch):
    monkeypatch.setenv("VOXSPHERE_CACHE", str(tmp_path))
    address, asked, _ = serve(store, ranged=False)
    assert "use simplecache::" in refused(locators(address, store)["placed member"])
    assert "the server sends no parts of files" in refused(f"{address}/p.h5#ann/int16")
    asked.clear()
    for locator in locators(f"simplecache::{address}", store).values():
        if ".tar" in locator:
            check_reads(locator)
    assert len([request for request in asked if "s.tar" in request]) == 1
    assert [path.read_bytes() for path in (tmp_path / "remote").iterdir()] == [(store / "s.tar").read_bytes()]
    assert "no such file there" in refused(f"simplecache::{address}/gone.tar#a.flac")
    assert len(list((tmp_path / "remote").iterdir())) == 1


def test_a_server_that_is_not_there_is_told(monkeypatch):
    monkeypatch.setattr(remote, "_PAUSE", 0.0)
    for locator in ("s.tar#a.flac@512+9", "s.tar#a.flac", "a.flac", "p.h5#s/a"):
        assert ": cannot be fetched (ClientConnectorError)" in refused(f"http://127.0.0.1:9/{locator}")
    assert "no way is known to read such an address" in refused("carrier-pigeon://a/b.flac")


def test_missing_packages_name_the_extra(store, monkeypatch):
    monkeypatch.setitem(sys.modules, "fsspec.core", None)
    assert "pip install 'voxsphere[data]'" in refused("https://example.org/new.flac")
    monkeypatch.setitem(sys.modules, "h5py", None)
    (store / "copy.h5").write_bytes((store / "p.h5").read_bytes())
    assert "pip install 'voxsphere[data]'" in refused(f"{store}/copy.h5#ann/int16")
