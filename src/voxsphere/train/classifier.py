"""A run's network and head together: they name the speakers that were learnt."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import nn

from voxsphere.core.errors import BadInput
from voxsphere.core.files import read_json
from voxsphere.core.manifest import Manifest, Utterance
from voxsphere.data.source import Held, enough, source_of
from voxsphere.data.threads import in_threads
from voxsphere.evaluate.identification import Decisions
from voxsphere.losses.head import Head
from voxsphere.models.speaker import SpeakerModel
from voxsphere.train.origin import run_of
from voxsphere.train.posteriors import By, log_posteriors, way_of
from voxsphere.train.recipe import Recipe
from voxsphere.train.weights import CLASSES, Weights

PARTS_TOLD = {
    "frames": "the sum of the log-posteriors of its frames",
    "posteriors": "the sum of the log-posteriors of its pieces",
    "embedding": "the mean of its pieces' embeddings",
    "pooled": "the mean of its pieces' pooled frames",
}
"""What an utterance's decision rests on, in words."""

Pieces = Callable[[SpeakerModel, Utterance, Held], list[Held]]
"""Cuts an utterance into what is judged one by one."""


def windows(model: SpeakerModel, utterance: Utterance, held: Held) -> list[Held]:
    """The utterance as `SpeakerModel.embed` would take it: whole, or in equal windows where it is very long."""
    return [held[cut] for cut in model.windows(len(held))]


@dataclass(frozen=True)
class Classifier:
    """A network, its head, and the speakers that they tell apart, in the head's order."""

    model: SpeakerModel
    head: Head
    speakers: tuple[str, ...]

    def decide(
        self,
        manifest: Manifest,
        *,
        by: By = "auto",
        pieces: Pieces = windows,
        workers: int | None = None,
        progress: Callable[[int], None] = lambda done: None,
    ) -> tuple[Decisions, tuple[tuple[str, str], ...]]:
        """The log-posteriors of every utterance, and what could not be judged: its id, and why.

        `by` is as in `posteriors.log_posteriors`, whose parts' log-posteriors are summed.
        """
        source, way = source_of(self.model), way_of(self.model, by)

        def judge(utterance: Utterance) -> np.ndarray:
            held = enough(source.beginning(utterance), utterance, self.model)
            cut = pieces(self.model, utterance, held)
            return np.asarray(log_posteriors(self.model, self.head, cut, by=way).sum(0).numpy())

        ids, found, failures = [], [], []
        for utterance, told in in_threads(judge, manifest, workers=workers, begin=lambda: torch.set_num_threads(1)):
            if isinstance(told, BadInput):
                failures.append((utterance.id, str(told)))
            else:
                ids.append(utterance.id)
                found.append(told)
            progress(1)
        summed = np.stack(found) if found else np.empty((0, len(self.speakers)))
        return Decisions(tuple(ids), self.speakers, summed), tuple(failures)


def classifier_of(run: str | Path) -> Classifier:
    """The network and the head of a run, with the weights that its recipe keeps; of stages, the last one's.

    `BadInput` where there is no run, it has no head, or it has not come to the end of an epoch.
    """
    folder = run_of(Path(run))
    if folder is None or not (folder / "data.json").exists():
        raise BadInput(f"{run}: holds no run (no recipe.json with its data.json); give the folder of a training run")
    recipe = Recipe.load(folder / "recipe.json")
    speakers = tuple(read_json(folder / "data.json").get("classes", ()))
    model = recipe.model()
    objective = recipe.objective(model=model, num_speakers=len(speakers))
    head = getattr(objective, "head", None)
    if not isinstance(head, nn.Module):
        raise BadInput(f"{run}: {type(objective).__name__} has no head that could name a speaker")
    kept = [Weights(folder / name, keep=recipe.keep, count=recipe.average) for name in ("weights", CLASSES)]
    if kept[0].epochs != kept[1].epochs:
        raise BadInput(
            f"{folder / CLASSES}: holds the head of other epochs than {folder / 'weights'}; it may be of an older "
            "version: train it again"
        )
    model.load_state_dict(kept[0].model())
    head.load_state_dict(kept[1].model())
    return Classifier(model.eval(), cast(Head, head.eval()), speakers)
