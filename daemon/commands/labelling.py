"""`label`: what is said of a run, shown and changed."""

import asyncio
import getpass
import json
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from daemon.commands.options import Broker, Database, Json, State, database_of, named
from daemon.places import Places

if TYPE_CHECKING:
    from daemon.reading.results import Results, RunRecord


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
    from daemon.reading.results import Results
    from daemon.recording.labels import checked

    wanted = named(labels, "operator=Ada")
    results = Results.open(database_of(state, database))
    try:
        record = results.run(full_name(results, run))
        new = checked(record.labels, _without(record, remove or ()) | wanted)
        if new != record.labels:
            record = _relabelled(results, record, new, broker or Places(state).read_where().get("broker"))
    finally:
        results.close()
    if json_:
        print(json.dumps({"run": record.name, "labels": record.labels}))
        return
    for name, value in record.labels.items():
        typer.echo(f"{name}={value}")
    if not record.labels:
        typer.echo(f"run {record.name} has no labels", err=True)


def _without(record: "RunRecord", removed: Sequence[str]) -> dict[str, str]:
    """Return the labels of a run less some that it has to have."""
    from daemon.errors import UnknownError

    for name in removed:
        if name not in record.labels:
            known = ", ".join(record.labels) or "none"
            raise UnknownError(f"run {record.name} has no label {name!r}; it has {known}")
    return {name: value for name, value in record.labels.items() if name not in removed}


def _relabelled(
    results: "Results", record: "RunRecord", new: dict[str, str], broker: str | None
) -> "RunRecord":
    """Have the recorder change the labels, and return the run as it is then."""
    from daemon.delivery.remark import keep
    from daemon.errors import ConfigurationError, StaleError
    from daemon.recording.labels import Change, remark

    if broker is None:
        raise ConfigurationError("no service runs here that says where its broker is; see --broker")
    change = Change.after((event.kind for event in results.events(record.name)), record.labels, new)
    at = record.duration or 0.0
    asyncio.run(keep(broker, remark(record.name, at, change, getpass.getuser(), time.time())))
    found = results.run(record.name)
    if found.labels != new:
        raise StaleError(f"somebody changed the labels of {record.name} at the same moment: look again")
    return found
