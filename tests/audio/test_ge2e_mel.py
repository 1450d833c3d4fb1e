"""Resemblyzer's front end: librosa's numbers, and the frame count of its sliding windows."""

from pathlib import Path

import numpy as np
import pytest
import torch

from voxsphere.audio.ge2e_mel import GE2EMel
from voxsphere.audio.mel import kaldi_bank, slaney_bank
from voxsphere.audio.volume import raise_level

GOLDEN = np.load(Path(__file__).parents[1] / "goldens" / "audio" / "librosa.npz")
WAVE = torch.from_numpy(GOLDEN["wave"].astype(np.float32) / 32768)[None]


def windows_by_resemblyzer(samples: int) -> int:
    """How many windows Resemblyzer embeds: it walks over the start frames, then drops one that is mostly padding."""
    frames = -(-(samples + 1) // 160)
    starts = list(range(0, max(1, frames - 160 + 77 + 1), 77))
    covered = (samples - starts[-1] * 160) / (160 * 160)
    return len(starts) - (covered < 0.75 and len(starts) > 1)


def test_the_slaney_bank_is_librosas():
    np.testing.assert_allclose(slaney_bank(sample_rate=16000, n_fft=400, num_mels=40).T, GOLDEN["bank"], atol=1e-8)


def test_a_kaldi_band_falls_to_nothing_at_its_neighbours_peaks():
    bank = kaldi_bank(sample_rate=16000, n_fft=65536, num_mels=20, low_freq=100.0, high_freq=-400.0)
    peaks = bank.argmax(0) * 16000 / 65536
    mel = 1127 * np.log1p(peaks / 700)
    np.testing.assert_allclose(np.diff(mel), np.diff(mel).mean(), atol=0.5)
    within = (bank.argmax(0)[0] <= np.arange(len(bank))) & (np.arange(len(bank)) < bank.argmax(0)[-1])
    # Triangles that meet at their feet sum to one everywhere between the first peak and the last.
    np.testing.assert_allclose(bank[within].sum(1), 1.0, atol=1e-9)
    edges = np.flatnonzero(bank.sum(1)) * 16000 / 65536
    assert edges[0] == pytest.approx(100, abs=1)
    assert edges[-1] == pytest.approx(7600, abs=1)


def test_the_frames_are_those_resemblyzer_takes_from_librosa():
    for samples, key in ((43200, "mel"), (20000, "mel_of_the_first_20000_samples")):
        got = GE2EMel()(WAVE[:, :samples])[0].numpy()
        assert got.shape == GOLDEN[key].shape
        np.testing.assert_allclose(got, GOLDEN[key], rtol=2e-4, atol=1e-6 * GOLDEN[key].max())


def test_the_frames_fill_resemblyzers_windows_at_every_length():
    module = GE2EMel()
    for samples in [*range(1, 130000, 7), *range(31500, 31540), *range(43820, 43860)]:
        assert module.frames_of(samples) == 160 + 77 * (windows_by_resemblyzer(samples) - 1), samples


@pytest.mark.parametrize("samples", [1, 160, 19199, 25600, 31519, 31520, 48241])
def test_the_number_of_frames_is_foretold(samples):
    got = GE2EMel()(torch.zeros(1, samples))
    assert got.shape == (1, GE2EMel().frames_of(samples), 40)
    assert torch.isfinite(got).all()


def test_the_level_is_raised_row_by_row_and_never_lowered():
    tone = torch.sin(torch.arange(16000) * 0.3)
    rows = raise_level(torch.stack([0.001 * tone, 0.5 * tone, 0 * tone]), -30.0)
    levels = 20 * torch.log10(rows.square().mean(1).sqrt())
    assert levels[0] == pytest.approx(-30, abs=1e-3)
    torch.testing.assert_close(rows[1], 0.5 * tone)
    torch.testing.assert_close(rows[2], 0 * tone)


def test_a_quiet_recording_gives_the_same_frames_as_a_quieter_one():
    torch.testing.assert_close(GE2EMel()(0.1 * WAVE), GE2EMel()(WAVE), rtol=1e-4, atol=1e-9)
    both = GE2EMel()(torch.cat([0.1 * WAVE, 20 * WAVE]))
    torch.testing.assert_close(both[1:], GE2EMel()(20 * WAVE))


def test_windows_that_leave_gaps_are_refused():
    with pytest.raises(ValueError, match="leave gaps"):
        GE2EMel(window=100, step=101)
    with pytest.raises(ValueError, match="share"):
        GE2EMel(min_coverage=0.0)


def test_gradients_reach_the_wave_even_where_it_is_silent():
    wave = torch.cat([WAVE[:, :8000], torch.zeros(1, 8000)], dim=1).requires_grad_(True)
    GE2EMel()(wave).sum().backward()
    assert torch.isfinite(wave.grad).all()
    assert wave.grad.abs().max() > 0


def test_an_exported_front_end_takes_any_length():
    module = GE2EMel()
    shapes = {0: torch.export.Dim("batch", min=1, max=64), 1: torch.export.Dim("samples", min=400, max=480000)}
    exported = torch.export.export(module, (torch.zeros(2, 40000),), dynamic_shapes=(shapes,)).module()
    for samples in (1000, 25600, 40000, 99999):
        wave = torch.randn(1, samples, generator=torch.Generator().manual_seed(2)) * 0.01
        torch.testing.assert_close(exported(wave), module(wave), rtol=1e-5, atol=1e-8)
