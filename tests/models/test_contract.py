"""What every part of the catalogue promises, in a small model that has it."""

import json

import numpy as np
import pytest
import torch
from presets import SHIFTS, SMALL
from seeded import noise, seeded
from torch import Tensor, nn

from voxsphere.catalogue import CATALOGUE
from voxsphere.core.errors import BadInput
from voxsphere.core.parts import describe, rebuild
from voxsphere.models.speaker import SpeakerModel

SECONDS = 0.8


@pytest.fixture(params=SMALL)
def part(request) -> str:
    return request.param


def build(part: str) -> SpeakerModel:
    model = SMALL[part]()
    model.load_state_dict(seeded(model))
    return model.eval()


def waves(model: SpeakerModel, count: int, *, seconds: float = SECONDS) -> Tensor:
    """What the model takes: waves, or stored features."""
    return 0.1 * noise(count, *model.zeros(seconds).shape[1:], seed=count)


def test_every_part_of_a_model_in_the_catalogue_has_a_small_model_that_holds_it():
    parts = {
        name
        for name, part in CATALOGUE.items()
        if issubclass(part, nn.Module) and not part.__module__.startswith("voxsphere.losses")
    }
    assert {name.partition(",")[0] for name in SMALL} | {"SpeakerModel"} == parts
    for name, recipe in SMALL.items():
        model = recipe()
        assert CATALOGUE[name.partition(",")[0]] in {
            type(p) for p in (model.features, model.encoder, model.pooling, model.projection)
        }


def test_the_parts_state_the_shapes_they_give(part):
    model = build(part)
    wave = waves(model, 3)
    features, frames, pooled = model.features(wave), model.frames(wave), model.pooled(wave)
    assert features.shape[::2] == (3, model.features.dim)
    assert frames.shape[:2] == (3, model.encoder.dim)
    assert pooled.shape == (3, model.pooling.dim)
    assert model(wave).shape == (3, model.projection.dim) == (3, model.dim)
    assert {x.dtype for x in (features, frames, pooled, model(wave))} == {torch.float32}


def test_every_weight_learns_unless_a_normalisation_takes_it_back(part):
    model = build(part).double().train()
    wave = waves(model, 4).double()
    (model(wave) * noise(4, model.dim)).sum().backward()
    assert all(p.grad is not None for p in model.parameters())
    largest = max((float(p.grad.abs().max()) for p in model.parameters()), default=0)
    idle = {name for name, p in model.named_parameters() if float(p.grad.abs().max()) < 1e-10 * largest}
    assert idle == SHIFTS.get(part, set())
    before = model(wave)
    with torch.no_grad():
        for name in idle:
            model.get_parameter(name).add_(1.0)
    torch.testing.assert_close(model(wave), before, rtol=1e-8, atol=1e-8)


def test_a_wave_alone_and_among_others_has_the_same_embedding(part):
    model = build(part)
    several = [*waves(model, 2), *waves(model, 1, seconds=1.7), *waves(model, 3, seconds=1.1)]
    together = model.embed(several)
    assert together.dtype == np.float32
    with torch.inference_mode():
        alone = np.stack([model(wave[None])[0].numpy() for wave in several])
    assert np.all(np.linalg.norm(together - alone, axis=1) < 1e-5 * np.linalg.norm(alone, axis=1))


def test_evaluation_is_deterministic(part):
    model = build(part)
    wave = waves(model, 2)
    assert torch.equal(model(wave), model(wave))


def test_a_model_comes_back_from_its_json_with_the_same_outputs(part):
    recipe = SMALL[part]
    again = rebuild(json.loads(json.dumps(describe(recipe))), CATALOGUE)()
    model = build(part)
    again.load_state_dict(model.state_dict())
    assert torch.equal(again.eval()(waves(model, 2)), model(waves(model, 2)))
    assert describe(rebuild(describe(recipe), CATALOGUE)) == describe(recipe)


def test_half_precision_on_a_cpu_is_refused_in_one_line(part):
    model = build(part)
    wave = waves(model, 1)
    with pytest.raises(BadInput, match=r"^the wave is fp16, which needs a GPU[^\n]*$"):
        model(wave.half())
    model.half()
    for embedded in (lambda: model(wave), lambda: model.embed([wave[0]])):
        with pytest.raises(BadInput, match=r"^the model's weights are fp16, which needs a GPU[^\n]*$"):
            embedded()


@pytest.mark.parametrize(("precision", "least"), [(torch.bfloat16, 0.998), (torch.float64, 0.999999)])
def test_a_model_of_another_precision_embeds_alike(part, precision, least):
    model = build(part)
    wave = waves(model, 1)[0]
    before, after = model.embed([wave])[0], model.to(precision).embed([wave])[0]
    assert after.dtype == np.float32
    assert before @ after > least * np.linalg.norm(before) * np.linalg.norm(after)


def encoders() -> list[str]:
    return [name for name in SMALL if ".encoders." in CATALOGUE[name.partition(",")[0]].__module__]


@pytest.mark.parametrize("part", encoders())
def test_frames_that_an_encoder_cannot_take_are_refused_in_one_line(part):
    model = build(part)
    features = model.features(waves(model, 1, seconds=2.0))
    with pytest.raises(BadInput, match=rf"^the network was built for {model.features.dim} features a frame"):
        model.encoder(features[..., 1:])
    with pytest.raises(BadInput, match=r"^\d+ frames are too few: the network looks at \d+ at once"):
        model.encoder(features[:, :0])
    for shapeless in (features[0], features[:0]):
        with pytest.raises(BadInput, match=r"^features of shape .* as \(batch, frames, features\)$"):
            model.encoder(shapeless)
    with pytest.raises(BadInput, match=r"^the features are fp16, which needs a GPU"):
        model.encoder(features.half())


@pytest.mark.parametrize("part", [*encoders(), "LstmAttentionPooling"])
def test_a_model_evaluates_and_learns_under_autocast(part):
    model = build(part)
    wave = waves(model, 2)
    with torch.inference_mode():
        precise = model(wave)
        with torch.autocast("cpu", torch.bfloat16):
            rough = model(wave)
        assert torch.equal(model(wave), precise)  # no weights of bf16 were kept
    assert ((rough - precise).norm(dim=1) < 0.1 * precise.norm(dim=1)).all()
    with torch.autocast("cpu", torch.bfloat16):
        told = model.train()(wave)
    told.float().square().sum().backward()
    assert all(p.grad.isfinite().all() for p in model.parameters())


# Torch's own: nn.LSTM lays its weights anew while it is traced, and the export warns of it.
@pytest.mark.filterwarnings("ignore:The tensor attributes self.encoder.lstm._flat_weights:UserWarning")
@pytest.mark.parametrize("part", [*encoders(), "AttentiveStatsPooling"])
def test_a_model_can_be_exported_as_one_graph(part):
    model = build(part)
    wave = waves(model, 2)
    graph = torch.export.export(model, (wave,)).module()
    torch.testing.assert_close(graph(wave), model(wave), rtol=1e-5, atol=1e-6)
