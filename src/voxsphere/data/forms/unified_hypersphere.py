"""A corpus as a tree like VoxCeleb1's, of either release, with its meta file and its lists."""

import base64
import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from voxsphere.audio.wave import read, write
from voxsphere.core.errors import BadInput
from voxsphere.core.files import atomic
from voxsphere.core.manifest import Manifest, Utterance
from voxsphere.core.random import stream
from voxsphere.core.trials import Trials
from voxsphere.data.forms.corpus import Corpus, Made, claim
from voxsphere.data.threads import in_threads
from voxsphere.data.voxceleb1 import INITIAL

RATE = 16000
FIRST = 10_001
"""VoxCeleb1 numbers its people from here."""
SHARES = (0.1, 0.2)
"""Of a speaker's utterances so many are of splits 2 and 3."""

Layout = Literal["2017", "2018"]


@dataclass(frozen=True)
class Place:
    """Where an utterance lies in the tree: whose it is, the video, and its number in it."""

    person: str
    name: str
    video: str
    number: int

    def path(self, layout: Layout) -> str:
        """The file, from the folder of the recordings."""
        if layout == "2017":
            return f"{self.name}/{self.video}_{self.number:07d}.wav"
        return f"{self.person}/{self.video}/{self.number:05d}.wav"

    @property
    def id(self) -> str:
        """The id that `from_voxceleb` gives it, in either layout."""
        return self.path("2018")


def unified_hypersphere(
    corpus: Corpus, out: Path, *, layout: Layout = "2018", progress: Callable[[int], None] = lambda done: None
) -> Made:
    """Write what teaches, and what the trials name, as 16-bit waves of 16 kHz in VoxCeleb1's tree.

    `layout` is that of the release: `wav/id10001/VIDEO/00001.wav` (2018), or by names, `wav/NAME/VIDEO_0000001.wav`
    (2017). A speaker's session is a video. Names are made of the corpus' own; those of speakers who do not teach begin
    with E, those of others do not. vox1_meta.csv tells names and numbers, iden_split.txt the splits (1 train, 2
    validation, 3 test: a tenth and a fifth of each speaker's utterances, drawn; all of one with less than three are of
    split 1), veri_test.txt the pairs of all lists of trials, and `trials/NAME.txt` those of each list by the ids that
    the reader gives. What lies there already is not written again. `BadInput` where the folder holds something else,
    and where the trials name somebody who teaches: verification is of people whom nobody learns from.
    """
    for name, trials in corpus.trials.items():
        if trials.target is None:
            raise BadInput(f"{name}: its trials do not say which are of the same speaker, as veri_test.txt does")
    taught = {utterance.speaker for utterance in corpus.teaching}
    if both := sorted(taught & {utterance.speaker for utterance in corpus.judging}):
        raise BadInput(
            f"{both[0]}: teaches, and the trials name recordings of the same speaker ({len(both)} such in all); "
            "verification is of people whom nobody learns from: give each a split other than train by --split-table, "
            "or leave them out of the trials"
        )
    manifest = _chosen(corpus)
    places = _places(manifest, taught)
    claim(out, f"unified_hypersphere {layout}", [(u.id, u.speaker, u.session, u.split) for u in manifest])

    def save(utterance: Utterance) -> None:
        path = out / "wav" / places[utterance.id].path(layout)
        if not path.exists():
            write(path, read(utterance.path, rate=RATE, start=utterance.start, duration=utterance.duration), RATE)

    failed: list[str] = []
    for _, result in in_threads(save, manifest):
        failed += [str(result)] if isinstance(result, BadInput) else []
        progress(1)
    if failed:
        raise BadInput(f"{failed[0]} ({len(failed)} recordings in all could not be taken; leave them out)")
    _write_meta(out / "vox1_meta.csv", manifest, places)
    counts = _write_splits(out / "iden_split.txt", manifest, places, layout)
    _write_trials(out, corpus.trials, places, layout)
    told = f"{counts[0]} utterances of split 1, {counts[1]} of 2, {counts[2]} of 3"
    untried = () if corpus.trials else ("no veri_test.txt, as no trials were given",)
    return Made(out, len(manifest), len(manifest.speakers), (told, *untried))


