"""The page of a run: whole, alone in the world, true to the logbook, for short runs and for long ones."""

import ast
import html
import io
import json
import math
import re
import shlex
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from tiny_recipe import recipe as tiny_recipe

from voxsphere.backend.calibrate import Calibration
from voxsphere.backend.expected import ErrorBin, ErrorTable
from voxsphere.core.errors import BadInput
from voxsphere.core.files import write_json
from voxsphere.core.random import stream
from voxsphere.core.scores import Scores
from voxsphere.core.trials import Trials
from voxsphere.evaluate.results import Results, evaluate
from voxsphere.pretrained import Card
from voxsphere.recipes.voxceleb import ecapa_voxceleb
from voxsphere.train import checkpoint
from voxsphere.train.curves import MOST, Curve, chart, short, thin
from voxsphere.train.options import options_of
from voxsphere.train.page import write_page
from voxsphere.train.parts import PARTS
from voxsphere.train.recipe import Recipe, from_json
from voxsphere.train.schedule import Progress, Stopping
from voxsphere.train.trace import Trace


def make_run(
    folder: Path,
    recipe: Recipe,
    *,
    lines: int = 20,
    until: int | None = None,
    kept: tuple[int, ...] = (),
    broken: dict[str, str] | None = None,
    stamp: str = "",
    eers: list[float] | None = None,
) -> Path:
    """The folder of a made-up run of `lines` lines an epoch, that learns as runs do, up to epoch `until`."""
    recipe.save(folder / "recipe.json")
    write_json(
        folder / "data.json",
        {"fingerprint": "0123456789ab", "utterances": 45678, "speakers": 1234, "held_out_utterances": 1300,
         "held_out_speakers": 40, "trials": 24000, "stamp": stamp},
    )  # fmt: skip
    random = stream("a made-up run", recipe.epochs, lines)
    per_epoch = lines * recipe.log_every
    total = per_epoch * recipe.epochs
    rate = recipe.learning_rate()
    margin = None if recipe.margin is None else recipe.margin()
    written = io.StringIO()
    for epoch in range(1, (until or recipe.epochs) + 1):
        for line in range(1, lines + 1):
            step = (epoch - 1) * per_epoch + line * recipe.log_every
            progress = Progress(step - 1, total, per_epoch)
            loss = 1.2 + 7 * math.exp(-5 * step / total) + random.normal(0, 0.25)
            told = {"kind": "steps", "step": step, "epoch": epoch, "loss": max(0.05, loss)}
            told |= {"accuracy": float(np.clip(1.02 - loss / 9 + random.normal(0, 0.03), 0, 1))}
            told |= {"learning_rate": rate(progress)}
            told |= {} if margin is None else {"margin": margin(progress)}
            told |= {} if recipe.clip is None else {"gradient_norm": float(random.gamma(4, 0.9))}
            written.write(json.dumps(told) + "\n")
        eer = 0.04 + 0.3 * math.exp(-6 * epoch / recipe.epochs) + random.normal(0, 0.002)
        eer = eer if eers is None else eers[epoch - 1]
        found = {"eer": eer, "min_dcf": min(1, 6 * eer), "min_dcf_0.001": min(1, 9 * eer), "loss": 2.0, "error": 0.2}
        written.write(json.dumps({"kind": "validation", "step": epoch * per_epoch, "epoch": epoch, **found}) + "\n")
    (folder / "logbook.jsonl").write_text(written.getvalue())
    (folder / "weights").mkdir()
    for epoch in kept:
        (folder / "weights" / f"epoch-{epoch:06d}.safetensors").touch()
    if broken is not None:
        checkpoint.save(folder / "checkpoints", 1, {"journal": {"broken": broken}})
    return folder


def some_scores() -> tuple[Scores, Results]:
    """Scores of 14 speakers' trials, and what they come to."""
    random = np.random.default_rng(3)
    ids = tuple(f"s{speaker:02d}/{take}" for speaker in range(14) for take in range(5))
    enrol, test = np.triu_indices(len(ids), 1)
    target = enrol // 5 == test // 5
    scores = Scores(Trials(ids, enrol, test, target), random.normal(np.where(target, 0.6, 0.1), 0.14), "cosine", "m")
    return scores, evaluate(scores, replicates=50)


