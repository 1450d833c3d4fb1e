"""Lhotse's recordings with their supervisions, or its cuts, to a manifest (lhotse's documentation, "Manifests")."""

import gzip
import json
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from voxsphere.core.errors import BadInput
from voxsphere.core.files import existing
from voxsphere.core.manifest import Manifest, Utterance

Item = Mapping[str, Any]

_ROUNDING = 1e-3  # seconds by which a supervision may miss the ends of the file it is the whole of


def read_lhotse(path: str | Path) -> Manifest:
    """The utterances of lhotse's cuts, or of its recordings and supervisions, .jsonl or .jsonl.gz.

    Recordings and supervisions lie side by side in files named so, as lhotse's recipes write them; either may be named
    here. An utterance is a supervision; what nobody supervised is a cut, or a recording, without speaker. `BadInput`
    for what only lhotse can play: commands, sounds kept in the list, recordings changed on the fly.
    """
    path = Path(path)
    items = list(_items(path))
    if not items:
        raise BadInput(f"{path}: lists nothing")
    try:
        if "recording" in items[0]:
            utterances = _of_cuts(items)
        elif "sources" in items[0]:
            utterances = of_recordings(items, _beside(path, "recordings", "supervisions", needed=False))
        elif "recording_id" in items[0]:
            utterances = of_recordings(_beside(path, "supervisions", "recordings", needed=True), items)
        else:
            raise BadInput("holds neither cuts nor recordings nor supervisions")
        return Manifest(tuple(utterances))
    except BadInput as error:
        raise BadInput(f"{path}: {error}") from None
    except (KeyError, TypeError, IndexError) as error:
        raise BadInput(f"{path}: is no list of lhotse's ({type(error).__name__}: {error})") from error


def of_recordings(recordings: Iterable[Item], supervisions: Iterable[Item]) -> list[Utterance]:
    """The utterances of recordings and supervisions as lhotse writes them (`to_dict`).

    `BadInput` for a supervision of a recording that is not there.
    """
    known = {recording["id"]: recording for recording in recordings}
    listed = list(supervisions)
    parts = Counter(supervision["recording_id"] for supervision in listed)
    if unknown := parts.keys() - known.keys():
        raise BadInput(f"recording {min(unknown)} has supervisions, but is not among the recordings")
    supervised = [_utterance(one, known[one["recording_id"]], several=parts[one["recording_id"]] > 1) for one in listed]
    return supervised or [Utterance(key, _source(one, None), duration=one["duration"]) for key, one in known.items()]


def _of_cuts(cuts: Iterable[Item]) -> list[Utterance]:
    utterances = []
    for cut in cuts:
        recording = cut["recording"]
        # Times of supervisions count from the cut's start, and they may reach beyond it.
        inside = [_within(one, cut) for one in cut.get("supervisions") or ()]
        inside = inside or [{"id": cut["id"], "start": cut["start"], "duration": cut["duration"]}]
        several = len(inside) > 1
        utterances += [_utterance(one, recording, several=several, channel=cut.get("channel")) for one in inside]
    return utterances


def _within(supervision: Item, cut: Item) -> dict[str, Any]:
    begin = max(0.0, supervision["start"])
    end = min(cut["duration"], supervision["start"] + supervision["duration"])
    if end <= begin:
        raise BadInput(f"supervision {supervision['id']} lies outside its cut {cut['id']}")
    return {**supervision, "start": cut["start"] + begin, "duration": end - begin}


def _utterance(one: Item, recording: Item, *, several: bool, channel: Any = None) -> Utterance:
    whole = one["start"] <= _ROUNDING and one["duration"] >= recording["duration"] - _ROUNDING
    gender = str(one.get("gender") or "").strip().lower()[:1]
    return Utterance(
        id=str(one["id"]),
        path=_source(recording, one.get("channel", channel)),
        speaker=str(one.get("speaker") or ""),
        start=None if whole else float(one["start"]),
        duration=float(one["duration"]),
        session=str(recording["id"]) if several else "",
        gender=gender if gender in ("m", "f") else "",
        language=str(one.get("language") or ""),
        text=" ".join(str(one.get("text") or "").split()),
    )


def _source(recording: Item, channel: Any) -> str:
    """The file of a recording in which the channel is (of several channels, the first)."""
    name = recording["id"]
    if recording.get("transforms"):
        raise BadInput(f"recording {name} is changed on the fly; save it with lhotse first (CutSet.save_audios)")
    first = channel[0] if isinstance(channel, list) and channel else channel
    sources = recording["sources"]
    source = next((each for each in sources if first in each["channels"]), sources[0])
    if source["type"] not in ("file", "url"):
        raise BadInput(f"recording {name} is a {source['type']}, no file; save it with lhotse (CutSet.save_audios)")
    return str(source["source"])


def _beside(path: Path, this: str, other: str, *, needed: bool) -> list[Item]:
    """The items of the list that goes with this one: lhotse names them alike but for one word."""
    sibling = path.with_name(path.name.replace(this, other))
    if sibling != path and sibling.exists():
        return list(_items(sibling))
    if needed:
        raise BadInput(f"holds {this} only; the {other} are expected beside it in {sibling.name.replace(this, other)}")
    return []


def _items(path: Path) -> Iterator[Item]:
    opener = gzip.open if path.suffix == ".gz" else open
    number = 0
    try:
        with opener(existing(path), "rt", encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    item = json.loads(line)
                    if not isinstance(item, dict):
                        raise BadInput(f"{path}: line {number} is no JSON object")
                    yield item
    except json.JSONDecodeError as error:
        raise BadInput(f"{path}: line {number} is not JSON ({error.msg})") from error
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: is damaged after line {number}; copy it again") from error
