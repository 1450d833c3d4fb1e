"""A run that begins from weights: it holds them before its first step, leaves alone what is frozen, and goes on to the
bit without them.
"""

import json
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from accelerate import Accelerator
from tiny_recipe import recipe as tiny_recipe

from voxsphere.audio.wave import read
from voxsphere.core.errors import BadInput
from voxsphere.core.parts import describe
from voxsphere.losses.margin import AamSoftmax
from voxsphere.losses.smoothing import LabelSmoothing
from voxsphere.models.encoders.ftdnn import Ftdnn
from voxsphere.pretrained import open_folder
from voxsphere.train import checkpoint
from voxsphere.train.assembly import assemble
from voxsphere.train.average import Ema
from voxsphere.train.beginning import take_up
from voxsphere.train.class_weights import carried, means
from voxsphere.train.finish import finish
from voxsphere.train.logbook import read_logbook
from voxsphere.train.objectives import DomainAdversarial
from voxsphere.train.origin import check_unheard, find_origin
from voxsphere.train.parameters import parameter_groups
from voxsphere.train.recipe import Recipe, from_json
from voxsphere.train.run import train
from voxsphere.train.schedule import Constant
from voxsphere.train.start import Start, freeze
from voxsphere.train.weights import Weights


@pytest.fixture(scope="module")
def source(speakers, tmp_path_factory):
    """The run of a tiny recipe, finished, to begin from; two epochs, the last kept."""
    folder = tmp_path_factory.mktemp("source") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPEAKERS", str(speakers))
        recipe = replace(tiny_recipe(), epochs=2, keep="last", name="source")
        train(recipe, folder, workers=0)
        finish(recipe, folder)
    return folder


@pytest.fixture
def tiny(speakers, source, monkeypatch):
    """The tiny recipe, to be begun from the source: two epochs at a small rate."""
    monkeypatch.setenv("SPEAKERS", str(speakers))
    return replace(tiny_recipe(), epochs=2, keep="last", learning_rate=partial(Constant, value=0.01))


def begun(recipe: Recipe, model: Path, **options) -> Recipe:
    return replace(recipe, start=partial(Start, model=str(model), **options))


def kept(folder: Path, count: int = 1) -> dict[str, torch.Tensor]:
    return Weights(folder / "weights", keep="last", count=count).model()


def first_state(recipe: Recipe, folder: Path) -> dict[str, torch.Tensor]:
    """The objective's state before the first step."""
    data = recipe.data()
    made = assemble(recipe, data, Accelerator(cpu=True))
    _, state = take_up(recipe, folder, made.objective, data)
    assert state is not None
    made.objective.load_state_dict(state)
    return made.objective.state_dict()


def same(one, other, names=None):
    return all(torch.equal(one[name], other[name]) for name in (names or one))


@pytest.mark.parametrize("where", ["run", "model"])
def test_before_the_first_step_it_embeds_as_the_source_does(where, tiny, source, speakers, tmp_path):
    recipe = begun(tiny, source if where == "run" else source / "model")
    data = recipe.data()
    made = assemble(recipe, data, Accelerator(cpu=True))
    _, state = take_up(recipe, tmp_path / "run", made.objective, data)
    made.objective.load_state_dict(state)
    wave = read(speakers / "s03" / "1.wav", rate=16000)
    expected = open_folder(source / "model").model.embed([wave])
    assert np.array_equal(made.model.embed([wave]), expected)
    torch.manual_seed(recipe.seed)
    assert not np.array_equal(recipe.model().embed([wave]), expected), "the seed's own weights: nothing was proven"


def test_a_new_head_is_the_one_of_the_seed(tiny, source, tmp_path):
    plain = assemble(tiny, tiny.data(), Accelerator(cpu=True)).objective.state_dict()
    state = first_state(begun(tiny, source), tmp_path)
    assert torch.equal(state["head.weight"], plain["head.weight"])
    assert state["head.margin"] == plain["head.margin"]


