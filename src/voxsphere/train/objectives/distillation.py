"""Distillation: learn from a trained model, what its embeddings are and how alike it finds the speakers."""

import math
from collections.abc import Callable
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from voxsphere.core.errors import BadInput
from voxsphere.core.files import expanded
from voxsphere.data.batch import Batch
from voxsphere.losses.head import Head, pass_margin, precisely
from voxsphere.models.speaker import SpeakerModel
from voxsphere.pretrained import load
from voxsphere.train.objectives.heads import accuracy, check_weights


class Distillation(nn.Module):
    """A student's sum of three lessons: its own classification, its teacher's embedding, its teacher's logits.

    `teacher` is a model by name or folder, with the student's sampling rate; it hears the same waves, without feature
    masks. It is in evaluation mode, learns nothing, and is in no checkpoint: a run that goes on loads it again, and
    refuses another one.

    - `head_weight`: the head's loss.
    - `embedding_weight`: how far the student's embedding, through a linear map that is learnt along where the
      dimensions differ, lies from the teacher's: `distance="cosine"`, 1 − cos, or "squared", the mean square of the
      differences (Romero et al. 2015, FitNets, arXiv:1412.6550, eq. 3, without their ½).
    - `logit_weight`: T²·KL(teacher ‖ student) of the softmax of both's margin-free logits over T = `temperature`,
      nats (Hinton et al. 2015, Distilling the knowledge in a neural network, arXiv:1503.02531, section 2). The
      teacher's logits for these speakers are those of a head of the same kind, learnt meanwhile on its embeddings; the
      loss of that, "teacher_head", goes into the sum with weight 1 and reaches nothing but that head.

    A lesson of weight 0 is left out, with its parameters.
    """

    _teacher: tuple[SpeakerModel]  # in a tuple: not a part, so that no state, mode or parameter of it is this module's

    def __init__(
        self,
        model: SpeakerModel,
        num_speakers: int,
        *,
        teacher: str,
        head: Callable[..., Head],
        distance: Literal["cosine", "squared"] = "cosine",
        head_weight: float = 1.0,
        embedding_weight: float = 1.0,
        logit_weight: float = 1.0,
        temperature: float = 4.0,
    ) -> None:
        super().__init__()
        check_weights({"head_weight": head_weight, "embedding_weight": embedding_weight, "logit_weight": logit_weight})
        if not 0 < temperature < math.inf:
            raise BadInput(f"objective.temperature: {temperature:g} is not a number above 0")
        self.model = model
        taught, self.fingerprint = _opened(teacher, model)
        self._teacher = (taught,)
        self.distance, self.temperature = distance, temperature
        self.head_weight, self.embedding_weight, self.logit_weight = head_weight, embedding_weight, logit_weight
        asked = bool(head_weight or logit_weight)
        self.head = head(in_dim=model.dim, num_classes=num_speakers) if asked else None
        self.teacher_head = head(in_dim=taught.dim, num_classes=num_speakers) if logit_weight else None
        differ = embedding_weight and taught.dim != model.dim
        self.map = nn.Linear(model.dim, taught.dim, bias=False) if differ else nn.Identity()

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """The weighted sum and its parts, unweighted."""
        target = self._taught(batch.wave)
        embedding = self.model(batch.wave, masks=batch.masks)
        found: dict[str, Tensor] = {}
        loss = torch.zeros((), device=target.device)
        if self.embedding_weight:
            found["embedding"] = self._distance(self.map(embedding), target)
            loss = loss + self.embedding_weight * found["embedding"]
        if self.head is not None:
            found["classification"] = self.head(embedding, batch.speaker)
            loss = loss + self.head_weight * found["classification"]
        if self.head is not None and self.teacher_head is not None:
            found["teacher_head"] = self.teacher_head(target, batch.speaker)
            with torch.no_grad():
                wanted = self.teacher_head.logits(target)
            found["logits"] = self._divergence(self.head.logits(embedding), wanted)
            loss = loss + self.logit_weight * found["logits"] + found["teacher_head"]
        right = {} if self.head is None else {"accuracy": accuracy(self.head, embedding, batch.speaker)}
        return {"loss": loss, **found, **right}

    def set_margin(self, value: float) -> None:
        """Set the margin of both heads, where they have one."""
        pass_margin(self.head, value)
        pass_margin(self.teacher_head, value)

    def get_extra_state(self) -> Tensor:
        """Whose lessons these are: the teacher's fingerprint, for the checkpoint."""
        return torch.tensor(list(self.fingerprint.encode()), dtype=torch.uint8)

    def set_extra_state(self, state: Any) -> None:
        """`BadInput` where the checkpoint was taught by another model."""
        earlier = bytes(state.tolist()).decode()
        if earlier != self.fingerprint:
            raise BadInput(
                f"objective.teacher: is another model ({self.fingerprint}) than the one this run began with ({earlier}"
                "); bring that one back, or choose another --out"
            )

    @torch.compiler.disable  # type: ignore[untyped-decorator]
    @torch.no_grad()
    def _taught(self, wave: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch teacher_dim"]:
        (teacher,) = self._teacher
        held = next((tensor.device for tensor in [*teacher.parameters(), *teacher.buffers()]), wave.device)
        if held != wave.device:
            teacher.to(wave.device)
        embedding: Tensor = teacher(wave)
        return embedding

    def _distance(self, embedding: Tensor, target: Tensor) -> Tensor:
        with precisely(embedding):
            if self.distance == "cosine":
                return 1 - functional.cosine_similarity(embedding.float(), target.float()).mean()
            return (embedding.float() - target.float()).square().mean()

    def _divergence(self, logits: Tensor, wanted: Tensor) -> Tensor:
        with precisely(logits):
            own, theirs = ((z.float() / self.temperature).log_softmax(1) for z in (logits, wanted))
            return self.temperature**2 * functional.kl_div(own, theirs, reduction="batchmean", log_target=True)


def _opened(name: str, student: SpeakerModel) -> tuple[SpeakerModel, str]:
    try:
        opened = load(expanded(name))
    except BadInput as error:
        raise BadInput(f"objective.teacher: {error}") from error
    taught = opened.model
    if taught.width != student.width:
        raise BadInput(
            f"objective.teacher: {name} takes {_taken(taught)}, the student {_taken(student)}; take a teacher that is "
            "given the same"
        )
    if taught.rate != student.rate:
        raise BadInput(
            f"objective.teacher: {name} hears {taught.rate:g} samples a second, the student {student.rate:g}; take a "
            "teacher of the student's rate, or --set model.features.sample_rate"
        )
    return opened.model.requires_grad_(False), opened.fingerprint


def _taken(model: SpeakerModel) -> str:
    return "waves" if model.width is None else f"stored features of {model.width} a frame"
