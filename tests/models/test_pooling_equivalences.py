"""Where one pooling is another, and what is particular to one of them."""

import math
from functools import partial

import pytest
import torch
from seeded import noise, seeded
from torch import Tensor, nn

from voxsphere.core.errors import BadInput
from voxsphere.models.poolings.attention import FORMS
from voxsphere.models.poolings.attentive import AttentiveStatsPooling
from voxsphere.models.poolings.dictionary import LearnableDictionaryPooling
from voxsphere.models.poolings.last import LastFramePooling
from voxsphere.models.poolings.maxima import MaxStatsPooling
from voxsphere.models.poolings.multi_head import MultiHeadAttentionPooling, MultiQueryMultiHeadAttentionPooling
from voxsphere.models.poolings.self_attention import SelfAttentionPooling
from voxsphere.models.poolings.statistics import MeanPooling, StatsPooling, StdPooling
from voxsphere.models.poolings.vlad import NetVladPooling

DIM, FRAMES = 6, 17


def double(pooling: nn.Module) -> nn.Module:
    pooling.load_state_dict(seeded(pooling))
    return pooling.double().eval()


def silenced(pooling: nn.Module, *layers: str) -> nn.Module:
    """The pooling with the weights of these layers at 0."""
    with torch.no_grad():
        for layer in layers:
            for parameter in pooling.get_submodule(layer).parameters():
                parameter.zero_()
    return pooling


def frames() -> Tensor:
    return noise(3, DIM, FRAMES).double()


def weights() -> Tensor:
    return noise(3, FRAMES, seed=1).double().abs()


@pytest.fixture(params=[None, weights()], ids=["all alike", "weighted"])
def weight(request) -> Tensor | None:
    return request.param


@pytest.mark.parametrize("attention", ["scalar", "vector"])
@pytest.mark.parametrize("activation", FORMS)
def test_self_attention_that_sees_nothing_is_the_mean(attention, activation, weight):
    pooling = double(SelfAttentionPooling(DIM, bottleneck=4, attention=attention, activation=activation))
    torch.testing.assert_close(silenced(pooling, "score")(frames(), weight), MeanPooling(DIM)(frames(), weight))


@pytest.mark.parametrize("context", [False, True])
def test_attentive_statistics_that_see_nothing_are_the_biased_statistics(context, weight):
    pooling = silenced(double(AttentiveStatsPooling(DIM, bottleneck=4, context=context)), "score")
    torch.testing.assert_close(pooling(frames(), weight), StatsPooling(DIM, unbiased=False)(frames(), weight))


@pytest.mark.parametrize("attention", ["scalar", "vector"])
def test_one_query_and_one_head_are_attentive_statistics(attention, weight):
    attentive = double(AttentiveStatsPooling(DIM, bottleneck=4, attention=attention))
    pooling = MultiQueryMultiHeadAttentionPooling(DIM, queries=1, heads=1, bottleneck=4, attention=attention).double()
    pooling.load_state_dict({f"attentions.0.0.{name}": value for name, value in attentive.state_dict().items()})
    torch.testing.assert_close(pooling(frames(), weight), attentive(frames(), weight))


def test_two_queries_are_two_poolings_side_by_side(weight):
    both = double(MultiQueryMultiHeadAttentionPooling(DIM, queries=2, heads=3, bottleneck=4))
    for query in range(2):
        one = MultiQueryMultiHeadAttentionPooling(DIM, queries=1, heads=3, bottleneck=4).double()
        one.attentions[0].load_state_dict(both.attentions[query].state_dict())
        half = both(frames(), weight)[:, query * one.dim : (query + 1) * one.dim]
        torch.testing.assert_close(half, one(frames(), weight))


def test_long_utterances_one_by_one_are_as_long_ones_together():
    pooling, x = double(AttentiveStatsPooling(256, bottleneck=4, context=True)), noise(2, 256, 1024).double()
    weight = noise(2, 1024, seed=1).double().abs()
    together = [pooling(x), pooling(x, weight)]
    with torch.inference_mode():
        one_by_one = [pooling(x), pooling(x, weight)]
    for a, b in zip(together, one_by_one, strict=True):
        torch.testing.assert_close(b, a.detach())


def test_one_head_of_a_flat_query_is_the_mean(weight):
    pooling = MultiHeadAttentionPooling(DIM, heads=2).double()
    torch.nn.init.zeros_(pooling.query)
    torch.testing.assert_close(pooling(frames(), weight), MeanPooling(DIM)(frames(), weight))


