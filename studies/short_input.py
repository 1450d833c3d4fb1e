"""How is a wave of less than a second best embedded? Train speakers' speech cut to 0.3 to 1 s, as it is or repeated.

    python -m studies.short_input campplus-zh-en --out studies/outputs/short_input_campplus-zh-en.json

Each cut is compared with whole utterances of the same and of other speakers (librispeech, commonvoice_multi, an4).
"""

import sys
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from studies.pieces import Piece, cuts, embed_pieces, pair_up, train_utterances
from voxsphere.backend.cosine import cosine
from voxsphere.core.files import write_json
from voxsphere.metrics.detection import eer
from voxsphere.pretrained import load

LENGTHS = (0.3, 0.4, 0.5, 0.7, 1.0)
WAYS = (
    *(("tile", seconds) for seconds in (0.0, 0.5, 1.0, 1.5, 2.0, 3.0)),
    *(("mirror", seconds) for seconds in (0.5, 1.0, 2.0)),
)


def run(model: str, out: Annotated[Path, typer.Option()], speakers: int = 240) -> None:
    """EER by the cut's length, and by the way and the length to which it is repeated (0: left as it is)."""
    network = load(model).model
    network.min_seconds = 0.0  # the study does itself what the model would do
    utterances = train_utterances("librispeech", "commonvoice_multi", "an4", a_speaker=3)
    utterances = [
        u for u in utterances if u.speaker in {u.speaker for u in utterances[:: max(1, len(utterances) // speakers)]}
    ]
    table: dict[str, dict[str, float]] = {}
    whole = embed_pieces(network, cuts(utterances, network.sample_rate, (float("inf"),)))
    for length in LENGTHS:
        short = list(cuts(utterances, network.sample_rate, (length,)))
        for way, seconds in WAYS:
            waves = ((u, repeated(wave, way, round(seconds * network.sample_rate))) for u, wave in short)
            table.setdefault(f"{length:g}", {})[f"{way} {seconds:g}"] = _eer(embed_pieces(network, waves), whole)
        print(length, table[f"{length:g}"], file=sys.stderr, flush=True)
    write_json(out, {"model": model, "utterances": len(utterances), "eer_by_cut_and_way": table})


def repeated(wave: np.ndarray, way: str, samples: int) -> np.ndarray:
    """The wave repeated up to `samples`, every second time backwards if mirrored; itself where it is long enough."""
    unit = np.concatenate([wave, wave[::-1]]) if way == "mirror" else wave
    return np.tile(unit, -(-samples // len(unit)))[:samples] if len(wave) < samples else wave


def _eer(short: list[Piece], whole: list[Piece]) -> float:
    pieces = short + whole
    pairs = pair_up(pieces, targets_a_speaker=12, nontargets=40_000)
    mixed = (pairs.first < len(short)) != (pairs.second < len(short))
    scores = cosine(np.stack([piece.vector for piece in pieces]), pairs.first[mixed], pairs.second[mixed])
    target = pairs.target[mixed]
    return eer(scores[target], scores[~target])


if __name__ == "__main__":
    typer.run(run)
