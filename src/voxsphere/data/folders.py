"""A folder of speaker folders to a manifest."""

import os
from pathlib import Path

from voxsphere.core.errors import BadInput
from voxsphere.core.manifest import Manifest, Utterance
from voxsphere.data.walk import walk

# What libsndfile or FFmpeg may decode; whether this machine does is said when a file is read.
AUDIO = frozenset(
    {".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a", ".aac", ".mp4", ".webm", ".amr", ".wma"}
    | {".aif", ".aiff", ".au", ".sph", ".caf", ".w64"}
)


def is_audio(name: str) -> bool:
    """Whether the file's extension is one of audio."""
    return os.path.splitext(name)[1].lower() in AUDIO


def read_folders(root: str | Path) -> Manifest:
    """Every audio file below `root`: the first folder is the speaker, the folders below it are the session.

    Ids are the paths relative to `root`, with _ for blanks, which lists of trials cannot hold. Raises `BadInput` where
    no audio is found, or some lies beside the speakers.
    """
    return folders_found(root)[0]


def folders_found(root: str | Path) -> tuple[Manifest, tuple[str, ...]]:
    """The manifest of `read_folders`, and the paths below `root` that could not be read."""
    found = walk(root)
    names = [name for name in found.files if is_audio(name)]
    if not names:
        raise BadInput(f"{root}: holds no audio; one folder a speaker is expected, with recordings in it")
    if loose := next((name for name in names if "/" not in name), None):
        raise BadInput(f"{root}/{loose}: lies beside the speaker folders; put it into a folder named after its speaker")
    utterances = []
    for name in names:
        speaker, *session = name.split("/")[:-1]
        path = os.path.join(root, name)
        utterances.append(Utterance("_".join(name.split()), path, speaker, session="/".join(session)))
    return Manifest(tuple(utterances)), found.unreadable
