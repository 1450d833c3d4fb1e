"""A folder of speaker folders to a manifest."""

from pathlib import Path

from voxsphere.core.errors import BadInput
from voxsphere.core.manifest import Manifest, Utterance

# What libsndfile or FFmpeg may decode; whether this machine does is said when a file is read.
AUDIO = frozenset(
    {".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a", ".aac", ".mp4", ".webm", ".amr", ".wma"}
    | {".aif", ".aiff", ".au", ".sph", ".caf", ".w64"}
)


def read_folders(root: str | Path) -> Manifest:
    """Every audio file below `root`: the first folder is the speaker, the folders below it are the session.

    Ids are the paths relative to `root`. Raises `BadInput` where no audio is found, or some lies beside the speakers.
    """
    root = Path(root)
    files = sorted(path for path in root.rglob("*") if path.suffix.lower() in AUDIO and path.is_file())
    files = [path for path in files if not any(part.startswith(".") for part in path.relative_to(root).parts)]
    if not files:
        raise BadInput(f"{root}: holds no audio; one folder a speaker is expected, with recordings in it")
    loose = [path for path in files if path.parent == root]
    if loose:
        raise BadInput(f"{loose[0]}: lies beside the speaker folders; put it into a folder named after its speaker")
    utterances = []
    for path in files:
        name = path.relative_to(root)
        session = "/".join(name.parts[1:-1])
        utterances.append(Utterance(id=name.as_posix(), path=str(path), speaker=name.parts[0], session=session))
    return Manifest(tuple(utterances))
