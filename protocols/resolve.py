"""From the written protocol to the plan: one cell, one channel, every value in SI and inside the window."""

import hashlib
from collections.abc import Mapping

from protocols.ceilings import with_ceilings
from protocols.cell import Cell
from protocols.errors import Place
from protocols.limits import Limits, Range
from protocols.operands import Values
from protocols.plan import Plan
from protocols.planner import Planner
from protocols.problems import Problems
from protocols.protocol import Protocol
from protocols.variables import used_names
from protocols.variables import values as variable_values


def resolve(
    protocol: Protocol,
    cell: Cell,
    *,
    channel: Limits | None = None,
    variables: Mapping[str, str] | None = None,
) -> Plan:
    """Return the plan of `protocol` for `cell`, on a channel that may never leave `channel`.

    Windows are intersected, the tightest edge winning with its origin. One `ProtocolError` tells
    everything that is wrong: missing cell facts, values or ends outside the window, steps that
    could run for ever, too many steps, no voltage window at all.
    """
    texts = variable_values(protocol.variables, variables or {})
    values = Values(cell.basis, texts)
    limits = _effective(protocol, cell, channel, values)
    planner = Planner(protocol.record, limits)
    steps = with_ceilings(planner.plan(protocol.steps, values), cell.capacity, limits)
    canonical = protocol.canonical(texts)
    return Plan(
        name=values.text(protocol.name),
        steps=steps,
        limits=limits,
        figures=protocol.figures,
        canonical=canonical,
        digest=hashlib.sha256(canonical.encode()).hexdigest(),
        variables=texts,
        warnings=tuple(planner.warnings) + _unused(protocol),
    )


def _effective(protocol: Protocol, cell: Cell, channel: Limits | None, values: Values) -> Limits:
    own = Limits() if protocol.limits is None else protocol.limits.limits(values, "protocol")
    limits = Limits.intersection([own, cell.window, channel or Limits()])
    place = _limits_place(protocol)
    problems = Problems()
    if limits.voltage.low is None or limits.voltage.high is None:
        wanted = "`limits: {voltage: low .. high}` here, or a `window` in the cell file"
        problems.add(place, "no voltage window from protocol, cell or channel", wanted)
    for name, _, allowed in limits.named():
        if _is_empty(allowed):
            problems.add(place, f"the {name} window is empty: {_edges(allowed)}", "windows that overlap")
    problems.settle()
    return limits


def _limits_place(protocol: Protocol) -> Place:
    return next((key.place for key, _ in protocol.root.entries if key.text == "limits"), protocol.root.place)


def _is_empty(allowed: Range) -> bool:
    return allowed.low is not None and allowed.high is not None and not allowed.low.value < allowed.high.value


def _edges(allowed: Range) -> str:
    edges = (("from", allowed.low), ("to", allowed.high))
    return " ".join(f"{word} {edge.value:g} ({edge.origin})" for word, edge in edges if edge is not None)


def _unused(protocol: Protocol) -> tuple[str, ...]:
    used = set(used_names(protocol.root))
    return tuple(
        f"line {variable.place.line}: the variable `{variable.name}` is never used"
        for variable in protocol.variables
        if variable.name not in used
    )