@pytest.mark.parametrize(
    ("parts", "prefixes"),
    [
        (("encoder",), ("encoder.",)),
        (("features", "encoder", "pooling", "projection"), ("encoder.", "projection.")),
    ],
)
def test_what_is_frozen_stays_to_the_bit_with_its_statistics_and_the_rest_learns(
    parts, prefixes, tiny, source, tmp_path
):
    train(begun(tiny, source, freeze=parts), tmp_path, workers=0)
    before, after = kept(source), kept(tmp_path)
    held = [name for name in before if name.startswith(prefixes)]
    assert any("running_mean" in name for name in held), "no statistics among what is frozen: nothing was proven"
    assert same(before, after, held)
    learnt = [name for name in before if not name.startswith(prefixes)]
    assert len(parts) == 4 or not any(torch.equal(before[name], after[name]) for name in learnt if "weight" in name)
    state = checkpoint.newest(tmp_path / "checkpoints")
    fresh = first_state(begun(tiny, source, freeze=parts), tmp_path / "fresh")
    assert not torch.equal(state["objective"]["head.weight"], fresh["head.weight"])


def test_what_is_frozen_normalises_by_the_statistics_that_came_with_it(tiny, source, tmp_path):
    """In training, the network gives what it gives in evaluation: the batch does not matter."""
    recipe = begun(tiny, source, freeze=("encoder", "pooling", "projection"))
    made = assemble(recipe, recipe.data(), Accelerator(cpu=True))
    wave = torch.randn(3, 8000, generator=torch.Generator().manual_seed(0)) / 10
    together, alone = made.model(wave), torch.cat([made.model(wave[i : i + 1]) for i in range(3)])
    torch.testing.assert_close(together, alone)


def test_a_part_within_a_part_is_frozen_alone(tiny):
    model = tiny.model()
    freeze(model, ("encoder.layers.1",))
    still = {name for name, p in model.named_parameters() if not p.requires_grad}
    assert still == {name for name, _ in model.named_parameters() if name.startswith("encoder.layers.1.")}
    assert still
    quiet = {name for name, module in model.named_modules() if not module.training}
    assert quiet == {
        n for n, _ in model.named_modules() if n == "encoder.layers.1" or n.startswith("encoder.layers.1.")
    }


def test_what_is_frozen_is_no_part_of_the_optimiser_though_it_asks_for_groups_of_its_own(tiny):
    """The hypersphere's embedding layer asks for twice the rate."""
    odd = tiny.with_options("model.projection=DoubleRateAffine", "model.projection.dim=8")
    for parts, taken in (((), 2), (("projection",), 0)):
        model = odd.model()
        freeze(model, parts)
        groups = parameter_groups(torch.nn.ModuleDict({"model": model, "head": AamSoftmax(model.dim, 8)}))
        every = [p for group in groups for p in group["params"]]
        assert sum(len(group["params"]) for group in groups if "rate" in group) == taken
        assert all(p.requires_grad for p in every)


def test_hooks_of_the_loop_pass_over_what_is_frozen(tiny, speakers, tmp_path):
    """F-TDNN's constraint changes weights after a step, and its dropout's strength is a buffer."""
    factored = replace(
        tiny, model=partial(tiny.model.func, **{**tiny.model.keywords, "encoder": partial(Ftdnn, width=16, last=16)}),
        dropout=partial(Constant, value=0.1), name="factored",
    )  # fmt: skip
    train(factored, tmp_path / "source", workers=0)
    last = begun(replace(factored, dropout=None), tmp_path / "source", freeze=("encoder",))
    train(last, tmp_path / "run", workers=0)
    before, after = kept(tmp_path / "source"), kept(tmp_path / "run")
    assert same(before, after, [name for name in before if name.startswith("encoder.")])
    assert not torch.equal(before["projection.linear.weight"], after["projection.linear.weight"])


