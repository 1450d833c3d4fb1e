"""Pieces of the development corpus's train speakers' speech, embedded, and trials between them."""

import csv
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
import torch

from studies.store import alone
from voxsphere.audio.vad import speech_seconds
from voxsphere.audio.wave import read
from voxsphere.core.errors import BadInput
from voxsphere.core.files import cache_folder
from voxsphere.core.manifest import Manifest, Utterance
from voxsphere.core.random import stream
from voxsphere.data.pack import pack
from voxsphere.models.speaker import SpeakerModel


def corpus() -> Path:
    """The development corpus, by `VOXSPHERE_CORPUS`."""
    folder = os.environ.get("VOXSPHERE_CORPUS")
    if not folder:
        raise BadInput("VOXSPHERE_CORPUS is not set; this study needs the development corpus (docs/corpus.md)")
    return Path(folder)


def packed() -> Path:
    """The corpus in one HDF5 file, so that Ogg Opus is decoded once; packed now if it is not yet."""
    path = cache_folder() / "studies" / "corpus.h5"
    with alone(path.parent):  # studies that begin side by side pack it once
        if not path.with_suffix(".tsv").exists():
            pack(Manifest.load(corpus() / "manifest.tsv"), path, form="hdf5")
    return path.with_suffix(".tsv")


def train_utterances(*datasets: str, a_speaker: int) -> list[Utterance]:
    """Up to `a_speaker` utterances of each train speaker of these data sets, drawn with a fixed seed."""
    with (corpus() / "split.tsv").open(encoding="utf-8") as file:
        rows = csv.DictReader(file, delimiter="\t")
        train = {(row["dataset"], row["speaker"]) for row in rows if row["split"] == "train"}
    spoken: dict[tuple[str, str], list[Utterance]] = defaultdict(list)
    for utterance in Manifest.load(corpus() / "manifest.tsv"):
        key = (utterance.dataset, utterance.speaker)
        if key in train and utterance.dataset in datasets:
            spoken[key].append(utterance)
    chosen = []
    for key, utterances in sorted(spoken.items()):
        order = stream("studies", "utterances", *key).permutation(len(utterances))
        chosen += [utterances[i] for i in sorted(order[:a_speaker])]
    return chosen


@dataclass(frozen=True)
class Piece:
    """A piece of an utterance: its wave's length in seconds, its seconds of speech, and its embedding."""

    utterance: Utterance
    seconds: float
    speech: float
    vector: np.ndarray

    @property
    def speaker(self) -> str:
        return f"{self.utterance.dataset}/{self.utterance.speaker}"

    @property
    def kind(self) -> tuple[str, str, str]:
        """Who could be mistaken for whom: non-target pairs share the data set, the language and the gender."""
        return (self.utterance.dataset, self.utterance.language, self.utterance.gender)


def cuts(
    utterances: Iterable[Utterance], rate: int, lengths: tuple[float, ...]
) -> Iterator[tuple[Utterance, np.ndarray]]:
    """Each utterance whole (where `lengths` has inf), and a random cut of each length that it is long enough for."""
    for utterance in utterances:
        wave = read(utterance.path, rate=rate)
        for length in lengths:
            if length == float("inf"):
                yield utterance, wave
            elif len(wave) > 1.3 * length * rate:
                size = round(length * rate)
                first = int(stream("studies", "cut", utterance.id, str(length)).integers(len(wave) - size))
                yield utterance, wave[first : first + size]


def embed_pieces(model: SpeakerModel, waves: Iterable[tuple[Utterance, np.ndarray]]) -> list[Piece]:
    """Every piece with its embedding; a thread a core, pieces of one length together."""
    rate = model.sample_rate

    def work(items: tuple[tuple[Utterance, np.ndarray], ...]) -> list[Piece]:
        vectors = model.embed([wave for _, wave in items])
        return [
            Piece(utterance, len(wave) / rate, speech_seconds(wave, rate), vector)
            for (utterance, wave), vector in zip(items, vectors, strict=True)
        ]

    in_order = sorted(waves, key=lambda item: len(item[1]))
    with ThreadPoolExecutor(os.cpu_count(), initializer=torch.set_num_threads, initargs=(1,)) as pool:
        return [piece for pieces in pool.map(work, batched(in_order, 16)) for piece in pieces]


def batched(items: list[tuple[Utterance, np.ndarray]], size: int) -> Iterator[tuple[tuple[Utterance, np.ndarray], ...]]:
    """Consecutive runs of `size` items."""
    yield from (tuple(items[first : first + size]) for first in range(0, len(items), size))


@dataclass(frozen=True)
class Pairs:
    """Trials between pieces: indexes of both sides, and whether they are of one speaker."""

    first: np.ndarray
    second: np.ndarray
    target: np.ndarray


def pair_up(pieces: list[Piece], *, targets_a_speaker: int, nontargets: int) -> Pairs:
    """Seeded trials: target pairs of different utterances, non-target pairs within the same kind of speaker."""
    random = stream("studies", "pairs")
    by_speaker: dict[str, list[int]] = defaultdict(list)
    by_kind: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for index, piece in enumerate(pieces):
        by_speaker[piece.speaker].append(index)
        by_kind[piece.kind].append(index)
    found: list[tuple[int, int, bool]] = []
    for _, members in sorted(by_speaker.items()):
        pairs = [(a, b) for a, b in combinations(members, 2) if pieces[a].utterance.id != pieces[b].utterance.id]
        for pick in random.permutation(len(pairs))[:targets_a_speaker]:
            found.append((*pairs[pick], True))
    kinds = [members for _, members in sorted(by_kind.items()) if len({pieces[i].speaker for i in members}) > 1]
    weights = np.array([len(members) for members in kinds], dtype=float)
    for kind in random.choice(len(kinds), size=nontargets, p=weights / weights.sum()):
        a, b = random.choice(kinds[kind], size=2, replace=False)
        if pieces[a].speaker != pieces[b].speaker:
            found.append((int(a), int(b), False))
    table = np.array(sorted(set(found)))
    return Pairs(table[:, 0], table[:, 1], table[:, 2].astype(bool))