def test_each_head_sees_its_own_channels_alone():
    pooling = double(MultiHeadAttentionPooling(DIM, heads=2))
    other = torch.cat([frames()[:, :3], noise(3, 3, FRAMES, seed=5).double()], dim=1)
    assert torch.equal(pooling(other)[:, :3], pooling(frames())[:, :3])
    assert not torch.allclose(pooling(other)[:, 3:], pooling(frames())[:, 3:])


def test_one_cluster_without_ghosts_is_the_mean_residual_at_unit_length(weight):
    pooling = double(NetVladPooling(DIM, clusters=1))
    residual = MeanPooling(DIM)(frames(), weight) - pooling.centres
    torch.testing.assert_close(pooling(frames(), weight), residual / residual.norm(dim=1, keepdim=True))


def test_vlad_whose_ghosts_attract_nothing_is_without_ghosts(weight):
    ghostly, plain = double(NetVladPooling(DIM, clusters=3, ghosts=2)), NetVladPooling(DIM, clusters=3).double()
    torch.nn.init.constant_(ghostly.assign.bias[3:], -1e3)
    plain.load_state_dict({name: value[:3] for name, value in ghostly.state_dict().items()})
    torch.testing.assert_close(ghostly(frames(), weight), plain(frames(), weight))


def test_frames_that_go_to_a_ghost_are_as_good_as_absent():
    pooling = NetVladPooling(2, clusters=2, ghosts=1).double()
    # A frame far out on the first axis belongs to the ghost.
    pooling.assign.weight = nn.Parameter(torch.tensor([[0.0, 1.0], [0.0, -1.0], [50.0, 0.0]]).double()[..., None])
    pooling.assign.bias = nn.Parameter(torch.tensor([0.0, 0.0, -500.0]).double())
    speech = 0.1 * noise(1, 2, 9).double()
    noisy = torch.cat([speech, torch.tensor([[[30.0], [0.4]]]).double()], dim=-1)
    torch.testing.assert_close(pooling(noisy), pooling(speech))


def test_a_vlad_and_each_of_its_clusters_have_their_lengths():
    pooled = double(NetVladPooling(DIM, clusters=3, ghosts=1))(frames())
    lengths = pooled.unflatten(1, (3, DIM)).norm(dim=-1)
    torch.testing.assert_close(lengths, torch.full((3, 3), 1 / math.sqrt(3)).double())


def test_a_dictionary_of_one_component_is_the_mean_deviation(weight):
    pooling = double(LearnableDictionaryPooling(DIM, components=1))
    torch.testing.assert_close(pooling(frames(), weight), MeanPooling(DIM)(frames(), weight) - pooling.centres)


def test_a_dictionary_of_large_scale_deals_each_frame_to_the_nearest_centre():
    pooling = double(LearnableDictionaryPooling(DIM, components=3))
    pooling.scale = nn.Parameter(torch.full((3,), 1e4).double())
    nearest = torch.cdist(frames().transpose(1, 2), pooling.centres[None]).argmin(-1)
    for x, centre_of, row in zip(frames(), nearest, pooling(frames()).unflatten(1, (3, DIM)), strict=True):
        for c, centre in enumerate(pooling.centres):
            torch.testing.assert_close(row[c], (x - centre[:, None])[:, centre_of == c].sum(1) / FRAMES)


def test_the_maximum_of_a_window_of_one_frame_is_the_frame(weight):
    expected = StatsPooling(DIM, unbiased=False)(frames(), weight)
    torch.testing.assert_close(MaxStatsPooling(DIM, window=1)(frames(), weight), expected)


def test_the_deviation_alone_is_half_of_the_statistics(weight):
    expected = StatsPooling(DIM, floor=1e-7)(frames(), weight)[:, DIM:]
    assert torch.equal(StdPooling(DIM)(frames(), weight), expected)


def test_the_statistics_are_those_of_the_textbook():
    expected = torch.cat([frames().mean(-1), frames().std(-1)], dim=1)
    torch.testing.assert_close(StatsPooling(DIM)(frames()), expected)


def test_the_last_frame_is_the_last_that_counts():
    pooling, weight = LastFramePooling(DIM), torch.ones(3, FRAMES)
    weight[1, 4:] = 0
    expected = torch.stack([frames()[0, :, -1], frames()[1, :, 3], frames()[2, :, -1]])
    assert torch.equal(pooling(frames(), weight), expected)


