"""`archive`: closed runs in a fifth of the room."""

import json
from dataclasses import asdict
from typing import Annotated

import typer

from daemon.commands.options import Database, Json, State, database_of

Runs = Annotated[list[str], typer.Argument(metavar="RUN…", help="Runs that are over, e.g. lab-12 or 12.")]


def archive(
    runs: Runs,
    state: State,
    undo: Annotated[bool, typer.Option("--undo", help="Put the readings back into the table.")] = False,
    database: Database = None,
    json_: Json = False,
) -> None:
    """Keep the readings of closed runs as Parquet inside the results database.

    Everything reads them as before: show, export, figures, the page, notebooks. Only your own SQL
    on the table `readings` no longer finds them. The room it frees is used for what comes next; to
    give it back to the disk, restore a backup, which is written without it.
    """
    from daemon.commands.report import full_name
    from daemon.reading.results import Results
    from daemon.recording import archive as archives

    url = database_of(state, database)
    results = Results.open(url)
    try:
        names = [full_name(results, run) for run in runs]
    finally:
        results.close()
    for name in names:
        if undo:
            count = archives.unarchive(url, name)
            typer.echo(
                json.dumps({"run": name, "readings": count}) if json_ else f"{name}: {count} readings back"
            )
            continue
        done = archives.archive(url, name)
        text = f"{name} has no readings to archive"
        if done.readings:
            each = f"{done.size / done.readings:.1f} bytes each"
            text = f"{name}: {done.readings} readings are now {done.size / 1e6:.2f} MB ({each})"
        typer.echo(json.dumps(asdict(done)) if json_ else text)
