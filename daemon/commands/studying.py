"""`study` and `demo`: replicate cells, variants and protocols over the channels of a bench."""

import asyncio
import json
import logging
import sys
import tempfile
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from daemon.commands.options import Database, Json, State, database_of
from daemon.places import Places

if TYPE_CHECKING:
    from protocols.study import Task

Full = Annotated[bool, typer.Option("--full", help="Also the rows marked `only: full`.")]


def study(
    file: Annotated[str, typer.Argument(metavar="STUDY", help="Study file, or the name of a ready one.")],
    state: State,
    database: Database = None,
    full: Full = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="Every cell is on its channel: do not ask for them one by one.")
    ] = False,
    json_: Json = False,
) -> None:
    """Conduct a study on the running service: each cell on a channel as one comes free.

    Simulated channels are given the simulated cell that the study names; for real ones you are asked to
    put the cell there. Doing it again takes up what was begun and measures only what is missing.
    """
    from daemon.demo import outcome
    from daemon.studies.conductor import Conductor, unfinished
    from daemon.studies.files import study_of

    wanted, where = study_of(file), database_of(state, database)
    conductor = Conductor(Places(state), wanted, full, _put_there if not yes else _is_there)

    async def conduct(screen: "_Screen") -> None:
        async for progress in conductor.conduct(where):
            screen.report(progress)

    with _Screen(json_) as screen:
        asyncio.run(conduct(screen))
    found = outcome(wanted, conductor.measurements, where)
    _show(found, json_)
    if (wrong := unfinished(conductor.measurements)) is not None:
        raise wrong


def demo(
    state: Annotated[
        Path | None, typer.Option(help="Where to keep what the demo records; by default a new directory.")
    ] = None,
    full: Full = False,
    json_: Json = False,
) -> None:
    """Rehearse the reference experiment on simulated cells and print its figures.

    Starts a whole service of its own with the source's instruments, simulated, and conducts the
    source's study on it, each cell through its driver, wire, broker and database. Printed are the
    published values beside the measured ones and beside what was put into the simulated cells.
    """
    import uvloop

    from daemon.demo import rehearse
    from daemon.studies.files import study_of

    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    where = state.absolute() if state is not None else Path(tempfile.mkdtemp(prefix="galvanod-demo-"))
    bench = Path(str(files("daemon") / "demo.yaml"))
    with _Screen(json_) as screen:
        found = uvloop.run(rehearse(where, bench, study_of("separators"), full, screen.report, screen.say))
    _show(found, json_)
    if not json_:
        typer.echo(f"All of it is in {where};\nlook at a run with: galvanod show 1 --state {where}")


async def _put_there(task: "Task", channel: str) -> bool:
    """Ask a person to put the cell on the channel, and wait until that is done."""
    question = f"put {task.label} ({task.row.cell}) on channel {channel}; is it there?"
    return await asyncio.to_thread(typer.confirm, question, default=True, err=True)


async def _is_there(task: "Task", channel: str) -> bool:
    return True


def _show(found: dict[str, Any], json_: bool) -> None:
    if json_:
        print(json.dumps(found))
        return
    from daemon.commands.display import show_study

    show_study(found)


class _Screen:
    """Progress on the terminal; on standard error, so that `--json` leaves standard output alone."""

    def __init__(self, json_: bool) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        self._console = Console(stderr=True, highlight=False)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[kept]}"),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
            disable=json_ or not sys.stderr.isatty(),
        )
        self._task = self._bar.add_task("starting", total=None, kept="")
        self._told = -1

    def __enter__(self) -> "_Screen":
        self._bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._bar.stop()

    def say(self, words: str) -> None:
        self._console.print(words, style="dim")

    def report(self, progress: Any) -> None:
        kept = f"{progress.kept} readings"
        self._bar.update(
            self._task,
            description=f"{progress.over} of {progress.runs} cells",
            total=progress.runs,
            completed=progress.over,
            kept=kept,
        )
        if self._bar.disable and progress.over != self._told:
            self._told = progress.over
            self.say(f"{progress.over} of {progress.runs} cells are measured, {kept}")
