"""Items: what lies in an example, that nothing but its draw decides it, and what stands in for a broken file."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from voxsphere.audio.augment.chain import apply_all, draw_all, samples_needed
from voxsphere.audio.augment.choice import OneOf
from voxsphere.audio.augment.gain import Volume
from voxsphere.audio.augment.noise import Noise
from voxsphere.audio.augment.repetition import AppendItself, FromPlace
from voxsphere.audio.augment.reversal import Reverse
from voxsphere.audio.augment.spec import SpecAugment
from voxsphere.audio.augment.speed import Speed
from voxsphere.audio.wave import write
from voxsphere.core.errors import BadInput
from voxsphere.core.manifest import Manifest, Utterance
from voxsphere.data.batch import collate
from voxsphere.data.dataset import ATTEMPTS, Draw, Items
from voxsphere.data.places import Places
from voxsphere.data.waves import Waves

RATE = 16000


def items(manifest: Manifest, *, augment: tuple = (), **options: object) -> Items:
    speakers = manifest.speakers
    classes = [speakers.index(u.speaker) for u in manifest]
    return Items(manifest, classes, Waves(RATE, augment), lambda samples: 1 + (samples - 400) // 160, 20, **options)


def one(path: Path, **options: object) -> Manifest:
    return Manifest((Utterance(id="one", path=str(path), speaker="s", **options),))


@pytest.fixture(scope="module")
def ramp(tmp_path_factory) -> Path:
    """Two seconds whose n-th sample is n/32768, so that every piece tells where it comes from."""
    path = tmp_path_factory.mktemp("ramp") / "ramp.wav"
    write(path, (np.arange(32000) / 32768).astype(np.float32), RATE)
    return path


@pytest.fixture
def folder(speakers, tmp_path) -> Callable[..., Manifest]:
    """A manifest of three speakers' five files each, of which those named are broken."""

    def make(*broken: str) -> Manifest:
        rows = []
        for path in sorted(speakers.glob("s0[0-2]/*.wav")):
            name = f"{path.parent.name}/{path.stem}"
            copy = tmp_path / f"{name}.wav"
            copy.parent.mkdir(exist_ok=True)
            copy.write_bytes(b"no audio" if name in broken else path.read_bytes())
            rows.append(Utterance(id=name, path=str(copy), speaker=path.parent.name))
        return Manifest(tuple(rows))

    return make


def place(wave: torch.Tensor) -> np.ndarray:
    """The places in the ramp that a wave's samples come from."""
    return np.round(wave.numpy() * 32768).astype(int)


@settings(deadline=None)
@given(
    start=st.none() | st.floats(0, 1.2), duration=st.none() | st.floats(0.3, 3), seconds=st.floats(0.05, 4),
    seed=st.integers(0, 2**62),
)  # fmt: skip
def test_an_example_lies_inside_its_segment_and_short_ones_are_repeated(ramp, start, duration, seconds, seed):
    item = items(one(ramp, start=start, duration=duration))[Draw(0, seed, seconds)]
    at = place(item.wave)
    assert len(at) == round(seconds * RATE)
    first = 0 if start is None else round(start * RATE)
    last = 32000 if start is None or duration is None else min(32000, round((start + duration) * RATE))
    # A segment of float seconds has its ends between samples: one sample either way is its own.
    assert first - 1 <= at.min() <= at.max() <= last
    steps = np.diff(at)
    if len(at) <= last - first - 1:
        assert (steps == 1).sum() >= len(steps) - 1
    else:
        assert at[0] in (first, first - 1, first + 1) or (steps == 1).all()
        assert (steps[steps != 1] <= -(last - first) + 3).all()


def test_crops_come_from_everywhere(ramp):
    made = items(one(ramp))
    starts = np.array([place(made[Draw(0, seed, 0.5)].wave)[0] for seed in range(1500)]) / 24000
    even = np.linspace(0, 1, len(starts))
    assert np.abs(np.sort(starts) - even).max() < 2.7 / np.sqrt(len(starts))


