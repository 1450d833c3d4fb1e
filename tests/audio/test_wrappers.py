"""Front ends around front ends: deltas, normalisations and stacks, against slow loops and by their laws."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.signal import butter, savgol_filter, sosfilt
from torch import Tensor, nn

from voxsphere.audio.band_passed import BandPassed
from voxsphere.audio.deltas import Deltas
from voxsphere.audio.features import Fbank, Mfcc
from voxsphere.audio.normalisation import FrameNorm, GlobalNorm, SlidingNorm, UtteranceNorm
from voxsphere.audio.stacking import Stacked
from voxsphere.audio.stored import Stored
from voxsphere.core.errors import BadInput

WAVE = np.load(Path(__file__).parents[1] / "goldens" / "audio" / "kaldi.npz")["wave"].astype(np.float64) / 32768
FBANK = partial(Fbank, num_mels=20)


class Given(nn.Module):
    """A front end whose frames are given: sample t of the wave is the number of the frame."""

    input, sample_rate, hop = "wave", 16000, 160

    def __init__(self, values: np.ndarray) -> None:
        super().__init__()
        self.values, self.dim = torch.from_numpy(values), values.shape[1]

    def forward(self, wave: Tensor) -> Tensor:
        return self.values[None, : wave.shape[1]].to(wave.dtype)

    def frames_of(self, samples: int) -> int:
        return samples


def given(frames: int, dim: int = 3, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(5.0, 2.0, (frames, dim))


def run(wrapper: "partial[nn.Module]", values: np.ndarray) -> np.ndarray:
    """What the wrapper makes of these frames, in float64."""
    with torch.inference_mode():
        made: np.ndarray = wrapper(of=partial(Given, values)).double()(torch.zeros(1, len(values)).double())[0].numpy()
    return made


def kaldi_deltas(x: np.ndarray, order: int, window: int) -> np.ndarray:
    """Kaldi's DeltaFeatures by its own loops."""
    scales = [np.ones(1)]
    for _ in range(order):
        before = (len(scales[-1]) - 1) // 2
        current, normaliser = np.zeros(len(scales[-1]) + 2 * window), 0.0
        for j in range(-window, window + 1):
            normaliser += j * j
            for k in range(-before, before + 1):
                current[j + k + before + window] += j * scales[-1][k + before]
        scales.append(current / normaliser)
    rows = []
    for t in range(len(x)):
        parts = []
        for scale in scales:
            offset = (len(scale) - 1) // 2
            parts.append(sum(scale[j + offset] * x[min(max(t + j, 0), len(x) - 1)] for j in range(-offset, offset + 1)))
        rows.append(np.concatenate(parts))
    return np.array(rows)


@pytest.mark.parametrize(("frames", "order", "window"), [(40, 2, 2), (1, 2, 2), (3, 2, 2), (25, 1, 3), (25, 3, 1)])
def test_deltas_are_those_of_kaldi_also_at_the_ends_and_in_very_short_utterances(frames, order, window):
    x = given(frames)
    got = run(partial(Deltas, order=order, window=window), x)
    np.testing.assert_allclose(got, kaldi_deltas(x, order, window), atol=1e-6)


@pytest.mark.parametrize("window", [1, 2, 4])
def test_fitted_deltas_are_those_of_librosa(window):
    x, width = given(30), 2 * window + 1
    expected = [savgol_filter(x, width, deriv=n, polyorder=n, axis=0, mode="interp") for n in (1, 2)]
    got = run(partial(Deltas, window=window, form="librosa"), x)
    np.testing.assert_allclose(got, np.concatenate([x, *expected], axis=1), atol=1e-6)


def test_deltas_tell_a_line_and_a_parabola():
    time = np.arange(30.0)[:, None]
    line, parabola = run(partial(Deltas), 0.3 * time + 1)[4:-4], run(partial(Deltas, form="librosa"), time**2)[2:-2]
    np.testing.assert_allclose(line[:, 1:], [[0.3, 0.0]] * 22, atol=1e-6)
    np.testing.assert_allclose(parabola[:, 1:], np.hstack([2 * time[2:-2], np.full((26, 1), 2.0)]), atol=1e-5)


