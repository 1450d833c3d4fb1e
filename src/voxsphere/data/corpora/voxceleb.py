"""VoxCeleb1 and VoxCeleb2: `[…/]id10001/VIDEO/00001.wav` or, first edition, `[…/]A.J._Buckley/VIDEO_0000001.wav`.

Layouts and lists: https://www.robots.ox.ac.uk/~vgg/data/voxceleb/ and OpenSLR 49 (Nagrani et al. 2017, Chung et al.
2018); file names of the first edition as in Kaldi's egs/voxceleb make_voxceleb1.pl.
"""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from voxsphere.core.errors import BadInput
from voxsphere.core.files import read_text
from voxsphere.core.manifest import Utterance
from voxsphere.core.trials import Trials
from voxsphere.data.corpora.prepared import Prepared, gender, official, prepared, rows
from voxsphere.data.folders import is_audio
from voxsphere.data.walk import Walk, walk

LISTS = {
    "veri_test.txt": "vox1_o",
    "veri_test2.txt": "vox1_o_cleaned",
    "list_test_all.txt": "vox1_e",
    "list_test_all2.txt": "vox1_e_cleaned",
    "list_test_hard.txt": "vox1_h",
    "list_test_hard2.txt": "vox1_h_cleaned",
    "voxceleb1_test.txt": "vox1_o",
    "voxceleb1_test_v2.txt": "vox1_o_cleaned",
}
_ORIGINAL = ("vox1_o", "vox1_o_cleaned")
_METAS = {"voxceleb1": "vox1_meta.csv", "voxceleb2": "vox2_meta.csv"}
_FOLDS = {"1": "train", "2": "dev", "3": "test"}
# Speaker, video (eleven characters) and number; the first edition joins the last two.
_PLACE = re.compile(r"(?:.*/)?([^/]+)/([A-Za-z0-9_-]{11})[/_](\d{5,7})\.\w+")
# VoxCeleb1 numbers its people from here; VoxCeleb2 numbers its own below.
_FIRST_OF_VOX1 = 10_001

_Key = tuple[str, str, int]


@dataclass(frozen=True)
class _Person:
    id: str
    gender: str
    set: str
    extra: tuple[tuple[str, str], ...]


def from_voxceleb(root: Path) -> Prepared:
    """VoxCeleb1, VoxCeleb2 or both; ids are `id10001/VIDEO/00001.wav` as in the official lists, sessions the videos.

    Ids end in .wav for any encoding: a list from elsewhere fits, and a converted copy has the same ids. Speakers of the
    first edition get their number where vox1_meta.csv tells it. `split` is that of iden_split.txt (train, dev, test)
    where it is there, else the set of the meta file or of the folder (dev, test); the set of the meta file is the
    column `set`. Of two encodings of one utterance, the one that is not AAC is taken. Missing are also the people whom
    the meta file has in a set of which somebody is there, and VoxCeleb1's lists.
    """
    found = walk(root)
    people = _people(found)
    paths = _recordings(found, people)
    homes = _homes(paths)
    missing = list(found.unreadable)
    folds: dict[_Key, str] = {}
    if split := found.named("iden_split.txt"):
        for fold, name in (row[:2] for row in rows(split, 2)):
            if fold not in _FOLDS:
                raise BadInput(f"{split}: {fold!r} of {name} is none of 1 (train), 2 (dev), 3 (test)")
            key = _listed(name, split, people)
            folds[key] = _FOLDS[fold]
            if key not in paths:
                missing.append(_place(root, homes, key, name))
    datasets = {_dataset(key[0]) for key in paths}
    missing += [str(root / _METAS[name]) for name in sorted(datasets) if not found.named(_METAS[name])]
    missing += _absent(root, people, paths)
    if "voxceleb1" in datasets:
        names = (("iden_split.txt",), [name for name, short in LISTS.items() if short in _ORIGINAL])
        missing += [str(root / either[0]) for either in names if not any(map(found.named, either))]
    utterances = [_utterance(root, key, name, people, folds) for key, name in paths.items()]
    trials: dict[str, Trials] = {}
    for file, short in LISTS.items():
        if (path := found.named(file)) and short not in trials:
            trials[short], unheard = _trials(path, people, paths)
            missing += sorted(_place(root, homes, key, name) for key, name in unheard.items())
    expected = "id10001/VIDEO/00001.wav below it"
    return prepared(root, utterances, trials, missing, expected)


def _recordings(found: Walk, people: Mapping[str, _Person]) -> dict[_Key, str]:
    """The file of each utterance."""
    paths: dict[_Key, str] = {}
    for name in found.files:
        if is_audio(name) and (key := _key(name, people)) and (key not in paths or not _is_aac(name)):
            paths[key] = name
    return paths


