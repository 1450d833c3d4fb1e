"""A manifest made ready to learn from: which speakers teach, and which are held out to judge."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from voxsphere.audio.stores import is_remote, shown
from voxsphere.audio.wave import info
from voxsphere.core.errors import BadInput
from voxsphere.core.files import expanded
from voxsphere.core.manifest import Manifest, Utterance
from voxsphere.core.trials import Trials
from voxsphere.data.by_speaker import warned
from voxsphere.data.domains import check_domain, domain_of
from voxsphere.data.manifests import open_manifest
from voxsphere.data.pairs import draw
from voxsphere.data.split import split as split_speakers
from voxsphere.data.split_table import named, with_splits
from voxsphere.data.stored import num_frames
from voxsphere.data.test_lists import is_test_list

HEADERS = 50_000
"""Utterances of unknown duration whose files are asked at the start of a run: some seconds (0.15 ms a WAV or FLAC)."""


_NONE = Manifest(())


@dataclass(frozen=True)
class TrainingSet:
    """What a run learns from (`train`) and the held-out speakers' utterances and trials it is judged by.

    Speakers are named `dataset/speaker` where the manifest tells data sets apart. `stamp` says in words what a reader
    of the results must know, such as that a test list chose the model; "" where there is nothing. `domain` is the
    column that tells what each training utterance's domain is; "" where nobody asks. Of a `closed` set the held-out
    utterances are of the speakers who teach, and there are no trials. `left_out` are further utterances of the speakers
    who are learnt, which an open set does not hear: they tell how well those are known.
    """

    train: Manifest
    held_out: Manifest
    trials: Trials
    stamp: str = ""
    domain: str = ""
    closed: bool = False
    left_out: Manifest = _NONE

    @property
    def classes(self) -> tuple[int, ...]:
        """The number of each training utterance's speaker, in `train.speakers`."""
        number = {speaker: i for i, speaker in enumerate(self.train.speakers)}
        return tuple(number[utterance.speaker] for utterance in self.train)

    @cached_property
    def domain_names(self) -> tuple[str, ...]:
        """The domains, sorted; none where no column tells them."""
        return tuple(sorted({domain_of(u, self.domain) for u in self.train})) if self.domain else ()

    @property
    def domains(self) -> tuple[int, ...] | None:
        """The number of each training utterance's domain, in `domain_names`; None where no column tells it."""
        number = {name: i for i, name in enumerate(self.domain_names)}
        return tuple(number[domain_of(u, self.domain)] for u in self.train) if self.domain else None

    @cached_property
    def fingerprint(self) -> str:
        """Twelve letters that stand for the utterances, their order, the trials, and the domains where any are told."""
        digest = hashlib.sha256()
        for utterance in (*self.train, *self.held_out):
            told = (utterance.id, utterance.speaker, utterance.start, utterance.duration, utterance.speed)
            digest.update(repr(told).encode())
        digest.update(repr([self.trials.ids, self.trials.enrol.tolist(), self.trials.test.tolist()]).encode())
        if self.domain:
            digest.update(repr([self.domain_names, self.domains]).encode())
        return digest.hexdigest()[:12]


