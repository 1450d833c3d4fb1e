"""`lhotse:NAME`: a downloaded corpus that lhotse has a recipe for (https://github.com/lhotse-speech/lhotse)."""

import inspect
import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import redirect_stdout
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

from voxsphere.core.errors import BadInput, flattened
from voxsphere.core.manifest import Utterance
from voxsphere.data.corpora.prepared import Prepared, prepared
from voxsphere.data.lhotse_manifests import of_recordings

# The words by which lhotse's recipes name the parts of corpora (TRAIN, en-dev, test_set, eval1, tst-COMMON), each
# alone between other characters. Tests come first: what is named for two things must not teach.
_SPLITS = {
    "test": re.compile(r"(?<![a-z])(?:test|tst|eval|evaluation)(?![a-z])"),
    "dev": re.compile(r"(?<![a-z])(?:dev|val|valid|validation)(?![a-z])"),
    "train": re.compile(r"(?<![a-z])(?:train|training)(?![a-z])"),
}


def from_lhotse(name: str, root: Path) -> Prepared:
    """The corpus as lhotse's `prepare_NAME(root)` finds it; nothing is downloaded by us.

    `split` is train, dev or test where lhotse's name for the part says so, else that name; where they differ, the name
    is the column subset (`en-train`). Ids are lhotse's, with the part before them where two parts have one id.
    """
    if not root.is_dir():
        raise BadInput(f"{root}: {'is no folder' if root.exists() else 'no such folder'}")
    utterances: list[Utterance] = []
    seen: set[str] = set()
    for part, manifests in _parts(_made(name, root)):
        recordings = [item.to_dict() for item in manifests["recordings"]]
        supervisions = [item.to_dict() for item in manifests.get("supervisions") or ()]
        if recordings and "recording_id" in recordings[0]:  # the recipe of AISHELL-3 gives them the other way round
            recordings, supervisions = supervisions, recordings
        try:
            found = of_recordings(recordings, supervisions)
        except BadInput as error:
            raise BadInput(f"{root}: lhotse's {name}: {error}") from None
        split = _split(part)
        extra = (("subset", part),) if split != part else ()
        for utterance in found:
            id = f"{part}/{utterance.id}" if utterance.id in seen else utterance.id
            seen.add(id)
            utterances.append(replace(utterance, id=id, dataset=name, split=split, extra=(*utterance.extra, *extra)))
    missing = [path for path in dict.fromkeys(u.path for u in utterances) if "://" not in path and not _there(path)]
    return prepared(root, utterances, {}, missing, f"what lhotse's recipe {name} takes")


def _split(part: str) -> str:
    return next((split for split, words in _SPLITS.items() if words.search(part.lower())), part)


def _there(path: str) -> bool:
    return Path(path).exists()


def _made(name: str, root: Path) -> Any:
    prepare = _recipe(name)
    needed = [each.name for each in inspect.signature(prepare).parameters.values() if each.default is each.empty]
    with tempfile.TemporaryDirectory() as scratch:
        # Some recipes insist on writing their lists somewhere; they are given back as well.
        given: dict[str, Any] = {"output_dir": scratch} if "output_dir" in needed else {}
        asked = [each for each in needed[1:] if each not in given]
        if asked or not needed:
            raise BadInput(
                f"lhotse:{name}: its recipe asks for more than a folder ({', '.join(asked) or 'which one'}); run it "
                "with lhotse and give the .jsonl.gz lists that it writes in place of a manifest"
            )
        try:
            # What recipes print is for people to watch; stdout may be somebody's JSON.
            with redirect_stdout(sys.stderr):
                return prepare(root, **given)
        # Recipes raise whatever their assertions and parsers do; where they stopped is all that can be told.
        except Exception as error:
            told = flattened(error) or "no reason given"
            raise BadInput(f"{root}: lhotse's recipe {name} stopped ({type(error).__name__}: {told[:300]})") from error


def _recipe(name: str) -> Callable[..., Any]:
    try:
        import lhotse.recipes
    except ImportError:
        raise BadInput(f"lhotse:{name} needs lhotse: pip install 'voxsphere[data]'") from None
    try:
        # A few recipes lie in the package without being named in its front.
        place = (
            lhotse.recipes if hasattr(lhotse.recipes, f"prepare_{name}") else import_module(f"lhotse.recipes.{name}")
        )
        recipe: Callable[..., Any] = getattr(place, f"prepare_{name}")
    except (ImportError, AttributeError):
        known = ", ".join(sorted(each[8:] for each in dir(lhotse.recipes) if each.startswith("prepare_")))
        raise BadInput(f"lhotse:{name}: lhotse has no such recipe; it has {known}") from None
    return recipe


def _parts(made: Any, above: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The recordings and supervisions in what a recipe gives, and the path of keys to them."""
    if not isinstance(made, Mapping):
        return
    if "recordings" in made:
        yield above, made
        return
    for key, value in made.items():
        yield from _parts(value, f"{above}-{key}" if above else str(key))
