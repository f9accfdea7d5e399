"""The bench file: which instruments there are, and what each channel may never exceed.

bench: Lab 3
instruments:
  smu1:
    driver: keithley2450
    address: visa://TCPIP0::192.168.1.7::5025::SOCKET
    window: {voltage: -1 V .. 5 V, current: 100 mA}
    sample: 1 s
  rehearsal1:
    driver: emstat4
    simulate: {cell: li_s/pp, speed: 1000, seed: 7, faults: [{at: 30 s, fault: mute, for: 5 s}]}
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from daemon.attendance import read_unattended
from drivers import registry
from protocols import nodes, source
from protocols.errors import Problem, ProtocolError
from protocols.limits import Limits
from protocols.operands import Values
from protocols.problems import Problems
from protocols.quantities import TIME, read_amount
from protocols.window import read_window

DEFAULT_SAMPLE = 1.0
"""Seconds between readings where no end and no limit is near."""

_NAME = "a name of a-z, 0-9 and -, beginning with a letter, of at most 32 characters"


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


@dataclass(frozen=True, slots=True)
class InstrumentEntry:
    """One instrument of the bench; `sample` is the wished interval between readings, in seconds."""

    name: str
    driver: str
    address: str | None
    simulation: Simulation | None
    window: Limits
    sample: float
    unattended: bool = False
    """Whether it may run although its driver has no dead-man."""


@dataclass(frozen=True, slots=True)
class BenchFile:
    """A bench file, read and checked."""

    name: str
    instruments: Mapping[str, InstrumentEntry]

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a bench file; `ProtocolError` names file, line and column of what is wrong in it."""
        return cls._from(source.load(path))

    @classmethod
    def parse(cls, text: str, file: str) -> Self:
        """Read the text of a bench file."""
        return cls._from(source.parse(text, file))

    @classmethod
    def _from(cls, node: nodes.Node) -> Self:
        wanted = "a mapping with `bench` and `instruments`"
        root = nodes.as_mapping(node, wanted)
        root.only(("bench", "instruments"), "a key of a bench file")
        name = nodes.as_scalar(root.need("bench", "a name for it"), "a name for the bench").text
        listed = nodes.as_mapping(
            root.need("instruments", "a mapping"), "a mapping from names to instruments"
        )
        problems = Problems()
        entries: dict[str, InstrumentEntry] = {}
        for key, value in listed.entries:
            with problems.gathered():
                entries[key.text] = _entry(key, value)
        problems.settle()
        return cls(name, entries)


def _entry(key: nodes.Scalar, node: nodes.Node) -> InstrumentEntry:
    if not _is_name(key.text):
        raise key.refused(_NAME)
    entry = nodes.as_mapping(node, "a mapping with `driver` and `address` or `simulate`")
    entry.only(("driver", "address", "simulate", "window", "sample", "unattended"), "a key of an instrument")
    address, simulate = entry.take("address"), entry.take("simulate")
    if (address is None) == (simulate is None):
        seen = "neither `address` nor `simulate`" if address is None else "both `address` and `simulate`"
        raise ProtocolError(Problem(entry.place, seen, "one of them"))
    return InstrumentEntry(
        name=key.text,
        driver=nodes.one_of(
            nodes.as_scalar(entry.need("driver", "keithley2450"), "the name of a driver"),
            registry.names(),
            "an installed driver",
        ),
        address=nodes.as_scalar(address, "visa://…, serial://… or tcp://…").text
        if address is not None
        else None,
        simulation=_simulation(simulate) if simulate is not None else None,
        window=_window(entry.take("window")),
        sample=_sample(entry.take("sample")),
        unattended=read_unattended(entry.take("unattended")),
    )


def _is_name(text: str) -> bool:
    letters = text.replace("-", "")
    return (
        len(text) <= 32 and letters.isascii() and letters.isalnum() and text[0].isalpha() and text.islower()
    )


def _simulation(node: nodes.Node) -> Simulation:
    entry = nodes.as_mapping(node, "{cell: li_cu/pp, speed: 1000, seed: 1}")
    entry.only(("cell", "speed", "seed", "faults"), "a key of a simulation")
    cell = nodes.as_scalar(entry.need("cell", "li_cu/pp"), "the name of a simulated cell").text
    speed, seed, faults = entry.take("speed"), entry.take("seed"), entry.take("faults")
    return Simulation(
        cell,
        _speed(nodes.as_scalar(speed, "a number, or max")) if speed is not None else 1.0,
        _seed(nodes.as_scalar(seed, "a whole number")) if seed is not None else 0,
        _faults(faults) if faults is not None else (),
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


def _seed(text: nodes.Scalar) -> int:
    if not (text.text.isascii() and text.text.isdigit() and len(text.text) < 10):
        raise text.refused("a whole number of at most nine digits")
    return int(text.text)


def _faults(node: nodes.Node) -> tuple[str, ...]:
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


def _window(node: nodes.Node | None) -> Limits:
    return Limits() if node is None else read_window(node, "window").limits(Values(), "channel")


def _sample(node: nodes.Node | None) -> float:
    if node is None:
        return DEFAULT_SAMPLE
    scalar = nodes.as_scalar(node, TIME.wanted)
    seconds = read_amount(scalar, TIME).value
    if not 0.0 < seconds <= 60.0:
        raise scalar.refused("a time above 0 s, at most 60 s")
    return seconds
