"""Protocols of aurora-unicycler become ours and ours theirs, or are refused by name."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from protocols import library
from protocols.cell import Cell
from protocols.errors import ProtocolError
from protocols.plan import Plan, PlannedRepeat
from protocols.protocol import Protocol
from protocols.resolve import resolve
from protocols.techniques import ConstantCurrent, Impedance
from protocols.unicycler import from_plan, to_yaml

pytest.importorskip("aurora_unicycler")

CELL = Cell.parse("cell: coin\nnominal_capacity: 2 mAh\nwindow: {voltage: 0 V .. 5 V, current: 10 mA}")
RECORD = {"time_s": 10.0, "voltage_V": 0.1}
REST: Mapping[str, Any] = {"step": "open_circuit_voltage", "until_time_s": 300.0}
CHARGE = {"step": "constant_current", "current_mA": 0.2, "until_voltage_V": 4.2, "until_time_s": 43200.0}
HOLD = {"step": "constant_voltage", "voltage_V": 4.2, "until_current_mA": 0.1, "until_time_s": 7200.0}
DISCHARGE = {"step": "constant_current", "current_mA": -0.2, "until_voltage_V": 3.0, "until_time_s": None}
SCAN = {"step": "voltage_scan", "start_voltage_V": 3.0, "end_voltage_V": 4.0, "scan_rate_mV_per_s": 0.5}


def tag(name: str) -> Mapping[str, Any]:
    return {"step": "tag", "tag": name}


def loop(to: str | int, count: int) -> Mapping[str, Any]:
    return {"step": "loop", "loop_to": to, "cycle_count": count}


def written(*method: Mapping[str, Any], **parts: object) -> str:
    return json.dumps({"record": RECORD, "method": method, **parts}, indent=1)


def plan_of(text: str) -> Plan:
    return resolve(Protocol.parse(to_yaml(text, "theirs.json").yaml), CELL)


def exported(plan: Plan) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(from_plan(plan, CELL.capacity, "ours.yaml"))
    return found


def methods(plan: Plan) -> list[dict[str, Any]]:
    """The steps written, without what is left empty and without the names of tags."""
    steps = exported(plan)["method"]
    return [
        {k: v for k, v in step.items() if v is not None and k not in ("tag", "loop_to")} for step in steps
    ]


def test_jumps_become_nested_repeats() -> None:
    plan = plan_of(
        written(
            *(REST, tag("all"), tag("formation"), CHARGE, DISCHARGE, loop("formation", 3)),
            *(SCAN, loop("all", 24)),
        )
    )
    rest, outer = plan.steps
    assert isinstance(outer, PlannedRepeat)
    inner, scan = outer.steps
    assert isinstance(inner, PlannedRepeat)
    assert (outer.times, inner.times, len(inner.steps)) == (24, 3, 2)
    assert (rest.path, scan.path, inner.marks) == ("1", "2.2", ("all", "formation"))


def test_a_jump_to_a_number_counts_steps_from_one() -> None:
    # step 2 is the charge: the rest before it is done once
    rest, repeat = plan_of(written(REST, CHARGE, DISCHARGE, loop(2, 5))).steps
    assert isinstance(repeat, PlannedRepeat)
    assert (rest.path, repeat.times, len(repeat.steps)) == ("1", 5, 2)


def test_jumps_into_the_middle_of_a_loop_are_refused_with_their_line() -> None:
    text = written(REST, CHARGE, DISCHARGE, loop(1, 2), HOLD, loop(3, 4))
    line = text[: text.rindex('"step"')].count("\n") + 1
    with pytest.raises(
        ProtocolError, match=rf"theirs.json:{line}:1: the loop at step 6 jumps into the middle"
    ):
        to_yaml(text, "theirs.json")


def test_a_rate_is_of_the_capacity_in_the_file_else_of_the_cell() -> None:
    rate = {"step": "constant_current", "rate_C": "D/10", "current_mA": 7, "until_voltage_V": 3.0}
    # D/10 of 5 mAh is 0.5 mA out of the cell, of the cell's 2 mAh it is 0.2 mA; current_mA is overruled
    for sample, amperes in (({"name": "x", "capacity_mAh": 5.0}, -5e-4), ({"name": "x"}, -2e-4)):
        (step,) = plan_of(written(rate, sample=sample)).each_step()
        assert isinstance(step.technique, ConstantCurrent)
        assert step.technique.amperes == pytest.approx(amperes)


def test_limits_and_recording_come_along() -> None:
    safety = {"max_voltage_V": 4.3, "min_voltage_V": 2.5, "max_current_mA": 5.0, "min_current_mA": -4.0}
    plan = plan_of(written(CHARGE, safety=safety))
    assert (str(plan.limits.voltage), str(plan.limits.current)) == ("2.5 to 4.3", "-0.004 to 0.005")
    (step,) = plan.each_step()
    assert (step.record.every, step.record.voltage_step) == (10.0, 0.1)


def test_what_changes_only_what_is_kept_is_noted() -> None:
    spectrum = {
        **{"step": "impedance_spectroscopy", "amplitude_mA": 0.1, "drift_correction": True},
        **{"start_frequency_Hz": 0.1, "end_frequency_Hz": 1e4},
    }
    translated = to_yaml(written(spectrum, safety={"delay_s": 5}), "theirs.json")
    assert [note.split(":")[0] for note in translated.notes] == ["impedance", "impedance", "safety.delay_s"]
    (step,) = resolve(Protocol.parse(translated.yaml), CELL).each_step()
    assert isinstance(step.technique, Impedance)
    assert (step.technique.galvanostatic, step.technique.highest, step.technique.lowest) == (True, 1e4, 0.1)


def test_ours_becomes_theirs_and_ours_again() -> None:
    method = (tag("a"), tag("b"), CHARGE, HOLD, DISCHARGE, loop("b", 3), REST, SCAN, loop("a", 2))
    plan = plan_of(written(*method))
    back = [
        {k: v for k, v in step.items() if v is not None and k not in ("tag", "loop_to")} for step in method
    ]
    assert methods(plan) == [pytest.approx(step) if "current_mA" in step else step for step in back]
    again = resolve(Protocol.parse(to_yaml(json.dumps(exported(plan)), "x.json").yaml), CELL)
    assert methods(again) == methods(plan)


REFUSED = {
    "capacity": ("{charge: 1 mA, until: capacity >= 1 mAh}", "the end `capacity >= 1 mAh` of `charge`"),
    "voltage falling on charge": (
        "{charge: 1 mA, until: voltage >= 4 V or voltage <= 2 V}",
        "the end `voltage <= 2 V` of `charge`",
    ),
    "and": ("{hold: 4 V, until: time >= 1 h and current <= 1 mA or time >= 9 h}", "joined by `and`"),
    "power": ("{power: -2 mW, until: time >= 1 h}", "`power: -2 mW`"),
    "open circuit": ("{polarise: 10 mV, versus: open circuit, until: time >= 1 h}", "`polarise: "),
    "chamber": ("{chamber: 25 degC}", "`chamber: 25 degC`"),
    "bias": (
        "{impedance: 5 mV, from: 1 kHz, to: 1 Hz, points_per_decade: 5, versus: 3 V}",
        "a spectrum at a bias",
    ),
    "retention": (
        "{repeat: 9, until: retention < 80 %, steps: [{discharge: 1 mA, until: voltage <= 3 V}]}",
        "`until: retention < 80 %`",
    ),
    "recording": (
        "{charge: 1 mA, until: time >= 1 h, record: every 1 s}",
        "a step with a recording rule of its own",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_they_cannot_say_is_refused_by_name(case: str) -> None:
    step, seen = REFUSED[case]
    text = f"protocol: x\nrecord: every 10 s\nsteps:\n  - rest: 1 min\n  - {step}\n"
    plan = resolve(Protocol.parse(text), CELL)
    with pytest.raises(ProtocolError) as refusal:
        from_plan(plan, CELL.capacity, "ours.yaml")
    assert str(refusal.value).startswith("ours.yaml:5:1: ")
    assert seen in str(refusal.value)


BROKEN = {
    "no JSON": ('{"method": [', "theirs.json:1:13: Expecting value"),
    "an unknown step": (written({"step": "explode"}), "method.0: .*'explode'"),
    "an unknown key": (written({**REST, "until_time": 4}), "until_time: Extra inputs are not permitted"),
    "a tag that is not there": (written(REST, CHARGE, loop("nowhere", 2)), "Tag 'nowhere' is missing"),
    "a limit of capacity": (written(REST, safety={"max_capacity_mAh": 3}), "safety.max_capacity_mAh 3"),
    "too large": ('{"method": "' + 70_000 * "x" + '"}', "more than 64 KiB"),
    "too deep": ('{"method": ' + 30_000 * "[", "theirs.json:"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_file_is_refused(case: str) -> None:
    text, said = BROKEN[case]
    with pytest.raises(ProtocolError, match=said):
        to_yaml(text, "theirs.json")


def test_a_ready_protocol_is_theirs_too() -> None:
    cell = Cell.load(library.cell_path("ss_sep_ss_pp"))
    plan = resolve(Protocol.load(library.protocol_path("ionic_conductivity")), cell)
    found = json.loads(from_plan(plan, cell.capacity, "ionic_conductivity.yaml"))
    assert [step["step"] for step in found["method"]] == ["open_circuit_voltage", "impedance_spectroscopy"]
    assert found["method"][1]["amplitude_V"] == pytest.approx(0.005)
