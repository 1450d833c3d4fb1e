"""Locators: the same samples from every store, in whole and in part, from threads and from forked processes."""

import multiprocessing
import os
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from store_samples import RATE, WAVE, check_reads, encoded, locators, make_tar, noise, refused

from voxsphere.audio import ranges, remote, stores
from voxsphere.audio.kept import Kept
from voxsphere.audio.wave import read

soundfile = pytest.importorskip("soundfile")
h5py = pytest.importorskip("h5py")
kaldiio = pytest.importorskip("kaldiio")
fsspec = pytest.importorskip("fsspec")


def test_every_store_on_a_disk_gives_the_same_samples(store):
    for locator in locators(str(store), store).values():
        check_reads(locator)


def test_every_store_behind_a_web_server_gives_the_same_samples(store, serve):
    address, asked, _ = serve(store)
    for locator in locators(address, store).values():
        check_reads(locator)
    assert any("bytes=" in request for request in asked)


def test_every_store_in_another_file_system_gives_the_same_samples(store):
    memory = fsspec.filesystem("memory")
    for file in store.iterdir():
        memory.pipe_file(f"/bucket/{file.name}", file.read_bytes())
    for locator in locators("memory://bucket", store).values():
        check_reads(locator)


def test_every_store_in_a_bucket_gives_the_same_samples(store, serve, monkeypatch, tmp_path):
    pytest.importorskip("s3fs")
    (tmp_path / "bucket").symlink_to(store)
    address, asked, _ = serve(tmp_path)
    settings = {"ENDPOINT_URL": address, "ACCESS_KEY_ID": "a", "SECRET_ACCESS_KEY": "b", "DEFAULT_REGION": "here"}
    for name, value in settings.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    for locator in locators("s3://bucket", store).values():
        check_reads(locator)
    assert any("bytes=" in request for request in asked)
    assert "s3://bucket/gone.tar: no such file there" in refused("s3://bucket/gone.tar#a.flac@512+99")


def test_a_file_may_have_a_locators_name(store):
    np.testing.assert_array_equal(read(store / "odd#1:12.flac", rate=RATE), WAVE)
    np.testing.assert_array_equal(read(f"{store}/s.tar#é.flac", rate=RATE), WAVE)


def test_a_placed_member_behind_a_web_server_costs_one_request(store, serve):
    address, asked, _ = serve(store)
    read(locators(address, store)["placed member"], rate=RATE, start=1.0, duration=1.0)
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("suffix", "options"),
    [
        ("wav", {"form": "WAV", "subtype": "PCM_24"}),
        ("mp3", {"form": "MP3"}),
        ("ogg", {"form": "OGG", "subtype": "VORBIS"}),
        ("opus", {"form": "OGG", "subtype": "OPUS"}),
        ("sph", {"form": "NIST"}),
    ],
)
def test_members_of_every_form_equal_their_files(tmp_path, suffix, options):
    content = encoded(WAVE, **options)
    (tmp_path / f"a.{suffix}").write_bytes(content)
    make_tar(tmp_path / "s.tar", {f"a.{suffix}": content})
    for part in ({}, {"start": 1.5, "duration": 0.5}):
        expected = read(tmp_path / f"a.{suffix}", rate=RATE, **part)
        np.testing.assert_array_equal(read(f"{tmp_path}/s.tar#a.{suffix}", rate=RATE, **part), expected)


def test_a_media_file_in_a_tar_file_is_read(tmp_path):
    av = pytest.importorskip("av")
    with av.open(str(tmp_path / "a.m4a"), "w") as container:
        stream = container.add_stream("aac", rate=RATE, layout="mono")
        frame = av.AudioFrame.from_ndarray(WAVE[None], format="fltp", layout="mono")
        frame.sample_rate = RATE
        container.mux([packet for part in (frame, None) for packet in stream.encode(part)])
    make_tar(tmp_path / "s.tar", {"a.m4a": (tmp_path / "a.m4a").read_bytes()})
    expected = read(tmp_path / "a.m4a", rate=RATE)
    np.testing.assert_array_equal(read(f"{tmp_path}/s.tar#a.m4a", rate=RATE), expected)


