"""An HDF5 file as a manifest: a group a speaker, a dataset an utterance."""

from pathlib import Path

from voxsphere.audio.hdf5 import ID, SPEAKER, members
from voxsphere.core.errors import BadInput
from voxsphere.core.manifest import Manifest, Utterance
from voxsphere.data.stored import NUM_FRAMES


def read_hdf5(file: str | Path) -> Manifest:
    """The datasets `speaker/utterance` of a file of waves (as `pack` writes them) or of features, in order of name.

    An utterance is called `speaker/utterance`; features whose attributes tell both id and speaker are called by those.
    Waves tell their duration, features their number of frames (`num_frames`). `BadInput` names what lies elsewhere or
    is neither.
    """
    utterances = []
    for place, dataset in members(str(file)):
        speaker, _, rest = place.partition("/")
        if not rest:
            raise BadInput(f"{dataset.name}: lies in no group; a dataset is named speaker/utterance")
        path = f"{file}#{place}"
        if dataset.holds_features:
            frames = ((NUM_FRAMES, str(dataset.length)),)
            name, who = dataset.told(ID), dataset.told(SPEAKER)
            full = (place, speaker) if name is None or who is None else (name, who)
            utterances.append(Utterance(full[0], path, full[1], extra=frames))
        else:
            rate, samples = dataset.wave()
            utterances.append(Utterance(place, path, speaker, duration=samples / rate))
    if not utterances:
        raise BadInput(f"{file}: holds no dataset; features lie in it as speaker/utterance")
    return Manifest(tuple(utterances))
