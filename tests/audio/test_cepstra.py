"""Linear prediction, its cepstrum and mel-cepstral analysis: SPTK's loops, laws, and the graphs they must fit in."""

from functools import partial
from pathlib import Path

import numpy as np
import oracle_sptk
import pytest
import torch
from scipy.signal import lfilter

from voxsphere.audio.features import Fbank
from voxsphere.audio.lpc import Lpc, levinson_durbin
from voxsphere.audio.lpcc import Lpcc
from voxsphere.audio.mel_cepstrum import MelCepstrum
from voxsphere.audio.wave import read
from voxsphere.core.errors import BadInput

# 1 s of a voice at 16 kHz; every other sample of it stands for telephone speech.
SPEECH = np.load(Path(__file__).parents[1] / "goldens" / "audio" / "kaldi.npz")["wave"].astype(np.float64)[::2] / 32768
TIME = np.arange(1200) / 8000
SIGNALS = {
    "speech": SPEECH[2000:3200],
    "noise": 0.1 * np.random.default_rng(1).normal(size=1200),
    "harmonics": sum(0.2 / k * np.sin(2 * np.pi * 130 * k * TIME) for k in range(1, 25)) + 1e-3 * np.cos(TIME * 9e3),
}
GOLDEN = np.load(Path(__file__).parents[1] / "goldens" / "audio" / "sptk.npz")
FRONTS = [Lpc(), Lpcc(order=12, num_ceps=19), MelCepstrum(), MelCepstrum(centred=False, energy=False)]


def run(module: torch.nn.Module, wave: np.ndarray, dtype: torch.dtype = torch.float64) -> np.ndarray:
    with torch.inference_mode():
        features: np.ndarray = module(torch.from_numpy(wave).to(dtype)[None])[0].numpy()
    return features


@pytest.fixture(params=SIGNALS)
def wave(request) -> np.ndarray:
    return SIGNALS[request.param]