def some_card(*, calibrated: bool = True) -> Card:
    rates = {name: (value,) * 2 for name, value in zip(
        ("miss", "miss_low", "miss_high", "false_alarm", "false_alarm_low", "false_alarm_high"),
        (0.05, 0.03, 0.08, 0.04, 0.02, 0.07), strict=True,
    )}  # fmt: skip
    bins = tuple(
        ErrorBin(least=least, most=most, target_trials=500, nontarget_trials=2500, speakers=38, **rates)
        for least, most in ((1.0, 2.0), (2.0, 4.0), (4.0, None))
    )
    told = "fitted on trials of 40 speakers held out from training"
    return Card(
        name="tiny", summary="Tdnn, 0.01 M parameters, 8-d embeddings, trained on 45678 utterances of 1234 speakers",
        paper="none", source="voxsphere 0.2.0, recipe tiny (01234567), epochs 6 to 8 averaged",
        licence_code="Apache-2.0", licence_weights="not stated", licence_data="not stated", training_data="made up",
        front_end="16000 Hz, Fbank(num_mels=20)",
        calibration=Calibration(20.0, 0.0, -10.0, 0.0, provenance=told) if calibrated else None,
        errors=ErrorTable((-10.0, 10.0), bins, provenance=f"cross-validated over speakers; {told}")
        if calibrated else None,
    )  # fmt: skip


@pytest.fixture
def written(tmp_path):
    """Writes the page of a made-up run, and gives its markup."""

    def write(recipe: Recipe | None = None, *, finished: bool = False, card: Card | None = None, **options) -> str:
        run = make_run(tmp_path, recipe or tiny_recipe(), **options)
        scores, results = some_scores() if finished else (None, None)
        write_page(run, run / "report.html", results=results, scores=scores, card=card)
        return (run / "report.html").read_text(encoding="utf-8")

    return write