@settings(deadline=None)
@given(
    start=st.none() | st.floats(0, 1.2), duration=st.floats(0.3, 3), seconds=st.floats(0.05, 4),
    seed=st.integers(0, 2**62),
)  # fmt: skip
def test_a_recording_appended_to_itself_goes_on_from_its_beginning(ramp, start, duration, seconds, seed):
    """Every step in the ramp is to the next sample, or from the segment's last to its first."""
    item = items(one(ramp, start=start, duration=duration), augment=(AppendItself(),))[Draw(0, seed, seconds)]
    at = place(item.wave)
    assert len(at) == round(seconds * RATE)
    first = 0 if start is None else round(start * RATE)
    last = 32000 if start is None else min(32000, round((start + duration) * RATE))
    # A segment of float seconds has its ends between samples, and so have the two pieces read of it.
    assert first - 1 <= at.min() <= at.max() <= last
    turns = np.flatnonzero(np.abs(np.diff(at) - 1) > 1)
    for turn in turns:
        assert at[turn] >= last - 17
        assert at[turn + 1] <= first + 1
    assert len(turns) <= 1 + len(at) // (last - first - 17)


def test_appended_recordings_begin_anywhere_and_speech_may_go_backwards(ramp):
    made = items(one(ramp), augment=(AppendItself(), Reverse()))
    drawn = [place(made[Draw(0, seed, 0.5)].wave) for seed in range(600)]
    backwards = [np.median(np.diff(at)) < 0 for at in drawn]
    starts = np.sort([at[-1] if turned else at[0] for at, turned in zip(drawn, backwards, strict=True)]) / 32000
    assert np.abs(starts - np.linspace(0, 1, 600)).max() < 2.7 / np.sqrt(600)
    assert abs(np.mean(backwards) - 0.5) < 0.11  # five deviations


def test_several_crops_of_an_appended_recording_begin_anywhere_each(ramp):
    """Each goes on over the end, as a single one does, from a place of its own."""
    made = items(one(ramp), augment=(AppendItself(),))
    crops = [place(wave) for seed in range(100) for wave in made[Draw(0, seed, 1.5, Places(6))].wave]
    assert all((np.diff(at) % 32000 == 1).all() for at in crops)
    starts = np.sort([at[0] for at in crops]) / 32000
    assert np.abs(starts - np.linspace(0, 1, len(starts))).max() < 2.7 / np.sqrt(len(starts))
    assert np.mean([at[0] > at[-1] for at in crops]) == pytest.approx(0.75, abs=0.09)  # 1.5 s of 2 s, five deviations


@pytest.mark.parametrize("at", [0.9999, 1 - 2**-53])
def test_a_place_at_the_very_end_begins_at_the_beginning(tmp_path, at):
    """Of a file of 8 kHz half a sample may be left, which cannot be read."""
    write(tmp_path / "low.wav", (np.arange(8000) / 32768).astype(np.float32), 8000)

    class Fixed:
        def draw(self, random, samples, sample_rate):
            return FromPlace(at)

    wave = items(one(tmp_path / "low.wav"), augment=(Fixed(),))[Draw(0, 0, 0.5)].wave
    assert len(wave) == 8000
    assert wave[1000] == pytest.approx(500 / 32768, abs=3e-4)


def test_the_file_itself_says_how_long_it_is(ramp):
    made = items(one(ramp, duration=100.0))
    assert place(made[Draw(0, 1, 2.5)].wave)[:32000].tolist() == list(range(32000))


@pytest.mark.parametrize("speed", [0.9, 1.1, 2.0])
def test_speed_moves_pitch_and_length_by_its_factor(tmp_path, speed):
    time = np.arange(4 * RATE) / RATE
    write(tmp_path / "tone.wav", (0.5 * np.sin(2 * np.pi * 400 * time)).astype(np.float32), RATE)
    slow, fast = (items(one(tmp_path / "tone.wav", speed=s))[Draw(0, 3, 1.0)].wave.numpy() for s in (1.0, speed))
    pitch = [np.abs(np.fft.rfft(wave * np.hanning(RATE))).argmax() for wave in (slow, fast)]
    assert pitch[0] == 400
    assert pitch[1] == pytest.approx(400 * speed, abs=1)


@pytest.mark.parametrize("speed", [0.8, 1.25])
def test_speed_makes_a_file_longer_or_shorter(ramp, speed):
    whole = items(one(ramp, speed=speed))[Draw(0, 0, 2.0 / speed)].wave.numpy()
    expected = np.arange(len(whole)) * speed / 32768
    # The ends of a ramp are jumps, where a resampler rings.
    inside = slice(400, -400)
    np.testing.assert_allclose(whole[inside], expected[inside], atol=2e-4)


def test_a_segment_and_a_speed_go_together(ramp):
    made = items(one(ramp, start=0.5, duration=1.0, speed=2.0))
    at = place(made[Draw(0, 0, 0.5)].wave)
    assert len(at) == 8000
    assert np.abs(at[200:-200] - (8000 + 2 * np.arange(8000))[200:-200]).max() <= 8


