"""`submit`, `runs`, `show`, `watch`, `pause`, `resume`, `stop`, `clear`: what runs are asked."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from daemon.client import ask, events
from daemon.commands.options import (
    CellFile,
    Database,
    Json,
    ProtocolFile,
    State,
    Variables,
    database_of,
    named,
)
from daemon.errors import UnavailableError
from daemon.places import Places
from daemon.requests import (
    Clear,
    GoOn,
    Hold,
    Pause,
    Queue,
    Reorder,
    Resume,
    Runs,
    Stop,
    Submit,
    Unqueue,
    Watch,
)
from daemon.running.order import ResumePolicy

RunName = Annotated[str, typer.Argument(metavar="RUN", help="The run, e.g. lab-12, or just 12.")]


def submit(
    protocol: ProtocolFile,
    state: State,
    cell: CellFile,
    channel: Annotated[
        str, typer.Option(help="Channel that holds the cell; `galvanod runs --channels` lists them.")
    ],
    var: Variables = None,
    resume_: Annotated[
        ResumePolicy,
        typer.Option(
            "--resume",
            help="After a crash or power cut: wait for `resume`, go on if nothing speaks against it, or end.",
        ),
    ] = ResumePolicy.CONFIRM,
    label: Annotated[
        list[str] | None,
        typer.Option("--label", metavar="NAME=VALUE", help="Kept with the run; may be repeated."),
    ] = None,
    queue_: Annotated[
        bool, typer.Option("--queue", help="Wait where the channel is busy; begin when its run has finished.")
    ] = False,
    watch_: Annotated[bool, typer.Option("--watch", help="Follow the run at once.")] = False,
    json_: Json = False,
) -> None:
    """Start a protocol on the cell in a channel and print the run.

    The protocol is planned first: a mistake in it, or a set value outside the window of
    protocol, cell or channel, is refused with its line, and nothing runs. With --queue it waits on
    a busy channel; `galvanod queue CHANNEL` shows what does.
    """
    from daemon.sources import cell_source, protocol_source

    protocol_text, protocol_file = protocol_source(protocol)
    cell_text, cell_file = cell_source(cell)
    request = Submit(
        protocol_text,
        protocol_file,
        cell_text,
        cell_file,
        channel,
        named(var, "cycles=10"),
        resume_,
        named(label, "operator=Ada"),
        queue=queue_,
    )
    answer = ask(Places(state).socket, request)
    if json_:
        _print(answer)
    else:
        from daemon.commands.display import show_submitted

        show_submitted(answer)
    if watch_ and answer["run"] is not None:
        watch(answer["run"], state, json_)


def queue(
    channel: Annotated[str, typer.Argument(metavar="CHANNEL", help="The channel.")],
    state: State,
    remove: Annotated[
        int | None, typer.Option(help="Take the one with this number out of the queue.")
    ] = None,
    order: Annotated[
        str | None, typer.Option(metavar="3,1,2", help="Put them in this order, by their numbers.")
    ] = None,
    hold: Annotated[
        str | None, typer.Option(metavar="REASON", help="Let nothing more begin until --go-on.")
    ] = None,
    go_on: Annotated[
        bool, typer.Option("--go-on", help="Let it go on where it is held, having looked why.")
    ] = False,
    json_: Json = False,
) -> None:
    """Show what waits on a channel, the next first.

    The next begins when the run before it has finished; after one that was stopped, tripped or
    failed the queue is held until somebody lets it go on.
    """
    socket = Places(state).socket
    if remove is not None:
        ask(socket, Unqueue(channel, remove))
    if order is not None:
        ask(socket, Reorder(channel, _numbers(order)))
    if hold is not None:
        ask(socket, Hold(channel, hold))
    if go_on:
        ask(socket, GoOn(channel))
    found = ask(socket, Queue(channel))
    if json_:
        _print(found)
        return
    from daemon.commands.display import show_queue

    show_queue(channel, found)


def _numbers(written: str) -> list[int]:
    """Read `3,1,2`."""
    words = [word.strip() for word in written.split(",")]
    if not all(word.isdecimal() and len(word) < 18 for word in words):
        raise typer.BadParameter(f"--order {written!r}: wanted the numbers that wait, e.g. 3,1,2")
    return [int(word) for word in words]


def runs(
    state: State,
    database: Database = None,
    channels: Annotated[
        bool, typer.Option("--channels", help="List the channels of the bench instead.")
    ] = False,
    json_: Json = False,
) -> None:
    """List the runs, those in hand first, or the channels of the bench."""
    from daemon.commands import display

    if channels:
        from daemon.requests import Channels

        found = ask(Places(state).socket, Channels())
        _print(found) if json_ else display.show_channels(found)
        return
    live = {run["run"]: run for run in _live(state)}
    recorded = _recorded(state, database)
    listed = [run for name, run in live.items() if name not in recorded]
    listed += [found | _of_the_core(live.get(name)) for name, found in recorded.items()]
    _print(listed) if json_ else display.show_runs(listed)


def show(run: RunName, state: State, database: Database = None, json_: Json = False) -> None:
    """Show a run: its state, steps, cycles and figures of merit."""
    from daemon.commands.report import run_report

    live = {found["run"]: found for found in _live(state)}
    report = run_report(database_of(state, database), run, live)
    if json_:
        _print(report)
    else:
        from daemon.commands.display import show_run

        show_run(report)


def watch(run: RunName, state: State, json_: Json = False) -> None:
    """Follow a run live until it is over; Ctrl-C ends the watching, not the run."""
    stream = events(Places(state).socket, Watch(run))
    if json_:
        for event in stream:
            _print(event)
        return
    from daemon.commands.display import show_live

    show_live(stream)


def pause(run: RunName, state: State, json_: Json = False) -> None:
    """Open the circuit before the next reading and wait; the step goes on after `resume`."""
    _told(state, Pause(run), f"run {run} is paused, its circuit open", json_)


def resume(run: RunName, state: State, json_: Json = False) -> None:
    """Go on with a run that was paused, or interrupted by a crash, a power cut or a stop of the service."""
    _told(state, Resume(run), f"run {run} goes on", json_)


def stop(
    run: RunName,
    state: State,
    reason: Annotated[str, typer.Option(help="Kept with the run.")] = "stopped by a person",
    json_: Json = False,
) -> None:
    """End a run now. Returns once its cell is disconnected; what was read is kept."""
    _told(state, Stop(run, reason), f"run {run} is stopped, its cell disconnected", json_)


def clear(
    channel: Annotated[str, typer.Argument(metavar="CHANNEL", help="The latched channel.")],
    state: State,
    reason: Annotated[str, typer.Option(help="What was found and done; kept with your name and the time.")],
    json_: Json = False,
) -> None:
    """Undo the latch that a limit put on a channel, having looked at its cell."""
    answer = ask(Places(state).socket, Clear(channel, reason))
    if json_:
        _print(answer)
    else:
        typer.echo(f"{channel} is cleared by {answer['cleared_by']}; it was latched: {answer['reason']}")


def _told(state: Path, request: Any, words: str, json_: bool) -> None:
    ask(Places(state).socket, request)
    _print({"run": request.run, "done": words}) if json_ else typer.echo(words)


def _live(state: Path) -> list[dict[str, Any]]:
    """Runs the core has in hand; none when no core is there."""
    try:
        found: list[dict[str, Any]] = ask(Places(state).socket, Runs())
    except UnavailableError:
        return []
    return found


def _recorded(state: Path, database: str | None) -> dict[str, dict[str, Any]]:
    from daemon.reading.results import Results

    try:
        results = Results.open(database_of(state, database))
    except UnavailableError:
        return {}
    keys = ("name", "channel", "cell", "protocol", "state", "reason", "started", "ended", "duration")
    found = (asdict(run) for run in results.runs())
    return {run["name"]: {"run": run["name"]} | {key: run[key] for key in keys[1:]} for run in found}


def _of_the_core(live: Mapping[str, Any] | None) -> dict[str, Any]:
    """What the core knows better than the database, which is a tick behind."""
    return {} if live is None else {key: live[key] for key in ("state", "reason", "latest")}


def _print(facts: Any) -> None:
    print(json.dumps(facts), flush=True)
