"""Thresholds as the bench file writes them: `guards: {stale: 3 s, frozen: 50, jump: off}`."""

from collections.abc import Callable, Mapping
from typing import Any

from daemon.guards.thresholds import Thresholds
from protocols.nodes import Node, Scalar, as_mapping, as_scalar
from protocols.problems import Problems
from protocols.quantities import (
    COUNT,
    FRACTION,
    RESISTANCE,
    TEMPERATURE_RATE,
    TIME,
    VOLTAGE,
    Kind,
    read_amount,
)
from protocols.units import Dimension

_OFF = "off"
_AMPERES = Kind("a current", (Dimension.CURRENT,), "A, mA or nA")


def read_thresholds(node: Node) -> Thresholds:
    """Read the mapping under `guards:`; `ProtocolError` for anything else."""
    mapping = as_mapping(node, "{stale: 5 s, frozen: 20, jump: 300 mV}")
    problems = Problems()
    with problems.gathered():
        mapping.only(tuple(_KEYS), "a threshold of `guards`")
    found: dict[str, Any] = {}
    for name, read in _KEYS.items():
        with problems.gathered():
            if (value := mapping.take(name)) is not None:
                found[name] = read(as_scalar(value, "a threshold"))
    problems.settle()
    return Thresholds(**found)


def _between(kind: Kind, low: float, high: float, wanted: str) -> Callable[[Scalar], float]:
    def read(scalar: Scalar) -> float:
        value = read_amount(scalar, kind).value
        if not low <= value <= high:
            raise scalar.refused(wanted)
        return value

    return read


def _count(scalar: Scalar) -> int:
    return int(_between(COUNT, 3, 1e6, "a number of readings, at least 3")(scalar))


def _or_off(read: Callable[[Scalar], float]) -> Callable[[Scalar], float | None]:
    return lambda scalar: None if scalar.text == _OFF else read(scalar)


_KEYS: Mapping[str, Callable[[Scalar], float | None]] = {
    "stale": _between(TIME, 0.1, 60.0, "a time of 100 ms to 60 s"),
    "settle": _between(TIME, 0.0, 60.0, "a time of at most 60 s"),
    "current_band": _between(FRACTION, 1e-4, 0.5, "a percentage of 0.01 % to 50 %"),
    "voltage_band": _between(VOLTAGE, 1e-5, 1.0, "a voltage of 10 uV to 1 V"),
    "frozen": _or_off(_count),
    "jump": _or_off(_between(VOLTAGE, 1e-3, 100.0, "a voltage of 1 mV to 100 V, or off")),
    "lead_current": _or_off(_between(_AMPERES, 0.0, 1.0, "a current of at most 1 A, or off")),
    "heating": _or_off(_between(TEMPERATURE_RATE, 1e-4, 10.0, "a rate of 0.006 K/min to 10 K/s, or off")),
    "rising": _or_off(_between(FRACTION, 0.05, 100.0, "a percentage of 5 % to 10000 %, or off")),
    "resistance": _or_off(_between(RESISTANCE, 1e-4, 1e9, "a resistance of 0.1 mohm to 1000 Mohm, or off")),
    "second_voltage": _between(VOLTAGE, 1e-4, 10.0, "a voltage of 100 uV to 10 V"),
}
