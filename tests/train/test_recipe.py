"""Recipes: complete on the disk, the same again, changed by name, and what is wrong with one said in a line."""

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from tiny_recipe import recipe as tiny_recipe
from torch import optim

from voxsphere.core.errors import BadInput
from voxsphere.core.parts import describe
from voxsphere.recipes import RECIPES
from voxsphere.train.recipe import FORMAT, Recipe, differences, from_json
from voxsphere.train.sam import Sam
from voxsphere.train.schedule import Plateau, Stopping
from voxsphere.train.stages import Stages
from voxsphere.train.validation import Verification
from voxsphere.zoo import NETWORKS


def _each() -> Iterator[Recipe]:
    """All named recipes, those of stages one by one."""
    yield tiny_recipe()
    for make in RECIPES.values():
        made = make()
        yield from made.recipes if isinstance(made, Stages) else (made,)


NAMED = {recipe.name: recipe for recipe in _each()}


@pytest.mark.parametrize("name", NAMED)
def test_a_recipe_survives_the_disk(name, tmp_path):
    recipe = NAMED[name]
    recipe.save(tmp_path / "recipe.json")
    again = Recipe.load(tmp_path / "recipe.json")
    assert again.to_json() == recipe.to_json()
    assert again.hash == recipe.hash
    assert differences(again.to_json(), recipe.to_json()) == []


@pytest.mark.parametrize("name", NAMED)
def test_a_loaded_recipe_makes_the_same_model_and_schedule(name, tmp_path):
    recipe = NAMED[name]
    recipe.save(tmp_path / "recipe.json")
    again = Recipe.load(tmp_path / "recipe.json")
    assert str(again.model()) == str(recipe.model())
    assert again.learning_rate() == recipe.learning_rate()


def test_the_hash_stands_for_every_option():
    recipe = tiny_recipe()
    settings = [
        "model.encoder.width=13", "objective.head.scale=11", "seed=1", "clip=4", "optimizer.momentum=0.8",
        "examples.length=[0.4,0.7]", "learning_rate.peak=0.1", "masks=SpecAugment", "sampler=SpeakerBalanced",
    ]  # fmt: skip
    hashes = {recipe.hash, *(recipe.with_options(setting).hash for setting in settings)}
    assert len(hashes) == len(settings) + 1
    assert recipe.with_options("seed=0").hash == recipe.hash
    assert recipe.with_options("clip=5").hash == recipe.hash


@pytest.mark.parametrize(
    ("setting", "changed"),
    [
        ("epochs=3", {"epochs": 3}),
        ("compute=bf16", {"compute": "bf16"}),
        ("ema=null", {"ema": None}),
        ("optimizer=AdamW", {"optimizer": optim.AdamW}),
        ("validation.figure=eer*min_dcf", {"validation": partial(Verification, figure="eer*min_dcf")}),
        ("stopping=Stopping", {"stopping": Stopping}),
    ],
)
def test_an_option_changed_by_name_is_that_option_changed(setting, changed):
    assert tiny_recipe().with_options(setting).to_json() == replace(tiny_recipe(), **changed).to_json()


def test_settings_are_taken_one_after_the_other():
    recipe = tiny_recipe().with_options("optimizer=AdamW", "optimizer.weight_decay=0.5", "epochs=2", "epochs=3")
    assert (
        recipe.to_json() == replace(tiny_recipe(), optimizer=partial(optim.AdamW, weight_decay=0.5), epochs=3).to_json()
    )


