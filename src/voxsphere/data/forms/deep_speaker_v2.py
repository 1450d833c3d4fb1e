"""Deep-speaker v2's input form: a tree like VCTK's, at 8 kHz, of 80 speakers to learn and 29 others."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from voxsphere.audio.wave import read, write
from voxsphere.core.errors import BadInput
from voxsphere.core.files import atomic
from voxsphere.core.manifest import Manifest, Utterance
from voxsphere.core.random import stream
from voxsphere.data.forms.corpus import Corpus, Made, claim
from voxsphere.data.threads import in_threads

RATE = 8000
LEAST = 8
"""So many recordings a speaker has to have."""

_LEARNT = (*range(225, 235), *range(236, 242), *range(243, 289), *range(292, 296), *range(297, 309), 310, 311)
_OTHERS = (*range(312, 319), 323, 326, 329, 330, *range(333, 337), 339, 340, 341, 343, 345, 347, 351)
LEARNT = tuple(f"p{number}" for number in _LEARNT)
OTHERS = tuple(f"p{number}" for number in (*_OTHERS, *range(360, 365), 374, 376))
"""VCTK's speakers: the 80 whom the original classifies, and the 29 whom it holds out."""


@dataclass(frozen=True)
class _Person:
    """A speaker of the corpus under a name of VCTK's."""

    name: str
    speaker: str
    split: str
    recordings: tuple[Utterance, ...]

    def placed(self) -> list[tuple[str, Utterance]]:
        """The recordings by their names in VCTK's manner, p225_001 and so on."""
        return [(f"{self.name}_{number:03d}", each) for number, each in enumerate(self.recordings, 1)]


def deep_speaker_v2(corpus: Corpus, out: Path, *, progress: Callable[[int], None] = lambda done: None) -> Made:
    """Write `wav48/p225/p225_001.wav` and so on, `txt/`, `speaker-info.txt`, `speakers.tsv` and `recordings.tsv`.

    Of the speakers who are to be learnt from and have 8 recordings or more, 80 are drawn to be classified (p225 to
    p311), and 29 to be held out (p312 to p376); where there are fewer, as many of each in that proportion.
    speakers.tsv tells who is who, and is the table of splits, train and held_out, that `voxsphere cuts` takes;
    recordings.tsv tells the same of recordings. What is there already stays, so a second call goes on; `BadInput` where
    the folder holds other speakers. What cannot be read is left out and told.
    """
    people = _drawn(corpus.teaching)
    tables = {"speakers.tsv": _speakers(people), "recordings.tsv": _recordings(people)}
    claim(out, "deep_speaker_v2", tables)
    for name, text in (*tables.items(), ("speaker-info.txt", _info(people))):
        _write(out / name, text)
    every = [(person, *each) for person in people for each in person.placed()]
    failures, written = [], 0
    for _, made in in_threads(partial(_placed, out), every):
        progress(1)
        written += not isinstance(made, BadInput)
        failures += [str(made)] * isinstance(made, BadInput)
    if not written:
        raise BadInput(f"{out}: nothing could be written: {failures[0]}")
    learnt = sum(person.split == "train" for person in people)
    told = [f"{learnt} speakers to learn and {len(people) - learnt} held out; speakers.tsv tells who they are"]
    return Made(out, written, len(people), (*told, *failures))


def _drawn(teaching: Manifest) -> list[_Person]:
    of_speaker: dict[str, list[Utterance]] = {}
    for utterance in sorted(teaching, key=lambda u: (u.speaker, u.id)):
        of_speaker.setdefault(utterance.speaker, []).append(utterance)
    able = [speaker for speaker, own in of_speaker.items() if len(own) >= LEAST]
    if len(able) < 3:
        raise BadInput(
            f"{len(able)} of the {len(of_speaker)} speakers to be learnt have {LEAST} recordings or more; three are "
            "the least, two to learn and one to hold out"
        )
    count = min(len(able), len(LEARNT) + len(OTHERS))
    order = [able[i] for i in stream("deep_speaker_v2 speakers").permutation(len(able))[:count]]
    learnt = min(max(2, round(count * len(LEARNT) / (len(LEARNT) + len(OTHERS)))), count - 1)
    return [
        *_people(LEARNT, order[:learnt], "train", of_speaker),
        *_people(OTHERS, order[learnt:], "held_out", of_speaker),
    ]


def _people(
    names: Sequence[str], speakers: Sequence[str], split: str, of_speaker: Mapping[str, Sequence[Utterance]]
) -> list[_Person]:
    return [_Person(name, each, split, tuple(of_speaker[each])) for name, each in zip(names, speakers, strict=False)]


def _placed(out: Path, each: tuple[_Person, str, Utterance]) -> None:
    person, name, utterance = each
    path = out / "wav48" / person.name / f"{name}.wav"
    text = " ".join(utterance.text.split())
    if text:
        _write(out / "txt" / person.name / f"{name}.txt", f"{text}\n")
    if not path.exists():
        limit = utterance.duration if utterance.start is not None else None
        rate = round(RATE / utterance.speed)  # played faster is read at a lower rate
        write(path, read(utterance.path, rate=rate, start=utterance.start, duration=limit), RATE)


def _speakers(people: Sequence[_Person]) -> str:
    rows = (f"{p.name}\t{p.split}\t{p.speaker}\t{len(p.recordings)}\n" for p in people)
    return "".join(("speaker\tsplit\tcorpus_speaker\trecordings\n", *rows))


def _recordings(people: Sequence[_Person]) -> str:
    rows = (f"{name}\t{each.id}\n" for person in people for name, each in person.placed())
    return "".join(("recording\tcorpus_id\n", *rows))


def _info(people: Sequence[_Person]) -> str:
    """As VCTK 0.80 has it; the age is nobody's to tell, the accent is the language, the region the corpus."""
    lines = ["ID  AGE  GENDER  ACCENTS  REGION"]
    for person in people:
        first = person.recordings[0]
        gender = first.gender.upper() or "-"
        lines.append(f"{person.name[1:]}  -  {gender}  {first.language or '-'}  {first.dataset or '-'}")
    return "\n".join(lines) + "\n"


def _write(path: Path, text: str) -> None:
    with atomic(path) as file:
        file.write(text)
