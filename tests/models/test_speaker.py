"""SpeakerModel: short and long waves, masks and weights, modes, and what it refuses."""

from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from presets import SMALL
from seeded import noise, seeded
from small import Frames
from torch import Tensor

from voxsphere.audio.features import Fbank
from voxsphere.core.errors import BadInput
from voxsphere.models.encoders.tdnn import Tdnn
from voxsphere.models.poolings.statistics import StatsPooling
from voxsphere.models.projection import Affine, LinearNorm
from voxsphere.models.speaker import SpeakerModel

RATE = 16000
TINY = partial(
    SpeakerModel,
    features=partial(Fbank, num_mels=20),
    encoder=partial(Tdnn, width=8, last=12),
    pooling=StatsPooling,
    projection=partial(LinearNorm, dim=6),
)


def build(recipe: "partial[SpeakerModel]") -> SpeakerModel:
    model = recipe()
    model.load_state_dict(seeded(model))
    return model.eval()


def wave(seconds: float, seed: int = 0) -> Tensor:
    return 0.1 * noise(round(seconds * RATE), seed=seed)


def same(one: np.ndarray, other: np.ndarray) -> bool:
    return bool(np.linalg.norm(one - other) < 1e-5 * np.linalg.norm(other))


def plain(model: SpeakerModel, one: Tensor) -> np.ndarray:
    with torch.inference_mode():
        return model(one[None])[0].numpy()


def test_a_short_wave_is_repeated_up_to_min_seconds():
    model, short = build(partial(TINY, min_seconds=0.8)), wave(0.3)
    by_hand = torch.cat([short, short, short])[: round(0.8 * RATE)]
    assert same(model.embed([short])[0], plain(model, by_hand))


def test_a_mirrored_short_wave_runs_forwards_and_backwards_in_turn():
    model, short = build(partial(TINY, min_seconds=0.8, short="mirror")), wave(0.3)
    by_hand = torch.cat([short, short.flip(0), short])[: round(0.8 * RATE)]
    assert same(model.embed([short])[0], plain(model, by_hand))


def test_a_wave_of_min_seconds_or_more_is_left_as_it_is():
    model = build(partial(TINY, min_seconds=0.8))
    for exact in (wave(0.8), wave(0.81)):
        assert same(model.embed([exact])[0], plain(model, exact))


def test_a_long_wave_is_the_weighted_average_of_equal_windows():
    model, long = build(partial(TINY, max_seconds=1.0)), wave(2.5)
    thirds = [plain(model, part) for part in (long[:13333], long[13333:26666], long[26666:])]
    assert model.windows(len(long)) == (slice(0, 13333), slice(13333, 26666), slice(26666, 40000))
    assert same(model.embed([long])[0], np.mean(thirds, axis=0))
    weighted = model.embed([long, wave(0.9)], weights=[[1.0, 0.0, 3.0], [1.0]])
    assert same(weighted[0], (thirds[0] + 3 * thirds[2]) / 4)
    assert same(weighted[1], plain(model, wave(0.9)))
    assert same(model.embed([long], weights=[[0.0, 0.0, 0.0]])[0], np.mean(thirds, axis=0))


@given(st.integers(1, 10**8), st.floats(0.5, 100))
def test_windows_cover_a_wave_without_gaps_and_differ_by_a_sample_at_most(samples, longest):
    model = TINY(min_seconds=0.0, max_seconds=longest)
    windows = model.windows(samples)
    lengths = [window.stop - window.start for window in windows]
    assert [window.start for window in windows[1:]] == [window.stop for window in windows[:-1]]
    assert (windows[0].start, windows[-1].stop) == (0, samples)
    assert max(lengths) - min(lengths) <= 1
    assert max(lengths) <= round(longest * RATE)
    assert len(windows) == 1 or (len(windows) - 1) * round(longest * RATE) < samples


def test_batches_hold_no_more_than_the_seconds_allowed(monkeypatch):
    model = build(TINY)
    sizes: list[int] = []
    model.features.register_forward_pre_hook(lambda module, inputs: sizes.append(len(inputs[0])))
    model.embed([wave(1, seed) for seed in range(5)], batch_seconds=2)
    model.embed([wave(1, seed) for seed in range(2)], batch_seconds=0.5)
    assert sizes == [2, 2, 1, 1, 1]


