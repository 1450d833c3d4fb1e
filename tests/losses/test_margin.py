"""Margin heads: slow loops in float64, limits and laws."""

import math
from functools import partial

import pytest
import torch
from torch import Tensor, nn

from voxsphere.core.errors import BadInput
from voxsphere.losses.margin import AamSoftmax, AmSoftmax
from voxsphere.losses.softmax import Softmax

BATCH, DIM, CLASSES = 6, 5, 7
HEADS = {
    "softmax": Softmax,
    "am": partial(AmSoftmax, margin=0.3, scale=15.0),
    "aam": partial(AamSoftmax, margin=0.4, scale=20.0),
    "aam, easy margin": partial(AamSoftmax, margin=0.4, scale=20.0, easy_margin=True),
}
MARGINS = [name for name in HEADS if name != "softmax"]


@pytest.fixture(params=HEADS)
def name(request) -> str:
    return request.param


def build(name: str, num_classes: int = CLASSES) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        head = HEADS[name](DIM, num_classes).double()
        if name == "softmax":
            nn.init.normal_(head.bias)
    return head


def drawn(*shape: int, seed: int = 1) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def speakers() -> Tensor:
    return torch.tensor([0, 6, 3, 3, 1, 5])


def soft_targets() -> Tensor:
    return drawn(BATCH, CLASSES, seed=2).softmax(1)


def slow_logits(name: str, head: nn.Module, embedding: list[float]) -> list[float]:
    """The published logits without a margin, by loops."""
    found = []
    for c, weight in enumerate(head.weight.tolist()):
        inner = sum(a * b for a, b in zip(embedding, weight, strict=True))
        if name == "softmax":
            found.append(inner + head.bias.tolist()[c])
        else:
            found.append(head.scale * inner / math.hypot(*embedding) / math.hypot(*weight))
    return found


def slow_pushed(name: str, head: nn.Module, logit: float) -> float:
    if name == "softmax":
        return logit
    s, m = head.scale, float(head.margin)
    if name == "am":
        return s * (logit / s - m)
    angle = math.acos(logit / s)
    if "easy" in name:
        return s * math.cos(angle + m) if angle < math.pi / 2 else logit
    return s * math.cos(angle + m) if angle + m < math.pi else s * (math.cos(angle) - m * math.sin(m))


def slow_loss(name: str, head: nn.Module, embeddings: Tensor, targets: Tensor) -> float:
    total = 0.0
    for embedding, target in zip(embeddings.tolist(), targets.tolist(), strict=True):
        for c, q in enumerate(target):
            logits = slow_logits(name, head, embedding)
            logits[c] = slow_pushed(name, head, logits[c])
            total += q * (math.log(math.fsum(math.exp(z) for z in logits)) - logits[c])
    return total / len(embeddings)


def one_hot(speaker: Tensor) -> Tensor:
    return nn.functional.one_hot(speaker, CLASSES).double()


def test_the_loss_is_the_published_formula_by_loops(name):
    head, embedding = build(name), 3 * drawn(BATCH, DIM)
    wanted = slow_loss(name, head, embedding, one_hot(speakers()))
    assert head(embedding, speakers()).item() == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize("side", [1, -1])
def test_the_loss_is_the_formula_also_next_to_the_class_and_opposite_to_it(name, side):
    head = build(name)
    embedding = side * head.weight.detach()[speakers()] + 0.05 * drawn(BATCH, DIM)
    wanted = slow_loss(name, head, embedding, one_hot(speakers()))
    assert head(embedding, speakers()).item() == pytest.approx(wanted, rel=1e-9, abs=1e-12)


def test_the_loss_of_soft_targets_takes_the_margin_of_each_class_by_its_share(name):
    head, embedding = build(name), drawn(BATCH, DIM)
    wanted = slow_loss(name, head, embedding, soft_targets())
    assert head(embedding, soft_targets()).item() == pytest.approx(wanted, rel=1e-12)


