"""Both pretrained models on every trial list of the development corpus; the score files are kept.

    python -m studies.trial_lists campplus-zh-en

Embeds what the lists name (once, resumable, in the cache folder), scores every list (cosine and calibrated LLR), and
writes `studies/outputs/scores/MODEL/LIST.parquet` (LLR; the cosine's order within a list differs only by duration) and
`…/LIST.cosine.parquet`. `python -m studies.results` makes docs/results.md of them.
"""

import sys
from pathlib import Path

import typer

from studies.pieces import corpus
from voxsphere.core.embeddings import Embeddings
from voxsphere.core.manifest import Manifest
from voxsphere.core.trials import Trials
from voxsphere.evaluate.scoring import calibrated, score
from voxsphere.extract.corpus import extract
from voxsphere.pretrained import load
from voxsphere.pretrained.sources import cache_folder

OUT = Path("studies/outputs/scores")


def run(model: str) -> None:
    """Embed, score, store."""
    pretrained = load(model)
    lists = sorted(corpus().glob("trials_*.txt"))
    named = {name for path in lists for name in Trials.load(path).ids}
    whole = Manifest.load(corpus() / "manifest.tsv")
    manifest = Manifest(tuple(utterance for utterance in whole if utterance.id in named))
    stored = cache_folder() / "studies" / f"{model}-{pretrained.fingerprint}.safetensors"
    done = extract(pretrained, manifest, stored)
    print(f"{done.embeddings} embeddings, {len(done.failures)} failures, {done.seconds:.0f} s", file=sys.stderr)
    embeddings = Embeddings.load(stored)
    for path in lists:
        scores = score(Trials.load(path), embeddings)
        name = path.stem.removeprefix("trials_")
        scores.save(OUT / model / f"{name}.cosine.parquet")
        if pretrained.card.calibration is not None:
            calibrated(scores, embeddings, pretrained.card.calibration).save(OUT / model / f"{name}.llr.parquet")


if __name__ == "__main__":
    typer.run(run)
