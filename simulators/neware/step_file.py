"""The step file of a BTS Client: what a channel is told to do, in milliamperes and tenths of millivolts."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

MOST_STEPS = 254
"""Of one file, its end not counted (BTS user manual, step settings)."""

SAMPLE = 0.1
"""Seconds between the samples a channel takes, whatever it records."""

VARIABLES = tuple(f"User{number}" for number in range(1, 51))
"""Global variables that an expression may use (BTS 8.0, "Set and Expression")."""


class StepFileError(Exception):
    """The client refuses the file, or the channel cannot do what is in it."""


class Kind(IntEnum):
    """`Step_Type`, as far as this channel can do them."""

    CHARGE = 1
    DISCHARGE = 2
    HOLD_CHARGING = 3
    REST = 4
    LOOP = 5
    END = 6
    POWER_DISCHARGE = 8
    POWER_CHARGE = 9
    HOLD_DISCHARGING = 19

    @property
    def word(self) -> str:
        """What the API calls it in the records."""
        return _WORDS[self]

    @property
    def sign(self) -> float:
        """+1 where it charges the cell, -1 where it discharges it, 0 at rest."""
        return _SIGNS.get(self, 0.0)


_WORDS = {
    Kind.CHARGE: "cc",
    Kind.DISCHARGE: "dc",
    Kind.HOLD_CHARGING: "cv",
    Kind.REST: "rest",
    Kind.LOOP: "cycle",
    Kind.END: "end",
    Kind.POWER_DISCHARGE: "dp",
    Kind.POWER_CHARGE: "cp",
    Kind.HOLD_DISCHARGING: "dv",
}
_SIGNS = {
    Kind.CHARGE: 1.0,
    Kind.HOLD_CHARGING: 1.0,
    Kind.POWER_CHARGE: 1.0,
    Kind.DISCHARGE: -1.0,
    Kind.HOLD_DISCHARGING: -1.0,
    Kind.POWER_DISCHARGE: -1.0,
}


@dataclass(frozen=True, slots=True)
class Window:
    """What is protected: volts, amperes (a discharge is negative) and coulombs of a step."""

    volts: tuple[float, float] = (-math.inf, math.inf)
    amperes: tuple[float, float] = (-math.inf, math.inf)
    coulombs: float = math.inf


@dataclass(frozen=True, slots=True)
class Rule:
    """What is recorded: after so many seconds, volts or amperes; beginning and end of a step always."""

    seconds: float = 1.0
    volts: float = math.inf
    amperes: float = math.inf


@dataclass(frozen=True, slots=True)
class Share:
    """`Expression`: the step is over once its capacity is `factor` times what `variable` holds."""

    factor: float
    variable: str


@dataclass(frozen=True, slots=True)
class Step:
    """One step in SI. `sets` is the variable that holds its capacity from its end on."""

    number: int
    kind: Kind
    amperes: float = math.inf
    watts: float = 0.0
    volts: float = 0.0
    stop_volts: float | None = None
    stop_amperes: float = 0.0
    seconds: float = math.inf
    coulombs: float = math.inf
    joules: float = math.inf
    share: Share | None = None
    sets: str | None = None
    rule: Rule = Rule()
    window: Window = Window()


@dataclass(frozen=True, slots=True)
class Loop:
    """Go back to `start` until everything from there has been done `count` times."""

    number: int
    start: int
    count: int


@dataclass(frozen=True, slots=True)
class StepFile:
    """The steps by their numbers, from 1 without gaps; the end is not among them."""

    steps: Mapping[int, Step | Loop] = field(default_factory=dict)

    @classmethod
    def parse(cls, data: bytes) -> "StepFile":
        """Read a file as a client does. Raises `StepFileError`."""
        try:
            root = ElementTree.fromstring(_decoded(data))
        except (ElementTree.ParseError, ValueError, LookupError) as error:
            raise StepFileError(f"no XML: {error}") from error
        config = root.find("config")
        info = None if config is None else config.find("Step_Info")
        if config is None or info is None or config.get("type") != "Step File":
            raise StepFileError("no step file: wanted config type='Step File' with Step_Info")
        whole = _window(config.find("Whole_Prt/Protect/Main"), Window())
        rule = _rule(config.find("Whole_Prt/Record/Main"), Rule())
        steps = [_step(element, at, whole, rule) for at, element in enumerate(info, start=1)]
        if info.get("Num") != str(len(steps)):
            raise StepFileError(f"Step_Info Num is {info.get('Num')}, there are {len(steps)} steps")
        if not steps or steps[-1] is not None or None in steps[:-1]:
            raise StepFileError("wanted one step of type 6 (end), and that last")
        if len(steps) - 1 > MOST_STEPS:
            raise StepFileError(f"{len(steps) - 1} steps; wanted at most {MOST_STEPS}")
        return cls({step.number: step for step in steps if step is not None})


def _decoded(data: bytes) -> str:
    """Return the text: UTF-8, or GB 18030, which clients write where their PC speaks it."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("gb18030")


