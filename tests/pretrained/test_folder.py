"""Model folders: whole, checked, and one line for whatever is wrong with them."""

import errno
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch

from voxsphere.catalogue import CATALOGUE
from voxsphere.core.errors import BadInput
from voxsphere.core.files import read_json, write_json
from voxsphere.core.parts import rebuild
from voxsphere.pretrained import Card, load, open_folder, save_folder
from voxsphere.pretrained.folder import FILES


@pytest.fixture
def copied(tiny_model, tmp_path):
    return shutil.copytree(tiny_model, tmp_path / "copied")


def test_a_folder_gives_back_the_model_in_evaluation_mode(tiny_model, babble):
    first, second = open_folder(tiny_model), load(str(tiny_model))
    assert not first.model.training
    assert first.fingerprint == second.fingerprint
    np.testing.assert_array_equal(first.model.embed([babble(1)]), second.model.embed([babble(1)]))


def test_loading_leaves_the_callers_random_numbers_alone(tiny_model):
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    open_folder(tiny_model)
    assert torch.rand(1) == expected


def test_who_may_read_the_card_may_read_the_weights(tiny_model):
    assert len({(tiny_model / name).stat().st_mode for name in FILES}) == 1


def test_a_card_survives_the_disk(tiny_model):
    card = open_folder(tiny_model).card
    assert Card.from_json(card.to_json(), "here") == card


def test_the_fingerprint_follows_weights_and_recipe_but_not_the_card(copied):
    before = open_folder(copied).fingerprint
    card = read_json(copied / "card.json")
    write_json(copied / "card.json", card | {"summary": "another"})
    assert open_folder(copied).fingerprint == before
    recipe = read_json(copied / "recipe.json")
    write_json(copied / "recipe.json", recipe | {"min_seconds": 1.0})
    assert open_folder(copied).fingerprint != before


@pytest.mark.parametrize("name", ["model.safetensors", "recipe.json", "card.json"])
def test_a_missing_file_is_named(copied, name):
    (copied / name).unlink()
    with pytest.raises(BadInput, match=f"it has no {name}"):
        open_folder(copied)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("model.safetensors", b"rubbish", "is damaged"),
        ("recipe.json", b"{", "is not JSON"),
        ("recipe.json", b'{"part": "CamPlusMinus"}', "did you mean 'CamPlusPlus'"),
        ("recipe.json", b'{"part": "Fbank"}', "describes no SpeakerModel"),
        ("card.json", b"{}", "a card needs name"),
    ],
)
def test_a_damaged_file_is_told_in_one_line(copied, name, content, told):
    (copied / name).write_bytes(content)
    with pytest.raises(BadInput, match=told) as refused:
        open_folder(copied)
    assert "\n" not in str(refused.value)


def test_weights_that_do_not_fit_the_recipe_are_refused(copied):
    recipe = read_json(copied / "recipe.json")
    recipe["encoder"]["width"] = 17
    write_json(copied / "recipe.json", recipe)
    with pytest.raises(BadInput, match="do not fit the recipe") as refused:
        open_folder(copied)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("card.json", []),
        ("card.json", {"published": 3}),
        ("card.json", {"min_speech_seconds": "abc"}),
        ("card.json", {"calibratoin": {}}),
        ("recipe.json", []),
        ("recipe.json", {"features": 3}),
        ("recipe.json", {"pooling": None}),
        ("recipe.json", {"max_seconds": 0, "min_seconds": 0}),
        ("recipe.json", {"encoder": {"part": "Tdnn", "dilations": [0, 1, 1, 1, 1]}}),
        ("recipe.json", {"features": {"part": "SpeechBrainFbank", "sample_rate": 0}}),
        (
            "recipe.json",
            {"features": {"part": "SelfSupervised", "config": {"model_type": "hubert", "hidden_act": "x"}}},
        ),
        ("recipe.json", {"encoder": {"part": "Tdnn", "width": "x"}}),
    ],
)
def test_nonsense_in_a_file_is_told_in_one_line(copied, name, change):
    content = read_json(copied / name)
    write_json(copied / name, content | change if isinstance(change, dict) else change)
    with pytest.raises(BadInput) as refused:
        open_folder(copied)
    assert "\n" not in str(refused.value)
    assert str(copied) in str(refused.value)


def saved(tiny_model, folder, **options):
    made = open_folder(tiny_model)
    recipe = rebuild(read_json(tiny_model / "recipe.json"), CATALOGUE)
    return save_folder(recipe, made.model.state_dict(), replace(made.card, name="new"), folder, **options)


def test_a_model_is_replaced_only_by_a_whole_one(tiny_model, copied, monkeypatch):
    before = {name: (copied / name).read_bytes() for name in FILES}
    with monkeypatch.context() as patched:
        really = os.replace

        def full(source, target):  # only the folder that was there can still be moved
            if str(target) == str(copied) and not str(source).endswith(".old"):
                raise OSError(errno.ENOSPC, "No space left on device")
            really(source, target)

        patched.setattr(os, "replace", full)
        with pytest.raises(BadInput, match="No space left on device"):
            saved(tiny_model, copied)
    with pytest.raises(BadInput, match="holds another model; choose a folder that is not there yet"):
        saved(tiny_model, copied, replace=False)
    assert {name: (copied / name).read_bytes() for name in FILES} == before
    saved(tiny_model, copied)
    assert open_folder(copied).card.name == "new"
    assert [path.name for path in copied.parent.iterdir()] == [copied.name]


@pytest.mark.parametrize("name", [".", "..", "link"])
def test_what_is_no_folder_of_its_own_is_refused(tiny_model, copied, name, monkeypatch):
    monkeypatch.chdir(copied)
    (copied.parent / "link").symlink_to(copied)
    with pytest.raises(BadInput):
        saved(tiny_model, name if name != "link" else copied.parent / "link")
    assert {path.name for path in copied.iterdir()} == set(FILES)


def test_many_may_make_one_folder_at_once(tiny_model, tmp_path):
    made = open_folder(tiny_model)
    recipe = rebuild(read_json(tiny_model / "recipe.json"), CATALOGUE)

    def work(_: int) -> str:
        save_folder(recipe, made.model.state_dict(), made.card, tmp_path / "shared")
        return open_folder(tmp_path / "shared").fingerprint

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(work, range(12))) == {made.fingerprint}
