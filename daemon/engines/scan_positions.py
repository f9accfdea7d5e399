"""Where the runs of a rack stand: committed together, in one transaction with their readings."""

from collections.abc import Iterable, Mapping

import msgspec
import numpy as np

from daemon.engines.counts import Count
from daemon.running.position import Position, StepPosition, decoded
from protocols.reading import Reading


class ScanPositions(msgspec.Struct, frozen=True, array_like=True):
    """Of each run the ordinal of its step, and a column of `counts` (64-bit floats, see `Count`).

    `wall` is the UTC moment (seconds since 1970) of the scan.
    """

    wall: float
    runs: list[str]
    steps: list[int]
    counts: bytes

    def encoded(self) -> bytes:
        """Return it as the spool keeps it."""
        return msgspec.msgpack.encode(self)


_decoder = msgspec.msgpack.Decoder(ScanPositions)


def brought_forward(states: Mapping[str, bytes], scans: Iterable[bytes]) -> dict[str, bytes]:
    """Return the states of runs as of the last scan that was committed, where that is the later news."""
    latest = dict(states)
    for scan in map(_decoder.decode, scans):
        table = np.frombuffer(scan.counts).reshape(len(Count._fields), -1)
        for run, step, column in zip(scan.runs, scan.steps, table.T.tolist(), strict=True):
            if run in latest:
                latest[run] = _later(decoded(latest[run]), step, Count._make(column), scan.wall).encoded()
    return latest


def _later(known: Position, step: int, count: Count, wall: float) -> Position:
    """Return the position with the scan's counts, unless the channel has gone on without the rack since."""
    time = count.time - count.run_zero
    behind = known.step
    if behind is None or known.ended or known.steps != step or not time > known.time:
        return known
    return msgspec.structs.replace(
        known,
        time=time,
        wall=wall,
        uptime=None,
        readings=int(count.number),
        step=StepPosition(
            seconds=count.time - count.step_zero,
            coulombs=count.capacity,
            joules=count.energy,
            first_reading=behind.first_reading,
            open_circuit=behind.open_circuit,
            first=behind.first,
            last=Reading(count.time, count.voltage, count.current),
        ),
    )
