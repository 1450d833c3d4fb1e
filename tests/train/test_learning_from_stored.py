"""Training on stored features: as on the waves they were made of, to the bit after a break; and what refuses them."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_recipe import recipe as tiny_recipe

from voxsphere.audio.augment.gain import Volume
from voxsphere.audio.augment.spec import SpecAugment
from voxsphere.audio.deltas import Deltas
from voxsphere.audio.features import Fbank
from voxsphere.audio.normalisation import SlidingNorm
from voxsphere.audio.stored import Stored
from voxsphere.audio.wave import read
from voxsphere.core.embeddings import Embeddings
from voxsphere.core.errors import BadInput
from voxsphere.core.manifest import Manifest, Utterance
from voxsphere.data.examples import Crops, Whole
from voxsphere.data.training_set import training_set
from voxsphere.extract.corpus import extract
from voxsphere.extract.voice import listen
from voxsphere.losses.margin import AamSoftmax
from voxsphere.pretrained import open_folder
from voxsphere.train.finish import finish
from voxsphere.train.logbook import read_logbook
from voxsphere.train.objectives import Distillation
from voxsphere.train.recipe import Recipe
from voxsphere.train.run import train
from voxsphere.train.start import Start
from voxsphere.verify import Vox

h5py = pytest.importorskip("h5py")
kaldiio = pytest.importorskip("kaldiio")

# Centred on multiples of the shift, so that n · 10 ms of wave make n frames.
FBANK = partial(Fbank, num_mels=12, snip_edges=False)
SECONDS = 0.6


@pytest.fixture(scope="module")
def sets(speakers, tmp_path_factory) -> dict[str, Path]:
    """The made-up speakers' first 0.6 s, as waves and as filter banks in three stores."""
    folder = tmp_path_factory.mktemp("sets")
    waves, matrices, lines = [], {}, {"utt2spk": [], "utt2num_frames": []}
    for path in sorted(speakers.glob("*/*.wav")):
        name, speaker = f"{path.parent.name}-{path.stem}", path.parent.name
        waves.append(Utterance(name, str(path), speaker, start=0.0, duration=SECONDS))
        wave = read(path, rate=16000, start=0.0, duration=SECONDS)
        matrices[name] = FBANK()(torch.from_numpy(wave)[None])[0].numpy()
        lines["utt2spk"].append(f"{name} {speaker}\n")
        lines["utt2num_frames"].append(f"{name} {len(matrices[name])}\n")
    Manifest(tuple(waves)).save(folder / "waves.tsv")
    with kaldiio.WriteHelper(f"ark,scp:{folder}/feats.ark,{folder}/feats.scp", compression_method=None) as out:
        for name, matrix in matrices.items():
            out(name, matrix)
    for name, content in lines.items():
        (folder / name).write_text("".join(content))
    with h5py.File(folder / "train.hdf", "w") as file:
        for name, matrix in matrices.items():
            file[f"{name.partition('-')[0]}/{name}"] = matrix.T[None]
    return {"waves": folder / "waves.tsv", "kaldi": folder, "hdf5": folder / "train.hdf"}


@pytest.fixture
def over(sets) -> Callable[..., Recipe]:
    """The tiny recipe over a front end and one of the sets, for two epochs."""

    def make(features: object, data: str, **options: object) -> Recipe:
        recipe = tiny_recipe()
        model = partial(recipe.model.func, **recipe.model.keywords | {"features": features})
        taught = partial(training_set, manifest=str(sets[data]), held_out=4, targets=20)
        return replace(recipe, **({"model": model, "data": taught, "epochs": 2, "average": 1} | options))

    return make


STORED = partial(Stored, dim=12)
WRAPPED = partial(SlidingNorm, of=partial(Deltas, of=STORED), window=20, min_window=5)


def losses(run: Path) -> list[float]:
    return [line["loss"] for line in read_logbook(run / "logbook.jsonl") if line["kind"] == "steps"]


def judged(run: Path) -> list[float]:
    return [line["eer"] for line in read_logbook(run / "logbook.jsonl") if line["kind"] == "validation"]


@pytest.mark.parametrize("data", ["kaldi", "hdf5"])
@pytest.mark.parametrize("examples", [Whole, partial(Crops, length=SECONDS)], ids=["whole", "crops"])
def test_it_loses_what_is_lost_on_the_waves_that_the_features_were_made_of(over, data, examples, tmp_path):
    runs = [over(FBANK, "waves", examples=examples), over(STORED, data, examples=examples)]
    if data == "kaldi":  # whose utterances are called as the waves are
        trials = tmp_path / "trials.txt"
        runs[0].data().trials.save(trials)
        runs = [replace(run, data=partial(run.data, trials=str(trials))) for run in runs]
    for name, recipe in zip(("waves", "stored"), runs, strict=True):
        train(recipe, tmp_path / name, workers=0)
    assert len(losses(tmp_path / "waves")) > 3
    np.testing.assert_allclose(losses(tmp_path / "stored"), losses(tmp_path / "waves"), rtol=1e-4)
    assert data != "kaldi" or judged(tmp_path / "stored") == judged(tmp_path / "waves")


class Broken(Exception):
    """What ends a run in the middle."""


def test_a_broken_run_goes_on_as_if_nothing_had_happened(over, tmp_path):
    recipe = over(WRAPPED, "kaldi", masks=partial(SpecAugment, time=(1, 10), freq=(1, 4)))

    def break_at_six(glance) -> None:
        if glance.step == 6:
            raise Broken

    train(recipe, tmp_path / "whole", workers=0)
    with pytest.raises(Broken):
        train(recipe, tmp_path / "broken", workers=0, save_steps=3, watch=break_at_six)
    assert train(recipe, tmp_path / "broken", workers=2, save_steps=3).resumed_at > 0
    made = [
        {path.name: path.read_bytes() for path in [run / "logbook.jsonl", *(run / "weights").iterdir()]}
        for run in (tmp_path / "whole", tmp_path / "broken")
    ]
    assert made[0] == made[1]


