"""Tests of the error table: what it says at a threshold and a duration, and where it keeps silent."""

import json
from dataclasses import replace

import pytest

from voxsphere.backend.expected import ErrorBin, ErrorTable
from voxsphere.core.errors import BadInput


def rates(start):
    return tuple(start + step / 100 for step in range(3))


SHORT = ErrorBin(
    least=0.5,
    most=2.0,
    target_trials=10,
    nontarget_trials=20,
    speakers=12,
    miss=rates(0.1),
    miss_low=rates(0.05),
    miss_high=rates(0.2),
    false_alarm=rates(0.3)[::-1],
    false_alarm_low=rates(0.2)[::-1],
    false_alarm_high=rates(0.4)[::-1],
)
TABLE = ErrorTable((-1.0, 0.0, 2.0), (SHORT, replace(SHORT, least=2.0, most=None, miss=rates(0.06))), "a list")


def test_the_bin_is_chosen_by_its_half_open_range_and_rates_lie_on_straight_lines():
    found = TABLE.at(1.0, 1.999)
    assert found is not None
    assert (found.condition, found.target_trials, found.nontarget_trials, found.speakers) == ("0.5 to 2 s", 10, 20, 12)
    assert (found.miss, found.false_alarm) == (pytest.approx(0.115), pytest.approx(0.305))
    assert found.miss_interval == (pytest.approx(0.065), pytest.approx(0.215))
    assert found.false_alarm_interval == (pytest.approx(0.205), pytest.approx(0.405))
    longer = TABLE.at(-1.0, 2.0)
    assert longer is not None
    assert (longer.condition, longer.miss) == ("2 s or more", 0.06)


@pytest.mark.parametrize(("threshold", "seconds"), [(0.0, 0.4), (2.1, 1.0), (-1.1, 1.0), (0.0, float("nan"))])
def test_what_was_not_measured_is_not_said(threshold, seconds):
    assert TABLE.at(threshold, seconds) is None


def test_json_gives_the_same_table_back():
    assert ErrorTable.from_json(json.loads(json.dumps(TABLE.to_json(), allow_nan=False))) == TABLE


def test_broken_tables_are_refused():
    with pytest.raises(BadInput, match="ascending"):
        ErrorTable((0.0, 0.0), ())
    with pytest.raises(BadInput, match="one number a threshold"):
        ErrorTable((0.0, 1.0), (SHORT,))
    content = TABLE.to_json()
    del content["bins"][0]["miss_low"]
    with pytest.raises(BadInput, match="miss_low"):
        ErrorTable.from_json(content)
    with pytest.raises(BadInput, match="thresholds"):
        ErrorTable.from_json({"bins": [], "provenance": ""})
