"""From the file to the plan: values in SI, windows with their origin, ends, ceilings, the frozen form."""

import hashlib
import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.cell import Cell
from protocols.conditions import AllOf, AnyOf, Comparison, Quantity, Relation
from protocols.errors import ProtocolError
from protocols.limits import Bound, Limits, Range
from protocols.plan import Fade, PlannedRepeat, PlannedStep, steps_below
from protocols.protocol import Protocol
from protocols.recording import Recording
from protocols.resolve import resolve
from protocols.techniques import (
    ChamberTemperature,
    ConstantCurrent,
    ConstantPower,
    ConstantResistance,
    ConstantVoltage,
    Impedance,
    Level,
    Rest,
    Sweep,
    Technique,
)
from tests.protocols.plans import CELL, plan_of


def only_step(steps: str, top: str = "") -> PlannedStep:
    (step,) = plan_of(steps, top=top).steps
    assert isinstance(step, PlannedStep)
    return step


# The test cell: 1 C is 3 mA, 1 cm2.
TECHNIQUES: list[tuple[str, Technique]] = [
    ("{rest: 1 h}", Rest()),
    ("{charge: 0.5 C, until: time >= 1 h}", ConstantCurrent(1.5e-3)),
    ("{discharge: C/2, until: time >= 1 h}", ConstantCurrent(-1.5e-3)),
    ("{plate: 2 mA/cm2, until: time >= 1 h}", ConstantCurrent(-2e-3)),
    ("{strip: 2 mA/cm2, until: time >= 1 h}", ConstantCurrent(2e-3)),
    ("{discharge: 2 mW, until: time >= 1 h}", ConstantPower(-2e-3)),
    ("{charge: 2 mW, until: time >= 1 h}", ConstantPower(2e-3)),
    ("{power: -2 mW, until: time >= 1 h}", ConstantPower(-2e-3)),
    ("{resistance: 2 kohm, until: voltage <= 2 V}", ConstantResistance(2e3)),
    ("{hold: 4.2 V, until: current <= C/20}", ConstantVoltage(Level(4.2))),
    ("{hold: open circuit, until: time >= 1 h}", ConstantVoltage(Level(0.0, True))),
    ("{polarise: 10 mV, versus: open circuit, until: time >= 1 h}", ConstantVoltage(Level(0.01, True))),
    ("{polarise: 500 mV, versus: 1.5 V, until: time >= 1 h}", ConstantVoltage(Level(2.0))),
    (
        "{sweep: [open circuit, 1.7 V, 2.8 V], rate: 0.1 mV/s, cycles: 3}",
        Sweep(Level(0.0, True), (Level(1.7), Level(2.8)), 1e-4, 3),
    ),
    ("{sweep: [1.7 V, 2.8 V], rate: 1 mV/s}", Sweep(Level(1.7), (Level(2.8),), 1e-3, 1)),
    (
        "{impedance: 5 mV, from: 100 kHz, to: 10 mHz, points_per_decade: 6}",
        Impedance(5e-3, False, Level(0.0, True), 1e5, 0.01, 6),
    ),
    (
        "{impedance: 5 mV rms, versus: 3 V, from: 1 kHz, to: 1 Hz, points_per_decade: 6}",
        Impedance(5e-3 * math.sqrt(2.0), False, Level(3.0), 1e3, 1.0, 6),
    ),
    (
        "{impedance: 0.1 mA/cm2, versus: 1 mA, from: 1 kHz, to: 1 Hz, points_per_decade: 6}",
        Impedance(1e-4, True, Level(1e-3), 1e3, 1.0, 6),
    ),
    (
        "{impedance: 0.1 mA, from: 1 kHz, to: 1 Hz, points_per_decade: 6}",
        Impedance(1e-4, True, Level(0.0), 1e3, 1.0, 6),
    ),
    ("{chamber: 25 degC}", ChamberTemperature(25.0)),
    ('"Discharge at C/3 until 2 V"', ConstantCurrent(-1e-3)),
    ('"Charge at 10 mA for 30 minutes or until 4.2 V"', ConstantCurrent(0.01)),
    ('"Hold at 4.2 V until C/20"', ConstantVoltage(Level(4.2))),
    ('"Rest for 10 minutes"', Rest()),
]


@pytest.mark.parametrize(("step", "technique"), TECHNIQUES, ids=[step for step, _ in TECHNIQUES])
def test_a_step_becomes_its_technique_in_si(step: str, technique: Technique) -> None:
    assert only_step(f"[{step}]").technique == technique


