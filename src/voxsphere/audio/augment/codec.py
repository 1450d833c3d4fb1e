"""Codecs: what a wave is after it was encoded and decoded again."""

import io
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from voxsphere.audio.augment.bandwidth import fitted, resampled
from voxsphere.audio.augment.between import check, uniform
from voxsphere.core.errors import BadInput


@dataclass(frozen=True)
class _Kind:
    """A codec as libsndfile names it, and the sampling rates it works at (none: all)."""

    format: str
    subtype: str
    rates: tuple[int, ...] = (8000,)


_KINDS = {
    "opus": _Kind("OGG", "OPUS", (8000, 12000, 16000, 24000, 48000)),
    "vorbis": _Kind("OGG", "VORBIS", ()),
    "mp3": _Kind("MP3", "MPEG_LAYER_III", (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)),
    "ulaw": _Kind("AU", "ULAW"),
    "alaw": _Kind("AU", "ALAW"),
    "gsm": _Kind("WAV", "GSM610"),
    "g721": _Kind("AU", "G721_32"),
    "g723_24": _Kind("AU", "G723_24"),
    "g723_40": _Kind("AU", "G723_40"),
    "ima_adpcm": _Kind("WAV", "IMA_ADPCM"),
    "ms_adpcm": _Kind("WAV", "MS_ADPCM"),
}

_LAME_DELAY = 1105
"""Samples of delay in an MP3 too thin to tell its decoder: the encoder's 576 and the decoder's 529."""


@dataclass(frozen=True)
class ThroughCodec:
    """The wave encoded, decoded, and put back in its place; `setting` is kbit/s (Opus, MP3) or a quality (Vorbis).

    It goes through the codec at its own rate, or at the next that the codec knows; telephone codecs know 8 kHz alone.
    A wave that goes beyond ±1 is encoded softer and decoded louder by as much, for no codec goes beyond.
    """

    codec: str
    setting: float | None = None

    def __call__(self, wave: Float32[np.ndarray, " samples"], sample_rate: int) -> Float32[np.ndarray, " samples"]:
        rates = _KINDS[self.codec].rates
        rate = min((r for r in rates if r >= sample_rate), default=max(rates)) if rates else sample_rate
        source = resampled(wave, sample_rate, rate)
        if len(source) == 0:
            return wave
        peak = np.float32(max(1.0, float(np.abs(source).max())))
        decoded = _round_trip(self.codec, self.setting, source / peak, rate)
        return fitted(resampled(fitted(decoded * peak, len(source)), rate, sample_rate), len(wave))


def _round_trip(
    codec: str, setting: float | None, wave: Float32[np.ndarray, " samples"], rate: int
) -> Float32[np.ndarray, " samples_out"]:
    import soundfile

    kind = _KINDS[codec]
    mode = "CONSTANT" if codec == "mp3" else None
    with io.BytesIO() as file:
        try:
            soundfile.write(
                file, wave, rate, kind.subtype, format=kind.format,
                compression_level=_level(codec, setting, rate), bitrate_mode=mode,
            )  # fmt: skip
            file.seek(0)
            decoded: Float32[np.ndarray, " samples_out"] = soundfile.read(file, dtype="float32")[0]
        except soundfile.LibsndfileError as error:
            raise BadInput(f"codec {codec}: this libsndfile has none ({error}); leave it out of Codec.codecs") from None
    return decoded[_LAME_DELAY:] if codec == "mp3" and len(decoded) >= len(wave) + _LAME_DELAY else decoded


def _level(codec: str, setting: float | None, rate: int) -> float | None:
    """libsndfile's compression level, 0 (largest) to 1: linear in the bit rate, or 1 less a quality."""
    if setting is None:
        return None
    if codec == "vorbis":
        return 1 - setting
    least, most = (
        (6, 256) if codec == "opus" else (32, 320) if rate >= 32000 else (8, 160) if rate >= 16000 else (8, 64)
    )
    # LAME refuses a level of 1; 0.99 falls on the same, its lowest bit rate.
    return min(max((most - setting) / (most - least), 0.0), 0.99 if codec == "mp3" else 1.0)


@dataclass(frozen=True, kw_only=True)
class Codec:
    """One of the `codecs`, all alike likely; Opus and MP3 at drawn `kbps`, Vorbis at a drawn `quality` (0–1).

    They are opus, vorbis, mp3; G.711 as ulaw and alaw; gsm (06.10); ADPCM as g721, g723_24, g723_40, ima_adpcm and
    ms_adpcm. A bit rate beyond what a codec can do at the sampling rate is its nearest. Opus takes the most time.
    """

    codecs: tuple[str, ...] = ("opus", "vorbis", "mp3", "ulaw", "alaw", "gsm", "g721")
    kbps: tuple[float, float] = (8.0, 32.0)
    quality: tuple[float, float] = (0.0, 0.5)

    def __post_init__(self) -> None:
        if unknown := [name for name in self.codecs if name not in _KINDS]:
            raise BadInput(f"Codec.codecs: there is no {unknown[0]!r}; there are {', '.join(_KINDS)}")
        if not self.codecs:
            raise BadInput(f"Codec.codecs: there is none; name some of {', '.join(_KINDS)}")
        check("Codec.kbps", self.kbps, least=1, most=1000)
        check("Codec.quality", self.quality, least=0, most=1)

    def draw(self, random: np.random.Generator, samples: int, sample_rate: int) -> ThroughCodec:
        """Which codec, at which bit rate or quality."""
        codec = self.codecs[int(random.integers(len(self.codecs)))]
        limits = {"opus": self.kbps, "mp3": self.kbps, "vorbis": self.quality}.get(codec)
        return ThroughCodec(codec, None if limits is None else uniform(random, limits))
