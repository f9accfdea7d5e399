"""`study`, `studies` and `demo`: replicate cells, variants and protocols over the channels of a bench."""

import asyncio
import json
import logging
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from daemon.client import ask
from daemon.commands.options import Database, Json, State, database_of
from daemon.places import Places
from daemon.requests import (
    CancelStudy,
    ContinueStudy,
    LeaveOutCell,
    MountCell,
    PauseStudy,
    RetryCell,
    Studies,
    Study,
)

if TYPE_CHECKING:
    from daemon.studies.following import Facts

Full = Annotated[bool, typer.Option("--full", help="Also the rows marked `only: full`.")]
StudyName = re.compile(r"(?:[^/]*-)?s\d+")


def study(
    file: Annotated[
        str,
        typer.Argument(
            metavar="STUDY", help="Study file, the name of a ready one, or a study such as lab-s1."
        ),
    ],
    state: State,
    database: Database = None,
    full: Full = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="Every cell is on its channel: do not ask for them one by one.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Say what it would do, and what is wrong with it; nothing runs.")
    ] = False,
    detach: Annotated[
        bool, typer.Option("--detach", help="Submit it and come back: the core conducts it.")
    ] = False,
    anew: Annotated[
        bool, typer.Option("--anew", help="Measure again what an earlier study of this title has measured.")
    ] = False,
    there: Annotated[
        list[str] | None,
        typer.Option(metavar="CELL=CHANNEL", help="This cell, by its number, is on this channel now."),
    ] = None,
    again: Annotated[
        list[int] | None, typer.Option(metavar="CELL", help="Try this cell again; may be repeated.")
    ] = None,
    leave_out: Annotated[
        list[int] | None, typer.Option(metavar="CELL", help="Do not measure this cell; with --reason.")
    ] = None,
    pause: Annotated[
        bool, typer.Option("--pause", help="Begin nothing more for now; what runs goes on.")
    ] = False,
    go_on: Annotated[bool, typer.Option("--go-on", help="Let it go on after --pause.")] = False,
    cancel: Annotated[
        bool, typer.Option("--cancel", help="Begin nothing more, for good; what runs goes on. With --reason.")
    ] = False,
    reason: Annotated[str, typer.Option(help="Why; it is kept with who did it.")] = "",
    json_: Json = False,
) -> None:
    """Conduct a study: the service puts each cell on a channel as one comes free, also after you have gone.

    Simulated channels are given the simulated cell that the study names; for real ones you are asked to
    put the cell there, here or on the page. Doing it again follows what was begun, tries again what went
    wrong, and measures what is missing.
    """
    socket = Places(state).socket
    steering = list(_steering(file, there, again, leave_out, pause, go_on, cancel, reason))
    if steering:
        for request in steering:
            found = ask(socket, request)
        _print_study(found, json_)
        return
    if check:
        _checked(file, socket, full, json_)
        return
    found = _begun(file, socket, full, anew)
    if detach:
        _print_study(found, json_)
        return
    _follow(found["study"], socket, database_of(state, database), yes, json_)


def studies(state: State, json_: Json = False) -> None:
    """List the studies of the service, the latest first."""
    found = ask(Places(state).socket, Studies())
    if json_:
        print(json.dumps(found))
        return
    from daemon.commands.studies_shown import show_studies

    show_studies(found)


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

    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    where = state.absolute() if state is not None else Path(tempfile.mkdtemp(prefix="galvanod-demo-"))
    bench = Path(str(files("daemon") / "demo.yaml"))
    with _Screen(json_) as screen:
        found = uvloop.run(rehearse(where, bench, "separators", full, screen.report, screen.say))
    _show(found, json_)
    if not json_:
        typer.echo(f"All of it is in {where};\nlook at a run with: galvanod show 1 --state {where}")


def _steering(
    name: str,
    there: list[str] | None,
    again: list[int] | None,
    leave_out: list[int] | None,
    pause: bool,
    go_on: bool,
    cancel: bool,
    reason: str,
) -> Iterator[Any]:
    """Yield what is wanted of a study that there is."""
    for pair in there or []:
        cell, sign, channel = pair.partition("=")
        if not sign or not cell.isdecimal():
            raise typer.BadParameter(f"--there {pair!r} is not CELL=CHANNEL, e.g. 3=neware-3")
        yield MountCell(study=name, cell=int(cell), channel=channel)
    yield from (RetryCell(study=name, cell=cell) for cell in again or [])
    if (leave_out or cancel) and not reason.strip():
        raise typer.BadParameter("--leave-out and --cancel want --reason, which is kept")
    yield from (LeaveOutCell(study=name, cell=cell, reason=reason) for cell in leave_out or [])
    if pause:
        yield PauseStudy(study=name)
    if go_on:
        yield ContinueStudy(study=name)
    if cancel:
        yield CancelStudy(study=name, reason=reason)


