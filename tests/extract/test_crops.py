"""Test-time crops: where pieces lie, that they are averaged as said, and that nothing but the id draws them."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch

from voxsphere.audio.features import Spectrogram
from voxsphere.audio.normalisation import UtteranceNorm
from voxsphere.audio.stored import Stored
from voxsphere.audio.wave import write
from voxsphere.core.embeddings import Embeddings
from voxsphere.core.errors import BadInput
from voxsphere.core.manifest import Manifest, Utterance
from voxsphere.core.random import stream
from voxsphere.extract.corpus import extract
from voxsphere.extract.crops import ByPieces, DrawnCrops, FixedChunks, crops_of
from voxsphere.models.encoders.resnet20 import ResNet20
from voxsphere.models.poolings.statistics import MeanPooling
from voxsphere.models.projection import DoubleRateAffine
from voxsphere.models.speaker import SpeakerModel
from voxsphere.pretrained import open_folder

RATE = 16000


def model_of(features=None, **options):
    torch.manual_seed(0)
    front = partial(UtteranceNorm, of=partial(Spectrogram), variance=True, eps=1e-12)
    made = SpeakerModel(
        features=features or front,
        encoder=partial(ResNet20, width=2, units=(1, 1)),
        pooling=MeanPooling,
        projection=partial(DoubleRateAffine, dim=6, dropout=0.5),
        **options,
    )
    return made.eval()


@pytest.fixture(scope="module")
def model():
    return model_of()


def one(name="u", **options):
    return Utterance(id=name, path=f"{name}.wav", speaker="s", **options)


RAMP = np.arange(40000, dtype=np.float32) / 65536


def places(pieces):
    """The samples of the ramp that the pieces are made of."""
    return [np.round(piece * 65536).astype(int) for piece in pieces]


def test_crops_begin_anywhere_go_on_from_the_beginning_and_half_of_them_go_backwards():
    made = places(crops_of(RAMP, stream("test"), count=800, samples=8000, rate=RATE))
    steps = np.array([np.median(np.diff(at)) for at in made])
    assert set(steps) == {1, -1}
    assert abs((steps == -1).mean() - 0.5) < 0.09  # five deviations
    forwards = [at if step == 1 else at[::-1] for at, step in zip(made, steps, strict=True)]
    for at in forwards:
        np.testing.assert_array_equal(at, (at[0] + np.arange(8000)) % 40000)
    starts = np.sort([at[0] for at in forwards]) / 40000
    assert np.abs(starts - np.linspace(0, 1, 800)).max() < 2.7 / np.sqrt(800)


def test_a_short_wave_is_repeated_as_often_as_it_takes():
    for at in places(crops_of(RAMP[:3000], stream("short"), count=9, samples=8000, rate=RATE)):
        forwards = at if at[1] - at[0] in (1, -2999) else at[::-1]
        np.testing.assert_array_equal(forwards, (forwards[0] + np.arange(8000)) % 3000)


def test_plain_crops_lie_within_the_wave_and_go_forwards(model):
    made = places(DrawnCrops(count=300, seconds=0.5, plain=True)(model, one(), RAMP))
    starts = np.array([at[0] for at in made])
    assert all((np.diff(at) == 1).all() for at in made)
    assert 0 <= starts.min() < 2000
    assert 30000 < starts.max() <= 32000
    np.testing.assert_array_equal(
        places(DrawnCrops(count=1, seconds=3.0, plain=True)(model, one(), RAMP))[0][40000:], range(8000)
    )


def test_crops_are_drawn_by_the_utterances_id_and_the_seed_alone(model):
    cut = DrawnCrops(count=3, seconds=0.5)
    first, again, other = (cut(model, one(name), RAMP) for name in ("a", "a", "b"))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    assert not np.array_equal(first, DrawnCrops(count=3, seconds=0.5, seed=1)(model, one("a"), RAMP))


def test_chunks_stand_side_by_side_and_the_last_is_aligned_to_the_end(model):
    cut = FixedChunks(seconds=0.5)
    assert [at[0] for at in places(cut(model, one(), RAMP))] == [0, 8000, 16000, 24000, 32000]
    assert [at[0] for at in places(cut(model, one(), RAMP[:20000]))] == [0, 8000, 12000]
    assert [at[0] for at in places(cut(model, one(), RAMP[:8000]))] == [0]
    short = places(cut(model, one(), RAMP[:3000]))
    np.testing.assert_array_equal(short, [np.arange(8000) % 3000])


@pytest.mark.parametrize("average", ["pooled", "embedding"])
def test_the_average_is_that_of_each_piece_by_itself(model, average):
    """The oracle: one crop at a time, in a plain sum, of whichever vector it is. The original lost the first crop."""
    wave = np.random.default_rng(0).normal(0, 0.1, 40000).astype(np.float32)
    cut = DrawnCrops(count=40, seconds=0.3)
    made = ByPieces(cut, average=average).embed(model, one(), wave)
    with torch.inference_mode():
        alone = [torch.from_numpy(piece.copy())[None] for piece in cut(model, one(), wave)]
        if average == "pooled":
            expected = model.projection(torch.stack([model.pooled(piece)[0] for piece in alone]).mean(0)[None])[0]
        else:
            expected = torch.stack([model(piece)[0] for piece in alone]).mean(0)
    np.testing.assert_allclose(made, expected.numpy(), rtol=1e-4, atol=1e-6)


def test_one_chunk_that_is_the_whole_is_the_usual_embedding(model):
    wave = np.random.default_rng(1).normal(0, 0.1, 16000).astype(np.float32)
    made = ByPieces(FixedChunks(seconds=1.0), average="pooled").embed(model, one(), wave)
    np.testing.assert_allclose(made, model.embed([wave])[0], rtol=1e-5, atol=1e-6)


def test_dropout_is_off_and_the_mode_stays(model):
    wave = np.random.default_rng(2).normal(0, 0.1, 16000).astype(np.float32)
    model.train()
    try:
        first, second = (ByPieces(DrawnCrops(count=2, seconds=0.3)).embed(model, one(), wave) for _ in range(2))
        np.testing.assert_array_equal(first, second)
        assert model.training
    finally:
        model.eval()


def test_stored_features_are_cut_in_frames_and_not_turned_round():
    stored = model_of(partial(Stored, dim=12))
    matrix = np.random.default_rng(3).normal(size=(250, 12)).astype(np.float32)
    chunks = FixedChunks(seconds=1.0)(stored, one(), matrix)
    assert [len(chunk) for chunk in chunks] == [100, 100, 100]
    np.testing.assert_array_equal(chunks[-1], matrix[150:])
    assert ByPieces(DrawnCrops(count=4, seconds=1.0, plain=True)).embed(stored, one(), matrix).shape == (6,)
    with pytest.raises(BadInput, match="cannot be played backwards; take plain crops"):
        DrawnCrops(count=4, seconds=1.0)(stored, one(), matrix)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: DrawnCrops(count=0), "0 crops"),
        (lambda: DrawnCrops(seconds=0.0), "crops of 0 s"),
        (lambda: DrawnCrops(seconds=float("inf")), "crops of inf s: .* 600 s at most"),
        (lambda: DrawnCrops(seconds=float("nan")), "crops of nan s"),
        (lambda: FixedChunks(seconds=-1.0), "chunks of -1 s"),
        (lambda: FixedChunks(seconds=1e9), r"chunks of 1e\+09 s: .* 600 s at most"),
        (lambda: ByPieces(FixedChunks(), average="median"), "neither 'pooled' nor 'embedding'"),
    ],
)
def test_senseless_options_are_one_line(make, told):
    with pytest.raises(BadInput, match=told):
        make()


def test_pieces_that_the_model_cannot_take_are_refused(model):
    with pytest.raises(BadInput, match=r"pieces of 0\.01 s are too short"):
        FixedChunks(seconds=0.01)(model, one(), RAMP)


def test_they_are_refused_once_and_before_anything_is_heard(pretrained, corpus, tmp_path):
    hearing = ByPieces(FixedChunks(seconds=0.01))
    with pytest.raises(BadInput, match="are too short"):
        extract(pretrained, corpus, tmp_path / "e.npz", hearing=hearing)
    stored = replace(pretrained, model=model_of(partial(Stored, dim=12)))
    with pytest.raises(BadInput, match="cannot be played backwards"):
        extract(stored, corpus, tmp_path / "e.npz", hearing=ByPieces(DrawnCrops(count=3)))
    assert not list(tmp_path.glob("e.npz*"))


@pytest.fixture
def corpus(babble, tmp_path):
    rows = []
    for i in range(5):
        path = tmp_path / f"{i}.wav"
        write(path, babble(0.8 + 0.3 * i, seed=i), RATE)
        rows.append(Utterance(id=f"u{i}", path=str(path), speaker="s"))
    return Manifest(tuple(rows))


@pytest.fixture
def pretrained(model, tiny_model):
    return replace(open_folder(tiny_model), model=model, fingerprint="f" * 12)


def test_a_manifest_is_embedded_alike_by_any_number_of_workers_and_the_file_says_how(pretrained, corpus, tmp_path):
    hearing = ByPieces(DrawnCrops(count=5, seconds=0.5))
    made = []
    for workers in (1, 3):
        out = tmp_path / f"{workers}.safetensors"
        assert extract(pretrained, corpus, out, hearing=hearing, workers=workers).failures == ()
        made.append(Embeddings.load(out))
    np.testing.assert_array_equal(made[0].vectors, made[1].vectors)
    assert made[0].model == f"{'f' * 12}+crops=5x0.5s,seed=0,pooled"
    assert made[0].seconds is not None


@pytest.mark.parametrize("first", [None, ByPieces(FixedChunks(seconds=0.5), average="embedding")])
def test_embeddings_of_another_cut_are_not_mixed_in(pretrained, corpus, tmp_path, first):
    out = tmp_path / "e.safetensors"
    extract(pretrained, corpus, out, hearing=first)
    with pytest.raises(BadInput, match="holds embeddings of another model, or of other pieces"):
        extract(pretrained, corpus, out, hearing=ByPieces(DrawnCrops(count=5, seconds=0.5)))


def test_silence_and_short_sounds_are_reported_not_embedded(pretrained, tmp_path):
    write(tmp_path / "still.wav", np.zeros(RATE, np.float32), RATE)
    write(tmp_path / "click.wav", np.ones(100, np.float32) / 4, RATE)
    rows = tuple(Utterance(id=name, path=str(tmp_path / f"{name}.wav"), speaker="s") for name in ("still", "click"))
    done = extract(pretrained, Manifest(rows), tmp_path / "e.npz", hearing=ByPieces(DrawnCrops(count=2)))
    assert [name for name, _ in done.failures] == ["still", "click"]
    assert "is silent" in done.failures[0][1]
    assert "too few for the model" in done.failures[1][1]
