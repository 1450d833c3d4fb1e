"""Where a run begins: at its newest checkpoint, from another model's weights, or from nothing."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from voxsphere.core.errors import BadInput
from voxsphere.core.parts import Json, describe
from voxsphere.data.training_set import TrainingSet
from voxsphere.models.speaker import SpeakerModel
from voxsphere.train import checkpoint
from voxsphere.train.class_weights import carried, means
from voxsphere.train.counting import count
from voxsphere.train.origin import Origin, check_fit, check_unheard, find_origin
from voxsphere.train.recipe import Recipe
from voxsphere.train.run_folder import claim
from voxsphere.train.start import Start


@dataclass(frozen=True)
class Beginning:
    """What a run is begun from, found and seen to fit; `head` is the objective's, as the recipe describes it."""

    start: Start
    origin: Origin
    seed: int
    head: Json = None

    @cached_property
    def note(self) -> dict[str, Any]:
        """For data.json."""
        return self.origin.note()

    def state(self, objective: nn.Module, data: TrainingSet) -> dict[str, Tensor]:
        """The objective's state before the first step; the model in it is left with the start's weights."""
        model = _model(objective)
        state = {f"model.{name}": value for name, value in self.origin.state.items()}
        if self.start.head == "carried":
            if self.origin.run is None:
                raise BadInput(
                    f"start.head: {self.start.model} is a model and keeps no class weights; name the run that made it, "
                    "or take start.head=new"
                )
            state |= carried(objective, data.train.speakers, self.origin.run, head=self.head)
        model.load_state_dict(dict(self.origin.state))
        if self.start.head == "means":
            state |= means(objective, model, data.train, seed=self.seed)
        whole = objective.state_dict() | state
        return {name: value.detach().cpu() if isinstance(value, Tensor) else value for name, value in whole.items()}


def take_up(
    recipe: Recipe, folder: Path, objective: nn.Module, data: TrainingSet
) -> tuple[dict[str, Any] | None, dict[str, Tensor] | None]:
    """The newest checkpoint of the run, or the objective's state that it begins from, if either is there.

    Without a start that state is the random one with what is counted over the data beforehand, where a part asks.
    Makes the folder the run's. A run that goes on does not need its start any more; where that is still there, it is
    to be what it was. Raises `BadInput` where start, folder, data and recipe are not of one run, or the start
    learnt speakers who are held out here, and then a folder in which no run was begun is left as it is.
    """
    checkpoints = folder / "checkpoints"
    goes_on = any(checkpoints.glob("step-*"))
    try:
        start = _beginning(recipe, folder, objective)
    except BadInput:
        if not goes_on:
            raise
        start = None
    if start is not None:
        check_unheard(start.note, () if data.closed else data.held_out.speakers)
    begun = None if goes_on else _begun(start, objective, data)
    claim(folder, recipe, data, None if start is None else start.note)
    state = checkpoint.newest(checkpoints)
    if state is None and goes_on:  # none of the checkpoints was whole
        begun = _begun(_beginning(recipe, folder, objective), objective, data)
    return state, begun


def _begun(start: Beginning | None, objective: nn.Module, data: TrainingSet) -> dict[str, Tensor] | None:
    """The objective's state before the first step, where it is not the random one as it is."""
    if start is not None:
        return start.state(objective, data)
    if not count(_model(objective), data.train):
        return None
    return {name: value.detach().cpu() for name, value in objective.state_dict().items()}


def _beginning(recipe: Recipe, folder: Path, objective: nn.Module) -> Beginning | None:
    if recipe.start is None:
        return None
    start = recipe.start()
    origin = find_origin(start.model, folder)
    check_fit(_model(objective).state_dict(), origin.state, origin.name)
    described = describe(recipe.objective)
    head = described.get("head") if isinstance(described, dict) else None
    return Beginning(start, origin, recipe.seed, head)


def _model(objective: nn.Module) -> SpeakerModel:
    model = objective.model
    assert isinstance(model, SpeakerModel)
    return model
