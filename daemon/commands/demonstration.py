"""`demo`: the reference experiment, rehearsed on simulated cells through everything real."""

import json
import logging
import sys
import tempfile
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

import typer

from daemon.commands.options import Json


def demo(
    state: Annotated[
        Path | None, typer.Option(help="Where to keep what the demo records; by default a new directory.")
    ] = None,
    json_: Json = False,
) -> None:
    """Rehearse the reference experiment on simulated cells and print its figures.

    Starts a whole service of its own, runs four techniques on cells with a plain and with a coated
    separator, each through its driver, wire, broker and database, and prints the published value
    beside the measured one and beside what was put into the simulated cell.
    """
    import uvloop

    from daemon.demo import rehearse

    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    where = state.absolute() if state is not None else Path(tempfile.mkdtemp(prefix="galvanod-demo-"))
    bench = Path(str(files("daemon") / "demo.yaml"))
    with _Screen(json_) as screen:
        found = uvloop.run(rehearse(where, bench, screen.report, screen.say))
    if json_:
        print(json.dumps(found))
        return
    from daemon.commands.display import show_rehearsal

    show_rehearsal(found, where)


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
            description=f"{progress.over} of {progress.runs} runs",
            total=progress.runs,
            completed=progress.over,
            kept=kept,
        )
        if self._bar.disable and progress.over != self._told:
            self._told = progress.over
            self.say(f"{progress.over} of {progress.runs} runs are over, {kept}")
