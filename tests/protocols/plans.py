"""Protocols in few words, for the tests."""

from collections.abc import Iterator, Mapping

from protocols.cell import Cell
from protocols.limits import Limits
from protocols.plan import Plan
from protocols.protocol import Protocol
from protocols.resolve import resolve
from protocols.walk import Visit, Walk

CELL = Cell.parse(
    "cell: c\narea: 1 cm2\nnominal_capacity: 3 mAh\nwindow: {voltage: 1.0 V .. 5.0 V, current: 10 mA}\n"
)
"""One C is 3 mA, 1 mA/cm2 is 1 mA."""


def plan_of(
    steps: str,
    *,
    top: str = "",
    cell: Cell = CELL,
    channel: Limits | None = None,
    variables: Mapping[str, str] | None = None,
) -> Plan:
    """Return the plan of a flow-style list of steps, with further lines of the file in `top`."""
    protocol = Protocol.parse(f"protocol: p\n{top}steps: {steps}\n", "file")
    return resolve(protocol, cell, channel=channel, variables=variables)


def visits(walk: Walk, capacities: Mapping[str, float]) -> Iterator[Visit]:
    """Walk to the end, every step of a verb passing the charge `capacities` names (1 C otherwise)."""
    while (visit := walk.advance()) is not None:
        yield visit
        walk.ended(capacities.get(visit.step.verb, 1.0))
