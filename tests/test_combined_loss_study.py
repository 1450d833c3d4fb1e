"""The study of the combined loss: its rates are those that other speakers chose."""

from pathlib import Path

from studies.systems.combined_loss import EARLIER, HELD_OUT_TO_JUDGE, PILOTS, WAYS, section
from studies.systems.combined_loss_page import chosen, rates
from studies.systems.combined_loss_rates import FIRST, STEPS, STUDY, tried_at
from studies.systems.store import Store

STORED = Path(__file__).parents[1] / "studies/outputs/systems"


def test_each_way_takes_the_rate_that_was_best_for_the_speakers_who_choose():
    best = chosen(Store(STORED / PILOTS))
    # What adds the entropy term takes the rate of what it adds to.
    assert {way: made.rate for way, made in WAYS.items()} == {way: best[way.removesuffix(", entropy")] for way in WAYS}


def test_every_way_was_tried_at_the_same_rates_and_beyond_while_the_best_was_at_an_end():
    store = Store(STORED / PILOTS)
    assert all(store.done(row.name, seed) for row in STUDY.rows for seed in row.seeds)
    for way, best in chosen(store).items():
        tried = tried_at(way)
        first = STEPS.index(tried[0])
        assert tried == STEPS[first : first + len(tried)]
        assert set(FIRST) <= set(tried)
        assert tried[0] < best < tried[-1]


def test_nobody_judges_who_was_in_the_earlier_draw():
    sides = Store(STORED / PILOTS.removesuffix("_rates")).lists["held_out"]
    assert len({*sides.enrol, *sides.test}) == HELD_OUT_TO_JUDGE - EARLIER


def test_the_rate_that_was_taken_is_bold():
    lines = rates(Store(STORED / PILOTS)).splitlines()[2:]
    columns = [float(cell.removeprefix("at ")) for cell in lines[0].strip("| ").split(" | ")[1:]]
    for line, (way, best) in zip(lines[2:], chosen(Store(STORED / PILOTS)).items(), strict=True):
        cells = line.strip("| ").split(" | ")
        assert cells[0] == way
        assert [cell.startswith("**") for cell in cells[1:]] == [rate == best for rate in columns]
        assert [cell != "–" for cell in cells[1:]] == [rate in tried_at(way) for rate in columns]


def test_a_study_that_has_not_been_run_shows_no_rates(tmp_path):
    assert rates(Store(tmp_path / "empty")) == ""
    assert section(Store(tmp_path / "combined_loss")).startswith("Every row: ")
