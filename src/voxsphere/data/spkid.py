"""The training data of UPC's speaker lab: feature files and the lists of those to learn from and to judge by."""

from dataclasses import replace
from pathlib import Path

from voxsphere.audio.fmatrix import SUFFIXES, shape_of
from voxsphere.core.errors import BadInput
from voxsphere.core.files import expanded
from voxsphere.core.manifest import Utterance
from voxsphere.data.closed_set import closed
from voxsphere.data.corpora.pav import INDEX, TRAIN, VALIDATION, from_pav
from voxsphere.data.split_table import named
from voxsphere.data.stored import NUM_FRAMES
from voxsphere.data.training_set import TrainingSet
from voxsphere.data.walk import walk


def spkid_lab(
    *,
    root: str = "$SPKID",
    ext: str = "mcp",
    train_list: str = TRAIN,
    validation_list: str = VALIDATION,
    spk2idx: str = INDEX,
) -> TrainingSet:
    """The lab in the folder `root`: the files of `train_list` teach, those of `validation_list` judge, by speakers.

    Lists and `spk2idx` are files anywhere below `root` (`cfg/all.train` and `all.train` both name the usual one), an
    entry's features the file `…/BLOCKxx/SESyyy/SAyyySzz.EXT`. Classes are numbered by the speakers' sorted names,
    whatever `spk2idx` says, which is asked only whether it knows every speaker; "" asks nothing. `BadInput` for what
    is not there.
    """
    folder = Path(expanded(root))
    suffix = _suffix(ext)
    made = from_pav(folder, train=train_list, validation=validation_list, spk2idx=spk2idx)
    told = [_with_features(utterance, suffix) for utterance in named(made.manifest)]
    if made.missing:
        raise BadInput(
            f"{made.missing[0]}: is missing, of {len(made.missing)} of the lab's files; make the features of all that "
            "the lists name, or take other lists (--set data.train_list=…, data.validation_list=…)"
        )
    teaching, judging = ([u for u in told if u.split == split] for split in ("train", "validation"))
    return closed(str(folder), teaching, judging)


def width_of(root: str, ext: str = "mcp") -> int | None:
    """How many features a frame has in the first such file below `root`; None where there is none to be read."""
    try:
        suffix, folder = _suffix(ext), Path(expanded(root))
        first = next((name for name in walk(folder).files if name.endswith(suffix)), None)
        return None if first is None else shape_of(folder / first)[1]
    except BadInput:
        return None


def _suffix(ext: str) -> str:
    suffix = f".{ext.removeprefix('.')}"
    if suffix not in SUFFIXES:
        raise BadInput(f"data.ext: {ext!r} is none of {', '.join(s.removeprefix('.') for s in SUFFIXES)}")
    return suffix


def _with_features(utterance: Utterance, suffix: str) -> Utterance:
    """The utterance with the path of its features of that kind, and their number of frames."""
    extra = dict(utterance.extra)
    path = utterance.path if utterance.path.endswith(suffix) else extra.get(suffix.removeprefix("."))
    if path is None:
        raise BadInput(f"{utterance.id}: has no {suffix} file (there is {utterance.path}); --set data.ext=…")
    extra[NUM_FRAMES] = str(shape_of(path)[0])
    return replace(utterance, path=path, extra=tuple(sorted(extra.items())))
