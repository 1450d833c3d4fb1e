"""Our training loop, timed as the peers' are: utterances a second over so many steps on a list of files.

    python -m studies.throughput LIST.tsv --net ecapa512 --batch 32 --seconds 2.0 --steps 30 --warmup 4 --workers 1 \
        --threads 2 --augment standard --precision fp32

LIST.tsv has the columns path and speaker. `standard` is WeSpeaker's augmentation (recipes/augmentation.py) on the
development corpus' noise and rooms, with the three speeds as three speakers. Prints one JSON line; nothing is saved.
SpeechBrain's and WeSpeaker's own loops, and all three in interleaved rounds on the same list, batch, crops, workers and
threads, are run by studies/peers; its `__init__.py` has the commands, versions and all.
"""

import json
import statistics
import time
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from typing import Annotated, Literal

import torch
import typer
from accelerate import Accelerator
from torch.profiler import ProfilerActivity, profile

from voxsphere.audio.features import Fbank
from voxsphere.core.memory import keep_freed_memory
from voxsphere.data.loader import Share, load
from voxsphere.data.training_set import training_set
from voxsphere.models.encoders.ecapa_tdnn import EcapaTdnn
from voxsphere.models.encoders.resnet import ResNet
from voxsphere.models.poolings.attentive import AttentiveStatsPooling
from voxsphere.models.poolings.statistics import StatsPooling
from voxsphere.models.projection import Affine, NormLinearNorm
from voxsphere.models.speaker import SpeakerModel
from voxsphere.recipes.augmentation import development_noise
from voxsphere.recipes.small_corpus import small_corpus
from voxsphere.train.feed import feed
from voxsphere.train.loop import steps
from voxsphere.train.parameters import parameter_groups
from voxsphere.train.recipe import Recipe
from voxsphere.train.schedule import Progress

_FBANK = partial(Fbank, num_mels=80, cmn=True)
NETS = {
    "ecapa512": partial(
        SpeakerModel,
        features=_FBANK,
        encoder=partial(EcapaTdnn, width=512, squeeze=128),
        pooling=partial(AttentiveStatsPooling, context=True),
        projection=partial(NormLinearNorm, dim=192),
    ),
    "resnet34": partial(
        SpeakerModel,
        features=_FBANK,
        encoder=partial(ResNet, depth=34),
        pooling=StatsPooling,
        projection=partial(Affine, dim=256),
    ),
}


def run(
    files: str,
    net: str = "ecapa512",
    batch: int = 32,
    seconds: float = 2.0,
    steps_: Annotated[int, typer.Option("--steps")] = 20,
    warmup: int = 4,
    workers: int = 0,
    threads: int = 1,
    augment: str = "none",
    precision: Literal["fp32", "bf16"] = "fp32",
    compile_: Annotated[bool, typer.Option("--compile")] = False,
    keep: Annotated[
        bool, typer.Option("--keep/--give-back", help="Freed memory, as `train` does or as by default.")
    ] = True,
    profiled: Annotated[
        bool, typer.Option("--profile", help="Also the operators' shares of the time; timing slows the steps down.")
    ] = False,
) -> None:
    """Time one setting."""
    torch.set_num_threads(threads)
    if keep:
        keep_freed_memory()
    recipe = _recipe(files, net, batch, seconds, augment, precision)
    accelerator = Accelerator(cpu=True, mixed_precision="no" if precision == "fp32" else precision)
    data = recipe.data()
    model = recipe.model()
    objective = recipe.objective(model=model, num_speakers=len(data.train.speakers))
    if compile_:
        objective.compile()
    items, plan = feed(recipe, data, model)
    objective, optimizer = accelerator.prepare(objective, recipe.optimizer(parameter_groups(objective)))
    made = steps(
        objective,
        optimizer,
        load(items, plan, first=0, share=Share(), workers=workers),
        accelerator,
        progress=lambda n: Progress(n, 10_000, 100),
        learning_rate=recipe.learning_rate(),
        clip=recipe.clip,
    )
    for _ in range(warmup):
        next(made)
    times, waits = [], []
    with profile(activities=[ProfilerActivity.CPU]) if profiled else nullcontext() as profiler:
        for _ in range(steps_):
            begun = time.perf_counter()
            step = next(made)
            times.append(time.perf_counter() - begun)
            waits.append(step.waited)
    rate = batch * len(times) / sum(times)
    told = {"utterances_per_second": rate, "rows_per_second": rate, "loader_share": sum(waits) / sum(times)}
    told |= {"step_ms_median": 1000 * statistics.median(times), "net": net, "augment": augment}
    print(json.dumps(told if profiler is None else told | {"shares": _shares(profiler)}))


def _shares(profiler: profile, *, most: int = 8) -> dict[str, float]:
    """The share of the time that each of the slowest operators took by itself."""
    events = sorted(profiler.key_averages(), key=lambda event: -event.self_cpu_time_total)
    whole = sum(event.self_cpu_time_total for event in events)
    return {event.key: round(event.self_cpu_time_total / whole, 3) for event in events[:most]}


def _recipe(
    files: str, net: str, batch: int, seconds: float, augment: str, precision: Literal["fp32", "bf16"]
) -> Recipe:
    standard = augment == "standard"
    recipe = small_corpus().with_options(f"examples.length={seconds}", f"batch_size={batch}")
    return replace(
        recipe,
        model=NETS[net],
        compute=precision,
        augment=development_noise() if standard else (),
        data=partial(training_set, manifest=files, held_out=2, targets=2, speeds=(0.9, 1.1) if standard else ()),
    )


if __name__ == "__main__":
    typer.run(run)
