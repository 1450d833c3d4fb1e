"""SpeechBrain's own training loop (1.1.2), timed over so many steps; one JSON line.

    PEERS/venv/bin/python -m studies.peers.speechbrain_throughput PEERS --net ecapa512 --augment standard --steps 3

`python -m studies.peers.rounds` runs it in all its settings.
"""

from typing import Any

import speechbrain as sb
import torch

from studies.peers.clock import SEED, Clock, arguments
from studies.peers.speechbrain_recipe import Speakers, augmenter, begin, dataset, modules, optimiser, settings


class Timed(Speakers):
    """The loop, whose batches come by the clock."""

    clock: Clock

    def make_dataloader(self, *args: Any, **options: Any) -> Any:
        """SpeechBrain's loader; `fit` asks for the class, so that it is a class of the same that the clock reads."""
        loader, clock = super().make_dataloader(*args, **options), self.clock
        plain = type(loader)
        loader.__class__ = type(
            "TimedLoader", (plain,), {"__iter__": lambda me: clock.over(lambda: plain.__iter__(me))}
        )
        return loader

    def on_fit_batch_end(self, batch: Any, outputs: Any, loss: Any, should_step: bool) -> None:
        """The loss is noted."""
        self.clock.losses.append(float(loss))


def main() -> None:
    """Time one setting."""
    setting = arguments(nets=("ecapa512", "resnet34w32"), augments=("none", "standard", "single"))
    begin(SEED, setting.threads)
    data, classes = dataset(setting.peers / "train.tsv", setting.seconds)
    parts = modules(setting.net, classes)
    options = {"device": "cpu", "precision": setting.precision, "noprogressbar": True}
    if setting.compile:
        options |= {"compile": True, "compile_module_keys": ["embedding_model", "classifier"]}
    augment = augmenter(setting.augment, setting.peers, setting.workers)
    brain = Timed(parts, optimiser, settings(augment, half_cycle=65000), options)
    brain.clock = Clock(setting.warmup, setting.steps)
    loader = {"batch_size": setting.batch, "shuffle": True, "num_workers": setting.workers, "drop_last": True}
    brain.fit(range(1, 2), data, train_loader_kwargs=loader)
    brain.clock.report(
        setting,
        rows_per_file=5 if setting.augment == "standard" else 1,
        peer="speechbrain",
        version=sb.__version__,
        torch=torch.__version__,
        parameters=sum(parameter.numel() for parameter in parts["embedding_model"].parameters()),
        classes=classes,
    )


if __name__ == "__main__":
    main()
