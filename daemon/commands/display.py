"""What the commands show a person: tables, live lines and errors, in the units of the lab."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from protocols.errors import GalvanodError
from protocols.figures.figure import LabValue
from protocols.lab import lasting

if TYPE_CHECKING:
    from protocols.figures.circuit import CircuitFit
    from protocols.figures.circuit_string import Circuit

_STATE_STYLES = {
    "running": "green",
    "paused": "yellow",
    "finished": "blue",
    "stopped": "yellow",
    "tripped": "bold red",
    "failed": "bold red",
    "interrupted": "red",
    "unreachable": "red",
}
_CYCLES_SHOWN = 12

FILE_COLUMNS = 140
"""How wide a table may be where nobody says: in a file, in a pipe."""


def console() -> Console:
    """The terminal, or a file as wide as a table needs."""
    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else FILE_COLUMNS
    return Console(highlight=False, soft_wrap=False, width=width)


def lab(value: float | None, unit: str) -> str:
    """Return a value with an SI prefix, e.g. 0.001131 A as "1.131 mA"; a dash for none."""
    if value is None:
        return "–"
    if value == 0:
        return f"0 {unit}"
    for factor, prefix in ((1e6, "M"), (1e3, "k"), (1.0, ""), (1e-3, "m"), (1e-6, "µ"), (1e-9, "n")):
        if abs(value) >= factor:
            return f"{value / factor:.4g} {prefix}{unit}"
    return f"{value:.3g} {unit}"


def ampere_hours(coulombs: float | None) -> str:
    """Return a charge in the lab's unit."""
    return "–" if coulombs is None else lab(coulombs / 3600.0, "Ah")


def duration(seconds: float | None) -> str:
    """Return a duration as people say it, a dash for none."""
    return "–" if seconds is None else lasting(seconds)


def show_error(error: GalvanodError) -> None:
    """Print what was seen, what was wanted and where; lines of a file with the spot marked."""
    screen = Console(stderr=True, highlight=False, soft_wrap=True)
    problems = _problems(error)
    if not problems:
        screen.print(Text.assemble(("galvanod: ", "bold red"), str(error)))
    for problem in problems:
        where = f"{problem['file']}:{problem['line']}:{problem['column']}: "
        screen.print(
            Text.assemble((where, "bold"), (problem["seen"], "red"), f"; wanted {problem['wanted']}")
        )
        excerpt = _line_of(problem["file"], problem["line"])
        if excerpt is not None:
            margin = f"{problem['line']:>5} | "
            screen.print(Text(margin + excerpt, "dim"))
            screen.print(Text(" " * (len(margin) + problem["column"] - 1) + "^", "red"))


def show_where(where: Mapping[str, Any]) -> None:
    """Print where everything of a running service is."""
    grid = Table.grid(padding=(0, 2))
    for label in ("bench", "state", "socket", "broker", "database", "logs"):
        grid.add_row(Text(label, "dim"), str(where[label]))
    grid.add_row(Text("channels", "dim"), ", ".join(where["channels"]))
    processes = ", ".join(f"{name} ({pid})" for name, pid in where["processes"].items())
    grid.add_row(Text("processes", "dim"), processes)
    screen = console()
    screen.print(grid)
    if "web" in where:
        screen.print(f"\nThe page: {where['web']}", soft_wrap=True)
    screen.print("\nReady. Ctrl-C disconnects every cell and stops everything.", style="green")


def show_plan(found: Mapping[str, Any], rows: Iterable[Sequence[str]], window: Iterable[str]) -> None:
    """Print a plan: its steps, the window with the origin of each edge, and what it will take."""
    screen = console()
    screen.print(Text(found["protocol"], "bold"))
    table = listing("", "line", "step", "set value", "until", "keep", "takes", "rows")
    for row in rows:
        table.add_row(*row)
    screen.print(table)
    for line in window:
        screen.print(Text.assemble(("limits  ", "dim"), line))
    expected = found["forecast"]
    much = f"{expected['rows']} readings in {expected['steps']} steps"
    screen.print(Text.assemble(("in all  ", "dim"), f"{_about(expected)}, {much}"))
    if expected["because"]:
        screen.print(Text.assemble(("        ", "dim"), (expected["because"], "dim")))
    for warning in found["warnings"]:
        screen.print(f"warning: {warning}", style="yellow")


def _about(expected: Mapping[str, Any]) -> str:
    """Say how long, and between what, where that is not known exactly."""
    seconds, low, high = expected["seconds"], expected["low"], expected["high"]
    if high - low < 0.01 * seconds:
        return f"about {duration(seconds)}"
    return f"about {duration(seconds)} ({duration(low)} to {duration(high)})"


