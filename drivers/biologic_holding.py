"""What of a plan cannot be left to a Bio-Logic as one list of techniques: it is given step by step."""

from collections.abc import Iterator, Sequence

from drivers.biologic_compiler import Compiler
from drivers.biologic_exits import Exits, exits_of
from drivers.biologic_linked import MOST_TECHNIQUES, linked
from drivers.biologic_refusal import refusal
from drivers.ends import Done
from drivers.whole import Unheld
from protocols.limits import Limits
from protocols.plan import Plan, PlannedEntry, PlannedRepeat, PlannedStep
from protocols.techniques import ConstantCurrent, ConstantVoltage, Impedance, Rest, Sweep

LOOK = "its level counts from an open circuit that has to be seen to be inside the window first"
APPROACH = "only straight after a charge or a discharge is a hold without a peak of current"
LOGARITHMIC = "a logarithmic record is several techniques, each of which would have to be ended"
EITHER_SIDE = "with an end on either side, the instrument cannot tell an end from the ceiling of its time"


def unheld(plan: Plan, compiler: Compiler) -> Sequence[Unheld]:
    """Return everything that cannot be held; empty if the whole plan can."""
    found = list(_of_entries(plan.steps, None, compiler))
    if found or not plan.steps:
        return found
    whole = linked(compiler, plan.steps)
    count = len(whole.techniques) + whole.longest_loop
    if count > MOST_TECHNIQUES:
        room = f"a channel has room for {MOST_TECHNIQUES}"
        reason = f"{count} techniques, those of a round that is resumed in its middle included: {room}"
        return [Unheld(plan.steps[-1].line, plan.name, reason)]
    return []


def _of_entries(
    entries: Sequence[PlannedEntry], before: PlannedStep | None, compiler: Compiler, inside: bool = False
) -> Iterator[Unheld]:
    for place, entry in enumerate(entries):
        if isinstance(entry, PlannedStep):
            reason = _of_step(entry, before, compiler, first=place == 0)
            if reason is not None:
                yield Unheld(entry.line, f"{entry.verb} {entry.setting}".strip(), reason)
            before = entry
            continue
        if entry.until is not None:
            yield Unheld(entry.line, f"repeat until {entry.until.text}", "its loops only count")
        if inside:
            yield Unheld(entry.line, "a repeat in a repeat", "whether loops may be nested is not known")
        yield from _of_repeat(entry, before, compiler)
        before = _last(entry)


def _of_repeat(repeat: PlannedRepeat, before: PlannedStep | None, compiler: Compiler) -> Iterator[Unheld]:
    """Look at its steps behind whatever came before it, and behind its own last step."""
    found = list(_of_entries(repeat.steps, before, compiler, inside=True))
    yield from found
    if not found and repeat.times > 1:
        yield from _of_entries(repeat.steps, _last(repeat), compiler, inside=True)


def _last(repeat: PlannedRepeat) -> PlannedStep:
    last = repeat.steps[-1]
    return _last(last) if isinstance(last, PlannedRepeat) else last


def _of_step(step: PlannedStep, before: PlannedStep | None, compiler: Compiler, first: bool) -> str | None:
    """Return why a step, perhaps the first of its block, cannot follow on another within a list, or None."""
    reason = refusal(step, compiler.potentiostat.model)
    if reason is not None:
        return reason
    if step.needs_open_circuit and (not _stays(step) or not (before is None or _is_rest(before))):
        return LOOK
    if isinstance(step.technique, ConstantVoltage) and (first or not _is_current(before)):
        return APPROACH
    if step.record.per_decade is not None and not _is_rest(step):
        return LOGARITHMIC
    return _of_exits(exits_of(step, Limits(), Done()))


def _of_exits(exits: Exits) -> str | None:
    if exits.host:
        return f"the instrument cannot judge {' or '.join(map(repr, exits.host))}"
    ends = [edge for edge in (exits.low, exits.high) if edge is not None and not edge.limit]
    return EITHER_SIDE if len(ends) == 2 and exits.seconds.limit else None


def _stays(step: PlannedStep) -> bool:
    """Whether a step versus open circuit begins where the cell is, and goes to no other such level."""
    match step.technique:
        case ConstantVoltage():
            return False
        case Sweep(start, vertices):
            return start.volts == 0.0 and not any(level.versus_open_circuit for level in vertices)
        case Impedance(bias=bias):
            return bias.volts == 0.0
    return False


def _is_rest(step: PlannedStep) -> bool:
    return isinstance(step.technique, Rest)


def _is_current(step: PlannedStep | None) -> bool:
    return step is not None and isinstance(step.technique, ConstantCurrent)