def _begun(file: str, socket: Path, full: bool, anew: bool) -> "Facts":
    """Submit a study, or find the one of this name; what went wrong earlier is tried again."""
    from daemon.studies.files import study_source
    from daemon.studies.following import going_on, submission, wrong

    found: Mapping[str, Any]
    if StudyName.fullmatch(file) and not Path(file).exists():
        return dict(ask(socket, Study(file)))
    found = ask(socket, submission(*study_source(file), full, anew))
    if not going_on(found):
        for cell in wrong(found):
            found = ask(socket, RetryCell(study=found["study"], cell=cell["number"]))
    return found


def _checked(file: str, socket: Path, full: bool, json_: bool) -> None:
    from daemon.studies.files import study_source
    from daemon.studies.following import drafted

    found = ask(socket, drafted(*study_source(file), full))
    if json_:
        print(json.dumps(found))
        return
    from daemon.commands.studies_shown import show_draft

    show_draft(found)


def _follow(name: str, socket: Path, database: str, yes: bool, json_: bool) -> None:
    """Follow a study to its end and print what came of it; cells it asks for are asked for here."""
    from daemon.studies.following import came_of, followed, unfinished

    async def follow(screen: "_Screen") -> "Facts":
        asking = _Asking(socket, yes, screen)
        async for found in followed(socket, name, database):
            screen.report(found)
            for cell in found["each"]:
                if cell["state"] == "asked":
                    asking.about(found["study"], cell)
        return found

    with _Screen(json_) as screen:
        try:
            found = asyncio.run(follow(screen))
        except KeyboardInterrupt:
            screen.say(f"study {name} goes on; follow it with: galvanod study {name}")
            raise
    _show(asyncio.run(came_of(socket, name, database)), json_)
    if (error := unfinished(found)) is not None:
        raise error


class _Asking:
    """Asks a person at this terminal to put cells on channels, each once."""

    def __init__(self, socket: Path, yes: bool, screen: "_Screen") -> None:
        self._socket = socket
        self._yes = yes
        self._screen = screen
        self._asked: set[tuple[int, str, float]] = set()
        self._somebody = True

    def about(self, study: str, cell: Mapping[str, Any]) -> None:
        """Ask about a cell that the study asks for; a no is no answer: somebody else may say yes."""
        question = (cell["number"], cell["channel"], cell["since"])
        if question in self._asked:
            return
        self._asked.add(question)
        if self._yes or self._confirmed(cell):
            ask(self._socket, MountCell(study=study, cell=cell["number"], channel=cell["channel"]))
        else:
            later = f"galvanod study {study} --there {cell['number']}={cell['channel']}"
            self._screen.say(f"{cell['channel']} waits for {cell['label']}; once it is there: {later}")

    def _confirmed(self, cell: Mapping[str, Any]) -> bool:
        words = f"put {cell['label']} ({cell['cell']}) on channel {cell['channel']}; is it there?"
        if not self._somebody:
            return False
        with self._screen.aside():
            try:
                return typer.confirm(words, default=True, err=True)
            except typer.Abort:  # nobody is at this terminal
                self._somebody = False
                return False


def _print_study(found: "Facts", json_: bool) -> None:
    if json_:
        print(json.dumps(found))
        return
    from daemon.commands.studies_shown import show_standing

    show_standing(found)


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

    def report(self, found: "Facts") -> None:
        over, cells = found["over"], found["cells"]
        kept = f"{sum(cell['readings'] for cell in found['each'])} readings"
        self._bar.update(
            self._task, description=f"{over} of {cells} cells", total=cells, completed=over, kept=kept
        )
        if self._bar.disable and over != self._told:
            self._told = over
            self.say(f"{over} of {cells} cells are measured, {kept}")

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Leave the terminal to a question while inside."""
        self._bar.stop()
        try:
            yield
        finally:
            self._bar.start()
