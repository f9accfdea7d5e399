"""`bench`: how fast this is on this machine, beside what was promised and what the bare parts allow."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from daemon.commands.options import Json

if TYPE_CHECKING:
    from daemon.bench.row import Row


def bench(
    only: Annotated[
        list[str] | None, typer.Option(help="Make this measurement only; may be repeated.")
    ] = None,
    seconds: Annotated[
        float | None,
        typer.Option(min=1.0, help="Length of each steady load; short by default, --full is ten minutes."),
    ] = None,
    full: Annotated[bool, typer.Option(help="As long as the promises are about: about an hour.")] = False,
    broker: Annotated[
        str | None,
        typer.Option(help="mosquitto or embedded; by default mosquitto where it is installed."),
    ] = None,
    history: Annotated[
        Path | None,
        typer.Option(help="Where earlier benches are kept; by default beside the state directory."),
    ] = None,
    list_: Annotated[bool, typer.Option("--list", help="Only say what the measurements are.")] = False,
    json_: Json = False,
) -> None:
    """Measure speed, loss and cost of the whole service on this machine, on loopback.

    Real processes, simulated racks, everything kept. A figure is met (✓) or missed (✗); beside it
    what bare parts did in the same run, and how it was the last time.
    """
    import asyncio
    import tempfile

    from daemon.bench.history import before, remember
    from daemon.bench.laboratory import usual_broker
    from daemon.bench.machine import described
    from daemon.bench.suite import FULL, MEASUREMENTS, QUICK, chosen, measured
    from daemon.places import default_state_directory

    if list_:
        for name, measure in MEASUREMENTS.items():
            typer.echo(f"{name:14} {(measure.__doc__ or '').splitlines()[0]}")
        return
    kind = broker or usual_broker()
    if kind not in ("mosquitto", "embedded"):
        raise typer.BadParameter(f"{kind!r} is neither mosquitto nor embedded")
    wanted, length = chosen(only or ()), seconds or (FULL if full else QUICK)
    path = history or default_state_directory().with_name("galvanod-bench.jsonl")
    with tempfile.TemporaryDirectory() as folder:
        machine = described(Path(folder)) | {"broker": kind, "seconds": length}
    earlier = before(path)
    rows: list[Row] = []

    async def run() -> None:
        async for name, found, trouble in measured(wanted, length, kind):
            rows.extend(found)
            if not json_:
                _show(name, found, trouble, earlier)
            elif trouble:
                typer.echo(f"{name}: {trouble}", err=True)

    if not json_:
        _show_machine(machine)
    asyncio.run(run())
    result = {"machine": machine, "rows": [row.plain() for row in rows]}
    remember(path, result)
    if json_:
        typer.echo(json.dumps(result))


def _show_machine(machine: dict[str, object]) -> None:
    typer.echo(
        f"{machine['processors']} processors ({machine['processor']}), {machine['system']}, "
        f"Python {machine['python']}, SQLite {machine['sqlite']}, broker {machine['broker']}, "
        f"load average {machine['load_average']:.1f}"
    )


def _show(name: str, rows: "list[Row]", trouble: str, earlier: dict[str, float]) -> None:
    typer.echo(f"\n{name}")
    if trouble:
        typer.echo(f"  could not be measured: {trouble}")
    for row in rows:
        mark = {True: "✓", False: "✗", None: " "}[row.meets]
        parts = [f"{row.value:.4g} {row.unit}"]
        if row.target is not None:
            parts.append(f"promised {'≥' if row.at_least else '≤'} {row.target:g}")
        if row.limit is not None:
            parts.append(f"bare parts {row.limit:.4g}")
        if row.name in earlier:
            parts.append(f"last time {earlier[row.name]:.4g}")
        typer.echo(f"  {mark} {row.name}: {', '.join(parts)}  [{row.seconds:.0f} s]")
    for note in dict.fromkeys(row.note for row in rows if row.note):
        typer.echo(f"    {note}")
