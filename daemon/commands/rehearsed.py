"""What a rehearsal showed, as people read it."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.text import Text

from daemon.commands.display import console, duration, listing
from protocols.lab import capacity, with_prefix

_CYCLES = 12
_FIGURES = 20


def show_rehearsal(found: Mapping[str, Any]) -> None:
    """Print how each step went, cycles, figures, totals, and what is to come."""
    screen = console()
    model, totals = found["model"], found["totals"]
    screen.print(Text(f"{found['protocol']} on {found['cell']}", "bold"))
    _line(screen, "model", f"simulated {model['words']}, on a simulated {model['family']}")
    _line(screen, "went", _went(found))
    _show_steps(screen, found)
    _show_cycles(screen, found["cycles"])
    _show_figures(screen, found["figures"])
    _line(screen, "charge", f"{capacity(totals['charged'])} in, {capacity(abs(totals['discharged']))} out")
    energy = (with_prefix(totals[way] / 3600.0, "Wh") for way in ("energy_in", "energy_out"))
    _line(screen, "energy", "{} in, {} out".format(*(each.removeprefix("-") for each in energy)))
    _line(screen, "in all", _in_all(found["expected"]))


def _went(found: Mapping[str, Any]) -> str:
    trip, totals = found["trip"], found["totals"]
    passed = f"{totals['steps']} steps, {totals['cycles']} cycles, {totals['readings']} readings"
    if trip is not None:
        return f"A LIMIT WOULD TRIP after {duration(trip['time'])}, in step {trip['path']}: {trip['reason']}"
    if found["state"] == "finished":
        return f"to its end in {found['wall']:.1f} s: {passed}"
    return f"{found['reason'] or found['state']}: {passed} so far"


def _in_all(expected: Mapping[str, Any]) -> str:
    size = with_prefix(expected["bytes"], "B")
    much = f"about {expected['readings']} readings, {size}"
    if not expected["extrapolated"]:
        return f"{duration(expected['seconds'])}, {much}"
    seen = duration(expected["rehearsed"])
    return (
        f"about {duration(expected['seconds'])}, {much}: {seen} of it rehearsed, the rest carried on from "
        "its last round (a cell that fades is quicker) or as sketched"
    )


def _show_steps(screen: Console, found: Mapping[str, Any]) -> None:
    rows = listing("step", "verb", "set value", "visits", "takes", "sketch said", "ends by", "at", "passes")
    for step in found["steps"]:
        volts, charge = step["end_voltage"], step["capacity"]
        seen = step["visits"] > 0
        rows.add_row(
            step["path"],
            step["verb"],
            step["setting"] or "",
            f"{step['visits']} of {step['of']}" if step["to_come"] else str(step["visits"]),
            duration(step["seconds"]) if seen else "not reached",
            duration(step["foreseen"]),
            step["reason"] or "",
            "" if volts is None else with_prefix(volts, "V"),
            "" if not charge else capacity(charge),
        )
    screen.print(rows)


def _show_cycles(screen: Console, cycles: list[Mapping[str, Any]]) -> None:
    if not cycles:
        return
    shown = cycles if len(cycles) <= _CYCLES else [*cycles[: _CYCLES // 2], *cycles[-_CYCLES // 2 :]]
    rows = listing("cycle", "discharge", "charge", "CE", "takes")
    for cycle in shown:
        efficiency = cycle["coulombic_efficiency"]
        rows.add_row(
            str(cycle["cycle"]),
            _charge(cycle["discharge_capacity"]),
            _charge(cycle["charge_capacity"]),
            "" if efficiency is None else f"{100 * efficiency:.2f} %",
            duration(cycle["duration"]),
        )
    screen.print(rows)


def _charge(coulombs: float | None) -> str:
    return "" if coulombs is None else capacity(coulombs)


def _show_figures(screen: Console, figures: list[Mapping[str, Any]]) -> None:
    for figure in figures[:_FIGURES]:
        if figure["value"] is not None:
            where = f", {figure['mark']}" if figure["mark"] else ""
            _line(screen, figure["name"].replace("_", " ") + where, figure["text"])


def _line(screen: Console, name: str, text: str) -> None:
    screen.print(Text.assemble((f"{name}  ", "dim"), text))