def _chosen(corpus: Corpus) -> Manifest:
    """What teaches and what judges, each once, in the manifest's order."""
    wanted = {*corpus.teaching.ids, *corpus.judging.ids}
    return Manifest(tuple(utterance for utterance in corpus.manifest if utterance.id in wanted))


def _places(manifest: Manifest, taught: set[str]) -> dict[str, Place]:
    """The place of each utterance, by its id; speakers are numbered by their names in order."""
    names: dict[str, str] = {}
    for speaker in manifest.speakers:
        initial = "T" if speaker in taught else INITIAL
        name = f"{initial}._{re.sub(r'[^A-Za-z0-9.-]', '_', speaker)}"
        names[speaker] = name if name not in names.values() else f"{name}_{len(names)}"
    number = {speaker: FIRST + i for i, speaker in enumerate(manifest.speakers)}
    counts: dict[tuple[str, str], int] = {}
    places = {}
    for utterance in manifest:
        video = _video(utterance.speaker, utterance.session)
        key = (utterance.speaker, video)
        counts[key] = counts.get(key, 0) + 1
        person = f"id{number[utterance.speaker]:05d}"
        places[utterance.id] = Place(person, names[utterance.speaker], video, counts[key])
    return places


def _video(speaker: str, session: str) -> str:
    """Eleven characters that stand for a session, as YouTube's do for a video."""
    digest = hashlib.sha256(f"{speaker}\x1f{session}".encode()).digest()
    return base64.urlsafe_b64encode(digest[:9]).decode()[:11]


def _write_meta(path: Path, manifest: Manifest, places: Mapping[str, Place]) -> None:
    gender = {utterance.speaker: utterance.gender for utterance in manifest}
    people = {places[u.id].person: (places[u.id].name, gender[u.speaker]) for u in manifest}
    with atomic(path) as file:
        file.write("VoxCeleb1 ID\tVGGFace1 ID\tGender\tNationality\tSet\n")
        for person, (name, sex) in sorted(people.items()):
            file.write(f"{person}\t{name}\t{sex}\t\t{'test' if name.startswith(INITIAL) else 'dev'}\n")


def _write_splits(path: Path, manifest: Manifest, places: Mapping[str, Place], layout: Layout) -> tuple[int, int, int]:
    """iden_split.txt, speaker by speaker; says how many utterances are of each split."""
    of_speaker: dict[str, list[Utterance]] = {}
    for utterance in manifest:
        of_speaker.setdefault(utterance.speaker, []).append(utterance)
    counts = [0, 0, 0]
    with atomic(path) as file:
        for speaker, own in sorted(of_speaker.items()):
            for split, utterance in sorted(zip(splits(len(own), speaker), own, strict=True), key=lambda row: row[0]):
                counts[split - 1] += 1
                file.write(f"{split} {places[utterance.id].path(layout)}\n")
    return counts[0], counts[1], counts[2]


def splits(count: int, speaker: str) -> list[int]:
    """The split (1 train, 2 validation, 3 test) of each of a speaker's `count` utterances."""
    if count < 3:
        return [1] * count
    validation, test = (max(1, round(share * count)) for share in SHARES)
    validation = validation if count > 3 else 0
    dealt = [2] * validation + [3] * test + [1] * (count - validation - test)
    return [dealt[i] for i in stream("iden_split", speaker).permutation(count)]


def _write_trials(out: Path, lists: Mapping[str, Trials], places: Mapping[str, Place], layout: Layout) -> None:
    """veri_test.txt of all lists, as the release names files, and each list by the reader's ids."""
    for name, trials in lists.items():
        ids = tuple(places[each].id for each in trials.ids)
        replace(trials, ids=ids).save(out / "trials" / f"{name}.txt")
    if lists:
        with atomic(out / "veri_test.txt") as file:
            for trials in lists.values():
                files = [places[each].path(layout) for each in trials.ids]
                assert trials.target is not None
                for a, b, same in zip(trials.enrol, trials.test, trials.target, strict=True):
                    file.write(f"{int(same)} {files[a]} {files[b]}\n")