def show_submitted(answer: Mapping[str, Any]) -> None:
    """Print the run that a submission became."""
    screen = console()
    for warning in answer["warnings"]:
        screen.print(f"warning: {warning}", style="yellow")
    predicted = answer["forecast"]
    if answer["run"] is None:
        place, channel = answer["queued"], answer["channel"]
        screen.print(f"number {place} in the queue of {channel}; see galvanod queue {channel}")
        return
    screen.print(
        f"[bold]{answer['run']}[/bold] runs on {answer['channel']}; about {duration(predicted['seconds'])}, "
        f"{predicted['rows']:.0f} readings. Follow it with: galvanod watch {answer['run']}"
    )


def show_queue(channel: str, found: Mapping[str, Any]) -> None:
    """Print what waits on a channel, and why it does not go on where it does not."""
    screen = console()
    table = listing("number", "protocol", "cell", "by", "since")
    for each in found["waiting"]:
        since = datetime.fromtimestamp(each["since"], UTC).isoformat(timespec="seconds")
        table.add_row(
            str(each["number"]), Text(each["protocol"]), Text(each["cell"]), Text(each["who"]), since
        )
    screen.print(table if found["waiting"] else f"nothing waits on {channel}")
    if found["held"]:
        screen.print(Text(f"held: {found['held']}; galvanod queue {channel} --go-on lets it go on", "yellow"))


def show_channels(channels: Sequence[Mapping[str, Any]]) -> None:
    """Print the bench, a line per channel; a current only where one may flow now."""
    table = listing("channel", "state", "instrument", "cell", "run", "V", "I", "address")
    for channel in channels:
        latest, identity = channel["latest"] if channel["run"] else {}, channel["instrument"] or {}
        table.add_row(
            channel["channel"],
            _state(channel["state"]),
            identity.get("model") or channel["driver"],
            channel["cell"] or (f"simulated {channel['simulated']}" if channel["simulated"] else "–"),
            channel["run"] or "–",
            lab(latest.get("voltage"), "V"),
            lab(latest.get("current") if channel["state"] == "running" else None, "A"),
            channel["address"],
        )
    screen = console()
    screen.print(table)
    for channel in channels:
        if channel["trouble"]:
            screen.print(f"{channel['channel']}: {channel['trouble']}", style="red")
        if channel.get("latch"):
            since = channel["latch"]["since"][:19].replace("T", " ")
            screen.print(
                f"{channel['channel']}: latched since {since} UTC: {channel['latch']['reason']}; look at its "
                f"cell, then `galvanod clear {channel['channel']} --reason …`",
                style="bold red",
            )


def show_diagnoses(found: Sequence[Mapping[str, Any]]) -> None:
    """Print what the doctor found, channel by channel."""
    out = console()
    for one in found:
        out.print(Text.assemble((one["channel"], "bold"), "  ", one["state"]))
        volts = f"{one['voltage']:.4f} V" if one["voltage"] is not None else None
        degrees = f"{one['temperature']:.1f} degC" if one["temperature"] is not None else None
        for name, text in (
            ("instrument", one["instrument"] or f"{one['driver']} at {one['address']}"),
            ("limits", one["limits"]),
            ("dead-man", one["deadman"]),
            ("cell", ", ".join(filter(None, (volts, degrees)))),
        ):
            if text:
                out.print(Text(f"  {name:<12}{text}"), soft_wrap=True)
        for finding in one["findings"]:
            mark = ("wrong", "bold red") if finding["wrong"] else ("note ", "")
            out.print(Text.assemble("  ", mark, "       ", finding["text"]), soft_wrap=True)


def show_runs(runs: Sequence[Mapping[str, Any]]) -> None:
    """Print runs, a line each."""
    table = listing("run", "state", "protocol", "cell", "channel", "started", "reason")
    for run in runs:
        started = (run.get("started") or "–")[:19].replace("T", " ")
        table.add_row(
            run["run"],
            _state(run["state"]),
            run.get("protocol") or "–",
            run.get("cell") or "–",
            run.get("channel") or "–",
            started,
            run.get("reason") or "",
        )
    console().print(table if runs else "no run yet")


