"""The plan and the loader: a run goes on anywhere, and neither workers nor processes change what it gets."""

from itertools import islice

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from voxsphere.audio.augment.gain import Volume
from voxsphere.audio.augment.speed import Speed
from voxsphere.audio.wave import write
from voxsphere.core.errors import BadInput
from voxsphere.core.manifest import Manifest, Utterance
from voxsphere.data.dataset import Items
from voxsphere.data.examples import Crops, Whole
from voxsphere.data.loader import Plan, Share, load
from voxsphere.data.manifests import open_manifest
from voxsphere.data.samplers import Bucketed, Shuffled, SpeakerBalanced, SpeakersByUtterances
from voxsphere.data.waves import Waves

SPEAKERS = tuple(i % 6 for i in range(38))
DURATIONS = tuple(0.5 + (7 * i % 11) / 4 for i in range(38))
SAMPLERS = [Shuffled, SpeakerBalanced, SpeakersByUtterances, Bucketed]


def plan(sampler=Shuffled, *, examples=None, batch_size=8, seed=0) -> Plan:
    made = sampler(SPEAKERS, DURATIONS, batch_size=batch_size, seed=seed)
    return Plan(made, examples or Crops(length=(0.3, 0.6)), DURATIONS, seed)


@pytest.mark.parametrize("sampler", SAMPLERS)
@settings(deadline=None, max_examples=30)
@given(first=st.integers(0, 40), count=st.integers(1, 12), seed=st.integers(0, 3))
def test_to_begin_at_a_step_is_to_skip_those_before_it(sampler, first, count, seed):
    made = plan(sampler, seed=seed)
    assert list(islice(made.from_step(first), count)) == list(islice(made.from_step(0), first, first + count))


def test_far_steps_are_found_at_once():
    far = next(plan().from_step(10**12))
    assert far == next(plan().from_step(10**12))
    assert far != next(plan().from_step(10**12 + 1))


def test_all_examples_of_a_batch_are_equally_long_and_batches_differ():
    lengths = [{draw.seconds for draw in draws} for draws in islice(plan().from_step(0), 60)]
    assert all(len(each) == 1 for each in lengths)
    assert len(set.union(*lengths)) > 20


def test_whole_utterances_last_as_long_as_their_batch():
    made = plan(Bucketed, examples=Whole())
    for draws in islice(made.from_step(0), 10):
        longest = max(DURATIONS[draw.index] for draw in draws)
        assert longest <= draws[0].seconds <= longest + 0.1 + 1e-9


def test_no_two_items_of_a_run_share_a_seed():
    draws = [draw for draws in islice(plan().from_step(0), 200) for draw in draws]
    assert len({draw.seed for draw in draws}) == len(draws)


def test_seeds_of_runs_deal_different_examples():
    assert next(plan(seed=0).from_step(0)) != next(plan(seed=1).from_step(0))


def test_an_epoch_is_as_many_steps_as_the_sampler_says():
    made = plan()
    dealt = [[draw.index for draw in draws] for draws in islice(made.from_step(0), 2 * made.steps_per_epoch)]
    for epoch in (0, 1):
        rows = made.sampler.batches(epoch)
        assert dealt[epoch * len(rows) : (epoch + 1) * len(rows)] == rows.tolist()


@given(world=st.integers(1, 6), micro=st.integers(1, 6), size=st.integers(1, 5))
def test_the_shares_of_all_processes_are_the_batch(world, micro, size):
    draws = list(range(world * micro * size))
    shares = [list(Share(rank, world, micro).pieces(draws)) for rank in range(world)]
    assert all(len(share) == micro for share in shares)
    assert [draw for share in shares for piece in share for draw in piece] == draws
    Share(0, world, micro).check(len(draws))


@pytest.mark.parametrize(("batch_size", "world", "micro"), [(8, 3, 1), (8, 1, 3), (8, 4, 4), (1, 2, 1)])
def test_a_batch_that_cannot_be_shared_out_is_refused(batch_size, world, micro):
    with pytest.raises(BadInput, match=f"a batch of {batch_size} cannot be shared out evenly to {world} processes"):
        Share(0, world, micro).check(batch_size)


