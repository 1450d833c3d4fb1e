"""Networks at their published size: what is timed, on a small network, and how it is shown."""

from dataclasses import dataclass

import pytest
from studies.systems import example, full_size, full_size_page, named
from studies.systems.place import Place
from studies.systems.preparing import prepare

from voxsphere.core.files import write_json
from voxsphere.train.recipe import Recipe


@dataclass(frozen=True)
class Toy:
    """The example's network, in place of one of full size."""

    system: str = "example"
    crops: int = 0

    def made(self, place: Place) -> Recipe:
        return example.recipe(place, 0).with_options("accumulate=2")


@pytest.fixture
def place(tmp_path, monkeypatch):
    place = Place.of("example", tmp_path, smoke=True)
    prepare(named("example"), place)
    monkeypatch.setitem(full_size.WHOLE, "toy", Toy())
    return place


@pytest.mark.slow
def test_steps_and_recordings_are_timed(place, monkeypatch):
    told = full_size.training("toy", place, 3)
    assert told["range"][0] <= told["seconds"] <= told["range"][1]
    assert told["range"][0] > 0
    assert (told["batch"], told["pieces"], told["length"], told["steps"]) == (14, 2, "1", 3)
    assert told["parameters"] == sum(each.numel() for each in example.recipe(place, 0).model().parameters())
    assert 0.1 < told["gib"] < 64
    whole = full_size.hearing("toy", place)
    assert (whole["files"], whole["crops"]) == (20, 0)
    assert whole["audio"] > 20
    monkeypatch.setitem(full_size.WHOLE, "toy", Toy(crops=50))
    assert full_size.hearing("toy", place)["total"] > 2 * whole["total"]


def test_what_was_timed_is_shown(tmp_path):
    training = {"parameters": 25_682_152, "speakers": 526, "batch": 320, "pieces": 5, "length": "2–8", "steps": 3}
    training |= {"seconds": 128.04, "range": [99.4, 130.0], "gib": 6.25}
    hearing = {"files": 20, "audio": 80.0, "crops": 50, "seconds": 0.5, "total": 10.0, "gib": 1.0}
    stored = tmp_path / "full_size.json"
    write_json(stored, {"machine": "CPU 5000", "networks": {"net": {"training": training, "hearing": hearing}}})
    text = "\n".join(full_size_page.section(stored))
    assert "On one thread of CPU 5000" in text
    row = "| net | 25,682,152 | 526 | 320 in 5 pieces | 2–8 | 3 | 128 (99.4–130) | 2.5 | 6.2 |"
    assert row in text
    assert "| net | 20 | 80 | 50 | 0.5 | 0.125 | 1.0 |" in text
    assert list(full_size_page.section(tmp_path / "none.json")) == []
