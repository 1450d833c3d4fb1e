"""A published network over features that were computed elsewhere."""

from functools import partial
from typing import Any

from voxsphere.models.speaker import SpeakerModel


def over_stored_of(present: "partial[SpeakerModel]", network: "partial[SpeakerModel]") -> "partial[SpeakerModel]":
    """The network over the stored features that the `present` model takes; the network as it is where that takes waves.

    What stands around the network's innermost front end (deltas, a normalisation) stays around the stored features;
    what that front end itself does, such as a mean that it takes off, is not done to them.
    """
    stored = present.keywords["features"]
    while isinstance(stored, partial) and "of" in stored.keywords:
        stored = stored.keywords["of"]
    kind = stored.func if isinstance(stored, partial) else stored
    if getattr(kind, "input", None) != "stored":
        return network
    return partial(network, features=_around(network.keywords["features"], stored))


def _around(front: Any, stored: Any) -> Any:
    if isinstance(front, partial) and "of" in front.keywords:
        return partial(front, of=_around(front.keywords["of"], stored))
    return stored