@pytest.mark.parametrize("form", [f for f in FORMS if f.startswith("relu-norm")])
def test_padding_changes_nothing_in_training_either(form):
    results = []
    for padding in (0, 8):
        pooling = double(AttentiveStatsPooling(DIM, bottleneck=4, activation=form)).train()
        padded = torch.cat([frames(), 9 * noise(3, DIM, padding, seed=3).double()], dim=-1)
        mask = torch.cat([torch.ones(3, FRAMES), torch.zeros(3, padding)], dim=-1).double()
        results.append((pooling(padded, mask), *pooling.buffers()))
    for without, padded in zip(*results, strict=True):
        torch.testing.assert_close(padded, without)


@pytest.mark.parametrize("heard", [0, 1])
def test_a_batch_norm_that_hears_too_little_to_learn_from_says_so(heard):
    pooling, weight = SelfAttentionPooling(DIM, bottleneck=4, activation="relu-norm").double(), torch.zeros(3, FRAMES)
    weight[1, :heard] = 1
    with pytest.raises(
        BadInput, match=r"^a batch norm learns from 2 frames of weight above 0 or more, .*; give longer"
    ):
        pooling(frames(), weight)
    with pytest.raises(BadInput, match=r"^a batch norm learns from 2 frames"):
        pooling(frames()[:1, :, :1])
    assert pooling(frames()[:1, :, :2]).isfinite().all()
    assert pooling.eval()(frames()[:1, :, :1]).isfinite().all()


def test_the_smallest_variance_is_the_floor_and_larger_ones_are_as_they_are():
    x = frames() * torch.tensor([0.0, 1e-4, 1.0, 1.0, 1.0, 1.0])[:, None]
    pooling = silenced(double(AttentiveStatsPooling(DIM, bottleneck=4, floor=1e-4)), "score")
    std = pooling(x)[:, DIM:]
    assert torch.equal(std[:, :2], torch.full((3, 2), 1e-4, dtype=torch.float64).sqrt())
    torch.testing.assert_close(std[:, 2:], x[:, 2:].std(-1, correction=0), rtol=1e-12, atol=0)


@pytest.mark.parametrize(
    ("pooling", "options", "message"),
    [
        (SelfAttentionPooling, {"attention": "matrix"}, r"^attention is 'scalar' or 'vector', not 'matrix'$"),
        (AttentiveStatsPooling, {"activation": "relu"}, r"^activation is one of tanh, .*, relu-norm-tanh, not 'relu'$"),
        (MultiHeadAttentionPooling, {"heads": 4}, r"^4 heads do not divide 6 channels; "),
        (MultiHeadAttentionPooling, {"heads": 0}, r"^0 heads do not divide 6 channels; "),
        (MultiQueryMultiHeadAttentionPooling, {"heads": 5}, r"^5 heads do not divide 6 channels; "),
        (MultiQueryMultiHeadAttentionPooling, {"heads": 3, "queries": 0}, r"^0 queries ask nothing; take 1 or more$"),
        (MultiQueryMultiHeadAttentionPooling, {"heads": 3, "layers": 3}, r"^an attention has 1 layer or 2, not 3$"),
        (MultiQueryMultiHeadAttentionPooling, {"heads": 3, "attention": "both"}, r"^attention is 'scalar' or 'vector'"),
        (LearnableDictionaryPooling, {"components": 0}, r"^a dictionary has 1 component or more, not 0$"),
        (NetVladPooling, {"clusters": 0}, r"^0 clusters and 0 ghosts: take 1 cluster or more, and 0 ghosts or more$"),
        (NetVladPooling, {"ghosts": -1}, r"^8 clusters and -1 ghosts: "),
        (MaxStatsPooling, {"window": 4}, r"^the window is an odd number of frames, 1 or more, not 4$"),
        (MaxStatsPooling, {"window": -1}, r"not -1$"),
    ],
)
def test_an_option_that_makes_no_pooling_is_refused_in_one_line(pooling, options, message):
    with pytest.raises(BadInput, match=message):
        pooling(DIM, **options)


@pytest.mark.parametrize("build", [AttentiveStatsPooling, partial(MultiQueryMultiHeadAttentionPooling, heads=3)])
def test_small_deviations_of_large_numbers_survive_half_precision(build):
    pooling = double(build(DIM)).float()
    whole = 100 + 0.1 * noise(2, DIM, FRAMES)
    deviations = pooling.double()(whole.double()).flatten(1)
    with torch.autocast("cpu", torch.bfloat16):
        found = pooling.float()(whole).double()
    small = deviations < 1
    torch.testing.assert_close(found[small], deviations[small], rtol=0.1, atol=0)
    assert small.sum() == small.numel() / 2