def test_numpy_and_tensors_of_any_float_type_are_taken_alike():
    model, one = build(TINY), wave(1)
    rows = model.embed([one, one.numpy(), one.double(), one.numpy().astype(np.float64)])
    assert all(np.array_equal(row, rows[0]) for row in rows)


def test_reversed_and_read_only_arrays_are_taken():
    model, one = build(TINY), wave(1).numpy()
    backwards = one[::-1]
    read_only = one.copy()
    read_only.flags.writeable = False
    rows = model.embed([backwards, backwards.copy(), read_only, one])
    assert np.array_equal(rows[0], rows[1])
    assert np.array_equal(rows[2], rows[3])


def test_no_waves_give_no_embeddings():
    assert build(TINY).embed([]).shape == (0, 6)


def test_embedding_never_trains_and_leaves_every_part_in_its_mode():
    model = build(TINY).train()
    model.encoder.layers[0].eval()
    modes = [module.training for module in model.modules()]
    state = {name: value.clone() for name, value in model.state_dict().items()}
    embedding = model.embed([wave(1)])[0]
    assert [module.training for module in model.modules()] == modes
    assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())
    assert same(embedding, plain(model.eval(), wave(1)))


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (torch.zeros(0), "holds no samples"),
        (torch.full((RATE,), torch.nan), "not finite"),
        (torch.tensor([0.0] * RATE + [torch.inf]), "not finite"),
        (torch.zeros(2, RATE), "one axis"),
        (torch.zeros(399), "25 ms"),
        (np.zeros(RATE, dtype=np.int16), "int16"),
    ],
)
def test_a_wave_that_cannot_be_embedded_is_refused_in_one_line(bad, said):
    model = build(TINY)
    with pytest.raises(BadInput, match=said) as refused:
        model.embed([bad])
    assert "\n" not in str(refused.value)
    with pytest.raises(BadInput, match=f"^wave 1: .*{said}"):
        model.embed([wave(1), bad])


def test_the_shortest_wave_it_names_is_embedded():
    model = build(TINY)
    assert np.isfinite(model.embed([wave(1)[: model.shortest]])).all()


def test_weights_must_be_one_a_window():
    with pytest.raises(BadInput, match="2 weights for 1 windows"):
        build(TINY).embed([wave(1)], weights=[[1.0, 2.0]])


@pytest.mark.parametrize("options", [{"short": "loop"}, {"min_seconds": -1.0}, {"min_seconds": 61.0}])
def test_options_out_of_range_are_refused(options):
    with pytest.raises(BadInput):
        TINY(**options)


def test_masked_features_are_not_seen():
    model = build(partial(TINY, features=Frames, projection=Affine))
    mask = torch.ones(2, 40, 80)
    mask[:, 10:20] = 0
    mask[:, :, 3:9] = 0
    one, other = noise(2, 40, 80), noise(2, 40, 80, seed=1)
    mixed = torch.where(mask > 0, one, other)
    assert torch.equal(model(mixed, masks=mask), model(one, masks=mask))
    assert not torch.equal(model(mixed), model(one))
    assert torch.equal(model(one, masks=torch.ones_like(mask)), model(one))


def test_a_weight_counts_the_encoders_frames():
    model, waves = build(TINY), wave(1)[None]
    frames = model.frames(waves)
    weight = (torch.arange(frames.shape[-1]) < 20).float()[None]
    assert torch.equal(model.pooled(waves, weight=weight), model.pooling(frames, weight))
    torch.testing.assert_close(model(waves, weight=weight), model.projection(model.pooling(frames[..., :20])))


@pytest.mark.parametrize("name", ["CamPlusPlus", "GE2ELstm"])
def test_parts_ask_their_neighbours_for_dimensions(name):
    model = SMALL[name]()
    assert (model.sample_rate, model.dim) == (model.features.sample_rate, model.projection.dim)
    assert model.pooling.dim in (model.encoder.dim, 2 * model.encoder.dim)
