"""A plan of ours as a protocol of aurora-unicycler."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from protocols.conditions import AllOf, Comparison, Condition, Quantity
from protocols.errors import Place, Problem, ProtocolError
from protocols.limits import Bound
from protocols.plan import Plan, PlannedEntry, PlannedRepeat, PlannedStep
from protocols.recording import Recording
from protocols.techniques import ConstantCurrent, ConstantVoltage, Impedance, Rest, Sweep
from protocols.unicycler.library import checked

Step = Mapping[str, Any]
_MILLI = 1e3  # of an ampere or a volt
_MILLIAMPERE_HOUR = 3.6  # coulombs


def from_plan(plan: Plan, capacity: float | None, file: str) -> str:
    """Return the plan as aurora-unicycler's JSON; what it cannot say is a `ProtocolError` that names it.

    `capacity` is that of the cell (coulombs), if known. Currents are in mA, as planned for the
    cell; nested repeats become jumps to tags.
    """
    steps = list(_entries(plan.steps, file))
    data = {
        "sample": {"name": plan.name, "capacity_mAh": capacity and capacity / _MILLIAMPERE_HOUR},
        "record": _record([*plan.each_step()], file),
        "safety": _safety(plan),
        "method": steps,
    }
    return str(checked(file, data).to_json()) + "\n"


def _entries(entries: Sequence[PlannedEntry], file: str) -> Iterator[Step]:
    for entry in entries:
        if isinstance(entry, PlannedRepeat):
            yield from _repeat(entry, file)
        else:
            yield from _step(entry, file)


def _repeat(repeat: PlannedRepeat, file: str) -> Iterator[Step]:
    if repeat.until is not None:
        raise _refused(
            file, repeat.line, f"`until: {repeat.until.text}`", "a repeat of a fixed number of rounds"
        )
    inner = list(_entries(repeat.steps, file))
    if repeat.times == 1:
        yield from inner
        return
    tag = f"repeat {repeat.path}"
    yield {"step": "tag", "tag": tag}
    yield from inner
    yield {"step": "loop", "loop_to": tag, "cycle_count": repeat.times}


def _step(step: PlannedStep, file: str) -> Iterator[Step]:
    match step.technique:
        case Rest():
            ends = _ends(step, file, {Quantity.TIME: True})
            yield {"step": "open_circuit_voltage", "until_time_s": ends[Quantity.TIME]}
        case ConstantCurrent(amperes):
            ends = _ends(step, file, {Quantity.TIME: True, Quantity.VOLTAGE: amperes > 0})
            yield {
                "step": "constant_current",
                "current_mA": _MILLI * amperes,
                "until_time_s": ends.get(Quantity.TIME),
                "until_voltage_V": ends.get(Quantity.VOLTAGE),
            }
        case ConstantVoltage(level) if not level.versus_open_circuit:
            ends = _ends(step, file, {Quantity.TIME: True, Quantity.CURRENT: False})
            current = ends.get(Quantity.CURRENT)
            yield {
                "step": "constant_voltage",
                "voltage_V": level.volts,
                "until_time_s": ends.get(Quantity.TIME),
                "until_current_mA": None if current is None else _MILLI * current,
            }
        case Sweep() as sweep:
            yield from _sweep(step, sweep, file)
        case Impedance() as spectrum:
            yield _impedance(step, spectrum, file)
        case _:
            raise _refused(file, step.line, f"`{step.verb}: {step.setting}`", "a step aurora-unicycler has")


def _sweep(step: PlannedStep, sweep: Sweep, file: str) -> Iterator[Step]:
    """Each ramp is a step of its own; a closed way that is gone several times is a loop."""
    levels = (sweep.start, *sweep.vertices)
    if any(level.versus_open_circuit for level in levels):
        raise _refused(file, step.line, "a sweep from open circuit", "voltages: it measures none before")
    volts = [level.volts for level in levels]
    if sweep.cycles > 1 and volts[0] != volts[-1]:
        raise _refused(file, step.line, f"{sweep.cycles} cycles of a sweep that ends elsewhere", "one cycle")
    ramps = [
        {
            "step": "voltage_scan",
            "start_voltage_V": start,
            "end_voltage_V": end,
            "scan_rate_mV_per_s": _MILLI * sweep.rate,
        }
        for start, end in pairwise(volts)
    ]
    if sweep.cycles == 1:
        yield from ramps
        return
    tag = f"sweep {step.path}"
    yield {"step": "tag", "tag": tag}
    yield from ramps
    yield {"step": "loop", "loop_to": tag, "cycle_count": sweep.cycles}


def _impedance(step: PlannedStep, spectrum: Impedance, file: str) -> Step:
    at_rest = spectrum.bias.volts == 0 and spectrum.bias.versus_open_circuit != spectrum.galvanostatic
    if not at_rest:
        raise _refused(file, step.line, "a spectrum at a bias", "one at open circuit, or a `hold` before it")
    name = "amplitude_mA" if spectrum.galvanostatic else "amplitude_V"
    return {
        "step": "impedance_spectroscopy",
        name: spectrum.amplitude * (_MILLI if spectrum.galvanostatic else 1.0),
        "start_frequency_Hz": spectrum.highest,
        "end_frequency_Hz": spectrum.lowest,
        "points_per_decade": spectrum.points_per_decade,
    }


def _ends(step: PlannedStep, file: str, known: Mapping[Quantity, bool]) -> dict[Quantity, float]:
    """Return the ends of a step by their quantity; `known` says which there are, and which of them rise."""
    found: dict[Quantity, float] = {}
    for comparison in _alternatives(step, file):
        quantity = comparison.quantity
        fits = known.get(quantity) is comparison.relation.rising and comparison.relative_to is None
        if not fits or quantity in found:
            names = " or ".join(f"by {each}" for each in known)
            raise _refused(file, step.line, f"the end `{comparison.text}` of `{step.verb}`", f"ends {names}")
        found[quantity] = comparison.value
    return found


def _alternatives(step: PlannedStep, file: str) -> list[Comparison]:
    until = step.until
    if until is None:
        return []
    if _has_and(until):
        raise _refused(file, step.line, f"ends of `{step.verb}` joined by `and`", "ends joined by `or`")
    return list(until.comparisons())


def _has_and(condition: Condition) -> bool:
    parts = () if isinstance(condition, Comparison) else condition.parts
    return isinstance(condition, AllOf) or any(map(_has_and, parts))


def _record(steps: Sequence[PlannedStep], file: str) -> Mapping[str, Any]:
    rules = {step.record: step for step in steps if not isinstance(step.technique, Impedance)}
    if len(rules) > 1:
        line = list(rules.values())[1].line
        raise _refused(file, line, "a step with a recording rule of its own", "one rule for all steps")
    rule = next(iter(rules), Recording(every=10.0))
    if rule.every is None or rule.current_step is not None or rule.per_decade is not None:
        line = next(iter(rules.values())).line
        raise _refused(file, line, "the recording rule", "`every <time>`, and a voltage if wanted")
    return {"time_s": rule.every, "voltage_V": rule.voltage_step}


def _safety(plan: Plan) -> Mapping[str, Any]:
    voltage, current = plan.limits.voltage, plan.limits.current
    return {
        "max_voltage_V": _edge(voltage.high),
        "min_voltage_V": _edge(voltage.low),
        "max_current_mA": _edge(current.high, _MILLI),
        "min_current_mA": _edge(current.low, _MILLI),
    }


def _edge(bound: Bound | None, scale: float = 1.0) -> float | None:
    return None if bound is None else scale * bound.value


def _refused(file: str, line: int, seen: str, wanted: str) -> ProtocolError:
    return ProtocolError(Problem(Place(file, line, 1), seen, f"{wanted}, in a protocol of aurora-unicycler"))
