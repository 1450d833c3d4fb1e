"""A recipe to a trained model folder: assembles a run, goes on where a broken one ended, and finishes it."""

import time
from collections.abc import Callable
from contextlib import closing, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import broadcast_object_list

from voxsphere.core.errors import BadInput
from voxsphere.core.memory import keep_freed_memory
from voxsphere.data.loader import killed_workers_told, load
from voxsphere.data.threads import cores
from voxsphere.data.training_set import TrainingSet
from voxsphere.train import checkpoint
from voxsphere.train.assembly import accelerator_of, assemble
from voxsphere.train.beginning import take_up
from voxsphere.train.guard import Guard
from voxsphere.train.journal import Journal
from voxsphere.train.lock import only_here
from voxsphere.train.loop import Step, steps
from voxsphere.train.numbers import check_finite
from voxsphere.train.recipe import Recipe
from voxsphere.train.run_folder import check, set_aside
from voxsphere.train.schedule import Progress
from voxsphere.train.signals import Wish
from voxsphere.train.weights import CLASSES, Weights


@dataclass(frozen=True)
class Glance:
    """Where a run stands, for whoever watches it."""

    step: int
    steps: int
    epoch: int
    losses: dict[str, float]
    learning_rate: float
    margin: float | None
    utterances_per_second: float  # of examples: crops or windows
    waiting: float  # the share of the time that was spent waiting for batches
    seconds_left: float
    figures: dict[str, float]


@dataclass(frozen=True)
class Outcome:
    """How a run ended: `finished`, or stopped on request after `step` steps and to be gone on with."""

    folder: Path
    finished: bool
    step: int
    steps: int
    resumed_at: int
    broken: dict[str, str]


def train(
    recipe: Recipe,
    folder: str | Path,
    *,
    workers: int | None = None,
    cpu: bool = False,
    save_seconds: float = 300.0,
    save_steps: int | None = None,
    watch: Callable[[Glance], None] = lambda glance: None,
    told: Callable[[str], None] = lambda line: None,
) -> Outcome:
    """Train `recipe` in the run folder, from its newest whole checkpoint if it has one.

    The folder holds `recipe.json`, `data.json`, `logbook.jsonl`, `checkpoints/`, `weights/`, `classes/`
    (the head's) and `board/`
    (TensorBoard); `finish` makes `model/` and `report.html` of them. SIGTERM or Ctrl-C finishes the step and saves;
    whatever happens, at most the steps since the last save are lost (`save_seconds`, or every `save_steps`, and each
    epoch's end). Under `torchrun` or `accelerate launch` every process calls this. `watch` is given a glance at every
    logged step, `told` what a person should know. Raises `BadInput` where the folder belongs to another recipe or
    other data, and where the run cannot go on (too many broken files, a loss that is no number, a full disk).
    """
    folder = Path(folder)
    recipe.check()
    accelerator = accelerator_of(recipe, cpu=cpu)
    if accelerator.device.type == "cpu":
        keep_freed_memory()
    with only_here(folder) if accelerator.is_main_process else nullcontext():
        if accelerator.is_main_process:
            check(folder, recipe)
        accelerator.wait_for_everyone()
        return _train(
            _Run(recipe, folder, recipe.data(), accelerator, workers=_workers(workers), watch=watch, told=told),
            save_seconds,
            save_steps,
        )


def _train(run: "_Run", save_seconds: float, save_steps: int | None) -> Outcome:
    resumed_at = run.resume()
    with closing(run), Wish(run.accelerator.num_processes) as wish, killed_workers_told():
        saved = time.monotonic()
        for step in run.steps():
            run.note(step)
            late = run.done % save_steps == 0 if save_steps else time.monotonic() - saved > save_seconds
            stopping, due = wish.agreed(late)  # clocks differ between processes
            ended = run.end_of_epoch()
            if due or ended or stopping:
                run.save()
                saved = time.monotonic()
            if stopping or run.over:
                break
        run.accelerator.wait_for_everyone()
    return Outcome(run.folder, run.over, run.done, run.total, resumed_at, run.journal.broken)


