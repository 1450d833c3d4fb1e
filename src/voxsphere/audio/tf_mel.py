"""ReDimNet2's front end, written to equal a TensorFlow one: mel power of the normed wave, as logarithms."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import pad

from voxsphere.audio import frames
from voxsphere.audio.mel import kaldi_bank


class TfMel(nn.Module):
    """Log mel power of frames of 25 ms under a Hamming window, less each utterance's mean over its frames.

    The wave has its mean taken off and its standard deviation made 1 (unless not `normalise`), is pre-emphasised as a
    whole, and gets half a `frame_shift` of zeros at each end. Powers, and the mel powers too, are kept within 10⁻⁸ and
    10⁸. The triangles are straight on the mel scale. A quirk that the trained networks rely on: the bank reads the 256
    bins below the Nyquist frequency as if the last of them were the Nyquist frequency, so the bands lie 0.4 % lower
    than they say.

    Source: PalabraAI/redimnet2 at ffe8f27, layers/features_tf.py (`TFMelBanks`).
    """

    input = "wave"
    sample_rate, length, n_fft = 16000, 400, 512

    def __init__(
        self,
        *,
        num_mels: int = 72,
        frame_shift: float = 0.010,
        low_freq: float = 20.0,
        high_freq: float = 7600.0,
        preemphasis: float = 0.97,
        normalise: bool = True,
    ) -> None:
        super().__init__()
        self.dim, self.preemphasis, self.normalise = num_mels, preemphasis, normalise
        self.hop = frames.samples_of(frame_shift, self.sample_rate)
        # 256 bins from 0 to the Nyquist frequency, both included, are those of an FFT of 510 samples.
        bank = kaldi_bank(
            sample_rate=self.sample_rate,
            n_fft=self.n_fft - 2,
            num_mels=num_mels,
            low_freq=low_freq,
            high_freq=high_freq,
        )
        self.bank: Tensor
        self.register_buffer("bank", torch.from_numpy(bank).to(torch.get_default_dtype()), persistent=False)
        self.window: Tensor
        hamming = torch.from_numpy(frames.window("hamming", self.length))
        self.register_buffer("window", hamming.to(torch.get_default_dtype()), persistent=False)

    def forward(self, wave: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch frames dim"]:
        """Log mel power of each frame; the wave is ±1 at 16 kHz and fills a frame (`BadInput` otherwise)."""
        margin = self.hop // 2
        frames.long_enough(wave, self.length - 2 * margin)
        x = frames.widened(wave)
        if self.normalise:
            x = (x - x.mean(1, keepdim=True)) / (x.std(1, keepdim=True, correction=0) + 1e-8)
        cut = pad(frames.emphasise_wave(x, self.preemphasis), (margin, margin)).unfold(1, self.length, self.hop)
        power = frames.power(cut * self.window.to(cut.dtype), self.n_fft)[..., :-1].to(wave.dtype)
        mel = frames.project(power.clamp(1e-8, 1e8), self.bank).clamp(1e-8, 1e8)
        logarithms = (mel + 1e-8).log()
        return logarithms - logarithms.mean(1, keepdim=True)

    def frames_of(self, samples: int) -> int:
        """How many frames `forward` makes of so many samples."""
        return frames.count(samples + 2 * (self.hop // 2), length=self.length, shift=self.hop)
