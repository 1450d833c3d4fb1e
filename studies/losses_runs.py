"""Runs of the study of losses: one recipe for all of them, each run trained, scored and kept."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float64

from studies.losses_catalogue import Row
from studies.losses_store import slug
from studies.pieces import corpus, packed
from voxsphere.audio.features import Fbank
from voxsphere.audio.stacking import Stacked
from voxsphere.audio.wave import read
from voxsphere.backend.cosine import cosine
from voxsphere.core.errors import BadInput
from voxsphere.core.files import cache_folder
from voxsphere.core.manifest import Manifest
from voxsphere.core.trials import Trials
from voxsphere.data.examples import Crops
from voxsphere.data.samplers import SpeakersByUtterances
from voxsphere.data.synthetic_set import synthetic_set
from voxsphere.data.training_set import TrainingSet, training_set
from voxsphere.models.encoders.ecapa_tdnn import EcapaTdnn
from voxsphere.models.poolings.statistics import StatsPooling
from voxsphere.models.projection import NormLinearNorm
from voxsphere.models.speaker import SpeakerModel
from voxsphere.train.logbook import read_logbook
from voxsphere.train.recipe import Recipe
from voxsphere.train.run import Glance, train
from voxsphere.train.schedule import Cosine
from voxsphere.train.validation import Verification
from voxsphere.train.weights import Weights

EPOCHS, PILOT_EPOCHS = 8, 3
SPEAKERS, UTTERANCES, SECONDS = 32, 2, 1.5
RATES = (1e-3, 3e-3)
SEEDS, PILOT_SEED = (0, 1, 2), 3
HEARD = 6.0
"""Seconds from the beginning of a held-out utterance that are embedded."""


@dataclass(frozen=True)
class Study:
    """How much is done, and where runs and outputs lie. A smoke is seconds long, of synthetic voices."""

    runs: Path
    out: Path
    smoke: bool = False

    @staticmethod
    def of(place: Path | None, *, smoke: bool) -> "Study":
        """The study in its usual places, or all of it in a folder."""
        usual = cache_folder() / "studies" / "losses", Path("studies/outputs/losses")
        return Study(*((place / "runs", place) if place else usual), smoke)

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds of the runs that count."""
        return SEEDS[:1] if self.smoke else SEEDS

    @property
    def rates(self) -> tuple[float, ...]:
        """The learning rates that the pilot chooses from."""
        return RATES[-1:] if self.smoke else RATES

    def recipe(self, row: Row, *, seed: int, rate: float, pilot: bool = False) -> Recipe:
        """One run's recipe: nothing but objective, its margin's schedule, learning rate and seed differs."""
        epochs = PILOT_EPOCHS if pilot else EPOCHS
        whole = Recipe(
            name=f"losses-{slug(row.name)}",
            data=self._data(seed=1 if pilot else 0),
            model=self.model,
            objective=row.objective,
            margin=row.margin,
            examples=partial(Crops, length=SECONDS),
            sampler=partial(SpeakersByUtterances, utterances=UTTERANCES),
            learning_rate=partial(Cosine, peak=rate, final=1e-5, warmup_epochs=1),
            batch_size=SPEAKERS * UTTERANCES,
            epochs=epochs,
            clip=5.0,
            # Of a run that counts all held-out speech is scored afterwards; this is a sign of life.
            validation=partial(Verification, every=epochs, seconds=HEARD if pilot else 1.0),
            seed=seed,
        )
        return replace(whole, batch_size=8, epochs=2, examples=partial(Crops, length=0.5)) if self.smoke else whole

    @property
    def model(self) -> partial[SpeakerModel]:
        """The network that every loss trains."""
        narrow = partial(EcapaTdnn, width=16, last=32, squeeze=8)
        usual = partial(EcapaTdnn, width=128, last=384, squeeze=32)
        return partial(
            SpeakerModel,
            features=partial(Stacked, of=partial(Fbank, num_mels=40, cmn=True), count=2),
            encoder=narrow if self.smoke else usual,
            pooling=StatsPooling,
            projection=partial(NormLinearNorm, dim=16 if self.smoke else 128),
        )

    def _data(self, *, seed: int) -> Callable[[], TrainingSet]:
        if self.smoke:
            return partial(synthetic_set, speakers=20, test_speakers=0, utterances=6, held_out=6, targets=60, seed=seed)
        return partial(
            training_set,
            manifest=str(packed()),
            split_table=str(corpus() / "split.tsv"),
            split="train",
            min_utterances=UTTERANCES,
            held_out=0.1,
            targets=1000,
            seed=seed,
        )

    @cached_property
    def held_out(self) -> TrainingSet:
        """What the runs that count learn from and are judged by."""
        return self._data(seed=0)()

    def folder(self, row: Row, seed: int) -> Path:
        """The run folder of a run that counts."""
        return self.runs / f"{slug(row.name)}-seed{seed}"


