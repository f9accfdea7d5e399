"""`doctor` and `replay`: what is attached, what is wrong with it, and what was said on the wire."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from daemon.commands.options import Json, State
from daemon.places import Places


def doctor(
    state: State,
    channel: Annotated[str | None, typer.Argument(help="Which channel; all of them by default.")] = None,
    bench: Annotated[
        Path | None,
        typer.Option(help="Bench file; by default what the last core of the state directory had."),
    ] = None,
    transcript: Annotated[
        Path | None,
        typer.Option(help="Write down what is said on the wire; needs a channel, and no core that runs."),
    ] = None,
    json_: Json = False,
) -> None:
    """Identify what is attached, read its limits and sensors, and say in words what is wrong.

    No circuit is closed. A core that answers is asked, and its runs are not disturbed; without one the
    instruments are asked directly, except those that may still be running something. Exit status 0 only
    if nothing is wrong.
    """
    if transcript is not None and channel is None:
        raise typer.BadParameter("--transcript needs a channel: one dialogue to a file")
    places = Places(state.absolute())
    found = None if bench is not None or transcript is not None else _by_the_core(places, channel)
    if found is None:
        found = _alone(places, channel, bench, transcript)
    if json_:
        print(json.dumps(found), flush=True)
    else:
        from daemon.commands.display import show_diagnoses

        show_diagnoses(found)
    if not all(one["healthy"] for one in found):
        raise typer.Exit(1)


def replay(
    dialogue: Annotated[Path, typer.Argument(help="A transcript, as `doctor --transcript` writes it.")],
    driver: Annotated[
        str | None, typer.Option(help="Which driver; by default the one the transcript names.")
    ] = None,
    test: Annotated[Path | None, typer.Option(help="Write a test that holds the driver to it.")] = None,
    json_: Json = False,
) -> None:
    """Play a recorded dialogue to the driver, and say what it makes of it; turn it into a test.

    What the driver says otherwise than it did is told with the line where it leaves the dialogue.
    """
    from daemon.channels.replaying import replayed, written_test

    found = asyncio.run(replayed(dialogue.read_text(encoding="ascii"), driver, str(dialogue)))
    if test is not None:
        test.write_text(written_test(found), encoding="utf-8")
    if json_:
        print(json.dumps(found.facts()), flush=True)
        return
    typer.echo(f"{found.driver}: {' '.join(filter(None, found.identity))}, after {found.lines} lines")
    if test is not None:
        typer.echo(f"{test} holds the driver to them; run it with pytest")


def _by_the_core(places: Places, channel: str | None) -> Sequence[Mapping[str, Any]] | None:
    from daemon.client import ask
    from daemon.errors import UnavailableError
    from daemon.requests import Doctor

    try:
        found: Sequence[Mapping[str, Any]] = ask(places.socket, Doctor(channel=channel))
    except UnavailableError:
        return None
    return found


def _alone(
    places: Places, channel: str | None, bench: Path | None, transcript: Path | None
) -> Sequence[Mapping[str, Any]]:
    from daemon.channels.bench_file import BenchFile
    from daemon.channels.doctor import alone, open_runs
    from daemon.channels.safe import circuits
    from daemon.errors import UnknownError
    from protocols.limits import Limits

    bench_file = None if bench is None else BenchFile.load(bench)
    known = circuits(places.instruments, bench_file)
    concerned = [one for one in known if channel in (None, one.channel)]
    if channel is not None and not concerned:
        names = ", ".join(one.channel for one in known)
        raise UnknownError(f"there is no channel {channel!r} on this bench; it has {names}")
    windows = {} if bench_file is None else {entry.name: entry.window for entry in bench_file.channels()}
    running = open_runs(places.journal)

    async def each() -> list[Mapping[str, Any]]:
        # one after the other: several may be on one cable
        return [
            (await alone(one, windows.get(one.channel, Limits()), running, transcript)).facts()
            for one in concerned
        ]

    return asyncio.run(each())
