"""Simulated instruments as a bench file writes them: `simulate: {cell: li_s/pp, speed: 1000, seed: 7}`."""

import math
from dataclasses import dataclass

from protocols import nodes
from protocols.quantities import TIME, read_amount

WIRES = ("socket", "serial", "hislip", "vxi11")

NO_CELL = "blocking/pp"
"""What lies in a simulated instrument that looks at no cell."""


@dataclass(frozen=True, slots=True)
class Simulation:
    """A simulated instrument instead of an address: the cell in it, and how fast it lives.

    `speed` is simulated seconds per second; infinite means as fast as the data is taken. `faults`
    are what will go wrong with it, in the simulator's own words: "mute at 30 s for 5 s".
    """

    cell: str
    speed: float = 1.0
    seed: int = 0
    faults: tuple[str, ...] = ()
    wire: str | None = None
    """What it is served on where it has more than one: socket, serial, hislip or vxi11."""


def read_simulation(node: nodes.Node) -> Simulation:
    """Read the mapping under `simulate:` of a cell's instrument."""
    entry = nodes.as_mapping(node, "{cell: li_cu/pp, speed: 1000, seed: 1}")
    entry.only(("cell", "speed", "seed", "faults", "wire"), "a key of a simulation")
    return _simulation(entry, read_cell(entry.need("cell", "li_cu/pp")))


def read_empty_simulation(node: nodes.Node) -> Simulation:
    """Read the mapping under `simulate:` of an instrument that holds no cell of its own."""
    entry = nodes.as_mapping(node, "{speed: 1000, seed: 1}")
    entry.only(("speed", "seed", "faults", "wire"), "a key of a simulation of a chamber")
    return _simulation(entry, NO_CELL)


def read_cell(node: nodes.Node) -> str:
    """Read the name of a simulated cell; which there are is the simulator's to say."""
    return nodes.as_scalar(node, "the name of a simulated cell").text


def _simulation(entry: nodes.MappingNode, cell: str) -> Simulation:
    speed, seed, faults = entry.take("speed"), entry.take("seed"), entry.take("faults")
    wire = entry.take("wire")
    return Simulation(
        cell,
        _speed(nodes.as_scalar(speed, "a number, or max")) if speed is not None else 1.0,
        read_seed(seed) if seed is not None else 0,
        read_faults(faults) if faults is not None else (),
        nodes.one_of(nodes.as_scalar(wire, "a wire"), WIRES, "a wire") if wire is not None else None,
    )


def _speed(text: nodes.Scalar) -> float:
    if text.text == "max":
        return math.inf
    try:
        speed = float(text.text)
    except ValueError:
        speed = math.nan
    if not 0.0 < speed < 1e9:
        raise text.refused("a number above 0, or max")
    return speed


def read_seed(node: nodes.Node) -> int:
    """Read what makes a simulated cell differ from its like."""
    text = nodes.as_scalar(node, "a whole number")
    if not (text.text.isascii() and text.text.isdigit() and len(text.text) < 10):
        raise text.refused("a whole number of at most nine digits")
    return int(text.text)


def read_faults(node: nodes.Node) -> tuple[str, ...]:
    """Read what will go wrong, in the simulator's words."""
    return tuple(_fault(item) for item in nodes.as_list(node, "a list of faults").items)


def _fault(node: nodes.Node) -> str:
    """Return a fault in the simulator's words; which kinds there are is the simulator's to say."""
    if isinstance(node, nodes.Scalar):
        return node.text
    entry = nodes.as_mapping(node, "{at: 30 s, fault: mute, for: 5 s}")
    entry.only(("fault", "by", "at", "for", "times"), "a key of a fault")
    words = [nodes.as_scalar(entry.need("fault", "mute"), "the kind of a fault").text]
    if (amount := entry.take("by")) is not None:
        words += ["by", nodes.as_scalar(amount, "a number with its unit").text]
    for key in ("at", "for"):
        if (moment := entry.take(key)) is not None:
            words += [key, f"{read_amount(nodes.as_scalar(moment, TIME.wanted), TIME).value:.9g} s"]
    if (times := entry.take("times")) is not None:
        words += [nodes.as_scalar(times, "a number of answers").text, "times"]
    return " ".join(words)
