"""A training set of Kaldi data folders that lie side by side: one to learn from, and test folders that stay closed."""

from collections import defaultdict
from dataclasses import replace

from voxsphere.core.errors import BadInput
from voxsphere.core.manifest import Manifest
from voxsphere.core.random import stream
from voxsphere.data.training_set import TrainingSet, training_set


def kaldi_set(
    *,
    root: str = "$SPEAKER_SYSTEMS",
    folder: str = "train",
    stored: bool = False,
    left_out: int = 2,
    min_seconds: float = 0.0,
    min_utterances: int = 1,
    held_out: float | int = 0.05,
    targets: int | None = 2000,
    same_gender: bool = True,
    speeds: tuple[float, ...] = (),
    domain: str = "",
    seed: int = 0,
) -> TrainingSet:
    """The training set of the Kaldi data folder `folder` below `root`; see `read_kaldi` for the files it may hold.

    With `stored` the features of its feats.scp are learnt from, where otherwise its recordings are; the model then
    begins with `Stored`. `left_out` utterances of each speaker who has twice as many or more are not learnt from: the
    run's accuracy on them is told beside that on what it learns. `domain=domain` takes the domains of utt2dom. The
    other options are those of `training_set`. Folders such as test-NAME beside it are for `extract` and `score`;
    nothing here opens them.
    """
    whole = training_set(
        manifest=f"{root}/{folder}/feats.scp" if stored else f"{root}/{folder}",
        min_seconds=min_seconds,
        min_utterances=min_utterances,
        held_out=held_out,
        targets=targets,
        same_gender=same_gender,
        domain=domain,
        seed=seed,
    )
    if left_out < 0:
        raise BadInput(f"data.left_out: {left_out} utterances of a speaker cannot be left out; give 0 or more")
    out = _drawn(whole.train, left_out, seed)
    taught = Manifest(tuple(utterance for utterance in whole.train if utterance.id not in out))
    return replace(
        whole,
        train=taught.with_speeds_as_speakers(*speeds) if speeds else taught,
        left_out=Manifest(tuple(utterance for utterance in whole.train if utterance.id in out)),
    )


def _drawn(manifest: Manifest, count: int, seed: int) -> set[str]:
    """The ids of `count` utterances of each speaker who has twice as many or more."""
    spoken: dict[str, list[str]] = defaultdict(list)
    for utterance in manifest:
        spoken[utterance.speaker].append(utterance.id)
    drawn: set[str] = set()
    for speaker, ids in spoken.items():
        if len(ids) >= 2 * count:
            order = stream("left out", seed, speaker).permutation(len(ids))[:count]
            drawn |= {sorted(ids)[int(i)] for i in order}
    return drawn
