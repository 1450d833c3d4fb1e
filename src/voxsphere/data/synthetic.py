"""A corpus of synthetic speakers, for machines that have no recordings: seeded, labelled, split, with trials."""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from voxsphere.audio.espeak import Speak, espeak, version
from voxsphere.audio.wave import info, write
from voxsphere.core.errors import BadInput
from voxsphere.core.files import read_json, write_json
from voxsphere.core.manifest import Manifest, Utterance
from voxsphere.core.random import stream
from voxsphere.data.pairs import draw
from voxsphere.data.sentences import sentence
from voxsphere.data.synthetic_voices import Difficulty, draw_session, draw_utterance, draw_voice, record

RATE = 16000
"""The corpus' samples a second."""
MANIFEST, TRIALS, SETTINGS = "manifest.tsv", "trials.txt", "settings.json"
"""The names of a corpus' tables in its folder."""


@dataclass(frozen=True)
class _Plan:
    """All that decides what a corpus holds."""

    speakers: int
    test_speakers: int
    utterances: int
    sessions: int
    seed: int
    difficulty: Difficulty
    synthesiser: str


def make_corpus(
    folder: str | Path,
    *,
    speakers: int = 60,
    test_speakers: int | None = None,
    utterances: int = 12,
    sessions: int = 3,
    seed: int = 0,
    difficulty: Difficulty | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> Manifest:
    """Write a corpus of `speakers` synthetic speakers below `folder` and give its manifest.

    Each speaker has a voice of its own and says `utterances` sentences of about 2 to 5 s in `sessions` sessions, in
    `speaker/session/utterance.flac` at 16 kHz. The last `test_speakers` (None: a third) are the split `test`, the
    others `train`; where there are three or more to test, `trials.txt` holds trials of their utterances, across
    sessions and within a gender. Equal arguments give equal files on one machine; what is there of an interrupted call
    is kept. Raises `BadInput` where espeak-ng is not installed, and for a folder that holds a corpus of other settings.
    """
    test_speakers = speakers // 3 if test_speakers is None else test_speakers
    if not (0 <= test_speakers <= speakers and 1 <= sessions <= utterances and speakers > 0):
        raise BadInput(
            f"{speakers} speakers of whom {test_speakers} are for tests, with {utterances} utterances in {sessions} "
            "sessions: neither of the second numbers can be above the first, and each needs at least one"
        )
    folder = Path(folder)
    plan = _Plan(speakers, test_speakers, utterances, sessions, seed, difficulty or Difficulty(), version())
    _settle(folder, plan)
    made = []
    with espeak(rate=RATE) as speak:
        for number in range(speakers):
            for utterance in _speaker(folder, plan, number, speak):
                made.append(utterance)
                progress(1)
    manifest = Manifest(tuple(made))
    if test_speakers > 2 and utterances > 1:  # of three, two are of one gender
        tested = Manifest(tuple(utterance for utterance in made if utterance.split == "test"))
        draw(tested, nontargets_per_target=1, seed=seed).trials.save(folder / TRIALS)
    manifest.save(folder / MANIFEST)
    return manifest


def _settle(folder: Path, plan: _Plan) -> None:
    settings = json.loads(json.dumps(asdict(plan)))  # as they read back: tuples are lists
    path = folder / SETTINGS
    if path.exists():
        if read_json(path) != settings:
            raise BadInput(f"{path}: a corpus of other settings lies here; remove it or choose another folder")
        return
    if folder.is_dir() and any(folder.iterdir()):
        raise BadInput(f"{folder}: holds something else than a synthetic corpus; choose an empty or a new folder")
    write_json(path, settings)


def _speaker(folder: Path, plan: _Plan, number: int, speak: Speak) -> Iterator[Utterance]:
    gender = "mf"[number % 2]
    names = ("synthetic", plan.seed, number)
    voice = draw_voice(stream(*names, "voice"), gender, spread=plan.difficulty.spread)
    sessions = [
        draw_session(stream(*names, "session", session), voice, plan.difficulty, rate=RATE)
        for session in range(plan.sessions)
    ]
    split = "train" if number < plan.speakers - plan.test_speakers else "test"
    for take in range(plan.utterances):
        session = take * plan.sessions // plan.utterances
        speaker, place = f"synth{number:03d}", f"s{session + 1}"
        name = f"{speaker}/{place}/{take + 1:03d}.flac"
        # One stream an utterance: what is made already can be passed over.
        random = stream(*names, "utterance", take)
        today = draw_utterance(random, sessions[session].voice, plan.difficulty)
        text = sentence(random, words=round(random.uniform(2.8, 4.6) * today.rate / 60))
        path = folder / name
        if not path.exists():
            wave = speak(text, today, int(random.integers(2**31)))
            write(path, record(wave, sessions[session], random, rate=RATE), RATE)
        yield Utterance(
            id=name, path=str(path), speaker=speaker, duration=info(path).seconds, session=place, gender=gender,
            language=today.accent, text=text, dataset="synthetic", split=split,
        )  # fmt: skip