def test_logits_bear_no_margin(name):
    head, embedding = build(name), drawn(BATCH, DIM)
    wanted = [slow_logits(name, head, row) for row in embedding.tolist()]
    torch.testing.assert_close(head.logits(embedding), torch.tensor(wanted, dtype=torch.float64))


def test_a_one_hot_row_is_the_same_as_its_class_in_loss_and_gradient(name):
    head, embedding = build(name), drawn(BATCH, DIM).requires_grad_()
    hard = torch.autograd.grad(head(embedding, speakers()), (embedding, head.weight))
    soft = torch.autograd.grad(head(embedding, one_hot(speakers())), (embedding, head.weight))
    torch.testing.assert_close(head(embedding, speakers()), head(embedding, one_hot(speakers())))
    torch.testing.assert_close(soft, hard)


def test_a_mixed_row_is_the_mixture_of_its_classes_losses(name):
    head, embedding = build(name), drawn(BATCH, DIM)
    other = speakers().roll(1)
    mixed = head(embedding, 0.3 * one_hot(speakers()) + 0.7 * one_hot(other))
    torch.testing.assert_close(mixed, 0.3 * head(embedding, speakers()) + 0.7 * head(embedding, other))


def test_the_gradient_is_that_of_finite_differences(name):
    head, embedding = build(name), drawn(BATCH, DIM).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: head(x, speakers()), embedding)
    assert torch.autograd.gradcheck(lambda x: head(x, soft_targets()), embedding)


@pytest.mark.parametrize("kind", ["classes", "soft"])
def test_the_loss_and_its_gradient_stay_exact_where_one_class_leads_by_far(kind):
    head = AmSoftmax(2, 3, margin=0.0, scale=100.0)
    head.load_state_dict({**head.state_dict(), "weight": torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0]])})
    target = torch.tensor([0]) if kind == "classes" else torch.tensor([[1.0, 0.0, 0.0]])
    embedding = torch.tensor([[0.8, 0.6]], requires_grad=True)
    loss = head(embedding, target)
    loss.backward()
    # log(1 + e^-20 + e^-160); float32 has no 1 + 2e-9, but log1p knows it where it is not asked to.
    assert loss.item() == pytest.approx(math.exp(-20), abs=1e-7 if kind == "classes" else 1e-14)
    assert embedding.grad.isfinite().all()


@pytest.mark.parametrize("name", MARGINS)
@pytest.mark.parametrize("target", ["classes", "soft"])
def test_the_gradient_is_finite_where_embedding_and_class_point_the_same_or_the_opposite_way(name, target):
    for dtype in (torch.float32, torch.float64):
        head = build(name, BATCH).to(dtype)
        # Unit axes give cosines of 1, -1 and 0 to the last bit.
        axes = torch.eye(BATCH, DIM, dtype=dtype)
        axes[DIM] = -axes[0]
        head.load_state_dict({**head.state_dict(), "weight": axes})
        for sign in (1, -1):
            embedding = (sign * 7 * axes).requires_grad_()
            speaker = torch.arange(BATCH)
            head(embedding, speaker if target == "classes" else torch.eye(BATCH, dtype=dtype)).backward()
            assert embedding.grad.isfinite().all()
            assert head.weight.grad.isfinite().all()


@pytest.mark.parametrize("margin", [0.1, 0.5, math.pi / 2])
def test_the_aam_loss_never_falls_as_the_angle_grows(margin):
    head = AamSoftmax(2, 2, margin=margin, scale=5.0).double()
    head.load_state_dict({**head.state_dict(), "weight": torch.tensor([[1.0, 0.0], [0.0, -1.0]])})
    angle = torch.linspace(0, math.pi, 721, dtype=torch.float64)
    embedding = torch.stack([angle.cos(), angle.sin()], 1)
    # The other class's cosine is the same on both sides of its axis, so take the true logit alone.
    pushed = torch.stack([head(row[None], torch.tensor([0])) for row in embedding])
    others = head.logits(embedding)[:, 1]
    true = others - pushed.expm1().log()
    assert (true[1:] < true[:-1] + 1e-9).all()


