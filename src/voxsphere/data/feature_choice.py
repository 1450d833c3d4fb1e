"""Which stored features go into a set: of several sources, less those who say little and those held out."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from voxsphere.core.errors import BadInput
from voxsphere.core.manifest import Manifest
from voxsphere.data.feature_folder import open_features
from voxsphere.data.kaldi import read_spk2utt, read_utt2spk
from voxsphere.data.people import check_named
from voxsphere.data.split import split


def gathered(sources: Sequence[str | Path]) -> Manifest:
    """The utterances of all sources, one after the other; a speaker of two sources is one speaker.

    `BadInput` names an utterance that two sources have.
    """
    place: dict[str, str | Path] = {}
    utterances = []
    for source in sources:
        for utterance in open_features(source):
            if utterance.id in place:
                raise BadInput(f"{source}: {utterance.id} is in {place[utterance.id]}, too; give ids that differ")
            place[utterance.id] = source
            utterances.append(utterance)
    return Manifest(tuple(utterances))


def with_speakers(manifest: Manifest, utt2spk: Sequence[Path], spk2utt: Sequence[Path]) -> Manifest:
    """The manifest with the speakers that Kaldi's tables name; without any table, as it is.

    `BadInput` names an utterance for which the tables disagree, and one that nobody names a speaker for.
    """
    if not utt2spk and not spk2utt:
        return manifest
    tables = [(path, read_utt2spk(path)) for path in utt2spk]
    tables += [(path, {u: speaker for speaker, ids in read_spk2utt(path).items() for u in ids}) for path in spk2utt]
    speaker_of: dict[str, str] = {}
    for path, table in tables:
        for name, speaker in table.items():
            if speaker_of.setdefault(name, speaker) != speaker:
                raise BadInput(f"{path}: {name} is of {speaker} here, of {speaker_of[name]} in a table before")
    return Manifest(tuple(replace(u, speaker=_named(u.id, u.speaker, speaker_of, tables[0][0])) for u in manifest))


def _named(name: str, present: str, speaker_of: Mapping[str, str], table: Path) -> str:
    if not (speaker := speaker_of.get(name) or present):
        raise BadInput(f"{table}: names no speaker for {name}, and nothing lies beside its features that does")
    return speaker


def parted(
    manifest: Manifest, *, min_recordings: int = 0, hold_out: int = 0, seed: int = 0
) -> tuple[Manifest, Manifest]:
    """What is learnt from and what `hold_out` speakers are judged by (empty for 0).

    Speakers of fewer than `min_recordings` utterances are left out first. Who is held out is drawn by
    `data.split.split`. `BadInput` where nobody is left.
    """
    if min_recordings > 1 or hold_out:
        check_named(manifest, "--min-recordings and --hold-out")
    counts = Counter(utterance.speaker for utterance in manifest)
    kept = Manifest(tuple(u for u in manifest if counts[u.speaker] >= min_recordings))
    if not len(kept):
        most = max(counts.values(), default=0)
        raise BadInput(f"--min-recordings {min_recordings}: no speaker has so many utterances; the most are {most}")
    return split(kept, held_out=hold_out, seed=seed) if hold_out else (kept, Manifest(()))


def held_out_name(out: Path) -> Path:
    """Where those held out of `out` go: valid_NAME beside it, and valid.hdf beside train.hdf."""
    return out.with_name(f"valid{out.suffix}" if out.stem == "train" else f"valid_{out.name}")
