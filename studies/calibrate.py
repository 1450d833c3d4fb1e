"""Fits the calibration and the error table that a known model's card carries, and puts them to the proof.

    python -m studies.calibrate campplus-zh-en

Speech: train speakers of librispeech, commonvoice_multi and an4, whole utterances and random cuts of 0.8 to 12 s, as
far as they hold enough speech to be decided on. No trial list is read. Writes
`src/voxsphere/pretrained/calibrations/MODEL.json` (calibration and error table) and
`studies/outputs/calibration_MODEL.json` (what speaker-disjoint cross-validation says).
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import typer

import voxsphere
from studies.pieces import Pairs, Piece, cuts, embed_pieces, pair_up, train_utterances
from voxsphere.backend.calibrate import Calibration
from voxsphere.backend.cosine import cosine
from voxsphere.core.files import write_json
from voxsphere.evaluate.calibration import cross_validated_llr, fit_error_table
from voxsphere.metrics.detection import eer
from voxsphere.metrics.likelihood import cllr, min_cllr
from voxsphere.pretrained import load

SETS = ("librispeech", "commonvoice_multi", "an4")
BALANCED = (1.0, 2.0, 4.0)  # seconds of speech that part the classes of duration
ENOUGH = 300
LENGTHS = (0.8, 1.5, 3.0, 6.0, 12.0, float("inf"))


def run(model: str, a_speaker: int = 5, targets_a_speaker: int = 150, nontargets: int = 400_000) -> None:
    """Embed, pair up, cross-validate, fit, write."""
    pretrained = load(model)
    utterances = train_utterances(*SETS, a_speaker=a_speaker)
    print(f"{len(utterances)} utterances", file=sys.stderr, flush=True)
    pieces = embed_pieces(pretrained.model, cuts(utterances, pretrained.model.sample_rate, LENGTHS))
    pieces = [piece for piece in pieces if piece.speech >= pretrained.card.min_speech_seconds]
    pairs = pair_up(pieces, targets_a_speaker=targets_a_speaker, nontargets=nontargets)
    score = cosine(np.stack([piece.vector for piece in pieces]), pairs.first, pairs.second)
    seconds = np.array([piece.speech for piece in pieces])
    names = sorted({piece.speaker for piece in pieces})
    speaker = np.searchsorted(names, [piece.speaker for piece in pieces])
    sides = seconds[pairs.first], seconds[pairs.second]
    speakers = speaker[pairs.first], speaker[pairs.second]

    dataset = np.searchsorted(sorted(SETS), [piece.utterance.dataset for piece in pieces])[pairs.first]
    weight = _balanced(np.minimum(*sides), dataset, pairs.target)
    llr = cross_validated_llr(score, *sides, pairs.target, *speakers, weight=weight)
    where = f"studies/calibrate.py, voxsphere {voxsphere.__version__}"
    paired = len(np.unique(speakers[0][pairs.target]))
    said = (
        f"fitted on {len(names)} train speakers of {', '.join(SETS)}, {paired} of them in target pairs, "
        f"most of which are of one session ({where})"
    )
    calibration = Calibration.fit(score, *sides, pairs.target, weight=weight, provenance=said)
    errors = fit_error_table(
        llr, *sides, pairs.target, *speakers, sources=dataset, provenance=f"cross-validated over speakers; {said}"
    )
    folder = Path(voxsphere.__file__).parent / "pretrained" / "calibrations"
    write_json(
        folder / f"{model}.json",
        {
            "fingerprint": pretrained.fingerprint,
            "calibration": calibration.to_json(),
            "errors": _short(errors.to_json()),
        },
    )
    proof = {
        "model": model,
        "fingerprint": pretrained.fingerprint,
        "utterances": len(utterances),
        "pieces": len(pieces),
    }
    proof |= {"speakers": len(names), "target_speakers": paired}
    proof["bins"] = _bins(llr, pairs, np.minimum(*sides), pieces)
    write_json(Path("studies/outputs") / f"calibration_{model}.json", proof)


def _balanced(shorter: np.ndarray, dataset: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Weights that give each class of duration of each data set one say, however many trials it has.

    Short cuts of one large set are many; long recordings and the other sets matter as much. What has fewer than
    `ENOUGH` trials has less than one say: a handful of trials is not to turn the line.
    """
    cell = (np.digitize(shorter, BALANCED) * len(SETS) + dataset) * 2 + target
    return 1 / np.maximum(ENOUGH, np.bincount(cell)[cell])


def _bins(llr: np.ndarray, pairs: Pairs, shorter: np.ndarray, pieces: list[Piece]) -> list[dict[str, Any]]:
    dataset = np.array([piece.utterance.dataset for piece in pieces])[pairs.first]
    kept = ~np.isnan(llr)
    rows = [("all", kept)]
    rows += [(f"{low:g} to {high:g} s", kept & (shorter >= low) & (shorter < high))
             for low, high in ((0.5, 1), (1, 2), (2, 4), (4, 8), (8, 60))]  # fmt: skip
    rows += [(name, kept & (dataset == name)) for name in SETS]
    table = []
    for name, chosen in rows:
        target, nontarget = llr[chosen & pairs.target], llr[chosen & ~pairs.target]
        if len(target) and len(nontarget):
            row = {
                "condition": name,
                "targets": len(target),
                "nontargets": len(nontarget),
                "eer": eer(target, nontarget),
            }
            table.append(row | {"cllr": cllr(target, nontarget), "min_cllr": min_cllr(target, nontarget)})
            print({k: round(v, 4) if isinstance(v, float) else v for k, v in table[-1].items()}, file=sys.stderr)
    return table


def _short(value: Any) -> Any:
    """The numbers to five digits: a table for people and for interpolation, not for arithmetic."""
    if isinstance(value, dict):
        return {key: _short(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_short(item) for item in value]
    return float(f"{value:.5g}") if isinstance(value, float) else value


if __name__ == "__main__":
    typer.run(run)
