"""A recurrent network over the frames (Hochreiter & Schmidhuber 1997, Long short-term memory)."""

from jaxtyping import Float
from torch import Tensor, nn

from voxsphere.models.layers.entry import bands
from voxsphere.models.layers.recurrent import heard


class Lstm(nn.Module):
    """Frames to as many outputs of a stack of LSTMs, each of which has heard what came before.

    The defaults are SpeakerVerifiaction-pytorch's LSTM_End (with `LastFramePooling`) and AttentionLSTM (with
    `SelfAttentionPooling`). `dropout` is the share of each layer's outputs that the next does not see in training. The
    states begin at 0; the original begins at numbers drawn once for each place in a batch of fixed size, so that an
    embedding would depend on its place.
    """

    def __init__(self, in_dim: int, *, hidden: int = 128, layers: int = 2, dropout: float = 0.2) -> None:
        super().__init__()
        self.in_dim, self.dim = in_dim, hidden
        # Torch warns of dropout with a single layer, between which there is nothing.
        self.lstm = nn.LSTM(in_dim, hidden, layers, batch_first=True, dropout=dropout if layers > 1 else 0.0)

    def forward(self, features: Float[Tensor, "batch frames in_dim"]) -> Float[Tensor, "batch dim frames"]:
        return heard(self.lstm, bands(features, self.in_dim).transpose(1, 2)).transpose(1, 2)
