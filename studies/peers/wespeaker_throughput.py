"""WeSpeaker's own training loop (dataset, processors, `run_epoch` of commit dfa7419), timed over so many steps; JSON.

    PEERS/venv/bin/python -m studies.peers.wespeaker_throughput PEERS --net ecapa512 --augment standard --steps 12

`python -m studies.peers.rounds` runs it in all its settings. The clone stays as it is; what keeps it from running on a
CPU beside today's torchaudio is mended in memory, each place by a comment.
"""

import json
import logging
import random
import sys
import tempfile
import warnings
from argparse import Namespace
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import soxr
import torch
import torchaudio
import yaml

from studies.peers.clock import SEED, Clock, arguments
from studies.peers.inputs import table


def _speed(wave: torch.Tensor, rate: int, effects: list[list[str]]) -> tuple[torch.Tensor, int]:
    """sox's `speed` and `rate` by its own resampler."""
    return torch.from_numpy(soxr.resample(wave[0].numpy(), rate * float(effects[0][1]), rate))[None], rate


def mend(clone: Path) -> None:
    """What is to be done before WeSpeaker's modules are imported."""
    # Its packages' own imports want s3prl, whisper and more, and torchnet wants visdom: none is used here.
    for name in ("wespeaker", "wespeaker.models"):
        package = ModuleType(name)
        package.__path__ = [str(clone.joinpath(*name.split(".")))]
        sys.modules[name] = package
    sys.modules["visdom"] = ModuleType("visdom")
    # torchaudio 2.11 has no sox effects.
    torchaudio.sox_effects = SimpleNamespace(apply_effects_tensor=_speed)
    # `run_epoch` names CUDA's autocast, which does nothing on a CPU.
    torch.cuda.amp.autocast = partial(torch.autocast, "cpu", dtype=torch.bfloat16)  # type: ignore[assignment, misc]


def loader(setting: Namespace, told: dict[str, Any], rows: list[dict[str, str]], speakers: dict[str, int]) -> Any:
    """WeSpeaker's data set of these files, in batches."""
    from wespeaker.dataset.dataset import Dataset

    standard = setting.augment == "standard"
    told |= {"speed_perturb": standard, "aug_prob": 0.6 if standard else 0.0}
    told["num_frms"] = round((setting.seconds * 1000 - 25) / 10) + 1
    # A buffer of 2,500 is decoded in one burst before the first batch and would hide decoding from so short a run.
    told["shuffle_args"]["shuffle_size"] = 2 * setting.batch
    lines = [json.dumps({"key": str(i), "spk": row["speaker"], "wav": row["path"]}) for i, row in enumerate(rows)]
    sounds = {"reverb_lmdb_file": setting.peers / "rir.lmdb", "noise_lmdb_file": setting.peers / "noise.lmdb"}
    with tempfile.NamedTemporaryFile("w", suffix=".list") as listed:
        listed.write("\n".join(lines))
        listed.flush()
        data = Dataset("raw", listed.name, told, speakers, **{k: str(path) for k, path in sounds.items() if standard})
    data.set_epoch(1)
    ahead: dict[str, Any] = {"prefetch_factor": 8} if setting.workers else {}
    return torch.utils.data.DataLoader(data, setting.batch, num_workers=setting.workers, drop_last=True, **ahead)


def network(setting: Namespace, told: dict[str, Any], classes: int) -> tuple[Any, int]:
    """The network with its classifier as `run_epoch` wants them, and the network's number of parameters."""
    from wespeaker.models.ecapa_tdnn import ECAPA_TDNN_GLOB_c512
    from wespeaker.models.projections import get_projection
    from wespeaker.models.resnet import ResNet34

    model = (ResNet34 if setting.net == "resnet34" else ECAPA_TDNN_GLOB_c512)(**told["model_args"])
    parameters = sum(parameter.numel() for parameter in model.parameters())
    size = {"embed_dim": told["model_args"]["embed_dim"], "num_class": classes, "do_lm": False}
    model.projection = get_projection(told["projection_args"] | size)
    if setting.precision == "bf16":
        # The accuracy is counted in NumPy, which has no bfloat16.
        project = model.projection.forward
        model.projection.forward = lambda embeddings, targets: project(embeddings, targets).float()
    if setting.compile:
        model.forward = torch.compile(model.forward)
    # DistributedDataParallel asks for NCCL; without a GPU this one only adds `.module`.
    return torch.nn.DataParallel(model), parameters


class Told(torch.nn.CrossEntropyLoss):
    """The loss, noted by the clock."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock = clock

    def forward(self, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Cross-entropy."""
        loss = super().forward(logits, targets)
        self.clock.losses.append(loss.item())
        return loss


def main() -> None:
    """Time one setting."""
    setting = arguments(nets=("ecapa512", "resnet34"), augments=("none", "standard"))
    warnings.filterwarnings("ignore")
    clone = setting.peers / "wespeaker"
    mend(clone)
    from wespeaker.utils.executor import run_epoch
    from wespeaker.utils.schedulers import ExponentialDecrease, MarginScheduler

    torch.set_num_threads(setting.threads)
    for seed in (random.seed, np.random.seed, torch.manual_seed):
        seed(SEED)
    recipe = {"ecapa512": "ecapa_tdnn.yaml", "resnet34": "resnet.yaml"}[setting.net]
    told = yaml.safe_load((clone / "examples" / "voxceleb" / "v2" / "conf" / recipe).read_text())
    told["enable_amp"] = setting.precision == "bf16"
    rows = table(setting.peers / "train.tsv")
    speakers = {name: place for place, name in enumerate(sorted({row["speaker"] for row in rows}))}
    classes = len(speakers) * (3 if setting.augment == "standard" else 1)
    batches = loader(setting, told["dataset_args"], rows, speakers)
    model, parameters = network(setting, told, classes)
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1, **told["optimizer_args"])
    epoch = {"epoch_iter": len(rows) // setting.batch}
    scale = {"num_epochs": told["num_epochs"], "scale_ratio": setting.batch / 64}
    rate = ExponentialDecrease(optimiser, **told["scheduler_args"], **epoch, **scale)
    margin = MarginScheduler(model=model.module, **told["margin_update"], **epoch)
    clock = Clock(setting.warmup, setting.steps)
    timed: Iterator[Any] = clock.over(lambda: iter(batches))
    scaler = torch.amp.GradScaler("cpu", enabled=False)
    log, cpu = logging.getLogger("wespeaker"), torch.device("cpu")
    # One more step than there are batches: the loop is to end by the clock, which then notes the last step's end.
    most = setting.warmup + setting.steps + 1
    run_epoch(timed, most, model, Told(clock), optimiser, rate, margin, 1, log, scaler, device=cpu, configs=told)
    clock.report(
        setting,
        rows_per_file=1,
        peer="wespeaker",
        version="dfa7419",
        torch=torch.__version__,
        parameters=parameters,
        classes=classes,
        data="raw",
    )


if __name__ == "__main__":
    main()