def test_frozen_weights_stay_to_the_bit_in_averages(tiny, source, tmp_path):
    recipe = replace(
        begun(tiny, source, freeze=("encoder",)), keep="average", average=2, epochs=3, ema=partial(Ema, decay=0.3)
    )
    train(recipe, tmp_path, workers=0)
    before, after = kept(source), Weights(tmp_path / "weights", keep="average", count=2).model()
    assert same(before, after, [name for name in before if name.startswith("encoder.")])


def test_nothing_but_frozen_batch_norms_may_see_one_utterance_a_piece(tiny, source, tmp_path):
    single = replace(tiny, accumulate=8, epochs=1)
    every = ("encoder", "pooling", "projection")
    assert train(begun(single, source, freeze=every), tmp_path / "frozen", workers=0).finished
    with pytest.raises(BadInput, match="no spread for batch norm"):
        train(begun(single, source, freeze=("encoder",)), tmp_path / "not", workers=0)


def test_the_head_is_carried_over_by_the_speakers_names(tiny, source, tmp_path):
    state = first_state(begun(tiny, source, head="carried"), tmp_path)
    left = checkpoint.newest(source / "checkpoints")
    assert torch.equal(state["head.weight"], left["ema"]["values"]["head.weight"])
    assert not torch.equal(state["head.weight"], left["objective"]["head.weight"]), "ema and last weights are alike"


def test_without_an_average_the_head_is_the_last_steps(tiny, tmp_path):
    plain = replace(tiny, ema=None)
    train(plain, tmp_path / "source", workers=0)
    state = first_state(begun(plain, tmp_path / "source", head="carried"), tmp_path / "run")
    left = checkpoint.newest(tmp_path / "source" / "checkpoints")
    assert torch.equal(state["head.weight"], left["objective"]["head.weight"])


def test_of_a_head_that_knew_faster_speakers_too_only_the_rows_of_these_speakers_come(tiny, tmp_path):
    """Large-margin fine-tuning leaves the sped-up speakers out."""
    fast = replace(tiny.with_options("data.speeds=[0.9,1.1]"), ema=None, epochs=1)
    train(fast, tmp_path / "source", workers=0)
    state = first_state(begun(replace(tiny, ema=None), tmp_path / "source", head="carried"), tmp_path / "run")
    left = checkpoint.newest(tmp_path / "source" / "checkpoints")["objective"]["head.weight"]
    names, own = fast.data().train.speakers, tiny.data().train.speakers
    assert (len(left), len(state["head.weight"])) == (24, 8)
    for speaker, row in zip(own, state["head.weight"], strict=True):
        assert torch.equal(row, left[names.index(speaker)])


def test_a_head_of_another_kind_is_not_carried_though_its_weights_have_the_same_shape(tiny, source, tmp_path):
    for head, told in (("AmSoftmax", "AmSoftmax"), ("SubCentreAam", "SubCentreAam of 3 centres")):
        other = begun(tiny.with_options(f"objective.head={head}"), source, head="carried")
        with pytest.raises(BadInput, match=f"taught AamSoftmax, and here stands {told}; its head is to be of the same"):
            train(other, tmp_path / head, workers=0)


def test_a_plain_softmax_hands_its_weights_and_biases_to_a_logistic_margin(tiny, tmp_path):
    """Hajibabaei & Dai's second stage: Caffe's rule is by the layer's name, and scales and shifts have none there."""
    plain = replace(tiny.with_options("objective.head=Softmax", "margin=null"), ema=None)
    train(plain, tmp_path / "source", workers=0)
    left = checkpoint.newest(tmp_path / "source" / "checkpoints")["objective"]
    for settings in ((), ("objective.head.normalised=true",)):
        logistic = plain.with_options("objective.head=LogisticMargin", "objective.head.scale=20", *settings)
        state = first_state(begun(logistic, tmp_path / "source", head="carried"), tmp_path / f"run{len(settings)}")
        assert torch.equal(state["head.weight"], left["head.weight"])
        assert ("head.bias" in state) == (not settings)
        assert settings or torch.equal(state["head.bias"], left["head.bias"])
        assert torch.equal(state["head.scale"], torch.full((8,), 20.0))
        assert not state["head.shift"].any()


