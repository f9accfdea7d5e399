"""From the text of a protocol and a cell to a plan and its report; needs no service."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from daemon.running.preview import preview
from protocols.cell import Cell
from protocols.check import report
from protocols.forecast import forecast
from protocols.limits import Limits
from protocols.plan import Plan
from protocols.protocol import Protocol
from protocols.resolve import resolve
from protocols.table import limit_lines, rows


class Planned(NamedTuple):
    """A plan and the cell it is for."""

    plan: Plan
    cell: Cell


def planned(
    protocol: str,
    protocol_file: str,
    cell: str,
    cell_file: str,
    channel: Limits | None,
    variables: Mapping[str, str],
) -> Planned:
    """Read and resolve; `ProtocolError` with every mistake that can be found at one look."""
    the_cell = Cell.parse(cell, cell_file)
    plan = resolve(Protocol.parse(protocol, protocol_file), the_cell, channel=channel, variables=variables)
    return Planned(plan, the_cell)


def with_table(plan: Plan, cell: Cell) -> dict[str, Any]:
    """Return the report of a plan, and the same as rows, lines of text and a curve for people."""
    expected = forecast(plan, cell)
    return report(plan, expected) | {
        "table": [list(row) for row in rows(plan, expected)],
        "window": list(limit_lines(plan.limits)),
        "preview": preview(plan, expected, cell),
    }
