"""The mean under learnt attention to the frames."""

from jaxtyping import Float
from torch import Tensor, nn

from voxsphere.models.poolings.attention import Activation, Attention, Form, attend, pointwise, scores_of
from voxsphere.models.poolings.statistics import under
from voxsphere.models.poolings.weights import WeightedPooling


class SelfAttentionPooling(WeightedPooling):
    """The mean under an attention to the frames (Cai et al. 2018, Exploring the encoding layer and loss function in
    end-to-end speaker and language recognition system, section 2.3; "SAP").

    α = softmax over time of vᵀ tanh(W h + b), one for each frame (`attention="scalar"`) or for each channel of it
    ("vector", "SAP2" of SpeakerVerifiaction-pytorch). A frame's weight multiplies its attention. `activation` replaces
    the tanh, see `Activation`.

    `normalised=False` is the first form of SpeakerVerifiaction-pytorch (with `activation="sigmoid"`): the tanh of the
    score as it is instead of a softmax over time, so that the sum grows with the number of frames.
    """

    def __init__(
        self,
        in_dim: int,
        *,
        bottleneck: int = 128,
        attention: Attention = "scalar",
        activation: Form = "tanh",
        normalised: bool = True,
    ) -> None:
        super().__init__()
        self.in_dim = self.dim = in_dim
        self.normalised = normalised
        self.hidden = nn.Conv1d(in_dim, bottleneck, 1)
        self.activation = Activation(activation, bottleneck)
        self.score = scores_of(attention, in_dim, bottleneck)

    def _pool(
        self, frames: Float[Tensor, "batch in_dim frames"], weight: Float[Tensor, "batch frames"] | None
    ) -> Float[Tensor, "batch dim"]:
        score = pointwise(self.score, self.activation(pointwise(self.hidden, frames), weight))
        return under(attend(score, weight, normalised=self.normalised), frames)
