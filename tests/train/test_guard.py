"""The guard against collapse: it speaks once, in words, of a collapse, and of nothing else."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from voxsphere.data.samplers import SpeakersByUtterances
from voxsphere.data.training_set import training_set
from voxsphere.losses.mined import Mined
from voxsphere.losses.miners.all_triplets import AllTriplets
from voxsphere.losses.miners.semi_hard import SemiHard
from voxsphere.losses.n_pair import NPair
from voxsphere.losses.prototypical import AngularPrototypical, Prototypical
from voxsphere.losses.triplet import Triplet
from voxsphere.recipes.smoke import smoke
from voxsphere.train.distances import BINS, Distances
from voxsphere.train.guard import LINES, PATIENCE, Guard
from voxsphere.train.logbook import read_logbook
from voxsphere.train.objectives import Metric
from voxsphere.train.objectives.tuples import loss_of_equal, sees_lengths
from voxsphere.train.page import write_page
from voxsphere.train.run import train
from voxsphere.train.schedule import Constant, Stopping
from voxsphere.train.trace import Trace

MINED = partial(Mined, loss=Triplet, miner=AllTriplets)


class Stuck(nn.Module):
    """A projection that has collapsed: one vector, whatever it is asked."""

    def __init__(self, in_dim: int, *, dim: int) -> None:
        super().__init__()
        self.dim = dim
        self.line = nn.Linear(in_dim, dim)

    def forward(self, pooled: Tensor) -> Tensor:
        return 1 + 1e-3 * torch.tanh(self.line(pooled))


@pytest.fixture
def pairs(speakers):
    """The smoke recipe on the made-up speakers, learning from triplets."""
    data = partial(training_set, manifest=str(speakers), held_out=4, targets=20)
    return replace(
        smoke(), data=data, sampler=partial(SpeakersByUtterances, utterances=2), epochs=4, batch_size=8, log_every=1,
        objective=partial(Metric, metric=MINED),
    )  # fmt: skip


def stuck(recipe):
    options = {**recipe.model.keywords, "projection": partial(Stuck, dim=64)}
    return replace(recipe, model=partial(recipe.model.func, **options), learning_rate=partial(Constant, value=0.0))


def guard(*, lengths: bool = False) -> Guard:
    return Guard(lambda: 0.3, lengths=lengths)


def look(guard: Guard, lines, *, every: int = 20, first: int = 0, last: bool = False):
    """All that is said of lines `every` steps apart, the run's end behind them if `last`."""
    said, number = [], first
    for number, line in enumerate(lines, start=first + 1):
        said += [(number * every, words) for words in guard.look(number * every, line)]
    return said + ([(number * every, words) for words in guard.end()] if last else [])


def line(loss: float = 0.3, spread: float = 0.0003, **more: float) -> dict[str, float]:
    return {"loss": loss, "spread": spread, **more}


def test_a_collapsed_run_says_so_once_in_its_words_and_on_its_page(pairs, tmp_path):
    told: list[str] = []
    train(stuck(pairs), tmp_path, workers=0, told=told.append)
    (words,) = told
    assert words.startswith(
        "the embeddings have collapsed at step 16: all utterances get nearly the same vector (spread "
    )
    assert "the metric loss is 0.3 where equal vectors give 0.3, a triplet loss's margin; " in words
    assert "begin from a classifier (recipe.start), mine less hard, or lower the rate" in words
    noted = [line for line in read_logbook(tmp_path / "logbook.jsonl") if line["kind"] == "note"]
    assert noted == [{"kind": "note", "step": 16, "epoch": 4, "words": words}]
    write_page(tmp_path, tmp_path / "report.html", results=None, scores=None, card=None)
    page = (tmp_path / "report.html").read_text()
    assert page.count("the embeddings have collapsed at step 16") == 1
    assert page.count("after epoch 1.") == page.count("after epoch 4.") == 1


