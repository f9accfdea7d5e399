"""What a Neware can hold by itself, and why not the rest: refused, never approximated."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from drivers.whole import Unheld
from protocols.conditions import AllOf, Comparison, Condition, Quantity
from protocols.plan import Plan, PlannedEntry, PlannedRepeat, PlannedStep
from protocols.techniques import (
    ChamberTemperature,
    ConstantCurrent,
    ConstantPower,
    ConstantResistance,
    ConstantVoltage,
    Impedance,
    Sweep,
)

MOST_STEPS = 254
"""Of one file, its end not counted (BTS user manual, step settings)."""

SHORTEST_RECORD = 0.1
"""Seconds between two records at least."""


@dataclass(frozen=True, slots=True)
class Ends:
    """The ends of a step as the instrument has them, SI, magnitudes; `strange` are those it has not."""

    seconds: float | None = None
    volts: float | None = None
    amperes: float | None = None
    coulombs: float | None = None
    share: tuple[float, str] | None = None
    strange: tuple[str, ...] = ()

    def less(self, seconds: float, coulombs: float) -> "Ends":
        """Return what is left of them for a step that has that behind it."""
        return replace(
            self,
            seconds=None if self.seconds is None else max(SHORTEST_RECORD, self.seconds - seconds),
            coulombs=None if self.coulombs is None else max(1e-9, self.coulombs - coulombs),
        )


def ends_of(step: PlannedStep) -> Ends:
    """Sort the ends of a step into what the instrument has for them."""
    ends = Ends()
    for part in _parts(step.until):
        ends = _with(ends, part, step)
    return ends


def _parts(until: Condition | None) -> Iterator[Comparison | AllOf]:
    if until is None:
        return
    if isinstance(until, Comparison | AllOf):
        yield until
        return
    for part in until.parts:
        yield from _parts(part)


def _with(ends: Ends, part: Comparison | AllOf, step: PlannedStep) -> Ends:
    if isinstance(part, AllOf):
        joined = " and ".join(end.text for end in part.comparisons())
        return replace(ends, strange=(*ends.strange, joined))
    value, rising = part.value, part.relation.rising
    match part.quantity, step.technique:
        case Quantity.TIME, _ if rising:
            return replace(ends, seconds=_least(ends.seconds, value))
        case Quantity.VOLTAGE, ConstantCurrent(amperes) if rising == (amperes > 0.0):
            tightest = min if rising else max
            return replace(ends, volts=value if ends.volts is None else tightest(ends.volts, value))
        case Quantity.CURRENT, ConstantVoltage() if not rising:
            return replace(ends, amperes=value if ends.amperes is None else max(ends.amperes, value))
        case Quantity.CAPACITY, ConstantCurrent() | ConstantVoltage() if rising:
            if part.relative_to is None:
                return replace(ends, coulombs=_least(ends.coulombs, value))
            if ends.share is None:
                return replace(ends, share=(value, part.relative_to))
    return replace(ends, strange=(*ends.strange, part.text))


def _least(before: float | None, value: float) -> float:
    return value if before is None else min(before, value)


def unheld(plan: Plan) -> Sequence[Unheld]:
    """Return everything of a plan that cannot be left to the instrument alone."""
    found = list(_of_entries(plan.steps))
    count = sum(map(_size, plan.steps))
    if count > MOST_STEPS:
        reason = f"{count} steps, loops included, where a step file has room for {MOST_STEPS}"
        found.append(Unheld(plan.steps[-1].line, plan.name, reason))
    return found


def _of_entries(entries: Sequence[PlannedEntry]) -> Iterator[Unheld]:
    direction_known = False
    for entry in entries:
        if isinstance(entry, PlannedRepeat):
            if entry.until is not None:
                yield Unheld(entry.line, f"repeat until {entry.until.text}", "its loops only count")
            yield from _of_entries(entry.steps)
            continue
        reason = refusal(entry) or _of_ends(entry)
        if reason is None and isinstance(entry.technique, ConstantVoltage) and not direction_known:
            reason = DIRECTION
        if reason is not None:
            yield Unheld(entry.line, f"{entry.verb} {entry.setting}".strip(), reason)
        direction_known = direction_known or isinstance(entry.technique, ConstantCurrent)


DIRECTION = (
    "the instrument has to be told whether a held voltage charges or discharges; "
    "a charge or a discharge before it in the same block says so"
)


def _size(entry: PlannedEntry) -> int:
    if isinstance(entry, PlannedStep):
        return 1
    return sum(map(_size, entry.steps)) + (1 if entry.times > 1 else 0)


def _of_ends(step: PlannedStep) -> str | None:
    strange = ends_of(step).strange
    return None if not strange else f"it cannot judge {' or '.join(map(repr, strange))} by itself"


def refusal(step: PlannedStep) -> str | None:
    """Return why no Neware can run the step, not even a step at a time, or None."""
    match step.technique:
        case Sweep():
            return "a Neware sweeps no voltage"
        case Impedance():
            return "a Neware measures no impedance"
        case ChamberTemperature():
            return "a Neware sets no chamber temperature"
        case ConstantPower() | ConstantResistance():
            return "how a step file spells a power or a resistance was not read anywhere"
        case ConstantVoltage(level) if level.versus_open_circuit:
            return "a Neware holds no voltage counted from the open circuit"
        case _:
            return _of_record(step) or _endless(step)


def _of_record(step: PlannedStep) -> str | None:
    rule = step.record
    if rule.current_step is not None or rule.per_decade is not None:
        return "a Neware records by time and voltage only"
    if rule.every is not None and not rule.every >= SHORTEST_RECORD * (1 - 1e-9):
        return f"a Neware records every {SHORTEST_RECORD:g} s at most"
    return None


def _endless(step: PlannedStep) -> str | None:
    """An end that only the core can judge must not be the only one."""
    ends = ends_of(step)
    if not ends.strange or ends.seconds is not None:
        return None
    strange = " or ".join(map(repr, ends.strange))
    return (
        f"a Neware cannot judge {strange} by itself, and no time ends the step without it; add or time >= …"
    )