def kaldi_sliding(x: np.ndarray, window: int, min_window: int, centred: bool, variance: bool) -> np.ndarray:
    """Kaldi's SlidingWindowCmn, each window anew."""
    y = np.zeros_like(x)
    for t in range(len(x)):
        begin, end = (t - window // 2, t - window // 2 + window) if centred else (t - window, t + 1)
        if begin < 0:
            begin, end = 0, end - begin
        if not centred and end > t:
            end = max(t + 1, min_window)
        if end > len(x):
            begin, end = max(0, begin - (end - len(x))), len(x)
        y[t] = x[t] - x[begin:end].mean(0)
        if variance:
            spread = np.maximum(np.square(x[begin:end]).mean(0) - x[begin:end].mean(0) ** 2, 1e-10)
            y[t] = 0 if end - begin == 1 else y[t] / np.sqrt(spread)
    return y


@pytest.mark.parametrize("variance", [False, True])
@pytest.mark.parametrize("centred", [False, True])
@pytest.mark.parametrize(
    ("frames", "window", "min_window"),
    [(500, 300, 100), (200, 300, 100), (50, 300, 100), (1, 300, 100), (60, 11, 4), (60, 10, 10), (30, 1, 1)],
)
def test_sliding_means_are_those_of_kaldi(frames, window, min_window, centred, variance):
    x = given(frames)
    got = run(partial(SlidingNorm, window=window, min_window=min_window, centred=centred, variance=variance), x)
    np.testing.assert_allclose(got, kaldi_sliding(x, window, min_window, centred, variance), atol=1e-9)


def test_a_band_that_never_changes_becomes_zeros_and_has_finite_gradients():
    x = np.full((400, 2), 17.3)
    for wrapper in (partial(SlidingNorm, variance=True), partial(UtteranceNorm, variance=True), FrameNorm):
        model = wrapper(of=partial(Given, x)).double()
        model.of.values.requires_grad_(True)
        y = model(torch.zeros(1, 400).double())
        y.sum().backward()
        assert y.abs().max() < 1e-9
        assert model.of.values.grad.isfinite().all()


def test_over_the_utterance_mean_and_variance_are_taken_away():
    x = given(50)
    np.testing.assert_allclose(run(UtteranceNorm, x), x - x.mean(0), atol=1e-12)
    np.testing.assert_allclose(
        run(partial(UtteranceNorm, variance=True, eps=0.0), x), (x - x.mean(0)) / x.std(0), atol=1e-9
    )
    unbiased = run(partial(UtteranceNorm, variance=True, unbiased=True, eps=1e-7), x)
    np.testing.assert_allclose(unbiased, (x - x.mean(0)) / np.sqrt(x.var(0, ddof=1) + 1e-7), atol=1e-9)
    assert np.all(run(partial(UtteranceNorm, variance=True, unbiased=True), x[:1]) == 0)


def test_instance_norm_is_that_of_torch():
    x = given(50)
    norm = UtteranceNorm(of=partial(Given, x), variance=True, affine=True).double()
    theirs = nn.InstanceNorm1d(3, affine=True).double()
    with torch.no_grad():
        for one, other in ((norm.scale, theirs.weight), (norm.shift, theirs.bias)):
            one.copy_(torch.tensor([0.5, 2.0, -1.0]))
            other.copy_(one)
    got = norm(torch.zeros(1, 50).double())
    torch.testing.assert_close(got, theirs(torch.from_numpy(x)[None].transpose(1, 2)).transpose(1, 2))


def test_a_mean_over_the_utterance_is_what_the_filter_bank_takes_away_itself():
    wave = torch.from_numpy(WAVE[None]).float()
    torch.testing.assert_close(UtteranceNorm(of=FBANK)(wave), Fbank(num_mels=20, cmn=True)(wave), atol=0, rtol=0)


def test_each_frame_has_its_own_mean_and_deviation():
    x = given(20, dim=8)
    np.testing.assert_allclose(run(FrameNorm, x), (x - x.mean(1, keepdims=True)) / x.std(1, keepdims=True), atol=1e-12)


def test_fitted_numbers_normalise_the_data_they_were_fitted_on_and_are_saved():
    waves = [torch.from_numpy(WAVE[None, :8000]).float(), torch.from_numpy(WAVE[8000:].reshape(2, -1)).float()]
    norm = GlobalNorm(of=FBANK)
    norm.fit(waves)
    frames = torch.cat([norm(wave).flatten(0, 1) for wave in waves])
    torch.testing.assert_close(frames.mean(0), torch.zeros(20), atol=1e-4, rtol=0)
    torch.testing.assert_close(frames.std(0, correction=0), torch.ones(20), atol=1e-4, rtol=0)
    again = GlobalNorm(of=FBANK)
    again.load_state_dict(norm.state_dict())
    assert torch.equal(again(waves[1]), norm(waves[1]))


def test_a_feature_that_never_changes_is_only_centred_by_its_fit():
    x = np.hstack([given(30, dim=1), np.full((30, 1), 7.1)])
    norm = GlobalNorm(of=partial(Given, x))
    norm.fit([torch.zeros(1, 30)])
    assert norm.deviation[1] == 1
    np.testing.assert_allclose(norm.mean.numpy(), x.mean(0), rtol=1e-6)
    with pytest.raises(BadInput, match="no frames"):
        norm.fit([])


def test_two_numbers_for_all_features_are_those_of_all_their_values():
    x = given(40) * [1, 10, 0.1] + [0, 5, -3]
    norm = GlobalNorm(of=partial(Given, x), counted="all")
    norm.fit([torch.zeros(1, 25), torch.zeros(1, 40)])
    both = np.concatenate([x[:25].reshape(-1), x.reshape(-1)])
    np.testing.assert_allclose(norm.mean.numpy(), np.full(3, both.mean()), rtol=1e-6)
    np.testing.assert_allclose(norm.deviation.numpy(), np.full(3, both.std()), rtol=1e-6)
    with pytest.raises(BadInput, match="'no', 'each' or 'all'"):
        GlobalNorm(of=partial(Given, x), counted="speaker")


def test_given_numbers_are_one_for_all_or_one_each():
    x = given(10)
    np.testing.assert_allclose(run(partial(GlobalNorm, mean=2.0, deviation=4.0), x), (x - 2) / 4, atol=1e-6)
    got = run(partial(GlobalNorm, mean=(1.0, 2.0, 3.0), deviation=(1.0, 2.0, 4.0)), x)
    np.testing.assert_allclose(got, (x - [1, 2, 3]) / [1, 2, 4], atol=1e-6)


def test_stacks_hold_their_frames_in_order():
    x = given(11, dim=2)
    expected = np.stack([x[t : t + 4].reshape(-1) for t in range(0, 8, 3)])
    np.testing.assert_allclose(run(partial(Stacked, count=4, every=3), x), expected)
    np.testing.assert_allclose(run(partial(Stacked, count=1, every=2), x), x[::2])


@pytest.mark.parametrize(("low", "high", "order"), [(300.0, 3000.0, 15), (50.0, 7000.0, 2)])
def test_the_band_is_scipys_causal_filter(low, high, order):
    sections = butter(order, (low, high), "bandpass", fs=16000, output="sos")
    expected = sosfilt(sections, WAVE).astype(np.float32)
    got = BandPassed(of=FBANK, low=low, high=high, order=order)(torch.from_numpy(WAVE[None]).float())
    # Where the filter leaves nothing there is rounding alone to compare.
    heard = slice(4, 16) if order == 15 else slice(None)
    torch.testing.assert_close(
        got[..., heard], FBANK()(torch.from_numpy(expected[None]))[..., heard], atol=3e-2, rtol=0
    )


def test_a_band_that_cannot_be_is_refused():
    for reason, options in {
        "does not lie below half of 16000 Hz": {"high": 8000.0},
        "give a lower edge above 0": {"low": 0.0},
        "no order from 1 to 30": {"order": 0},
        "rings for too long": {"low": 1000.0, "high": 1000.1},
    }.items():
        with pytest.raises(BadInput, match=reason):
            BandPassed(of=FBANK, **options)
    with pytest.raises(BadInput, match="no wave to filter"):
        BandPassed(of=partial(Stored, dim=3))


WRAPPERS = {
    "band": partial(BandPassed, of=FBANK),
    "deltas": partial(Deltas, of=FBANK),
    "librosa deltas": partial(Deltas, of=FBANK, form="librosa"),
    "utterance": partial(UtteranceNorm, of=FBANK, variance=True, unbiased=True),
    "sliding": partial(SlidingNorm, of=FBANK, window=30, min_window=7, variance=True),
    "sliding causal": partial(SlidingNorm, of=FBANK, window=30, min_window=7, centred=False),
    "global": partial(GlobalNorm, of=FBANK, mean=10.0, deviation=3.0),
    "frame": partial(FrameNorm, of=FBANK),
    "stacked": partial(Stacked, of=FBANK, count=5, every=2),
    "all": partial(Stacked, of=partial(SlidingNorm, of=partial(Deltas, of=partial(Mfcc, num_ceps=5)))),
}


@pytest.mark.parametrize("name", WRAPPERS)
@pytest.mark.parametrize("samples", [1360, 1679, 1680, 16001])
def test_the_number_of_frames_is_foretold_and_the_rest_is_passed_on(name, samples):
    model = WRAPPERS[name]()
    assert model(0.1 * torch.randn(2, samples)).shape == (2, model.frames_of(samples), model.dim)
    assert (model.input, model.sample_rate) == ("wave", 16000)
    assert model.hop == (320 if name in ("stacked", "all") else 160)


@pytest.mark.slow
@pytest.mark.parametrize("name", WRAPPERS)
def test_an_exported_wrapper_takes_any_batch_and_length(name):
    model = WRAPPERS[name]().eval()
    shapes = {0: torch.export.Dim("batch", min=1, max=64), 1: torch.export.Dim("samples", min=1360, max=480000)}
    exported = torch.export.export(model, (torch.zeros(2, 16000),), dynamic_shapes=(shapes,)).module()
    for batch, length in ((1, 1600), (3, 23457)):
        wave = torch.randn(batch, length, generator=torch.Generator().manual_seed(1))
        torch.testing.assert_close(exported(wave), model(wave), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("name", WRAPPERS)
def test_autocast_leaves_wrapped_features_in_full_precision(name):
    model, wave = WRAPPERS[name](), torch.from_numpy(WAVE[None]).float()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        cast = model(wave)
    assert torch.equal(cast, model(wave))


def test_what_cannot_be_is_refused():
    refused = {
        "no form 'htk' of deltas; there are: kaldi, librosa": partial(Deltas, form="htk"),
        "both are to be 1 or more": partial(Deltas, window=0),
        "3 frames fix no polynomial of degree 3": partial(Deltas, form="librosa", window=1, order=3),
        "min_window is 1 to window": partial(SlidingNorm, window=50),
        "mean holds 2 numbers for 20 features": partial(GlobalNorm, mean=(1.0, 2.0)),
        "not above 0": partial(GlobalNorm, deviation=0.0),
        "stacks of 0 frames": partial(Stacked, count=0),
    }
    for reason, wrapper in refused.items():
        with pytest.raises(BadInput, match=reason):
            wrapper(of=FBANK)
    with pytest.raises(BadInput, match="2 frames are too few to stack 3"):
        Stacked(of=FBANK, count=3)(torch.zeros(1, 560))
    with pytest.raises(BadInput, match="2 frames are too few to fit derivatives over 5"):
        Deltas(of=FBANK, form="librosa")(torch.zeros(1, 560))
