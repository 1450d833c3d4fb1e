"""How much each frame says, in the eyes of a small network: the attention that several poolings share."""

from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from voxsphere.core.errors import BadInput
from voxsphere.models.poolings.weights import shares, softmax

Attention = Literal["scalar", "vector"]
Form = Literal["tanh", "sigmoid", "relu-norm", "relu-norm-tanh"]
FORMS = ("tanh", "sigmoid", "relu-norm", "relu-norm-tanh")


class Activation(nn.Module):
    """What stands between the two layers of an attention.

    "tanh" as in the papers, "sigmoid" as in SpeakerVerifiaction-pytorch's first form, "relu-norm" (ReLU and batch
    norm) as in voxceleb_trainer, "relu-norm-tanh" as in SpeechBrain. In training the batch norm counts frames of weight
    above 0, each once, and raises `BadInput` where there are fewer than two. What it is given is overwritten.
    """

    def __init__(self, form: Form, dim: int) -> None:
        super().__init__()
        if form not in FORMS:
            raise BadInput(f"activation is one of {', '.join(FORMS)}, not {form!r}")
        self.norm = nn.BatchNorm1d(dim) if form.startswith("relu-norm") else None
        self.form = form

    def forward(
        self, hidden: Float[Tensor, "batch dim frames"], weight: Float[Tensor, "batch frames"] | None
    ) -> Float[Tensor, "batch dim frames"]:
        if self.norm is not None:
            hidden = self._normed(hidden.relu_(), weight)
        if self.form == "sigmoid":
            return hidden.sigmoid_()
        return hidden if self.form == "relu-norm" else hidden.tanh_()

    def _normed(self, hidden: Tensor, weight: Tensor | None) -> Tensor:
        assert self.norm is not None
        rows = hidden.transpose(1, 2)
        heard = weight > 0 if weight is not None and self.training else None
        seen = hidden if heard is None else rows[heard]
        if self.training and seen.numel() < 2 * seen.shape[1]:
            raise BadInput(
                "a batch norm learns from 2 frames of weight above 0 or more, and this batch has fewer; "
                "give longer utterances, or more of them"
            )
        normed: Tensor = self.norm(seen)
        return normed if heard is None else rows.masked_scatter(heard[..., None], normed).transpose(1, 2)


def scores_of(attention: Attention, in_dim: int, bottleneck: int) -> nn.Conv1d:
    """The second layer: a score for each frame ("scalar") or for each channel of it ("vector").

    A single score has no bias: a softmax over time takes it back. The bias of a vector is as idle, but published.
    """
    if attention not in ("scalar", "vector"):
        raise BadInput(f"attention is 'scalar' or 'vector', not {attention!r}")
    return nn.Conv1d(bottleneck, in_dim, 1) if attention == "vector" else nn.Conv1d(bottleneck, 1, 1, bias=False)


def pointwise(conv: nn.Conv1d, x: Float[Tensor, "batch in_dim frames"]) -> Float[Tensor, "batch dim frames"]:
    """A convolution of kernel 1; a matrix product where a frame's channels lie side by side, as LSTMs leave them."""
    if x.stride(1) == 1 < x.shape[1] and x.shape[2] > 1:
        return functional.linear(x.transpose(1, 2), conv.weight[..., 0], conv.bias).transpose(1, 2)
    result: Tensor = conv(x)
    return result


def attend(
    score: Float[Tensor, "batch scores frames"], weight: Float[Tensor, "batch frames"] | None, *, normalised: bool
) -> Float[Tensor, "batch scores frames"]:
    """Factors of the frames: scores through a softmax over time, or the tanh of the scores as it is.

    The tanh is summed over frames, however many they are. Under weights the frames count as Kish's effective number,
    (Σw)²/Σw², in proportion to their weights.
    """
    if normalised:
        return softmax(score, weight)
    share = shares(score, weight)
    return score.tanh() if share is None else score.tanh() * share / share.square().sum(-1, keepdim=True)
