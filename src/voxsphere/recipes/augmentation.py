"""Augmentation that several recipes share."""

from collections.abc import Callable
from functools import partial

from voxsphere.audio.augment.bandpass import BandPass
from voxsphere.audio.augment.choice import OneOf
from voxsphere.audio.augment.contract import Augmentation
from voxsphere.audio.augment.noise import Noise
from voxsphere.audio.augment.reverb import Reverb
from voxsphere.audio.augment.room import Room
from voxsphere.audio.augment.white import WhiteNoise

Augmentations = tuple[Callable[[], Augmentation], ...]


def musan_and_rooms(musan: str = "$MUSAN", rooms: str = "$RIRS") -> Augmentations:
    """WeSpeaker's: 0.6 of the examples get either a room or one file of MUSAN, as likely each.

    Noise at 0 to 15 dB, music at 5 to 15, a voice at 10 to 30; the kinds are as likely as MUSAN has files of them.
    """
    files = {"noise": (930, (0.0, 15.0)), "music": (660, (5.0, 15.0)), "speech": (426, (10.0, 30.0))}
    total = sum(count for count, _ in files.values())
    added = tuple(partial(Noise, sources=musan, kind=kind, snr=snr) for kind, (_, snr) in files.items())
    weights = tuple(count / total for count, _ in files.values())
    return (partial(OneOf, choices=(partial(Reverb, sources=rooms), *added), weights=(1.0, *weights), probability=0.6),)


def development_noise(
    table: str = "$VOXSPHERE_CORPUS/augment/manifest.tsv", *, probability: float = 0.6
) -> Augmentations:
    """The same from the development corpus' table of noise, music and rooms."""
    choices = (
        partial(Reverb, sources=table, kind="rir"),
        partial(Noise, sources=table, kind="noise", snr=(0.0, 15.0)),
        partial(Noise, sources=table, kind="music", snr=(5.0, 15.0)),
    )
    return (partial(OneOf, choices=choices, weights=(2.0, 1.5, 0.5), probability=probability),)


def without_recordings() -> Augmentations:
    """What needs no further recordings: white noise, pass-bands, made-up rooms."""
    return (partial(OneOf, choices=(WhiteNoise, BandPass, Room), probability=0.6),)
