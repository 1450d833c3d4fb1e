"""A corpus written in a reference system's own input form, each system's by one function."""

from collections.abc import Callable, Mapping
from pathlib import Path

from voxsphere.core.errors import BadInput
from voxsphere.core.parts import nearest
from voxsphere.data.forms.corpus import Corpus, Form, Made, open_corpus
from voxsphere.data.forms.deep_speaker_v2 import deep_speaker_v2

__all__ = ["FORMS", "Corpus", "Form", "Made", "open_corpus", "write"]

FORMS: Mapping[str, Form] = {"deep_speaker_v2": deep_speaker_v2}


def write(system: str, corpus: Corpus, out: Path, *, progress: Callable[[int], None] = lambda done: None) -> Made:
    """Write `corpus` into the folder `out` as `system` takes it; `progress` is told of utterances done.

    `BadInput` for a system that is not known, and where the folder holds something else.
    """
    if system not in FORMS:
        raise BadInput(f"--as {system}: no reference system of that name{nearest(system, FORMS)}")
    return FORMS[system](corpus, out, progress=progress)
