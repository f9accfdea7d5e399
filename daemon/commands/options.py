"""Options that many commands share."""

from pathlib import Path
from typing import Annotated

import typer

from daemon.places import Places, default_state_directory

State = Annotated[
    Path,
    typer.Option(
        "--state",
        envvar="GALVANOD_STATE",
        default_factory=default_state_directory,
        show_default="~/.local/state/galvanod",
        help="State directory of the service: its socket, spool and, by default, its database.",
        rich_help_panel="Service",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
Database = Annotated[
    str | None,
    typer.Option(
        "--database",
        envvar="GALVANOD_DATABASE",
        help="Results database, e.g. sqlite:///results.db or postgresql://…; by default the service's own.",
        rich_help_panel="Service",
    ),
]
Broker = Annotated[
    str | None,
    typer.Option(
        "--broker",
        envvar="GALVANOD_BROKER",
        help="MQTT broker, e.g. mqtt://127.0.0.1:1883.",
        rich_help_panel="Service",
    ),
]
ProtocolFile = Annotated[
    str, typer.Argument(metavar="PROTOCOL", help="Protocol file, or the name of a ready one.")
]
CellFile = Annotated[str, typer.Option("--cell", help="Cell file, or the name of a ready one.")]
Variables = Annotated[
    list[str] | None,
    typer.Option("--var", metavar="NAME=VALUE", help="Set a variable of the protocol; may be repeated."),
]


def database_of(state: Path, database: str | None) -> str:
    """Return the database to read: the one named, or the one the service here uses."""
    return database or Places(state).database()


def named(pairs: list[str] | None, example: str) -> dict[str, str]:
    """Return NAME=VALUE pairs as a mapping; a pair without `=` is a usage error that shows the example."""
    found: dict[str, str] = {}
    for pair in pairs or []:
        name, sign, value = pair.partition("=")
        if not sign or not name:
            raise typer.BadParameter(f"{pair!r} is not NAME=VALUE, e.g. {example}")
        found[name.strip()] = value.strip()
    return found
