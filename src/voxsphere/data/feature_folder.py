"""A folder of feature files, one an utterance, to a manifest."""

import os
import re
from pathlib import Path

from voxsphere.audio.fmatrix import SUFFIXES
from voxsphere.core.errors import BadInput
from voxsphere.core.manifest import Manifest, Utterance
from voxsphere.data.manifests import open_manifest
from voxsphere.data.walk import walk

_FILES = (*SUFFIXES, ".npy")
# UPC's lab: the second folder is the speaker.
_LAB = re.compile(r"(?:.*/)?BLOCK\d+/(SES\d+)/[^/]+")


def open_features(path: str | Path) -> Manifest:
    """The manifest of stored features that `path` means: a folder of files, or what `open_manifest` takes."""
    path = Path(path)
    if path.is_dir() and not (path / "feats.scp").exists():
        table = path / "manifest.tsv"
        return Manifest.load(table) if table.exists() else read_feature_folder(path)
    return open_manifest(path)


def read_feature_folder(root: str | Path) -> Manifest:
    """Every fmatrix and .npy file below `root`. Ids are the relative paths without suffix, with _ for blanks.

    The first folder is the speaker, or the second of UPC's BLOCKxx/SESyyy/SAyyySzz. `BadInput` where there are none,
    of several suffixes, or beside the speakers.
    """
    names = [name for name in walk(root).files if os.path.splitext(name)[1].lower() in _FILES]
    suffixes = sorted({os.path.splitext(name)[1].lower() for name in names})
    if len(suffixes) != 1:
        told = f"holds features of several kinds ({', '.join(suffixes)})" if suffixes else "holds no features"
        raise BadInput(f"{root}: {told}; a folder a speaker is expected, with files of one of {', '.join(_FILES)}")
    utterances = []
    for name in names:
        stem = os.path.splitext(name)[0]
        lab = _LAB.fullmatch(stem)
        speaker, slash, _ = stem.partition("/")
        if not slash:
            raise BadInput(f"{root}/{name}: lies beside the speaker folders; put it into one named after its speaker")
        utterances.append(Utterance("_".join(stem.split()), os.path.join(root, name), lab[1] if lab else speaker))
    return Manifest(tuple(utterances))