def test_an_item_is_the_same_whenever_and_in_whatever_company_it_is_asked_for(folder):
    options = {"augment": (Speed(), Volume()), "masks": SpecAugment(time=(1, 10), freq=(1, 8))}
    manifest = folder("s01/0", "s01/3")
    draws = [Draw(i % 15, 1000 + i, 0.5) for i in range(30)]
    alone = [items(manifest, **options)[draw] for draw in draws]
    together = items(manifest, **options)
    for i in np.random.default_rng(0).permutation(30):
        assert_same(together[draws[i]], alone[i])


def assert_same(one, other) -> None:
    assert torch.equal(one.wave, other.wave)
    assert (one.mask is None) == (other.mask is None)
    assert one.mask is None or torch.equal(one.mask, other.mask)
    assert (one.speaker, one.id, one.broken) == (other.speaker, other.id, other.broken)


def test_another_process_makes_the_same_item(ramp):
    told = (
        "import sys, hashlib; from voxsphere.data.dataset import *; from voxsphere.core.manifest import *; "
        "from voxsphere.data.waves import Waves; "
        "from voxsphere.audio.augment.speed import Speed; from voxsphere.audio.augment.gain import Volume; "
        "m = Manifest((Utterance(id='one', path=sys.argv[1], speaker='s'),)); "
        "i = Items(m, [0], Waves(16000, (Speed(), Volume())), lambda n: n, 20); "
        "print(hashlib.sha256(i[Draw(0, 77, 0.7)].wave.numpy().tobytes()).hexdigest())"
    )
    runs = {
        subprocess.run([sys.executable, "-c", told, str(ramp)], capture_output=True, check=True).stdout for _ in "ab"
    }
    assert len(runs) == 1
    assert len(runs.pop()) == 65


def test_other_seeds_make_other_items(ramp):
    made = items(one(ramp))
    starts = {place(made[Draw(0, seed, 0.5)].wave)[0] for seed in range(50)}
    assert len(starts) > 45


def test_what_was_drawn_is_what_was_done(ramp):
    chain = (OneOf(choices=(partial(Volume), partial(Speed))), Volume())
    plain, augmented = items(one(ramp)), items(one(ramp), augment=chain)
    for seed in range(20):
        item = augmented[Draw(0, seed, 0.5)]
        assert len(item.wave) == 8000
        assert item.wave.dtype == torch.float32
    assert not torch.equal(plain[Draw(0, 1, 0.5)].wave, augmented[Draw(0, 1, 0.5)].wave)


def test_an_augmentation_that_takes_more_source_gets_it(ramp):
    deeds = draw_all((Speed(factors=(2.0,)),), np.random.default_rng(0), 8000, RATE)
    item = items(one(ramp), augment=(Speed(factors=(2.0,)),))[Draw(0, 5, 0.5)]
    at = place(item.wave)
    assert samples_needed(deeds, 8000) >= 16000
    assert np.diff(at)[200:-200].min() >= 1
    assert np.median(np.diff(at)) == 2
    assert len(apply_all(deeds, np.zeros(samples_needed(deeds, 8000), np.float32), RATE, 8000)) == 8000


def test_masks_fit_the_features_and_are_drawn_by_the_seed(ramp):
    made = items(one(ramp), masks=SpecAugment(time=(2, 10), freq=(2, 8)))
    first, again, other = (made[Draw(0, seed, 1.0)].mask for seed in (1, 1, 2))
    assert first.shape == (98, 20)
    assert set(first.unique().tolist()) <= {0.0, 1.0}
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert items(one(ramp))[Draw(0, 1, 1.0)].mask is None


def test_a_broken_file_is_named_and_another_of_its_speaker_stands_in(folder):
    manifest = folder("s01/2")
    made = items(manifest)
    row = manifest.ids.index("s01/2")
    stood = set()
    for seed in range(60):
        item = made[Draw(row, seed, 0.3)]
        ((path, reason),) = item.broken
        assert path == manifest.utterances[row].path
        assert reason.startswith(f"{path}: ")
        assert "\n" not in reason
        assert item.speaker == 1
        stood.add(item.id)
    assert stood == {"s01/0", "s01/1", "s01/3", "s01/4"}
    assert made[Draw(row - 1, 0, 0.3)].broken == ()


def test_several_broken_files_in_a_row_are_all_named(folder):
    manifest = folder("s01/0", "s01/1", "s01/2", "s01/3")
    made = items(manifest)
    named = {path for seed in range(40) for path, _ in made[Draw(5, seed, 0.3)].broken}
    assert named == {u.path for u in manifest.utterances[5:9]}
    assert {made[Draw(5, seed, 0.3)].id for seed in range(40)} == {"s01/4"}