def test_a_run_that_goes_on_says_it_once_more_only_if_it_had_not(pairs, tmp_path):
    class Stop(Exception):
        pass

    def stopping(glance):
        if glance.step == 14:
            raise Stop

    recipe, told = stuck(pairs), []
    with pytest.raises(Stop):
        train(recipe, tmp_path, workers=0, save_steps=3, watch=stopping)
    train(recipe, tmp_path, workers=0, told=told.append)
    train(recipe, tmp_path, workers=0, told=told.append)
    assert len(told) == 1


def test_a_collapsed_run_that_ends_early_says_so_once(pairs, tmp_path):
    early, told = replace(stuck(pairs), epochs=12, stopping=partial(Stopping, patience=2, minimum_improvement=0.5)), []
    assert train(early, tmp_path, workers=0, told=told.append).step == 12
    train(early, tmp_path, workers=0, told=told.append)
    (words,) = told
    assert words.startswith("the embeddings have collapsed at step 12: ")
    noted = [line for line in read_logbook(tmp_path / "logbook.jsonl") if line["kind"] == "note"]
    assert noted == [{"kind": "note", "step": 12, "epoch": 3, "words": words}]


def test_a_healthy_run_is_left_alone(pairs, tmp_path):
    told: list[str] = []
    train(replace(pairs, epochs=10), tmp_path, workers=0, told=told.append)
    assert told == []
    validations = [line for line in read_logbook(tmp_path / "logbook.jsonl") if line["kind"] == "validation"]
    assert all("loss" in line and "error" not in line for line in validations)
    judged = [
        Distances.from_json(line) for line in read_logbook(tmp_path / "logbook.jsonl") if line["kind"] == "distances"
    ]
    apart = [(np.arange(BINS) @ (d.nontarget / d.nontarget.sum() - d.target / d.target.sum())) for d in judged]
    assert apart[-1] > max(5.0, apart[0])
    assert Trace.of(tmp_path).distances[-1][0] == 10


def test_a_collapse_is_told_when_it_lasts():
    said = look(guard(), [line()] * 200)
    assert [step for step, _ in said] == [PATIENCE + 20]


def test_a_collapse_that_ends_by_itself_is_not_told():
    before = PATIENCE // 20
    lines = [line()] * before + [line(0.28, 0.05, active=0.9)] + [line()] * before + [line(0.1, 0.9)] * 100
    assert look(guard(), lines, last=True) == []


def test_a_first_epoch_that_begins_near_one_point_is_not_told():
    growing = [line(0.31, 0.001 * 1.1**n, active=1.0) for n in range(48)]
    assert look(guard(), growing + [line(0.2, 0.3, active=0.7)] * 200, last=True) == []


def test_a_loss_that_is_the_margin_by_chance_is_no_collapse():
    assert look(guard(), [line(0.3, 0.9, active=0.6)] * 200, last=True) == []
    assert look(guard(), [line(0.3, 0.9)] * 200, last=True) == []


def test_distances_that_shrink_to_nothing_are_a_collapse_though_directions_differ():
    (said,) = look(guard(lengths=True), [line(0.3004, 0.8, active=1.0)] * 200)
    assert "the distances between utterances have shrunk to nothing (spread of the directions 0.8)" in said[1]


def test_of_a_joint_objective_the_metric_loss_counts():
    joint = {"loss": 4.2, "metric": 0.3, "spread": 0.9, "active": 1.0}
    assert len(look(guard(lengths=True), [joint] * 200)) == 1
    assert look(guard(lengths=True), [{**joint, "metric": 4.2, "loss": 0.3}] * 200) == []


def test_directions_that_differ_are_no_collapse_where_the_loss_sees_nothing_else():
    assert look(guard(), [line(0.301, 0.5, active=1.0)] * 200, last=True) == []


def test_directions_that_are_one_are_no_collapse_where_lengths_tell_utterances_apart():
    far_from_the_origin = [line(0.1, 0.0003, active=0.4)] * 200
    assert look(guard(lengths=True), far_from_the_origin, last=True) == []
    (said,) = look(guard(lengths=True), [line(0.301, 0.0003)] * 200)
    assert "all utterances get nearly the same vector" in said[1]