def show_fits(circuit: "Circuit", fits: "Mapping[int, CircuitFit]") -> None:
    """Print the parameters of a circuit fitted to spectra, each with its uncertainty."""
    screen = console()
    for ordinal, fit in fits.items():
        head = f"{circuit.text} on step {ordinal}: {100 * fit.residual:.2g} % unexplained"
        screen.print(Text(head, "bold"))
        table = listing("", "value", "uncertainty", "unit")
        for name, unit in zip(circuit.names, circuit.units, strict=True):
            value, uncertainty = fit.estimate(name)
            style = "yellow" if not uncertainty < 0.5 * abs(value) else ""
            table.add_row(name, f"{value:.5g}", Text(f"{uncertainty:.2g}", style), unit)
        screen.print(table)


def show_run(report: Mapping[str, Any]) -> None:
    """Print one run: its head, cycles, figures and what was noted."""
    screen = console()
    screen.print(_head(report))
    if any(cycle["discharge_capacity"] for cycle in report["cycles"]):
        screen.print(_cycles(report["cycles"]))
    for line in figure_lines(report["figures"]):
        screen.print(line)
    for event in report["events"]:
        screen.print(f"{duration(event['time'])}  {event['kind']}: {event['text']}")


def figure_lines(figures: Iterable[Mapping[str, Any]]) -> Iterator[Text]:
    """Yield each figure of merit in lab units, with its place, and its method beneath."""
    for figure in figures:
        name = figure["name"].replace("_", " ")
        place = f"  ({_place(figure)})" if _place(figure) else ""
        if figure["value"] is None:
            yield Text.assemble((name, "bold"), place, "  ", ("not to be had", "yellow"))
        else:
            yield Text.assemble((name, "bold"), place, "  ", _lab_value(figure))
        if figure["method"]:
            yield Text(f"    {figure['method']}", "dim")
        for warning in figure["warnings"]:
            yield Text(f"    {warning}", "yellow")


def show_study(found: Mapping[str, Any]) -> None:
    """Print the figures of a study beside those of the source, a table for each protocol."""
    screen = console()
    screen.print(f"\n{found['study']}", style="bold")
    for protocol, lines in groupby(found["lines"], lambda line: line["protocol"]):
        screen.print(f"\n{protocol}", style="bold")
        screen.print(_study_table(lines))
        for one in found["differences"]:
            if one["protocol"] == protocol:
                screen.print(
                    f"{' and '.join(one['variants'])}: {one['verdict']}; {one['reason']}", style="dim"
                )
    took = f", {found['seconds']:.0f} s" if "seconds" in found else ""
    screen.print(f"\n{found['readings']} readings, {found['lost']} lost{took}")


def _study_table(lines: Iterable[Mapping[str, Any]]) -> Table:
    table = listing("variant", "figure", "source", "measured", "", "n", "put in")
    previous = None
    for line in lines:
        put_in = line["put_in"]
        table.add_row(
            line["variant"] if line["variant"] != previous else "",
            _figure_name(line),
            _claimed(line),
            _measured(line),
            _AGREEMENT[line["agrees"]],
            str(line["measured"]["count"]),
            "–" if put_in is None else f"{put_in:.4g}",
        )
        previous = line["variant"]
    return table


_AGREEMENT = {True: "[green]✓[/green]", False: "[red]✗[/red]", None: ""}


def _figure_name(line: Mapping[str, Any]) -> str:
    """Return what a line is of: "capacity, first cycle", but never a name twice."""
    name, what = str(line["figure"]).replace("_", " "), str(line["what"])
    return what if what.startswith(name) or line["figure"] == what else f"{name}, {what}"


def _claimed(line: Mapping[str, Any]) -> str:
    """Return what the source says of this number; its unit stands beside what was measured."""
    if line["source"] is None:
        return "–"
    if line["claimed"] is not None and line["agrees"] is None:
        return f"{line['claimed']:g}"
    return str(line["source"]).removesuffix(str(line["unit"])).strip()


def _measured(line: Mapping[str, Any]) -> str:
    measured = line["measured"]
    spread = measured["deviation"] if measured["count"] > 1 else line["uncertainty"]
    return str(LabValue(measured["mean"], spread, line["unit"]))


@contextmanager
def rows_written(expected: int | None) -> Iterator[Callable[[int], None]]:
    """Show on standard error how many rows are written, where that is a terminal."""
    from rich.progress import Progress

    screen = Console(stderr=True)
    with Progress(console=screen, transient=True, disable=not screen.is_terminal) as progress:
        task = progress.add_task("rows", total=expected)
        yield lambda rows: progress.update(task, completed=rows)


def show_live(snapshots: Iterator[Mapping[str, Any]]) -> None:
    """Follow a run until it is over: in place on a terminal, else a line whenever a step begins."""
    screen = console()
    last: Mapping[str, Any] = {}
    if screen.is_terminal:
        with Live(console=screen, refresh_per_second=8) as live:
            for last in snapshots:
                live.update(live_line(last))
    else:
        for last in _at_each_step(snapshots):
            screen.print(live_line(last))
    if last:
        screen.print(Text.assemble(last["run"], " is ", _state(last["state"]), f": {last['reason']}"))


