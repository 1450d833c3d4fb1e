"""Several crops of an utterance: where they lie, that each is an example, and what is remembered for them."""

import math
import os
from collections import Counter
from functools import partial
from itertools import islice

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from voxsphere.audio.augment.gain import Volume
from voxsphere.audio.augment.spec import SpecAugment
from voxsphere.audio.fmatrix import write_fmatrix
from voxsphere.audio.stored import Stored
from voxsphere.audio.wave import write
from voxsphere.core.errors import BadInput
from voxsphere.core.manifest import Manifest, Utterance
from voxsphere.core.random import stream
from voxsphere.data.batch import collate
from voxsphere.data.dataset import Draw, Items
from voxsphere.data.examples import Crops, Windows
from voxsphere.data.loader import Plan, Share, load
from voxsphere.data.places import Places
from voxsphere.data.samplers import ByDuration, SpeakersByUtterances
from voxsphere.data.stored import StoredFrames
from voxsphere.data.waves import Waves
from voxsphere.models.encoders.context_mlp import ContextMlp
from voxsphere.models.poolings.statistics import MeanPooling
from voxsphere.models.projection import AsPooled
from voxsphere.models.speaker import SpeakerModel

DIM = 2
LENGTHS = (40, 90, 7, 60)


@pytest.fixture
def lab(tmp_path) -> Manifest:
    """Four utterances of two speakers, whose n-th frame holds 1000 · utterance + n + 1."""
    rows = []
    for number, frames in enumerate(LENGTHS):
        values = 1000 * number + 1 + np.arange(frames, dtype=np.float32)
        write_fmatrix(tmp_path / f"{number}.mcp", np.repeat(values[:, None], DIM, 1))
        rows.append(Utterance(f"u{number}", str(tmp_path / f"{number}.mcp"), f"s{number % 2}"))
    return Manifest(tuple(rows))


def items(manifest: Manifest, source: object = None, **options: object) -> Items:
    classes = [manifest.speakers.index(row.speaker) for row in manifest]
    return Items(manifest, classes, source or StoredFrames(100.0, DIM), lambda frames: frames, DIM, **options)


def plan(manifest: Manifest, examples: Crops, *, batch_size: int = 3) -> Plan:
    seconds = tuple(frames / 100 for frames in LENGTHS)
    sampler = ByDuration([0] * len(manifest), seconds, batch_size=batch_size, seed=1, every=0.2)
    return Plan(sampler, examples, seconds, 1)


@given(total=st.integers(1, 60), length=st.integers(1, 80), count=st.integers(1, 70), seed=st.integers(0, 2**32))
def test_crops_within_lie_in_the_utterance_and_no_place_comes_twice_while_there_are_enough(total, length, count, seed):
    cut = Places(count).cut(np.arange(total, dtype=np.float32), length, stream(seed))
    assert cut.shape == (count, length)
    starts = cut[:, 0].astype(int)
    places = max(1, total - length + 1)
    assert ((starts >= 0) & (starts < places)).all()
    assert (cut == (starts[:, None] + np.arange(length)) % total).all()
    assert len(set(starts)) == count if count <= places else True


