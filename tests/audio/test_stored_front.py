"""The front end of stored features: what others make of the wave's frames, they make of the same frames stored."""

from functools import partial

import pytest
import torch

from voxsphere.audio.deltas import Deltas
from voxsphere.audio.features import Fbank
from voxsphere.audio.normalisation import FrameNorm, GlobalNorm, SlidingNorm, UtteranceNorm
from voxsphere.audio.stacking import Stacked
from voxsphere.audio.stored import Stored
from voxsphere.core.errors import BadInput

WRAPPERS = {
    "deltas": Deltas,
    "frame norm": FrameNorm,
    "global norm": partial(GlobalNorm, mean=3.0, deviation=2.0),
    "sliding norm": partial(SlidingNorm, window=20, min_window=5),
    "stacked": partial(Stacked, count=3, every=2),
    "utterance norm": partial(UtteranceNorm, variance=True),
}


def test_frames_are_passed_on_as_they_are():
    frames = torch.randn(2, 7, 23)
    front = Stored(dim=23, sample_rate=8000, hop=80)
    assert torch.equal(front(frames), frames)
    assert (front.dim, front.sample_rate, front.hop, front.input, front.frames_of(7)) == (23, 8000, 80, "stored", 7)


@pytest.mark.parametrize("name", WRAPPERS)
def test_wrappers_make_of_stored_frames_what_they_make_of_the_waves(name):
    wave = 0.1 * torch.randn(2, 8000, generator=torch.Generator().manual_seed(1))
    over_wave = WRAPPERS[name](of=partial(Fbank, num_mels=12))
    over_frames = WRAPPERS[name](of=partial(Stored, dim=12))
    frames = Fbank(num_mels=12)(wave)
    assert torch.equal(over_frames(frames), over_wave(wave))
    assert (over_frames.dim, over_frames.hop) == (over_wave.dim, over_wave.hop)
    assert over_frames.input == "stored"
    assert over_frames.frames_of(frames.shape[1]) == over_wave.frames_of(8000)


@pytest.mark.parametrize("shape", [(2, 8000), (2, 7, 22), (7, 23)])
def test_other_shapes_are_refused_in_one_line(shape):
    with pytest.raises(BadInput, match=r"^stored features are \[batch, frames, 23\] here, not \[[\d, ]+\]$"):
        Stored(dim=23)(torch.zeros(shape))


@pytest.mark.parametrize("option", ["dim", "sample_rate", "hop"])
def test_options_that_count_nothing_are_refused(option):
    with pytest.raises(BadInput, match="each is to be 1 or more"):
        Stored(**{option: 0})
