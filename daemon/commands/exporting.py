"""`export`: a run for other programs, as a table or as a folder."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from daemon.commands.options import Database, State, database_of
from daemon.commands.running import RunName

if TYPE_CHECKING:
    from daemon.reading.results import Results

FORMATS = (
    "csv or bdf (a row per reading), parquet, cycles, steps, eis (three columns), spectra, figures, events; "
    "folder or ro-crate: all of it with protocol, cell and checksums."
)


def export(
    run: RunName,
    state: State,
    database: Database = None,
    format_: Annotated[str, typer.Option("--format", help=FORMATS)] = "csv",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File or folder to write; by default the terminal.")
    ] = None,
    step: Annotated[int | None, typer.Option(help="Only this step.")] = None,
    licence: Annotated[
        str | None, typer.Option(help="Licence of an ro-crate: a URL or an SPDX name, e.g. CC-BY-4.0.")
    ] = None,
    json_: Annotated[
        bool, typer.Option("--json", help="Say in JSON what was written; needs --output.")
    ] = False,
) -> None:
    """Write a run for other programs: readings in Battery Data Format columns, units in every heading."""
    from daemon.commands.display import rows_written
    from daemon.commands.report import full_name
    from daemon.reading.export import FORMATS as TABLES
    from daemon.reading.export import export as exporting
    from daemon.reading.results import Results

    if format_ not in TABLES and format_ not in _WRITERS:
        known = ", ".join((*TABLES, *_WRITERS))
        raise typer.BadParameter(f"no export is called {format_!r}; there are {known}")
    results = Results.open(database_of(state, database))
    name = full_name(results, run)
    if output is None:
        if json_ or format_ in _WRITERS:
            flag = "--json" if json_ else f"--format {format_}"
            raise typer.BadParameter(f"{flag} needs --output, what to write into")
        exporting(results, name, sys.stdout, format_, step)
        return
    expected = results.counts(name).stored if step is None and format_ not in _SHORT else None
    with rows_written(expected) as report:
        written = _WRITERS.get(format_, _write_text)(
            _Export(results, name, format_, output, step, licence, report)
        )
    facts = {"run": name, "format": format_, "file": str(output), written.unit: written.amount}
    text = f"{written.amount} {written.unit} of {name} in {output}"
    typer.echo(json.dumps(facts) if json_ else text)


_SHORT = ("cycles", "steps", "eis", "impedance", "spectra", "figures", "events")


class _Export(NamedTuple):
    """What is to be written where."""

    results: "Results"
    run: str
    format: str
    output: Path
    step: int | None
    licence: str | None
    report: Callable[[int], None]


class _Written(NamedTuple):
    """How much was written, and what of."""

    amount: int
    unit: str


def _write_text(job: _Export) -> _Written:
    from daemon.reading.export import export as exporting

    with _partial(job.output) as partial, partial.open("w", encoding="utf-8", newline="") as file:
        rows = exporting(job.results, job.run, file, job.format, job.step, job.report)
    return _Written(rows, "rows")


def _write_parquet(job: _Export) -> _Written:
    from daemon.reading.parquet_export import write_parquet

    with _partial(job.output) as partial:
        rows = write_parquet(job.results, job.run, partial, job.step, job.report)
    return _Written(rows, "rows")


def _write_folder(job: _Export) -> _Written:
    from daemon.reading.open_data import write_folder

    return _Written(write_folder(job.results, job.run, job.output, job.report), "files")


def _write_crate(job: _Export) -> _Written:
    from daemon.reading.ro_crate import write_crate

    return _Written(write_crate(job.results, job.run, job.output, job.licence, job.report), "files")


_WRITERS = {"parquet": _write_parquet, "folder": _write_folder, "ro-crate": _write_crate}


@contextmanager
def _partial(output: Path) -> Iterator[Path]:
    """Give a place to write to beside the output; it gets its name when it is whole."""
    partial = output.with_name(output.name + ".part")
    try:
        yield partial
        partial.replace(output)
    finally:
        partial.unlink(missing_ok=True)
