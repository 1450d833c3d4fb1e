"""An HDF5 file as a manifest: a group a speaker, a dataset an utterance."""

from pathlib import Path

from voxsphere.audio.hdf5 import ID, SPEAKER, members
from voxsphere.core.errors import BadInput
from voxsphere.core.manifest import Manifest, Utterance
from voxsphere.data.stored import NUM_FRAMES


def read_hdf5(file: str | Path) -> Manifest:
    """The datasets `speaker/utterance` of a file of waves (as `pack` writes them) or of features, in order of name.

    An utterance is called `speaker/utterance`; features that tell an id and a speaker (their attributes) are called by
    those. Waves tell their duration, features their number of frames (`num_frames`). `BadInput` names what lies
    elsewhere or is neither.
    """
    utterances = []
    for place, dataset in members(str(file)):
        speaker, _, rest = place.partition("/")
        if not rest:
            raise BadInput(f"{dataset.name}: lies in no group; a dataset is named speaker/utterance")
        path = f"{file}#{place}"
        if dataset.holds_features:
            frames = ((NUM_FRAMES, str(dataset.length)),)
            who = dataset.told(SPEAKER)
            speaker = speaker if who is None else who
            utterances.append(Utterance(dataset.told(ID) or place, path, speaker, extra=frames))
        else:
            rate, samples = dataset.wave()
            utterances.append(Utterance(place, path, speaker, duration=samples / rate))
    if not utterances:
        raise BadInput(f"{file}: holds no dataset; features lie in it as speaker/utterance")
    return Manifest(tuple(utterances))
