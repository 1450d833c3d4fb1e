"""Filters that are learnt: they begin as published, keep their order, and go where the loss sends them."""

import math
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from voxsphere.audio.features import Fbank, Spectrogram
from voxsphere.audio.learnt_filters import LinearFilters, TriangularFilters
from voxsphere.audio.mel import kaldi_bank
from voxsphere.audio.sinc import SincFilters
from voxsphere.core.errors import BadInput

WAVE = np.load(Path(__file__).parents[1] / "goldens" / "audio" / "kaldi.npz")["wave"].astype(np.float64) / 32768
POWER = partial(Spectrogram, form="power")
OVER_SPECTRUM = [TriangularFilters, partial(TriangularFilters, sided=True), LinearFilters]


def tone(hertz: float, seconds: float = 0.4) -> Tensor:
    return 0.5 * torch.sin(2 * math.pi * hertz * torch.arange(round(seconds * 16000)).double() / 16000)[None].float()


@pytest.mark.parametrize("filters", OVER_SPECTRUM)
@pytest.mark.parametrize("count", [23, 80])
def test_untrained_filters_are_the_mel_bank_of_kaldi(filters, count):
    wave = torch.from_numpy(WAVE[None]).float()
    bank = kaldi_bank(sample_rate=16000, n_fft=512, num_mels=count, low_freq=20.0, high_freq=0.0)
    expected = (POWER()(wave).double() @ torch.from_numpy(bank)).log()
    torch.testing.assert_close(filters(of=POWER, num_filters=count)(wave).double(), expected, atol=1e-4, rtol=0)


@pytest.mark.parametrize("filters", OVER_SPECTRUM)
def test_untrained_filters_over_the_same_spectrum_are_the_filter_bank(filters):
    wave = torch.from_numpy(WAVE[None])
    spectrum = partial(Spectrogram, form="power", window="povey", preemphasis=0.0, remove_dc=False)
    bank = Fbank(num_mels=40, preemphasis=0.0, remove_dc=False)
    got = filters(of=spectrum, num_filters=40)(wave) + 2 * math.log(32768)
    torch.testing.assert_close(got, bank(wave), atol=1e-4, rtol=0)


@pytest.mark.parametrize("sided", [False, True])
def test_centres_keep_their_order_and_range_and_widths_their_sign_whatever_is_learnt(sided):
    filters = TriangularFilters(of=POWER, num_filters=20, sided=sided)
    with torch.no_grad():
        filters.gaps.copy_(5 * torch.randn(21, generator=torch.Generator().manual_seed(0)))
        filters.log_widths.copy_(-3 * torch.rand(2 if sided else 1, 20))
    centres = torch.cat([torch.tensor([filters.low]), filters.centres(), torch.tensor([filters.top])])
    assert (centres.diff() > 0).all()
    assert (filters.widths() > 0).all()
    assert filters.bank().min() == 0
    assert filters.bank().max() <= 1


def test_each_foot_of_a_sided_triangle_has_its_own_width():
    filters = TriangularFilters(of=POWER, num_filters=8, sided=True)
    with torch.no_grad():
        filters.log_widths[1] += math.log(2)
    bank, centre = filters.bank(), filters.centres()
    reach = filters.bins[bank[:, 4] > 0] - centre[4]
    left, right = filters.widths()[:, 4].tolist()
    assert right == pytest.approx(2 * left)
    assert -left < reach.min() < -0.9 * left
    assert 0.9 * right < reach.max() < right


def test_a_triangle_moves_to_a_tone():
    filters = TriangularFilters(of=POWER, num_filters=10)
    start = filters.centres()[4].item()
    wanted = start + 0.4 * (filters.centres()[5].item() - start)
    wave = tone(700 * (math.exp(wanted / 1127) - 1))
    optimizer = torch.optim.Adam([filters.gaps], lr=0.02)
    for _ in range(60):
        optimizer.zero_grad()
        (-filters(wave)[..., 4].mean()).backward()
        assert filters.gaps.grad.abs().min() > 0
        optimizer.step()
    assert abs(filters.centres()[4].item() - wanted) < 0.1 * abs(start - wanted)


def test_free_filters_grow_where_they_were_zero_and_are_never_negative():
    filters, wave = LinearFilters(of=POWER, num_filters=10), tone(3000.0)
    heard = 96  # 3000 Hz in bins of 31.25 Hz
    assert filters.weight[heard, 0] == 0
    optimizer = torch.optim.Adam(filters.parameters(), lr=0.1)
    for step in range(10):
        optimizer.zero_grad()
        energies = filters(wave)
        (energies[..., 9] - energies[..., 0]).mean().backward()
        optimizer.step()
        filters.after_step(step)
        assert filters.weight.min() == 0
    assert filters.weight[heard, 0] > 0.1
    with torch.no_grad():
        before = filters(wave)
        filters.weight[filters.weight == 0] = -1.0
    torch.testing.assert_close(filters(wave), before)


