"""What a form is made of, and what is told of it when it is made."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from voxsphere.core.errors import BadInput
from voxsphere.core.files import atomic, read_text
from voxsphere.core.manifest import Manifest
from voxsphere.core.trials import Trials
from voxsphere.data.manifests import open_manifest
from voxsphere.data.split_table import named, with_splits


@dataclass(frozen=True)
class Corpus:
    """Utterances, each of split "train" or another (all are "train" where nothing tells splits), and lists of trials.

    Speakers are named dataset/speaker where the manifest tells data sets apart.
    """

    manifest: Manifest
    trials: Mapping[str, Trials]

    @property
    def teaching(self) -> Manifest:
        """What is to be learnt from."""
        splits = {utterance.split for utterance in self.manifest}
        kept = tuple(u for u in self.manifest if u.split == "train" or splits == {""})
        if not kept:
            raise BadInput(f"no utterance is of split train (there are {', '.join(sorted(splits))}); --split-table T")
        return Manifest(kept)

    @property
    def judging(self) -> Manifest:
        """The utterances that the trials name, in the manifest's order."""
        asked = {name for trials in self.trials.values() for name in trials.ids}
        return Manifest(tuple(u for u in self.manifest if u.id in asked))


@dataclass(frozen=True)
class Made:
    """What was written: the folder, its utterances and speakers, and in `told` what a person should know."""

    folder: Path
    utterances: int
    speakers: int
    told: tuple[str, ...] = ()


def claim(out: Path, form: str, content: object) -> None:
    """Make the folder `out` that of one form and content, which its `form.txt` stands for by a digest.

    Whatever is written later is so never mixed with another corpus' files. `BadInput` where the folder is of another
    content already, or holds what no form has written; a second call with the same content goes on.
    """
    mark = out / "form.txt"
    text = f"{form} {hashlib.sha256(repr(content).encode()).hexdigest()}\n"
    if not mark.exists():
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise BadInput(f"{out}: holds something else; choose another --out")
        with atomic(mark) as file:
            file.write(text)
    elif read_text(mark) != text:
        raise BadInput(
            f"{out}: holds another corpus, or this one in another form; choose another --out, or remove that folder"
        )


class Form(Protocol):
    """Writes a corpus as one system takes it; may have further options, by keyword."""

    def __call__(self, corpus: Corpus, out: Path, *, progress: Callable[[int], None] = ...) -> Made: ...


def open_corpus(manifest: str | Path, *, split_table: str = "", trials: Sequence[Path] = ()) -> Corpus:
    """The corpus of a manifest, its splits by a table of `speaker split`, and lists of trials by their file names.

    `BadInput` where a list names an utterance that is not there, or one that is learnt from.
    """
    whole = named(with_splits(open_manifest(manifest), split_table))
    lists = {path.stem.removeprefix("trials_"): Trials.load(path) for path in trials}
    split_of = {utterance.id: utterance.split for utterance in whole}
    for path, pairs in zip(trials, lists.values(), strict=True):
        for name in pairs.ids:
            if name not in split_of:
                raise BadInput(f"{path}: {name} is not in {manifest}")
            if split_of[name] == "train":
                raise BadInput(f"{path}: {name} is of split train, to be learnt from; no trial may be of it")
    return Corpus(whole, lists)
