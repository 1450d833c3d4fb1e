"""A training set of synthetic voices, made on first use and kept in the cache."""

import hashlib
from pathlib import Path

from voxsphere.core.files import cache_folder
from voxsphere.data.synthetic import MANIFEST, make_corpus
from voxsphere.data.training_set import TrainingSet, training_set


def synthetic_corpus(
    *, speakers: int = 60, test_speakers: int | None = None, utterances: int = 12, sessions: int = 3, seed: int = 0
) -> Path:
    """The folder of the corpus that `make_corpus` makes of these options, made now if it is not in the cache."""
    told = repr((speakers, test_speakers, utterances, sessions, seed))
    folder = cache_folder() / "voices" / hashlib.sha256(told.encode()).hexdigest()[:12]
    if not (folder / MANIFEST).exists():
        make_corpus(
            folder,
            speakers=speakers,
            test_speakers=test_speakers,
            utterances=utterances,
            sessions=sessions,
            seed=seed,
        )
    return folder


def synthetic_set(
    *,
    speakers: int = 60,
    test_speakers: int | None = None,
    utterances: int = 12,
    sessions: int = 3,
    held_out: float | int = 0.2,
    targets: int = 500,
    speeds: tuple[float, ...] = (),
    domain: str = "",
    seed: int = 0,
) -> TrainingSet:
    """The train speakers of such a corpus, `held_out` of them to judge by; `speeds` and `domain` as in
    `training_set`."""
    folder = synthetic_corpus(
        speakers=speakers, test_speakers=test_speakers, utterances=utterances, sessions=sessions, seed=seed
    )
    return training_set(
        manifest=str(folder / MANIFEST),
        split="train",
        held_out=held_out,
        targets=targets,
        speeds=speeds,
        domain=domain,
        seed=seed,
    )