def test_a_setting_reads_as_a_lab_would_write_it() -> None:
    assert only_step("[{plate: 1.131 mA/cm2, until: time >= 1 h}]").setting == "-1.131 mA"
    assert only_step("[{polarise: 10 mV, versus: open circuit, until: time >= 1 h}]").setting == (
        "10 mV versus open circuit"
    )


def end(quantity: Quantity, relation: Relation, value: float, text: str) -> Comparison:
    return Comparison(quantity, relation, value, text)


def test_ends_are_resolved_and_keep_their_words() -> None:
    until = only_step(
        "[{charge: 1 C, until: voltage >= 4.2 V or time >= 1 h and temperature > 300.15 K}]"
    ).until
    assert until == AnyOf(
        (
            end(Quantity.VOLTAGE, Relation.AT_LEAST, 4.2, "voltage >= 4.2 V"),
            AllOf(
                (
                    end(Quantity.TIME, Relation.AT_LEAST, 3600.0, "time >= 1 h"),
                    end(Quantity.TEMPERATURE, Relation.ABOVE, 27.0, "temperature > 300.15 K"),
                )
            ),
        )
    )


def test_a_drift_has_its_window_in_seconds() -> None:
    until = only_step("[{hold: 2 V, until: time >= 6 h or current_drift <= 1 % per 10 min}]").until
    assert until is not None
    drift = list(until.comparisons())[1]
    assert (drift.value, drift.window, drift.text) == (0.01, 600.0, "current_drift <= 1 % per 10 min")


def test_a_rest_ends_by_its_duration_or_earlier() -> None:
    until = only_step("[{rest: 2 h, until: voltage_slope <= 3.6 mV/h}]").until
    assert until == AnyOf(
        (
            end(Quantity.TIME, Relation.AT_LEAST, 7200.0, "time >= 2 h"),
            end(Quantity.VOLTAGE_SLOPE, Relation.AT_MOST, 1e-6, "voltage_slope <= 3.6 mV/h"),
        )
    )


def test_a_share_of_an_earlier_step_stays_open_until_the_walk() -> None:
    plan = plan_of(
        "[{discharge: 1 C, until: voltage <= 2 V}, {charge: 1 C, until: capacity >= 150 % of discharge}]"
    )
    until = list(steps_below(plan.steps))[1].until
    assert until == Comparison(
        Quantity.CAPACITY, Relation.AT_LEAST, 1.5, "capacity >= 150 % of discharge", relative_to="discharge"
    )


RULES = [
    ("every 10 s", Recording(every=10.0)),
    ("2 mV", Recording(voltage_step=0.002)),
    ("1 %", Recording(current_step=0.01)),
    ("1 % of current or every 1 min", Recording(every=60.0, current_step=0.01)),
    ("log 20 per decade from 1 ms", Recording(per_decade=20.0, from_time=1e-3)),
    ("log 5 per decade or 1 mV", Recording(per_decade=5.0, voltage_step=1e-3)),
]


@pytest.mark.parametrize(("text", "rule"), RULES)
def test_a_record_rule_becomes_a_recording(text: str, rule: Recording) -> None:
    assert only_step(f"[{{hold: 2 V, until: time >= 1 h, record: {text}}}]").record == rule


def test_the_step_s_rule_comes_before_the_protocol_s_and_that_before_the_default() -> None:
    assert only_step("[{rest: 1 h}]").record == Recording(every=10.0, voltage_step=0.005)
    assert only_step("[{rest: 1 h}]", "record: 1 mV\n").record == Recording(voltage_step=1e-3)
    assert only_step("[{rest: 1 h, record: 2 mV}]", "record: 1 mV\n").record == Recording(voltage_step=2e-3)


def test_a_rest_has_no_current_to_record_a_percentage_of() -> None:
    assert only_step("[{rest: 1 h, record: 1 % or every 1 s}]").record == Recording(every=1.0)
    assert only_step("[{rest: 1 h, record: 1 %}]").record == Recording(every=10.0, voltage_step=0.005)


def test_paths_lines_and_marks_follow_the_blocks() -> None:
    protocol = Protocol.parse(
        """\
protocol: p
steps:
  - rest: 1 h
  - repeat: 3
    mark: outer
    steps:
      - {charge: 1 mA, until: time >= 1 h, mark: inner}
      - repeat: 2
        steps:
          - rest: 1 h
""",
        "file",
    )
    plan = resolve(protocol, CELL)
    found = [(step.path, step.line, step.marks) for step in steps_below(plan.steps)]
    assert found == [("1", 3, ()), ("2.1", 7, ("outer", "inner")), ("2.2.1", 10, ("outer",))]