@given(total=st.integers(1, 60), length=st.integers(1, 80), count=st.integers(1, 70), seed=st.integers(0, 2**32))
def test_crops_that_reach_beyond_the_ends_lie_around_each_frame_with_zeros_there(total, length, count, seed):
    held = np.arange(1, total + 1, dtype=np.float32)[:, None]
    cut = Places(count, "zeros").cut(held, length, stream(seed))[..., 0]
    middles = cut[:, length // 2].astype(int) - 1
    assert ((middles >= 0) & (middles < total)).all()
    at = middles[:, None] - length // 2 + np.arange(length)
    np.testing.assert_array_equal(cut, np.where((at >= 0) & (at < total), at + 1, 0))
    assert len(set(middles)) == count if count <= total else True


def test_every_place_is_as_likely_as_any_other():
    drawn = np.concatenate(
        [Places(2, "zeros").cut(np.arange(5.0)[:, None], 3, stream("even", i))[:, 1, 0] for i in range(2000)]
    )
    counts = np.bincount(drawn.astype(int), minlength=5)
    assert np.abs(counts - 800).max() < 5 * math.sqrt(4000 * 0.2 * 0.8)


def test_crops_are_copies_so_that_nobody_writes_into_what_others_hold():
    held = np.zeros((5, DIM), np.float32)
    for places in (Places(), Places(3), Places(1, "zeros")):
        places.cut(held, 2, stream(0))[:] = 1
    assert not held.any()


@pytest.mark.parametrize("examples", [Crops, Windows])
def test_crops_that_cannot_be_are_refused(examples):
    with pytest.raises(BadInput, match="0 crops of an utterance are none"):
        examples(count=0)
    with pytest.raises(BadInput, match="no edges 'mirror'; there are: within, zeros"):
        examples(edges="mirror")


@pytest.mark.parametrize("edges", ["within", "zeros"])
def test_an_item_gives_so_many_crops_of_one_utterance_that_depend_on_its_draw_alone(lab, edges):
    made = items(lab, masks=SpecAugment(time=(1, 3), freq=(1, 1)))
    draw = Draw(1, 77, 0.05, Places(6, edges))
    item, again, other = made[draw], items(lab, masks=made.masks)[draw], made[Draw(1, 78, 0.05, draw.places)]
    assert (item.wave.shape, item.mask.shape, item.crops) == ((6, 5, DIM), (6, 5, DIM), 6)
    assert torch.equal(item.wave, again.wave)
    assert torch.equal(item.mask, again.mask)
    assert not torch.equal(item.wave, other.wave)
    assert len({tuple(mask.flatten().tolist()) for mask in item.mask}) > 1
    of_utterance = item.wave[item.wave > 0]
    assert ((of_utterance > 1000) & (of_utterance <= 1090)).all()


def test_one_crop_is_what_it_was_before_there_were_several(lab):
    item = items(lab)[Draw(1, 5, 0.2)]
    start = int(stream("item", 5, 0).integers(90 - 20, endpoint=True))
    assert item.crops is None
    assert item.wave[:, 0].tolist() == [1001 + start + i for i in range(20)]


def test_a_batch_holds_each_crop_as_an_example_of_its_own(lab):
    made = items(lab, masks=SpecAugment(time=(1, 2), freq=(1, 1)), domains=[0, 1, 0, 1])
    three = [made[Draw(row, row, 0.05, Places(4))] for row in (0, 1, 2)]
    batch = collate(three)
    assert len(batch) == 12
    assert (batch.wave.shape, batch.masks.shape) == ((12, 5, DIM), (12, 5, DIM))
    assert torch.equal(batch.wave, torch.cat([item.wave for item in three]))
    assert batch.ids == ("u0",) * 4 + ("u1",) * 4 + ("u2",) * 4
    assert batch.speaker.tolist() == [0] * 4 + [1] * 4 + [0] * 4
    assert batch.domain.tolist() == [0] * 4 + [1] * 4 + [0] * 4
    assert batch.utterances is None  # speaker 0 stands in two places
    assert collate(three[:2]).utterances == 4


def test_crops_count_as_utterances_of_their_speaker(lab):
    sampler = SpeakersByUtterances([0, 1, 0, 1], [None] * 4, batch_size=4, seed=0, utterances=2)
    deals = Plan(sampler, Crops(length=0.05, count=3), (None,) * 4, 0)
    batch = next(load(items(lab), deals, first=0, share=Share()))
    assert (len(batch), batch.utterances) == (12, 6)


@pytest.mark.filterwarnings("ignore:This DataLoader will create")
@pytest.mark.parametrize("workers", [1, 2])
def test_workers_and_an_earlier_beginning_change_no_bit(lab, workers):
    deals = plan(lab, Crops(length=0.05, count=4, edges="zeros"))
    whole = list(islice(load(items(lab), deals, first=0, share=Share()), 7))
    found = load(items(lab), deals, first=3, share=Share(), workers=workers)
    rest = list(islice(found, 4))
    found.close()
    for one, other in zip(whole[3:], rest, strict=True):
        assert torch.equal(one.wave, other.wave)
        assert (one.ids, one.speaker.tolist()) == (other.ids, other.speaker.tolist())


def test_a_batch_is_shared_out_by_whole_utterances():
    Share(0, 2, 2).check(40, crops=10)
    with pytest.raises(BadInput, match="20 cannot be shared out evenly to 2 processes × 2 pieces, in crops of 10"):
        Share(0, 2, 2).check(20, crops=10)


def test_several_crops_of_a_recording_are_each_augmented(tmp_path):
    write(tmp_path / "a.wav", np.linspace(0.01, 0.5, 16000, dtype=np.float32), 16000)
    manifest = Manifest((Utterance("a", str(tmp_path / "a.wav"), "s"),))
    loud = items(manifest, Waves(16000, (Volume(),)))[Draw(0, 3, 0.1, Places(5))].wave
    assert loud.shape == (5, 1600)
    slopes = (loud[:, -1] - loud[:, 0]).tolist()  # of a ramp, times each crop's own gain
    assert len({round(slope, 5) for slope in slopes}) == 5
    beyond = items(manifest, Waves(16000))[Draw(0, 3, 3.0, Places(2, "zeros"))].wave
    assert (beyond.shape, int((beyond == 0).sum()) > 48_000) == ((2, 48000), True)


def test_what_was_read_is_remembered_and_what_changed_is_read_anew(lab, tmp_path, monkeypatch):
    reads = Counter()
    read = StoredFrames.beginning
    monkeypatch.setattr(StoredFrames, "beginning", lambda self, u: (reads.update([u.id]), read(self, u))[1])
    made = items(lab, StoredFrames(100.0, DIM, megabytes=7.25))
    for seed in range(5):
        made[Draw(1, seed, 0.05)]
    assert reads == {"u1": 1}
    changed = made[Draw(1, 0, 0.05)].wave + 5000
    write_fmatrix(tmp_path / "1.mcp", np.repeat(6001 + np.arange(90.0)[:, None], DIM, 1).astype(np.float32))
    os.utime(tmp_path / "1.mcp", ns=(1, 1))
    assert torch.equal(made[Draw(1, 0, 0.05)].wave, changed)
    assert reads == {"u1": 2}
    (tmp_path / "1.mcp").unlink()
    assert made[Draw(1, 0, 0.05)].id == "u3"  # as ever, another of the speaker


@given(
    durations=st.lists(st.floats(0.05, 30), min_size=1, max_size=40), every=st.floats(0.05, 3), seed=st.integers(0, 9),
    epoch=st.integers(0, 5),
)  # fmt: skip
@settings(deadline=None)
def test_utterances_come_as_often_as_they_are_long(durations, every, seed, epoch):
    if sum(durations) < every:
        with pytest.raises(BadInput, match="0 examples an epoch do not fill one batch"):
            ByDuration([0] * len(durations), durations, batch_size=1, seed=seed, every=every)
        return
    sampler = ByDuration([0] * len(durations), durations, batch_size=1, seed=seed, every=every)
    dealt = sampler.batches(epoch)
    assert len(dealt) == sampler.batches_per_epoch == int(sum(durations) / every)
    counts = np.bincount(dealt[:, 0], minlength=len(durations))
    expected = np.array(durations) / every
    # One place in each stretch of `every` seconds; the last stretch, which is not whole, may have none.
    assert (counts >= np.floor(expected) - 1).all()
    assert (counts <= np.ceil(expected) + 1e-9).all()


def test_each_second_is_as_likely_as_any_other():
    durations = [0.3, 1.0, 2.7]
    sampler = ByDuration([0] * 3, durations, batch_size=1, seed=0)
    counts = sum(np.bincount(sampler.batches(epoch)[:, 0], minlength=3) for epoch in range(3000))
    np.testing.assert_allclose(counts / counts.sum(), np.array(durations) / 4, atol=0.01)


def test_what_cannot_be_dealt_by_duration_is_refused():
    with pytest.raises(BadInput, match="dealt by their durations, which the manifest lacks"):
        ByDuration([0], [None], batch_size=1, seed=0)
    with pytest.raises(BadInput, match="an example for every 0 seconds is none"):
        ByDuration([0], [1.0], batch_size=1, seed=0, every=0)


def model(windows: str = "padded_in_use", **features: int) -> SpeakerModel:
    return SpeakerModel(
        features=partial(Stored, **({"dim": DIM} | features)),
        encoder=partial(ContextMlp, in_frames=5, hidden=3, windows=windows),
        pooling=MeanPooling, projection=AsPooled, min_seconds=0.0,
    )  # fmt: skip


@pytest.mark.parametrize(("windows", "frames"), [("padded_in_use", 5), ("whole", 5), ("legacy", 6)])
def test_windows_are_as_long_as_the_network_says(windows, frames):
    crops = Windows(count=7, edges="within").of(model(windows))
    assert crops == Crops(length=frames / 100, count=7, edges="within")
    at_8k = model(windows, sample_rate=8000, hop=200)
    assert round(Windows().of(at_8k).length * at_8k.rate) == frames


def test_windows_of_a_network_that_has_none_are_refused():
    with pytest.raises(BadInput, match="windows are for an encoder that classifies single frames"):
        Windows().of(model("padded"))
    with pytest.raises(BadInput, match="as long as a network says"):
        Windows().seconds([1.0], stream(0))


def test_a_window_that_is_learnt_is_the_frame_that_it_gives_in_use(lab):
    """Whole windows with their zeros in them, while it trains, are what padding makes of the file afterwards."""
    network = model()
    held = StoredFrames(100.0, DIM).beginning(lab.utterances[2]) / 3000
    cut = Places(len(held), "zeros").cut(held, 5, stream(0))
    order = (cut[:, 2, 0] * 3000 - 2001).round().astype(int)
    learnt = network.train()(torch.from_numpy(cut))
    used = network.eval().frames(torch.from_numpy(held)[None])[0].T
    assert sorted(order) == list(range(7))
    torch.testing.assert_close(learnt, used[order])


@pytest.mark.parametrize(("windows", "count"), [("padded_in_use", 40), ("legacy", 35)])
def test_an_utterance_has_so_many_windows(lab, windows, count):
    """T of them; the original's T − N, of which the last is lost, behind the legacy switch."""
    held = torch.from_numpy(StoredFrames(100.0, DIM).beginning(lab.utterances[0]))[None]
    network = model(windows)
    assert network.eval().frames(held).shape[-1] == count
    crops = Windows(edges="zeros" if windows == "padded_in_use" else "within").of(network)
    places = Places(10_000, crops.edges).cut(held[0].numpy(), round(100 * crops.length), stream(0))
    assert len({tuple(place[:, 0]) for place in places}) == count
    assert network.train().frames(torch.from_numpy(places[:1])).shape[-1] == 1
