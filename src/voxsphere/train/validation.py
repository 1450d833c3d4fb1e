"""How good the model is so far, on speakers that it does not learn from."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import gather_object

from voxsphere.backend.cosine import cosine
from voxsphere.core.errors import BadInput
from voxsphere.core.manifest import Utterance
from voxsphere.data.source import Held, Source, enough, source_of
from voxsphere.data.training_set import TrainingSet
from voxsphere.metrics.detection import eer_of, error_rates, min_dcf_of
from voxsphere.models.speaker import SpeakerModel
from voxsphere.train.distances import Distances
from voxsphere.train.judging import OF_TRAINING, check_figure, product
from voxsphere.train.numbers import check_finite

FIGURES = ("eer", "min_dcf", "min_dcf_0.001", *OF_TRAINING)


@dataclass(frozen=True, kw_only=True)
class Verification:
    """EER and minDCF (priors 0.01 and 0.001) of held-out speakers' trials by cosine, `every` so many epochs.

    `figure` is what schedules, stopping and `keep="best"` go by, lower is better: one of `FIGURES` or a product such
    as "eer*min_dcf"; "loss" and "error" (1 − accuracy) are means over the training batches since the last validation;
    an objective without a `head` has no accuracy, and no error. Where the data leave out utterances of learnt speakers,
    "valid_error" tells beside them how often the head mistakes those; it is no figure to go by.
    Of each utterance the first `seconds` are embedded.
    """

    figure: str = "eer"
    every: int = 1
    seconds: float = 10.0
    closed: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check_figure(self.figure, self.every, self.seconds, FIGURES)

    def value(self, figures: dict[str, float]) -> float:
        """The figure that decides, from all those measured."""
        return product(self.figure, figures)

    def measure(
        self,
        objective: Any,
        data: TrainingSet,
        accelerator: Accelerator,
        step: int,
        *,
        failed: Callable[[str, str], None] = lambda path, reason: None,
    ) -> tuple[dict[str, float], Distances | None]:
        """The figures and distances after `step` updates; each process embeds its share, and all get the same.

        `failed` is told the path of what cannot be read, and why; the trials of it are left out.
        """
        trials = data.trials
        own = data.held_out.utterances[accelerator.process_index :: accelerator.num_processes]
        found = self._embed(objective.model, own, failed)
        vectors = dict(gather_object(list(found.items())) if accelerator.num_processes > 1 else found.items())
        rows = {name: row for row, name in enumerate(vectors)}
        known = np.array([rows.get(name, -1) for name in trials.ids])
        enrol, test = known[trials.enrol], known[trials.test]
        there = (enrol >= 0) & (test >= 0)
        if trials.target is None:
            raise BadInput("the validation trials do not say which are of the same speaker")
        target = np.asarray(trials.target)[there]
        if target.all() or not target.any():
            raise BadInput("too few held-out recordings can be read to validate on")
        embeddings = np.stack(list(vectors.values()))
        check_finite([torch.from_numpy(embeddings)], "an embedding", step)
        scores = cosine(embeddings, enrol[there], test[there])
        curve = error_rates(scores[target], scores[~target])
        figures = {
            "eer": float(eer_of(curve)),
            "min_dcf": float(min_dcf_of(curve, p_target=0.01)),
            "min_dcf_0.001": float(min_dcf_of(curve, p_target=0.001)),
        }
        figures |= self._known(objective, data, accelerator, failed)
        return figures, Distances.of(scores[target], scores[~target])

    def _known(
        self, objective: Any, data: TrainingSet, accelerator: Accelerator, failed: Callable[[str, str], None]
    ) -> dict[str, float]:
        """How often the head takes an utterance left out for another speaker's; nothing where there is none, or no
        head."""
        head = getattr(objective, "head", None)
        if head is None or not len(data.left_out):
            return {}
        own = data.left_out.utterances[accelerator.process_index :: accelerator.num_processes]
        number = {speaker: i for i, speaker in enumerate(data.train.speakers)}
        found = self._embed(objective.model, own, failed)
        device = next(objective.model.parameters()).device

        def mistaken(embedding: np.ndarray, speaker: int) -> bool:
            with torch.inference_mode():
                return int(head.logits(torch.from_numpy(embedding)[None].to(device)).argmax()) != speaker

        wrong = [mistaken(found[u.id], number[u.speaker]) for u in own if u.id in found]
        every = gather_object(wrong) if accelerator.num_processes > 1 else wrong
        return {"valid_error": float(np.mean(every))} if every else {}

    def _embed(
        self, model: SpeakerModel, utterances: tuple[Utterance, ...], failed: Callable[[str, str], None]
    ) -> dict[str, np.ndarray]:
        vectors: dict[str, np.ndarray] = {}
        source = source_of(model)
        for first in range(0, len(utterances), 64):
            some = utterances[first : first + 64]
            waves = {u.id: held for u in some if (held := self._input(u, model, source, failed)) is not None}
            vectors.update(zip(waves, model.embed(list(waves.values())), strict=True))
        return vectors

    def _input(
        self, utterance: Utterance, model: SpeakerModel, source: Source, failed: Callable[[str, str], None]
    ) -> Held | None:
        try:
            return enough(source.beginning(utterance, self.seconds), utterance, model)
        except BadInput as error:  # one broken file is no reason to lose the epoch
            failed(utterance.path, str(error))
            return None
