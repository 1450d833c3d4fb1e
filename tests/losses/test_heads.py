"""What all classification heads keep to, whatever their equation."""

import math

import pytest
import torch
from head_cases import BATCH, CLASSES, DIM, HEADS, build, drawn, one_hot, soft_targets, speakers
from torch import Tensor
from torch.nn import functional

from voxsphere.catalogue import CATALOGUE
from voxsphere.core.errors import BadInput
from voxsphere.core.kinds import is_of
from voxsphere.losses.head import Head, PenalisedHead

BINARY = ["sphereface2"]
WRAPPED = ["smoothed aam", "focal aam"]
SOFTMAXES = [name for name in HEADS if name not in BINARY]
PLAIN = ["softmax", "softmax of unit vectors", "a-softmax 1"]
LENGTH_MATTERS = ["softmax", "a-softmax 1", "a-softmax 2", "a-softmax 3", "a-softmax 4", "hyperbolic"]
# The logits with margin 0 are the plain ones; the circle loss has its weights besides, curricular and inter-top-k have
# what they do to the other classes, A-Softmax has λ for a margin.
ZERO_IS_PLAIN = ["am", "aam", "logistic", "logistic, normalised", "dynamic", "sub-centre", "hyperbolic", *WRAPPED]


@pytest.fixture(params=HEADS)
def name(request) -> str:
    return request.param


def test_all_heads_of_the_catalogue_are_under_test_and_stand_where_a_head_may():
    heads = {
        part for part in CATALOGUE.values() if part.__module__.startswith("voxsphere.losses") and is_of(part, Head)
    }
    assert {type(build(name)) for name in HEADS} == heads
    softmaxes = {part.__name__ for part in heads if is_of(part, PenalisedHead)}
    assert {part.__name__ for part in heads} - softmaxes == {"SphereFace2"}


@pytest.mark.parametrize("name", [name for name in SOFTMAXES if name not in WRAPPED])
def test_the_loss_is_the_cross_entropy_of_the_penalised_logits(name):
    head, embedding = build(name), drawn(BATCH, DIM)
    wanted = functional.cross_entropy(head.penalised(embedding, speakers()), speakers())
    torch.testing.assert_close(head(embedding, speakers()), wanted)


@pytest.mark.parametrize("name", [name for name in SOFTMAXES if name not in (*PLAIN, "circle")])
def test_the_margin_makes_the_true_logit_lower_and_no_other_higher_than_a_penalty_does(name):
    head, embedding = build(name), drawn(BATCH, DIM)
    true = one_hot(speakers()).bool()
    plain, penalised = head.logits(embedding), head.penalised(embedding, speakers())
    assert (penalised[true] < plain[true]).all()
    if name not in ("curricular", "inter-top-k"):
        torch.testing.assert_close(penalised[~true], plain[~true])


@pytest.mark.parametrize("name", ZERO_IS_PLAIN)
def test_a_margin_of_0_leaves_the_softmax_of_the_plain_logits(name):
    head, embedding = build(name), drawn(BATCH, DIM)
    head.set_margin(0.0)
    torch.testing.assert_close(head.penalised(embedding, speakers()), head.logits(embedding))


def test_a_row_of_one_class_is_the_same_as_the_class_in_loss_and_gradient(name):
    head, embedding = build(name), drawn(BATCH, DIM).requires_grad_()
    inputs = (embedding, *head.parameters())
    hard = torch.autograd.grad(head(embedding, speakers()), inputs)
    soft = torch.autograd.grad(head(embedding, one_hot(speakers())), inputs)
    torch.testing.assert_close(head(embedding, speakers()), head(embedding, one_hot(speakers())))
    torch.testing.assert_close(soft, hard)


def test_a_mixed_row_is_the_mixture_of_its_classes_losses(name):
    head, embedding = build(name), drawn(BATCH, DIM)
    other = speakers().roll(1)
    mixed = head(embedding, 0.3 * one_hot(speakers()) + 0.7 * one_hot(other))
    torch.testing.assert_close(mixed, 0.3 * head(embedding, speakers()) + 0.7 * head(embedding, other))


@pytest.mark.parametrize("target", ["classes", "soft"])
@pytest.mark.parametrize("name", [name for name in HEADS if name != "circle"])
def test_the_gradient_is_that_of_finite_differences(name, target):
    head, embedding = build(name), drawn(BATCH, DIM).requires_grad_()
    speaker = speakers() if target == "classes" else soft_targets()
    names = [key for key, _ in head.named_parameters()]

    def loss(x: Tensor, *parameters: Tensor) -> Tensor:
        return torch.func.functional_call(head, dict(zip(names, parameters, strict=True)), (x, speaker))

    assert torch.autograd.gradcheck(loss, (embedding, *head.parameters()))


