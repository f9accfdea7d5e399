"""Scripts: the maker's own grammar takes every one of them, and each holds what its step asks for."""

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.base import Program
from drivers.emstat4 import EmStat4
from drivers.emstat4_models import MODELS
from drivers.emstat4_refusal import refusal
from drivers.emstat4_script import script_text
from drivers.errors import RefusedError
from protocols.conditions import AnyOf, Comparison, Condition, Quantity, Relation
from protocols.limits import Bound, Limits, Range
from protocols.plan import Ceiling, PlannedStep
from protocols.recording import Recording
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

LARGEST_SCRIPT = 4096
"""Bytes; what an instrument's memory holds is not documented, this much is on the safe side."""

LARGEST_LEG = 1600
"""Bytes that each further turn of a sweep may cost: every leg is a loop of its own."""

LONGEST_LINE = 120

HR = MODELS["es4_hr"]


def grammar() -> Callable[[str], None] | None:
    """Return the validator of the maker's package, which itself cannot be imported without .NET."""
    found = importlib.util.find_spec("pypalmsens")
    if found is None or found.origin is None:
        return None
    folder = Path(found.origin).parent / "_methodscript"
    spec = importlib.util.spec_from_file_location(
        "palmsens_grammar", folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    if spec is None or spec.loader is None:
        return None
    module = importlib.util.module_from_spec(spec)
    sys.modules["palmsens_grammar"] = module
    spec.loader.exec_module(module)
    validate: Callable[[str], None] = module.validate
    return validate


VALIDATE = grammar()


def when(quantity: Quantity, relation: Relation, value: float) -> Comparison:
    return Comparison(quantity, relation, value, f"{quantity} {relation} {value}")


HOUR = when(Quantity.TIME, Relation.AT_LEAST, 3600.0)
CUT_OFF = when(Quantity.VOLTAGE, Relation.AT_LEAST, 4.2)
DRIFT = Comparison(Quantity.CURRENT_DRIFT, Relation.AT_MOST, 0.01, "current_drift <= 1 % per 10 min", 600.0)


def step(technique: Technique, until: Condition | None, record: Recording | None = None) -> PlannedStep:
    record = Recording(every=30.0) if record is None else record
    return PlannedStep("2.1", 9, "charge", technique, "1 µA", until, record, Ceiling(36000.0, 20.0))


def program(technique: Technique, until: Condition | None, record: Recording | None = None) -> Program:
    limits = Limits(
        voltage=Range(Bound(2.5, "cell"), Bound(4.3, "cell")),
        current=Range(Bound(-5e-3, "protocol"), Bound(5e-3, "protocol")),
    )
    return Program(step(technique, until, record), limits, sample=1.0)


def lines(what: Program) -> list[str]:
    return script_text("run 1/2", what, HR).splitlines()


def between(script: list[str], first: str, last: str) -> list[str]:
    start = script.index(first)
    return script[start : script.index(last, start)]


def head(script: list[str], loop: str) -> str:
    return next(line for line in script if line.startswith(loop))


levels = st.builds(Level, st.sampled_from([0.01, 2.6, 3.3333333, 4.2]), st.booleans())

techniques: st.SearchStrategy[Technique] = st.one_of(
    st.just(Rest()),
    st.builds(ConstantCurrent, st.sampled_from([1.131e-3, -0.09, 1e-7, 1 / 3e3])),
    st.builds(ConstantVoltage, levels),
    st.builds(
        Sweep,
        levels,
        st.lists(levels, min_size=1, max_size=3).map(tuple),
        st.sampled_from([1e-4, 1e-3, 0.1]),
        st.integers(1, 20),
    ),
    st.builds(
        Impedance,
        st.sampled_from([5e-3, 1e-4]),
        st.booleans(),
        levels,
        st.sampled_from([1e5, 2e5]),
        st.sampled_from([0.01, 10.0]),
        st.integers(1, 20),
    ),
)

recordings = st.builds(
    Recording,
    every=st.sampled_from([None, 0.1, 30.0]),
    voltage_step=st.sampled_from([None, 2e-3]),
    current_step=st.sampled_from([None, 0.01]),
    per_decade=st.sampled_from([None, 20.0]),
    from_time=st.sampled_from([None, 1e-3]),
)

ends = st.sampled_from(
    [HOUR, AnyOf((CUT_OFF, HOUR)), AnyOf((DRIFT, HOUR)), when(Quantity.CAPACITY, Relation.AT_LEAST, 3.6)]
)


@pytest.mark.skipif(VALIDATE is None, reason="pypalmsens, which brings the grammar, is not installed")
@settings(max_examples=40, deadline=None)
@given(techniques, ends, recordings)
def test_the_makers_grammar_takes_every_script(
    technique: Technique, until: Condition, record: Recording
) -> None:
    script = script_text("run 1/2", program(technique, until, record), HR)
    assert VALIDATE is not None
    VALIDATE(script)


@given(techniques, ends, recordings)
def test_every_script_ends_with_the_cell_off_and_fits(
    technique: Technique, until: Condition, record: Recording
) -> None:
    script = script_text("run 1/2", program(technique, until, record), HR)
    assert script.endswith("on_finished:\ncell_off\n")
    assert "\n\n" not in script  # an empty line would end it early
    assert script.isascii()
    further = len(technique.vertices) - 1 if isinstance(technique, Sweep) else 0
    assert len(script) < LARGEST_SCRIPT + LARGEST_LEG * further
    assert max(map(len, script.splitlines())) < LONGEST_LINE


@given(techniques, ends, recordings)
def test_nothing_is_connected_before_the_open_circuit_was_found_inside_the_window(
    technique: Technique, until: Condition, record: Recording
) -> None:
    script = lines(program(technique, until, record))
    if "cell_on" not in script:
        assert isinstance(technique, Rest)
        return
    before = script[: script.index("cell_on")]
    measured = before.index("meas 100m o ab")
    assert before[measured:][:10] == [
        "meas 100m o ab",
        "copy_var o e",
        "if o >= 2500m",
        "else",
        "store_var k 101 jc",
        "endif",
        "if o <= 4300m",
        "else",
        "store_var k 101 jc",
        "endif",
    ]
    assert "if k == 0" in before


def test_a_current_is_judged_at_every_sample_by_ends_windows_and_ceilings() -> None:
    script = lines(program(ConstantCurrent(1e-3), AnyOf((CUT_OFF, HOUR))))
    assert head(script, "meas_loop_cp") == "meas_loop_cp e i 1m d 36010"
    judged = [line for line in script if line.startswith("if")]
    for test in (
        "if e >= 4200m",
        "if t >= 3600",
        "if e >= 2500m",
        "if e <= 4300m",
        "if i >= -5m",
        "if i <= 5m",
        "if t <= 36k",
        "if q >= -20",
        "if q <= 20",
    ):
        assert test in judged


def test_the_first_end_named_outranks_the_second_and_a_limit_outranks_both() -> None:
    """The last `store_var k` that applies wins, so the order is: second end, first end, limit."""
    script = lines(program(ConstantCurrent(1e-3), AnyOf((CUT_OFF, HOUR))))
    loop = script[script.index("timer_get t") :]
    assert loop.index("if t >= 3600") < loop.index("if e >= 4200m") < loop.index("if e <= 4300m")


def test_sampling_becomes_finer_two_samples_before_a_cut_off() -> None:
    """4.2 V less the 10 mV margin; 3600 s less 1.5 samples of a second."""
    script = lines(program(ConstantCurrent(1e-3), AnyOf((CUT_OFF, HOUR))))
    finer = between(script, "if d > 550m", "store_var d 100m eb")
    assert "if x >= 4190m" in finer
    assert "if t >= 3598500m" in finer


def test_a_logarithmic_record_begins_with_a_millisecond() -> None:
    """20 per decade: each sent sample is 10^(1/20) = 1.122018 times later than the one before."""
    record = Recording(per_decade=20.0, from_time=1e-3)
    script = lines(program(ConstantVoltage(Level(0.01, True)), HOUR, record))
    assert "store_var d 1m eb" in script
    assert "mul_var d 10" in script
    assert "mul_var n 1122018u" in script
    assert between(script, "store_var v 10m da", "cell_on")[1] == "add_var v o"
    assert "set_max_bandwidth 5850535m" in script  # 5.850535 / 1 ms


def test_what_an_interrupted_step_had_behind_it_is_taken_off() -> None:
    """3600 s less 600 s, the ceiling 36000 s less 600 s and 20 C less 0.5 C."""
    what = Program(
        step(ConstantCurrent(1e-3), HOUR),
        program(Rest(), HOUR).limits,
        1.0,
        seconds_done=600.0,
        coulombs_done=-0.5,
    )
    judged = [line for line in lines(what) if line.startswith("if")]
    assert "if t >= 3k" in judged
    assert "if t <= 35400" in judged
    assert "if q <= 19500m" in judged


def test_a_sweep_goes_leg_by_leg_and_on_from_its_last_turn() -> None:
    """1 mV/s at a sample a second would be stairs of 1 mV."""
    sweep = Sweep(Level(0.0, True), (Level(2.6), Level(4.0)), 1e-3, 3)
    script = lines(program(sweep, None))
    legs = [line for line in script if line.startswith("meas_loop_lsv")]
    assert legs == ["meas_loop_lsv e i a g0 1m 1m", "meas_loop_lsv e i a g1 1m 1m"]
    assert "loop c < 3" in script


def test_a_spectrum_is_asked_for_in_rms_and_per_decade() -> None:
    """10 mV peak = 7.071068 mV rms; 5 decades of 10 points and the first = 51."""
    script = lines(program(Impedance(10e-3, False, Level(0.0, True), 1e5, 1.0, 10), None))
    assert head(script, "meas_loop_eis") == "meas_loop_eis f r z 7071068n 100k 1 51i v"
    script = lines(program(Impedance(1e-3, True, Level(0.0, True), 1e5, 1.0, 10), None))
    assert head(script, "meas_loop_geis") == "meas_loop_geis f r z 707107n 100k 1 51i 0"


@pytest.mark.parametrize("tag", ['a"b', "two\nlines", "µ", "x" * 101])
def test_a_tag_that_would_break_the_script_is_refused(tag: str) -> None:
    with pytest.raises(RefusedError, match="tag"):
        script_text(tag, program(Rest(), HOUR), HR)


@pytest.mark.parametrize(
    ("technique", "until", "why"),
    [
        (ConstantPower(1e-3), HOUR, "cannot hold a power"),
        (ConstantResistance(1e3), HOUR, "cannot hold a resistance"),
        (ChamberTemperature(25.0), None, "no chamber"),
        (ConstantVoltage(Level(6.5)), HOUR, "6.5 V is beyond the ±6 V"),
        (ConstantCurrent(0.2), HOUR, "0.2 A is beyond"),
        (Impedance(5e-3, False, Level(0.0, True), 1e6, 1.0, 10), None, "1e+06 Hz is beyond"),
        (Sweep(Level(0.0), (Level(1.0),), 1e-3, 2), None, "two turning points"),
        (ConstantCurrent(1e-3), None, "nothing but a ceiling"),
        (ConstantVoltage(Level(4.2)), DRIFT, "current_drift <= 1 % per 10 min' by itself"),
        (ConstantVoltage(Level(4.2)), AnyOf((DRIFT, CUT_OFF)), "no time ends the step"),
    ],
)
def test_what_it_cannot_hold_is_refused(technique: Technique, until: Condition | None, why: str) -> None:
    assert why in (refusal(step(technique, until), HR) or "")


def test_what_the_host_must_judge_is_taken_where_time_ends_it_too() -> None:
    assert refusal(step(ConstantVoltage(Level(0.01, True)), AnyOf((HOUR, DRIFT))), HR) is None


def test_a_low_range_instrument_refuses_what_a_high_range_one_takes() -> None:
    four_volts = step(ConstantVoltage(Level(4.2)), HOUR)
    assert refusal(four_volts, MODELS["es4_lr"]) == "4.2 V is beyond the ±3 V of the EmStat4 LR"
    assert EmStat4.refusal(four_volts) is None
    assert EmStat4.refusal(step(ConstantPower(1.0), HOUR)) is not None