@pytest.fixture(scope="module")
def finished(sets, tmp_path_factory) -> Path:
    """A model folder over stored features with deltas and a sliding mean, its run beside it."""
    run = tmp_path_factory.mktemp("run")
    recipe = tiny_recipe()
    model = partial(recipe.model.func, **recipe.model.keywords | {"features": WRAPPED})
    data = partial(training_set, manifest=str(sets["kaldi"]), held_out=4, targets=20)
    recipe = replace(recipe, model=model, data=data, epochs=2, average=1)
    train(recipe, run, workers=0)
    return finish(recipe, run).model


@pytest.mark.parametrize("ending", [".safetensors", ".npz", ".h5", ".hdf", ".ark", ".scp"])
def test_extraction_embeds_a_list_of_features_into_every_form(finished, sets, ending, tmp_path, voxsphere):
    out = tmp_path / f"e{ending}"
    done = voxsphere("extract", sets["kaldi"] / "feats.scp", "--model", finished, "--out", out)
    assert done.status == 0, done.err
    made, model = Embeddings.load(out), open_folder(finished).model
    features = kaldiio.load_scp(str(sets["kaldi"] / "feats.scp"))
    assert made.ids == tuple(features)
    expected = model.embed([np.array(features[name]) for name in made.ids])
    np.testing.assert_allclose(made.vectors, expected, rtol=1e-4, atol=1e-5)
    if made.seconds is not None:
        np.testing.assert_allclose(made.seconds, SECONDS, atol=0.005)


def test_h5py_and_kaldiio_read_the_vectors(finished, sets, tmp_path):
    pretrained = open_folder(finished)
    manifest = training_set(manifest=str(sets["hdf5"]), held_out=4, targets=20).held_out
    for ending in (".hdf5", ".ark"):
        assert extract(pretrained, manifest, tmp_path / f"e{ending}").embeddings == len(manifest)
    told = dict(kaldiio.load_ark(str(tmp_path / "e.ark")))
    with h5py.File(tmp_path / "e.hdf5") as file:
        assert file["ids"].asstr()[:].tolist() == list(manifest.ids) == list(told)
        np.testing.assert_array_equal(file["vectors"][:], np.stack(list(told.values())))
        assert file["vectors"].attrs["model"] == pretrained.fingerprint


def test_verbs_that_hear_recordings_refuse_such_a_model_in_one_line(finished, speakers, tmp_path, voxsphere):
    a, b = str(speakers / "s00" / "0.wav"), str(speakers / "s00" / "1.wav")
    out = tmp_path / "e.npz"
    for verb in (("verify", a, b), ("embed", a, "--out", out), ("demo", "--out", out)):
        done = voxsphere(*verb, "--model", finished)
        assert (done.status, done.err.count("\n")) == (2, 1)
        assert "this model takes stored features (12 a frame), not recordings; use `voxsphere extract`" in done.err
    done = voxsphere("extract", speakers, "--model", finished, "--out", out)
    assert (done.status, done.err.count("\n")) == (2, 1)
    assert "not recordings; give feats.scp, or see `voxsphere models over-waves`" in done.err
    vox = Vox(open_folder(finished))
    for heard in (lambda: vox.embed(np.zeros(16000, np.float32)), lambda: listen(vox.pretrained, a)):
        with pytest.raises(BadInput, match="takes stored features"):
            heard()


def test_recordings_and_features_are_told_apart(finished, sets, over, tmp_path):
    done = extract(
        open_folder(finished), training_set(manifest=str(sets["waves"]), held_out=4).held_out, tmp_path / "e.npz"
    )
    assert done.embeddings == 0
    assert all(".wav: holds no features" in reason for _, reason in done.failures)
    with pytest.raises(BadInput, match=r"\.wav: holds no features.*\(the last of 10 files in a row"):
        train(over(STORED, "waves"), tmp_path / "one", workers=0)
    with pytest.raises(BadInput, match=r"feats\.ark:\d+: holds stored features, not sound; a model over the front end"):
        train(over(FBANK, "kaldi"), tmp_path / "other", workers=0)
    with pytest.raises(BadInput, match=r"feats\.ark:\d+: has 12 features a frame, the model takes 13"):
        train(over(partial(Stored, dim=13), "kaldi"), tmp_path / "wide", workers=0)


def test_what_can_only_be_done_to_waves_is_refused_before_the_first_step(over, sets, tiny_model, tmp_path):
    def told(**options: object) -> str:
        with pytest.raises(BadInput) as caught:
            train(replace(over(STORED, "kaldi"), **options), tmp_path, workers=0)
        return str(caught.value)

    assert "augment: stored features take no augmentation of waves" in told(augment=(Volume,))
    fast = partial(training_set, manifest=str(sets["kaldi"]), held_out=4, targets=20, speeds=(1.1,))
    assert "stored features cannot be played at speed 1.1; --set data.speeds=[]" in told(data=fast)
    taught = partial(Distillation, teacher=str(tiny_model), head=AamSoftmax)
    assert "takes waves, the student stored features of 12 a frame" in told(objective=taught)


def test_class_weights_begin_at_the_means_of_stored_features(over, finished, tmp_path):
    start = partial(Start, model=str(finished), head="means")
    train(over(WRAPPED, "kaldi", start=start, epochs=1), tmp_path, workers=0)
    assert np.isfinite(losses(tmp_path)).all()