def test_members_too_large_for_memory_are_read_as_they_are_used(tmp_path, monkeypatch, serve):
    locator = make_tar(tmp_path / "s.tar", {"a.flac": encoded(noise(1.0)), "b.wav": encoded(WAVE, "WAV")})["b.wav"]
    monkeypatch.setattr(ranges.Local, "gulp", 1 << 12)
    check_reads(locator)
    monkeypatch.setattr(remote.Remote, "gulp", 1 << 12)
    address, asked, faults = serve(tmp_path)
    there = locator.replace(str(tmp_path), address)
    check_reads(there)
    before = len(asked)
    read(there, rate=RATE, start=2.0, duration=0.1)
    assert len(asked) - before < 8
    faults += [500] * 100
    assert "s.tar: cannot be fetched (status 500)" in refused(there)


def test_threads_and_forked_workers_read_one_store_at_once(store):
    places = [*locators(str(store), store).values()] * 8
    with ThreadPoolExecutor(8) as pool:
        for wave in pool.map(lambda locator: read(locator, rate=RATE), places):
            np.testing.assert_array_equal(wave, WAVE)


class Waves:
    """A map-style set of the waves at locators."""

    def __init__(self, places: list[str]) -> None:
        self.places = places

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, index: int) -> np.ndarray:
        return read(self.places[index], rate=RATE, start=0.5, duration=1.0)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # of Python 3.12 on: forked beside threads
@pytest.mark.parametrize("context", ["fork", "spawn"])
def test_data_loader_workers_read_one_store_at_once(store, serve, context):
    torch_data = pytest.importorskip("torch.utils.data")
    address, _, _ = serve(store)
    places = [*locators(str(store), store).values(), *locators(address, store).values()]
    for locator in places:
        read(locator, rate=RATE)  # handles of the parent, which the workers must not use
    loader = torch_data.DataLoader(
        Waves(places * 3), batch_size=None, num_workers=2, multiprocessing_context=multiprocessing.get_context(context)
    )
    with_workers = list(loader)
    assert len(with_workers) == 3 * len(places)
    for wave in with_workers:
        np.testing.assert_array_equal(np.asarray(wave), WAVE[8000:24000])


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # of Python 3.12 on: forked beside threads
def test_few_things_are_kept_and_a_forked_process_makes_its_own():
    kept, made = Kept[int](2), []

    def get(key: int) -> int:
        return kept.get(key, lambda: made.append(key) or key)

    assert [get(key) for key in (1, 2, 1, 3, 1, 2)] == [1, 2, 1, 3, 1, 2]
    assert made == [1, 2, 3, 2]
    if pid := os.fork():
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    else:
        made.clear()
        get(1)
        os._exit(made != [1])


def test_a_file_written_again_is_read_anew(tmp_path):
    for seed in (1, 2):
        make_tar(tmp_path / "s.tar", {"a.wav": encoded(noise(0.1, seed), "WAV")})
        with h5py.File(tmp_path / "new.h5", "w") as file:
            file["s/a"] = noise(0.1, seed)
            file["s/a"].attrs["sample_rate"] = RATE
        os.replace(tmp_path / "new.h5", tmp_path / "p.h5")
        for locator in ("s.tar#a.wav", "p.h5#s/a"):
            np.testing.assert_array_equal(read(f"{tmp_path}/{locator}", rate=RATE), noise(0.1, seed))


def test_a_stamp_changes_when_the_file_does(store, tmp_path):
    make_tar(tmp_path / "s.tar", {"a.wav": encoded(noise(0.1), "WAV")})
    before = stores.stamp(f"{tmp_path}/s.tar#a.wav")
    assert before == stores.stamp(tmp_path / "s.tar")
    make_tar(tmp_path / "s.tar", {"a.wav": encoded(noise(0.2), "WAV")})
    assert before != stores.stamp(f"{tmp_path}/s.tar#a.wav")


def test_one_npy_header_is_parsed_at_a_time(tmp_path, monkeypatch):
    np.save(tmp_path / "a.npy", np.ones((3, 2), np.float32))
    parse, now, most = np.lib.format.read_array_header_1_0, [], []

    def slowly(file):
        now.append(None)
        most.append(len(now))
        time.sleep(0.01)
        now.pop()
        return parse(file)

    monkeypatch.setattr(np.lib.format, "read_array_header_1_0", slowly)
    with ThreadPoolExecutor(4) as pool:
        read = list(pool.map(lambda _: stores.read_array(tmp_path / "a.npy").sum(), range(8)))
    assert read == [6.0] * 8
    assert most == [1] * 8
