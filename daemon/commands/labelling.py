"""`label`: what is said of a run, shown and changed."""

import asyncio
import getpass
import json
import time
from typing import Annotated

import typer

from daemon.commands.options import Broker, Database, Json, State, database_of, named
from daemon.places import Places


def label(
    run: Annotated[str, typer.Argument(metavar="RUN", help="e.g. lab-12 or 12.")],
    state: State,
    labels: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME=VALUE]…", help="Labels to set; none: show them.")
    ] = None,
    remove: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="A label to take away; may be repeated.")
    ] = None,
    database: Database = None,
    broker: Broker = None,
    json_: Json = False,
) -> None:
    """Show the labels of a run, or change them.

    The recorder keeps who changed what. Those by which a study finds its runs stay.
    """
    from daemon.commands.report import full_name
    from daemon.delivery.remark import keep
    from daemon.errors import ConfigurationError, UnknownError
    from daemon.reading.results import Results
    from daemon.recording.labels import checked, remark

    wanted = named(labels, "operator=Ada")
    results = Results.open(database_of(state, database))
    try:
        record = results.run(full_name(results, run))
        for name in remove or ():
            if name not in record.labels:
                known = ", ".join(record.labels) or "none"
                raise UnknownError(f"run {record.name} has no label {name!r}; it has {known}")
        kept = {name: value for name, value in record.labels.items() if name not in (remove or ())}
        new = checked(record.labels, kept | wanted)
        if new != record.labels:
            url = broker or Places(state).read_where().get("broker")
            if url is None:
                raise ConfigurationError("no service runs here that says where its broker is; see --broker")
            who, now = getpass.getuser(), time.time()
            change = remark(record.name, record.duration or 0.0, record.labels, new, who, now)
            asyncio.run(keep(str(url), change))
            record = results.run(record.name)
    finally:
        results.close()
    if json_:
        print(json.dumps({"run": record.name, "labels": record.labels}))
        return
    for name, value in record.labels.items():
        typer.echo(f"{name}={value}")
    if not record.labels:
        typer.echo(f"run {record.name} has no labels", err=True)
