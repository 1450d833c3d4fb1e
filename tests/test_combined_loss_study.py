"""The study of the combined loss: its rates are those that other speakers chose."""

from pathlib import Path

from studies.systems.combined_loss import PILOTS, WAYS, section
from studies.systems.combined_loss_page import called, chosen, rates
from studies.systems.combined_loss_rates import RATES, STUDY, TRIED
from studies.systems.store import Store

STORED = Path(__file__).parents[1] / "studies/outputs/systems"


def test_each_way_takes_the_rate_that_was_best_for_the_speakers_who_choose():
    best = chosen(Store(STORED / PILOTS))
    assert set(best) == set(TRIED)
    # What adds the entropy term, or only lasts longer, takes the rate of what it adds to.
    based = {way: max((each for each in TRIED if way.startswith(each)), key=len) for way in WAYS}
    assert {way: made.rate for way, made in WAYS.items()} == {way: best[based[way]] for way in WAYS}


def test_every_way_was_tried_at_every_rate_alike():
    store = Store(STORED / PILOTS)
    assert [row.name for row in STUDY.rows] == [called(way, rate) for way in TRIED for rate in RATES]
    assert all(store.done(row.name, seed) for row in STUDY.rows for seed in row.seeds)


def test_the_rate_that_was_taken_is_bold():
    lines = rates(Store(STORED / PILOTS)).splitlines()[2:]
    assert lines[0] == "| row | at 0.01 | at 0.03 | at 0.1 | at 0.3 | at 1 |"
    for line, (way, best) in zip(lines[2:], chosen(Store(STORED / PILOTS)).items(), strict=True):
        cells = line.strip("| ").split(" | ")
        assert cells[0] == way
        assert [cell.startswith("**") for cell in cells[1:]] == [rate == best for rate in RATES]


def test_a_study_that_has_not_been_run_shows_no_rates(tmp_path):
    assert rates(Store(tmp_path / "empty")) == ""
    assert section(Store(tmp_path / "combined_loss")).startswith("Every row: ")
