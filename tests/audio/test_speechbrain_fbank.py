"""SpeechBrain's front end, equal to SpeechBrain's own (tests/goldens/audio/make_speechbrain.py)."""

from pathlib import Path

import numpy as np
import pytest
import torch

from voxsphere.audio.speechbrain_fbank import SpeechBrainFbank

GOLDEN = Path(__file__).parents[1] / "goldens" / "audio" / "speechbrain.npz"


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("fbank_80", {"cmn": False}),
        ("fbank_24_from_100_to_7000", {"num_mels": 24, "low_freq": 100.0, "high_freq": 7000.0, "cmn": False}),
        ("fbank_40_of_512", {"num_mels": 40, "n_fft": 512, "cmn": False}),
        ("fbank_80_normed", {}),
    ],
)
def test_the_features_equal_speechbrains(name, options):
    golden = np.load(GOLDEN)
    wave = torch.from_numpy(golden["wave"].astype(np.float32) / 32768)[None]
    ours = SpeechBrainFbank(**options)(wave)[0].numpy()
    assert ours.shape == golden[name].shape
    assert np.linalg.norm(ours - golden[name]) < 1e-5 * np.linalg.norm(golden[name])


def test_no_energy_lies_more_than_eighty_decibels_below_the_loudest():
    wave = torch.cat([torch.sin(torch.arange(8000) / 5), torch.zeros(8000)])[None]
    decibels = SpeechBrainFbank(cmn=False)(wave)
    assert float(decibels.max() - decibels.min()) == pytest.approx(80, abs=1e-4)
    both = SpeechBrainFbank(cmn=False)(torch.cat([wave, 0.01 * wave]))
    torch.testing.assert_close(both[1], decibels[0] - 40, rtol=0, atol=1e-2)  # each wave has its own loudest energy


@pytest.mark.parametrize("samples", [1, 159, 160, 161, 16000])
def test_it_counts_its_frames(samples):
    for features in (SpeechBrainFbank(num_mels=20), SpeechBrainFbank(num_mels=20, n_fft=512)):
        assert features(torch.randn(1, samples)).shape == (1, features.frames_of(samples), 20)
    assert SpeechBrainFbank().frames_of(samples) == 1 + samples // 160


@pytest.mark.parametrize("options", [{"n_fft": 256}, {"low_freq": 8000.0}, {"low_freq": 4000.0, "high_freq": 300.0}])
def test_options_that_make_no_sense_are_refused(options):
    with pytest.raises(ValueError, match=r"shorter than a frame|is empty"):
        SpeechBrainFbank(**options)