def test_a_plain_softmax_has_no_weights_for_several_centres_of_a_speaker(tiny, tmp_path):
    plain = replace(tiny.with_options("objective.head=Softmax", "margin=null"), ema=None)
    train(plain, tmp_path / "source", workers=0)
    centres = begun(plain.with_options("objective.head=SubCentreAam"), tmp_path / "source", head="carried")
    with pytest.raises(BadInput, match="taught Softmax, and here stands SubCentreAam of 3 centres"):
        train(centres, tmp_path / "run", workers=0)


def test_rows_are_the_speakers_own_where_as_many_stand_in_another_order(tiny, source):
    objective = assemble(tiny, tiny.data(), Accelerator(cpu=True)).objective
    head = describe(tiny.objective)["head"]
    names = tiny.data().train.speakers
    straight, turned = (carried(objective, order, source, head=head)["head.weight"] for order in (names, names[::-1]))
    assert torch.equal(turned, straight.flip(0))


def test_what_is_no_speakers_row_is_carried_whole_though_it_has_as_many(tiny, source, tmp_path):
    """Eight speakers and eight hidden units that tell the domain: the units keep their order."""
    adversarial = partial(DomainAdversarial, head=partial(AamSoftmax, scale=10.0), hidden=8)
    objective = adversarial(tiny.model(), num_speakers=8, num_domains=2)
    for held in (objective.domain[0].weight, objective.head.weight):
        assert held.shape == (8, 8)
    run = tmp_path / "run"
    run.mkdir()
    for name in ("data.json", "recipe.json"):
        shutil.copy(source / name, run)
    state = {name: value.clone() for name, value in objective.state_dict().items()}
    checkpoint.save(run / "checkpoints", 1, {"objective": state, "ema": None})
    names = tiny.data().train.speakers
    taken = carried(objective, names[::-1], run, head=describe(tiny.objective)["head"])
    assert torch.equal(taken["head.weight"], state["head.weight"].flip(0))
    assert torch.equal(taken["domain.0.weight"], state["domain.0.weight"])


def test_means_fill_the_heads_weights_and_no_others_of_their_shape(tiny):
    data = tiny.data()
    for make in (AamSoftmax, partial(LabelSmoothing, head=AamSoftmax)):
        objective = DomainAdversarial(tiny.model(), 8, 2, head=make, hidden=8)
        assert objective.domain[0].weight.shape == objective.head.weight.shape
        made = means(objective, objective.model, data.train, seed=0)
        assert list(made) == ["head.weight" if make is AamSoftmax else "head.head.weight"]


def test_a_margin_is_what_the_recipe_says_not_what_the_run_left(tiny, source, tmp_path):
    wide = begun(tiny.with_options("objective.head.margin=0.5"), source, head="carried")
    assert first_state(wide, tmp_path)["head.margin"] == 0.5


def test_class_means_tell_the_speakers_apart_before_the_first_step(tiny, source, tmp_path):
    recipe = begun(tiny, source, head="means")
    data = recipe.data()
    made = assemble(recipe, data, Accelerator(cpu=True))
    _, state = take_up(recipe, tmp_path, made.objective, data)
    made.objective.load_state_dict(state)
    weight = state["head.weight"]
    plain = assemble(tiny, data, Accelerator(cpu=True)).objective.state_dict()["head.weight"]
    torch.testing.assert_close(weight.norm(dim=1), plain.norm(dim=1))
    slow = np.zeros((8, 8))  # the oracle: one file after the other, in float64
    for row, speaker in enumerate(data.train.speakers):
        for utterance in (u for u in data.train if u.speaker == speaker):
            vector = made.model.embed([read(utterance.path, rate=16000)])[0].astype(np.float64)
            slow[row] += vector / np.linalg.norm(vector)
    slow /= np.linalg.norm(slow, axis=1, keepdims=True)
    np.testing.assert_allclose((weight / weight.norm(dim=1, keepdim=True)).numpy(), slow, atol=1e-5)


