"""Training learns: synthetic voices that were never heard are told apart after a minute, and not before."""

import importlib.util

import pytest

from voxsphere.demo.learning import learn
from voxsphere.recipes.synthetic_voices import synthetic_voices


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("espeakng_loader") is None, reason="needs the extra `synthetic`")
def test_a_trained_network_tells_unseen_voices_apart_and_an_untrained_one_does_not(tmp_path, monkeypatch):
    monkeypatch.setenv("VOXSPHERE_CACHE", str(tmp_path / "cache"))
    short = synthetic_voices().with_options("epochs=6")
    lesson = learn(tmp_path / "lesson.html", recipe=short)
    assert lesson is not None
    assert lesson.results.eer.value < 0.15
    assert lesson.untrained.other_eer > 0.3
    assert lesson.untrained.verdict == "better"
    assert lesson.page.read_text().startswith("<!doctype html>")
    assert lesson.finished.card.calibration is None  # eight held-out voices are too few, and that is said
