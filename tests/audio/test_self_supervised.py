"""Self-supervised front ends, offline: tiny networks of each kind with random weights."""

import json
import math
from functools import partial

import numpy as np
import pytest
import torch
from torch import Tensor

from voxsphere.audio.deltas import Deltas
from voxsphere.audio.normalisation import UtteranceNorm
from voxsphere.audio.self_supervised import SelfSupervised
from voxsphere.catalogue import CATALOGUE
from voxsphere.core.errors import BadInput
from voxsphere.core.parts import describe, rebuild
from voxsphere.models.encoders.tdnn import Tdnn
from voxsphere.models.poolings.statistics import StatsPooling
from voxsphere.models.projection import Affine
from voxsphere.models.speaker import SpeakerModel
from voxsphere.pretrained import Card, open_folder, save_folder
from voxsphere.train.parameters import parameter_groups

transformers = pytest.importorskip("transformers")
pytest.importorskip("peft")

LAYERS = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24}
CONVOLUTIONS = {"conv_dim": (8,) * 7, "num_conv_pos_embeddings": 8, "num_conv_pos_embedding_groups": 2}
LARGE = {"feat_extract_norm": "layer", "do_stable_layer_norm": True, "conv_bias": True}
TINY = {
    "hubert": {"model_type": "hubert", **LAYERS, **CONVOLUTIONS, **LARGE},
    "wav2vec2": {"model_type": "wav2vec2", **LAYERS, **CONVOLUTIONS},
    "wav2vec2-bert": {"model_type": "wav2vec2-bert", "conv_depthwise_kernel_size": 5, **LAYERS},
    "wavlm": {"model_type": "wavlm", "num_buckets": 8, "max_bucket_distance": 20, **LAYERS, **CONVOLUTIONS},
    "wavlm, large": {"model_type": "wavlm", "num_buckets": 8, **LAYERS, **CONVOLUTIONS, **LARGE},
}
KINDS = pytest.mark.parametrize("kind", TINY)

CARD = Card("tiny", "A tiny model.", "", "the tests", "MIT", "MIT", "MIT", "none", "wavlm")


def waves(count: int, samples: int = 8000) -> Tensor:
    return 0.1 * torch.randn(count, samples, generator=torch.Generator().manual_seed(count))


def built(kind: str, **options: object) -> SelfSupervised:
    torch.manual_seed(0)
    return SelfSupervised(config=TINY[kind], **options)


def model_over(**options: object) -> "partial[SpeakerModel]":
    return partial(
        SpeakerModel,
        features=partial(UtteranceNorm, of=partial(SelfSupervised, **options)),
        encoder=partial(Tdnn, width=8, last=12),
        pooling=StatsPooling,
        projection=partial(Affine, dim=6),
    )


def states(front: SelfSupervised, wave: Tensor) -> list[Tensor]:
    """All hidden states as transformers tells them, the last as the network gives it on."""
    out = front.network(front._network_input(wave), output_hidden_states=True)
    return [*out.hidden_states[:-1], out.last_hidden_state]


@KINDS
@pytest.mark.parametrize("samples", [880, 1039, 1040, 8000, 16123])
def test_the_number_of_frames_is_foretold(kind, samples):
    front = built(kind)
    assert front(waves(2, samples)).shape == (2, front.frames_of(samples), 16)
    assert (front.dim, front.hop, front.sample_rate, front.input) == (16, 320, 16000, "wave")
    assert front.frames_of(399) == 0


@KINDS
def test_layers_are_summed_under_weights_that_add_up_to_one(kind):
    front, wave = built(kind).eval(), waves(2)
    with torch.no_grad():
        front.weights.copy_(torch.tensor([0.0, math.log(2), math.log(5)]))
    lowest, middle, last = states(front, wave)
    torch.testing.assert_close(front(wave), lowest / 8 + middle * 2 / 8 + last * 5 / 8)


@KINDS
def test_one_layer_is_that_of_the_whole_network_without_those_above(kind):
    wave, whole = waves(2), built(kind).eval()
    for layer, expected in enumerate(states(whole, wave)):
        front = built(kind, layers=layer).eval()
        assert len(front.network.encoder.layers) == layer
        front.load_state_dict(whole.state_dict(), strict=False)
        torch.testing.assert_close(front(wave), expected)


def test_all_layers_lie_side_by_side():
    front, wave = built("wavlm", layers="all").eval(), waves(2)
    assert front.dim == 48
    assert torch.equal(front(wave), torch.cat(states(front, wave), dim=2))


@KINDS
def test_a_frozen_network_has_no_gradients_and_stays_in_evaluation_mode(kind):
    front = built(kind).train()
    assert not any(module.training for module in front.network.modules())
    front(waves(2)).square().mean().backward()
    assert all(p.grad is None and not p.requires_grad for p in front.network.parameters())
    assert front.weights.grad.abs().max() > 0
    assert torch.equal(front(waves(2)), front(waves(2)))


