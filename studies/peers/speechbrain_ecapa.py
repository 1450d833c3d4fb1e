"""SpeechBrain's ECAPA-TDNN (1.1.2) learns from the files of small_corpus, in as many steps; then it embeds.

    PEERS/venv/bin/python -m studies.peers.speechbrain_ecapa train RUN LEARNT.tsv            # three hours; resumes
    PEERS/venv/bin/python -m studies.peers.speechbrain_ecapa embed RUN TESTED.tsv EMBEDDINGS.npz

LEARNT.tsv has the columns path and speaker, TESTED.tsv id and path: `python -m studies.small_corpus lists` writes both.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import speechbrain as sb
import torch
from speechbrain.dataio import audio_io
from speechbrain.utils.checkpoints import Checkpointer
from speechbrain.utils.epoch_loop import EpochCounter

from studies.peers.inputs import table
from studies.peers.speechbrain_recipe import Speakers, begin, dataset, front_end, modules, network, optimiser, settings

SEED = 0


class Kept(Speakers):
    """The loop, which can be gone on with."""

    def on_fit_start(self) -> None:
        """Crops come from the global generators, which no checkpoint holds: a resumed run draws anew."""
        super().on_fit_start()
        sb.utils.seed_everything(SEED + self.optimizer_step)

    def on_stage_end(self, stage: Any, stage_loss: float, epoch: int | None = None) -> None:
        """Only the newest checkpoint is kept."""
        self.checkpointer.save_and_keep_only(num_to_keep=1)


def train(run: Path, files: Path, *, steps: int, batch: int, seconds: float) -> None:
    """Train, or go on; the learning rate climbs in the first half of the steps and falls in the second."""
    data, classes = dataset(files, seconds)
    parts, told, epochs = modules("ecapa512", classes), settings(None, half_cycle=steps / 2), EpochCounter(10**6)
    kept = {name: parts[name] for name in ("embedding_model", "classifier")}
    saver = Checkpointer(run / "save", kept | {"epochs": epochs, "rate": told["rate"]})
    options = {"device": "cpu", "optimizer_step_limit": steps, "ckpt_interval_minutes": 5}
    loader = {"batch_size": batch, "shuffle": True, "drop_last": True}
    Kept(parts, optimiser, told, options, saver).fit(epochs, data, train_loader_kwargs=loader)


def embed(run: Path, manifest: Path, out: Path) -> None:
    """Every file whole and by itself, so that nothing is padded; ids and vectors go into a NumPy archive."""
    parts, model = front_end(), network().eval()
    if Checkpointer(run / "save", {"embedding_model": model}).recover_if_possible() is None:
        raise SystemExit(f"{run}: nothing is trained there yet")
    rows, vectors, whole = table(manifest), [], torch.ones(1)
    with torch.no_grad():
        for row in rows:
            wave = audio_io.load(str(manifest.parent / row["path"]))[0]
            features = parts["mean_var_norm"].eval()(parts["compute_features"](wave), whole)
            vectors.append(model(features, whole).flatten().numpy())
    np.savez(out, ids=np.array([row["id"] for row in rows]), vectors=np.stack(vectors).astype(np.float32))


def main() -> None:
    """One of the two commands."""
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(dest="command", required=True)
    one, other = commands.add_parser("train"), commands.add_parser("embed")
    for command in (one, other):
        command.add_argument("run", type=Path)
        command.add_argument("files", type=Path)
        command.add_argument("--threads", type=int, default=1)
    one.add_argument("--steps", type=int, default=1392)
    one.add_argument("--batch", type=int, default=32)
    one.add_argument("--seconds", type=float, default=2.0)
    other.add_argument("out", type=Path)
    asked = parser.parse_args()
    begin(SEED, asked.threads)
    if asked.command == "train":
        train(asked.run, asked.files, steps=asked.steps, batch=asked.batch, seconds=asked.seconds)
    else:
        embed(asked.run, asked.files, asked.out)


if __name__ == "__main__":
    main()