def test_a_for_is_unrolled_with_its_name_bound() -> None:
    plan = plan_of("[{for: r, in: [1 C, C/3], mark: $r, steps: [{charge: $r, until: time >= 1 h}]}]")
    assert [(s.path, s.technique, s.marks) for s in steps_below(plan.steps)] == [
        ("1", ConstantCurrent(3e-3), ("1 C",)),
        ("2", ConstantCurrent(1e-3), ("C/3",)),
    ]


VARIABLES = "variables: {high: {unit: V, default: 4 V}, n: {default: 5}, rate: {unit: C, required: true}}\n"
STEPS = "[{repeat: $n, steps: [{charge: $rate, until: voltage >= $high}]}]"


def test_variables_are_filled_in_from_what_is_given_then_from_defaults() -> None:
    plan = plan_of(STEPS, top=VARIABLES, variables={"rate": "1 mA/cm2", "n": "7"})
    (repeat,) = plan.steps
    assert isinstance(repeat, PlannedRepeat)
    (step,) = steps_below(plan.steps)
    assert repeat.times == 7
    assert step.technique == ConstantCurrent(1e-3)
    assert step.until == Comparison(Quantity.VOLTAGE, Relation.AT_LEAST, 4.0, "voltage >= 4 V")
    assert plan.variables == {"high": "4 V", "n": "7", "rate": "1 mA/cm2"}


