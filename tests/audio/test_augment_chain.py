"""All augmentations by the laws they share: drawn once, applied alike everywhere, of the length that was asked for."""

import hashlib
import os
import pickle
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voxsphere.audio.augment.bandpass import BandPass
from voxsphere.audio.augment.bandwidth import Resample
from voxsphere.audio.augment.chain import apply_all, check_all, draw_all, place_of, samples_needed
from voxsphere.audio.augment.choice import OneOf
from voxsphere.audio.augment.chunks import DropChunks
from voxsphere.audio.augment.clipping import Clip
from voxsphere.audio.augment.codec import Codec
from voxsphere.audio.augment.equaliser import Equaliser
from voxsphere.audio.augment.gain import Volume
from voxsphere.audio.augment.noise import AddNoise, Noise
from voxsphere.audio.augment.notches import DropFrequencies
from voxsphere.audio.augment.nothing import Nothing
from voxsphere.audio.augment.repetition import AppendItself, FromPlace, Repeat, RepeatFrom, turned
from voxsphere.audio.augment.reverb import Reverb
from voxsphere.audio.augment.reversal import Reverse
from voxsphere.audio.augment.room import Room
from voxsphere.audio.augment.sequence import Each, InTurn
from voxsphere.audio.augment.spec import SpecAugment
from voxsphere.audio.augment.speech import KeepSpeech
from voxsphere.audio.augment.speed import PlayAt, Speed
from voxsphere.audio.augment.tones import RemoveTones
from voxsphere.audio.augment.white import WhiteNoise
from voxsphere.audio.wave import write
from voxsphere.core.errors import BadInput
from voxsphere.core.parts import describe, rebuild
from voxsphere.core.random import stream

RATE = 16000
PARTS = (
    AppendItself, BandPass, Clip, Codec, DropChunks, DropFrequencies, Each, Equaliser, KeepSpeech, Noise, OneOf,
    RemoveTones, Repeat, Resample, Reverb, Reverse, Room, SpecAugment, Speed, Volume, WhiteNoise,
)  # fmt: skip
CATALOGUE = {part.__name__: part for part in PARTS}
ALONE = [part for part in PARTS if part not in (Noise, Reverb, OneOf, Each, SpecAugment)]


def noise(samples: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.1, samples).astype(np.float32)


@pytest.fixture(scope="session")
def sounds(tmp_path_factory) -> Path:
    """Two noises and two room responses."""
    folder = tmp_path_factory.mktemp("sounds")
    for number, samples in enumerate((5000, 300000)):
        write(folder / "noise" / f"{number}.wav", noise(samples, number), RATE)
        write(folder / "rir" / f"{number}.wav", noise(3000, number) * np.exp(-np.arange(3000) / 400), RATE)
    return folder


def everything(folder: Path) -> dict[str, partial]:
    """One of each, and the combinations."""
    parts = {part.__name__: partial(part) for part in ALONE}
    parts["Noise"] = partial(Noise, sources=str(folder), kind="noise")
    parts["babble"] = partial(Noise, sources=str(folder), kind="noise", count=(3, 7))
    parts["Reverb"] = partial(Reverb, sources=str(folder), kind="rir")
    parts["OneOf"] = partial(OneOf, choices=(parts["Noise"], parts["Reverb"]), weights=(2.0, 1.0), probability=0.6)
    parts["Each"] = partial(Each, augmentations=(partial(Speed, range=(0.9, 1.1)), parts["OneOf"], partial(Repeat)))
    return parts


NAMES = tuple(everything(Path()))


@pytest.mark.parametrize("name", NAMES)
def test_the_result_is_as_long_as_asked_and_the_wave_given_is_untouched(sounds, name):
    augmentation = everything(sounds)[name]()
    for seed, samples in enumerate((1, 399, 8000, 12345)):
        deeds = draw_all((augmentation,), stream(name, seed), samples, RATE)
        wave = noise(samples_needed(deeds, samples), seed)
        before = wave.copy()
        result = apply_all(deeds, wave, RATE, samples)
        assert result.dtype == np.float32
        assert result.shape == (samples,)
        assert np.isfinite(result).all()
        np.testing.assert_array_equal(wave, before)