@pytest.mark.parametrize(
    ("key", "module"),
    [
        ("lpc_12", Lpc(order=12)),
        ("lpcc_12_16", Lpcc(order=12, num_ceps=16)),
        ("mcep_20_31", MelCepstrum()),
        ("mcep_12_42", MelCepstrum(order=12, alpha=0.42)),
    ],
)
def test_analyses_are_those_of_sptk_3(key, module):
    np.testing.assert_allclose(run(module, SPEECH), GOLDEN[key], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("order", [8, 20])
def test_lpc_solves_the_normal_equations(wave, order):
    expected = np.array([oracle_sptk.lpc(frame, order) for frame in oracle_sptk.shaped_frames(wave)])
    # Only the window is rounded to float32; the equations of a harmonic sound magnify that a thousandfold.
    np.testing.assert_allclose(run(Lpc(order=order), wave), expected, rtol=1e-4, atol=2e-3)
    np.testing.assert_allclose(np.median(np.abs(run(Lpc(order=order), wave) - expected)), 0, atol=1e-5)


def test_levinson_and_durbin_solve_what_any_solver_solves():
    lags = torch.from_numpy(np.exp(-np.linspace(0, 2, 13)) * np.cos(np.arange(13)))[None, None]
    a = levinson_durbin(lags)[0, 0].numpy()
    r = lags[0, 0].numpy()
    matrix = r[np.abs(np.subtract.outer(np.arange(12), np.arange(12)))]
    np.testing.assert_allclose(a[1:], np.linalg.solve(matrix, -r[1:]), atol=1e-12)
    np.testing.assert_allclose(a[0] ** 2, r[0] + a[1:] @ r[1:], rtol=1e-12)


def test_the_filter_that_made_a_sound_is_found_again_with_its_gain():
    a, gain = [1.0, -1.2, 0.9, -0.3], 0.02
    noise = np.random.default_rng(0).normal(size=80000)
    got = run(Lpc(order=3, frame_length=0.1), lfilter([gain], a, noise)).mean(0)
    np.testing.assert_allclose(got[1:], a[1:], atol=0.02)
    assert got[0] == pytest.approx(gain * 32768, rel=0.02)  # the windows' squares add up to 1


@pytest.mark.parametrize(("order", "num_ceps"), [(8, 20), (20, 20), (16, 5)])
def test_lpcc_is_the_cepstrum_of_the_predictors_spectrum(wave, order, num_ceps):
    predictors = run(Lpc(order=order), wave)
    expected = np.array([oracle_sptk.lpc2c(a, num_ceps) for a in predictors])
    np.testing.assert_allclose(run(Lpcc(order=order, num_ceps=num_ceps), wave), expected, atol=1e-6)


@pytest.mark.parametrize(("order", "alpha"), [(20, 0.31), (12, 0.42), (15, 0.0)])
def test_mel_cepstra_are_those_of_sptk(wave, order, alpha):
    expected = np.array([oracle_sptk.mcep(frame, order, alpha, 1e-8) for frame in oracle_sptk.shaped_frames(wave)])
    np.testing.assert_allclose(
        run(MelCepstrum(order=order, alpha=alpha), wave), expected, atol=1e-4
    )  # the tables are float32


def test_mel_cepstra_at_16_khz_are_those_of_sptk():
    frames = oracle_sptk.shaped_frames(SPEECH[:2000], 400, 160)
    expected = np.array([oracle_sptk.mcep(frame, 24, 0.42, 1e-8, 512) for frame in frames])
    got = run(MelCepstrum(sample_rate=16000, frame_length=0.025, order=24), SPEECH[:2000])
    np.testing.assert_allclose(got, expected, atol=2e-5)


def test_at_the_minimum_the_whitened_spectrum_is_white(wave):
    """r_m = (-α)^m: no direction is left in which the criterion falls."""
    order, alpha = 20, 0.31
    omega = 2 * np.pi * np.arange(256) / 256
    phase = np.angle(np.exp(-1j * omega) - alpha) - np.angle(1 - alpha * np.exp(-1j * omega))
    cosines = np.cos(np.outer(np.arange(order + 1), phase))
    for c, frame in zip(run(MelCepstrum(), wave), oracle_sptk.shaped_frames(wave), strict=True):
        ratio = (np.abs(np.fft.fft(frame, 256)) ** 2 + 1e-8) / np.exp(2 * c @ cosines)
        np.testing.assert_allclose(cosines @ ratio / 256, (-alpha) ** np.arange(order + 1), atol=1e-4)


@pytest.mark.parametrize("module", [Lpcc(), MelCepstrum()], ids=lambda m: type(m).__name__)
def test_loudness_moves_the_first_cepstrum_alone(module):
    soft, loud = run(module, SPEECH), run(module, 4 * SPEECH)
    np.testing.assert_allclose(loud[:, 0] - soft[:, 0], np.log(4), atol=1e-6)
    np.testing.assert_allclose(loud[:, 1:], soft[:, 1:], atol=1e-6)


@pytest.mark.parametrize("module", [Lpc, Lpcc, MelCepstrum])
def test_without_its_first_element_the_rest_is_the_same(module):
    bare = module(gain=False) if module is Lpc else module(energy=False)
    np.testing.assert_array_equal(run(bare, SPEECH), run(module(), SPEECH)[:, 1:])
    assert (bare.dim, module().dim) == (20, 21)


def test_of_silence_a_level_is_left():
    silence = np.zeros(4000)
    assert np.all(run(Lpc(), silence) == np.array([1e-4] + [0.0] * 20))
    for module in (Lpcc(), MelCepstrum()):
        np.testing.assert_allclose(run(module, silence), [[np.log(1e-8) / 2] + [0.0] * 20] * 50, atol=1e-6)


@pytest.mark.parametrize("module", FRONTS, ids=lambda m: type(m).__name__)
@pytest.mark.parametrize(
    "wave",
    [np.sin(0.5 * np.arange(3000)), np.ones(3000), np.eye(1, 3000, 1000)[0], np.sign(np.sin(0.1 * np.arange(3000)))],
    ids=["tone", "direct current", "click", "square"],
)
def test_what_no_voice_makes_has_finite_features(module, wave):
    for level in (1.0, 1e-6):
        got = run(module, level * wave, torch.float32)
        assert np.isfinite(got).all()
        assert np.abs(got).max() < 1e5


@pytest.mark.parametrize("module", FRONTS, ids=lambda m: type(m).__name__)
@pytest.mark.parametrize("samples", [240, 241, 319, 320, 8001])
def test_the_number_of_frames_is_foretold(module, samples):
    got = module(torch.zeros(2, samples))
    assert got.shape == (2, module.frames_of(samples), module.dim)
    assert (module.input, module.hop, module.sample_rate) == ("wave", 80, 8000)


def test_frames_lie_around_every_tenth_millisecond_or_only_where_the_wave_fills_them():
    assert (MelCepstrum().frames_of(1), MelCepstrum().frames_of(81), MelCepstrum().frames_of(0)) == (1, 2, 0)
    whole = MelCepstrum(centred=False)
    assert (whole.frames_of(239), whole.frames_of(240)) == (0, 1)
    # Frame 2 of the padded wave begins 120 samples before sample 160, where no whole frame does; 120 on, one does.
    np.testing.assert_allclose(run(whole, SPEECH[40:1000])[:8], run(MelCepstrum(), SPEECH[:1000])[2:10], atol=1e-9)


@pytest.mark.parametrize("module", FRONTS, ids=lambda m: type(m).__name__)
def test_a_wave_is_treated_alike_alone_or_beside_one_that_takes_more_steps(module):
    waves = torch.from_numpy(np.stack([SIGNALS["speech"], SIGNALS["harmonics"]])).float()
    torch.testing.assert_close(module(waves)[1], module(waves[1:])[0], atol=1e-4, rtol=1e-5)


@pytest.mark.parametrize("module", FRONTS, ids=lambda m: type(m).__name__)
def test_gradients_reach_the_wave_even_where_it_is_silent(module):
    wave = torch.from_numpy(SPEECH[None, :3000]).float()
    wave[:, 1000:1800] = 0
    wave.requires_grad_(True)
    module(wave).square().sum().backward()
    assert torch.isfinite(wave.grad).all()
    assert wave.grad.abs().max() > 0


@pytest.mark.parametrize(
    "kind", [partial(Lpc, order=4), partial(Lpcc, order=4, num_ceps=6), partial(MelCepstrum, order=4)]
)
def test_gradients_equal_finite_differences(kind):
    module = kind(frame_length=0.004, frame_shift=0.002)
    wave = torch.from_numpy(SPEECH[None, 3000:3040]).requires_grad_(True)
    assert torch.autograd.gradcheck(module, (wave,), eps=1e-7, atol=1e-3, rtol=1e-3)


def test_autocast_leaves_the_analysis_in_full_precision():
    wave = torch.from_numpy(SPEECH).float()[None]
    for module in FRONTS:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            cast = module(wave)
        torch.testing.assert_close(cast, module(wave), atol=0, rtol=0)


@pytest.mark.slow
@pytest.mark.parametrize("module", [Lpc(), Lpcc(), MelCepstrum(iterations=6)], ids=lambda m: type(m).__name__)
def test_an_exported_front_end_takes_any_batch_and_length(module):
    shapes = {0: torch.export.Dim("batch", min=1, max=64), 1: torch.export.Dim("samples", min=240, max=480000)}
    exported = torch.export.export(module, (torch.zeros(2, 8000),), dynamic_shapes=(shapes,)).module()
    for samples in (800, 5457):
        wave = torch.from_numpy(SPEECH[None, :samples]).float()
        torch.testing.assert_close(exported(wave), module(wave), atol=1e-4, rtol=1e-4)


def test_options_that_cannot_be_are_refused():
    for made, told in (
        (partial(Lpc, order=240), "order: 240 samples a frame"),
        (partial(Lpc, floor=0.0), "floor: 0.0 is no energy"),
        (partial(Lpcc, num_ceps=0), "num_ceps: 0"),
        (partial(MelCepstrum, sample_rate=11025), "no warping is known for 11025 Hz"),
        (partial(MelCepstrum, alpha=1.0), "alpha: an all-pass of 1.0"),
        (partial(MelCepstrum, n_fft=128), "n_fft: 128 is odd, or shorter"),
        (partial(MelCepstrum, order=65), "order: 65 lies outside 1 to 64"),
        (partial(MelCepstrum, tolerance=0.0), "tolerance=0.0"),
    ):
        with pytest.raises(BadInput, match=told):
            made()
    with pytest.raises(BadInput, match="a wave of 0 samples"):
        Lpc()(torch.zeros(1, 0))
    with pytest.raises(BadInput, match="shorter than one frame"):
        MelCepstrum(centred=False)(torch.zeros(1, 239))


@pytest.mark.corpus
@pytest.mark.parametrize("dataset", ["an4", "librispeech", "voxforge", "commonvoice_multi", "fsdd"])
def test_analyses_equal_sptks_loops_on_real_speech(dataset, corpus):
    files = sorted(p for p in (corpus / dataset).rglob("*") if p.suffix in (".flac", ".opus", ".wav"))
    for file in files[:: len(files) // 2]:
        wave = read(file, rate=8000, start=0.1, duration=0.1).astype(np.float64)
        frames = oracle_sptk.shaped_frames(wave)
        expected = np.array([oracle_sptk.mcep(frame, 20, 0.31, 1e-8) for frame in frames])
        np.testing.assert_allclose(run(MelCepstrum(), wave), expected, atol=1e-4)
        spoken = [n for n, frame in enumerate(frames) if np.square(frame).sum() > 1]
        predicted = np.array([oracle_sptk.lpc(frames[n], 12) for n in spoken])
        np.testing.assert_allclose(run(Lpc(order=12), wave)[spoken], predicted, rtol=1e-3, atol=2e-3)
        cepstra = np.array([oracle_sptk.lpc2c(a, 16) for a in predicted])
        np.testing.assert_allclose(run(Lpcc(order=12, num_ceps=16), wave)[spoken], cepstra, atol=1e-3)


def test_blackmans_window_is_kaldis_too():
    """The window is one that all front ends take."""
    shape = Fbank(window="blackman", scale=1.0).window.numpy()
    at = 2 * np.pi * np.arange(400) / 399
    np.testing.assert_allclose(shape, 0.42 - 0.5 * np.cos(at) + 0.08 * np.cos(2 * at), atol=1e-7)
