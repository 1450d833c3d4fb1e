"""An HDF5 file as a manifest: a group a speaker, a dataset an utterance."""

from pathlib import Path
from typing import Any

from voxsphere.audio.hdf5 import members
from voxsphere.core.errors import BadInput
from voxsphere.core.manifest import Manifest, Utterance
from voxsphere.data.stored import NUM_FRAMES


def read_hdf5(file: str | Path) -> Manifest:
    """The datasets `speaker/utterance` of a file of waves (as `pack` writes them) or of features, in order of name.

    An utterance is called `speaker/utterance`. Waves tell their duration, features their number of frames
    (`num_frames`). `BadInput` names what lies elsewhere or is neither.
    """
    utterances = []
    for place, dataset in members(str(file)):
        speaker, _, rest = place.partition("/")
        if not rest:
            raise BadInput(f"{dataset.name}: lies in no group; a dataset is named speaker/utterance")
        told: dict[str, Any] = {"extra": ((NUM_FRAMES, str(dataset.length)),)}
        if not dataset.holds_features:
            rate, samples = dataset.wave()
            told = {"duration": samples / rate}
        utterances.append(Utterance(place, f"{file}#{place}", speaker, **told))
    if not utterances:
        raise BadInput(f"{file}: holds no dataset; features lie in it as speaker/utterance")
    return Manifest(tuple(utterances))
