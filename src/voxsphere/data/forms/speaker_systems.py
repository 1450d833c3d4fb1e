"""A corpus as the speaker recognition systems take it: Kaldi data folders, one to learn from, one a list of trials."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from voxsphere.audio.wave import info
from voxsphere.core.errors import BadInput
from voxsphere.core.manifest import Manifest, Utterance
from voxsphere.data.forms.corpus import Corpus, Made, claim
from voxsphere.data.kaldi import save_kaldi


def write(corpus: Corpus, out: Path, *, progress: Callable[[int], None] = lambda done: None) -> Made:
    """Write `train`, and `test-NAME` for each list of trials, below `out`.

    Each holds wav.scp (recordings stay where they are), utt2spk, spk2utt, utt2dur, and segments, spk2gender, utt2lang,
    text and utt2dom (the data set) where the manifest tells; a test folder also its list, `trials`. A recording that
    cannot be read gets no duration. `BadInput` where the folder holds another corpus, or something else.
    """
    names = ["train", *(_folder(name) for name in sorted(corpus.trials))]
    claim(out, "speaker_systems", ([(u.id, u.speaker) for u in (*corpus.teaching, *corpus.judging)], names))
    teaching = _measured(corpus.teaching, progress)
    judging = {utterance.id: utterance for utterance in _measured(corpus.judging, progress)}
    save_kaldi(teaching, out / "train")
    for name, trials in corpus.trials.items():
        save_kaldi(Manifest(tuple(judging[each] for each in sorted(trials.ids))), out / _folder(name))
        trials.save(out / _folder(name) / "trials", "kaldi")
    everybody = {utterance.speaker for utterance in (*teaching, *judging.values())}
    unread = sum(utterance.duration is None for utterance in (*teaching, *judging.values()))
    told = [f"{each}: a Kaldi data folder" for each in sorted(names)]
    return Made(
        out,
        len(teaching) + len(judging),
        len(everybody),
        (*told, *([f"{unread} recordings could not be read, and have no duration"] if unread else [])),
    )


def _folder(name: str) -> str:
    return f"test-{name}"


def _measured(manifest: Manifest, progress: Callable[[int], None]) -> Manifest:
    """The manifest with every duration that the files' headers tell, and the data set as the domain."""
    utterances = []
    for utterance in manifest:
        utterances.append(replace(utterance, duration=_seconds(utterance), extra=_with_domain(utterance)))
        progress(1)
    return Manifest(tuple(utterances))


def _seconds(utterance: Utterance) -> float | None:
    if utterance.duration is not None:
        return utterance.duration
    try:
        return info(utterance.path).seconds - (utterance.start or 0.0)
    except (BadInput, OSError):
        return None


def _with_domain(utterance: Utterance) -> tuple[tuple[str, str], ...]:
    extra = dict(utterance.extra)
    return tuple((extra | ({"domain": utterance.dataset} if utterance.dataset else {})).items())
