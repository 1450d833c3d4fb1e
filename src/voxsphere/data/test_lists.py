"""Public test lists, known by their recordings, speakers, counts and names: they must not choose a model."""

import re
from collections.abc import Iterable, Sequence
from hashlib import blake2b

import numpy as np

from voxsphere.core.manifest import Manifest
from voxsphere.core.trials import Trials

TEST_SPLITS = frozenset({"test", "eval", "evaluation"})
"""What a manifest's `split` column calls utterances that are there to test with."""

# The 64 smallest 32-bit hashes of the 4,715 recordings of VoxCeleb1-O, a sample that any list can be compared with
# (the bottom-k sketch of Broder 1997): made by tests/goldens/data/make_vox1_o_sketch.py.
_SKETCH = np.frombuffer(
    bytes.fromhex(
        "0025b2fb 0043d18a 0056fa1a 006b22fc 006c428a 0074d78b 00772447 00807a54 0084e032 00a48842 00a65d5b 00aae07a "
        "00b8d45a 00c42f01 00cdaa61 00e6546a 00fcb5d6 010cf06a 0114c47e 013cf798 01702b65 0176092c 0180dc45 0183e4c0 "
        "0185b5c0 018637b8 01865a8f 0194d38e 01c323ec 01d85558 01e0c345 01ff3776 020c8d42 02405c19 024bac5c 02568f28 "
        "025f5be2 0272b9cc 028456a3 028fa5c6 02a6c767 02ad618a 02c311e4 02d57a94 02d9d188 02eaa1d2 02ecbd9e 03000f1d "
        "0303d36a 032e3b90 035bc5f8 035c347b 0367b933 03adc53d 03c28797 03d8312f 03db097d 03eeffe7 03f925f5 04038ce3 "
        "041be467 0440ebea 04426bf1 04555e99 "
    ),
    dtype=">u4",
)
_VOX1_O = frozenset(_SKETCH.tolist())
_FEWEST_SHARED = 3  # recordings of the sample that a list must have to be told from chance

# Trials of the lists over all speakers of VoxCeleb1, which have no recordings of their own to be known by.
_BY_COUNT = {581480: "VoxCeleb1-E", 579818: "VoxCeleb1-E", 552536: "VoxCeleb1-H", 550894: "VoxCeleb1-H"}

_RECORDING = re.compile(r"([\w-]{11})[/_-](\d{5,7})(?:\.\w+)?$", re.ASCII)  # a video's id and an utterance's number
_VOX1_SPEAKER = re.compile(r"(?:^|[/_-])id1(0\d{3}|1[012]\d{2})[/_-]")  # id10001 to id11251
_VOX1_TEST = re.compile(r"(?:^|[/_-])id10(2[789]\d|30\d)[/_-]")  # id10270 to id10309
_CNCELEB_TEST = re.compile(
    r"(?:^|[/_-])id00[89]\d\d-(?:enroll|(?:advertisement|drama|entertainment|interview|live_broadcast|movie|play|"
    r"recitation|singing|speech|vlog)-\d{2}-\d{3})(?:\.\w+)?$"
)
_SITW_TEST = re.compile(r"(?:^|/)eval/(?:.*/)?audio/[a-z]{5}\.\w+$|^sitw_eval_")

_NAMES = (
    (r"veri_test2?", "VoxCeleb1-O"),
    (r"list_test_all2?", "VoxCeleb1-E"),
    (r"list_test_hard2?", "VoxCeleb1-H"),
    (r"vox(?:celeb)?1[-_]?(?:o|original|test)", "VoxCeleb1-O"),
    (r"vox(?:celeb)?1[-_]?(?:e|extended)", "VoxCeleb1-E"),
    (r"vox(?:celeb)?1[-_]?(?:h|hard)", "VoxCeleb1-H"),
    (r"cnc[-_]eval[-_](?:avg|concat)", "CN-Celeb"),
    (r"(?:core|assist|assistclean|assistnoisy)-(?:core|multi)", "SITW"),
)


def is_test_list(trials: Trials, name: str = "", *, manifests: Iterable[Manifest] = ()) -> str | None:
    """Why these trials are known as a public test list, or None where they are not.

    Known are VoxCeleb1-O (original and cleaned; by its recordings, whichever way they are named, and by its speakers,
    id10270 to id10309), VoxCeleb1-E and -H (by their number of trials, and by name), CN-Celeb (by its evaluation
    speakers, id00800 to id00999, as its list names them), SITW (by its `eval` folder, and by name unless that says
    `dev`). A part of a list counts as the list: half of the recordings are enough. `name` is the list's file name.
    Recordings that one of `manifests` marks as `test` or `eval` count as well.
    """
    return (
        _by_recordings(trials.ids)
        or _by_ids(trials.ids, _VOX1_TEST, "speakers that VoxCeleb1 tests with (id10270 to id10309)")
        or _by_ids(trials.ids, _CNCELEB_TEST, "speakers that CN-Celeb tests with (id00800 to id00999)")
        or _by_ids(trials.ids, _SITW_TEST, "SITW's evaluation part")
        or _by_count(trials)
        or _by_name(name)
        or next((told for manifest in manifests if (told := _by_split(trials.ids, manifest))), None)
    )


def sketch(ids: Sequence[str], size: int = 64) -> tuple[int, ...]:
    """The `size` smallest hashes of the recordings that these ids name in VoxCeleb's manner."""
    hashes = {_hash(match) for name in ids if (match := _RECORDING.search(name))}
    return tuple(sorted(hashes)[:size])


def _hash(recording: re.Match[str]) -> int:
    key = f"{recording[1]}/{int(recording[2])}".encode()
    return int.from_bytes(blake2b(key, digest_size=4).digest(), "big")


def _by_recordings(ids: Sequence[str]) -> str | None:
    # Of a list's recordings, those whose hashes are small are a fair sample, and the test list's are all known.
    small = [value for value in sketch(ids, len(ids)) if value <= max(_VOX1_O)]
    shared = sum(value in _VOX1_O for value in small)
    if shared < _FEWEST_SHARED or 2 * shared < len(small):
        return None
    return "its recordings are those of the VoxCeleb1-O test list"


def _by_ids(ids: Sequence[str], pattern: re.Pattern[str], whose: str) -> str | None:
    of_test = sum(pattern.search(name) is not None for name in ids)
    return f"{of_test} of its {len(ids)} recordings are of {whose}" if of_test and 2 * of_test >= len(ids) else None


def _by_count(trials: Trials) -> str | None:
    known = _BY_COUNT.get(len(trials))
    if known is None or not all(_VOX1_SPEAKER.search(name) for name in trials.ids):
        return None
    return f"it has the {len(trials)} trials of {known}"


def _by_name(name: str) -> str | None:
    for pattern, known in _NAMES:
        if found := re.search(rf"(?<![a-z0-9]){pattern}(?![a-z0-9])", name.lower()):
            if known == "SITW" and "dev" in re.split(r"[^a-z]+", name.lower()):
                return None
            return f"its name, {name}, holds {found[0]!r}, the name of the test list of {known}"
    return None


def _by_split(ids: Sequence[str], manifest: Manifest) -> str | None:
    marked = {utterance.id for utterance in manifest if utterance.split.lower() in TEST_SPLITS}
    of_test = sum(name in marked for name in ids)
    if not of_test or 2 * of_test < len(ids):
        return None
    return f"the manifest marks {of_test} of its {len(ids)} recordings as test"
