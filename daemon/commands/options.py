"""Options that many commands share."""

import re
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


def _core_name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}", name):
        raise typer.BadParameter(
            f"{name[:80]!r}; wanted up to 32 letters, digits and . _ -, beginning with a letter or digit: "
            "it stands in the names of runs and in MQTT topics"
        )
    return name


CoreName = Annotated[
    str,
    typer.Option(
        "--name", callback=_core_name, help="What this core is called; its runs are NAME-1, NAME-2, …"
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
