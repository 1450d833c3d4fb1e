"""A manifest to an embeddings file: bad recordings are reported and passed over, and nothing made is lost."""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import torch

from voxsphere.core.embeddings import Embeddings
from voxsphere.core.errors import BadInput
from voxsphere.core.files import atomic
from voxsphere.core.manifest import Manifest, Utterance
from voxsphere.extract.voice import Voice, listen
from voxsphere.pretrained import Pretrained

SAVE_EVERY = 30.0  # seconds


@dataclass(frozen=True)
class Extraction:
    """What an extraction did: how many embeddings the file holds, how many it found there, and what went wrong."""

    embeddings: int
    resumed: int
    failures: tuple[tuple[str, str], ...]  # (utterance id, reason)
    seconds: float
    audio_seconds: float


def extract(
    pretrained: Pretrained,
    manifest: Manifest,
    out: str | Path,
    *,
    workers: int | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> Extraction:
    """Embed every utterance of `manifest` into the file `out`.

    Work in progress lies in `OUT.partial/`, saved every half minute; a second call goes on from there, and from an
    `out` that is already there, if the same model made them. Recordings that cannot be embedded are listed in
    `OUT.failed.tsv` and do not stop the others. `workers` threads embed one utterance each (default: one a core).
    """
    out, begun = Path(out), time.monotonic()
    store = _Store.open(out, pretrained.fingerprint, frozenset(manifest.ids))
    resumed = len(store.ids)
    todo = [utterance for utterance in manifest if utterance.id not in store.ids]
    progress(resumed)
    failures, heard, saved = [], 0.0, begun
    for utterance, result in _each(pretrained, todo, workers or _cores()):
        if isinstance(result, BadInput):
            failures.append((utterance.id, str(result)))
        else:
            store.add(utterance.id, result)
            heard += result.quality.seconds
        progress(1)
        if time.monotonic() - saved > SAVE_EVERY:
            store.save()
            saved = time.monotonic()
    count = store.finish(manifest)
    _report_failures(out, failures)
    return Extraction(count, resumed, tuple(failures), time.monotonic() - begun, heard)


class _Store:
    """The embeddings made so far, in memory and in numbered files beside the final one."""

    def __init__(self, out: Path, model: str) -> None:
        self.out, self.model = out, model
        self.folder = out.with_name(out.name + ".partial")
        self.ids: dict[str, tuple[np.ndarray, float]] = {}
        self.unsaved: dict[str, tuple[np.ndarray, float]] = {}

    @staticmethod
    def open(out: Path, model: str, wanted: frozenset[str]) -> "_Store":
        """The store of `out`, with what an earlier run of the same model left for the utterances wanted."""
        store = _Store(out, model)
        made = [out] if out.exists() else []
        for file in [*made, *sorted(store.folder.glob("*.safetensors"))]:
            earlier = Embeddings.load(file)
            if earlier.model != model and file == out:
                raise BadInput(f"{out}: holds embeddings of another model ({earlier.model}); choose another --out")
            if earlier.model == model and earlier.seconds is not None:
                rows = zip(earlier.ids, earlier.vectors, earlier.seconds, strict=True)
                store.ids.update({name: (vector, float(speech)) for name, vector, speech in rows if name in wanted})
        return store

    def add(self, name: str, voice: Voice) -> None:
        self.ids[name] = self.unsaved[name] = (voice.vector, voice.quality.speech_seconds)

    def save(self) -> None:
        if self.unsaved:
            number = len(list(self.folder.glob("*.safetensors")))
            self._embeddings(self.unsaved).save(self.folder / f"{number:06d}.safetensors")
            self.unsaved = {}

    def finish(self, manifest: Manifest) -> int:
        """Write the whole file, in the manifest's order, and only then remove the partial ones."""
        if self.ids:
            in_order = {name: self.ids[name] for name in manifest.ids if name in self.ids}
            self._embeddings(in_order).save(self.out)
        shutil.rmtree(self.folder, ignore_errors=True)
        return len(self.ids)

    def _embeddings(self, made: dict[str, tuple[np.ndarray, float]]) -> Embeddings:
        vectors = np.stack([vector for vector, _ in made.values()])
        seconds = np.array([speech for _, speech in made.values()], dtype=np.float32)
        return Embeddings(ids=tuple(made), vectors=vectors, model=self.model, seconds=seconds)


def _each(
    pretrained: Pretrained, utterances: list[Utterance], workers: int
) -> Iterator[tuple[Utterance, Voice | BadInput]]:
    """Each utterance with its voice, or with what is wrong with it; in the order in which they are done."""

    def work(utterance: Utterance) -> Voice | BadInput:
        duration = utterance.duration if utterance.start is not None else None
        try:
            return listen(pretrained, utterance.path, start=utterance.start, duration=duration)
        except BadInput as error:
            return error

    # Torch releases the interpreter while it computes: a thread a core with one torch thread each wastes the least.
    with ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        rest = iter(utterances)
        running: dict[Future[Voice | BadInput], Utterance] = {}
        try:
            while True:
                for utterance in islice(rest, 2 * workers - len(running)):
                    running[pool.submit(work, utterance)] = utterance
                if not running:
                    return
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                yield from ((running.pop(future), future.result()) for future in done)
        finally:
            pool.shutdown(cancel_futures=True)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _report_failures(out: Path, failures: list[tuple[str, str]]) -> None:
    path = out.with_name(out.name + ".failed.tsv")
    path.unlink(missing_ok=True)
    if failures:
        with atomic(path) as file:
            file.write("id\treason\n")
            file.writelines(f"{name}\t{reason}\n" for name, reason in failures)
