"""The end of a two-dimensional encoder: an image's rows become a few bands of each frame."""

import torch
from jaxtyping import Float
from torch import Tensor, nn


class FrequencyGrid(nn.Module):
    """The `rows` averaged into `bins` bands and folded into `dim`, channel by channel; None keeps every row.

    Band i is the mean of the rows from ⌊i·rows/bins⌋ up to, and without, ⌈(i+1)·rows/bins⌉: bands of equal height where
    `bins` divides `rows`, else bands that share a row with their neighbours (adaptive average pooling's rule). Time is
    left alone; the mean over it is a pooling's work. Averages over rows and over frames change places freely, so grid
    and `MeanPooling` together are adaptive average pooling of the image to `bins` × 1.
    """

    def __init__(self, channels: int, rows: int, *, bins: int | None) -> None:
        super().__init__()
        bins = rows if bins is None else bins
        self.rows, self.dim = rows, channels * bins
        self.spans = [(i * rows // bins, -(-(i + 1) * rows // bins)) for i in range(bins)]

    def forward(self, x: Float[Tensor, "batch channels rows frames"]) -> Float[Tensor, "batch dim frames"]:
        if len(self.spans) == self.rows:
            return x.flatten(1, 2)
        return torch.stack([x[:, :, start:stop].mean(2) for start, stop in self.spans], dim=2).flatten(1, 2)
