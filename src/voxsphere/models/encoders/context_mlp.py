"""A network of three dense layers over each frame with its neighbours (pav_spkid_pytorch)."""

from typing import Literal, get_args

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from voxsphere.core.errors import BadInput
from voxsphere.models.layers.entry import bands

Windows = Literal["padded", "padded_in_use", "whole", "legacy"]


class ContextMlp(nn.Module):
    """`hidden` numbers for each window of `in_frames` frames, through three dense layers with ReLU.

    A frame-level model: each frame that comes out is classified by the head (the fourth dense layer of the original),
    and an utterance by the sum over its frames of `head.logits(frames).log_softmax`.

    `windows="padded"`: one window around each frame, with frames of zeros beyond both ends: as many come out as go in.
    "whole": those that lie in the utterance alone, `in_frames` − 1 fewer; a crop of `in_frames` frames, which is what
    training takes, gives one. "padded_in_use": whole while it trains, on windows with their zeros in them
    (`examples=Windows`), and padded otherwise, also where it is frozen. "legacy": all whole windows but the last, as in
    the original, which prepares the padding and does not use it.

    `window` is how many frames make one output in training; None for "padded", which pads each crop.
    """

    def __init__(self, in_dim: int, *, in_frames: int = 21, hidden: int = 100, windows: Windows = "padded") -> None:
        super().__init__()
        if in_frames < 1 or in_frames % 2 == 0:
            raise BadInput(f"in_frames: {in_frames} frames have none in the middle; take an odd number")
        if windows not in get_args(Windows):
            raise BadInput(f"no windows {windows!r}; there are: {', '.join(get_args(Windows))}")
        self.in_dim, self.dim, self.in_frames, self.windows = in_dim, hidden, in_frames, windows
        self.window = {"padded": None, "legacy": in_frames + 1}.get(windows, in_frames)
        # A dense layer over windows is a convolution over frames: no window is ever copied out.
        self.layers = nn.Sequential(
            nn.Conv1d(in_dim, hidden, in_frames, padding=in_frames // 2 if windows == "padded" else 0), nn.ReLU(),
            nn.Conv1d(hidden, hidden, 1), nn.ReLU(),
            nn.Conv1d(hidden, hidden, 1), nn.ReLU(),
        )  # fmt: skip

    def forward(self, features: Float[Tensor, "batch frames in_dim"]) -> Float[Tensor, "batch dim out_frames"]:
        padding = self.windows == "padded_in_use" and not self.training
        x = bands(features, self.in_dim, shortest=1 if padding else self.window or 1)
        if padding:
            x = functional.pad(x, (self.in_frames // 2, self.in_frames // 2))
        frames: Tensor = self.layers(x[..., :-1] if self.windows == "legacy" else x)
        return frames