@KINDS
def test_lora_trains_its_additions_alone(kind):
    front, wave = built(kind, tune="lora", rank=3, lora_dropout=0.5), waves(2)
    plain = built(kind).eval()
    torch.testing.assert_close(front.eval()(wave), plain(wave))  # the additions begin at zero
    learning = {name for name, p in front.network.named_parameters() if p.requires_grad}
    assert {name.split(".")[-3] for name in learning} == {"lora_A", "lora_B"}
    optimizer = torch.optim.Adam([p for p in front.parameters() if p.requires_grad], lr=0.1)
    before = {name: p.clone() for name, p in front.network.named_parameters()}
    front.train()
    target = noise_like(front(wave))
    for _ in range(2):  # in the first step only lora_B moves
        optimizer.zero_grad()
        (front(wave) * target).mean().backward()
        optimizer.step()
    moved = {name for name, p in front.network.named_parameters() if not torch.equal(p, before[name])}
    assert moved == learning


def noise_like(x: Tensor) -> Tensor:
    return torch.randn(x.shape, generator=torch.Generator().manual_seed(9))


def test_lora_drops_out_only_in_training():
    front, wave = built("wav2vec2", tune="lora", lora_dropout=0.5), waves(1)
    for name, p in front.network.named_parameters():
        if "lora_B" in name:
            p.data.normal_()
    front.train()
    assert not torch.equal(front(wave), front(wave))
    assert {m.training for n, m in front.network.named_modules() if "lora_dropout" not in n} == {False}
    front.eval()
    assert torch.equal(front(wave), front(wave))


@KINDS
def test_all_of_a_network_can_be_trained_and_only_then_its_dropout_is_on(kind):
    front = built(kind, tune="all")
    assert front.network.training
    assert not torch.equal(front(waves(2)), front(waves(2))) or kind == "wav2vec2-bert"
    (front(waves(2)) * noise_like(front(waves(2)))).sum().backward()
    assert all(p.grad is not None for p in front.parameters())
    front.eval()
    assert not front.network.training
    assert torch.equal(front(waves(2)), front(waves(2)))


def test_what_is_trained_inside_has_its_own_rate():
    model = model_over(config=TINY["wavlm"], tune="lora", rate=0.1)()
    rest, inside = parameter_groups(model)
    assert inside["rate"] == 0.1
    assert {id(p) for p in inside["params"]} == {id(p) for n, p in model.named_parameters() if "lora" in n}
    assert len(rest["params"]) + len(inside["params"]) == sum(p.requires_grad for p in model.parameters())
    assert len(parameter_groups(model_over(config=TINY["wavlm"])())) == 1


@pytest.mark.parametrize("samples", [16000, 15920, 8123])
def test_the_input_of_w2v_bert_is_that_of_its_extractor(samples):
    extractor = transformers.SeamlessM4TFeatureExtractor(padding_value=1)
    wave = waves(1, samples)
    theirs = extractor(wave[0].numpy(), sampling_rate=16000, return_tensors="np")
    # The extractor fills an odd last frame up and masks the pair.
    expected = theirs["input_features"][0][theirs["attention_mask"][0] == 1]
    got = built("wav2vec2-bert").front(wave)[0].numpy()
    assert got.shape == expected.shape
    np.testing.assert_allclose(got, expected, atol=1e-4)


def test_waves_are_normalised_where_the_network_was_trained_so():
    extractor = transformers.Wav2Vec2FeatureExtractor(do_normalize=True)
    wave = waves(1) + 0.05
    expected = extractor(wave[0].numpy(), sampling_rate=16000, return_tensors="pt")["input_values"]
    torch.testing.assert_close(built("hubert")._network_input(wave), expected, atol=1e-4, rtol=1e-4)
    assert torch.equal(built("wavlm")._network_input(wave), wave)
    assert torch.equal(built("hubert", normalise=False)._network_input(wave), wave)
    front = built("wavlm", normalise=True).eval()
    torch.testing.assert_close(front(3 * wave), front(wave), atol=1e-4, rtol=1e-4)


@KINDS
@pytest.mark.parametrize("tune", ["frozen", "lora", "all"])
def test_a_saved_model_is_whole_and_comes_back_from_its_folder(kind, tune, tmp_path):
    recipe = model_over(config=TINY[kind], tune=tune)
    model = recipe().eval()
    for p in model.parameters():
        torch.nn.init.normal_(p, std=0.1)
    again = open_folder(save_folder(recipe, model.state_dict(), CARD, tmp_path / "model")).model
    assert torch.equal(again(waves(2)), model(waves(2)))
    assert describe(rebuild(describe(recipe), CATALOGUE)) == describe(recipe)


