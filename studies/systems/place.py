"""Where a system's study reads and writes."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from studies.pieces import corpus, packed
from studies.store import slug
from voxsphere.core.files import cache_folder
from voxsphere.core.manifest import Manifest
from voxsphere.core.trials import Trials
from voxsphere.data.forms import Corpus, open_corpus
from voxsphere.data.synthetic import MANIFEST, TRIALS
from voxsphere.data.synthetic_set import synthetic_corpus


@dataclass(frozen=True)
class Place:
    """The folders of a system's runs and of its outputs; a smoke is seconds long, of synthetic voices."""

    runs: Path
    out: Path
    smoke: bool = False

    @staticmethod
    def of(system: str, place: Path | None = None, *, smoke: bool = False) -> "Place":
        """The usual places (the cache, and studies/outputs/systems), or all of it in a folder."""
        if place is not None:
            return Place(place / system / "runs", place / system, smoke)
        return Place(cache_folder() / "studies" / "systems" / system, Path("studies/outputs/systems") / system, smoke)

    @property
    def form(self) -> Path:
        """The folder of the corpus in the system's own input form."""
        return self.runs / "form"

    def run_folder(self, row: str, seed: int) -> Path:
        """The folder that a row's run of this seed has for itself."""
        return self.runs / f"{slug(row)}-seed{seed}"

    @cached_property
    def corpus(self) -> Corpus:
        """The development corpus with its split and its seven lists, decoded once; or twenty synthetic voices.

        Speakers are named dataset/speaker; splits are train and eval (train and test of synthetic voices).
        """
        if self.smoke:
            folder = synthetic_corpus(speakers=20, test_speakers=6, utterances=8)
            manifest, trials = Manifest.load(folder / MANIFEST), Trials.load(folder / TRIALS)
            return Corpus(manifest, {"synthetic": trials})
        lists = sorted(corpus().glob("trials_*.txt"))
        return open_corpus(packed(), split_table=str(corpus() / "split.tsv"), trials=lists)
