"""Corpora as they were downloaded to manifests, each kind by one function."""

from collections.abc import Callable, Mapping
from pathlib import Path

from voxsphere.core.errors import BadInput
from voxsphere.data.corpora.chime5 import from_chime5
from voxsphere.data.corpora.cnceleb import from_cnceleb
from voxsphere.data.corpora.kaldi_folder import from_kaldi
from voxsphere.data.corpora.lhotse_recipes import from_lhotse
from voxsphere.data.corpora.librispeech import from_librispeech
from voxsphere.data.corpora.pav import from_pav
from voxsphere.data.corpora.prepared import Prepared
from voxsphere.data.corpora.sitw import from_sitw
from voxsphere.data.corpora.speaker_folders import from_folders
from voxsphere.data.corpora.vctk import from_vctk
from voxsphere.data.corpora.voices import from_voices
from voxsphere.data.corpora.voxceleb import from_voxceleb

KINDS: Mapping[str, Callable[[Path], Prepared]] = {
    "folder": from_folders,
    "kaldi": from_kaldi,
    "voxceleb": from_voxceleb,
    "librispeech": from_librispeech,
    "vctk": from_vctk,
    "cnceleb": from_cnceleb,
    "sitw": from_sitw,
    "voices": from_voices,
    "chime5": from_chime5,
    "pav": from_pav,
}


def prepare(kind: str, root: Path, *, allow_commands: bool = False) -> Prepared:
    """The manifest, trial lists and missing files of the corpus of that kind at `root`.

    Besides `KINDS` there is `lhotse:NAME`, what lhotse's recipe of that name finds. `allow_commands` lets the commands
    in a Kaldi folder's wav.scp run; other kinds have none.
    """
    family, colon, name = kind.partition(":")
    if family == "lhotse" and colon:
        return from_lhotse(name, root)
    if kind not in KINDS:
        raise BadInput(f"{kind}: no kind of corpus; known are {', '.join(KINDS)} and lhotse:NAME")
    return from_kaldi(root, allow_commands=True) if kind == "kaldi" and allow_commands else KINDS[kind](root)