def test_a_network_from_a_folder_is_saved_by_value_and_asks_for_the_folder_no_more(tmp_path):
    torch.manual_seed(3)
    given = {key: list(value) if isinstance(value, tuple) else value for key, value in TINY["wavlm"].items()}
    source = transformers.AutoModel.from_config(transformers.AutoConfig.for_model(**given))
    source.save_pretrained(tmp_path / "source")
    # As published configurations have: an option that this version of transformers does not know.
    described = tmp_path / "source" / "config.json"
    described.write_text(json.dumps(json.loads(described.read_text()) | {"freeze_feat_extract_train": True}))
    recipe = model_over(name=str(tmp_path / "source"), layers=2)
    model = recipe().eval()
    expected = source.eval()(waves(2)).last_hidden_state
    torch.testing.assert_close(model.features.of(waves(2)), expected)
    folder = save_folder(recipe, model.state_dict(), CARD, tmp_path / "model")
    for file in (tmp_path / "source").iterdir():
        file.unlink()
    saved = json.loads((folder / "recipe.json").read_text())["features"]["of"]
    assert saved["name"] is None
    assert saved["config"]["hidden_size"] == 16
    assert torch.equal(open_folder(folder).model(waves(2)), model(waves(2)))


def test_building_with_random_weights_depends_on_the_seed_alone():
    assert torch.equal(built("wavlm").eval()(waves(1)), built("wavlm").eval()(waves(1)))


def test_masks_and_mixed_lengths_work_over_a_wrapped_network():
    model = partial(model_over(config=TINY["wavlm"]), features=partial(Deltas, of=partial(UtteranceNorm, of=partial(
        SelfSupervised, config=TINY["wavlm"]
    ))))().eval()  # fmt: skip
    frames, dim = model.features.frames_of(8000), model.features.dim
    assert dim == 48
    masks = torch.ones(2, frames, dim)
    torch.testing.assert_close(model(waves(2), masks=masks), model(waves(2)))
    masks[:, :, 16:] = 0
    assert not torch.allclose(model(waves(2), masks=masks), model(waves(2)))
    assert model.embed([waves(1)[0], waves(1, 12345)[0], waves(1, 600)[0]]).shape == (3, 6)


def test_what_cannot_be_is_refused_in_one_line(tmp_path):
    refused = {
        "needs a name .* or a config": {},
        "config.model_type is 'bert'; there are: hubert, wav2vec2, wav2vec2-bert, wavlm": {
            "config": {"model_type": "bert"}
        },
        "config is a mapping": {"config": "wavlm"},
        "cannot be tuned by 'half'; there are: frozen, lora, all": {"config": TINY["wavlm"], "tune": "half"},
        "layers is 'weighted', 'all' or 0 to 2, not 3": {"config": TINY["wavlm"], "layers": 3},
        "layers is 'weighted', 'all' or 0 to 2, not 'last'": {"config": TINY["wavlm"], "layers": "last"},
        "layers is 'weighted', 'all' or 0 to 2, not True": {"config": TINY["wavlm"], "layers": True},
        "layers is 'weighted', 'all' or 0 to 2, not 1.5": {"config": TINY["wavlm"], "layers": 1.5},
        "^config has no option 'hiden_size' for wavlm; did you mean 'hidden_size'": {
            "config": {**TINY["wavlm"], "hiden_size": 32}
        },
        "no wavlm that can be built .*'foo'": {"config": {**TINY["wavlm"], "hidden_act": "foo"}},
        "no hubert that can be built .*hidden_size": {"config": {**TINY["hubert"], "hidden_size": "32"}},
        "^rank: ": {"config": TINY["wavlm"], "tune": "lora", "rank": 0},
        "^lora_dropout: ": {"config": TINY["wavlm"], "tune": "lora", "lora_dropout": 1.5},
        "q_proj would learn nothing": {"config": TINY["wavlm"], "tune": "lora", "targets": ("q_proj",)},
        "^targets: ": {"config": TINY["hubert"], "tune": "lora", "targets": ("nothing",)},
        "add_adapter": {"config": {**TINY["wav2vec2"], "add_adapter": True}},
        "nowhere: cannot be had": {"name": str(tmp_path / "nowhere")},
    }
    for reason, options in refused.items():
        with pytest.raises(BadInput, match=reason) as caught:
            SelfSupervised(**options)
        assert "\n" not in str(caught.value)
    with pytest.raises(BadInput, match="399 samples is shorter than one frame"):
        built("wavlm")(torch.zeros(1, 399))
    for front, wave in ((built("wavlm").half(), waves(1)), (built("wavlm"), waves(1).half())):
        with pytest.raises(BadInput, match=r"^fp16 needs a GPU[^\n]*$"):
            front(wave)


def test_a_checkpoint_that_lacks_weights_is_refused(tmp_path):
    given = {key: list(value) if isinstance(value, tuple) else value for key, value in TINY["wav2vec2"].items()}
    transformers.AutoModel.from_config(transformers.AutoConfig.for_model(**given)).save_pretrained(tmp_path)
    with pytest.raises(BadInput, match=r"its weights lack encoder\.layers\.2"):
        SelfSupervised(name=str(tmp_path), config={**TINY["wav2vec2"], "num_hidden_layers": 3})
    with pytest.raises(BadInput, match="its weights do not fit the configuration"):
        SelfSupervised(name=str(tmp_path), config={**TINY["wav2vec2"], "intermediate_size": 32})