class _Run:
    """A run in progress: what is trained, and what is known of it so far."""

    def __init__(
        self,
        recipe: Recipe,
        folder: Path,
        data: TrainingSet,
        accelerator: Accelerator,
        *,
        workers: int,
        watch: Callable[[Glance], None],
        told: Callable[[str], None],
    ) -> None:
        self.recipe, self.folder, self.data, self.accelerator = recipe, folder, data, accelerator
        self.workers, self.watch, self.told = workers, watch, told
        if data.stamp:
            told(data.stamp)
        self.validation = recipe.validation()
        self.stopping = recipe.stopping() if recipe.stopping is not None else None
        made = assemble(recipe, data, accelerator)
        self.items, self.plan, self.share = made.items, made.plan, made.share
        self.learning_rate, self.margin, self.dropout = made.learning_rate, made.margin, made.dropout
        if recipe.compile:
            told("the network is compiled in the first step, which takes minutes on a CPU")
            made.objective.compile()
        self.ema = recipe.ema() if recipe.ema is not None else None
        self.objective, self.optimizer = accelerator.prepare(made.objective, made.optimizer)
        self.bare = accelerator.unwrap_model(self.objective)
        self.weights, self.classes = (
            Weights(folder / name, keep=recipe.keep, count=recipe.average) for name in ("weights", CLASSES)
        )
        self.total = recipe.epochs * self.plan.steps_per_epoch
        self.done = 0
        books = partial(Journal, folder, accelerator, guard=Guard.of(self.bare), told=told)
        self.journal = books(files=len({u.path for u in data.train}), max_broken=recipe.max_broken)

    @property
    def over(self) -> bool:
        """Whether there is nothing left to do."""
        return self.done >= self.total or (self.stopping is not None and self.stopping(self._progress(0)))

    def steps(self) -> Any:
        """The updates still to be made."""
        if self.over:
            return iter(())
        pin = self.accelerator.device.type == "cuda"
        batches = load(self.items, self.plan, first=self.done, share=self.share, workers=self.workers, pin=pin)
        recipe = self.recipe
        start = self.done
        return steps(
            self.objective,
            self.optimizer,
            batches,
            self.accelerator,
            progress=lambda made: self._progress(start + made - self.done),
            learning_rate=self.learning_rate,
            margin=self.margin,
            dropout=self.dropout,
            clip=recipe.clip,
            pieces=recipe.accumulate,
            ema=self.ema,
            seed=recipe.seed,
        )

    def _progress(self, ahead: int) -> Progress:
        figures = [self.validation.value(figures) for figures in self.journal.figures]
        return Progress(
            self.done + ahead,
            self.total,
            self.plan.steps_per_epoch,
            tuple(figures),
            tuple(self.journal.figure_steps),
        )

    def note(self, step: Step) -> None:
        """Take a finished update into the books."""
        self.done = step.number + 1
        self.journal.add(step, utterances=self.recipe.batch_size)
        if self.done % self.recipe.log_every == 0 or self.done % self.plan.steps_per_epoch == 0:
            epoch = step.number // self.plan.steps_per_epoch + 1
            losses, speed, waiting = self.journal.log(step, epoch=epoch)
            self.watch(
                Glance(
                    step=self.done,
                    steps=self.total,
                    epoch=epoch,
                    losses=losses,
                    learning_rate=step.learning_rate,
                    margin=step.margin,
                    utterances_per_second=speed,
                    waiting=waiting,
                    seconds_left=(self.total - self.done) * self.recipe.batch_size / max(speed, 1e-9),
                    figures=self.journal.figures[-1] if self.journal.figures else {},
                )
            )

    def end_of_epoch(self) -> bool:
        """At an epoch's end: validate, and keep the weights if they may be wanted; says whether it was one."""
        if self.done % self.plan.steps_per_epoch:
            return False
        self._check_weights()
        epoch = self.done // self.plan.steps_per_epoch
        judged = epoch % self.validation.every == 0 or self.done == self.total
        with nullcontext() if self.ema is None else self.ema.applied(self.bare):
            if judged:
                failed = partial(self.journal.fail, remedy="the run is judged without it")
                found, distances = self.validation.measure(
                    self.bare, self.data, self.accelerator, self.done, failed=failed
                )
                self.journal.judge(self.done, epoch, found, distances)
            if self.accelerator.is_main_process:
                values = [self.validation.value(figures) for figures in self.journal.figures]
                best = judged and values[-1] == min(values)
                self.weights.save(epoch, self.bare.model.state_dict(), best=best)
                if (head := getattr(self.bare, "head", None)) is not None:
                    self.classes.save(epoch, head.state_dict(), best=best)
        if self.over:
            self.journal.end(self.done, epoch)
        return True

    def _check_weights(self) -> None:
        # The loss of the last step was that of the weights before it.
        check_finite(self.bare.state_dict().values(), "one of the weights", self.done)

    def save(self) -> None:
        """Write a checkpoint; one process does it."""
        self._check_weights()
        self.journal.gather_broken()
        if not self.accelerator.is_main_process:
            return
        scaler = self.accelerator.scaler
        state = {
            "step": self.done,
            "world": self.accelerator.num_processes,
            "objective": self.bare.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scaler": None if scaler is None else scaler.state_dict(),
            "ema": None if self.ema is None else self.ema.state_dict(),
            "journal": self.journal.state_dict(),
        }
        checkpoint.save(self.folder / "checkpoints", self.done, state)
        self.weights.prune()
        self.classes.prune()

    def resume(self) -> int:
        """Take up the newest whole checkpoint, if there is one; the step at which the run goes on."""
        first = self.accelerator.is_main_process
        found = take_up(self.recipe, self.folder, self.bare, self.data) if first else (None, None)
        # Other machines may have no such folder: all go on from what the first process found.
        data = (self.data.fingerprint, len(self.data.train))
        (state, begun), first_data = broadcast_object_list([found, data])
        if data != first_data:
            raise BadInput(
                f"this process learns from other data than the first one ({data[1]} utterances, the first has "
                f"{first_data[1]}, or other labels); give every machine the same manifest"
            )
        if state is None and self.accelerator.is_main_process and (aside := set_aside(self.folder)):
            self.told(f"no checkpoint can be used: the run begins anew; what it had is in {aside}")
        if state is not None:
            self.bare.load_state_dict(state["objective"])
            self.optimizer.load_state_dict(state["optimizer"])
            if state["scaler"] is not None and self.accelerator.scaler is not None:
                self.accelerator.scaler.load_state_dict(state["scaler"])
            if self.ema is not None:
                self.ema.load_state_dict(state["ema"])
            self.done = state["step"]
            if state["world"] != self.accelerator.num_processes:
                self.told(
                    f"the run was begun by {state['world']} processes and goes on with "
                    f"{self.accelerator.num_processes}: it will learn as well, but not be the same to the bit"
                )
        else:
            if begun is not None:
                self.bare.load_state_dict(begun)
            if self.ema is not None:
                self.ema.update(self.bare)
        if self.accelerator.is_main_process:
            for kept in (self.weights, self.classes):
                kept.forget_after(self.done // self.plan.steps_per_epoch)
        self.journal.open(None if state is None else state["journal"], self.done)
        return self.done

    def close(self) -> None:
        """Close the books."""
        self.journal.close()


def _workers(asked: int | None) -> int:
    if asked is not None:
        return asked
    # A CPU that trains has no core to spare for each process; one that feeds a GPU has.
    return min(16 if torch.cuda.is_available() else 2, cores() - 1)