@pytest.mark.parametrize("name", [name for name in HEADS if name != "smoothed aam"])
def test_the_loss_grows_with_the_angle_to_the_true_class_up_to_180_degrees(name):
    head = build(name, 6, 4)
    for key, value in head.named_parameters():
        if key in ("bias", "shift", "scale"):
            value.data.fill_(float(key == "scale"))
    # The embedding turns in the plane of two axes; the other classes are on the third and the fourth, always as far.
    others = [2, -2, 3, -3, 2]
    axes = 0.7 * torch.eye(4, dtype=torch.float64)
    rows = torch.stack([axes[0], *(math.copysign(1, axis) * axes[abs(axis)] for axis in others)])
    weight = dict(head.named_parameters())["head.weight" if name in WRAPPED else "weight"]
    weight.data.copy_(rows.repeat_interleave(len(weight) // 6, 0))
    angle = torch.linspace(0, math.pi, 361, dtype=torch.float64)
    embedding = 0.7 * torch.stack([angle.cos(), angle.sin(), 0 * angle, 0 * angle], 1)
    losses = torch.stack([head(row[None], torch.tensor([0])) for row in embedding])
    assert (losses.diff() > -1e-12).all()
    assert (losses[10:-10].diff() > 0).float().mean() > 0.95


def test_a_label_smoothed_head_keeps_the_order_of_its_heads_logits():
    head, embedding = build("smoothed aam"), drawn(BATCH, DIM)
    torch.testing.assert_close(head.penalised(embedding, speakers()), head.head.penalised(embedding, speakers()))
    torch.testing.assert_close(head.logits(embedding), head.head.logits(embedding))


def test_the_order_of_the_classes_does_not_matter(name):
    head, embedding = build(name), drawn(BATCH, DIM)
    order = torch.randperm(CLASSES, generator=torch.Generator().manual_seed(3))
    before = head(embedding, speakers())
    with torch.no_grad():
        for value in head.parameters():
            if value.ndim:
                value.copy_(value.view(CLASSES, -1)[order].view_as(value))
    torch.testing.assert_close(head(embedding, order.argsort()[speakers()]), before)


def test_the_order_of_the_batch_does_not_matter(name):
    head, embedding = build(name), drawn(BATCH, DIM)
    torch.testing.assert_close(head(embedding.flip(0), speakers().flip(0)), head(embedding, speakers()))


def test_one_embedding_has_a_loss_and_a_batch_has_their_mean(name):
    head, embedding = build(name), drawn(BATCH, DIM)
    each = [head(embedding[i : i + 1], speakers()[i : i + 1]) for i in range(BATCH)]
    torch.testing.assert_close(torch.stack(each).mean(), head(embedding, speakers()))


def test_the_length_of_an_embedding_matters_only_where_the_equation_has_it(name):
    head, embedding = build(name), 0.1 * drawn(BATCH, DIM)
    longer, before = head(2 * embedding, speakers()), head(embedding, speakers())
    if name in LENGTH_MATTERS:
        assert (longer - before).abs() > 1e-3
    else:
        torch.testing.assert_close(longer, before)


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_autocast_leaves_the_head_in_float32(name, dtype, soft):
    head, embedding = build(name).float(), drawn(BATCH, DIM).to(dtype).requires_grad_()
    target = soft_targets().to(dtype) if soft else speakers()
    with torch.autocast("cpu", dtype=dtype):
        loss, logits = head(embedding, target), head.logits(embedding)
        penalised = head.penalised(embedding, speakers()) if name in SOFTMAXES else logits
    assert loss.dtype == logits.dtype == penalised.dtype == torch.float32
    torch.testing.assert_close(loss, head(embedding.float(), target), rtol=0, atol=0)
    torch.testing.assert_close(logits, head.logits(embedding.float()), rtol=0, atol=0)
    loss.backward()
    assert all(value.grad.isfinite().all() for value in (embedding, *head.parameters()))


@pytest.mark.parametrize("target", ["classes", "soft"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_loss_and_gradient_are_finite_where_embedding_and_class_are_the_same_opposite_or_nothing(name, target, dtype):
    # Unit axes give cosines of 1, -1 and 0 to the last bit.
    axes = torch.eye(BATCH, DIM, dtype=dtype)
    axes[DIM] = -axes[0]
    speaker = torch.arange(BATCH)
    for length in (1, -1, 7, -7, 1e4, 0):
        head = build(name, BATCH).to(dtype)
        weight = dict(head.named_parameters())["head.weight" if name in WRAPPED else "weight"]
        weight.data.copy_(axes.repeat_interleave(len(weight) // BATCH, 0))
        embedding = (length * axes).requires_grad_()
        loss = head(embedding, speaker if target == "classes" else torch.eye(BATCH, dtype=dtype))
        loss.backward()
        assert loss.isfinite()
        assert all(value.grad.isfinite().all() for value in (embedding, *head.parameters()))


def test_what_a_head_learnt_is_saved_and_comes_back(name):
    head, embedding = build(name), drawn(BATCH, DIM)
    if hasattr(head, "set_margin"):
        head.set_margin(0.1)
    other = HEADS[name](DIM, CLASSES).double().eval()
    other.load_state_dict(head.state_dict())
    torch.testing.assert_close(other(embedding, speakers()), head(embedding, speakers()), rtol=0, atol=0)


@pytest.mark.parametrize("name", [name for name in HEADS if name not in PLAIN])
def test_a_schedule_sets_the_margin_and_leaves_the_plain_logits(name):
    head, embedding = build(name), drawn(BATCH, DIM)
    before, plain = head(embedding, speakers()), head.logits(embedding)
    head.set_margin(0.05)
    assert head(embedding, speakers()) != before
    torch.testing.assert_close(head.logits(embedding), plain, rtol=0, atol=0)


@pytest.mark.parametrize("name", [name for name in HEADS if name not in PLAIN])
@pytest.mark.parametrize("wrong", [-0.1, math.inf, math.nan])
def test_a_margin_out_of_range_is_refused(name, wrong):
    with pytest.raises(BadInput, match=f": {wrong:g} is not "):
        build(name).set_margin(wrong)


@pytest.mark.parametrize("wrong", [-1, CLASSES])
def test_a_speaker_out_of_range_is_named(name, wrong):
    speaker = speakers()
    speaker[2] = wrong
    head = build(name)
    for asked in (head, getattr(head, "penalised", head)):
        with pytest.raises(BadInput, match=f"speaker {wrong}: this head's classes are 0 to 6"):
            asked(drawn(BATCH, DIM), speaker)


@pytest.mark.parametrize(
    ("embedding", "speaker", "message"),
    [
        (drawn(0, DIM), torch.empty(0, dtype=torch.long), "an empty batch"),
        (drawn(0, DIM), torch.empty(0, CLASSES), "an empty batch"),
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


@pytest.mark.parametrize("scale", [0.0, -1.0, math.inf, math.nan])
def test_a_scale_that_is_none_is_refused(scale):
    scaled = [part for title, part in HEADS.items() if "scale" in getattr(part, "keywords", {})]
    for part in scaled:
        with pytest.raises(BadInput, match=f"scale: {scale:g} is not a number above 0"):
            part(DIM, CLASSES, scale=scale)


def test_a_head_of_one_class_is_refused(name):
    with pytest.raises(BadInput, match=r"a head of 1 classes|of the 0 classes"):
        HEADS[name](DIM, 1)


def test_a_head_learns_to_tell_points_apart(name):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        head = HEADS[name](8, 4)
        points = torch.eye(4, 8).repeat(8, 1) + 0.1 * torch.randn(32, 8)
    speaker = torch.arange(4).repeat(8)
    optimizer = torch.optim.Adam(head.parameters(), lr=0.05)
    losses = []
    for _ in range(80):
        optimizer.zero_grad()
        losses.append(head(points, speaker))
        losses[-1].backward()
        optimizer.step()
    assert losses[-1] < losses[0]
    assert (head.logits(points).argmax(1) == speaker).all()


@pytest.mark.slow
def test_a_training_step_compiles_into_one_graph(name):
    torch.compiler.reset()  # the heads share one `forward`, of which torch keeps no more than eight compiled forms
    head, embedding = build(name), drawn(BATCH, DIM).requires_grad_()
    compiled = torch.compile(head, backend="eager", fullgraph=True)
    torch.testing.assert_close(compiled(embedding, speakers()), head(embedding, speakers()))


def test_softmax_of_unit_vectors_is_softmax_of_what_was_brought_to_unit_length():
    unit, plain, embedding = build("softmax of unit vectors"), build("softmax"), 7 * drawn(BATCH, DIM)
    torch.testing.assert_close(unit.logits(embedding), plain.logits(functional.normalize(embedding)))
