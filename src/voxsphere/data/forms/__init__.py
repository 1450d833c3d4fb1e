"""A corpus written in a reference system's own input form, each system's by one function."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from voxsphere.core.errors import BadInput
from voxsphere.core.parts import nearest, override
from voxsphere.data.forms import speaker_systems
from voxsphere.data.forms.combined_loss import combined_loss
from voxsphere.data.forms.corpus import Corpus, Form, Made, open_corpus
from voxsphere.data.forms.deep_speaker_v2 import deep_speaker_v2
from voxsphere.data.forms.spkid_mlp import spkid_mlp
from voxsphere.data.forms.unified_hypersphere import unified_hypersphere

__all__ = ["FORMS", "Corpus", "Form", "Made", "open_corpus", "write"]

FORMS: Mapping[str, Form] = {
    "combined_loss": combined_loss,
    "deep_speaker_v2": deep_speaker_v2,
    "speaker_systems": speaker_systems.write,
    "spkid_mlp": spkid_mlp,
    "unified_hypersphere": unified_hypersphere,
}


def write(
    system: str,
    corpus: Corpus,
    out: Path,
    *,
    settings: Sequence[str] = (),
    progress: Callable[[int], None] = lambda done: None,
) -> Made:
    """Write `corpus` into the folder `out` as `system` takes it; `progress` is told of utterances done.

    `settings` are options of the form, each `name=value`. `BadInput` for one that it has not, for a system that is not
    known, and where the folder holds something else.
    """
    if system not in FORMS:
        raise BadInput(f"--as {system}: no reference system of that name{nearest(system, FORMS)}")
    form = partial(FORMS[system], progress=progress)
    options = [name for name in inspect.signature(form).parameters if name not in ("corpus", "out", "progress")]
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals:
            raise BadInput(f"--set {setting}: an option of the form {system} is changed by name=value")
        if name not in options:
            raise BadInput(
                f"--set {setting}: {system} has no option {name!r}; there are: {', '.join(options) or 'none'}"
            )
        form = override(form, name, text, {})
    return form(corpus, out)
