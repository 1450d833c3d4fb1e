"""Stored features: the same frames from every store and compression, in whole and in part."""

from pathlib import Path

import numpy as np
import pytest
from store_samples import kaldi_offset, make_tar

from voxsphere.audio import remote, stores
from voxsphere.core.errors import BadInput

h5py = pytest.importorskip("h5py")
kaldiio = pytest.importorskip("kaldiio")
pytest.importorskip("fsspec")

MATRIX = np.random.default_rng(7).normal(0, 5, (123, 20)).astype(np.float32)


@pytest.fixture(scope="module")
def features(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("features")
    kinds = {"plain": None, "auto": 1, "speech": 2, "two bytes": 3, "integers": 4, "one byte": 5, "unsigned": 6}
    for kind, method in kinds.items():
        with kaldiio.WriteHelper(f"ark,scp:{folder}/{kind}.ark,{folder}/{kind}.scp", compression_method=method) as out:
            out("other", MATRIX[:7] + 1)
            out("a", np.rint(np.abs(MATRIX)) if kind in ("integers", "unsigned") else MATRIX)
    kaldiio.save_ark(f"{folder}/npy.ark", {"a": MATRIX}, scp=f"{folder}/npy.scp", write_function="numpy")
    kaldiio.save_mat(f"{folder}/double.mat", MATRIX.astype(np.float64))
    np.save(folder / "a.npy", MATRIX)
    np.save(folder / "double.npy", MATRIX.astype(np.float64))
    with h5py.File(folder / "p.h5", "w") as file:
        file["ann/a"] = MATRIX.T[None]
        file["ann/flat"] = MATRIX
        file["ann/one"] = MATRIX[:, 0]
    make_tar(folder / "s.tar", {"a.npy": (folder / "a.npy").read_bytes()})
    return folder


def check_frames(locator: str, expected: np.ndarray) -> None:
    whole = stores.read_array(locator)
    assert whole.dtype == np.float32
    np.testing.assert_allclose(whole, expected, atol=1e-5)  # floats added in another order
    for start, count in ((0, 5), (17, 40), (100, None), (100, 99), (None, 3)):
        first = start or 0
        last = None if count is None else first + count
        np.testing.assert_array_equal(stores.read_array(locator, start, count), whole[first:last])


def test_features_are_the_same_from_every_store(features):
    for name in ("a.npy", "double.npy", "double.mat", "p.h5#ann/a", "p.h5#ann/flat", "s.tar#a.npy"):
        check_frames(f"{features}/{name}", MATRIX)


def test_kaldi_matrices_of_every_compression_are_as_kaldiio_decodes_them(features):
    for scp in features.glob("*.scp"):
        locator = f"{features}/{scp.stem}.ark:{kaldi_offset(scp, 'a')}"
        expected = kaldiio.load_scp(str(scp))["a"]
        check_frames(locator, expected)
        np.testing.assert_array_equal(stores.read_array(f"{locator}[10:19]"), stores.read_array(locator, 10, 10))
        np.testing.assert_array_equal(stores.read_array(f"{locator}[10:19]", 4, 99), stores.read_array(locator, 14, 6))
        assert np.abs(expected - MATRIX).max() < 0.5 or scp.stem in ("integers", "unsigned")


def test_features_behind_a_web_server_are_the_same(features, serve):
    address, _, _ = serve(features)
    for name in ("a.npy", "p.h5#ann/a", "s.tar#a.npy", f"plain.ark:{kaldi_offset(features / 'plain.scp', 'a')}"):
        check_frames(f"{address}/{name}", MATRIX)


def test_features_too_large_for_memory_are_read_as_they_are_used(features, serve, monkeypatch):
    monkeypatch.setattr(remote.Remote, "gulp", 1 << 10)
    address, _, faults = serve(features)
    check_frames(f"{address}/a.npy", MATRIX)
    faults += [500] * 9
    with pytest.raises(BadInput, match=r"a\.npy: cannot be fetched \(status 500\)"):
        stores.read_array(f"{address}/a.npy")


def test_features_refuse_what_is_none(features, store, tmp_path):
    def told(locator: str, *part: int) -> str:
        with pytest.raises(BadInput) as caught:
            stores.read_array(locator, *part)
        assert "\n" not in str(caught.value)
        return str(caught.value)

    assert "holds float32 of shape (123,); features are numbers of shape" in told(f"{features}/p.h5#ann/one")
    assert "holds no features" in told(f"{store}/a.flac")
    assert "holds no frame from 123 on" in told(f"{features}/a.npy", 123)
    assert "start at 0 or later" in told(f"{features}/a.npy", -1)
    assert "is no range of rows" in told(f"{features}/plain.ark:6[9:3]")
    assert "no such file" in told(f"{tmp_path}/gone.npy")
    np.save(tmp_path / "objects.npy", np.array([{}], dtype=object), allow_pickle=True)
    assert "holds object" in told(f"{tmp_path}/objects.npy")
    (tmp_path / "cut.npy").write_bytes((features / "a.npy").read_bytes()[:5000])
    assert "is truncated" in told(f"{tmp_path}/cut.npy")
    content = (features / "speech.ark").read_bytes()
    (tmp_path / "cut.ark").write_bytes(content[:-100])
    assert "truncated inside this matrix" in told(f"{tmp_path}/cut.ark:{kaldi_offset(features / 'speech.scp', 'a')}")
    np.save(tmp_path / "nan.npy", np.full((2, 2), np.nan, np.float32))
    assert "NaN" in told(f"{tmp_path}/nan.npy")


def test_a_pickle_in_a_kaldi_archive_is_not_opened(tmp_path):
    (tmp_path / "a.ark").write_bytes(b"a PKL" + b"cos\nsystem\n(S'touch owned'\ntR." * 2)
    with pytest.raises(BadInput, match="neither a wave nor a binary matrix"):
        stores.read_array(f"{tmp_path}/a.ark:2")
