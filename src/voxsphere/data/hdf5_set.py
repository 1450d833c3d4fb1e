"""Two HDF5 files by speaker, one to learn from and one to be judged by, as a training set."""

from pathlib import Path

from voxsphere.core.files import expanded
from voxsphere.data.training_set import TrainingSet, training_set


def hdf5_set(
    *,
    root: str,
    train: str = "train.hdf",
    valid: str = "valid.hdf",
    min_utterances: int = 1,
    held_out: float | int = 10,
    targets: int | None = 2000,
    seed: int = 0,
) -> TrainingSet:
    """The files `train` and `valid` in the folder `root`, which may name environment variables.

    In each a group is a speaker and a dataset an utterance, features of shape [1, dim, frames] (`features convert`).
    Learnt from are speakers of `min_utterances` or more. The run is judged by `targets` drawn trials of `valid` (null:
    all) and five times as many non-targets; without such a file (`valid=""`) by `held_out` speakers of `train`, a share
    or a number. `BadInput` where a file is missing, or a speaker is in both.
    """
    folder = Path(expanded(root))
    return training_set(
        manifest=str(folder / train),
        held_out_manifest=str(folder / valid) if valid else "",
        min_utterances=min_utterances,
        held_out=held_out,
        targets=targets,
        seed=seed,
    )
