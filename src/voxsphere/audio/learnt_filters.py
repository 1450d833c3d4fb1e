"""Filter banks over a spectrum whose filters are learnt with the network, and begin as Kaldi's mel bank."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from voxsphere.audio import frames
from voxsphere.audio.front_end import FrontEnd
from voxsphere.audio.mel import kaldi_bank, kaldi_bins, kaldi_edges
from voxsphere.core.errors import BadInput


class TriangularFilters(nn.Module):
    """Log energies under triangles, straight on Kaldi's mel scale, whose centres and widths are learnt.

    The centres are low + (top - low) times a running sum of softmax(`gaps`): they keep their order and never leave
    the range. A width, from the centre to either foot, is the initial one times exp(`log_widths`), and so stays
    positive; `sided` gives each foot a width of its own. `of` gives a power or magnitude spectrum, such as
    `partial(Spectrogram, form="power")`; energies are no smaller than `floor`. A triangle narrower than the distance
    of two bins may see none, and then learns no more.

    Source: the fDLR layer (one width) and its two-sided form of SpeakerVerifiaction-pytorch, which learn centres and
    widths in Hz and bound them by clamping, whose gradient ends at the bound.
    """

    def __init__(
        self,
        *,
        of: Callable[..., FrontEnd],
        num_filters: int = 40,
        low_freq: float = 20.0,
        high_freq: float = 0.0,
        sided: bool = False,
        floor: float = 1e-12,
    ) -> None:
        super().__init__()
        self.of = _spectrum(of)
        self.input, self.sample_rate, self.hop = self.of.input, self.of.sample_rate, self.of.hop
        self.dim, self.floor = num_filters, floor
        edges = kaldi_edges(sample_rate=self.sample_rate, num_mels=num_filters, low_freq=low_freq, high_freq=high_freq)
        self.low, self.top = float(edges[0]), float(edges[-1])
        self.gaps = nn.Parameter(torch.zeros(num_filters + 1))
        self.log_widths = nn.Parameter(torch.zeros(2 if sided else 1, num_filters))
        bins = kaldi_bins(sample_rate=self.sample_rate, n_fft=2 * (self.of.dim - 1))
        self.bins: Tensor
        self.register_buffer("bins", torch.from_numpy(bins).to(torch.get_default_dtype()), persistent=False)

    def forward(self, wave: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch frames dim"]:
        """Natural logarithms of the energies of each frame."""
        spectrum = self.of(wave)
        return frames.project(spectrum, self.bank()).clamp_min(self.floor).log()

    def bank(self) -> Float[Tensor, "bins filters"]:
        """The weight of each bin in each filter, as it stands."""
        centres, widths = self.centres(), self.widths()
        bins = self.bins[:, None]
        rising, falling = 1 - (centres - bins) / widths[0], 1 - (bins - centres) / widths[-1]
        return torch.minimum(rising, falling).clamp_min(0)

    def centres(self) -> Float[Tensor, " filters"]:
        """Where the triangles peak, in mel, rising."""
        shares: Tensor = frames.widened(self.gaps).softmax(0).cumsum(0)[:-1]
        return self.low + (self.top - self.low) * shares

    def widths(self) -> Float[Tensor, "sides filters"]:
        """How far the feet are from the centres, in mel: one row, or those below and those above."""
        return (self.top - self.low) / (self.dim + 1) * self.log_widths.exp()

    def frames_of(self, samples: int) -> int:
        """How many frames `forward` makes of so many samples."""
        return self.of.frames_of(samples)


class LinearFilters(nn.Module):
    """Log energies under filters whose weight in each bin is learnt freely, but is never negative.

    After each update negative weights are set to zero, where they can grow again (projected gradient); without that
    (`after_step` is called by the training loop) they count as zero and stay there, as behind the ReLU of
    SpeakerVerifiaction-pytorch's free linear layer. `of` and `floor` as for `TriangularFilters`.
    """

    def __init__(
        self,
        *,
        of: Callable[..., FrontEnd],
        num_filters: int = 40,
        low_freq: float = 20.0,
        high_freq: float = 0.0,
        floor: float = 1e-12,
    ) -> None:
        super().__init__()
        self.of = _spectrum(of)
        self.input, self.sample_rate, self.hop = self.of.input, self.of.sample_rate, self.of.hop
        self.dim, self.floor = num_filters, floor
        bank = kaldi_bank(
            sample_rate=self.sample_rate,
            n_fft=2 * (self.of.dim - 1),
            num_mels=num_filters,
            low_freq=low_freq,
            high_freq=high_freq,
        )
        self.weight = nn.Parameter(torch.from_numpy(bank).to(torch.get_default_dtype()))

    def forward(self, wave: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch frames dim"]:
        """Natural logarithms of the energies of each frame."""
        # The gradient of `clamp_min` passes at the bound itself: a weight of exactly 0 can rise.
        return frames.project(self.of(wave), self.weight.clamp_min(0)).clamp_min(self.floor).log()

    @torch.no_grad()
    def after_step(self, step: int) -> None:
        """Set weights that an update made negative to zero."""
        self.weight.clamp_(min=0)

    def frames_of(self, samples: int) -> int:
        """How many frames `forward` makes of so many samples."""
        return self.of.frames_of(samples)


def _spectrum(of: Callable[..., FrontEnd]) -> FrontEnd:
    made = of()
    if getattr(made, "form", None) == "log":
        raise BadInput("filters sum energies, not their logarithms; take form='power' for the spectrum")
    return made
