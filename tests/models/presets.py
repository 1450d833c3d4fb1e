"""The models that the tests build: a small one for each part of the catalogue, and those that references know.

A part with several forms has several entries, "Part, form".
"""

from functools import partial

import presets_convolutional
import presets_features
import presets_poolings
import presets_redimnet
import presets_residual
import presets_sequence
import presets_tdnn
from small import small

from voxsphere.models.projection import Affine, LengthNorm, LinearNorm, NormLinear, NormLinearNorm, TwoLayer
from voxsphere.models.speaker import SpeakerModel

FAMILIES = (
    presets_convolutional,
    presets_features,
    presets_poolings,
    presets_redimnet,
    presets_residual,
    presets_sequence,
    presets_tdnn,
)

SMALL: dict[str, partial[SpeakerModel]] = {
    **{name: model for family in FAMILIES for name, model in family.SMALL.items()},
    "Affine": small(projection=partial(Affine, dim=6)),
    "LengthNorm": small(projection=LengthNorm),
    "LinearNorm": small(projection=partial(LinearNorm, dim=6)),
    "NormLinear": small(projection=partial(NormLinear, dim=6)),
    "NormLinearNorm": small(projection=partial(NormLinearNorm, dim=6)),
    "TwoLayer": small(projection=partial(TwoLayer, hidden=8, dim=6)),
}

# Parameters that shift what a batch norm or a softmax over time receives by a constant, which it subtracts again.
SHIFTS: dict[str, set[str]] = {
    **{name: shifts for family in FAMILIES for name, shifts in family.SHIFTS.items()},
    "LinearNorm": {"encoder.layers.4.norm.bias"},
    "NormLinear": {"encoder.layers.4.norm.bias"},
    "NormLinearNorm": {"encoder.layers.4.norm.bias", "projection.norm_in.bias", "projection.linear.bias"},
}

REFERENCES = {name: model for family in FAMILIES for name, model in family.REFERENCES.items()}