def test_durations_are_those_that_will_be_heard():
    rows = (
        Utterance(id="a", path="a", duration=2.0, speed=0.8),
        Utterance(id="b", path="b"),
        Utterance(id="c", path="c", start=3.0, duration=1.5),
    )
    assert [Waves(16000).seconds(row) for row in rows] == [2.5, None, 1.5]


@pytest.fixture(scope="module")
def made(speakers) -> tuple[Items, Plan]:
    """Items of the made-up speakers with augmentation, and a plan for them."""
    manifest = open_manifest(speakers)
    classes = [manifest.speakers.index(u.speaker) for u in manifest]
    items = Items(manifest, classes, Waves(16000, (Speed(), Volume())), lambda samples: samples // 160, 20)
    sampler = SpeakerBalanced(classes, [None] * len(manifest), batch_size=12, seed=4)
    return items, Plan(sampler, Crops(length=(0.3, 0.5)), tuple(map(Waves(16000).seconds, manifest)), 4)


def batches(made, count, **options):
    items, deals = made
    found = load(items, deals, first=options.pop("first", 0), share=options.pop("share", Share()), **options)
    taken = list(islice(found, count))
    found.close()
    return taken


def assert_same(one, other) -> None:
    assert torch.equal(one.wave, other.wave)
    assert torch.equal(one.speaker, other.speaker)
    assert (one.ids, one.broken) == (other.ids, other.broken)


@pytest.mark.filterwarnings("ignore:This DataLoader will create")  # more workers than cores
@pytest.mark.parametrize("workers", [1, 2, 3])
def test_workers_change_no_bit(made, workers):
    for one, other in zip(batches(made, 9), batches(made, 9, workers=workers), strict=True):
        assert_same(one, other)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_run_that_goes_on_gets_what_it_would_have_got(made, workers):
    for one, other in zip(batches(made, 9)[4:], batches(made, 5, first=4, workers=workers), strict=True):
        assert_same(one, other)


def test_processes_and_pieces_make_up_the_batch_of_one(made):
    whole = batches(made, 3)
    shares = [batches(made, 6, share=Share(rank, 3, 2)) for rank in range(3)]
    for step, batch in enumerate(whole):
        pieces = [piece for share in shares for piece in share[2 * step : 2 * step + 2]]
        assert torch.equal(torch.cat([piece.wave for piece in pieces]), batch.wave)
        assert [name for piece in pieces for name in piece.ids] == list(batch.ids)


def test_torchs_and_numpys_own_generators_are_left_alone(made):
    torch.manual_seed(5)
    np.random.seed(5)
    expected = torch.rand(1), np.random.rand()
    torch.manual_seed(5)
    np.random.seed(5)
    batches(made, 2)
    assert (torch.rand(1), np.random.rand()) == expected


@pytest.mark.parametrize("workers", [0, 2])
def test_file_after_file_that_cannot_be_read_is_one_line(tmp_path, workers):
    gone = Manifest(tuple(Utterance(id=f"{i}", path=str(tmp_path / f"{i}.wav"), speaker="s") for i in range(12)))
    items = Items(gone, [0] * 12, Waves(16000), lambda samples: samples, 20)
    deals = Plan(Shuffled([0] * 12, [None] * 12, batch_size=4, seed=0), Crops(), (None,) * 12, 0)
    with pytest.raises(BadInput) as refused:
        batches((items, deals), 1, workers=workers)
    assert "\n" not in str(refused.value)
    assert str(refused.value).startswith(str(tmp_path))
    assert str(refused.value).endswith("in a row that cannot be read)")


@pytest.mark.parametrize("workers", [0, 1])
def test_a_broken_file_is_told_by_the_batch_it_was_asked_for(tmp_path, babble, workers):
    rows = tuple(Utterance(id=f"{i}", path=str(tmp_path / f"{i}.wav"), speaker="s") for i in range(4))
    for row in rows[:3]:
        write(row.path, babble(0.6), 16000)
    items = Items(Manifest(rows), [0] * 4, Waves(16000), lambda samples: samples, 20)
    deals = Plan(Shuffled([0] * 4, [None] * 4, batch_size=4, seed=0), Crops(length=0.5), (None,) * 4, 0)
    for batch in batches((items, deals), 3, workers=workers):
        assert [path for path, _ in batch.broken] == [rows[3].path]
        assert len(batch) == 4
