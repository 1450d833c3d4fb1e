"""A training set of Kaldi data folders that lie side by side: one to learn from, and test folders that stay closed."""

from voxsphere.data.training_set import TrainingSet, training_set


def kaldi_set(
    *,
    root: str = "$SPEAKER_SYSTEMS",
    part: str = "train",
    stored: bool = False,
    min_seconds: float = 0.0,
    min_utterances: int = 1,
    held_out: float | int = 0.05,
    targets: int | None = 2000,
    same_gender: bool = True,
    speeds: tuple[float, ...] = (),
    domain: str = "",
    seed: int = 0,
) -> TrainingSet:
    """The training set of the Kaldi data folder `part` below `root`; see `read_kaldi` for the files it may hold.

    With `stored` the features of its feats.scp are learnt from, where otherwise its recordings are; the model then
    begins with `Stored`. `domain=domain` takes the domains of utt2dom. The other options are those of `training_set`.
    Folders such as test-NAME beside it are for `extract` and `score`; nothing here opens them.
    """
    return training_set(
        manifest=f"{root}/{part}/feats.scp" if stored else f"{root}/{part}",
        min_seconds=min_seconds,
        min_utterances=min_utterances,
        held_out=held_out,
        targets=targets,
        same_gender=same_gender,
        speeds=speeds,
        domain=domain,
        seed=seed,
    )