@pytest.mark.parametrize(
    ("given", "seen"),
    [
        ({}, "no value for `rate`"),
        ({"rate": "1 C", "hihg": "4 V"}, "did you mean 'high'"),
        ({"rate": "1 V"}, "'1 V', which is a voltage"),
        ({"rate": "1 C", "n": "many"}, "'many'"),
        ({"rate": "1 C", "n": "$high"}, "'$high'"),
    ],
)
def test_a_variable_given_wrongly_is_refused(given: dict[str, str], seen: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        plan_of(STEPS, top=VARIABLES, variables=given)
    assert seen in str(caught.value)


def test_an_unused_variable_is_warned_of() -> None:
    assert plan_of("[rest: 1 h]", top="variables: {a: {default: 1 h}}\n").warnings == (
        "line 2: the variable `a` is never used",
    )


def test_the_tightest_edge_of_three_windows_wins_and_keeps_its_origin() -> None:
    channel = Limits(
        voltage=Range(Bound(-10.0, "channel"), Bound(4.5, "channel")),
        current=Range(Bound(-0.002, "channel"), Bound(1.0, "channel")),
    )
    plan = plan_of(
        "[rest: 1 h]",
        top="limits: {voltage: 0 V .. 4.8 V, current: 2 C, temperature: 45 degC}\n",
        channel=channel,
    )
    assert plan.limits == Limits(
        voltage=Range(Bound(1.0, "cell"), Bound(4.5, "channel")),
        current=Range(Bound(-0.002, "channel"), Bound(0.006, "protocol")),
        temperature=Range(None, Bound(45.0, "protocol")),
    )


def test_the_refusal_names_the_window_that_set_the_edge() -> None:
    channel = Limits(current=Range(Bound(-0.001, "channel"), Bound(0.001, "channel")))
    with pytest.raises(
        ProtocolError, match=r"3:18: the current 3 mA is outside .* 1 mA, the edge of the channel's"
    ):
        plan_of("[{charge: 1 C, until: time >= 1 h}]", top="note: x\n", channel=channel)


def test_an_end_exactly_on_an_edge_is_warned_of_once() -> None:
    plan = plan_of("[{for: r, in: [1 C, 2 C], steps: [{charge: $r, until: voltage >= 5 V}]}]")
    assert plan.warnings == (
        "line 2: the end of `charge: $r` lies exactly on the edge of the cell's window: "
        "the slightest overshoot would trip",
    )


RETENTION = """[
  {repeat: 3, mark: formation, steps: [{discharge: 1 C, until: voltage <= 2 V}]},
  {repeat: 9, until: "%s", steps: [{discharge: 1 C, until: voltage <= 2 V}]}]"""


@pytest.mark.parametrize(
    ("text", "fade"),
    [
        ("retention < 80 %", Fade(0.8, None, "retention < 80 %")),
        ("retention < 80 % of formation", Fade(0.8, "formation", "retention < 80 % of formation")),
    ],
)
def test_a_repeat_may_end_by_retention(text: str, fade: Fade) -> None:
    repeat = plan_of(RETENTION % text).steps[1]
    assert isinstance(repeat, PlannedRepeat)
    assert repeat.until == fade


DAY = 86400.0
# 1.2 × 3 mAh = 12.96 C; half as much again for 150 % of the discharge.
CEILINGS = [
    ("[{rest: 1 h}]", 30 * DAY, 12.96),
    ("[{rest: 100 d}]", 101 * DAY, 12.96),
    ("[{charge: 1 C, until: capacity >= 10 mAh}]", 30 * DAY, 54.0),
    ("[{sweep: [2 V, 3 V, 2 V], rate: 1 mV/s, cycles: 5}]", 30 * DAY, 129.6),
    ("[{chamber: 25 degC}]", DAY, 12.96),
]


@pytest.mark.parametrize(("steps", "seconds", "coulombs"), CEILINGS)
def test_every_step_has_a_ceiling(steps: str, seconds: float, coulombs: float) -> None:
    ceiling = only_step(steps).ceiling
    assert ceiling.seconds == pytest.approx(seconds, rel=1e-12)
    assert ceiling.coulombs == pytest.approx(coulombs, rel=1e-12)


def test_without_a_capacity_of_the_cell_the_largest_of_the_protocol_counts_tenfold() -> None:
    cell = Cell.parse("cell: c\nwindow: {voltage: -1 V .. 2 V, current: 6 mA}\n")
    plan = plan_of(
        "[{plate: 1 mA, until: capacity >= 2 mAh}, {strip: 1 mA, until: voltage >= 1 V}]", cell=cell
    )
    assert [step.ceiling.coulombs for step in steps_below(plan.steps)] == [
        72.0,
        72.0,
    ]  # 10 × 2 mAh × 3.6 C/mAh


def test_without_any_capacity_a_step_may_pass_what_its_current_gives_in_the_time() -> None:
    cell = Cell.parse("cell: c\nwindow: {voltage: -1 V .. 2 V, current: 6 mA}\n")
    plan = plan_of("[{strip: 1 mA, until: voltage >= 1 V}]", cell=cell)
    assert [step.ceiling.coulombs for step in steps_below(plan.steps)] == [0.001 * 30 * DAY]


def test_the_frozen_form_does_not_change_with_layout_comments_or_order() -> None:
    one = Protocol.parse("protocol: p\nlimits: {voltage: 1 V .. 5 V}\nsteps:\n  - rest:   1 h\n", "a")
    other = Protocol.parse(
        "# why\nsteps: [{'rest': 1 h}]\nlimits:\n  voltage: 1 V ..  5 V\nprotocol: p\n", "b"
    )
    assert resolve(one, CELL).digest == resolve(other, CELL).digest


def test_the_frozen_form_is_json_with_the_variables_filled_in_and_its_own_digest() -> None:
    plan = plan_of("[rest: $a]", top="variables: {a: {unit: h, default: 1 h}}\n", variables={"a": "2 h"})
    assert json.loads(plan.canonical) == {"protocol": "p", "steps": [{"rest": "2 h"}]}
    assert plan.digest == hashlib.sha256(plan.canonical.encode()).hexdigest()
    assert plan.digest != plan_of("[rest: $a]", top="variables: {a: {unit: h, default: 1 h}}\n").digest


def test_every_energy_end_counts_towards_the_end_of_a_current() -> None:
    until = only_step("[{discharge: 1 C, until: energy >= 5 mWh}]").until
    assert until == end(Quantity.ENERGY, Relation.AT_LEAST, 18.0, "energy >= 5 mWh")  # 5 × 3.6 J


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 12_000), st.integers(1_000, 5_000), st.sampled_from(["charge", "discharge"]))
def test_a_step_is_accepted_exactly_when_it_stays_in_the_window(
    microamps: int, millivolts: int, verb: str
) -> None:
    """The window is 2 to 4 V and ±6 mA; the end stands in the direction the verb goes."""
    relation = ">=" if verb == "charge" else "<="
    inside = microamps <= 6000 and 2000 <= millivolts <= 4000
    try:
        plan = plan_of(
            f"[{{{verb}: {microamps} uA, until: voltage {relation} {millivolts} mV}}]",
            top="limits: {voltage: 2 V .. 4 V, current: 6 mA}\n",
        )
    except ProtocolError:
        accepted = False
    else:
        accepted = True
        assert bool(plan.warnings) == (microamps == 6000 or millivolts in (2000, 4000))
    assert accepted == inside
