"""What a check found: counts, broken and doubtful recordings, trial lists, leaks."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from voxsphere.core.manifest import Manifest, Utterance
from voxsphere.data.heard import Heard
from voxsphere.data.leaks import Leak
from voxsphere.data.people import person

MOST_CLIPPED = 0.001
"""Share of samples at the limit above which a recording counts as clipped."""

LEAST_SECONDS = 0.5
"""Seconds under which a recording counts as short."""


@dataclass(frozen=True)
class Group:
    """The utterances of a data set and a gender ("" where unknown); broken ones have no seconds."""

    dataset: str
    gender: str
    utterances: int
    speakers: int
    seconds: float
    speech_seconds: float


@dataclass(frozen=True)
class ListReport:
    """A trial list: its size; recordings in none of the manifests; trials of a recording and itself or its copy;
    trials whose label is not what the manifest's speakers say; how many utterances that are taught with it was compared
    with; why it is known as a public test list, if it is."""

    name: str
    trials: int
    recordings: int
    missing: tuple[str, ...]
    of_itself: int
    contrary: int
    taught: int
    test_list: str


@dataclass(frozen=True)
class Duplicate:
    """Utterances of the same decoded samples; if of several speakers, a label is wrong."""

    ids: tuple[str, ...]
    speakers: tuple[str, ...]


@dataclass(frozen=True)
class Broken:
    """An utterance that cannot be decoded; `manifest` is "" for the one checked, else the other's name."""

    id: str
    reason: str
    manifest: str = ""


@dataclass(frozen=True)
class Report:
    """What `check` found; seconds are of what could be decoded, `silent` to `speechless` are ids of utterances.

    Each of those is told once: `silent` (every sample the same), else `short` (under half a second), else `speechless`
    (no frame rises above the background), and `clipped` (more than one sample in a thousand at the limit) besides.
    `single` are the speakers of one utterance. `measured` is the manifest without what is broken, each utterance with
    its `duration` as decoded and a further column speech_seconds (seconds of the file, whatever the speed).
    """

    utterances: int
    speakers: int
    groups: tuple[Group, ...]
    rates: tuple[tuple[int, int], ...]  # (Hz, utterances), the most frequent first
    broken: tuple[Broken, ...]
    silent: tuple[str, ...]
    short: tuple[str, ...]
    speechless: tuple[str, ...]
    clipped: tuple[str, ...]
    single: tuple[str, ...]
    duplicates: tuple[Duplicate, ...]
    lists: tuple[ListReport, ...]
    leaks: tuple[Leak, ...]
    measured: Manifest

    @property
    def clean(self) -> bool:
        """Whether nothing is broken, nothing leaks, and no trial contradicts the manifest."""
        return not (self.broken or self.leaks or any(each.contrary for each in self.lists))

    @property
    def seconds(self) -> float:
        """Seconds of sound that could be decoded."""
        return sum(group.seconds for group in self.groups)

    @property
    def speech_seconds(self) -> float:
        """Seconds of speech among them."""
        return sum(group.speech_seconds for group in self.groups)

    def to_json(self) -> dict[str, Any]:
        """The report as plain values: its fields by their names, `sample_rates` by Hz, and `clean` and the sums.

        `measured` is left out: it is a table of its own.
        """
        told = asdict(replace(self, measured=Manifest(())))
        del told["rates"], told["measured"]
        totals = {"clean": self.clean, "seconds": self.seconds, "speech_seconds": self.speech_seconds}
        return totals | told | {"sample_rates": {str(rate): count for rate, count in self.rates}}

    @staticmethod
    def of(
        manifest: Manifest,
        heard: Sequence[Heard],
        *,
        broken_elsewhere: Sequence[Broken],
        lists: Sequence[ListReport],
        leaks: Sequence[Leak],
    ) -> "Report":
        """The report of a manifest whose utterances were heard so."""
        pairs = [*zip(manifest, heard, strict=True)]
        whole = [(utterance.id, each) for utterance, each in pairs if not each.reason]
        spoken = Counter(person(utterance) for utterance in manifest if utterance.speaker and utterance.speed == 1)
        audible = [(name, each) for name, each in whole if not each.silent]
        long = [(name, each) for name, each in audible if each.seconds >= LEAST_SECONDS]
        return Report(
            utterances=len(manifest),
            speakers=len({person(utterance) for utterance in manifest if utterance.speaker}),
            groups=_groups(manifest, heard),
            rates=tuple(Counter(each.rate for _, each in whole).most_common()),
            broken=(*(Broken(u.id, each.reason) for u, each in pairs if each.reason), *broken_elsewhere),
            silent=tuple(name for name, each in whole if each.silent),
            short=tuple(name for name, each in audible if each.seconds < LEAST_SECONDS),
            speechless=tuple(name for name, each in long if each.speech_seconds == 0),
            clipped=tuple(name for name, each in audible if each.clipped > MOST_CLIPPED),
            single=tuple(sorted("/".join(part for part in who if part) for who, n in spoken.items() if n == 1)),
            duplicates=_duplicates(manifest, heard),
            lists=tuple(lists),
            leaks=tuple(leaks),
            measured=Manifest(tuple(_measured(utterance, each) for utterance, each in pairs if not each.reason)),
        )


def _measured(utterance: Utterance, heard: Heard) -> Utterance:
    """The utterance with what was heard, in seconds of the file: heard are those that pass when it is played."""
    others = tuple((name, value) for name, value in utterance.extra if name != "speech_seconds")
    speech = f"{heard.speech_seconds * utterance.speed:.2f}"
    return replace(utterance, duration=heard.seconds * utterance.speed, extra=(*others, ("speech_seconds", speech)))


def _groups(manifest: Manifest, heard: Sequence[Heard]) -> tuple[Group, ...]:
    rows: dict[tuple[str, str], list[int]] = defaultdict(list)
    for row, utterance in enumerate(manifest):
        rows[utterance.dataset, utterance.gender].append(row)
    return tuple(
        Group(
            dataset=dataset,
            gender=gender,
            utterances=len(own),
            speakers=len({manifest.utterances[row].speaker for row in own} - {""}),
            seconds=sum(heard[row].seconds for row in own),
            speech_seconds=sum(heard[row].speech_seconds for row in own),
        )
        for (dataset, gender), own in sorted(rows.items())
    )


def _duplicates(manifest: Manifest, heard: Sequence[Heard]) -> tuple[Duplicate, ...]:
    same: dict[str, list[int]] = defaultdict(list)
    for row, each in enumerate(heard):
        if each.content and manifest.utterances[row].speed == 1:
            same[each.content].append(row)
    return tuple(
        Duplicate(
            tuple(manifest.utterances[row].id for row in rows),
            tuple(sorted({manifest.utterances[row].speaker for row in rows})),
        )
        for rows in same.values()
        if len(rows) > 1
    )
