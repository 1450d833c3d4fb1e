"""The front ends of ReDimNet and ReDimNet2 against their definitions, slowly and in float64."""

import numpy as np
import pytest
import torch

from voxsphere.audio.tf_mel import TfMel
from voxsphere.audio.torch_mel import TorchMel
from voxsphere.core.errors import BadInput

WAVE = 0.1 * np.random.default_rng(0).standard_normal((1, 2000))


def emphasised(wave: np.ndarray) -> np.ndarray:
    """Pre-emphasis, the second sample standing in for the first one's predecessor."""
    return np.array([wave[i] - 0.97 * wave[i - 1 if i else 1] for i in range(len(wave))])


def powers(frame: np.ndarray, bins: int) -> np.ndarray:
    """|X|² of a frame padded to 512 samples, as sums of cosines and sines."""
    at = 2 * np.pi * np.arange(len(frame)) * np.arange(bins)[:, None] / 512
    return (np.cos(at) @ frame) ** 2 + (np.sin(at) @ frame) ** 2


def mel(hertz: np.ndarray) -> np.ndarray:
    return 2595 * np.log10(1 + hertz / 700)


def triangles(points: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Height of each triangle (columns) at each point."""
    heights = np.zeros((len(points), len(edges) - 2))
    for i, x in enumerate(points):
        for k in range(len(edges) - 2):
            low, peak, high = edges[k : k + 3]
            heights[i, k] = max(0.0, min((x - low) / (peak - low), (high - x) / (high - peak)))
    return heights


def test_torchaudios_mel_spectrogram_by_its_definition():
    front = TorchMel(num_mels=20).double()
    hamming = 0.54 - 0.46 * np.cos(2 * np.pi * np.arange(400) / 400)
    padded = np.pad(emphasised(WAVE[0]), 200, mode="reflect")
    edges = 700 * (10 ** (np.linspace(mel(np.array(20.0)), mel(np.array(7600.0)), 22) / 2595) - 1)
    bank = triangles(np.arange(257) * 31.25, edges)
    frames = [powers(hamming * padded[start : start + 400], 257) @ bank for start in range(0, 2001, 240)]
    logarithms = np.log(np.array(frames) + 1e-6)
    ours = front(torch.from_numpy(WAVE))[0].numpy()
    np.testing.assert_allclose(ours, logarithms - logarithms.mean(0), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("normalise", [True, False])
def test_tensorflows_mel_spectrogram_by_its_definition(normalise):
    front = TfMel(num_mels=20, normalise=normalise).double()
    wave = (WAVE[0] - WAVE[0].mean()) / (WAVE[0].std() + 1e-8) if normalise else WAVE[0]
    padded = np.pad(emphasised(wave), 80)
    # Its bank takes the last of 256 bins for the Nyquist frequency.
    bank = triangles(mel(np.linspace(0, 8000, 256)), np.linspace(mel(np.array(20.0)), mel(np.array(7600.0)), 22))
    starts = range(0, len(padded) - 399, 160)
    frames = [powers(np.hamming(400) * padded[start : start + 400], 256).clip(1e-8, 1e8) @ bank for start in starts]
    logarithms = np.log(np.array(frames).clip(1e-8, 1e8) + 1e-8)
    ours = front(torch.from_numpy(WAVE))[0].numpy()
    np.testing.assert_allclose(ours, logarithms - logarithms.mean(0), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("front", [TorchMel(), TfMel()])
def test_the_number_of_frames_is_foretold(front):
    for samples in (400, 401, 639, 640, 1000, 1199, 1200):
        assert front(torch.zeros(1, samples)).shape[1] == front.frames_of(samples)


@pytest.mark.parametrize(("front", "least"), [(TorchMel(), 201), (TfMel(), 240)])
def test_a_wave_too_short_for_a_frame_is_refused(front, least):
    assert front(torch.zeros(1, least)).shape == (1, 1, 72)
    assert front.frames_of(least - 1) == 0
    with pytest.raises(BadInput, match=rf"shorter than one frame \({least} samples\)"):
        front(torch.zeros(1, least - 1))


def test_louder_recordings_sound_alike_only_to_the_normalising_front_end():
    wave = torch.from_numpy(WAVE)
    torch.testing.assert_close(TfMel()(3 * wave), TfMel()(wave), rtol=1e-5, atol=1e-5)
