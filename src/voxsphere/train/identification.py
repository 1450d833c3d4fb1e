"""How well the model names the speakers it learns so far, in recordings that it does not learn from."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from accelerate import Accelerator
from accelerate.utils import gather_object

from voxsphere.core.errors import BadInput
from voxsphere.core.manifest import Utterance
from voxsphere.data.source import enough, source_of
from voxsphere.data.training_set import TrainingSet
from voxsphere.metrics.identification import top_k
from voxsphere.train.distances import Distances
from voxsphere.train.judging import OF_TRAINING, check_figure, product
from voxsphere.train.posteriors import By, log_posteriors, way_of

FIGURES = ("identification_error", "top5_error", "frame_error", "heldout_loss", *OF_TRAINING)


@dataclass(frozen=True, kw_only=True)
class Identification:
    """How often a held-out recording of a learnt speaker is taken for another's, `every` so many epochs.

    A recording's speaker is the one of the largest sum of log-posteriors over its parts; `by` says what these are:
    the network's frames, or the whole recording ("auto" as `posteriors.way_of` tells). Figures are
    "identification_error" and "top5_error" (the share of recordings), "frame_error" (the share of parts), and
    "heldout_loss" (the mean −log p of the true speaker over parts, in nats); "loss" and "error" are means over the
    training batches since the last judgement. `figure` is what schedules, stopping and `keep="best"` go by, or a
    product of several. Of each recording the first `seconds` are heard.
    """

    figure: str = "identification_error"
    every: int = 1
    seconds: float = 10.0
    by: By = "auto"
    closed: ClassVar[bool] = True

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
        """The figures after `step` updates; each process hears its share, and all get the same.

        `failed` is told the path of what cannot be read, and why; it is left out.
        """
        model, head, source = objective.model, objective.head, source_of(objective.model)
        way = way_of(model, self.by)
        number = {speaker: i for i, speaker in enumerate(data.train.speakers)}
        told: list[tuple[float, ...]] = []

        def hear(utterance: Utterance) -> tuple[float, ...]:
            held = enough(source.beginning(utterance, self.seconds), utterance, model)
            parts = log_posteriors(model, head, [held], by=way).numpy()
            true = np.full(len(parts), number[utterance.speaker])
            whole = parts.sum(0, keepdims=True)
            right = [float(top_k(whole, true[:1], k)[0]) for k in (1, 5)]
            lost = -parts[:, true[0]]
            return float(len(parts)), float(lost.sum()), float((~top_k(parts, true)).sum()), *right

        for utterance in data.held_out.utterances[accelerator.process_index :: accelerator.num_processes]:
            try:
                told.append(hear(utterance))
            except BadInput as error:  # one broken file is no reason to lose the epoch
                failed(utterance.path, str(error))
        every = gather_object(told) if accelerator.num_processes > 1 else told
        if not every:
            raise BadInput("none of the held-out recordings can be read to validate on")
        parts, lost, wrong, first, fifth = np.array(every).T
        figures = {
            "identification_error": float(1 - first.mean()),
            "top5_error": float(1 - fifth.mean()),
            "frame_error": float(wrong.sum() / parts.sum()),
            "heldout_loss": float(lost.sum() / parts.sum()),
        }
        if not np.isfinite(figures["heldout_loss"]):
            raise BadInput(f"the loss on held-out recordings is no number any more after step {step}")
        return figures, None
