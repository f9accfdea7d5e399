"""`convert`: protocols of aurora-unicycler in and out."""

import json
from pathlib import Path
from typing import Annotated

import typer

from daemon.commands.options import Json, Variables, named


def convert(
    protocol: Annotated[
        str, typer.Argument(metavar="FILE", help="A protocol file, or aurora-unicycler's JSON.")
    ],
    cell: Annotated[
        str | None, typer.Option("--cell", help="Cell file: needed to write aurora-unicycler's JSON.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write; by default the terminal.")
    ] = None,
    var: Variables = None,
    json_: Json = False,
) -> None:
    """Turn a protocol of aurora-unicycler into one of ours, or one of ours into its JSON.

    Jumps become nested repeats and the other way round. What the other cannot say is refused by
    name, with its line; what only changes which readings are kept is said, and goes into a comment.
    `check` and `submit` take its JSON as it is.
    """
    from daemon.sources import file_source
    from protocols.unicycler import is_unicycler, to_yaml

    text, file = file_source(protocol)
    notes: tuple[str, ...] = ()
    if is_unicycler(text):
        converted, notes = to_yaml(text, file)
    else:
        if cell is None:
            raise typer.BadParameter("--cell is needed: aurora-unicycler's currents are those of one cell")
        converted = _to_unicycler(text, file, cell, named(var, "cycles=10"))
    if output is None:
        typer.echo(converted, nl=False)
    else:
        output.write_text(converted, encoding="utf-8")
        facts = {"file": str(output), "notes": notes}
        typer.echo(json.dumps(facts) if json_ else str(output))
    if not json_:
        for note in notes:
            typer.echo(note, err=True)


def _to_unicycler(text: str, file: str, cell: str, variables: dict[str, str]) -> str:
    from daemon.running.planning import planned
    from daemon.sources import cell_source
    from protocols.unicycler import from_plan

    plan, of = planned(text, file, *cell_source(cell), None, variables)
    return from_plan(plan, of.capacity, file)
