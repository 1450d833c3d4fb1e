"""From nothing to a model: makes synthetic voices, learns some of them, and tells others apart that it never heard."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from voxsphere.core.embeddings import Embeddings
from voxsphere.core.manifest import Manifest
from voxsphere.core.scores import Scores
from voxsphere.core.trials import Trials
from voxsphere.data.synthetic import MANIFEST, TRIALS
from voxsphere.data.synthetic_set import synthetic_corpus
from voxsphere.evaluate.comparison import Comparison, compare
from voxsphere.evaluate.report import report
from voxsphere.evaluate.results import Results, evaluate
from voxsphere.evaluate.scoring import score
from voxsphere.extract.corpus import extract
from voxsphere.pretrained import Card, open_folder, save_folder
from voxsphere.recipes.synthetic_voices import synthetic_voices
from voxsphere.train.finish import Finished, finish
from voxsphere.train.recipe import Recipe
from voxsphere.train.run import Glance, Outcome, train


@dataclass(frozen=True)
class Lesson:
    """What was learnt: figures on voices never heard before, beside the same network untrained."""

    outcome: Outcome
    finished: Finished
    results: Results
    untrained: Comparison
    page: Path


def learn(
    out: Path,
    *,
    recipe: Recipe | None = None,
    watch: Callable[[Glance], None] = lambda glance: None,
    told: Callable[[str], None] = lambda line: None,
) -> Lesson | None:
    """Make the voices, train in the folder named as `out` without its ending, evaluate, and write the page `out`.

    `recipe` is `synthetic_voices`, or one like it that learns the same corpus' train voices.
    None where the training was asked to stop: a second call goes on.
    """
    told("making sixty synthetic voices (once)")
    corpus = synthetic_corpus()
    recipe, folder = recipe or synthetic_voices(), out.with_suffix("")
    outcome = train(recipe, folder, watch=watch, told=told)
    if not outcome.finished:
        return None
    told("judging voices that were not learnt")
    finished = finish(recipe, folder)
    trials = Trials.load(corpus / TRIALS)
    manifest = Manifest.load(corpus / MANIFEST)
    scores = _scores(finished.model, trials, manifest, folder / "unseen.safetensors")
    speaker_of = manifest.speaker_of()
    results = evaluate(scores, speaker_of=speaker_of)
    report(scores, results, out)
    plain = _scores(_untrained(recipe, folder, finished.card), trials, manifest, folder / "untrained.safetensors")
    return Lesson(outcome, finished, results, compare(scores, plain, speaker_of=speaker_of), out)


def _scores(model: Path, trials: Trials, manifest: Manifest, out: Path) -> Scores:
    named = set(trials.ids)
    out.unlink(missing_ok=True)
    extract(open_folder(model), Manifest(tuple(u for u in manifest if u.id in named)), out)
    return score(trials, Embeddings.load(out))


def _untrained(recipe: Recipe, folder: Path, card: Card) -> Path:
    torch.manual_seed(recipe.seed)
    return save_folder(recipe.model, recipe.model().state_dict(), card, folder / "untrained")
