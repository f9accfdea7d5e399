"""`check`: what a protocol would do to a cell, before anything is done."""

import json
from typing import Annotated, Any

import typer

from daemon.commands.options import Json, State, Variables, named
from daemon.places import Places


def check(
    protocol: Annotated[
        str, typer.Argument(metavar="FILE", help="Protocol file, or the name of a ready one.")
    ],
    state: State,
    cell: Annotated[str, typer.Option(help="Cell file, or the name of a ready one.")],
    channel: Annotated[
        str | None,
        typer.Option(help="Check against this channel of the running service: its window, its instrument."),
    ] = None,
    var: Variables = None,
    json_: Json = False,
) -> None:
    """Plan a protocol for a cell and print the plan; nothing runs.

    Every step with its set value, its ends, how long it will take and how many readings it will
    keep; the limits that apply, and which of protocol, cell and channel set each. A mistake is
    shown at its line and column, and the command ends with status 65.
    """
    from daemon.sources import cell_source, protocol_source

    protocol_text, protocol_file = protocol_source(protocol)
    cell_text, cell_file = cell_source(cell)
    variables = named(var, "cycles=10")
    if channel is None:
        found = _planned_here(protocol_text, protocol_file, cell_text, cell_file, variables)
    else:
        from daemon.client import ask
        from daemon.requests import Check

        request = Check(protocol_text, protocol_file, cell_text, cell_file, channel, variables)
        found = ask(Places(state).socket, request)
    table, window, _ = found.pop("table"), found.pop("window"), found.pop("preview")
    if json_:
        print(json.dumps(found))
        return
    from daemon.commands.display import show_plan

    show_plan(found, table, window)


def _planned_here(
    protocol: str, protocol_file: str, cell: str, cell_file: str, variables: dict[str, str]
) -> dict[str, Any]:
    from daemon.running.planning import planned, with_table

    plan, on = planned(protocol, protocol_file, cell, cell_file, None, variables)
    return with_table(plan, on)
