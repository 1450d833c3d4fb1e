"""How fast, measured here and now: paired runs of two chains on one thread, and their medians."""

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch

from voxsphere.audio.features import Fbank
from voxsphere.core.errors import BadInput
from voxsphere.core.random import stream
from voxsphere.models.speaker import SpeakerModel
from voxsphere.pretrained import load

Chain = Callable[[np.ndarray], object]


@dataclass(frozen=True)
class Speed:
    """Real-time factors (seconds of computing a second of speech), medians of paired runs; `ratio` is ours : plain."""

    model: str
    seconds: float
    repeats: int
    ours: float
    plain: float | None
    ratio: float | None

    def to_json(self) -> dict[str, Any]:
        """The measurement as JSON values."""
        return asdict(self)


def embedding_speed(
    name: str, *, seconds: float = 5.0, repeats: int = 15, progress: Callable[[int], None] = lambda steps: None
) -> Speed:
    """Time `embed` beside kaldi-native-fbank + the plain network, in turns, on one thread.

    The wave is seeded noise: neither chain's work depends on what is said. The ratio is the median of the pairs'
    ratios, so that what else the machine does falls on both sides alike.
    """
    if not seconds > 0:
        raise BadInput(f"--seconds is a length above 0, not {seconds}")
    pretrained = load(name)
    model = pretrained.model
    wave = stream("bench", "embed").normal(0, 0.1, round(seconds * model.sample_rate)).astype(np.float32)
    ours: Chain = lambda wave: model.embed([wave])  # noqa: E731
    plain = _plain_chain(model)
    with _one_thread(), torch.inference_mode():
        for chain in (ours, plain):
            if chain is not None:
                chain(wave), chain(wave)  # the first runs build caches
        times, others = [], []
        for _ in range(repeats):
            times.append(_time(ours, wave))
            if plain is not None:
                others.append(_time(plain, wave))
            progress(1)
    ratios = [one / other for one, other in zip(times, others, strict=False)]
    return Speed(
        model=f"{pretrained.card.name} ({pretrained.fingerprint})",
        seconds=seconds,
        repeats=repeats,
        ours=statistics.median(times) / seconds,
        plain=statistics.median(others) / seconds if others else None,
        ratio=statistics.median(ratios) if ratios else None,
    )


def _plain_chain(model: SpeakerModel) -> Chain | None:
    """What a user would write by hand: features from kaldi-native-fbank, then the network's parts."""
    fbank = model.features
    try:
        import kaldi_native_fbank as knf
    except ImportError:
        return None
    if not isinstance(fbank, Fbank):
        return None
    options = knf.FbankOptions()
    options.frame_opts.dither = 0.0
    options.mel_opts.num_bins = fbank.dim

    def chain(wave: np.ndarray) -> torch.Tensor:
        computer = knf.OnlineFbank(options)
        computer.accept_waveform(fbank.sample_rate, (wave * 32768).tolist())
        computer.input_finished()
        frames = np.stack([computer.get_frame(i) for i in range(computer.num_frames_ready)])
        features = torch.from_numpy(frames - frames.mean(0))[None]
        embedding: torch.Tensor = model.projection(model.pooling(model.encoder(features)))
        return embedding

    return chain


def _time(chain: Chain, wave: np.ndarray) -> float:
    begun = time.perf_counter()
    chain(wave)
    return time.perf_counter() - begun


@contextmanager
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
