"""The recipe `small_corpus` on the development corpus: three seeds, and what they are to beat.

    python -m studies.small_corpus train 0        # and 1, and 2: an hour each on two cores; resumes by itself
    python -m studies.small_corpus lists          # for other systems: what it learns from, and what they are to embed
    python -m studies.small_corpus score          # once, when all three are trained
    python -m studies.small_corpus score --other speechbrain-ecapa512=EMBEDDINGS.npz
    python -m studies.small_corpus colour         # afterwards: how much of it is the microphone's colour

The corpus is packed into one HDF5 file first, so that Ogg Opus is decoded once. `score` embeds what the trial lists
name by each seed's model, by an untrained copy of its network, and by the mean and standard deviation of each
utterance's 80 log mel bands (less the mean over train speakers); it writes
`studies/outputs/scores/NAME/LIST.cosine.parquet` and `studies/outputs/small_corpus.json`, which holds the figures on
held-out train speakers and the paired comparisons. All choices were made on held-out train speakers; the trial lists
are scored once.
"""

import sys
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer

from studies.pieces import corpus
from voxsphere.audio.augment.equaliser import Equaliser
from voxsphere.audio.features import Fbank
from voxsphere.audio.wave import read, write
from voxsphere.core.embeddings import Embeddings
from voxsphere.core.files import cache_folder, write_json
from voxsphere.core.manifest import Manifest, Utterance
from voxsphere.core.random import stream
from voxsphere.core.scores import Scores
from voxsphere.core.trials import Trials
from voxsphere.data.pack import pack
from voxsphere.evaluate.comparison import compare
from voxsphere.evaluate.scoring import score as cosine_scores
from voxsphere.extract.corpus import extract
from voxsphere.pretrained import open_folder, save_folder
from voxsphere.recipes.small_corpus import small_corpus
from voxsphere.train.finish import finish
from voxsphere.train.logbook import read_logbook
from voxsphere.train.recipe import Recipe
from voxsphere.train.run import train as run

app = typer.Typer(add_completion=False)
Small = Annotated[bool, typer.Option("--small", help="Everything in seconds, on one data set: a rehearsal.")]
Other = Annotated[list[str] | None, typer.Option(help="NAME=EMBEDDINGS of another system.")]
Place = Annotated[Path | None, typer.Option(help="Where runs and outputs go; else the cache and studies/outputs.")]


@dataclass(frozen=True)
class Study:
    """How much is done, and where it lies."""

    runs: Path
    out: Path
    seeds: tuple[int, ...] = (0, 1, 2)
    lists: str = "trials_*.txt"
    settings: tuple[str, ...] = ()
    packed: bool = True

    def recipe(self, seed: int) -> Recipe:
        """The recipe as it is trained; the corpus is packed first, if it is not yet."""
        settings = [*self.settings, f"seed={seed}"]
        if self.packed:
            packed = self.runs / "corpus.h5"
            if not packed.with_suffix(".tsv").exists():
                pack(Manifest.load(corpus() / "manifest.tsv"), packed, form="hdf5")
            settings.append(f"data.manifest={packed.with_suffix('.tsv')}")
        return small_corpus().with_options(*settings)

    def run(self, seed: int) -> Path:
        """The run folder of a seed."""
        return self.runs / f"small_corpus-seed{seed}"

    @cached_property
    def trials(self) -> dict[str, Trials]:
        """The lists that are scored, by name."""
        return {path.stem.removeprefix("trials_"): Trials.load(path) for path in sorted(corpus().glob(self.lists))}

    def tested(self) -> Manifest:
        """The recordings that the lists name."""
        named = {name for trials in self.trials.values() for name in trials.ids}
        return Manifest(tuple(u for u in Manifest.load(corpus() / "manifest.tsv") if u.id in named))


def _study(small: bool, place: Path | None) -> Study:
    study = Study(place or cache_folder() / "studies", place or Path("studies/outputs"))
    if not small:
        return study
    narrow = ("model.encoder.width=16", "model.encoder.last=32", "model.encoder.squeeze=8", "model.projection.dim=16")
    short = ('data.datasets=["an4"]', "data.held_out=8", "examples.length=0.5", "epochs=2")
    return replace(study, seeds=(0,), lists="trials_an4.txt", settings=(*narrow, *short), packed=False)


@app.command()
def train(seed: int, small: Small = False, place: Place = None) -> None:
    """Train one seed, or go on with it."""
    study = _study(small, place)
    recipe, told = study.recipe(seed), partial(print, file=sys.stderr, flush=True)
    outcome = run(recipe, study.run(seed), watch=lambda glance: told(str(glance)), told=told)
    if outcome.finished:
        finish(recipe, study.run(seed))


@app.command()
def lists(small: Small = False, place: Place = None) -> None:
    """Write the manifests that other systems learn from and embed, among the runs; print their paths."""
    study = _study(small, place)
    unpacked = replace(study, packed=False).recipe(0)
    for name, manifest in {"learnt": unpacked.data().train, "tested": study.tested()}.items():
        manifest.save(study.runs / f"{name}.tsv")
        print(study.runs / f"{name}.tsv")


