"""EER of Resemblyzer's own code on the trial lists, with and without its silence trimming.

    python studies/original_resemblyzer.py CORPUS LIST… > original.json

Runs in an environment of its own (resemblyzer 0.1.4, its needs, soundfile), never in voxsphere's; its figures stand in
`studies/outputs/original.json`.
"""

import json
import sys

import numpy as np
import soundfile
from resemblyzer import VoiceEncoder
from resemblyzer.audio import normalize_volume, trim_long_silences


def main(corpus: str, lists: list[str]) -> None:
    """Print {list: {"plain": EER %, "trimmed": EER %}}."""
    encoder = VoiceEncoder("cpu", verbose=False)
    found: dict[str, dict[str, float]] = {}
    for name in lists:
        with open(f"{corpus}/trials_{name}.txt", encoding="utf-8") as file:
            trials = [line.split() for line in file]
        target = np.array([label == "1" for label, _, _ in trials])
        names = {each for trial in trials for each in trial[1:]}
        for trimmed in (False, True):
            embedded = {each: embed(encoder, f"{corpus}/{each}", trimmed) for each in names}
            score = np.array([embedded[a] @ embedded[b] for _, a, b in trials])
            found.setdefault(name, {})["trimmed" if trimmed else "plain"] = round(100 * eer(score, target), 2)
    json.dump(found, sys.stdout, indent=2)


def embed(encoder: VoiceEncoder, path: str, trimmed: bool) -> np.ndarray:
    """Resemblyzer's embedding of a 16 kHz file."""
    wave = normalize_volume(soundfile.read(path, dtype="float32")[0], -30, increase_only=True)
    speech = trim_long_silences(wave) if trimmed else wave
    return encoder.embed_utterance(speech if len(speech) else wave)


def eer(score: np.ndarray, target: np.ndarray) -> float:
    """The mean of both error rates where they are nearest."""
    order = np.argsort(-score)
    miss = 1 - np.cumsum(target[order]) / target.sum()
    false_alarm = np.cumsum(~target[order]) / (~target).sum()
    nearest = np.argmin(np.abs(miss - false_alarm))
    return float(miss[nearest] + false_alarm[nearest]) / 2


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