def test_means_take_a_few_files_of_each_drawn_by_the_seed_and_pass_over_broken_ones(tiny, source, speakers, tmp_path):
    folder = tmp_path / "speakers"
    shutil.copytree(speakers, folder)
    for take in range(5):
        (folder / "s01" / f"{take}.wav").write_bytes(b"no audio")
    data = tiny.with_options(f"data.manifest={folder}").data()
    made = assemble(tiny, data, Accelerator(cpu=True))
    found = means(made.objective, made.model, data.train, seed=0)["head.weight"]
    again = means(made.objective, made.model, data.train, seed=0)["head.weight"]
    assert torch.equal(found, again)
    row = data.train.speakers.index("s01") if "s01" in data.train.speakers else None
    assert row is not None, "the broken speaker is held out: nothing was proven"
    assert torch.equal(found[row], made.objective.state_dict()["head.weight"][row])


def made_by(folder: Path) -> dict[str, bytes]:
    return {
        path.name: path.read_bytes() for path in [folder / "logbook.jsonl", *sorted((folder / "weights").iterdir())]
    }


def test_a_broken_run_with_a_start_goes_on_to_the_bit_without_it(tiny, source, tmp_path, monkeypatch):
    origin = tmp_path / "origin"
    shutil.copytree(source, origin)
    recipe = replace(begun(tiny, origin, head="means", freeze=("encoder",)), epochs=3)
    train(recipe, tmp_path / "whole", workers=0)

    def run_for(steps: int) -> int:
        taken = iter(range(steps))
        with monkeypatch.context() as patch:
            patch.setattr("voxsphere.train.signals.Wish.agreed", lambda self, *w: (next(taken) + 1 == steps, *w))
            return train(recipe, tmp_path / "broken", workers=0).step

    assert run_for(4) == 4
    shutil.rmtree(origin)  # what it was begun from is gone
    assert run_for(5) == 9
    assert train(recipe, tmp_path / "broken", workers=0).finished
    assert made_by(tmp_path / "broken") == made_by(tmp_path / "whole")


def test_a_start_that_has_changed_since_is_told(tiny, source, tmp_path):
    origin = tmp_path / "origin"
    shutil.copytree(source / "model", origin)
    recipe = replace(begun(tiny, origin), epochs=1)
    train(recipe, tmp_path / "run", workers=0)
    assert train(recipe, tmp_path / "run", workers=0).finished
    other = replace(tiny, seed=5, epochs=1, name="other")
    train(other, tmp_path / "other", workers=0)
    finish(other, tmp_path / "other")
    shutil.rmtree(origin)
    shutil.copytree(tmp_path / "other" / "model", origin)
    with pytest.raises(BadInput, match=r"was begun from other weights \(source [0-9a-f]{12}, now other [0-9a-f]{12}\)"):
        train(recipe, tmp_path / "run", workers=0)


def test_a_run_that_lost_its_checkpoints_begins_at_its_start_again(tiny, source, tmp_path):
    recipe = replace(begun(tiny, source, freeze=("encoder",)), epochs=1)
    train(recipe, tmp_path, workers=0)
    whole = kept(tmp_path)
    for path in (tmp_path / "checkpoints").iterdir():
        path.write_bytes(b"damaged")
    assert train(recipe, tmp_path, workers=0).resumed_at == 0
    assert same(whole, kept(tmp_path))