@pytest.mark.parametrize("name", MARGINS)
def test_a_margin_of_0_is_the_softmax_of_scaled_cosines(name):
    head, embedding = build(name), drawn(BATCH, DIM)
    head.margin.fill_(0.0)
    wanted = nn.functional.cross_entropy(head.logits(embedding), speakers())
    torch.testing.assert_close(head(embedding, speakers()), wanted)


@pytest.mark.parametrize("name", MARGINS)
def test_the_length_of_an_embedding_does_not_matter_to_a_margin(name):
    head, embedding = build(name), drawn(BATCH, DIM)
    torch.testing.assert_close(head(1e-3 * embedding, speakers()), head(embedding, speakers()))


@pytest.mark.parametrize("name", MARGINS)
def test_the_margin_can_be_set_and_is_saved(name):
    head, embedding = build(name), drawn(BATCH, DIM)
    before = head(embedding, speakers())
    head.margin.fill_(0.1)
    assert head(embedding, speakers()) < before
    other = build(name)
    other.load_state_dict(head.state_dict())
    assert other.margin.item() == head.margin.item()
    torch.testing.assert_close(other(embedding, speakers()), head(embedding, speakers()), rtol=0, atol=0)


@pytest.mark.parametrize("soft", [False, True])
def test_autocast_leaves_the_head_in_float32(name, soft):
    head, embedding = build(name).float(), drawn(BATCH, DIM).bfloat16()
    target = soft_targets().bfloat16() if soft else speakers()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss, logits = head(embedding, target), head.logits(embedding)
    assert loss.dtype == logits.dtype == head.weight.dtype == torch.float32
    torch.testing.assert_close(loss, head(embedding.float(), target), rtol=0, atol=0)
    torch.testing.assert_close(logits, head.logits(embedding.float()), rtol=0, atol=0)


def test_the_weights_begin_glorot_uniform(name):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        weight = HEADS[name](200, 300).weight
    bound = math.sqrt(6 / (200 + 300))
    assert weight.abs().max() <= bound
    assert weight.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.01)


@pytest.mark.parametrize("wrong", [-1, CLASSES])
def test_a_speaker_out_of_range_is_named(name, wrong):
    speaker = speakers()
    speaker[2] = wrong
    with pytest.raises(BadInput, match=f"speaker {wrong}: this head's classes are 0 to 6"):
        build(name)(drawn(BATCH, DIM), speaker)


def test_an_empty_batch_is_refused(name):
    with pytest.raises(BadInput, match="an empty batch"):
        build(name)(drawn(0, DIM), torch.empty(0, dtype=torch.long))


@pytest.mark.parametrize(
    ("embedding", "speaker", "message"),
    [
        (drawn(BATCH, DIM + 1), speakers(), r"shape \(6, 6\); this head takes one row of 5"),
        (drawn(DIM), speakers(), r"shape \(5,\); this head takes one row of 5"),
        (drawn(BATCH, DIM), speakers()[:4], r"speakers of shape \(4,\) for 6 embeddings"),
        (drawn(BATCH, DIM), one_hot(speakers())[:, :3], r"soft targets of shape \(6, 3\) for 6 embeddings and 7"),
        (drawn(BATCH, DIM), speakers().double(), r"soft targets of shape \(6,\)"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_shape(name, embedding, speaker, message):
    with pytest.raises(BadInput, match=message):
        build(name)(embedding, speaker)


@pytest.mark.parametrize(
    ("head", "message"),
    [
        (partial(Softmax, 5, 1), "a head of 1 classes"),
        (partial(AmSoftmax, 5, 3, margin=-0.1), "margin: -0.1 is not within 0 and 2"),
        (partial(AamSoftmax, 5, 3, margin=1.6), "margin: 1.6 is not within 0 and 1.571"),
        (partial(AamSoftmax, 5, 3, scale=0.0), "scale: 0 is not a number above 0"),
    ],
)
def test_options_out_of_range_are_refused(head, message):
    with pytest.raises(BadInput, match=message):
        head()