class Page(HTMLParser):
    """Reads a page, and complains of a wrong end."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(markup)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in ("meta", "wbr"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.text += data


def drawing(markup: str, label: str) -> str:
    """The one drawing of the page with this label on its vertical axis."""
    (found,) = re.findall(rf"<svg[^>]*><title>{label} over steps</title>.*?</svg>", markup)
    return found


def points(picture: str, kind: str = "target") -> np.ndarray:
    """The points of a curve as they stand in the drawing."""
    (path,) = re.findall(rf'class="curve {kind}" d="M([^"]*)"', picture)
    return np.array([[float(number) for number in point.split()] for point in path.split("L")])


def test_the_page_is_whole_and_needs_no_network_and_no_script(written):
    markup = written(finished=True, card=some_card(), kept=(6, 7, 8), broken={"/a<b>.wav": "/a<b>.wav: is damaged"})
    Page(markup)
    assert not re.search(r"https?:|<script|<link|<img|@import|src=|href=", markup)
    assert "/a&lt;b&gt;.wav: is damaged" in markup


def test_the_lead_says_what_was_learnt_how_it_ended_and_what_came_of_it(written):
    lead = written(finished=True, card=some_card(), kept=(6, 7, 8), broken={}).split('<p class="lead">')[1]
    _, results = some_scores()
    low, high = results.eer.interval
    assert "tell 1,234 speakers apart from 45,678 utterances in 8 epochs (320 steps)." in lead
    assert "On 40 speakers whom it never heard its equal error rate is" in lead
    assert f"(95 % interval {100 * low:.1f} to {100 * high:.1f}): at the threshold where both errors are alike" in lead
    assert "Every file could be read." in lead


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (lambda target, noise: np.where(target, 1.0, 0.0), "none of these pairs was judged wrongly"),
        (lambda target, noise: noise, "hardly better than tossing a coin"),
        (lambda target, noise: np.where(target, 2.0, 0.0) + noise, "of 100 pairs of one speaker are taken for two"),
    ],
    ids=["no error", "guessing", "some errors"],
)
def test_an_error_rate_is_said_in_words(values, told, tmp_path):
    scores, _ = some_scores()
    noise = np.random.default_rng(0).normal(size=len(scores))
    other = replace(scores, values=values(np.asarray(scores.trials.target), noise))
    run = make_run(tmp_path, tiny_recipe())
    write_page(run, tmp_path / "page.html", results=evaluate(other, replicates=20), scores=other, card=None)
    markup = (tmp_path / "page.html").read_text(encoding="utf-8")
    Page(markup)
    assert told in markup
    assert not re.search(r'="[^"]*\b(nan|inf)\b', markup)


def test_a_stamp_stands_above_everything_it_speaks_of(written):
    markup = written(stamp="validated on a test list: its figures are no test results")
    assert markup.index("validated on a test list") < markup.index("<h2>")


def test_without_a_stamp_none_is_shown(written):
    assert "Mind:" not in written()


def test_files_that_failed_are_counted_and_the_first_are_named(written):
    markup = written(broken={f"/{i}.wav": f"/{i}.wav: is damaged" for i in range(33)})
    assert "33 files could not be read; others of the same speakers stood in." in markup
    assert "/19.wav: is damaged" in markup
    assert "/20.wav" not in markup
    assert "And 13 more." in markup


def test_a_run_under_way_says_so_and_needs_no_results(written):
    markup = written(until=3)
    Page(markup)
    assert "so far, up to step 120 in epoch 3 of 8: the run is not finished." in markup
    assert "At the last validation its equal error rate on 40 speakers whom it never heard was" in markup
    assert "Telling unknown speakers apart" not in markup


def test_a_run_that_has_only_begun_has_a_page(tmp_path):
    run = make_run(tmp_path, tiny_recipe())
    for content in ("", '{"kind": "steps", "step": 2, "epoch": 1, "loss": 7.1, "learning_rate": 0.1}\n{"kind": "st'):
        (run / "logbook.jsonl").write_text(content)
        write_page(run, run / "report.html", results=None, scores=None, card=None)
        markup = (run / "report.html").read_text(encoding="utf-8")
        Page(markup)
        assert ("Nothing is in the logbook yet." in markup) == (content == "")
        assert "the run is not finished" in markup


def test_stopping_by_the_recipes_own_rule_is_told_from_being_broken_off(written, tmp_path):
    patient = replace(tiny_recipe(), epochs=20, stopping=partial(Stopping, patience=3))
    eers = [0.3, 0.2, 0.1, 0.2, 0.2, 0.2]
    assert "in 6 of 20 epochs (240 steps), after which its figure no longer improved" in written(
        patient, until=6, eers=eers
    )
    assert Trace.of(tmp_path).end == "early"


def test_a_run_broken_off_while_it_improved_is_not_called_stopped(written):
    patient = replace(tiny_recipe(), epochs=20, stopping=partial(Stopping, patience=3))
    assert "the run is not finished" in written(patient, until=6, eers=[0.3, 0.2, 0.1, 0.2, 0.2, 0.05])


def test_the_curve_is_the_logbooks_to_the_tenth_of_a_pixel(written):
    eers = [0.4, 0.3, 0.2, 0.1, 0.1, 0.3, 0.2, 0.0]
    drawn = points(drawing(written(eers=eers), "EER"))
    left, right, bottom, top = *drawn[[0, -1], 0], drawn[-1, 1], drawn[0, 1]
    np.testing.assert_allclose(drawn[:, 0], np.linspace(left, right, 8), atol=0.1)
    np.testing.assert_allclose(drawn[:, 1], bottom + np.array(eers) / 0.4 * (top - bottom), atol=0.1)


def test_the_epochs_that_made_the_model_are_marked(written):
    markup = written(kept=(6, 7, 8))
    picture = drawing(markup, "EER")
    at = points(picture)[[5, 7], 0]
    (lines,) = re.findall(r'class="chosen-line" d="M([\d.]+) [^M]*M([\d.]+) ', picture)
    assert [float(x) for x in lines] == pytest.approx(at)
    assert "epochs 6 to 8, whose mean is the model" in markup


def test_the_one_epoch_that_was_kept_is_marked(written):
    markup = written(kept=(3,))
    picture = drawing(markup, "minDCF")
    (line,) = re.findall(r'class="chosen-line" d="M([\d.]+) ', picture)
    assert float(line) == pytest.approx(points(picture)[2, 0])
    assert "The green line marks epoch 3, whose weights are the model" in markup


@pytest.mark.parametrize("finished", [False, True])
def test_a_run_of_one_line_is_drawn_with_dots(written, finished):
    markup = written(replace(tiny_recipe(), epochs=1), lines=1, kept=(1,), broken={}, finished=finished)
    Page(markup)
    assert not re.search(r'="[^"]*\b(nan|inf)\b', markup)
    for label in ("EER", "loss", "accuracy", "learning rate", "margin", "gradient norm"):
        assert drawing(markup, label).count("<circle") == 1


def test_a_long_run_is_thinned_and_the_page_says_how(written):
    long = replace(ecapa_voxceleb(), epochs=150, clip=3.0)
    markup = written(long, lines=100, kept=tuple(range(141, 151)))
    Page(markup)
    assert "each point is the mean of 50 lines of the logbook" in markup
    assert len(points(drawing(markup, "loss"))) == 300
    assert len(points(drawing(markup, "EER"))) == 150
    assert len(markup) < 200_000


def test_other_losses_of_an_objective_are_drawn_too(tmp_path):
    run = make_run(tmp_path, tiny_recipe())
    lines = [json.loads(line) for line in (run / "logbook.jsonl").read_text().splitlines()]
    told = [line | {"triplet<1>": 0.5} if line["kind"] == "steps" and line["epoch"] > 4 else line for line in lines]
    (run / "logbook.jsonl").write_text("".join(json.dumps(line) + "\n" for line in told))
    write_page(run, run / "report.html", results=None, scores=None, card=None)
    markup = (run / "report.html").read_text(encoding="utf-8")
    Page(markup)
    assert len(points(drawing(markup, "triplet&lt;1&gt;"))) == 80


def test_drawings_do_not_share_a_name(written):
    names = re.findall(r'<clipPath id="([^"]*)"', written(finished=True))
    assert len(set(names)) == len(names) == 9


def test_every_option_of_the_recipe_is_shown_and_those_it_sets_stand_out(written):
    recipe = tiny_recipe()
    markup = written(recipe)
    shown = {
        name.replace("<wbr>", ""): (kind, value.replace("<wbr>", ""))
        for kind, name, value in re.findall(
            r'<td><span class="(default|set)">(.*?)</span></td><td><span class="\1">(.*?)</span></td>', markup
        )
    }
    assert set(shown) == {option.name for option in options_of(recipe.to_json())}
    assert shown["model.encoder.width"] == ("set", "12")
    assert shown["model.features.sample_rate"] == ("default", "16000")
    assert shown["examples.length"] == ("set", "0.4, 0.6")
    assert shown["stopping"] == ("default", "none")


def test_an_option_is_a_default_exactly_where_leaving_it_out_makes_the_same_recipe():
    content = ecapa_voxceleb().to_json()
    left_out = 0
    for option in options_of(content):
        *way, last = option.name.split(".")
        without = json.loads(json.dumps(content))
        inner = without
        for step in way:
            inner = inner[int(step)] if isinstance(inner, list) else inner[step]
        if isinstance(inner, list) or isinstance(inner.pop(last), dict):
            continue  # an item of a list cannot be left out; a part's own row speaks of its class alone
        try:
            same = from_json(without, "here").to_json() == content
        except BadInput:
            same = False  # it has no default
        assert option.default == same, option
        left_out += 1
    assert left_out > 60


def test_options_of_a_class_that_is_not_the_toolkits_are_shown_without_defaults():
    content = tiny_recipe().to_json()
    content["model"]["encoder"] = {"part": "MyNet", "width": 3, "deep": {"part": "Mine", "x": None}}
    shown = {option.name: option for option in options_of(content)}
    assert (shown["model.encoder"].value, shown["model.encoder.deep.x"].value) == ("MyNet", "none")
    assert not any(option.default for name, option in shown.items() if name.startswith("model.encoder"))


class Lens:
    def __init__(self, *, focus: int = 1) -> None: ...


SHARP = partial(Lens, focus=3)


class Camera:
    def __init__(self, *, lens: Callable[[], Lens] = SHARP) -> None: ...


@pytest.mark.parametrize(("focus", "default"), [(3, True), (1, False)])
def test_a_default_part_brings_its_own_options(monkeypatch, focus, default):
    monkeypatch.setitem(PARTS, "Camera", Camera)
    monkeypatch.setitem(PARTS, "Lens", Lens)
    content = tiny_recipe().to_json() | {"masks": {"part": "Camera", "lens": {"part": "Lens", "focus": focus}}}
    shown = {option.name: option.default for option in options_of(content)}
    assert (shown["masks"], shown["masks.lens"], shown["masks.lens.focus"]) == (False, True, default)


def test_the_lines_to_copy_name_the_models_folder(tmp_path):
    run = make_run(tmp_path / "it's mine", tiny_recipe())
    write_page(run, run / "report.html", results=None, scores=None, card=some_card())
    markup = (run / "report.html").read_text(encoding="utf-8")
    lines = [html.unescape(line) for line in re.findall("<pre>(.*?)</pre>", markup)]
    assert shlex.split(lines[0]) == ["voxsphere", "verify", "A.wav", "B.wav", "--model", str(run / "model")]
    named = [node.value for node in ast.walk(ast.parse(lines[1])) if isinstance(node, ast.Constant)]
    assert sorted(named) == sorted([str(run / "model"), "A.wav", "B.wav"])


@pytest.mark.parametrize("calibrated", [True, False])
def test_the_page_says_whether_the_model_gives_probabilities(written, calibrated):
    markup = written(card=some_card(calibrated=calibrated))
    assert ("It gives probabilities." in markup) == calibrated
    assert ("5.0 % (3.0 to 8.0)" in markup) == calibrated
    assert ("It gives scores, no probabilities" in markup) == (not calibrated)


@pytest.mark.parametrize(
    ("changed", "told"),
    [({"keep": "best"}, "decided which epoch to keep"), ({}, "whoever compares recipes by these figures")],
)
def test_the_page_says_what_the_held_out_speakers_decided(written, changed, told):
    assert told in written(replace(tiny_recipe(), **changed), finished=True)


@pytest.mark.parametrize("known", [True, False])
def test_the_page_claims_only_what_is_known_of_whom_the_start_heard(known, tmp_path):
    run, (scores, results) = make_run(tmp_path, tiny_recipe()), some_scores()
    data = json.loads((run / "data.json").read_text())
    write_json(run / "data.json", {**data, "start": {"name": "old", "fingerprint": "0", "all_heard": known}})
    write_page(run, run / "report.html", results=results, scores=scores, card=None)
    markup = (run / "report.html").read_text(encoding="utf-8")
    assert ("speakers whom it never heard" in markup) is known
    assert ("whether old heard them before is not known" in markup) is not known


def test_no_interval_is_shown_of_fewer_than_ten_speakers(tmp_path):
    run, (scores, results) = make_run(tmp_path, tiny_recipe()), some_scores()
    shown = []
    for speakers in (9, 10):
        few = replace(results, speakers=speakers)
        write_page(run, run / "report.html", results=few, scores=scores, card=None)
        markup = (run / "report.html").read_text(encoding="utf-8")
        shown.append(("(95 % interval" in markup, "not available" in markup))
    assert shown == [(False, True), (True, False)]


@pytest.mark.parametrize("name", ["recipe.json", "data.json", "logbook.jsonl"])
def test_a_folder_that_lacks_a_file_is_one_line_that_names_it(tmp_path, name):
    run = make_run(tmp_path, tiny_recipe())
    (run / name).unlink()
    with pytest.raises(BadInput, match=f"{name}: no such file"):
        write_page(run, run / "report.html", results=None, scores=None, card=None)
    assert not (run / "report.html").exists()


def test_data_that_are_no_runs_are_one_line(tmp_path):
    run = make_run(tmp_path, tiny_recipe())
    (run / "data.json").write_text("[]")
    with pytest.raises(BadInput, match=r"data\.json: does not tell what the run learns from"):
        Trace.of(run)


@given(values=arrays(np.float64, st.integers(1, 2000), elements=st.floats(-1e6, 1e6)), most=st.integers(1, 400))
def test_thinning_keeps_mean_and_extremes_and_the_order(values, most):
    steps = np.arange(len(values), dtype=np.float64)
    thinned = thin(Curve("x", steps, values), most)
    assert len(thinned.mean) <= most
    sizes = np.diff(np.append(np.arange(0, len(values), thinned.size), len(values)))
    assert (sizes * thinned.mean).sum() == pytest.approx(values.sum(), rel=1e-9, abs=1e-3)
    assert (thinned.low.min(), thinned.high.max()) == (values.min(), values.max())
    assert np.all(np.diff(thinned.steps) > 0)
    assert np.all((thinned.low <= thinned.mean + 1e-6) & (thinned.mean <= thinned.high + 1e-6))


def test_a_short_curve_is_drawn_whole():
    values = np.random.default_rng(0).normal(size=MOST)
    assert np.array_equal(thin(Curve("x", np.arange(MOST) * 1.0, values)).mean, values)


@given(
    values=st.lists(st.floats(-1e12, 1e12), min_size=1, max_size=30),
    from_zero=st.booleans(),
    steps=st.integers(1, 10**9),
)
def test_every_drawing_is_of_finite_numbers_within_reach(values, from_zero, steps):
    known = np.linspace(0, steps, len(values))
    picture = chart("x", [Curve("x", known, np.array(values))], steps=steps, from_zero=from_zero, chosen=(0, steps))
    assert not re.search(r"\b(nan|inf)\b", picture)
    assert np.all((points(picture) >= 0) & (points(picture) <= 420))
    assert picture.count('class="grid"') < 40


@pytest.mark.parametrize(
    ("number", "told"),
    [(0, "0"), (950, "950"), (9500, "9500"), (20_000, "20k"), (250_000, "250k"), (1_500_000, "1.5M")],
)
def test_counts_are_written_short(number, told):
    assert short(number) == told
