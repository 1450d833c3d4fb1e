"""A model's card: what it is, whose it is, what it was trained on, and how far its decisions can be trusted."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from voxsphere.backend.calibrate import Calibration
from voxsphere.backend.expected import ErrorTable
from voxsphere.core.errors import BadInput


@dataclass(frozen=True)
class Card:
    """What `card.json` holds. Licences are SPDX names, or "not stated"; texts are plain sentences.

    `published` are others' results, `measured` those of whoever made the folder, each with how it was measured.
    """

    name: str
    summary: str
    paper: str
    source: str
    licence_code: str
    licence_weights: str
    licence_data: str
    training_data: str
    front_end: str
    published: tuple[str, ...] = ()
    measured: tuple[str, ...] = ()
    long_input: str = "beyond 60 s: equal windows of at most 60 s, averaged by their speech seconds"
    min_speech_seconds: float = 0.5
    calibration: Calibration | None = None
    errors: ErrorTable | None = None

    def to_json(self) -> dict[str, Any]:
        """The card as JSON values."""
        plain = {field.name: getattr(self, field.name) for field in fields(self)}
        plain["published"], plain["measured"] = list(self.published), list(self.measured)
        plain["calibration"] = self.calibration.to_json() if self.calibration else None
        plain["errors"] = self.errors.to_json() if self.errors else None
        return plain

    @staticmethod
    def from_json(content: Mapping[str, Any], where: str) -> "Card":
        """The card in `content`; `where` names the file in an error."""
        if not isinstance(content, Mapping):
            raise BadInput(f"{where}: is no card (a JSON object is expected)")
        known = {field.name for field in fields(Card)}
        if strange := sorted(set(content) - known):
            raise BadInput(f"{where}: a card has no {strange[0]!r}; it may have {', '.join(sorted(known))}")
        values = dict(content)
        missing = [f.name for f in fields(Card) if f.name not in values and f.name in _REQUIRED]
        if missing:
            raise BadInput(f"{where}: a card needs {', '.join(missing)}")
        told = {name: values.get(name, []) for name in ("published", "measured")}
        if not all(isinstance(value, list) for value in told.values()):
            raise BadInput(f"{where}: published and measured are lists of sentences")
        if not isinstance(values.get("min_speech_seconds", 0.0), int | float):
            raise BadInput(f"{where}: min_speech_seconds is a number")
        values |= {name: tuple(value) for name, value in told.items()}
        for name, kind in (("calibration", Calibration), ("errors", ErrorTable)):
            if values.get(name) is not None:
                try:
                    values[name] = kind.from_json(values[name])
                except (KeyError, TypeError, ValueError) as error:
                    raise BadInput(f"{where}: its {name} cannot be read ({error})") from error
        return Card(**values)


_REQUIRED = ("name", "summary", "paper", "source", "licence_code", "licence_weights", "licence_data",
             "training_data", "front_end")  # fmt: skip
