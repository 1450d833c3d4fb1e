"""How fast the losses are beside others', in one process, in turns.

    python -m studies.loss_speed run …/wespeaker …/speechbrain …/voxceleb_trainer    # NAME… takes some rows only
    python -m studies.loss_speed many 100000                         # our AAM head alone: its time and its memory

A step is the loss of a batch and its gradient, to the embeddings and to the class weights, on one thread and on two;
both sides have the same numbers and the loss they find is compared. Writes medians, their ratio (theirs by ours) and
the relative difference of the losses to `studies/outputs/loss_speed.json`. A further row is a line in `ROWS`.
"""

import importlib
import resource
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any
from unittest.mock import MagicMock

import torch
import typer
from torch import Tensor, nn
from torch.nn import functional

from studies.references import import_wespeaker
from voxsphere.core.files import read_json, write_json
from voxsphere.losses.ge2e import Ge2e
from voxsphere.losses.margin import AamSoftmax
from voxsphere.losses.prototypical import AngularPrototypical

STORED = Path("studies/outputs/loss_speed.json")
CLASSES, BATCH, DIM = 18_000, 256, 192
LEAST, MOST, SECONDS = 5, 25, 12.0  # rounds, and how long they may take together

Loss = Callable[[], Tensor]
Side = tuple[nn.Module, Loss]

app = typer.Typer(pretty_exceptions_enable=False)


def classified() -> tuple[Tensor, Tensor]:
    """Embeddings and the classes of their speakers."""
    drawn = torch.Generator().manual_seed(0)
    embedding = torch.randn(BATCH, DIM, generator=drawn)
    return embedding.requires_grad_(), torch.randint(CLASSES, (BATCH,), generator=drawn)


def ours_aam(embedding: Tensor, speaker: Tensor, num_classes: int = CLASSES) -> Side:
    """Our head."""
    head = AamSoftmax(DIM, num_classes, margin=0.2, scale=30.0)
    return head, lambda: head(embedding, speaker)


def wespeaker_aam(embedding: Tensor, speaker: Tensor, checkout: Path, weight: Tensor) -> Side:
    """WeSpeaker's projection, and the cross-entropy that its training script takes."""
    import_wespeaker(checkout)
    projections = importlib.import_module("wespeaker.models.projections")
    head = projections.ArcMarginProduct(DIM, CLASSES, scale=30.0, margin=0.2)
    head.weight.data.copy_(weight)
    return head, lambda: functional.cross_entropy(head(embedding, speaker), speaker)


def speechbrain_aam(embedding: Tensor, speaker: Tensor, packages: Path, weight: Tensor) -> Side:
    """SpeechBrain's classifier and loss, as its VoxCeleb recipe puts them together."""
    losses = import_speechbrain_losses(packages)
    classifier = nn.Module()
    classifier.weight = nn.Parameter(weight.clone())
    loss = losses.LogSoftmaxWrapper(losses.AdditiveAngularMargin(margin=0.2, scale=30))

    def call() -> Tensor:
        # The whole of its Classifier, whose file imports what needs torchaudio.
        cosine = functional.linear(functional.normalize(embedding), functional.normalize(classifier.weight))
        found: Tensor = loss(cosine[:, None], speaker[:, None])
        return found

    return classifier, call


def import_speechbrain_losses(packages: str | Path) -> Any:
    """SpeechBrain's losses without the rest of it, which needs torchaudio: their other imports serve other losses."""
    for name in ("speechbrain", "speechbrain.nnet"):
        sys.modules[name] = ModuleType(name)
        sys.modules[name].__path__ = [f"{packages}/{name.replace('.', '/')}"]
    for name in ("dataio.dataio", "decoders.ctc", "utils.data_utils", "utils.logger"):
        sys.modules[f"speechbrain.{name}"] = MagicMock()
    return importlib.import_module("speechbrain.nnet.losses")


def aam(theirs: Callable[..., Side], checkout: Path) -> tuple[Side, Side]:
    """Two AAM heads over the same batch, with the same class weights."""
    embedding, speaker = classified()
    ours = ours_aam(embedding, speaker)
    return ours, theirs(embedding, speaker, checkout, ours[0].weight.detach())


