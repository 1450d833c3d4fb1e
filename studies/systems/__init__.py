"""The studies of the five reference systems: each a module of this package with its `STUDY`."""

from importlib import import_module, util

from studies.systems.study import Study
from voxsphere.core.errors import BadInput
from voxsphere.core.parts import nearest

SYSTEMS: dict[str, str] = {
    "combined_loss": "Combined loss",
    "deep_speaker_v2": "Deep Speaker v2",
    "speaker_systems": "Speaker recognition systems",
    "unified_hypersphere": "Unified hypersphere",
    "spkid_mlp": "SpkID MLP",
}
"""The systems that docs/results.md has a section of, by the names of their modules, and what they are called there."""
UNSHOWN = ("example", "combined_loss_rates")
"""Studies without a section of their own."""


def named(name: str) -> Study:
    """The study of this name; `BadInput` lists those there are."""
    if name not in (*SYSTEMS, *UNSHOWN):
        raise BadInput(f"no study of {name!r}{nearest(name, SYSTEMS)}")
    if not written(name):
        raise BadInput(f"{name}: its study has not been written (studies/systems/{name}.py)")
    study: Study = import_module(f"{__name__}.{name}").STUDY
    return study


def written(name: str) -> bool:
    """Whether the study of a system is there."""
    return util.find_spec(f"{__name__}.{name}") is not None