def test_the_card_says_what_the_model_was_begun_from(tiny, source, tmp_path):
    recipe = replace(begun(tiny, source), epochs=1)
    train(recipe, tmp_path, workers=0)
    shutil.copytree(source, tmp_path / "aside")
    card = finish(recipe, tmp_path).card
    note = json.loads((tmp_path / "data.json").read_text())["start"]
    assert card.source.endswith(f"begun from source (weights {note['fingerprint']})")
    assert card.licence_weights == "not stated; begun from source (licence not stated)"
    assert card.licence_data == "not stated; begun from source (licence not stated)"
    assert "begun from source, trained on: 40 utterances of 8 speakers" in card.training_data


def test_whom_a_start_heard_is_handed_on_and_that_nobody_knows_is_said(tiny, source, tmp_path):
    """A chain: the source, a run begun from it, and one begun from a copy of its model, of which nothing is known."""
    taught = json.loads((source / "data.json").read_text())["classes"]
    first = replace(begun(tiny, source), epochs=1, name="first")
    train(first, tmp_path / "first", workers=0)
    note = json.loads((tmp_path / "first" / "data.json").read_text())["start"]
    assert (note["heard"], note["all_heard"]) == (sorted(taught), True)
    assert "not known" not in finish(first, tmp_path / "first").card.training_data
    shutil.copytree(tmp_path / "first" / "model", tmp_path / "copy")
    strange = replace(begun(tiny, tmp_path / "copy"), epochs=1)
    train(strange, tmp_path / "second", workers=0)
    note = json.loads((tmp_path / "second" / "data.json").read_text())["start"]
    assert (note["heard"], note["all_heard"]) == ([], False)
    told = finish(strange, tmp_path / "second").card.training_data
    assert told.endswith("; it is not known whether first heard the held-out speakers, too")
    assert not find_origin(str(tmp_path / "second"), tmp_path).note()["all_heard"]


def test_a_speaker_whom_the_starts_start_heard_or_who_was_played_faster_is_no_judge():
    note = {"name": "old", "heard": ["a", "b@0.9"]}
    check_unheard(note, ["c", "d"])
    for judges in (["a", "c"], ["b", "c"]):
        with pytest.raises(BadInput, match=r"old: learnt 1 of the 2 speakers held out here, such as"):
            check_unheard(note, judges)


def test_the_same_weights_are_the_same_wherever_they_lie(tiny, source, tmp_path):
    notes = []
    for name, where in (("run", source), ("model", source / "model")):
        train(replace(begun(tiny, where), epochs=1), tmp_path / name, workers=0)
        notes.append(json.loads((tmp_path / name / "data.json").read_text())["start"])
    assert notes[0]["fingerprint"] == notes[1]["fingerprint"]


