"""SpecAugment: masks are where and as wide as was drawn, and their widths as likely as the paper says."""

import numpy as np
import pytest

from voxsphere.audio.augment.spec import Masks, SpecAugment
from voxsphere.core.errors import BadInput
from voxsphere.core.random import stream


def test_masks_are_zeros_on_their_spans_and_ones_elsewhere():
    array = Masks(5, 4, time=((1, 2), (4, 1)), freq=((0, 1),)).array()
    assert array.dtype == np.float32
    assert array.tolist() == [[0, 1, 1, 1], [0] * 4, [0] * 4, [0, 1, 1, 1], [0] * 4]


def test_nothing_drawn_masks_nothing():
    for spec in (
        SpecAugment(probability=0.0),
        SpecAugment(time=(0, 9), freq=(0, 9)),
        SpecAugment(time=(3, 0), freq=(3, 0)),
    ):
        assert spec.draw(stream(1), 30, 20).array().all()


def test_widths_are_even_from_nothing_to_the_widest_and_stay_inside():
    masks = [SpecAugment(time=(2, 10), freq=(1, 8)).draw(stream(seed), 50, 20) for seed in range(3000)]
    for spans, size, widest in (([m.time[1] for m in masks], 50, 10), ([m.freq[0] for m in masks], 20, 8)):
        first, width = np.array(spans).T
        counts = np.bincount(width, minlength=widest + 1)
        assert len(counts) == widest + 1
        # Six standard deviations of an even draw.
        expected = len(masks) / (widest + 1)
        assert np.abs(counts - expected).max() < 6 * np.sqrt(expected)
        assert (first >= 0).all()
        assert (first + width).max() == size


def test_time_masks_are_no_wider_than_their_share_of_the_frames():
    widths = [SpecAugment(share=0.2).draw(stream(seed), 50, 20).time[0][1] for seed in range(200)]
    assert max(widths) == 10


def test_features_smaller_than_the_widest_mask_are_no_trouble():
    for seed in range(50):
        assert SpecAugment().draw(stream(seed), 3, 2).array().shape == (3, 2)


def test_the_same_seed_draws_the_same_masks():
    assert SpecAugment().draw(stream("a"), 200, 80) == SpecAugment().draw(stream("a"), 200, 80)
    assert SpecAugment().draw(stream("a"), 200, 80) != SpecAugment().draw(stream("b"), 200, 80)


@pytest.mark.parametrize("options", [{"time": (1, -1)}, {"freq": (1, 2, 3)}, {"probability": 1.5}, {"share": -0.1}])
def test_impossible_options_are_refused(options):
    with pytest.raises(BadInput, match=r"SpecAugment\."):
        SpecAugment(**options)
