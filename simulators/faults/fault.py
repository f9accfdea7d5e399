"""One fault: what goes wrong, when, and for how long."""

import math
from dataclasses import dataclass
from enum import StrEnum


class FaultError(ValueError):
    """A fault nobody knows, or one that cannot be."""


class FaultKind(StrEnum):
    """Everything that can go wrong; `by` in the comments is the fault's amount."""

    # The wire, answer by answer.
    MUTE = "mute"  # it does what it is told and says nothing
    DEAF = "deaf"  # it hears nothing, and so says nothing
    SLOW = "slow"  # every answer dribbles in over `by` seconds
    GARBLED = "garbled"  # every byte wrong but the line ends
    SHORT = "short"  # the second half is missing, with the line end
    LATE = "late"  # every answer comes `by` seconds late
    BEHIND = "behind"  # every answer comes in place of the next one
    # The port.
    RESET = "reset"  # every connection is reset, once
    GONE = "gone"  # nobody listens there; a serial device does not exist
    POWER = "power"  # switched off, and on again as from the box
    DEFAULTS = "defaults"  # switched itself off and on, and the connection stayed
    # The cell and its leads.
    OPEN = "open"  # a lead is off
    REVERSED = "reversed"  # plus at minus
    CONTACT = "contact"  # `by` ohm more in series
    SHUNT = "shunt"  # `by` ohm across the cell
    DRIFTING = "drifting"  # the surroundings warm up by `by` kelvin per second
    # The output and the converters.
    IGNORED = "ignored"  # a new set point changes nothing; opening the output does
    STUCK = "stuck"  # nothing changes the output
    FROZEN = "frozen"  # every reading is the first one again
    OFFSET = "offset"  # the voltage reads `by` volts too much
    OVERLOAD = "overload"  # the voltage is beyond every range
    INVERTED = "inverted"  # the current reads with the other sign
    # A chamber; what else goes wrong with it are `drifting`, `ignored` and `frozen`.
    DOOR = "door"  # its door is open
    FAILURE = "failure"  # heater or compressor fail: an alarm, and it stops


WIRE = frozenset(
    (
        FaultKind.MUTE,
        FaultKind.SLOW,
        FaultKind.GARBLED,
        FaultKind.SHORT,
        FaultKind.LATE,
        FaultKind.BEHIND,
    )
)
"""Spoil an answer; these alone can be asked for by number of answers."""

PORT = frozenset((FaultKind.RESET, FaultKind.GONE, FaultKind.POWER, FaultKind.DEFAULTS))
"""Happen to the whole instrument at a moment."""

INSTANT = frozenset((FaultKind.RESET, FaultKind.DEFAULTS))
"""Over when they have happened."""

UNITS = {
    FaultKind.SLOW: "s",
    FaultKind.LATE: "s",
    FaultKind.CONTACT: "Ohm",
    FaultKind.SHUNT: "Ohm",
    FaultKind.DRIFTING: "K/s",
    FaultKind.OFFSET: "V",
}
"""What an amount is in, for the faults that have one."""

LARGEST = {"s": 3600.0, "Ohm": 1e12, "K/s": 100.0, "V": 1000.0}
MOST_TIMES = 1000
LAST_MOMENT = 1e12


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault from `begin` until `end`, in simulated seconds; `times` answers long if that comes first.

    How late or slow an answer is counts in everybody's seconds: so do the deadlines of who waits for it.
    """

    kind: FaultKind
    begin: float = 0.0
    end: float = math.inf
    amount: float = 0.0
    times: int | None = None

    def __post_init__(self) -> None:
        for refusal in (self._wrong_times(), self._wrong_amount(), self._wrong_count()):
            if refusal:
                raise FaultError(f"fault {self.kind.value}: {refusal}")

    def acts(self, moment: float) -> bool:
        """Whether it goes wrong at that moment; the end is no part of it."""
        return self.begin <= moment < self.end

    def _wrong_times(self) -> str:
        if not 0.0 <= self.begin <= LAST_MOMENT or not self.begin <= self.end:
            seen = f"from {self.begin:g} s until {self.end:g} s seen"
            return f"{seen}, wanted a time of 0 s or later, and its end after it"
        if self.kind in INSTANT and not math.isinf(self.end):
            return "a duration seen, wanted none: it happens at once"
        return ""

    def _wrong_amount(self) -> str:
        unit = UNITS.get(self.kind)
        if unit is None:
            return f"an amount of {self.amount:g} seen, wanted none" if self.amount else ""
        if self.kind is FaultKind.OFFSET or self.kind is FaultKind.DRIFTING:
            fits = 0.0 < abs(self.amount) <= LARGEST[unit]
        else:
            fits = 0.0 < self.amount <= LARGEST[unit]
        return (
            ""
            if fits
            else f"by {self.amount:g} {unit} seen, wanted by an amount up to {LARGEST[unit]:g} {unit}"
        )

    def _wrong_count(self) -> str:
        if self.times is None:
            return ""
        if self.kind not in WIRE:
            return f"{self.times} times seen, wanted none: it spoils no single answers"
        return "" if 0 < self.times <= MOST_TIMES else f"{self.times} times seen, wanted 1 to {MOST_TIMES}"
