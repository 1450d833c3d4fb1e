"""Tests of the report: one whole page, alone in the world, that says what was measured."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest

from voxsphere.core.scores import Scores
from voxsphere.core.trials import Trials
from voxsphere.evaluate.page import Html, escape, page, paragraph, section, table
from voxsphere.evaluate.report import report
from voxsphere.evaluate.results import evaluate

VOID = {"meta"}


class Tags(HTMLParser):
    """Notes which elements are open, and complains of a wrong end."""

    def __init__(self):
        super().__init__()
        self.open, self.seen, self.text = [], [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def read(text):
    tags = Tags()
    tags.feed(text)
    assert tags.open == []
    return tags


def some_scores(scale, values=None):
    rng = np.random.default_rng(51)
    ids = tuple(f"<b>&{s}-{u}" for s in range(8) for u in range(4))
    enrol, test = np.triu_indices(len(ids), 1)
    target = enrol // 4 == test // 4
    values = rng.normal(np.where(target, 2.0, -2.0), 1.5) if values is None else values(target)
    return Scores(Trials(ids, enrol, test, target), values, scale=scale, model="a <model>")


@pytest.mark.parametrize("scale", ["llr", "cosine"])
def test_the_page_is_whole_and_shows_every_figure(tmp_path, scale):
    scores = some_scores(scale)
    results = evaluate(scores, replicates=30)
    report(scores, results, tmp_path / "page.html")
    tags = read((tmp_path / "page.html").read_text(encoding="utf-8"))
    text = " ".join(tags.text)
    for figure in results.figures:
        assert figure.name in text
    assert f"{100 * results.eer.value:.2f}\u00a0%" in text
    assert "a <model>" in text
    assert sum(tag == "svg" for tag, _ in tags.seen) == (3 if scale == "llr" else 2)


def test_the_page_needs_no_network_and_no_script(tmp_path):
    scores = some_scores("llr")
    report(scores, evaluate(scores, replicates=30), tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert not re.search(r"https?:|<script|<link|<img|@import|src=|href=", text)


def test_the_most_wrong_trials_are_listed_in_order_with_their_own_names(tmp_path):
    scores = some_scores("llr")
    report(scores, evaluate(scores, replicates=30), tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    lowest, highest = (text.split(f"<p>{start}")[1] for start in ("The same speaker", "Different speakers"))
    target = np.flatnonzero(scores.trials.target)
    worst = target[np.argsort(scores.values[target])[:10]]
    shown = re.findall(
        r"<td class=\"long\">([^<]*)</td><td class=\"long\">([^<]*)</td><td class=\"number\">([^<]*)</td>", lowest
    )[:10]
    ids = scores.trials.ids
    expected = [(scores.trials.enrol[i], scores.trials.test[i], scores.values[i]) for i in worst]
    assert shown == [(escape(ids[a]), escape(ids[b]), f"{value:+.3f}") for a, b, value in expected]
    first = float(re.search(r'<td class="number">([^<]*)</td>', highest)[1])
    assert first == pytest.approx(scores.nontarget_scores.max(), abs=5e-4)


@pytest.mark.parametrize(
    "values",
    [lambda target: np.where(target, 5.0, -5.0), lambda target: np.zeros(len(target)), lambda target: 0.0 - target],
    ids=["separated", "all alike", "the wrong way round"],
)
def test_extreme_scores_still_give_a_page_of_finite_drawings(tmp_path, values):
    scores = some_scores("llr", values)
    report(scores, evaluate(scores, replicates=10), tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    read(text)
    assert not re.search(r'="[^"]*\b(nan|inf)\b', text)


def test_text_is_escaped_and_markup_is_not():
    shown = page("<t>", [section("<h>", "<p>", paragraph("<q>"), table(("<a>",), [("<c>",), (Html("<i>x</i>"),)]))])
    for letter in "thpqac":
        assert f"&lt;{letter}&gt;" in shown
    assert "<td><i>x</i></td>" in shown
