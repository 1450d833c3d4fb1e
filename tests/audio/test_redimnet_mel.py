"""ReDimNet's front end; tests/pretrained compares it with IDRnD's own."""

import pytest
import torch

from voxsphere.audio.redimnet_mel import ReDimNetMel
from voxsphere.core.errors import BadInput


@pytest.mark.parametrize("samples", [257, 400, 16000, 16159, 16160])
def test_it_counts_its_frames(samples):
    features = ReDimNetMel(num_mels=20)
    assert features(torch.randn(1, samples)).shape == (1, features.frames_of(samples), 20)
    assert features.frames_of(samples) == 1 + samples // 160


def test_a_wave_that_is_too_short_to_be_mirrored_is_refused():
    assert ReDimNetMel().frames_of(256) == 0
    with pytest.raises(BadInput, match=r"^a wave of 256 samples is shorter than one frame \(257 samples\)"):
        ReDimNetMel()(torch.randn(1, 256))


def test_a_levelled_wave_may_have_any_level_and_offset():
    wave = torch.randn(1, 4000, generator=torch.Generator().manual_seed(0))
    features = ReDimNetMel(level=True, cmn=False)
    torch.testing.assert_close(features(0.1 * wave + 0.5), features(wave), rtol=0, atol=1e-3)


@pytest.mark.parametrize("options", [{"n_fft": 256}, {"low_freq": 7600.0}])
def test_options_that_make_no_sense_are_refused(options):
    with pytest.raises(ValueError, match=r"shorter than a frame|is empty"):
        ReDimNetMel(**options)