def test_a_network_of_the_zoo_takes_the_models_place():
    recipe = tiny_recipe().with_options("model=ecapa-512", "model.encoder.width=64")
    assert describe(recipe.with_options("model.encoder.width=512").model) == describe(NETWORKS["ecapa-512"].model)
    assert recipe.model.keywords["encoder"].keywords["width"] == 64


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("epochs", "--set epochs: an option is changed by name=value"),
        ("epoch=3", "Recipe has no option 'epoch'; did you mean 'epochs'?"),
        ("epochs=three", "epochs: takes a whole number, not 'three'"),
        ("epochs=0", "recipe.epochs: 0 is none; give 1 or more"),
        ("batch_size=-8", "recipe.batch_size: -8 is none"),
        ("accumulate=0", "recipe.accumulate: 0 is none"),
        ("log_every=0", "recipe.log_every: 0 is none"),
        ("average=0", "recipe.average: 0 is none"),
        ("clip=0", "recipe.clip: 0.0 would stop all learning"),
        ("max_broken=2", "recipe.max_broken: 2.0 is no share"),
        ("compute=fp64", "compute: takes 'fp32' or 'bf16' or 'fp16', not 'fp64'"),
        ("model.encoder=Tdn", "model.encoder: no part named 'Tdn'; did you mean 'Tdnn'?"),
        ("model.encoder.with=3", "Tdnn has no option 'with'; did you mean 'width'?"),
        ("model=ecapa-521", "no network named 'ecapa-521'; did you mean 'ecapa-512'?"),
        ("model=Tdnn", "model: Tdnn cannot stand there; there are: SpeakerModel"),
        ("optimizer.betas=1", "SGD has no option 'betas'"),
        ("data.manifst=x", "training_set has no option 'manifst'; did you mean 'manifest'?"),
        ("augment.0.probability=1", "augment.0.probability: a list of 0 takes no options"),
    ],
)
def test_what_cannot_be_set_is_told_in_one_line(setting, told):
    with pytest.raises(BadInput) as refused:
        tiny_recipe().with_options(setting)
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("every", [0, -1])
def test_a_validation_that_never_comes_is_refused(every):
    with pytest.raises(BadInput, match="every is 1 epoch or more"):
        Verification(every=every)


def saved(tmp_path: Path, **changes: object) -> Path:
    path = tmp_path / "recipe.json"
    path.write_text(json.dumps({**tiny_recipe().to_json(), **changes}))
    return path


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"format": FORMAT + 1}, f"is a recipe of form {FORMAT + 1}, this version reads {FORMAT}; update voxsphere"),
        ({"format": None}, "is a recipe of form None"),
        ({"part": "SpeakerModel"}, "is no training recipe"),
        ({"epoch": 3}, "Recipe has no option 'epoch'; did you mean 'epochs'?"),
        ({"epochs": "8"}, 'Recipe.epochs: takes a whole number, not "8"'),
        ({"epochs": 0}, "recipe.epochs: 0 is none"),
        ({"optimizer": {"part": "SGDD"}}, "no part named 'SGDD'; did you mean 'SGD'?"),
        ({"optimizer": {"part": "SGD", "momntum": 0.9}}, "SGD has no option 'momntum'; did you mean 'momentum'?"),
        ({"keep": "worst"}, "Recipe.keep: takes 'last' or 'best' or 'average', not \"worst\""),
        ({"model": None}, "Recipe.model: takes a part, not null"),
    ],
)
def test_a_saved_recipe_that_is_wrong_is_told_with_its_file(tmp_path, changes, told):
    path = saved(tmp_path, **changes)
    with pytest.raises(BadInput) as refused:
        Recipe.load(path)
    assert str(refused.value).startswith(f"{path}: ")
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("content", ["[]", "3", "null", '"Recipe"', "{}"])
def test_a_file_that_is_no_recipe_is_told(tmp_path, content):
    (tmp_path / "recipe.json").write_text(content)
    with pytest.raises(BadInput, match=r"recipe\.json: is no training recipe"):
        Recipe.load(tmp_path / "recipe.json")


@pytest.mark.parametrize("missing", ["name", "data", "model", "objective", "learning_rate"])
def test_a_recipe_that_lacks_what_it_must_have_is_told(tmp_path, missing):
    content = tiny_recipe().to_json()
    del content[missing]
    with pytest.raises(BadInput, match=f"^here: .*{missing}"):
        from_json(content, "here")


def test_differences_name_the_options():
    recipe = tiny_recipe()
    other = recipe.with_options("model.encoder.width=20", "optimizer=Adam", "ema=null")
    assert differences(recipe.to_json(), other.to_json()) == [
        "model.encoder.width: 12 → 20",
        "optimizer: SGD → Adam",
        "ema: Ema → null",
    ]


def test_a_long_difference_is_cut():
    one = tiny_recipe()
    (told,) = differences(one.to_json(), replace(one, name="x" * 500).to_json())
    assert len(told) < 80


def test_parts_within_parts_are_saved_and_come_back(tmp_path):
    recipe = replace(
        tiny_recipe(), optimizer=partial(Sam, base=partial(optim.SGD, momentum=0.5)),
        learning_rate=partial(Plateau, initial=0.1), stopping=partial(Stopping, patience=4),
    )  # fmt: skip
    recipe.save(tmp_path / "recipe.json")
    again = Recipe.load(tmp_path / "recipe.json")
    assert again.to_json() == recipe.to_json()
    assert again.with_options("optimizer.base.momentum=0.25").to_json()["optimizer"]["base"]["momentum"] == 0.25
