"""What an interruption may have done, and when a run goes on by itself."""

import math

import pytest

from daemon.running.interruption import Gap, largest_current, objection, unlike
from daemon.running.journal_file import Action
from daemon.running.position import Position, StepPosition
from protocols.conditions import Quantity
from protocols.reading import Reading
from protocols.techniques import ConstantCurrent, ConstantPower
from tests.daemon.plans import end, plan, step
from tests.daemon.stepped_bench import window

WINDOW = window((2.5, 4.3), 2.0)
CHARGE = plan(WINDOW, step("charge", ConstantCurrent(0.5), end(Quantity.TIME, ">=", 10.0)))
POWER = plan(WINDOW, step("charge", ConstantPower(1.0), end(Quantity.TIME, ">=", 10.0)))


def action(number: int, moment: float, function: str, level: float, clamp: float = 4.3) -> Action:
    arguments = {"function": function, "level": level, "clamp": clamp}
    return Action(number, 1, "lab-1", 1, "apply", arguments, "done", moment)


def position(voltage: float | None = 3.7, paused: bool = False) -> Position:
    last = None if voltage is None else Reading(0.0, voltage, 0.5)
    at = StepPosition(10.0, 5.0, 18.0, 1, 3.6, last, last)
    return Position("smu1", 10.0, 1000.0, 10, 0, 1, 0, b"", at, paused=paused)


def against(gap: float = 10.0, resumptions: int = 0, **changes: str | None) -> str | None:
    facts: dict[str, str | None] = {"latched": None, "held": "a", "cell": "a"}
    return objection(position(), gap, resumptions, **(facts | changes))  # type: ignore[arg-type]


def test_the_last_thing_told_before_the_gap_and_everything_told_in_it_count() -> None:
    told = [
        action(1, 900.0, "current", 2.0),
        action(2, 990.0, "current", 0.5),
        action(3, 1001.0, "rest", 0.0),
    ]
    assert largest_current(CHARGE, told, since=1000.0) == 0.5
    assert largest_current(CHARGE, told, since=950.0) == 2.0
    assert largest_current(CHARGE, told[2:], since=1000.0) == 0.0


def test_a_held_voltage_can_pass_what_its_clamp_lets_through() -> None:
    assert largest_current(CHARGE, [action(1, 990.0, "voltage", 4.2, clamp=2.04)], since=1000.0) == 2.04


def test_a_step_that_moves_its_current_can_pass_what_the_window_allows() -> None:
    assert largest_current(POWER, [action(1, 990.0, "current", 0.25)], since=1000.0) == 2.0


def test_a_program_counts_by_its_step() -> None:
    start = Action(1, 1, "lab-1", 1, "start", {"tag": "lab-1/1", "path": "1"}, "lost", 990.0)
    assert largest_current(CHARGE, [start], since=1000.0) == 0.5
    look = start._replace(arguments={"tag": "lab-1/0", "path": "0"})
    assert largest_current(CHARGE, [look], since=1000.0) == 0.0


def test_a_gap_says_its_bound_or_that_there_is_none() -> None:
    assert str(Gap(10.0, 12.0, 6.0)) == "12 s without readings, in which at most 6 C passed uncounted"
    assert Gap(10.0, 12.0, math.inf).facts()["uncounted_coulombs"] is None


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"gap": 601.0}, "601 s passed without a reading, more than 600 s"),
        ({"gap": math.nan}, "nan s passed"),
        ({"resumptions": 3}, "it went on by itself 3 times in 24 h already"),
        ({"latched": "voltage"}, "the channel is latched: voltage"),
        ({"held": "b"}, "the channel holds b, the run is for a"),
        ({"held": None}, "the channel holds None"),
    ],
)
def test_a_run_does_not_go_on_by_itself_when(facts: dict[str, float | str | None], reason: str) -> None:
    assert (against(**facts) or "").startswith(reason)  # type: ignore[arg-type]


def test_a_run_goes_on_by_itself_where_nothing_speaks_against_it() -> None:
    assert against(gap=600.0, resumptions=2) is None


def test_a_run_that_a_person_paused_stays_paused() -> None:
    assert (
        objection(position(paused=True), 1.0, 0, latched=None, held="a", cell="a") == "a person had paused it"
    )


def test_a_cell_that_looks_otherwise_is_not_the_one_that_was_left() -> None:
    assert unlike(3.45, position(3.7)) is None
    assert "more than 0.3 V apart" in (unlike(3.39, position(3.7)) or "")
    assert unlike(3.39, position(None)) is None
    assert unlike(math.nan, position(3.7)) is not None
