"""Where a run stands: committed in one transaction with the readings it describes."""

from typing import Any, NamedTuple

import msgspec

from daemon.host.uptime import Uptime
from drivers.whole import Taken
from protocols.reading import Reading


class StepPosition(NamedTuple):
    """How far the open step is, counted over every reading, kept or not."""

    seconds: float
    coulombs: float
    joules: float
    first_reading: int | None
    open_circuit: float | None
    first: Reading | None
    last: Reading | None


class Behind(NamedTuple):
    """What a step had behind it when the instrument was given what is left of it, signed like the current."""

    seconds: float = 0.0
    coulombs: float = 0.0
    joules: float = 0.0


class ProgramPosition(NamedTuple):
    """A whole protocol that an instrument was given: where it began, and how much of it is on record.

    `zero` is the moment the program began in seconds of the run, `step` the ordinal of its first
    step, `walk` the state of the walk then, and `behind` what that step had behind it.
    """

    zero: float
    step: int
    walk: bytes
    behind: Behind
    taken: Taken


class Position(msgspec.Struct, frozen=True, array_like=True):
    """Everything a new core needs beside the frozen order to go on, or to close the run.

    `time` is that of the last reading in seconds since the run began, `wall` the UTC moment (seconds
    since 1970) at which it was taken, `uptime` the same by the machine's own clock, where that is
    known. `walk` is the state of `protocols.walk.Walk`; None before the first step. `step` is None
    between steps. `told` is the number of the last action in the journal after which the circuit was
    verified open and the gap in the record told. `state` and `reason` are those of the stop record,
    once it is `ended`.
    """

    channel: str
    time: float
    wall: float
    readings: int
    impedance_points: int
    steps: int
    notes: int
    walk: bytes | None
    step: StepPosition | None
    told: int = 0
    paused: bool = False
    ended: bool = False
    program: ProgramPosition | None = None
    uptime: Uptime | None = None
    state: str = ""
    reason: str = ""

    def encoded(self) -> bytes:
        """Return it as the spool keeps it."""
        return msgspec.msgpack.encode(self)

    def walk_state(self) -> Any:
        """Return the state of the walk as plain data."""
        return None if self.walk is None else msgspec.msgpack.decode(self.walk)


_decoder = msgspec.msgpack.Decoder(Position)


def before_anything(channel: str, wall: float) -> Position:
    """Return the position of a run that has done nothing yet."""
    return Position(channel, 0.0, wall, 0, 0, 0, 0, None, None)


def decoded(state: bytes) -> Position:
    """Return a position from the spool. Raises `ValueError` for one that cannot be read."""
    return _decoder.decode(state)
