"""Class weights that do not begin at random: another run's of the same speakers, or the speakers' mean embeddings."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from voxsphere.core.errors import BadInput
from voxsphere.core.files import read_json
from voxsphere.core.manifest import Manifest, Utterance
from voxsphere.core.parts import Json
from voxsphere.core.random import stream
from voxsphere.data.source import Held, Source, source_of
from voxsphere.models.speaker import SpeakerModel
from voxsphere.train import checkpoint

FILES, SECONDS = 5, 10.0
"""So many recordings of a speaker, and so much of each, make up the mean."""


def carried(objective: nn.Module, speakers: Sequence[str], run: Path, *, head: Json = None) -> dict[str, Tensor]:
    """The weights of the objective beside its model as the run in `run` left them, each speaker's by name.

    Where the run kept a running average (`ema`) they are the average's, as the model's are. Margins and the like are
    no weights: they are what this recipe says. A run with plain `Softmax` also gives its class weights, and its biases
    where there are such, to another head of one row a class; what that has besides begins as it is. `BadInput` where
    the run is not known to have learnt all the speakers, or its objective has other weights, or a head of another kind
    than `head`, which is this one's as a recipe describes it.
    """
    state = checkpoint.newest(run / "checkpoints", reading=True)
    if state is None:
        raise BadInput(f"start.head: {run} has no checkpoint left to take the class weights from; take start.head=new")
    held: Mapping[str, Tensor] = state["objective"] if state["ema"] is None else state["ema"]["values"]
    taught = _taught(run)
    row = {speaker: i for i, speaker in enumerate(taught)}
    if strangers := [speaker for speaker in speakers if speaker not in row]:
        raise BadInput(
            f"start.head: {len(strangers)} of the {len(speakers)} speakers, such as {strangers[0]}, are none that "
            f"{run} learnt; class weights are carried over for the same speakers only: take start.head=new"
        )
    recipe: Any = read_json(run / "recipe.json")
    there, here = _kind(recipe["objective"].get("head")), _kind(head)
    if there != here and not (there == "Softmax" and _one_row_a_class(objective, len(speakers))):
        raise BadInput(
            f"start.head: {run} taught {there}, and here stands {here}; its head is to be of the same kind, or take "
            "start.head=new"
        )
    rows = None if tuple(taught) == tuple(speakers) else torch.tensor([row[speaker] for speaker in speakers])
    own = _beside_the_model(objective)
    if not own:
        raise BadInput("start.head: this objective has no class weights to carry over; take start.head=new")
    if there != here:
        own = {name: value for name, value in own.items() if name in held or not name.startswith("head.")}
    sizes, of_classes = (len(taught), len(speakers)), _of_classes(objective)
    return {
        name: _picked(name, value, held, rows if name in of_classes else None, sizes, run)
        for name, value in own.items()
    }


def _kind(head: Any) -> str:
    """What decides how a head's weights are laid out: its class, its centres, and both of a head that it wraps."""
    if not isinstance(head, dict):
        return "no head"
    centres = head.get("centres", 1)
    own = f"{head.get('part')}{'' if centres == 1 else f' of {centres} centres'}"
    return f"{own} around {_kind(head['head'])}" if "head" in head else own


def _one_row_a_class(objective: nn.Module, classes: int) -> bool:
    """Whether the head itself, no other within it, holds a weight vector for each class."""
    weight = dict(objective.named_parameters()).get("head.weight")
    return weight is not None and len(weight) == classes


def _of_classes(objective: nn.Module) -> set[str]:
    """The names of the weights that have rows of a speaker's: those of heads, and of the penalties beside them."""
    holders = [
        name
        for name, module in objective.named_modules()
        if not name.startswith("model.") and (hasattr(module, "logits") or name.startswith("penalties."))
    ]
    return {f"{holder}.{name}" for holder in holders for name, _ in objective.get_submodule(holder).named_parameters()}


