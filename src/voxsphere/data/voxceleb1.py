"""VoxCeleb1's two protocols: known people by iden_split.txt, and strangers whose names begin with E."""

from dataclasses import dataclass, replace
from pathlib import Path

from voxsphere.core.errors import BadInput
from voxsphere.core.files import expanded
from voxsphere.core.manifest import Manifest, Utterance
from voxsphere.data.closed_set import closed
from voxsphere.data.corpora.voxceleb import from_voxceleb
from voxsphere.data.manifests import open_manifest
from voxsphere.data.training_set import TrainingSet

INITIAL = "E"
"""VoxCeleb1's 40 people for verification are those whose names begin with it (Nagrani et al. 2017, section 4.1)."""


@dataclass(frozen=True)
class Parts:
    """The utterances of a protocol: those to learn from, those that judge a run, and those it is tried on."""

    train: tuple[Utterance, ...]
    validation: tuple[Utterance, ...]
    test: tuple[Utterance, ...]


def identification(manifest: Manifest) -> Parts:
    """Splits 1, 2 and 3 of iden_split.txt, which the manifest of `from_voxceleb` has as train, dev and test."""
    return Parts(*(tuple(u for u in manifest if u.split == split) for split in ("train", "dev", "test")))


def verification(manifest: Manifest) -> Parts:
    """Hajibabaei & Dai 2018, arXiv:1807.08312: people whose names begin with E are for the test, in all splits.

    Of the others split 2 of iden_split.txt judges a run, and 1 and 3 teach. This overlaps with `identification`: its
    test utterances are learnt from here, and the people of this test are learnt there; each wants its own run.
    """
    test = tuple(u for u in manifest if _name(u).startswith(INITIAL))
    others = [u for u in manifest if not _name(u).startswith(INITIAL)]
    train = tuple(u for u in others if u.split in ("train", "test"))
    return Parts(train, tuple(u for u in others if u.split == "dev"), test)


def voxceleb1_identification(*, root: str = "$VOXCELEB1") -> TrainingSet:
    """VoxCeleb1 below `root`, of either release, by iden_split.txt: split 1 teaches, split 2 of the same people judges.

    `root` may also be the table that `voxsphere prepare voxceleb` makes. Recordings that the list names and that are
    not there are left out. Who has nothing in split 1 has no class; the classes are the people learnt, by their ids in
    order. `BadInput` where the list is missing.
    """
    manifest = _opened(root)
    return _closed(root, identification(manifest))


def voxceleb1_verification(*, root: str = "$VOXCELEB1") -> TrainingSet:
    """VoxCeleb1 below `root`, of either release, without the people whose names begin with E; see `verification`.

    The original judges a run by split 2 of people that it learns, and so do we; the figures of verification come
    afterwards, from veri_test.txt. The classes are the people learnt alone: the original numbers all 1,251, of whom 40
    are never an example's. `BadInput` where iden_split.txt is missing, or vox1_meta.csv while people are numbered.
    """
    manifest = _opened(root)
    nameless = [u.speaker for u in manifest if not dict(u.extra).get("name") and _numbered(u.speaker)]
    if nameless:
        raise BadInput(
            f"{root}: nobody says what {nameless[0]} is called, and names that begin with {INITIAL} are for the test; "
            "put vox1_meta.csv there (https://www.robots.ox.ac.uk/~vgg/data/voxceleb/)"
        )
    return _closed(root, verification(manifest))


def _closed(root: str, parts: Parts) -> TrainingSet:
    learnt = {utterance.speaker for utterance in parts.train}
    return closed(root, parts.train, (u for u in parts.validation if u.speaker in learnt))


def _opened(root: str) -> Manifest:
    """VoxCeleb1 of a folder, or of a table of it; `BadInput` where its utterances have no splits 1, 2 and 3."""
    path = Path(expanded(root))
    if not path.exists():
        raise BadInput(f"{root}: no such folder; VoxCeleb1 is to lie there, with iden_split.txt and vox1_meta.csv")
    whole = from_voxceleb(path).manifest if path.is_dir() else open_manifest(path)
    own = Manifest(tuple(replace(u, dataset="") for u in whole if u.dataset in ("", "voxceleb1")))
    if not len(own):
        raise BadInput(f"{root}: holds none of VoxCeleb1")
    if not any(u.split == "train" for u in own):
        raise BadInput(
            f"{root}: no utterance is of split 1; put iden_split.txt there "
            "(https://www.robots.ox.ac.uk/~vgg/data/voxceleb/meta/iden_split.txt)"
        )
    return Manifest(tuple(u for u in own if u.split in ("train", "dev", "test")))


def _name(utterance: Utterance) -> str:
    """A person's name, which is the speaker in the first release's folders."""
    return dict(utterance.extra).get("name", utterance.speaker)


def _numbered(speaker: str) -> bool:
    return len(speaker) == 7 and speaker.startswith("id") and speaker[2:].isdigit()
