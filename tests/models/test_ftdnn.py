"""The factorised TDNN: its constraint, its dropout and its skips."""

import numpy as np
import pytest
import torch
from seeded import noise, seeded

from voxsphere.core.errors import BadInput
from voxsphere.models.encoders.ftdnn import Ftdnn, nearer_semi_orthogonal


def small_ftdnn(**options) -> Ftdnn:
    encoder = Ftdnn(20, width=12, bottleneck=6, first=10, last=16, **options)
    encoder.load_state_dict(seeded(encoder))
    return encoder


def slow_step(matrix: np.ndarray) -> np.ndarray:
    """One step of Povey et al. 2018, eq. 2 to 8, entry by entry in float64."""
    M = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    rows, columns = M.shape
    P = [[sum(M[i, k] * M[j, k] for k in range(columns)) for j in range(rows)] for i in range(rows)]
    trace = sum(P[i][i] for i in range(rows))
    square = sum(P[i][j] * P[j][i] for i in range(rows) for j in range(rows))
    scale, ratio, speed = square / trace, square * rows / trace**2, 0.125
    for bound in (1.02, 1.1):
        speed = speed / 2 if ratio > bound else speed
    stepped = np.empty_like(M)
    for i in range(rows):
        for k in range(columns):
            pulled = sum((P[i][j] - (scale if i == j else 0)) * M[j, k] for j in range(rows))
            stepped[i, k] = M[i, k] - 4 * speed / scale * pulled
    return stepped if matrix.shape[0] <= matrix.shape[1] else stepped.T


@pytest.mark.parametrize("shape", [(5, 12), (12, 5), (7, 7)])
@pytest.mark.parametrize("steps_before", [0, 6, 30])
def test_a_step_of_the_constraint_is_that_of_the_paper(shape, steps_before):
    matrix = noise(*shape, seed=shape[0]).double()
    for _ in range(steps_before):  # farther and nearer than both bounds of the ratio
        matrix = nearer_semi_orthogonal(matrix)
    np.testing.assert_allclose(nearer_semi_orthogonal(matrix), slow_step(matrix.numpy()), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("shape", [(32, 128), (20, 25), (96, 32)])
def test_enough_steps_make_a_matrix_semi_orthogonal_up_to_its_scale(shape):
    matrix = noise(*shape) * 3
    for _ in range(200):
        matrix = nearer_semi_orthogonal(matrix)
    product = matrix @ matrix.T if shape[0] < shape[1] else matrix.T @ matrix
    scale = product.square().sum() / product.trace()
    torch.testing.assert_close(product / scale, torch.eye(min(shape)), rtol=0, atol=1e-3)
    torch.testing.assert_close(nearer_semi_orthogonal(matrix), matrix, rtol=1e-4, atol=1e-4)


def test_the_constraint_holds_two_of_three_convolutions_after_every_fourth_update():
    encoder = small_ftdnn()
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    for step in range(3):
        encoder.after_step(step)
    assert all(torch.equal(value, before[name]) for name, value in encoder.state_dict().items())
    encoder.after_step(3)
    changed = {name for name, value in encoder.state_dict().items() if not torch.equal(value, before[name])}
    assert changed == {f"blocks.{i}.factors.{j}.weight" for i in range(8) for j in range(2)}
    weight = before["blocks.2.factors.0.weight"]
    stepped = torch.from_numpy(slow_step(weight.double().flatten(1).numpy())).float().view_as(weight)
    torch.testing.assert_close(encoder.blocks[2].factors[0].weight.data, stepped, rtol=1e-5, atol=1e-6)


def test_a_fresh_factor_is_nearly_semi_orthogonal():
    factor = Ftdnn(20, width=512, bottleneck=64, first=64, last=16).blocks[1].factors[0].weight.flatten(1)
    product = (factor @ factor.T).detach()
    assert float(product.diagonal().mean()) == pytest.approx(1, abs=0.05)
    assert float((product - product.diagonal().diag()).square().mean().sqrt()) < 0.1


def test_the_dropout_has_a_mean_of_one_and_is_constant_over_time():
    encoder = small_ftdnn(dropout=0.2).train()
    torch.manual_seed(0)
    dropped = encoder._dropped(torch.ones(2000, 12, 5))
    factors = dropped[..., 0]
    assert torch.equal(dropped, factors[..., None].expand_as(dropped))
    assert float(factors.mean()) == pytest.approx(1, abs=0.01)
    assert 0.6 <= float(factors.min()) < 0.61
    assert 1.39 < float(factors.max()) <= 1.4
    assert float(factors.std()) == pytest.approx(0.8 / 12**0.5, rel=0.02)


def test_the_dropout_is_absent_in_evaluation_and_at_strength_zero():
    features = noise(2, 30, 20)
    plain = small_ftdnn()
    strong = small_ftdnn(dropout=0.5)
    assert torch.equal(strong.eval()(features), plain.eval()(features))
    assert not torch.equal(strong.train()(features), plain.train()(features))
    strong.set_dropout(0.0)
    torch.testing.assert_close(strong(features), plain(features))


def test_the_strength_of_the_dropout_is_kept_in_a_checkpoint_and_must_not_change_signs():
    encoder = Ftdnn(20, width=12, bottleneck=6, first=10, last=16, dropout=0.1)
    encoder.set_dropout(0.3)
    assert float(encoder.state_dict()["alpha"]) == pytest.approx(0.3)
    with pytest.raises(BadInput, match=r"between 0 and 0\.5, not at 0\.6"):
        encoder.set_dropout(0.6)


def test_later_layers_receive_earlier_ones_beside_their_predecessor_and_the_length_is_kept():
    encoder = small_ftdnn().eval()
    x = encoder.entry(noise(2, 30, 20).transpose(1, 2))
    blocks = dict(enumerate(encoder.blocks, 2))
    second = blocks[2](x)
    third = blocks[3](second)
    fourth = blocks[4](third)
    fifth = blocks[5](torch.cat([fourth, third], dim=1))
    sixth = blocks[6](fifth)
    seventh = blocks[7](torch.cat([sixth, fourth, second], dim=1))
    eighth = blocks[8](seventh)
    ninth = blocks[9](torch.cat([eighth, sixth, fourth], dim=1))
    assert {y.shape[-1] for y in (second, third, fourth, fifth, sixth, seventh, eighth, ninth)} == {30}
    torch.testing.assert_close(encoder(noise(2, 30, 20)), encoder.gather(ninth))
