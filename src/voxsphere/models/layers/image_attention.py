"""Attention of an image to its own bands and frames."""

from jaxtyping import Float
from torch import Tensor, nn


class BandFrameAttention(nn.Module):
    """Each value times the mean of two factors: one from its band's mean over time, one from its frame's over bands.

    A factor is the sigmoid of a convolution of `kernel` neighbours over all channels: along the bands for the bands'
    means, along the frames for the frames'. It is what SpeakerVerifiaction-pytorch calls CBAM; Woo et al.'s own
    (2018, CBAM, arXiv:1807.06521) attends to channels and to single places. There each kernel lies across the axis
    that the mean has just taken away, so that only its middle ever meets a value; here it lies along the other one.
    """

    def __init__(self, width: int, *, kernel: int = 7) -> None:
        super().__init__()
        self.of_bands = nn.Conv1d(width, width, kernel, padding=kernel // 2)
        self.of_frames = nn.Conv1d(width, width, kernel, padding=kernel // 2)

    def forward(self, x: Float[Tensor, "batch width rows frames"]) -> Float[Tensor, "batch width rows frames"]:
        rows = self.of_bands(x.mean(3)).sigmoid()[..., None]
        frames = self.of_frames(x.mean(2)).sigmoid()[:, :, None]
        weighted: Tensor = x * (0.5 * (rows + frames))
        return weighted