def _at_each_step(snapshots: Iterator[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    seen: tuple[object, ...] = ()
    for snapshot in snapshots:
        now = (snapshot["steps"], snapshot["state"])
        if now != seen:
            yield snapshot
        seen = now


def live_line(snapshot: Mapping[str, Any]) -> Table:
    """Return what a run is doing now as one small table."""
    latest = snapshot["latest"]
    grid = Table.grid(padding=(0, 2))
    step = f"step {latest.get('path', '–')} {latest.get('verb', '')} {latest.get('setting', '')}".strip()
    if "frequency" in latest:
        values = f"{lab(latest['frequency'], 'Hz')}  {latest['real']:.4g} {latest['imaginary']:+.4g}j Ω"
    else:
        values = (
            f"{lab(latest.get('voltage'), 'V')}  {lab(latest.get('current'), 'A')}  "
            f"{ampere_hours(latest.get('capacity'))}"
        )
    grid.add_row(
        Text(snapshot["run"], "bold"),
        _state(snapshot["state"]),
        f"cycle {latest.get('cycle', '–')}",
        step,
        values,
        f"at {duration(latest.get('time'))}",
        f"{snapshot['readings'] + snapshot['impedance_points']} kept",
    )
    return grid


def _head(report: Mapping[str, Any]) -> Table:
    grid = Table.grid(padding=(0, 2))
    found = report.get("instrument") or {}
    instrument = " ".join(filter(None, (found.get("model"), found.get("serial"))))
    rows = {
        "run": f"{report['run']}  {report.get('protocol') or ''}",
        "cell": report.get("cell"),
        "channel": f"{report.get('channel')}  {instrument}",
        "started": report.get("started"),
        "lasted": duration(report.get("duration")),
        "readings": f"{report.get('readings', 0)} ({report.get('missing', 0)} missing)",
        "labels": ", ".join(f"{name}: {value}" for name, value in report.get("labels", {}).items()),
    }
    grid.add_row(
        Text("state", "dim"), Text.assemble(_state(report["state"]), f"  {report.get('reason') or ''}")
    )
    for label, value in rows.items():
        grid.add_row(Text(label, "dim"), str(value or "–"))
    return grid


def _cycles(cycles: Sequence[Mapping[str, Any]]) -> Table:
    table = listing("cycle", "charge", "discharge", "CE", "mean V charge", "mean V discharge", "hysteresis")
    shown = [c for c in cycles if c["charge_capacity"] or c["discharge_capacity"]]
    for cycle in shown[:_CYCLES_SHOWN]:
        efficiency = cycle["coulombic_efficiency"]
        table.add_row(
            str(cycle["cycle"]),
            ampere_hours(cycle["charge_capacity"]),
            ampere_hours(cycle["discharge_capacity"]),
            "–" if efficiency is None else f"{100 * efficiency:.2f} %",
            lab(cycle["mean_charge_voltage"], "V"),
            lab(cycle["mean_discharge_voltage"], "V"),
            lab(cycle["hysteresis"], "V"),
        )
    if len(shown) > _CYCLES_SHOWN:
        table.caption = f"… and {len(shown) - _CYCLES_SHOWN} more; all with --json or export --format cycles"
    return table


def listing(*headings: str) -> Table:
    """Return a table without lines, its headings quiet."""
    table = Table(box=None, header_style="dim", pad_edge=False)
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table


def _state(state: str) -> Text:
    return Text(state, _STATE_STYLES.get(state, ""))


def _lab_value(figure: Mapping[str, Any]) -> str:
    from protocols.figures.figure import Figure

    found = Figure(figure["name"], figure["value"], figure["unit"], figure["method"], figure["uncertainty"])
    return str(found.in_lab_units())


def _place(figure: Mapping[str, Any]) -> str:
    parts = [f"{key} {figure[key]}" for key in ("cycle", "step", "mark") if figure[key] is not None]
    return ", ".join(parts)


def _problems(error: GalvanodError) -> Sequence[Mapping[str, Any]]:
    from daemon.control import trouble

    found = getattr(error, "trouble", None) or trouble(error)
    return list(found.problems)


def _line_of(file: str, number: int) -> str | None:
    try:
        lines = Path(file).read_text(errors="replace").splitlines()
    except OSError:
        return None
    return lines[number - 1][:160] if 0 < number <= len(lines) else None
