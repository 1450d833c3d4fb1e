"""Items of stored features: cut in frames at a drawn place, from every store, and what stands in for a broken one."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from voxsphere.audio.augment.gain import Volume
from voxsphere.audio.augment.spec import SpecAugment
from voxsphere.audio.stored import Stored
from voxsphere.audio.wave import write
from voxsphere.core.errors import BadInput
from voxsphere.core.manifest import Manifest, Utterance
from voxsphere.data.batch import collate
from voxsphere.data.dataset import Draw, Items
from voxsphere.data.source import source_of
from voxsphere.data.stored import StoredFrames
from voxsphere.models.encoders.tdnn import Tdnn
from voxsphere.models.poolings.statistics import StatsPooling
from voxsphere.models.projection import Affine
from voxsphere.models.speaker import SpeakerModel

h5py = pytest.importorskip("h5py")
kaldiio = pytest.importorskip("kaldiio")

FRAMES, DIM = 200, 4
MATRIX = (np.arange(FRAMES)[:, None] + 1000.0 * np.arange(DIM)).astype(np.float32)
SOURCE = StoredFrames(100.0, DIM)


@pytest.fixture(scope="module")
def places(tmp_path_factory) -> dict[str, str]:
    """Two seconds whose n-th frame holds n, in every store."""
    folder = tmp_path_factory.mktemp("places")
    np.save(folder / "a.npy", MATRIX)
    with h5py.File(folder / "p.h5", "w") as file:
        file["s/a"], file["s/turned"] = MATRIX.T[None], MATRIX
    found = {"npy": f"{folder}/a.npy", "hdf5": f"{folder}/p.h5#s/a", "hdf5 by rows": f"{folder}/p.h5#s/turned"}
    for name, method in (("ark", None), ("compressed", 2)):
        with kaldiio.WriteHelper(f"ark,scp:{folder}/{name}.ark,{folder}/{name}.scp", compression_method=method) as out:
            out("other", MATRIX[:7])
            out("a", MATRIX)
        found[name] = (folder / f"{name}.scp").read_text().splitlines()[1].split()[1]
    return found


def items(*rows: Utterance, **options: object) -> Items:
    manifest = Manifest(rows)
    classes = [manifest.speakers.index(row.speaker) for row in rows]
    return Items(manifest, classes, SOURCE, lambda frames: frames, DIM, **options)


def one(path: str, **options: object) -> Utterance:
    return Utterance("one", path, "s", **options)


@settings(deadline=None)
@given(
    start=st.none() | st.integers(0, 120), duration=st.none() | st.integers(1, 300), frames=st.integers(1, 500),
    seed=st.integers(0, 2**62),
)  # fmt: skip
def test_an_example_lies_inside_its_segment_and_short_ones_are_repeated(places, start, duration, frames, seed):
    seconds = [None if each is None else each / 100 for each in (start, duration)]
    item = items(one(places["npy"], start=seconds[0], duration=seconds[1]))[Draw(0, seed, frames / 100)]
    first = start or 0
    last = FRAMES if start is None or duration is None else min(FRAMES, start + duration)
    at = item.wave[:, 0].numpy()
    assert item.wave.shape == (frames, DIM)
    assert torch.equal(item.wave, torch.from_numpy(MATRIX)[at.astype(int)])
    if frames < last - first:
        assert first <= at[0]
        assert at[-1] < last
        assert (np.diff(at) == 1).all()
    else:
        assert at.tolist() == [first + i % (last - first) for i in range(frames)]


def test_crops_come_from_everywhere(places):
    made = items(one(places["npy"]))
    starts = [int(made[Draw(0, seed, 1.9)].wave[0, 0]) for seed in range(600)]
    counts = np.bincount(starts)
    assert len(counts) == 11
    # Eleven places of 55 each: five standard deviations.
    assert np.abs(counts - 600 / 11).max() < 5 * np.sqrt(600 / 11)


def test_every_store_gives_the_same_item(places):
    expected = items(one(places["npy"]))[Draw(0, 5, 0.7)]
    assert len(places) == 5
    for name, place in places.items():
        found = items(one(place))[Draw(0, 5, 0.7)].wave
        assert torch.allclose(found, expected.wave, atol=2.0 if name == "compressed" else 0.0), name
    whole = items(one(places["compressed"]))[Draw(0, 5, 2.0)].wave
    np.testing.assert_allclose(whole.numpy(), kaldiio.load_mat(places["compressed"]), rtol=1e-6)


def test_an_item_is_the_same_whenever_and_in_whatever_company_it_is_asked_for(places):
    rows = tuple(Utterance(f"{i}", place, f"s{i % 2}") for i, place in enumerate(places.values()))
    options = {"masks": SpecAugment(time=(1, 10), freq=(1, 2))}
    draws = [Draw(i % 5, 1000 + i, 0.5) for i in range(30)]
    alone = [items(*rows, **options)[draw] for draw in draws]
    together = items(*rows, **options)
    for i in np.random.default_rng(0).permutation(30):
        assert torch.equal(together[draws[i]].wave, alone[i].wave)
        assert torch.equal(together[draws[i]].mask, alone[i].mask)
    batch = collate(alone)
    assert (batch.wave.shape, batch.masks.shape) == ((30, 50, DIM), (30, 50, DIM))


def told(row: Utterance) -> str:
    with pytest.raises(BadInput) as caught:
        SOURCE.examples(row, 50, np.random.default_rng(0))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_what_is_no_such_matrix_is_told_in_one_line(places, tmp_path):
    np.save(tmp_path / "wide.npy", np.zeros((60, 5), np.float32))
    np.save(tmp_path / "nan.npy", np.where(np.arange(240).reshape(60, 4) == 237, np.nan, 0.0))
    np.save(tmp_path / "none.npy", np.zeros((0, 4), np.float32))
    write(tmp_path / "wave.wav", np.zeros(16000, np.float32), 16000)
    assert "wide.npy: has 5 features a frame, the model takes 4" in told(one(f"{tmp_path}/wide.npy"))
    assert "nan.npy: holds NaN or infinite values" in told(one(f"{tmp_path}/nan.npy"))
    assert "none.npy: holds no frame from 0 on" in told(one(f"{tmp_path}/none.npy"))
    assert "wave.wav: holds no features" in told(one(f"{tmp_path}/wave.wav"))
    assert "gone.npy: no such file" in told(one(f"{tmp_path}/gone.npy"))
    assert "a.npy: holds no frame from 700 on" in told(one(places["npy"], start=7.0, duration=1.0))
    assert "a.npy: stored features cannot be played at speed 1.1" in told(one(places["npy"], speed=1.1))


def test_a_broken_matrix_is_named_and_another_of_its_speaker_stands_in(places, tmp_path):
    (tmp_path / "broken.npy").write_bytes(b"nothing")
    made = items(
        Utterance("broken", f"{tmp_path}/broken.npy", "a"),
        Utterance("good", places["npy"], "a"),
        Utterance("other", places["npy"], "b"),
    )
    item = made[Draw(0, 1, 0.5)]
    assert (item.id, item.speaker) == ("good", 0)
    ((path, reason),) = item.broken
    assert path == f"{tmp_path}/broken.npy"
    assert reason.startswith(f"{path}: holds no features")


def test_seconds_come_from_a_duration_or_from_the_number_of_frames():
    row = one("a.npy", extra=(("num_frames", "250"),))
    assert SOURCE.seconds(row) == 2.5
    assert StoredFrames(62.5, DIM).seconds(row) == 4.0
    assert SOURCE.seconds(replace(row, start=0.5)) == 2.0
    assert SOURCE.seconds(replace(row, duration=1.0)) == 1.0
    assert SOURCE.seconds(one("a.npy")) is None
    for strange in ("many", "-3", "0"):
        with pytest.raises(BadInput, match=f"a.npy: num_frames '{strange}' is no number of frames"):
            SOURCE.seconds(one("a.npy", extra=(("num_frames", strange),)))
    with pytest.raises(BadInput, match=r"cannot be played at speed 0\.9; --set data\.speeds=\[\]"):
        SOURCE.seconds(replace(row, speed=0.9))


def test_augmentations_of_waves_are_refused(tmp_path: Path):
    model = SpeakerModel(
        features=partial(Stored, dim=DIM), encoder=partial(Tdnn, width=8, last=8), pooling=StatsPooling,
        projection=partial(Affine, dim=3),
    )  # fmt: skip
    assert source_of(model) == StoredFrames(100.0, DIM)
    with pytest.raises(BadInput, match=r"^augment: stored features take no augmentation of waves; --set augment=\[\]"):
        source_of(model, (Volume(),))