@app.command()
def score(other: Other = None, small: Small = False, place: Place = None) -> None:
    """Score every list by every system, and compare."""
    study = _study(small, place)
    manifest = study.tested()
    systems = _seeds(study, manifest)
    systems["small_corpus-untrained"] = _embedded(study, _untrained(study), manifest)
    systems |= {"mean-and-std": _statistics(study, manifest)} | _embeddings(other)
    scored = {name: _scored(study, name, embeddings) for name, embeddings in systems.items()}
    speaker_of = {u.id: f"{u.dataset}/{u.speaker}" for u in manifest}
    write_json(
        study.out / "small_corpus.json", {"held_out": _held_out(study), "compared": _compared(scored, speaker_of)}
    )


@app.command()
def colour(other: Other = None, small: Small = False, place: Place = None) -> None:
    """Score every list once more with each recording through an equaliser of its own, as by another microphone.

    The recordings, for other systems to embed, are named by coloured/manifest.tsv among the runs; its path is printed.
    """
    study = _study(small, place)
    manifest = _coloured(study.tested(), study.runs / "coloured")
    manifest.save(study.runs / "coloured" / "manifest.tsv")
    print(study.runs / "coloured" / "manifest.tsv")
    systems = _seeds(study, manifest, "-coloured") | {"mean-and-std": _statistics(study, manifest)} | _embeddings(other)
    for name, embeddings in systems.items():
        _scored(study, f"{name}-coloured", embeddings)


def _seeds(study: Study, manifest: Manifest, ending: str = "") -> dict[str, Embeddings]:
    return {
        f"small_corpus-seed{seed}": _embedded(study, study.run(seed) / "model", manifest, ending)
        for seed in study.seeds
    }


def _embeddings(named: list[str] | None) -> dict[str, Embeddings]:
    return {name: Embeddings.load(path) for name, _, path in (each.partition("=") for each in named or [])}


def _coloured(manifest: Manifest, folder: Path) -> Manifest:
    """The recordings with a gain of 6 dB standard deviation at each of nine frequencies, drawn by their ids."""
    equaliser, made = Equaliser(spread=(6.0, 6.0)), []
    for utterance in manifest:
        path = folder / f"{utterance.id}.wav"
        if not path.exists():
            wave = read(utterance.path, rate=16000)
            wave = equaliser.draw(stream("colour", utterance.id), len(wave), 16000)(wave, 16000)
            write(path, wave / max(1.0, float(np.abs(wave).max())), 16000)
        made.append(replace(utterance, path=str(path)))
    return Manifest(tuple(made))


def _scored(study: Study, name: str, embeddings: Embeddings) -> dict[str, Scores]:
    scored = {key: cosine_scores(trials, embeddings) for key, trials in study.trials.items()}
    for key, scores in scored.items():
        scores.save(study.out / "scores" / name / f"{key}.cosine.parquet")
    return scored


def _embedded(study: Study, model: Path, manifest: Manifest, ending: str = "") -> Embeddings:
    pretrained = open_folder(model)
    out = study.runs / f"{model.parent.name}-{pretrained.fingerprint}{ending}.safetensors"
    if not out.exists():
        extract(pretrained, manifest, out)
    return Embeddings.load(out)


def _untrained(study: Study) -> Path:
    """The network as the first seed's run began with it."""
    recipe = study.recipe(study.seeds[0])
    torch.manual_seed(recipe.seed)
    card = open_folder(study.run(recipe.seed) / "model").card
    return save_folder(recipe.model, recipe.model().state_dict(), card, study.runs / "small_corpus-untrained" / "model")


def _statistics(study: Study, manifest: Manifest) -> Embeddings:
    features = Fbank()

    def described(utterances: list[Utterance]) -> np.ndarray:
        bands = (features(torch.from_numpy(read(u.path, rate=16000))[None])[0] for u in utterances)
        return np.stack([torch.cat([band.mean(0), band.std(0)]).numpy() for band in bands])

    train = {u.id for u in study.recipe(0).data().train}
    whole = Manifest.load(corpus() / "manifest.tsv")
    centre = described([u for u in whole if u.id in train][::5]).mean(0)
    return Embeddings(manifest.ids, (described(list(manifest)) - centre).astype(np.float32), model="mean and std")


def _held_out(study: Study) -> dict[str, Any]:
    """The last validation of each seed, with the recipe's hash."""
    lines = {seed: read_logbook(study.run(seed) / "logbook.jsonl") for seed in study.seeds}
    return {
        "recipe": {str(seed): study.recipe(seed).hash for seed in study.seeds},
        "last": {
            str(seed): [line for line in told if line["kind"] == "validation"][-1] for seed, told in lines.items()
        },
    }


def _compared(scored: dict[str, dict[str, Scores]], speaker_of: dict[str, str]) -> list[dict[str, Any]]:
    ours = [name for name in scored if name.startswith("small_corpus-seed")]
    others = [name for name in scored if name not in ours]
    return [
        {
            "list": key,
            "ours": mine,
            "other": other,
            **compare(scored[mine][key], scored[other][key], speaker_of=speaker_of).to_json(),
        }
        for mine in ours
        for other in others
        for key in scored[mine]
    ]


if __name__ == "__main__":
    app()