# Long by its options and what they mean, which are the `data.*` of every recipe; each refusal needs what came before.
def training_set(
    *,
    manifest: str,
    split: str = "",
    split_table: str = "",
    datasets: tuple[str, ...] = (),
    min_seconds: float = 0.0,
    min_utterances: int = 1,
    held_out: float | int = 0.05,
    held_out_manifest: str = "",
    trials: str = "",
    targets: int | None = 2000,
    same_gender: bool = True,
    speeds: tuple[float, ...] = (),
    domain: str = "",
    allow_test_list: bool = False,
    seed: int = 0,
) -> TrainingSet:
    """The training set of a manifest; paths may name environment variables (`$VOXCELEB/vox2.tsv`).

    Taken are utterances whose `split` is the one named (by the manifest's column, or by `split_table`, a table of
    `speaker split` with perhaps `dataset`), of the data sets named, of `min_seconds` or more, of speakers with
    `min_utterances` or more. Where the manifest has no duration, the file's header tells it; `BadInput` asks for
    `voxsphere check --out` where those are more than `HEADERS` or on the network. `held_out` speakers (a share, or a
    number) judge the run, or those of `held_out_manifest`; the trials are `targets` drawn ones (null: all) and five
    times as many non-targets, of one gender where it is known, or those in the file `trials`. Each of `speeds` adds the
    corpus played so fast as further speakers. `domain` names a column (dataset, session, language, gender, any other)
    that tells the domain of each utterance, for an objective that asks for it.

    Raises `BadInput` where nothing or hardly anything is left, where held-out speakers are among those that teach,
    and for a list of trials that is known as a test list, unless `allow_test_list`.
    """
    whole = named(with_splits(_open(manifest), split_table))
    found = _chosen(whole, manifest, split, datasets, min_seconds)
    if held_out_manifest:
        teaching, judging = found, named(_open(held_out_manifest))
        if both := sorted(set(teaching.speakers) & set(judging.speakers)):
            raise BadInput(f"{held_out_manifest}: {len(both)} of its speakers, such as {both[0]}, are in {manifest}")
    else:
        teaching, judging = split_speakers(found, held_out=held_out, seed=seed)
    counts = Counter(utterance.speaker for utterance in teaching)
    kept = tuple(utterance for utterance in teaching if counts[utterance.speaker] >= min_utterances)
    train = Manifest(kept)
    if len(train.speakers) < 2:
        raise BadInput(f"{manifest}: leaves {len(train.speakers)} speakers to learn from; two are the least")
    check_domain(train, domain, manifest)
    if trials:
        pairs = Trials.load(expanded(trials))
    else:
        pairs = draw(judging, targets=targets, same_gender=same_gender, seed=seed).trials
    marking = [each for each, asked in ((whole, trials), (judging, trials or held_out_manifest)) if asked]
    reason = is_test_list(pairs, Path(trials).name, manifests=marking)
    if reason and not allow_test_list:
        raise BadInput(
            f"{trials or held_out_manifest or manifest}: {reason}; a test list must not choose a model. Leave it out "
            "to validate on held-out train speakers (or set data.allow_test_list=true: the model's card will say so)"
        )
    validated = f"validated on a test list ({reason}): its figures are no test results" if reason else ""
    stamp = "; ".join(filter(None, (warned(manifest), validated)))
    if trials:
        judging = _only(whole if reason and not held_out_manifest else judging, train, pairs, trials)
    return TrainingSet(train.with_speeds_as_speakers(*speeds) if speeds else train, judging, pairs, stamp, domain)


def _open(path: str) -> Manifest:
    return open_manifest(expanded(path))


def _chosen(manifest: Manifest, name: str, split: str, datasets: tuple[str, ...], min_seconds: float) -> Manifest:
    asked_for = [
        utterance
        for utterance in manifest
        if (not split or utterance.split == split) and (not datasets or utterance.dataset in datasets)
    ]
    kept = _long_enough(name, asked_for, min_seconds) if min_seconds > 0 else asked_for
    if not kept:
        asked = [f"split {split!r}"] * bool(split) + [f"data sets {', '.join(datasets)}"] * bool(datasets)
        wanted = " and ".join(asked) or "enough seconds"
        raise BadInput(f"{name}: none of its {len(manifest)} utterances is of {wanted}")
    return Manifest(tuple(kept))


def _long_enough(name: str, utterances: Sequence[Utterance], least: float) -> list[Utterance]:
    unknown = [utterance.path for utterance in utterances if utterance.duration is None]
    if len(unknown) > HEADERS or any(map(is_remote, unknown)):
        raise BadInput(
            f"{name}: {len(unknown)} utterances have no duration, so those under data.min_seconds={least:g} cannot be "
            f"left out; `voxsphere check {name} --out TABLE` writes durations, data.min_seconds=0 takes all"
        )
    if framed := [utterance.path for utterance in utterances if utterance.duration is None and num_frames(utterance)]:
        raise BadInput(
            f"{name}: {shown(framed[0])} and {len(framed) - 1} more tell a number of frames and no duration, so none "
            "can be left out by seconds: data.min_seconds=0 takes all"
        )
    known = ((utterance, _seconds(utterance)) for utterance in utterances)
    return [each for each, seconds in known if seconds is None or seconds / each.speed >= least]


def _seconds(utterance: Utterance) -> float | None:
    """How long an utterance is, at speed 1; None for a broken one, which the loader names, counts and replaces."""
    if utterance.duration is not None:
        return utterance.duration
    try:
        return info(utterance.path).seconds - (utterance.start or 0.0)
    except (BadInput, OSError):
        return None


def _only(judging: Manifest, train: Manifest, pairs: Trials, name: str) -> Manifest:
    """The utterances that the trials name; none may be of a speaker to learn from."""
    known = {utterance.id: utterance for utterance in judging}
    teachers = set(train.speakers)
    for id in pairs.ids:
        if id not in known:
            raise BadInput(f"{name}: {id} is not among the held-out recordings; list those, or leave the list out")
        if known[id].speaker in teachers:
            raise BadInput(f"{name}: {id} is of {known[id].speaker}, who is learnt from; hold that speaker out")
    return Manifest(tuple(known[id] for id in pairs.ids))
