"""docs/training.md: its code runs, its verbs and options exist, and every part it names is one."""

import re
import shlex
from itertools import pairwise
from pathlib import Path

from voxsphere.recipes import RECIPES
from voxsphere.train.parts import PARTS
from voxsphere.train.recipe import Recipe
from voxsphere.train.stages import Stages

PAGE = (Path(__file__).parents[1] / "docs" / "training.md").read_text(encoding="utf-8")


def commands() -> list[list[str]]:
    blocks = re.findall(r"^```(\w*)\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
    joined = "\n".join(text for kind, text in blocks if not kind).replace("\\\n", " ")
    lines = [line.partition("#")[0] for line in joined.splitlines() if "voxsphere " in line]
    return [shlex.split(line[line.index("voxsphere ") :]) for line in lines]


def test_every_command_has_its_verb_and_its_options(voxsphere):
    assert len(commands()) > 8
    for _, verb, *arguments in commands():
        shown = voxsphere(verb, "--help")
        assert shown.status == 0, verb
        for option in (argument for argument in arguments if argument.startswith("--")):
            assert option in shown.out, f"{verb} has no {option}"


def test_every_recipe_that_is_named_is_known():
    named = {arguments[0] for _, verb, *arguments in commands() if verb == "train"}
    assert {name for name in named if "." not in name and "/" not in name} <= set(RECIPES)


def test_every_setting_that_is_shown_makes_a_recipe():
    made = 0
    for _, verb, name, *arguments in commands():
        settings = [value for option, value in pairwise(arguments) if option == "--set"]
        if verb == "train" and settings and name in RECIPES:
            assert RECIPES[name]().with_options(*settings)
            made += 1
    assert made > 7


def test_the_code_makes_recipes():
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
    assert blocks
    for code in blocks:
        names: dict = {}
        exec(compile(code, "training.md", "exec"), names)
        assert isinstance(names["recipe"](), Recipe | Stages)


def test_every_part_in_the_table_is_one():
    table = PAGE[PAGE.index("| choice | parts |") : PAGE.index("`batch_size` is that of one update")]
    named = set(re.findall(r"`([A-Z]\w+)`", table))
    assert len(named) > 30
    assert named <= set(PARTS)
