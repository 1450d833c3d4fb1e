"""What tests of stores share: a web server, and one wave in every kind of store."""

import functools
import http.server
import threading
from pathlib import Path

import pytest
from store_samples import RATE, WAVE, Server, encoded, make_tar, noise, steps

from voxsphere.audio import remote
from voxsphere.audio.wave import write


@pytest.fixture
def serve(monkeypatch):
    """Serves a folder on a port of this machine: folder -> address, requests made, faults to give."""
    monkeypatch.setattr(remote, "_PAUSE", 0.01)
    running = []

    def start(folder: Path, *, ranged: bool = True) -> tuple[str, list[str], list[int]]:
        log, faults = [], []
        handler = functools.partial(Server, directory=str(folder), log=log, faults=faults, ranged=ranged)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        running.append(server)
        return f"http://127.0.0.1:{server.server_address[1]}", log, faults

    yield start
    for server in running:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="session")
def store(tmp_path_factory) -> Path:
    """One wave (and others around it) in every kind of store."""
    h5py, kaldiio = pytest.importorskip("h5py"), pytest.importorskip("kaldiio")
    folder = tmp_path_factory.mktemp("stores")
    write(folder / "a.flac", WAVE, RATE)
    (folder / "odd#1:12.flac").write_bytes((folder / "a.flac").read_bytes())
    make_tar(
        folder / "s.tar",
        {"x.flac": encoded(noise(1.0, 5)), "a.json": b"{}", "a.flac": encoded(WAVE), "é.flac": encoded(WAVE)},
    )
    with h5py.File(folder / "p.h5", "w") as file:
        file["ann/int16"] = steps(WAVE)
        file["ann/float"] = WAVE
        for name in ("int16", "float"):
            file[f"ann/{name}"].attrs["sample_rate"] = RATE
    with kaldiio.WriteHelper(f"ark,scp:{folder}/w.ark,{folder}/w.scp") as writer:
        writer("x", (RATE, steps(noise(0.5, 6))))
        writer("a", (RATE, steps(WAVE)))
    flac = {"write_function": "soundfile", "write_kwargs": {"format": "flac"}}
    kaldiio.save_ark(f"{folder}/f.ark", {"a": (RATE, steps(WAVE))}, scp=f"{folder}/f.scp", **flac)
    return folder
