"""The curves of a run as a picture of their own: well-formed, alone in the world, and all of the page's."""

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from tiny_recipe import recipe as tiny_recipe

from voxsphere.train.curves import HEIGHT, WIDTH
from voxsphere.train.learning import drawings
from voxsphere.train.page import write_page
from voxsphere.train.picture import write_picture
from voxsphere.train.run import train
from voxsphere.train.trace import Trace

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def run(speakers, tmp_path_factory) -> Path:
    """A finished run of two epochs, called by a name that is no XML as it stands."""
    folder = tmp_path_factory.mktemp("run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPEAKERS", str(speakers))
        train(tiny_recipe().with_options("epochs=2", "average=1", 'name="a < b & c"'), folder, workers=0)
    return folder


def test_the_picture_has_every_curve_of_the_page_and_asks_for_nothing(run):
    write_page(run, run / "report.html", results=None, scores=None, card=None)
    text = (run / "curves.svg").read_text()
    root = ElementTree.fromstring(text)
    trace = Trace.of(run, finished=False)
    drawn = list(drawings(trace))
    assert len(drawn) >= 5
    inside = root.findall(f"{SVG}svg")
    assert len(inside) == len(drawn)
    for found, (picture, _) in zip(inside, drawn, strict=True):
        expected = ElementTree.fromstring(picture.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))
        assert [path.get("d") for path in found.iter(f"{SVG}path")] == [p.get("d") for p in expected.iter(f"{SVG}path")]
    assert root.find(f"{SVG}title").text == "Training run: a < b & c"
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")
    assert not {"script", "image"} & {node.tag.removeprefix(SVG) for node in root.iter()}


def test_no_two_drawings_overlap_or_leave_the_picture(run):
    write_picture(Trace.of(run, finished=False), run / "curves.svg")
    root = ElementTree.fromstring((run / "curves.svg").read_text())
    width, height = float(root.get("width")), float(root.get("height"))
    places = [(float(each.get("x")), float(each.get("y"))) for each in root.findall(f"{SVG}svg")]
    assert all(0 <= x <= width - WIDTH and 0 <= y <= height - HEIGHT for x, y in places)
    apart = [abs(x - u) >= WIDTH or abs(y - v) >= HEIGHT for x, y in places for u, v in places if (x, y) != (u, v)]
    assert all(apart)
    assert len(set(places)) == len(places)


def test_colours_and_strokes_are_in_the_picture_itself(run):
    write_picture(Trace.of(run, finished=False), run / "curves.svg")
    root = ElementTree.fromstring((run / "curves.svg").read_text())
    style = root.find(f"{SVG}style").text
    used = {name for node in root.iter() for name in (node.get("class") or "").split()}
    assert {name for name in used if f".{name}" not in style} == set()


def test_nothing_is_drawn_of_a_run_that_has_logged_nothing(run, tmp_path):
    for name in ("recipe.json", "data.json"):
        (tmp_path / name).write_bytes((run / name).read_bytes())
    (tmp_path / "logbook.jsonl").touch()
    write_picture(Trace.of(tmp_path, finished=False), tmp_path / "curves.svg")
    assert not (tmp_path / "curves.svg").exists()