def sinc_filter(low: float, high: float, length: int) -> np.ndarray:
    """Equation 4 under the window, sample by sample; frequencies in cycles a sample."""
    taps = []
    for i in range(length):
        n = i - length // 2
        if n == 0:
            value = 2 * high - 2 * low
        else:
            value = math.sin(2 * math.pi * high * n) / (math.pi * n) - math.sin(2 * math.pi * low * n) / (math.pi * n)
        taps.append(value * (0.54 - 0.46 * math.cos(2 * math.pi * i / (length - 1))))
    return np.array(taps)


@pytest.mark.parametrize("stride", [1, 5])
def test_sinc_features_are_the_mean_powers_behind_the_filters_of_the_paper(stride):
    front = SincFilters(num_filters=6, length=101, stride=stride).double()
    low, high = (x.detach().numpy() / 16000 for x in front.cutoffs())
    got = front(torch.from_numpy(WAVE[None, :3000]))[0].detach().numpy()
    padded = np.pad(WAVE[:3000], 50)
    for band in range(6):
        g = sinc_filter(low[band], high[band], 101)
        passed = np.array([padded[t : t + 101] @ g for t in range(0, 3000, stride)])
        span, hop = 400 // stride, 160 // stride
        powers = [np.mean(passed[t : t + span] ** 2) for t in range(0, len(passed) - span + 1, hop)]
        np.testing.assert_allclose(got[:, band], np.log(powers), atol=1e-5)


def test_sinc_filters_begin_as_equal_mel_bands_at_the_least_cutoffs():
    low, high = SincFilters().cutoffs()
    mel = 2595 * torch.log10(1 + (low - 50) / 700)
    torch.testing.assert_close(mel.diff(), mel.diff().mean().expand(79), atol=0.02, rtol=0)
    torch.testing.assert_close(low[0], torch.tensor(80.0), atol=0.01, rtol=0)
    torch.testing.assert_close(high[:-1] - 100, low[1:] - 50, atol=0.01, rtol=0)
    assert high[-1] == 8000


def test_a_tone_passes_its_band_and_no_other():
    front = SincFilters(num_filters=8)
    low, high = front.cutoffs()
    inside = int((low[4] + high[4]) / 2)
    powers = front(tone(inside))[0, 5:-5].mean(0)
    assert powers[4].item() == pytest.approx(math.log(0.5**2 / 2), abs=0.02)
    assert (powers[[0, 1, 2, 6, 7]] < powers[4] - 8).all()


def test_a_sinc_filter_moves_to_a_tone():
    front = SincFilters(num_filters=8, length=251, stride=5)
    low, high = (x[4].item() for x in front.cutoffs())
    heard = high + 0.3 * (high - low)
    noise = 0.1 * torch.randn(1, 6400, generator=torch.Generator().manual_seed(0))
    optimizer = torch.optim.Adam(front.parameters(), lr=0.03)
    for _ in range(40):
        optimizer.zero_grad()
        (front(noise)[..., 4] - front(tone(heard))[..., 4]).mean().backward()
        optimizer.step()
    low, high = (x[4].item() for x in front.cutoffs())
    assert low < heard < high


@pytest.mark.parametrize("samples", [400, 559, 560, 16001])
def test_the_number_of_frames_is_foretold(samples):
    fronts = [SincFilters(num_filters=4, length=51), SincFilters(num_filters=4, length=51, stride=10)]
    for front in [*fronts, TriangularFilters(of=POWER), LinearFilters(of=POWER)]:
        assert front(torch.randn(2, samples)).shape == (2, front.frames_of(samples), front.dim)
        assert front.frames_of(samples) == Fbank().frames_of(samples)
        assert (front.input, front.sample_rate, front.hop) == ("wave", 16000, 160)
        assert front.frames_of(399) == 0


def test_silence_has_finite_features_and_gradients():
    for front in (SincFilters(num_filters=4), TriangularFilters(of=POWER), LinearFilters(of=POWER)):
        front(torch.zeros(1, 800)).sum().backward()
        assert all(p.grad.isfinite().all() for p in front.parameters())


def test_autocast_leaves_learnt_filters_in_full_precision():
    wave = torch.from_numpy(WAVE[None]).float()
    for front in (SincFilters(num_filters=4), TriangularFilters(of=POWER), LinearFilters(of=POWER)):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            cast = front(wave)
        assert torch.equal(cast, front(wave))


def test_what_cannot_be_is_refused():
    with pytest.raises(BadInput, match="take form='power'"):
        TriangularFilters(of=partial(Spectrogram, form="log"))
    with pytest.raises(ValueError, match="does not fit"):
        LinearFilters(of=POWER, high_freq=9000.0)
    with pytest.raises(BadInput, match="take an odd length"):
        SincFilters(length=250)
    with pytest.raises(BadInput, match="stride 3 does not divide frames of 400"):
        SincFilters(stride=3)
    with pytest.raises(BadInput, match="399 samples is shorter than one frame"):
        SincFilters()(torch.zeros(1, 399))
