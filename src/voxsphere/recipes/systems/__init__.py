"""The five reference systems as recipes, each by its name; docs/systems.md says how they run."""

from collections.abc import Callable

from voxsphere.recipes.systems.combined_loss import combined_loss, combined_loss_pretrained
from voxsphere.recipes.systems.deep_speaker_v2 import deep_speaker_v2
from voxsphere.recipes.systems.speaker_systems import RECIPES as SPEAKER_SYSTEMS
from voxsphere.recipes.systems.spkid_mlp import spkid_mlp
from voxsphere.recipes.systems.unified_hypersphere import unified_hypersphere, unified_hypersphere_identification
from voxsphere.train.recipe import Recipe
from voxsphere.train.stages import Stages

SYSTEMS: dict[str, Callable[[], Recipe | Stages]] = {
    **SPEAKER_SYSTEMS,
    "spkid_mlp": spkid_mlp,
    "combined_loss": combined_loss,
    "combined_loss/pretrained": combined_loss_pretrained,
    "unified_hypersphere": unified_hypersphere,
    "unified_hypersphere/identification": unified_hypersphere_identification,
    "deep_speaker_v2": deep_speaker_v2,
}

FAMILIES: dict[str, str] = {
    "speaker_systems": "A network of SpeakerVerifiaction-pytorch, as it trains it, on a folder of Kaldi data folders.",
}
"""Many recipes that differ in one thing, NAME of `family/NAME`, and what each is in a line."""