def pilot(study: Study, row: Row, rate: float) -> dict[str, Any]:
    """The EER of a short run at this rate, on another draw of held-out speakers; why it broke off where it did."""
    recipe = study.recipe(row, seed=PILOT_SEED, rate=rate, pilot=True)
    folder = study.runs / f"{slug(row.name)}-rate{rate:g}"
    try:
        train(recipe, folder, workers=0, cpu=True)
    except BadInput as error:
        return {"eer": None, "failed": str(error)}
    last = [line for line in read_logbook(folder / "logbook.jsonl") if line["kind"] == "validation"][-1]
    return {"eer": last["eer"]}


def trained(study: Study, row: Row, seed: int, rate: float) -> dict[str, Any]:
    """One run that counts: trained, and every held-out trial scored. Its cost is this process's CPU time."""
    recipe, told = study.recipe(row, seed=seed, rate=rate), _Clock()
    try:
        train(recipe, study.folder(row, seed), workers=0, cpu=True, watch=told)
    except BadInput as error:
        return {"failed": str(error), "recipe": recipe.hash}
    lines = [line for line in read_logbook(study.folder(row, seed) / "logbook.jsonl") if line["kind"] == "steps"]
    data = study.held_out
    return {
        "recipe": recipe.hash,
        "steps": lines[-1]["step"],
        "seconds_per_step": told.seconds_per_step,
        "loss": lines[-1]["loss"],
        "scores": score(model_of(study, row, seed), data.held_out, data.trials),
    }


class _Clock:
    """CPU seconds a step, between the first and the last that are logged: a busy neighbour does not count."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, float]] = []

    def __call__(self, glance: Glance) -> None:
        self.seen.append((glance.step, time.process_time()))

    @property
    def seconds_per_step(self) -> float | None:
        """None where fewer than two were logged, as in a run that was finished before."""
        if len(self.seen) < 2:
            return None
        (first, begun), (last, ended) = self.seen[0], self.seen[-1]
        return (ended - begun) / (last - first)


def model_of(study: Study, row: Row, seed: int) -> SpeakerModel:
    """The network as this run left it."""
    model = study.model()
    model.load_state_dict(Weights(study.folder(row, seed) / "weights", keep="last", count=1).model())
    return model.eval()


def score(model: SpeakerModel, tested: Manifest, trials: Trials) -> Float64[np.ndarray, " trials"]:
    """The cosine of each trial to four places, which is all that is kept."""
    return np.round(judged(model.embed, tested, trials), 4)


def judged(
    embed: Callable[[list[np.ndarray]], np.ndarray], tested: Manifest, trials: Trials
) -> Float64[np.ndarray, " trials"]:
    """The cosine of each trial's embeddings, of the first `HEARD` seconds of each utterance."""
    rows = {utterance.id: row for row, utterance in enumerate(tested)}
    vectors = np.concatenate(
        [
            embed([read(u.path, rate=16000, duration=HEARD) for u in tested.utterances[first : first + 64]])
            for first in range(0, len(tested), 64)
        ]
    )
    place = np.array([rows[name] for name in trials.ids])
    return cosine(vectors, place[trials.enrol], place[trials.test])


def floor(study: Study) -> dict[str, Float64[np.ndarray, " trials"]]:
    """What is to be beaten: the untrained network, and the mean and spread of 80 log mel bands less the train mean."""
    torch.manual_seed(study.seeds[0])
    features, data = Fbank(), study.held_out

    def described(waves: list[np.ndarray]) -> np.ndarray:
        bands = (features(torch.from_numpy(wave)[None])[0] for wave in waves)
        return np.stack([torch.cat([band.mean(0), band.std(0)]).numpy() for band in bands])

    centre = described([read(u.path, rate=16000, duration=HEARD) for u in data.train.utterances[::10]]).mean(0)
    untrained = study.model().eval()
    return {
        "untrained": score(untrained, data.held_out, data.trials),
        "mean and std": np.round(judged(lambda waves: described(waves) - centre, data.held_out, data.trials), 4),
    }


def tested(study: Study, row: Row, lists: dict[str, Path], seed: int) -> dict[str, Float64[np.ndarray, " trials"]]:
    """The scores of trial lists by one trained network; each utterance is embedded once."""
    loaded = {key: Trials.load(path) for key, path in lists.items()}
    asked = {name for trials in loaded.values() for name in trials.ids}
    heard = Manifest(tuple(u for u in Manifest.load(packed()) if u.id in asked))
    pairs = [(t.ids[a], t.ids[b]) for t in loaded.values() for a, b in zip(t.enrol, t.test, strict=True)]
    values = score(model_of(study, row, seed), heard, Trials.from_pairs(*zip(*pairs, strict=True)))
    ends = np.cumsum([len(trials) for trials in loaded.values()])[:-1]
    return dict(zip(loaded, np.split(values, ends), strict=True))
