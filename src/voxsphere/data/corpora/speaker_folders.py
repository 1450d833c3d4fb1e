"""A folder of speaker folders, with sessions below where there are any: `SPEAKER[/SESSION …]/FILE`."""

from pathlib import Path

from voxsphere.data.corpora.prepared import Prepared
from voxsphere.data.folders import folders_found


def from_folders(root: Path) -> Prepared:
    """The manifest of a folder of speaker folders; `missing` names what is there and cannot be read."""
    manifest, unreadable = folders_found(root)
    return Prepared(manifest, {}, unreadable)