def on_tuples(
    ours: Callable[[], nn.Module], theirs: str, speakers: int, utterances: int, checkout: Path
) -> tuple[Side, Side]:
    """Our loss on tuples and the file of voxceleb_trainer's, over the same batch of 512 dimensions.

    All its cosines are above 0: theirs has a floor there.
    """
    drawn = torch.Generator().manual_seed(0)
    tuples = (2 + torch.randn(speakers, utterances, 512, generator=drawn)).requires_grad_()
    if str(checkout) not in sys.path:
        sys.path.insert(0, str(checkout))
    loss, peer = ours(), importlib.import_module(f"loss.{theirs}").LossFunction()
    return (loss, lambda: loss(tuples)), (peer, lambda: peer(tuples)[0])


# A name: the check-out it needs, and what makes both sides given its path.
ROWS: dict[str, tuple[str, Callable[[Path], tuple[Side, Side]]]] = {
    "aam, wespeaker": ("wespeaker", partial(aam, wespeaker_aam)),
    "aam, speechbrain": ("speechbrain", partial(aam, speechbrain_aam)),
    **{
        f"{name}, {speakers} × {utterances}": (
            "voxceleb_trainer",
            partial(on_tuples, ours, theirs, speakers, utterances),
        )
        for name, ours, theirs in (
            ("ge2e", partial(Ge2e, normalised=False), "ge2e"),
            ("angular prototypical", AngularPrototypical, "angleproto"),
        )
        for speakers, utterances in ((100, 3), (64, 10))
    },
}


@app.command()
def run(
    wespeaker: Path,
    speechbrain: Path,
    voxceleb_trainer: Path,
    names: Annotated[list[str] | None, typer.Argument()] = None,
) -> None:
    """Time both sides of each row in turns."""
    places = {"wespeaker": wespeaker, "speechbrain": speechbrain, "voxceleb_trainer": voxceleb_trainer}
    for name in names or ROWS:
        needed, make = ROWS[name]
        found: dict[str, Any] = {}
        for threads in (1, 2):
            torch.set_num_threads(threads)
            torch.manual_seed(0)
            found[f"threads {threads}"] = beside(*make(places[needed]))
        keep(name, found)


@app.command()
def many(classes: int = 100_000) -> None:
    """Time our AAM head over many classes by itself, and say how much memory the process has come to need."""
    found: dict[str, Any] = {}
    for threads in (1, 2):
        torch.set_num_threads(threads)
        head, call = ours_aam(*classified(), num_classes=classes)
        step(head, call)
        times = [step(head, call)[0] for _ in range(LEAST)]
        found[f"threads {threads}"] = {"ours_ms": round(1000 * statistics.median(times), 1), "rounds": len(times)}
    found["peak_gib"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2)
    keep(f"aam, {classes} classes", found)


def beside(ours: Side, theirs: Side) -> dict[str, Any]:
    """The median milliseconds of both, the median of the rounds' ratios, and how far the losses differ."""
    one, two = step(*ours)[1], step(*theirs)[1]
    rounds: list[tuple[float, float]] = []
    begun = time.perf_counter()
    while len(rounds) < LEAST or (len(rounds) < MOST and time.perf_counter() - begun < SECONDS):
        if len(rounds) % 2:
            rounds.append((step(*ours)[0], step(*theirs)[0]))
        else:
            rounds.append((step(*theirs)[0], step(*ours)[0])[::-1])
    return {
        "ours_ms": round(1000 * statistics.median(a for a, _ in rounds), 1),
        "theirs_ms": round(1000 * statistics.median(b for _, b in rounds), 1),
        "ratio": round(statistics.median(b / a for a, b in rounds), 2),
        "rounds": len(rounds),
        "difference": abs(one - two) / abs(two),
    }


def step(module: nn.Module, loss: Loss) -> tuple[float, float]:
    """The seconds of a loss and its gradient, and the loss."""
    module.zero_grad()
    begun = time.perf_counter()
    found = loss()
    found.backward()  # type: ignore[no-untyped-call]
    return time.perf_counter() - begun, found.item()


def keep(name: str, found: dict[str, Any]) -> None:
    """Print a row and write it among the others."""
    print(name, found, flush=True)
    write_json(STORED, {**(read_json(STORED) if STORED.exists() else {}), name: found})


if __name__ == "__main__":
    app()
