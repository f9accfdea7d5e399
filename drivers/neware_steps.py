"""The step file of a Neware: a protocol with its loops, its limits as protection, and every step's ends.

Format of BTS Client 8.0 (version 17), read from files of real clients: milliamperes, tenths of
millivolts, milliseconds, milliampere-seconds.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from drivers.neware_expressions import Expressions
from drivers.neware_holding import Ends, ends_of
from drivers.whole import WholeProgram
from protocols.limits import Limits
from protocols.plan import PlannedEntry, PlannedRepeat, PlannedStep
from protocols.techniques import ConstantCurrent, ConstantVoltage, Rest

CHARGE, DISCHARGE, HOLD_CHARGING, REST, LOOP, END, HOLD_DISCHARGING = 1, 2, 3, 4, 5, 6, 19
"""`Step_Type`."""

CLIENT = "BTS Client 8.0.0.478(2024.06.24)(R3)"

LATE = 1.001
"""At which multiple of a step's ceiling of time the instrument ends it, so that the core sees it passed."""


@dataclass(slots=True)
class StepFile:
    """A step file, and which of its steps stands for which place in the plan."""

    text: str = ""
    paths: dict[int, str] = field(default_factory=dict)
    """Step_ID → path; loops and the end have none."""


def step_file(tag: str, program: WholeProgram, written: datetime, charging: bool = True) -> StepFile:
    """Return the file of a program that the instrument holds (`drivers.neware_holding` says whether).

    `charging` is how a voltage is held that comes first.
    """
    found = StepFile()
    root = Element("root")
    config = SubElement(
        root,
        "config",
        {
            "type": "Step File",
            "version": "17",
            "client_version": CLIENT,
            "date": f"{written:%Y%m%d%H%M%S}",
            "Guid": str(uuid.uuid4()),
        },
    )
    _head(config, tag)
    whole = SubElement(config, "Whole_Prt")
    _protect(SubElement(whole, "Protect"), program.plan.limits, None)
    _values(SubElement(SubElement(whole, "Record"), "Main"), {"Time": program.sample * 1e3})
    info = SubElement(config, "Step_Info")
    _Steps(info, program, found.paths, charging).write()
    SubElement(SubElement(config, "SMBUS"), "SMBUS_Info", {"Num": "0", "AdjacentInterval": "0"})
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    found.text = f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'
    return found


def _head(config: Element, tag: str) -> None:
    head = SubElement(config, "Head_Info")
    SubElement(head, "Operate", {"Value": "66"})
    SubElement(head, "Scale", {"Value": "1"})
    SubElement(head, "Start_Step", {"Value": "1", "Hide_Ctrl_Step": "0"})
    for name, value in (("Creator", "galvanod"), ("Remark", tag), ("RateType", "103")):
        SubElement(head, name, {"Value": value})


class _Steps:
    """Writes the steps one after the other; repeats become loops over what was written."""

    def __init__(self, info: Element, program: WholeProgram, paths: dict[int, str], charging: bool) -> None:
        self._info = info
        self._charging = charging
        self._program = program
        self._paths = paths
        self._count = 0
        self._expressions = Expressions(program.plan)

    def write(self) -> None:
        self._entries(self._program.plan.steps)
        self._next(END)
        self._info.set("Num", str(self._count))

    def _entries(self, entries: tuple[PlannedEntry, ...]) -> None:
        for entry in entries:
            if isinstance(entry, PlannedRepeat):
                self._repeat(entry)
            else:
                self._step(entry)

    def _repeat(self, repeat: PlannedRepeat) -> None:
        start = self._count + 1
        self._entries(repeat.steps)
        if repeat.times > 1:
            other = SubElement(SubElement(self._next(LOOP), "Limit"), "Other")
            _whole_values(other, {"Start_Step": start, "Cycle_Count": repeat.times})

    def _next(self, kind: int) -> Element:
        self._count += 1
        return SubElement(
            self._info, f"Step{self._count}", {"Step_ID": str(self._count), "Step_Type": str(kind)}
        )

    def _step(self, step: PlannedStep) -> None:
        ends = ends_of(step)
        if self._count == 0:
            program = self._program
            ends = ends.less(program.seconds_done, program.coulombs_done)
        element = self._next(_kind(step, self._charging))
        self._paths[self._count] = step.path
        _record(SubElement(SubElement(element, "Record"), "Main"), step, self._program.sample)
        limit = SubElement(element, "Limit")
        _values(SubElement(limit, "Main"), self._main(step, ends))
        conditions = self._expressions.of(step, ends)
        if conditions:
            other = SubElement(limit, "Other")
            for number, condition in enumerate(conditions, start=1):
                SubElement(other, f"Cnd{number}", dict(condition))
        _protect(SubElement(element, "Protect"), self._program.plan.limits, step.ceiling.coulombs)
        if isinstance(step.technique, ConstantCurrent):
            self._charging = step.technique.amperes > 0.0

    def _main(self, step: PlannedStep, ends: Ends) -> Mapping[str, float]:
        values: dict[str, float] = {}
        match step.technique:
            case ConstantCurrent(amperes):
                values["Curr"] = abs(amperes) * 1e3
            case ConstantVoltage(level):
                most = _most_current(self._program.plan.limits)
                values |= {"Curr": most * 1e3} if most is not None else {}
                values["Volt"] = level.volts * 1e4
        seconds = step.ceiling.seconds * LATE if ends.seconds is None else ends.seconds
        values["Time"] = seconds * 1e3
        if ends.volts is not None:
            values["Stop_Volt"] = ends.volts * 1e4
        if ends.amperes is not None:
            values["Stop_Curr"] = ends.amperes * 1e3
        if ends.coulombs is not None:
            values["Cap"] = ends.coulombs * 1e3
        return values


def _kind(step: PlannedStep, charging: bool) -> int:
    match step.technique:
        case ConstantCurrent(amperes):
            return CHARGE if amperes > 0.0 else DISCHARGE
        case ConstantVoltage():
            return HOLD_CHARGING if charging else HOLD_DISCHARGING
        case Rest():
            return REST
    raise ValueError(f"step {step.path} cannot be held")


def _record(main: Element, step: PlannedStep, sample: float) -> None:
    rule = step.record
    values = {"Time": (sample if rule.every is None else rule.every) * 1e3}
    if rule.voltage_step is not None:
        values["Volt"] = rule.voltage_step * 1e4
    _values(main, values)


def _protect(parent: Element, limits: Limits, most_coulombs: float | None) -> None:
    main = SubElement(parent, "Main")
    for name, scale, window in (("Volt", 1e4, limits.voltage), ("Curr", 1e3, limits.current)):
        edges = {"Upper": window.high, "Lower": window.low}
        known = {edge: bound.value * scale for edge, bound in edges.items() if bound is not None}
        if known:
            _values(SubElement(main, name), known)
    if most_coulombs is not None:
        _values(SubElement(main, "Cap"), {"Upper": most_coulombs * 1e3})


def _most_current(limits: Limits) -> float | None:
    edges = (limits.current.low, limits.current.high)
    return min((abs(edge.value) for edge in edges if edge is not None), default=None)


def _values(parent: Element, values: Mapping[str, float]) -> None:
    for name, value in values.items():
        SubElement(parent, name, {"Value": f"{value:f}"})


def _whole_values(parent: Element, values: Mapping[str, int]) -> None:
    for name, value in values.items():
        SubElement(parent, name, {"Value": str(value)})
