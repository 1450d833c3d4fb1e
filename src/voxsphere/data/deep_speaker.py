"""Deep-speaker v2's training data: stored features of random cuts, which `voxsphere cuts` drew."""

from dataclasses import replace
from pathlib import Path
from typing import Literal, get_args

from voxsphere.core.errors import BadInput
from voxsphere.core.files import expanded
from voxsphere.core.manifest import Manifest, Utterance
from voxsphere.data.by_speaker import warned
from voxsphere.data.closed_set import closed
from voxsphere.data.cuts import RECORDING
from voxsphere.data.manifests import open_manifest
from voxsphere.data.pairs import draw
from voxsphere.data.split_table import named
from voxsphere.data.training_set import TrainingSet

Judges = Literal["recordings", "speakers"]


def deep_speaker_cuts(
    *,
    root: str = "$DEEP_SPEAKER",
    table: str = "mfcc.tsv",
    judges: Judges = "recordings",
    targets: int = 2000,
    seed: int = 0,
) -> TrainingSet:
    """The cuts in the folder `root`: those of split train teach, by `table`, the manifest of their stored features.

    `judges`: "recordings", the cuts of split dev, which are of the same speakers; or "speakers", the cuts of split
    held_out, which are of others, on `targets` trials of two recordings each and five times as many non-targets.
    `root` may name environment variables, and may be such a manifest itself.
    """
    if judges not in get_args(Judges):
        raise BadInput(f"data.judges: is {' or '.join(get_args(Judges))}, not {judges!r}")
    place = Path(expanded(root))
    path = place if place.suffix in (".tsv", ".parquet") else place / table
    if not path.exists():
        raise BadInput(
            f"{path}: no such file; make it by `voxsphere cuts` and `voxsphere features extract`, as "
            "docs/systems/deep_speaker_v2.md says"
        )
    whole = named(open_manifest(path))
    teaching = [utterance for utterance in whole if utterance.split == "train"]
    if judges == "recordings":
        return closed(str(path), teaching, [utterance for utterance in whole if utterance.split == "dev"])
    others = Manifest(tuple(_in_its_recording(u) for u in whole if u.split == "held_out"))
    if both := sorted({u.speaker for u in teaching} & set(others.speakers)):
        raise BadInput(f"{path}: {len(both)} speakers, such as {both[0]}, are learnt and held out; give each one split")
    if not len(others):
        raise BadInput(f"{path}: has no speakers of split held_out to judge by; --set data.judges=recordings")
    train = Manifest(tuple(teaching))
    if len(train.speakers) < 2:
        raise BadInput(f"{path}: leaves {len(train.speakers)} speakers to learn from; two are the least")
    trials = draw(others, targets=targets, same_gender=False, seed=seed).trials
    return TrainingSet(train, others, trials, stamp=warned(str(path)))


def _in_its_recording(cut: Utterance) -> Utterance:
    """The cut, of which its recording is the session: two cuts of one recording are no trial."""
    return replace(cut, session=dict(cut.extra).get(RECORDING, cut.session))
