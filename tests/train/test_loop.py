"""The loop: what one update does with its batches, rates and random numbers."""

from collections.abc import Iterator

import pytest
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from torch import nn

from voxsphere.core.errors import BadInput
from voxsphere.data.batch import Batch
from voxsphere.train.loop import steps
from voxsphere.train.parameters import parameter_groups
from voxsphere.train.schedule import Constant, Polyline, Progress, Schedule


class Mean(nn.Module):
    """Loss: how far a linear map of each wave lies from its speaker's number."""

    def __init__(self, *, dropout: float = 0.0) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.line = nn.Linear(6, 1)
        self.drop = nn.Dropout(dropout)
        self.followed: list[int] = []

    def forward(self, batch: Batch) -> dict[str, torch.Tensor]:
        loss = (self.line(self.drop(batch.wave))[:, 0] - batch.speaker).square().mean()
        return {"loss": loss}

    def set_margin(self, value: float) -> None:
        self.margin = value

    def after_step(self, step: int) -> None:
        self.followed.append(step)


def batches(size: int, total: int = 8) -> Iterator[Batch]:
    generator = torch.Generator().manual_seed(1)
    while True:
        wave, speaker = torch.randn(total, 6, generator=generator), torch.randint(5, (total,), generator=generator)
        for first in range(0, total, size):
            piece = slice(first, first + size)
            yield Batch(wave[piece], speaker[piece], ("x",) * size, None, ())


def run(
    objective: Mean, *, count: int = 3, pieces: int = 1, seed: int = 0, first: int = 0, rate: float = 0.1, clip=None,
    dropout: Schedule | None = None,
):  # fmt: skip
    AcceleratorState._reset_state()
    accelerator = Accelerator(cpu=True)
    prepared, optimizer = accelerator.prepare(objective, torch.optim.SGD(parameter_groups(objective)))
    made = steps(
        prepared, optimizer, batches(8 // pieces), accelerator,
        progress=lambda n: Progress(first + n, 100, 10), learning_rate=Constant(value=rate),
        margin=Constant(value=0.3), dropout=dropout, clip=clip, pieces=pieces, seed=seed,
    )  # fmt: skip
    return [next(made) for _ in range(count)]


@pytest.mark.parametrize("pieces", [2, 4, 8])
def test_pieces_of_a_batch_teach_what_the_whole_teaches(pieces):
    whole, split = Mean(), Mean()
    losses = [float(step.losses["loss"]) for step in run(whole)]
    assert [float(step.losses["loss"]) for step in run(split, pieces=pieces)] == pytest.approx(losses, rel=1e-6)
    torch.testing.assert_close(split.state_dict(), whole.state_dict(), rtol=1e-6, atol=1e-7)


def test_no_update_is_longer_than_the_clip_allows():
    before, after = Mean(), Mean()
    step = run(after, count=1, rate=1.0, clip=1e-3)[0]
    moved = torch.cat([(after.state_dict()[k] - v).flatten() for k, v in before.state_dict().items()]).norm()
    assert float(moved) == pytest.approx(1e-3, rel=1e-3)
    assert step.gradient_norm is not None
    assert float(step.gradient_norm) > 1e-3


def test_what_is_random_in_a_step_depends_on_the_seed_and_the_step_alone():
    def losses(**options):
        return [float(step.losses["loss"]) for step in run(Mean(dropout=0.5), rate=0.0, **options)]

    torch.manual_seed(123)
    reference = losses()
    torch.rand(7)
    assert losses() == reference
    assert losses(seed=1) != reference
    assert losses(first=1)[0] != reference[0]


def test_parts_are_told_the_margin_and_each_finished_step():
    objective = Mean()
    taken = run(objective, count=2, first=5)
    assert [step.number for step in taken] == [5, 6]
    assert (objective.margin, objective.followed) == (0.3, [5, 6])


def test_parts_that_drop_by_a_schedule_are_told_how_much():
    class Dropping(Mean):
        def set_dropout(self, alpha: float) -> None:
            self.dropped = [*getattr(self, "dropped", []), alpha]

    objective = Dropping()
    run(objective, count=3, first=10, dropout=Polyline(points=((0, 0), (0.1, 0), (0.2, 0.5), (1, 0))))
    assert objective.dropped == pytest.approx([0.0, 0.05, 0.1])


def test_a_schedule_of_dropout_where_nothing_drops_is_refused():
    with pytest.raises(BadInput, match="nothing in this network drops by a schedule"):
        run(Mean(), dropout=Constant(value=0.1))


def test_a_part_may_ask_for_a_rate_of_its_own():
    class Slow(Mean):
        def parameter_groups(self):
            return [{"params": [self.line.bias], "rate": 0.0}]

    before, after = Slow(), Slow()
    run(after)
    assert torch.equal(after.line.bias, before.line.bias)
    assert not torch.equal(after.line.weight, before.line.weight)