def _step(element: Element, at: int, whole: Window, rule: Rule) -> Step | Loop | None:
    """Read one step; None for the end."""
    if element.tag != f"Step{at}" or element.get("Step_ID") != str(at):
        raise StepFileError(f"{element.tag} with Step_ID {element.get('Step_ID')} is the {at}th step")
    try:
        kind = Kind(int(element.get("Step_Type", "")))
    except ValueError as error:
        raise StepFileError(f"step {at}: this channel has no Step_Type {element.get('Step_Type')}") from error
    if kind is Kind.END:
        return None
    if kind is Kind.LOOP:
        return _loop(element, at)
    window = _window(element.find("Protect/Main"), whole)
    step = Step(at, kind, rule=_rule(element.find("Record/Main"), rule), window=window)
    main, other = element.find("Limit/Main"), element.find("Limit/Other")
    return _checked(_with_conditions(_with_limits(step, main), other))


def _loop(element: Element, at: int) -> Loop:
    other = element.find("Limit/Other")
    start, count = _value(other, "Start_Step", 1.0), _value(other, "Cycle_Count", 1.0)
    if start is None or count is None or not 1 <= start < at or count < 1:
        raise StepFileError(f"step {at}: a cycle from step {start}, {count} times")
    return Loop(at, int(start), int(count))


def _with_limits(step: Step, main: Element | None) -> Step:
    amperes, volts = _value(main, "Curr", 1e-3), _value(main, "Volt", 1e-4)
    seconds, coulombs = _value(main, "Time", 1e-3), _value(main, "Cap", 1e-3)
    watts, stop_amperes = _value(main, "Pow", 1e-3), _value(main, "Stop_Curr", 1e-3)
    return replace(
        step,
        amperes=step.amperes if amperes is None else amperes,
        volts=step.volts if volts is None else volts,
        watts=step.watts if watts is None else watts,
        stop_volts=_value(main, "Stop_Volt", 1e-4),
        stop_amperes=step.stop_amperes if stop_amperes is None else stop_amperes,
        seconds=step.seconds if seconds is None else seconds,
        coulombs=step.coulombs if coulombs is None else coulombs,
    )


def _with_conditions(step: Step, other: Element | None) -> Step:
    """Read `Set` and `Expression`, whose spelling in a file is assumed (docs/neware.md)."""
    for condition in () if other is None else other:
        kind, expression = condition.get("Type"), condition.get("Expression", "")
        if kind == "Set" and expression == "Cap":
            step = replace(step, sets=_variable(condition.get("Name"), step))
        elif kind == "Expression":
            factor, _, variable = expression.removesuffix("-Cap").partition("*")
            share = Share(_number(factor, expression, step), _variable(variable, step))
            if not expression.endswith("-Cap") or condition.get("Compare") != "<=":
                raise StepFileError(f"step {step.number}: expression {expression!r}")
            step = replace(step, share=share)
        else:
            raise StepFileError(f"step {step.number}: condition of type {kind!r}")
    return step


def _variable(name: str | None, step: Step) -> str:
    if name not in VARIABLES:
        raise StepFileError(f"step {step.number}: there is no variable {name!r}")
    return name


def _number(text: str, expression: str, step: Step) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise StepFileError(f"step {step.number}: expression {expression!r}") from error


def _checked(step: Step) -> Step:
    """Refuse a step that says too little to be done, or that nothing would end."""
    if step.kind in (Kind.CHARGE, Kind.DISCHARGE) and not 0.0 < step.amperes < math.inf:
        raise StepFileError(f"step {step.number}: no current")
    if step.kind in (Kind.POWER_CHARGE, Kind.POWER_DISCHARGE) and not step.watts > 0.0:
        raise StepFileError(f"step {step.number}: no power")
    ends = (step.stop_volts is not None, step.stop_amperes > 0.0, step.seconds < math.inf)
    if not any((*ends, step.coulombs < math.inf, step.share is not None)):
        raise StepFileError(f"step {step.number}: nothing ends it")
    return step


def _window(main: Element | None, whole: Window) -> Window:
    if main is None:
        return whole
    volts = _pair(main.find("Volt"), 1e-4, whole.volts)
    amperes = _pair(main.find("Curr"), 1e-3, whole.amperes)
    upper = _value(main.find("Cap"), "Upper", 1e-3)
    return Window(volts, amperes, whole.coulombs if upper is None else upper)


def _pair(parent: Element | None, scale: float, default: tuple[float, float]) -> tuple[float, float]:
    low, high = _value(parent, "Lower", scale), _value(parent, "Upper", scale)
    return default[0] if low is None else low, default[1] if high is None else high


def _rule(main: Element | None, default: Rule) -> Rule:
    if main is None:
        return default
    seconds, volts, amperes = (
        _value(main, "Time", 1e-3),
        _value(main, "Volt", 1e-4),
        _value(main, "Curr", 1e-3),
    )
    return Rule(
        math.inf if seconds is None else max(seconds, SAMPLE),
        math.inf if volts is None else volts,
        math.inf if amperes is None else amperes,
    )


def _value(parent: Element | None, name: str, scale: float) -> float | None:
    """Return a `Value` in SI; None where there is none."""
    child = None if parent is None else parent.find(name)
    if child is None:
        return None
    try:
        value = float(child.get("Value", ""))
    except ValueError as error:
        raise StepFileError(f"{name} Value {child.get('Value')!r} is no number") from error
    if not math.isfinite(value):
        raise StepFileError(f"{name} Value {value}")
    return value * scale
