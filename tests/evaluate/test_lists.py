"""Tests of several score lists side by side: names, the table's lines, the page."""

import re
from pathlib import Path

import numpy as np
import pytest

from voxsphere.core.errors import BadInput
from voxsphere.core.scores import Scores
from voxsphere.core.trials import Trials
from voxsphere.evaluate import lists
from voxsphere.evaluate.results import evaluate


def some(seed, apart=1.0):
    rng = np.random.default_rng(seed)
    ids = tuple(f"{s}-{u}" for s in range(12) for u in range(3))
    enrol, test = np.triu_indices(len(ids), 1)
    target = enrol // 3 == test // 3
    return Scores(Trials(ids, enrol, test, target), rng.normal(np.where(target, apart, 0), 0.5))


def test_names_have_as_many_folders_as_tell_them_apart():
    assert lists.names_of([Path("a/x.txt"), Path("b/y.txt")]) == ["x.txt", "y.txt"]
    assert lists.names_of([Path("r/a/s.txt"), Path("r/b/s.txt")]) == ["a/s.txt", "b/s.txt"]
    assert lists.names_of([Path("s.txt"), Path("b/s.txt")]) == ["s.txt", "b/s.txt"]
    with pytest.raises(BadInput, match=r"s\.txt: is given twice"):
        lists.names_of([Path("s.txt"), Path("s.txt")])


def test_a_line_tells_the_figures_of_its_list():
    found = evaluate(some(1), replicates=20)
    told = dict(zip(lists.HEADER, lists.row("one", found), strict=True))
    assert told["list"] == "one"
    assert told["trials"] == "630"
    assert told["EER % (95 % interval)"].startswith(f"{100 * found.eer.value:.2f} (")
    assert float(told["threshold"]) == pytest.approx(found.threshold.value, abs=6e-4)
    assert [float(told[name]) for name in ("minDCF .01", "minDCF .001")] == pytest.approx(
        [each.value for each in found.min_dcf], abs=6e-4
    )


def test_the_page_has_a_line_and_a_curve_of_each_list(tmp_path):
    scores = {name: some(seed) for seed, name in enumerate(("a & b", "c"))}
    found = {name: evaluate(each, replicates=20) for name, each in scores.items()}
    lists.report(scores, found, tmp_path / "r.html")
    page = (tmp_path / "r.html").read_text()
    assert page.count("<svg") == 2
    assert "a &amp; b" in page
    assert len(set(re.findall(r'clipPath id="([^"]+)"', page))) == 2
