"""`import`: other makers' result files as runs of ours."""

import json
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import asdict
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from daemon.commands.options import Database, Json, State, database_of

if TYPE_CHECKING:
    from daemon.imports.importing import Imported, Wishes
    from daemon.recording.store import Store
    from protocols.errors import GalvanodError

Files = Annotated[list[Path], typer.Argument(metavar="FILE…", help="Result files of any known format.")]


def import_(
    files: Files,
    state: State,
    cell: Annotated[
        str | None, typer.Option("--cell", help="Cell file, or the name of a ready one: mass, area, window.")
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", help="What to call the run; for one file only.")
    ] = None,
    join: Annotated[
        bool,
        typer.Option("--join", help="All files are one run, in this order, e.g. techniques."),
    ] = False,
    zone: Annotated[
        str | None,
        typer.Option(help="Time zone of the files' moments, e.g. Europe/Zurich; by default this machine's."),
    ] = None,
    figure: Annotated[
        list[str] | None, typer.Option("--figure", help="A figure of merit to ask for; may be repeated.")
    ] = None,
    database: Database = None,
    json_: Json = False,
) -> None:
    """Bring result files of other instruments into the results database, each as a run.

    Neware .ndax, .nda and text; EC-Lab .mpt and .mpr; LAND .ccs, text and workbooks; Arbin and Maccor
    text; BDF as CSV and Parquet; Gamry .DTA; spectra in three columns. A file that was imported
    before is left as it is. What one file has wrong does not keep the others out.
    """
    from daemon.commands.display import show_error
    from daemon.imports.importing import Wishes, import_joined
    from daemon.recording.overview import make_overview
    from daemon.recording.store import Store
    from daemon.sources import cell_source
    from protocols.cell import Cell
    from protocols.errors import GalvanodError

    if name is not None and len(files) > 1 and not join:
        raise typer.BadParameter("--name is for one file; each of several gets its own")
    known = Cell.parse(*cell_source(cell)) if cell is not None else None
    wishes = Wishes(known, name, _zone(zone), figure or ())
    store = Store.open(database_of(state, database))
    failed: GalvanodError | None = None
    try:
        if join:
            joined = import_joined(store, files, wishes)
            make_overview(store.url, joined.run)
            _show(joined, json_)
            return
        for outcome in _imported(store, files, wishes):
            if isinstance(outcome, GalvanodError):
                failed = outcome
                if len(files) > 1 and not json_:
                    show_error(outcome)
            else:
                make_overview(store.url, outcome.run)
                _show(outcome, json_)
    finally:
        store.close()
    if failed is not None:
        if len(files) > 1 and not json_:
            raise typer.Exit(failed.exit_status)
        raise failed


def _imported(store: "Store", files: list[Path], wishes: "Wishes") -> "Iterator[Imported | GalvanodError]":
    from rich.console import Console

    from daemon.imports.importing import import_file
    from protocols.errors import GalvanodError

    screen = Console(stderr=True)
    for path in files:
        try:
            with screen.status(f"importing {path}") if screen.is_terminal else nullcontext():
                imported = import_file(store, path, wishes)
            yield imported
        except GalvanodError as error:
            yield error


def _zone(name: str | None) -> tzinfo | None:
    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise typer.BadParameter(f"{name!r} is no time zone; wanted e.g. Europe/Zurich or UTC") from error


def _show(imported: "Imported", json_: bool) -> None:
    if json_:
        print(json.dumps(asdict(imported) | {"file": str(imported.file)}))
        return
    if imported.again:
        typer.echo(f"{imported.file} is here already: {imported.run}")
        return
    counts = [
        f"{count} {word}{'' if count == 1 else 's'}"
        for count, word in (
            (imported.readings, "reading"),
            (imported.points, "impedance point"),
            (imported.cycles, "cycle"),
        )
        if count
    ]
    typer.echo(f"{imported.run}: {', '.join(counts)} ({imported.format})")
    for remark in imported.remarks:
        typer.echo(f"  {remark}")