def test_a_run_of_few_lines_is_told_at_its_end_if_all_look_collapsed():
    assert [step for step, _ in look(guard(), [line()] * (LINES - 2), last=True)] == [20 * (LINES - 2)]
    assert look(guard(), [line(1.0, 0.9)] + [line()] * (LINES - 2), last=True) == []
    assert look(guard(), [], last=True) == []


def test_the_end_of_a_run_needs_a_few_lines_only():
    assert [step for step, _ in look(guard(), [line(1.0, 0.9)] * 9 + [line()] * LINES, last=True)] == [20 * (9 + LINES)]
    assert look(guard(), [line(1.0, 0.9)] * 9 + [line()] * (LINES - 1), last=True) == []


def test_a_run_without_any_triplet_is_told():
    (said,) = look(guard(), [line(0.0, 0.9, active=0.0, triplets=0.0)] * 8, last=True)
    assert "no triplet was found in the steps up to 160: the metric loss is exactly 0" in said[1]
    (said,) = look(guard(), [line(0.0, 0.9, active=0.0, triplets=9.0)] * 200)
    assert "no mined triplet is active any more" in said[1]
    learnt = [line(0.1, 0.9, active=0.1, triplets=9.0)] + [line(0.0, 0.9, active=0.0, triplets=9.0)] * 9
    assert look(guard(), learnt, last=True) == []


def test_losses_without_a_spread_are_none_of_its_affair():
    assert look(guard(), [{"loss": 0.3, "accuracy": 0.0}] * 200, last=True) == []


@pytest.mark.parametrize("cut", [1, 30, 52, 120])
def test_what_it_remembers_goes_through_its_state(cut):
    lines = [line()] * 150
    whole, first, second = guard(), guard(), guard()
    expected = look(whole, lines)
    said = look(first, lines[:cut])
    second.load_state_dict(first.state_dict())
    assert said + look(second, lines[cut:], first=cut) == expected


def test_equal_embeddings_give_the_margin_and_the_logarithm_of_the_speakers():
    tuples = torch.randn(4, 3, 5)
    drawn = torch.get_rng_state()
    assert loss_of_equal(Mined(loss=partial(Triplet, margin=0.7), miner=AllTriplets), tuples) == pytest.approx(0.7)
    assert loss_of_equal(AngularPrototypical(), tuples) == pytest.approx(np.log(4))
    assert loss_of_equal(Mined(loss=Triplet, miner=SemiHard), tuples) >= 0
    assert torch.equal(torch.get_rng_state(), drawn)


def test_equal_embeddings_are_as_long_as_the_batchs_mean():
    near_zero = 1e-4 * torch.randn(8, 2, 192, generator=torch.Generator().manual_seed(1))
    assert loss_of_equal(NPair(), near_zero) == pytest.approx(np.log(8), rel=1e-5)
    length = float(NPair(shrinkage=0.0)(torch.ones(8, 2, 192)) + 0.002 / 2 * 4 * 192)
    assert loss_of_equal(NPair(), torch.full((8, 2, 192), 2.0)) == pytest.approx(length)


@pytest.mark.parametrize("make", [
    partial(Mined, loss=partial(Triplet, normalised=False), miner=partial(AllTriplets)),
    partial(Mined, loss=partial(Triplet, distance="cosine", normalised=False), miner=AllTriplets),
    MINED, NPair, Prototypical, AngularPrototypical,
])  # fmt: skip
def test_what_sees_lengths_changes_when_embeddings_grow(make):
    metric, tuples = make(), torch.randn(4, 3, 5, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        changes = abs(float(metric(2 * tuples) - metric(tuples))) > 1e-4
    assert sees_lengths(metric) == changes


def test_distances_are_counted_in_fixed_bins():
    found = Distances.of(np.array([1.0, 0.995, 0.0]), np.array([-1.0, -0.5]))
    assert (found.target[0], found.target[50], found.target.sum()) == (2, 1, 3)
    assert (found.nontarget[75], found.nontarget[-1], found.nontarget.sum()) == (1, 1, 2)
    again = Distances.from_json(found.to_json())
    assert np.array_equal(again.target, found.target)
    assert np.array_equal(again.nontarget, found.nontarget)
