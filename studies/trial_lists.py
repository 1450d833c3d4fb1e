"""Both pretrained models on every trial list of the development corpus; the score files are kept.

    python -m studies.trial_lists campplus-zh-en

Embeds what the lists name (once, resumable, in the cache folder), scores every list (cosine and calibrated LLR), and
writes `studies/outputs/scores/MODEL/LIST.parquet` (LLR; the cosine's order within a list differs only by duration) and
`…/LIST.cosine.parquet`; and `studies/outputs/expected_MODEL.json`, which holds the error rates that the card's table
promises for each list's decisions beside those that came. `python -m studies.results` makes docs/results.md of them.
"""

import math
import sys
from pathlib import Path

import numpy as np
import typer

from studies.pieces import corpus
from voxsphere.backend.expected import ErrorTable
from voxsphere.core.embeddings import Embeddings
from voxsphere.core.errors import BadInput
from voxsphere.core.files import cache_folder, write_json
from voxsphere.core.manifest import Manifest
from voxsphere.core.scores import Scores
from voxsphere.core.trials import Trials
from voxsphere.evaluate.scoring import calibrated, score
from voxsphere.extract.corpus import extract
from voxsphere.pretrained import load

PRIORS = (0.5, 0.01)
OUT = Path("studies/outputs/scores")


def run(model: str) -> None:
    """Embed, score, store."""
    pretrained = load(model)
    lists = sorted(corpus().glob("trials_*.txt"))
    named = {name for path in lists for name in Trials.load(path).ids}
    whole = Manifest.load(corpus() / "manifest.tsv")
    manifest = Manifest(tuple(utterance for utterance in whole if utterance.id in named))
    stored = cache_folder() / "studies" / f"{model}-{pretrained.fingerprint}.safetensors"
    if not stored.exists():
        done = extract(pretrained, manifest, stored)
        print(f"{done.embeddings} embeddings, {len(done.failures)} failures, {done.seconds:.0f} s", file=sys.stderr)
    embeddings = Embeddings.load(stored)
    card, promised = pretrained.card, []
    if card.calibration is None or card.errors is None:
        raise BadInput(f"{model}: has no calibration; run studies.calibrate first")
    for path in lists:
        scores = score(Trials.load(path), embeddings)
        name = path.stem.removeprefix("trials_")
        scores.save(OUT / model / f"{name}.cosine.parquet")
        llr = calibrated(scores, embeddings, card.calibration)
        llr.save(OUT / model / f"{name}.llr.parquet")
        promised += [{"list": name, "prior": prior} | _kept(llr, embeddings, card.errors, prior) for prior in PRIORS]
    write_json(Path("studies/outputs") / f"expected_{model}.json", {"lists": promised})


def _kept(llr: Scores, embeddings: Embeddings, errors: ErrorTable, prior: float) -> dict[str, list[float]]:
    """[promised, low, high, seen] of misses and of false alarms, over the trials with enough speech to be decided."""
    threshold = math.log((1 - prior) / prior)
    seconds = embeddings.seconds[embeddings.rows(llr.trials.ids)]
    shorter = np.minimum(seconds[llr.trials.enrol], seconds[llr.trials.test])
    found = [errors.at(threshold, float(length)) for length in shorter]
    decided = np.array([rates is not None for rates in found])
    kept = {}
    for kind, chosen, wrong in (
        ("miss", decided & llr.trials.target, llr.values < threshold),
        ("false_alarm", decided & ~llr.trials.target, llr.values >= threshold),
    ):
        if not chosen.any():
            continue
        rates = [found[place] for place in np.flatnonzero(chosen)]
        said = [(getattr(each, kind), *getattr(each, f"{kind}_interval")) for each in rates]
        kept[kind] = [*map(float, np.mean(said, axis=0)), float(wrong[chosen].mean())]
    return kept


if __name__ == "__main__":
    typer.run(run)
