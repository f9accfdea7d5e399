"""The bench of a rehearsal: one simulated instrument of a family, with one cell, in a file of its own."""

import json
from importlib.metadata import entry_points

from daemon.errors import UnknownError
from protocols.limits import Limits, Range

CHANNEL = "rehearsal"
CHAMBER = "chamber"

DEFAULT_FAMILY = "biologic"
"""Where nobody says on what: it can do every technique, and is quick."""

OBSERVERS = ("land",)
"""Drivers that only follow what somebody else's software does: nothing can be rehearsed through them."""


def families() -> list[str]:
    """Return the drivers whose instrument can be simulated and told what to do."""
    simulated = {point.name for point in entry_points(group="galvanod.simulators")}
    drivers = {point.name for point in entry_points(group="galvanod.drivers")}
    return sorted((simulated & drivers) - {*OBSERVERS})


def require_family(name: str) -> None:
    """Raise `UnknownError` with the known ones for a family that cannot be rehearsed on."""
    if name in OBSERVERS:
        raise UnknownError(f"a {name} only watches, so nothing can be rehearsed on it; there are {_known()}")
    if name not in families():
        raise UnknownError(f"no {name[:40]!r} can be simulated; there are {_known()}")


def bench_text(family: str, cell: str, window: Limits, seed: int, chamber: bool) -> str:
    """Return the bench file. `window` is the real channel's; edges it leaves open stay open."""
    # JSON is YAML: no name needs quoting by hand
    instrument = {
        "driver": family,
        "simulate": {"cell": cell, "speed": "max", "seed": seed},
        "unattended": "true",
    }
    if edges := _edges(window):
        instrument["window"] = edges
    written: dict[str, object] = {"bench": "rehearsal", "instruments": {CHANNEL: instrument}}
    if chamber:
        oven = {"driver": "espec", "simulate": {"speed": "max"}, "channels": [CHANNEL]}
        written["chambers"] = {CHAMBER: oven}
    return json.dumps(written, indent=1)


def _known() -> str:
    return ", ".join(families())


def _edges(window: Limits) -> dict[str, str]:
    written = {name: _written(unit, allowed) for name, unit, allowed in window.named()}
    return {name: text for name, text in written.items() if text is not None}


def _written(unit: str, allowed: Range) -> str | None:
    """Return a range as a bench file writes it; None where it cannot, an edge being open."""
    if allowed.high is None:
        return None
    if allowed.low is None:
        return f"{allowed.high.value!r} {unit}" if unit == "degC" else None
    return f"{allowed.low.value!r} {unit} .. {allowed.high.value!r} {unit}"
