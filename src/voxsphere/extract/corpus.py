"""A manifest to an embeddings file: bad recordings are reported and passed over, and nothing made is lost."""

import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from voxsphere.audio.quality import inspect
from voxsphere.audio.stores import stamp
from voxsphere.core.embeddings import Embeddings
from voxsphere.core.errors import BadInput
from voxsphere.core.files import atomic, read_json, write_json
from voxsphere.core.manifest import Manifest, Utterance
from voxsphere.data.source import enough, source_of
from voxsphere.data.threads import in_threads
from voxsphere.extract.crops import ByPieces
from voxsphere.extract.voice import listen
from voxsphere.models.speaker import SpeakerModel
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


@dataclass(frozen=True)
class _Made:
    """An embedding, and how long what it was made of is, in all and in speech."""

    vector: np.ndarray
    seconds: float
    speech_seconds: float


def extract(
    pretrained: Pretrained,
    manifest: Manifest,
    out: str | Path,
    *,
    hearing: ByPieces | None = None,
    workers: int | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> Extraction:
    """Embed every utterance of `manifest`, of recordings or of stored features as the model asks, into the file `out`.

    Work in progress lies in `OUT.partial/`, saved every half minute; a second call goes on from there, with what the
    same model made of files that have not changed since. Recordings that cannot be embedded are listed in
    `OUT.failed.tsv` and do not stop the others. `workers` threads embed one utterance each (default: one a core).
    Raises `BadInput` where `out` holds another model's embeddings, or recordings that the manifest does not name; what
    it holds of recordings that cannot be read any more is kept.

    With `hearing` an utterance is embedded by pieces of it, not whole. The file then says so beside the model's
    fingerprint (FINGERPRINT+NAME), and a file or partial work of other pieces is another model's. Pieces that the model
    cannot hear are refused before any is heard.
    """
    out, begun = Path(out), time.monotonic()
    if hearing is not None:
        hearing.pieces.check(pretrained.model)
    maker = pretrained.fingerprint + ("" if hearing is None else f"+{hearing.name}")
    kept = _kept(out, maker, manifest)
    store = _Store.open(out, maker, manifest)
    resumed = len(store.made)
    todo = [utterance for utterance in manifest if utterance.id not in store.made]
    progress(resumed)
    failures, heard, saved = [], 0.0, begun
    try:
        for utterance, result in _each(pretrained, todo, hearing, workers):
            if isinstance(result, BadInput):
                failures.append((utterance.id, str(result)))
            else:
                store.add(utterance, result)
                heard += result.seconds
            progress(1)
            if time.monotonic() - saved > SAVE_EVERY:
                store.save()
                saved = time.monotonic()
    except BaseException:
        store.save()  # interrupted or broken: what is made is kept
        raise
    for name, row in kept.items():
        store.made.setdefault(name, row)
    count = store.finish(manifest)
    _report_failures(out, failures)
    return Extraction(count, resumed, tuple(failures), time.monotonic() - begun, heard)


def _kept(out: Path, model: str, manifest: Manifest) -> dict[str, tuple[np.ndarray, float]]:
    """What `out` holds already, in case a recording cannot be read any more; `BadInput` if it is not to be replaced."""
    Embeddings.check_destination(out, manifest.ids)
    if not out.exists():
        return {}
    earlier = Embeddings.load(out)
    if earlier.model and earlier.model != model:  # Kaldi's files do not say which model made them
        raise BadInput(
            f"{out}: holds embeddings of another model, or of other pieces ({earlier.model}, not {model}); choose "
            "another --out"
        )
    if others := set(earlier.ids) - set(manifest.ids):
        some = min(others)
        raise BadInput(
            f"{out}: holds {len(others)} other recordings, such as {some}; choose another --out, or remove it"
        )
    seconds = earlier.seconds if earlier.seconds is not None else np.zeros(len(earlier), dtype=np.float32)
    rows = zip(earlier.ids, earlier.vectors, seconds, strict=True)
    return {name: (vector, float(speech)) for name, vector, speech in rows}


class _Store:
    """The embeddings made so far, in memory and in numbered files beside the final one."""

    def __init__(self, out: Path, model: str) -> None:
        self.out, self.model = out, model
        self.folder = out.with_name(out.name + ".partial")
        self.made: dict[str, tuple[np.ndarray, float]] = {}
        self.unsaved: dict[str, str] = {}  # id to the state of the recording that was embedded
        self.saves = 0

    @staticmethod
    def open(out: Path, model: str, manifest: Manifest) -> "_Store":
        """The store of `out`, with what a broken run of the same model left, as far as its recordings are the same."""
        store = _Store(out, model)
        states = {utterance.id: _state(utterance) for utterance in manifest} if store.folder.exists() else {}
        for file in sorted(store.folder.glob("*.safetensors")):
            earlier, embedded = Embeddings.load(file), read_json(file.with_suffix(".json"))
            if others := set(earlier.ids) - states.keys():
                found = f"holds a broken run's work on other recordings, such as {min(others)}"
                raise BadInput(f"{store.folder}: {found}; finish that run, or remove the folder")
            if earlier.model == model and earlier.seconds is not None:
                rows = zip(earlier.ids, earlier.vectors, earlier.seconds, strict=True)
                same = ((name, v, s) for name, v, s in rows if states.get(name) == embedded.get(name))
                store.made.update({name: (vector, float(speech)) for name, vector, speech in same})
        return store

    def add(self, utterance: Utterance, made: _Made) -> None:
        self.made[utterance.id] = (made.vector, made.speech_seconds)
        self.unsaved[utterance.id] = _state(utterance)

    def save(self) -> None:
        if self.unsaved:
            file = self.folder / f"{os.getpid()}-{self.saves:06d}.safetensors"
            write_json(file.with_suffix(".json"), self.unsaved)
            self._embeddings(self.unsaved).save(file)
            self.unsaved, self.saves = {}, self.saves + 1

    def finish(self, manifest: Manifest) -> int:
        """Write the whole file, in the manifest's order, and only then remove the partial ones."""
        if self.made:
            self._embeddings([name for name in manifest.ids if name in self.made]).save(self.out)
        shutil.rmtree(self.folder, ignore_errors=True)
        return len(self.made)

    def _embeddings(self, names: Iterable[str]) -> Embeddings:
        ids = tuple(names)
        vectors = np.stack([self.made[name][0] for name in ids])
        seconds = np.array([self.made[name][1] for name in ids], dtype=np.float32)
        return Embeddings(ids=ids, vectors=vectors, model=self.model, seconds=seconds)


def _state(utterance: Utterance) -> str:
    """What tells that a recording is still the one that was embedded: its place, its part, its size and its time."""
    try:
        return f"{utterance.path} {utterance.start} {utterance.duration} {stamp(utterance.path)}"
    except (BadInput, OSError):
        return ""


def _each(
    pretrained: Pretrained, utterances: list[Utterance], hearing: ByPieces | None, workers: int | None
) -> Iterator[tuple[Utterance, _Made | BadInput]]:
    """Each utterance with what was made of it, or with what is wrong with it."""

    def work(utterance: Utterance) -> _Made:
        if utterance.speed != 1:
            raise BadInput(f"{utterance.path}: is to be played at speed {utterance.speed:g}, which extraction does not")
        if hearing is not None:
            return _by_pieces(pretrained.model, utterance, hearing)
        if pretrained.model.width is not None:
            return _of_features(pretrained.model, utterance)
        duration = utterance.duration if utterance.start is not None else None
        voice = listen(pretrained, utterance.path, start=utterance.start, duration=duration)
        return _Made(voice.vector, voice.quality.seconds, voice.quality.speech_seconds)

    # Torch releases the interpreter while it computes: a thread a core with one torch thread each wastes the least.
    return in_threads(work, utterances, workers=workers, begin=lambda: torch.set_num_threads(1))


def _by_pieces(model: SpeakerModel, utterance: Utterance, hearing: ByPieces) -> _Made:
    held = enough(source_of(model).beginning(utterance), utterance, model)
    seconds = speech = len(held) / model.rate
    if model.width is None:
        quality = inspect(held, model.sample_rate, source_rate=model.sample_rate)
        speech = quality.speech_seconds
        if quality.silent:
            raise BadInput(f"{utterance.path}: is silent (every sample is the same); record it again")
    return _Made(hearing.embed(model, utterance, held), seconds, speech)


def _of_features(model: SpeakerModel, utterance: Utterance) -> _Made:
    """The embedding of an utterance's stored features. All of its frames count as speech: silence was left out, or
    not, when they were made.
    """
    frames = source_of(model).beginning(utterance)
    seconds = len(frames) / model.rate
    return _Made(model.embed([frames])[0], seconds, seconds)


def _report_failures(out: Path, failures: list[tuple[str, str]]) -> None:
    path = out.with_name(out.name + ".failed.tsv")
    path.unlink(missing_ok=True)
    if failures:
        with atomic(path) as file:
            file.write("id\treason\n")
            for line in (f"{name}\t{reason}\n" for name, reason in failures):
                file.write(line.encode(errors="backslashreplace").decode())
