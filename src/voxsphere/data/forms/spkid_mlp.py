"""A corpus as UPC's speaker lab has its own: a feature file an utterance, and lists of those to learn and to test."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Literal

from voxsphere.audio.features import Mfcc
from voxsphere.audio.front_end import FrontEnd
from voxsphere.audio.lpc import Lpc
from voxsphere.audio.lpcc import Lpcc
from voxsphere.audio.mel_cepstrum import MelCepstrum
from voxsphere.core.errors import BadInput
from voxsphere.core.files import atomic, write_json
from voxsphere.core.manifest import Manifest, Utterance
from voxsphere.core.random import stream
from voxsphere.data.corpora.pav import INDEX, SOURCE, TRAIN, VALIDATION
from voxsphere.data.feature_sets import compute
from voxsphere.data.forms.corpus import Corpus, Made, claim

Kind = Literal["mcp", "lpc", "lpcc", "mfcc"]

LEAST = 8
"""Utterances that a speaker must have: with fewer there is not much to be learnt and tested by."""
SHARE = 0.25
"""Of a speaker's utterances so many are to be tested with; the lab has 15 to learn from and 5 to test with."""
BLOCK = 10
"""So many speakers are a block, whose only use is to be a folder."""

ID, SPEAKER = "source_id", "source_speaker"
"""The columns that tell what a file is made of."""

FRONT_ENDS: Mapping[Kind, Callable[[], FrontEnd]] = {
    "mcp": partial(MelCepstrum, order=19),
    "lpc": partial(Lpc, order=19),
    "lpcc": partial(Lpcc, order=19, num_ceps=19),
    "mfcc": partial(Mfcc, sample_rate=8000, num_ceps=20, num_mels=23, frame_length=0.030),
}
"""By the suffix of their files, what makes 20 features of each frame of 30 ms, every 10 ms, at 8 kHz."""


def spkid_mlp(
    corpus: Corpus, out: Path, *, kind: Kind = "mcp", progress: Callable[[int], None] = lambda done: None
) -> Made:
    """Write mcp/BLOCKxx/SESyyy/SAyyySzz.mcp and the lists cfg/all.train, cfg/all.test, cfg/SESyyy.train and .test.

    Of speakers who teach and have `LEAST` utterances or more: a drawn `SHARE` of each one's is to be tested with.
    cfg/spk2idx.json numbers the speakers, cfg/source.tsv tells which utterance each file is made of. `kind` is another
    of `FRONT_ENDS`, and may stand beside the first. What cannot be read is left out, and told; `BadInput` where the
    folder holds another corpus, or something else.
    """
    renamed = _renamed(corpus.teaching)
    if not renamed:
        raise BadInput(f"no speaker who teaches has {LEAST} utterances or more")
    claim(out, "spkid_mlp", [(u.id, u.split, u.extra) for u in renamed])
    manifest = Manifest(tuple(renamed))
    made = compute(manifest, FRONT_ENDS[kind], out / kind, form=kind, progress=progress)
    lists = _lists(made.manifest)
    for name, entries in lists.items():
        with atomic(out / "cfg" / name) as file:
            file.writelines(f"{entry}\n" for entry in entries)
    write_json(out / "cfg" / INDEX, {speaker: number for number, speaker in enumerate(made.manifest.speakers)})
    with atomic(out / "cfg" / SOURCE) as file:
        file.write("entry\tid\tspeaker\n")
        file.writelines(f"{u.id}\t{told[ID]}\t{told[SPEAKER]}\n" for u in made.manifest if (told := dict(u.extra)))
    notes = (
        f"{len(lists[TRAIN])} files to learn from, {len(lists[VALIDATION])} to be tested with; {made.dim} features a "
        f"frame of {json.dumps(kind)} files",
        *([f"{len(made.failures)} utterances could not be made; {made.failures[0][1]}"] if made.failures else []),
    )
    return Made(out, len(made.manifest), len(made.manifest.speakers), notes)


def _renamed(teaching: Manifest) -> list[Utterance]:
    """The utterances of speakers who have enough, by the lab's names, split `train` or `test`."""
    of_speaker: dict[str, list[Utterance]] = {}
    for utterance in teaching:
        of_speaker.setdefault(utterance.speaker, []).append(utterance)
    kept = [(name, own) for name, own in sorted(of_speaker.items()) if len(own) >= LEAST]
    return [
        _called(utterance, speaker, number, "test" if number in tested else "train")
        for speaker, (name, own) in enumerate(kept)
        for tested in (_drawn(name, len(own)),)
        for number, utterance in enumerate(own)
    ]


def _drawn(speaker: str, count: int) -> set[int]:
    """The places of those to be tested with among a speaker's so many utterances."""
    order = stream("lab", speaker).permutation(count)
    return set(order[: round(SHARE * count)].tolist())


def _called(utterance: Utterance, speaker: int, number: int, split: str) -> Utterance:
    entry = f"BLOCK{speaker // BLOCK:02d}/SES{speaker:03d}/SA{speaker:03d}S{number:02d}"
    source = ((ID, utterance.id), (SPEAKER, utterance.speaker))
    return replace(utterance, id=entry, speaker=f"SES{speaker:03d}", dataset="", split=split, extra=source)


def _lists(manifest: Manifest) -> dict[str, list[str]]:
    """The entries of each list, by its name."""
    lists: dict[str, list[str]] = {TRAIN: [], VALIDATION: []}
    for utterance in manifest:
        train = utterance.split == "train"
        lists[TRAIN if train else VALIDATION].append(utterance.id)
        lists.setdefault(f"{utterance.speaker}.{'train' if train else 'test'}", []).append(utterance.id)
    return lists
