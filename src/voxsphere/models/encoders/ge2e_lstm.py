"""GE2E's LSTM over sliding windows (Wan et al. 2018, Generalized end-to-end loss, arXiv:1710.10467, section 3.2)."""

from collections.abc import Mapping
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from voxsphere.core.errors import BadInput
from voxsphere.models.layers.entry import bands
from voxsphere.models.layers.recurrent import heard


class GE2ELstm(nn.Module):
    """A d-vector of unit length for each window of `window` frames, one every `step` frames.

    The LSTM's last output goes through a linear layer and ReLU (ReLU is Resemblyzer's, not the paper's). The last
    window ends within the frames: what is left over is not looked at.
    """

    def __init__(
        self, in_dim: int, *, hidden: int = 256, layers: int = 3, dim: int = 256, window: int = 160, step: int = 77
    ) -> None:
        super().__init__()
        self.lstm = nn.LSTM(in_dim, hidden, layers, batch_first=True)
        self.linear = nn.Linear(hidden, dim)
        self.in_dim, self.window, self.step, self.dim = in_dim, window, step, dim

    def forward(self, features: Float[Tensor, "batch frames in_dim"]) -> Float[Tensor, "batch dim windows"]:
        frames = bands(features, self.in_dim, shortest=self.window)
        windows = frames.unfold(2, self.window, self.step).permute(0, 2, 3, 1)
        outputs = heard(self.lstm, windows.flatten(0, 1))
        vectors = functional.normalize(self.linear(outputs[:, -1]).relu(), dim=-1)
        return vectors.reshape(len(features), -1, self.dim).transpose(1, 2)


# Scale and shift of the cosines inside the GE2E loss: no embedding depends on them.
_OF_THE_LOSS = ("similarity_weight", "similarity_bias")


def from_resemblyzer(checkpoint: Mapping[str, Any]) -> dict[str, Tensor]:
    """The state of `SpeakerModel(…, GE2ELstm, MeanPooling, LengthNorm)` out of Resemblyzer's file or its model_state.

    Raises `BadInput` naming the first weights that are not of this network.
    """
    state: Mapping[str, Tensor] = checkpoint.get("model_state", checkpoint)
    for name in state:
        if name.partition(".")[0] not in ("lstm", "linear", *_OF_THE_LOSS):
            raise BadInput(f"{name}: is not a weight of Resemblyzer's encoder; is this its file?")
    return {f"encoder.{name}": value for name, value in state.items() if name not in _OF_THE_LOSS}