def test_a_recipe_with_a_start_is_saved_and_set_by_name(tiny):
    settings = ("start=Start", "start.model=campplus-zh-en", 'start.freeze=["features","encoder"]', "start.head=means")
    recipe = tiny.with_options(*settings)
    assert recipe.start is not None
    assert recipe.start() == Start(model="campplus-zh-en", head="means", freeze=("features", "encoder"))
    assert from_json(recipe.to_json(), "recipe.json").hash == recipe.hash
    assert recipe.with_options("start=null").hash == tiny.hash


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (["start=Start"], "start: Start cannot do without model; give it, as in --set start.model=…"),
        (["start.model=x"], "start.model: None takes no options"),
        (["start=Start", "start.modle=x"], "did you mean 'model'"),
        (["start=Crops"], "start: Crops cannot stand there; there are: Start"),
        (["start=Start", "start.model=nowhere"], "no model 'nowhere': not a folder"),
        (["start=Start", "start.model="], "start.model: names nothing"),
        (["start=Start", "start.model=stage:softmax"], "no run of that stage lies beside"),
        (["start=Start", "start.model=$NO_SUCH_PLACE/run"], "the environment variable NO_SUCH_PLACE is not set"),
        (["start=Start", "start.model=SOURCE", "start.head=old"], "start.head: takes 'new' or 'carried' or 'means'"),
        (["start=Start", "start.model=SOURCE", 'start.freeze=["encodr"]'], "no part 'encodr'; did you mean 'encoder'"),
        (
            ["start=Start", "start.model=SOURCE", "model.encoder.width=10"],
            "start.model source: 25 of its weights do not fit this recipe's model: encoder.layers.0.conv.weight is "
            "12×20×5, here 10×20×5; ",
        ),
        (
            ["start=Start", "start.model=SOURCE", "model.projection=Affine", "model.projection.dim=8"],
            "projection.norm_in.bias has no place here",
        ),
        (
            ["start=Start", "start.model=SOURCE/model", "start.head=carried"],
            "is a model and keeps no class weights; name the run that made it",
        ),
        (
            ["start=Start", "start.model=SOURCE", "data.held_out=5"],
            "start.model source: learnt 1 of the 5 speakers held out here, such as s",
        ),
        (
            ["start=Start", "start.model=SOURCE/model", "data.held_out=5"],
            "hold out others (--set data.held_out_manifest=…, or another data.seed)",
        ),
        (
            ["start=Start", "start.model=SOURCE", "start.head=carried", "data.held_out=3"],
            "1 of the 9 speakers, such as",
        ),
        (
            ["start=Start", "start.model=SOURCE", "start.head=carried", "objective.head=Softmax", "margin=null"],
            "taught AamSoftmax, and here stands Softmax; its head is to be of the same kind, or take start.head=new",
        ),
    ],
)
def test_what_does_not_fit_is_one_line_and_leaves_nothing(settings, told, tiny, source, tmp_path):
    settings = [setting.replace("SOURCE", str(source)) for setting in settings]
    with pytest.raises(BadInput) as refused:
        train(tiny.with_options(*settings), tmp_path / "run", workers=0)
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "run").exists()


def test_a_network_that_is_frozen_whole_with_nothing_beside_it_learns_nothing_and_is_refused(tiny, source):
    class Spread(torch.nn.Module):
        def __init__(self, model, num_speakers):
            super().__init__()
            self.model = model

    recipe = replace(begun(tiny, source, freeze=("encoder", "pooling", "projection")), objective=Spread)
    with pytest.raises(BadInput, match="leaves nothing that could learn"):
        assemble(recipe, recipe.data(), Accelerator(cpu=True))


def test_a_run_that_did_not_note_its_speakers_lends_no_head(tiny, source, tmp_path):
    shutil.copytree(source, tmp_path / "old")
    path = tmp_path / "old" / "data.json"
    path.write_text(json.dumps({k: v for k, v in json.loads(path.read_text()).items() if k != "classes"}))
    with pytest.raises(BadInput, match="does not name the speakers of its classes"):
        train(begun(tiny, tmp_path / "old", head="carried"), tmp_path / "run", workers=0)


def test_means_need_class_weights_of_a_row_a_speaker(tiny, source, tmp_path):
    class Bare(torch.nn.Module):
        def __init__(self, model, num_speakers):
            super().__init__()
            self.model = model

    with pytest.raises(BadInput, match="no class weights of 8 × 8, a row a speaker"):
        train(replace(begun(tiny, source, head="means"), objective=Bare), tmp_path / "run", workers=0)


def test_a_start_learns_on(tiny, source, tmp_path):
    """It is no worse on what it learns than the source was when it ended: the weights are used."""
    train(begun(tiny, source, head="carried"), tmp_path, workers=0)
    ended = [line["loss"] for line in read_logbook(source / "logbook.jsonl") if line["kind"] == "steps"][-1]
    first = next(line["loss"] for line in read_logbook(tmp_path / "logbook.jsonl") if line["kind"] == "steps")
    fresh = next(line["loss"] for line in read_logbook(source / "logbook.jsonl") if line["kind"] == "steps")
    assert first < 0.5 * (ended + fresh)
