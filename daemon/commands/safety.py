"""`safe`: open the circuits, whoever is or is not there."""

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from daemon.commands.options import Json, State
from daemon.places import Places

if TYPE_CHECKING:
    from daemon.channels.safe import Circuit, Outcome


def safe(
    state: State,
    everything: Annotated[
        bool,
        typer.Option("--all", help="Also open channels that end their step by themselves (potentiostats)."),
    ] = False,
    bench: Annotated[
        Path | None,
        typer.Option(help="Bench file; by default what the last core of the state directory had."),
    ] = None,
    deadline: Annotated[float, typer.Option(min=1.0, help="Seconds each channel may take.")] = 15.0,
    json_: Json = False,
) -> None:
    """Open the circuit of every channel that cannot be trusted alone, and have each confirm it.

    Needs no core, broker or database: a core that answers does it and ends its runs, otherwise
    the instruments are told directly. Exit status 0 only if every one confirmed.
    """
    from daemon.channels.bench_file import BenchFile
    from daemon.channels.safe import circuits

    places = Places(state.absolute())
    known = circuits(places.instruments, None if bench is None else BenchFile.load(bench))
    concerned = [one for one in known if everything or not one.autonomous]
    alone = [one for one in known if one not in concerned]
    outcomes = _outcomes(places, concerned, everything, deadline)
    if json_:
        print(json.dumps([outcome._asdict() for outcome in outcomes]), flush=True)
    else:
        _show(outcomes, alone)
    if not all(outcome.off for outcome in outcomes):
        raise typer.Exit(1)


def _show(outcomes: list["Outcome"], alone: list["Circuit"]) -> None:
    for outcome in outcomes:
        confirmed = "off" if outcome.off else "NOT CONFIRMED OFF"
        typer.echo(f"{outcome.channel}: {confirmed} ({outcome.told}) at {outcome.address}")
    for one in alone:
        typer.echo(f"{one.channel}: left alone, it ends its step by itself; --all opens it too")
    if not outcomes and not alone:
        typer.echo("there is no instrument to open: all are simulated, and nobody serves them")


def _outcomes(
    places: Places, concerned: list["Circuit"], everything: bool, deadline: float
) -> list["Outcome"]:
    """Let the core do it where one answers; what it did not confirm is tried directly."""
    from daemon.channels.safe import make_all_safe

    done = {outcome.channel: outcome for outcome in _by_the_core(places, everything, deadline)}
    open_ = [one for one in concerned if one.channel not in done or not done[one.channel].off]
    direct = asyncio.run(make_all_safe(open_, deadline))
    return [*(outcome for outcome in done.values() if outcome.off), *direct]


def _by_the_core(places: Places, everything: bool, deadline: float) -> list["Outcome"]:
    from daemon.channels.safe import Outcome
    from daemon.client import ask
    from daemon.errors import ServiceError
    from daemon.requests import Safe

    try:
        answer = ask(places.socket, Safe(everything, deadline), patience=deadline + 1.0)
    except ServiceError:  # nobody there, nobody awake, or an older core: the instruments themselves are asked
        return []
    return [Outcome(**outcome) for outcome in answer]