def _key(name: str, people: Mapping[str, _Person]) -> _Key | None:
    match = _PLACE.fullmatch(name)
    if match is None:
        return None
    speaker, video, number = match.groups()
    return (people[speaker].id if speaker in people else speaker), video, int(number)


def _homes(paths: Mapping[_Key, str]) -> dict[str, str]:
    """The folder that each speaker's folder lies in."""
    homes: dict[str, str] = {}
    for (speaker, _, _), name in paths.items():
        if speaker not in homes and (match := _PLACE.fullmatch(name)):
            homes[speaker] = name[: match.start(1)]
    return homes


def _place(root: Path, homes: Mapping[str, str], key: _Key, name: str) -> str:
    """Where a recording would lie: beside its speaker's others, else beside other speakers."""
    return str(root / homes.get(key[0], next(iter(homes.values()), "")) / name)


def _absent(root: Path, people: Mapping[str, _Person], paths: Mapping[_Key, str]) -> list[str]:
    """The folders of people of whom nothing is there, but of others of their set: a download may be of one set."""
    folders: dict[tuple[str, str], tuple[str, bool]] = {}
    for (speaker, _, _), name in paths.items():
        if (person := people.get(speaker)) and (match := _PLACE.fullmatch(name)):
            folders.setdefault((_dataset(speaker), person.set), (name[: match.start(1)], match[1] == speaker))
    heard = {speaker for speaker, _, _ in paths}
    absent = []
    for person in dict.fromkeys(people.values()):
        if person.id not in heard and (place := folders.get((_dataset(person.id), person.set))):
            above, numbered = place
            absent.append(str(root / above / (person.id if numbered else dict(person.extra).get("name", person.id))))
    return absent


def _id(key: _Key) -> str:
    return f"{key[0]}/{key[1]}/{key[2]:05d}.wav"


def _listed(name: str, path: Path, people: Mapping[str, _Person]) -> _Key:
    key = _key(name, people)
    if key is None:
        raise BadInput(f"{path}: {name!r} is no SPEAKER/VIDEO/NUMBER.wav")
    return key


def _utterance(root: Path, key: _Key, name: str, people: Mapping[str, _Person], folds: Mapping[_Key, str]) -> Utterance:
    speaker, video, _ = key
    person = people.get(speaker)
    above = name.split("/")[:-1]
    place = next((part for part in ("dev", "test") if part in above), "")
    return Utterance(
        _id(key),
        os.path.join(root, name),
        speaker,
        session=video,
        gender=person.gender if person else "",
        dataset=_dataset(speaker),
        split=folds.get(key) or (person.set if person else place),
        extra=person.extra if person else (),
    )


def _people(found: Walk) -> dict[str, _Person]:
    """Who is who, by number and by name."""
    people: dict[str, _Person] = {}
    for file in _METAS.values():
        if path := found.named(file):
            for person, name in _persons(path):
                people[person.id] = person
                if name:
                    people.setdefault(name, person)
    return people


def _persons(path: Path) -> Iterator[tuple[_Person, str]]:
    """The rows of a meta file: tabs part VoxCeleb1's, commas VoxCeleb2's, with blanks around them."""
    table = [[cell.strip() for cell in re.split(r"[\t,]", line)] for line in read_text(path).splitlines() if line]
    head = [name.lower() for name in table[0]] if table else []
    if len(head) < 4 or not head[0].endswith("id") or not {"gender", "set"} <= set(head):
        raise BadInput(f"{path}: begins with no line `VoxCeleb ID, VGGFace ID, Gender, …, Set`")
    for number, row in enumerate(table[1:], start=2):
        if len(row) != len(head):
            raise BadInput(f"{path}: line {number} has {len(row)} fields, the header has {len(head)}")
        at = dict(zip(head, row, strict=True))
        further = {"name": row[1], "nationality": at.get("nationality", ""), "set": at["set"]}
        extra = tuple((key, value) for key, value in further.items() if value)
        yield _Person(row[0], gender(at["gender"]), at["set"], extra), row[1]


def _trials(path: Path, people: Mapping[str, _Person], paths: Mapping[_Key, str]) -> tuple[Trials, dict[_Key, str]]:
    """An official list with the manifest's ids, and what it names that is not there."""
    ids: dict[str, str] = {}
    unheard: dict[_Key, str] = {}
    listed = rows(path, 3)
    for row in listed:
        for name in row[1:3]:
            if name not in ids:
                key = _listed(name, path, people)
                ids[name] = _id(key)
                if key not in paths:
                    unheard[key] = name
    return official(path, ((ids[a], ids[b], label) for label, a, b in (row[:3] for row in listed))), unheard


def _dataset(speaker: str) -> str:
    number = re.fullmatch(r"id(\d{5})", speaker)
    return "voxceleb2" if number and int(number[1]) < _FIRST_OF_VOX1 else "voxceleb1"


def _is_aac(name: str) -> bool:
    return name.lower().endswith((".m4a", ".aac"))