@pytest.mark.parametrize("name", NAMES)
def test_the_same_seed_gives_the_same_deed_and_the_same_wave(sounds, name):
    augmentation = everything(sounds)[name]()
    for seed in range(4):
        one, other = (
            draw_all((a,), stream(seed), 8000, RATE) for a in (augmentation, pickle.loads(pickle.dumps(augmentation)))
        )
        assert one == other
        assert repr(one) == repr(other)
        wave = noise(samples_needed(one, 8000), seed)
        copied = pickle.loads(pickle.dumps(one))
        np.testing.assert_array_equal(apply_all(one, wave, RATE, 8000), apply_all(copied, wave, RATE, 8000))


@pytest.mark.parametrize("name", NAMES)
def test_silence_gives_no_nan(sounds, name):
    augmentation = everything(sounds)[name]()
    for seed in range(3):
        deeds = draw_all((augmentation,), stream(seed), 4000, RATE)
        silence = np.zeros(samples_needed(deeds, 4000), np.float32)
        assert np.abs(apply_all(deeds, silence, RATE, 4000)).max() < 1e-2


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("Codec", "RemoveTones")])
def test_a_wave_eight_times_as_loud_comes_out_eight_times_as_loud_beyond_full_scale_too(sounds, name):
    augmentation = everything(sounds)[name]()
    for seed in range(4):
        deeds = draw_all((augmentation,), stream(seed), 8000, RATE)
        wave = noise(samples_needed(deeds, 8000), seed)
        soft, loud = (apply_all(deeds, w, RATE, 8000) for w in (wave, 8 * wave))
        np.testing.assert_allclose(loud, 8 * soft, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_options_survive_being_saved_as_json(sounds, name):
    part = everything(sounds)[name]
    again = rebuild(describe(part), CATALOGUE)
    assert describe(again) == describe(part)
    assert again().draw(stream(1), 8000, RATE) == part().draw(stream(1), 8000, RATE)


@given(
    factor=st.floats(0.5, 2.0), other=st.floats(0.5, 2.0), share=st.floats(0.01, 1.0), samples=st.integers(1, 5000),
    order=st.permutations(range(4)),
)  # fmt: skip
@settings(deadline=None, max_examples=200)
def test_the_length_is_exact_whatever_the_deeds_that_change_it(factor, other, share, samples, order):
    deeds = [PlayAt(factor), RepeatFrom(share, 0.3), PlayAt(other), InTurn((PlayAt(1.05), RepeatFrom(0.9, 0.1)))]
    deeds = [deeds[number] for number in order]
    wave = noise(samples_needed(deeds, samples))
    assert len(apply_all(deeds, wave, RATE, samples)) == samples


def test_a_wave_of_another_length_is_refused():
    with pytest.raises(ValueError, match="not of 100"):
        apply_all((PlayAt(1.1),), noise(100), RATE, 100)


def test_no_augmentation_is_the_wave_itself():
    wave = noise(10)
    assert draw_all((), stream(0), 10, RATE) == ()
    assert apply_all((), wave, RATE, 10) is wave
    assert Nothing()(wave, RATE) is wave


def test_the_ratio_is_that_of_what_is_kept(sounds):
    """After a change of speed leaves a sample too many, noise still has its ratio over the example itself."""
    wave = noise(12000) * np.linspace(1, 0, 12000, dtype=np.float32)
    wave[-3:] = 100
    noisy = Noise(sources=str(sounds), kind="noise", snr=(3.0, 3.0)).draw(stream(0), 10000, RATE)
    deeds = (RepeatFrom(1.0, 0.0), PlayAt(1.1), noisy)
    wave = wave[: samples_needed(deeds, 10000)]
    clean, result = (apply_all(d, wave, RATE, 10000).astype(np.float64) for d in (deeds[:2], deeds))
    assert 10 * np.log10(np.mean(clean**2) / np.mean((result - clean) ** 2)) == pytest.approx(3, abs=0.01)


def test_one_of_chooses_by_weight_and_probability():
    choice = OneOf(choices=(partial(Volume), partial(Clip), partial(Reverse)), weights=(3.0, 1.0, 0.0), probability=0.5)
    drawn = [type(choice.draw(stream(i), 1, RATE)).__name__ for i in range(4000)]
    assert drawn.count("Nothing") == pytest.approx(2000, abs=200)
    assert drawn.count("Amplify") == pytest.approx(1500, abs=200)
    assert drawn.count("ClipLoudest") == pytest.approx(500, abs=130)
    assert "PlayBackwards" not in drawn


@pytest.mark.parametrize(
    "options",
    [{"choices": ()}, {"weights": (1.0, 2.0)}, {"weights": (0.0,)}, {"weights": (-1.0,)}, {"probability": -1}],
)
def test_impossible_choices_are_refused(options):
    with pytest.raises(BadInput, match="OneOf"):
        OneOf(**{"choices": (partial(Volume),), **options})


CHILD = """
import sys
from pathlib import Path
from test_augment_chain import digests
print(" ".join(digests(Path(sys.argv[1]), [int(seed) for seed in sys.argv[2:]])))
"""


def digests(folder: Path, seeds: list[int]) -> list[str]:
    """What each of these seeds makes of one wave, by everything in turn."""
    augmentations = [make() for name, make in everything(folder).items() if name != "Codec"]
    found = []
    for seed in seeds:
        deeds = draw_all(augmentations, stream("item", seed), 6000, RATE)
        wave = noise(samples_needed(deeds, 6000), 1)
        digest = hashlib.sha256(repr(deeds).encode() + apply_all(deeds, wave, RATE, 6000).tobytes())
        found.append(digest.hexdigest()[:12])
    return found


def test_recordings_are_asked_for_however_rarely_they_are_drawn(sounds, monkeypatch):
    monkeypatch.delenv("NOWHERE", raising=False)
    for missing in (partial(Noise, sources="$NOWHERE"), partial(Reverb, sources="$NOWHERE")):
        rare = OneOf(choices=(WhiteNoise, partial(Each, augmentations=(WhiteNoise, missing))), probability=1e-9)
        with pytest.raises(BadInput, match="NOWHERE is not set"):
            check_all([WhiteNoise(), rare])
    check_all(make() for make in everything(sounds).values())


def test_another_process_in_another_order_gives_the_same_items(sounds):
    here = digests(sounds, [1, 2, 3])
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(sounds), "3", "1", "2"], capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(os.path.abspath, (Path(__file__).parent, *sys.path)))},
    )  # fmt: skip
    third, first, second = done.stdout.split()
    assert [first, second, third] == here
    assert len(set(here)) == 3


