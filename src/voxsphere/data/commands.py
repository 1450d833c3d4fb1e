"""Commands of a wav.scp (`sph2pipe … |`) run once, their output kept as audio files."""

import hashlib
import os
import subprocess
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from voxsphere.core.errors import BadInput
from voxsphere.core.files import atomic, cache_folder


def run_commands(commands: Mapping[str, str], folder: str | Path | None = None) -> dict[str, str]:
    """The file with the output of each command, by recording; `commands` are without their trailing `|`.

    Commands are programs that the list's author wrote: they go to the shell as Kaldi gives them to it, in the current
    folder, so call this only for lists that are trusted. Output is kept below `folder` (the user's cache if not given)
    under a name made of the command and the current folder, and not made again. `BadInput` names the recording whose
    command fails.
    """
    folder = Path(folder) if folder else cache_folder() / "commands"
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        paths = pool.map(lambda item: _output(item[0], item[1], folder), commands.items())
        return dict(zip(commands, paths, strict=True))


def _output(name: str, command: str, folder: Path) -> str:
    key = hashlib.sha256(f"{os.getcwd()}\n{command}".encode()).hexdigest()
    path = folder / key[:2] / f"{key}.wav"
    if path.exists():
        return str(path)
    done = subprocess.run(["/bin/sh", "-c", command], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if done.returncode or not done.stdout:
        told = done.stderr.decode(errors="replace").strip().splitlines()
        why = f"ended with status {done.returncode}" if done.returncode else "gave no output"
        raise BadInput(f"{name}: its command in wav.scp {why}{f' ({told[-1][:200]})' if told else ''}: {command[:200]}")
    with atomic(path, "wb") as file:
        file.write(done.stdout)
    return str(path)
