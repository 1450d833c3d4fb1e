"""A model's card: what it is, whose it is, what it was trained on, and how far its decisions can be trusted."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from voxsphere.backend.calibrate import Calibration
from voxsphere.backend.expected import ErrorTable
from voxsphere.core.errors import BadInput


@dataclass(frozen=True)
class Card:
    """What `card.json` holds. Licences are SPDX names, or "not stated"; texts are plain sentences."""

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
    long_input: str = "beyond 60 s: equal windows of at most 60 s, averaged by their speech seconds"
    min_speech_seconds: float = 0.5
    calibration: Calibration | None = None
    errors: ErrorTable | None = None

    def to_json(self) -> dict[str, Any]:
        """The card as JSON values."""
        plain = {field.name: getattr(self, field.name) for field in fields(self)}
        plain["published"] = list(self.published)
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
        published, least = values.get("published", []), values.get("min_speech_seconds", 0.0)
        if not isinstance(published, list) or not isinstance(least, int | float):
            raise BadInput(f"{where}: published is a list of sentences, min_speech_seconds a number")
        values["published"] = tuple(published)
        for name, kind in (("calibration", Calibration), ("errors", ErrorTable)):
            if values.get(name) is not None:
                try:
                    values[name] = kind.from_json(values[name])
                except (KeyError, TypeError, ValueError) as error:
                    raise BadInput(f"{where}: its {name} cannot be read ({error})") from error
        return Card(**values)


_REQUIRED = ("name", "summary", "paper", "source", "licence_code", "licence_weights", "licence_data",
             "training_data", "front_end")  # fmt: skip
