"""What `check` shows of a plan."""

import json

import pytest

from protocols.check import report
from protocols.forecast import forecast
from protocols.table import limit_lines, rows
from tests.protocols.plans import CELL, plan_of

PLAN = plan_of(
    """[rest: 10 min, {repeat: 3, mark: formation, until: retention < 80 %, steps: [
    {discharge: 1 C, until: voltage <= 2 V or time >= 2 h and temperature >= 30 degC}]}]""",
    top="limits: {voltage: 1.5 V .. 6 V}\nrecord: every 30 s or 1 %\nfigures: [capacity]\n",
)
FORECAST = forecast(PLAN, CELL)


def test_the_report_is_plain_data_in_si() -> None:
    found = json.loads(json.dumps(report(PLAN, FORECAST), allow_nan=False))
    rest, repeat = found["steps"]
    (discharge,) = repeat["steps"]
    assert found["limits"]["voltage"] == {
        "unit": "V",
        "low": {"value": 1.5, "origin": "protocol"},
        "high": {"value": 5.0, "origin": "cell"},
    }
    assert (rest["path"], rest["line"], rest["verb"], rest["set_value"]) == ("1", 5, "rest", None)
    assert (repeat["repeat"], repeat["until"], repeat["marks"]) == (3, "retention < 80 %", ["formation"])
    assert (discharge["set_value"], discharge["unit"], discharge["setting"]) == (-0.003, "A", "-3 mA")
    assert [end["value"] for end in discharge["ends"]] == [2.0, 7200.0, 30.0]
    assert discharge["until"] == "voltage <= 2 V or time >= 2 h and temperature >= 30 degC"
    assert discharge["record"] == "every 30 s or 1 %"
    assert (discharge["times"], discharge["seconds"], discharge["basis"]) == (3, 3600.0, "estimated")
    expected = found["forecast"]
    assert (expected["seconds"], expected["rows"], expected["steps"]) == (600.0 + 3 * 3600.0, 22 + 3 * 122, 4)
    assert expected["low"] == pytest.approx(600.0 + 3 * 3240.0)  # a nominal capacity is good to a tenth
    assert expected["high"] == pytest.approx(600.0 + 3 * 3960.0)
    assert "nominal" in expected["because"]
    assert found["figures"] == ["capacity"]


def test_the_table_reads_like_the_protocol() -> None:
    shown = list(rows(PLAN, FORECAST))
    assert [row.step for row in shown] == ["rest", "repeat 3 ×", "  discharge"]
    assert [row.duration for row in shown] == ["10 min", "", "1 h (estimated)"]
    assert shown[1].until == "retention < 80 %"


def test_limits_are_told_with_whose_they_are() -> None:
    assert list(limit_lines(PLAN.limits)) == [
        "voltage from 1.5 V (protocol) to 5 V (cell)",
        "current from -0.01 A (cell) to 0.01 A (cell)",
    ]
