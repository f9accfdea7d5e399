"""What a rehearsal that saw the beginning makes of the rest."""

import pytest

from daemon.reading.results import StepRecord
from daemon.rehearsals.remainder import remainder
from protocols.forecast import forecast
from tests.protocols.plans import CELL, plan_of

PLAN = plan_of(
    "[{rest: 1 h}, {repeat: 10, steps: [{discharge: 3 mA, until: voltage <= 2 V}, rest: 10 min]}, rest: 2 h]"
)
EXPECTED = forecast(PLAN, CELL)  # a discharge of 3 mAh at 3 mA is thought to take an hour


def record(path: str, seconds: float | None, started: float = 0.0) -> StepRecord:
    known: dict[str, None] = dict.fromkeys(StepRecord.__slots__)
    told = {"ordinal": 1, "path": path, "duration": seconds, "ended": seconds, "started": started}
    return StepRecord(**{**known, **told})  # type: ignore[arg-type]


def test_what_was_not_reached_is_carried_on_from_the_last_round() -> None:
    """An hour, two rounds of 50 and 40 min and 10 of rest; then 8 of 40 + 10 min, and two hours."""
    seen = [record("1", 3600.0), record("2.1", 3000.0), record("2.2", 600.0), record("2.1", 2400.0)]
    found = remainder(EXPECTED, [*seen, record("2.2", 600.0)], 10200.0, finished=False)
    assert found.rehearsed == pytest.approx(3600.0 + 3000.0 + 600.0 + 2400.0 + 600.0)
    assert found.to_come == pytest.approx(8 * 2400.0 + 8 * 600.0 + 7200.0)


def test_a_step_that_is_under_way_is_to_come_but_for_what_has_passed_of_it() -> None:
    """Half an hour of the first of ten hours has passed; 10 x 10 min of rest and 2 h come, too."""
    seen = [record("1", 3600.0), record("2.1", None, started=3600.0)]
    found = remainder(EXPECTED, seen, 5400.0, finished=False)
    assert found.rehearsed == pytest.approx(5400.0)
    assert found.to_come == pytest.approx(9.5 * 3600.0 + 6000.0 + 7200.0)
    discharge = next(step for step in found.steps if step.expected.path == "2.1")
    assert (discharge.visits, discharge.to_come, discharge.seconds) == (1, 10, 3600.0)


def test_of_a_run_that_ended_early_nothing_is_to_come() -> None:
    seen = [record("1", 3600.0), record("2.1", 3000.0), record("2.2", 600.0), record("3", 7200.0)]
    assert remainder(EXPECTED, seen, 14400.0, finished=True).to_come == 0.0
