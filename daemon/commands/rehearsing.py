"""`rehearse`: what a protocol would do to a cell, seen on a simulated one."""

import asyncio
import contextlib
import json
import logging
import sys
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from daemon.commands.options import CellFile, Json, ProtocolFile, State, Variables, named
from daemon.places import Places


def rehearse(
    protocol: ProtocolFile,
    state: State,
    cell: CellFile,
    channel: Annotated[
        str | None,
        typer.Option(help="Rehearse for this channel of the running service: its family, its window."),
    ] = None,
    on: Annotated[
        str | None, typer.Option(metavar="FAMILY", help="On a simulated instrument of this driver.")
    ] = None,
    var: Variables = None,
    seconds: Annotated[
        float,
        typer.Option(min=1.0, max=600.0, help="Seconds it may take; what is not reached is extrapolated."),
    ] = 20.0,
    json_: Json = False,
    window: Annotated[str | None, typer.Option(hidden=True, help="The channel's window as JSON.")] = None,
    progress: Annotated[
        bool, typer.Option("--progress", hidden=True, help="What is known so far as lines of JSON.")
    ] = False,
) -> None:
    """Run a protocol on a simulated cell like this one, and say what will happen to the real one.

    Through the real driver and a whole service of its own that is gone afterwards; the lab's own is
    not touched. The simulated cell is chosen by the chemistry and the separator of the cell file and
    scaled to its mass, area and capacity. Printed are how long each step takes and how it ends,
    cycles, figures, energy, and whether a limit would trip; of a long protocol the first cycles are
    gone through and the rest is extrapolated from them.
    """
    from daemon.host.lifetime import told_to_stop, until_told
    from daemon.rehearsals.bench import DEFAULT_FAMILY
    from daemon.rehearsals.rehearsal import Wanted
    from daemon.rehearsals.rehearsal import rehearse as rehearsed
    from daemon.sources import cell_source, protocol_source

    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    if channel is not None and on is not None:
        raise typer.BadParameter("--channel says on what already; leave --on out")
    sources = protocol_source(protocol), cell_source(cell)
    variables = named(var, "cycles=10")
    family, limits = (on or DEFAULT_FAMILY, _limits(window)) if channel is None else _of(channel, state)
    wanted = Wanted(*sources, variables, family, limits, seconds)

    found: dict[str, Any] | None = None

    async def run() -> None:
        """Rehearse until that is done, or somebody tells us to stop."""
        nonlocal found
        work = asyncio.ensure_future(rehearsed(wanted, _say if progress else _quiet))
        stopping = asyncio.ensure_future(told_to_stop().wait())
        await asyncio.wait({work, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if work.done():
            found = work.result()
            return
        work.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await work

    until_told(run())
    if found is None:
        raise typer.Exit(130)
    if json_:
        print(json.dumps(found), flush=True)
        return
    from daemon.commands.rehearsed import show_rehearsal

    show_rehearsal(found)


def _say(found: Mapping[str, Any]) -> None:
    print(json.dumps({"so_far": found}), flush=True)


def _quiet(found: Mapping[str, Any]) -> None:
    """Nothing: the end is told."""


def _of(channel: str, state: Any) -> tuple[str, Any]:
    """Return the family and the window of a channel of the running service."""
    from daemon.client import ask
    from daemon.errors import UnknownError
    from daemon.requests import Channels

    found = {each["channel"]: each for each in ask(Places(state).socket, Channels())}
    if channel not in found:
        raise UnknownError(f"there is no channel {channel!r} on this bench; it has {', '.join(found)}")
    return found[channel]["driver"], _limits(json.dumps(found[channel]["window"]))


def _limits(written: str | None) -> Any:
    import msgspec

    from protocols.limits import Limits

    return Limits() if written is None else msgspec.json.decode(written, type=Limits)