def _beside_the_model(objective: nn.Module) -> dict[str, nn.Parameter]:
    """What the objective learns that is no part of its model."""
    named = objective.named_parameters()
    return {name: value for name, value in named if value.requires_grad and not name.startswith("model.")}


def _picked(
    name: str, own: Tensor, held: Mapping[str, Tensor], rows: Tensor | None, classes: tuple[int, int], run: Path
) -> Tensor:
    """The tensor of this name, of these classes only; `BadInput` where there is none, or it cannot be parted so.

    A speaker's rows, one or several, stand one after the other. What has no rows of theirs is taken whole.
    """
    if name not in held:
        others = ", ".join(key for key in held if not key.startswith("model.")) or "none"
        raise BadInput(f"start.head: {run} holds no {name} (it holds {others}); its head is to be of the same kind")
    given, (there, here) = held[name], classes
    if rows is not None and own.ndim and given.ndim:
        each, left = divmod(len(own), here)
        if not left and len(given) == each * there:
            given = given.view(there, each, *given.shape[1:])[rows].flatten(0, 1)
    if given.shape != own.shape:
        raise BadInput(
            f"start.head: {name} is {tuple(held[name].shape)} in {run} for {classes[0]} speakers and "
            f"{tuple(own.shape)} here for {classes[1]}; take the same head, or start.head=new"
        )
    return given


def _taught(run: Path) -> list[str]:
    """The speakers that the run's classes stand for, in order."""
    data: Any = read_json(run / "data.json")
    classes = data.get("classes") if isinstance(data, dict) else None
    if not isinstance(classes, list):
        raise BadInput(
            f"start.head: {run / 'data.json'} does not name the speakers of its classes; take start.head=new"
        )
    return [str(name) for name in classes]


def means(objective: nn.Module, model: SpeakerModel, data: Manifest, *, seed: int) -> dict[str, Tensor]:
    """Class weights that point to where `model` sees each speaker: the mean of unit-length embeddings.

    Of each speaker at most `FILES` recordings are heard, drawn by the seed, the first `SECONDS` of each. Each row keeps
    the length it has; only the head's own weights are made so. A speaker of whom nothing can be read keeps the row as a
    whole.
    """
    shape = (len(data.speakers), model.dim)
    weight = getattr(getattr(objective, "head", None), "weight", None)  # a wrapper's is that of the head within
    own = _beside_the_model(objective)
    name = next((name for name, value in own.items() if value is weight), None)
    if name is None or tuple(own[name].shape) != shape:
        raise BadInput(
            f"start.head: this objective has no class weights of {shape[0]} × {shape[1]}, a row a speaker, which means "
            "could be; take start.head=new"
        )
    directions = _directions(model, data, seed)
    known = directions.norm(dim=1, keepdim=True) > 0
    drawn = own[name].detach().cpu()
    return {name: torch.where(known, directions * drawn.norm(dim=1, keepdim=True), drawn)}


def _directions(model: SpeakerModel, data: Manifest, seed: int) -> Float[Tensor, "speakers dim"]:
    """The direction of each speaker's mean embedding; 0 where no recording could be read."""
    of_speaker: dict[str, list[Utterance]] = {speaker: [] for speaker in data.speakers}
    for utterance in data:
        of_speaker[utterance.speaker].append(utterance)
    source = source_of(model)
    made = torch.zeros(len(of_speaker), model.dim)
    for row, (speaker, utterances) in enumerate(of_speaker.items()):
        order = stream("class means", seed, speaker).permutation(len(utterances))[:FILES]
        heard = [held for i in order if (held := _beginning(utterances[int(i)], model, source)) is not None]
        if heard:
            made[row] = functional.normalize(torch.from_numpy(model.embed(heard))).mean(0)
    return functional.normalize(made)


def _beginning(utterance: Utterance, model: SpeakerModel, source: Source) -> Held | None:
    try:
        held = source.beginning(utterance, SECONDS)
    except BadInput:  # the loader names and counts broken files
        return None
    return held if len(held) >= model.shortest else None