def test_what_was_drawn_says_everything():
    deed = eval(repr(RepeatFrom(0.3, 1 / 3)))
    assert deed == RepeatFrom(0.3, 1 / 3)
    noisy = AddNoise(pieces=(), snr=7.3)
    assert "snr=7.3" in repr(noisy)


def test_a_wave_is_turned_round_from_any_place_and_said_again_as_often_as_it_takes():
    wave = np.arange(10, dtype=np.float32)
    for place, samples in ((0.0, 4), (0.35, 4), (0.75, 6), (0.99, 25), (0.5, 10)):
        expected = [wave[(int(place * 10) + i) % 10] for i in range(samples)]
        np.testing.assert_array_equal(turned(wave, place, samples), expected)


def test_the_place_to_cut_at_is_found_among_other_deeds_and_inside_of_them():
    placed = FromPlace(0.25)
    assert place_of((PlayAt(1.1), placed)) == 0.25
    assert place_of((InTurn((PlayAt(1.1), InTurn((placed,)))),)) == 0.25
    assert place_of((PlayAt(1.1), InTurn((Nothing(),)))) is None
    places = np.sort([AppendItself().draw(stream("place", i), 1, RATE).cut_at for i in range(1500)])
    assert np.abs(places - np.linspace(0, 1, 1500)).max() < 2.7 / np.sqrt(1500)
