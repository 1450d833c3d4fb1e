"""The five reference systems as recipes, each by its name; docs/systems.md says how they run."""

from collections.abc import Callable

from voxsphere.recipes.systems.deep_speaker_v2 import deep_speaker_v2
from voxsphere.recipes.systems.spkid_mlp import spkid_mlp
from voxsphere.recipes.systems.unified_hypersphere import unified_hypersphere, unified_hypersphere_identification
from voxsphere.train.recipe import Recipe
from voxsphere.train.stages import Stages

SYSTEMS: dict[str, Callable[[], Recipe | Stages]] = {
    "deep_speaker_v2": deep_speaker_v2,
    "unified_hypersphere": unified_hypersphere,
    "unified_hypersphere/identification": unified_hypersphere_identification,
    "spkid_mlp": spkid_mlp,
}
