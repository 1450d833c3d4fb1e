"""Speakers named so that two data sets do not mix them up."""

from voxsphere.core.manifest import Manifest, Utterance
from voxsphere.data.split_table import named


def test_speakers_are_named_by_their_data_set_and_who_is_not_told_stays_nobody():
    rows = (("a", "s", "d"), ("b", "s", ""), ("c", "", "d"))
    manifest = Manifest(tuple(Utterance(name, f"{name}.wav", speaker, dataset=of) for name, speaker, of in rows))
    assert named(manifest).speaker_of() == {"a": "d/s", "b": "s", "c": ""}