def test_a_speaker_all_of_whose_files_are_broken_ends_no_run(ramp, tmp_path):
    lost = tuple(Utterance(id=f"{i}", path=str(tmp_path / f"{i}.wav"), speaker="a") for i in range(3 * ATTEMPTS))
    good = tuple(Utterance(id=f"good {i}", path=str(ramp), speaker="b") for i in range(400))
    made = items(Manifest(lost + good))
    found = [made[Draw(3, seed, 0.3)] for seed in range(30)]
    assert all(item.speaker == 1 and len(item.broken) >= ATTEMPTS // 2 for item in found)
    assert all(len({path for path, _ in item.broken}) == len(item.broken) for item in found)


def test_where_a_speaker_has_no_other_file_anybody_stands_in_under_his_own_name(ramp, tmp_path):
    manifest = Manifest(
        (
            Utterance(id="lost", path=str(tmp_path / "lost.wav"), speaker="a"),
            Utterance(id="there", path=str(ramp), speaker="b"),
        )
    )
    item = items(manifest)[Draw(0, 0, 0.3)]
    assert (item.id, item.speaker) == ("there", 1)
    assert item.broken[0] == (str(tmp_path / "lost.wav"), f"{tmp_path / 'lost.wav'}: no such file")


def test_file_after_file_that_cannot_be_read_is_one_line(tmp_path):
    gone = Manifest(tuple(Utterance(id=f"{i}", path=str(tmp_path / f"{i}.wav"), speaker="s") for i in range(20)))
    with pytest.raises(BadInput) as refused:
        items(gone)[Draw(0, 0, 0.3)]
    assert f".wav: no such file (the last of {ATTEMPTS} files in a row that cannot be read)" in str(refused.value)


def test_a_segment_beyond_the_files_end_is_told_as_such(ramp):
    with pytest.raises(BadInput, match=r"the segment starts at 7 s, but the file ends at 2\.000 s"):
        items(one(ramp, start=7.0, duration=1.0))[Draw(0, 0, 0.3)]


def test_a_noise_that_cannot_be_read_is_named_and_not_the_speech(ramp, tmp_path, babble):
    write(tmp_path / "noise" / "good.wav", babble(1.0), RATE)
    (tmp_path / "noise" / "bad.wav").write_bytes(b"no audio")
    made = items(one(ramp), augment=(Noise(sources=str(tmp_path / "noise")),))
    broken = [made[Draw(0, seed, 0.3)].broken for seed in range(30)]
    named = {path for failures in broken for path, _ in failures}
    assert named == {str(tmp_path / "noise" / "bad.wav")}
    assert () in broken


def test_noise_that_is_nowhere_is_one_line_that_names_it(ramp, monkeypatch):
    monkeypatch.delenv("NOWHERE", raising=False)
    with pytest.raises(BadInput, match="NOWHERE: the environment variable NOWHERE is not set"):
        items(one(ramp), augment=(Noise(sources="$NOWHERE"),))[Draw(0, 0, 0.3)]


@dataclass(frozen=True)
class Greedy:
    """A deed that would write to what it is given, were it not for the item's own copy."""

    def draw(self, random: np.random.Generator, samples: int, sample_rate: int) -> "Greedy":
        return self

    def __call__(self, wave: np.ndarray, sample_rate: int) -> np.ndarray:
        return wave[::-1].astype(np.float64)


def test_an_item_owns_a_plain_float32_wave_whatever_the_deeds_give(ramp):
    wave = items(one(ramp), augment=(Greedy(),))[Draw(0, 0, 0.3)].wave
    assert (wave.dtype, wave.is_contiguous()) == (torch.float32, True)
    assert (np.diff(place(wave)) == -1).all()


def test_items_of_a_batch_keep_their_order(folder):
    manifest = folder("s02/1")
    made = items(manifest, masks=SpecAugment())
    found = [made[Draw(i, i, 0.3)] for i in range(15)]
    batch = collate(found)
    assert batch.wave.shape == (15, 4800)
    assert batch.masks.shape == (15, 28, 20)
    assert batch.ids == tuple(item.id for item in found)
    assert batch.speaker.tolist() == [0] * 5 + [1] * 5 + [2] * 5
    assert [path for path, _ in batch.broken] == [manifest.utterances[11].path]
    assert collate([replace(item, mask=None) for item in found]).masks is None
