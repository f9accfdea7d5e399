"""The port where a rehearsal holds an instrument's time: newline-delimited JSON on 127.0.0.1.

{"hold": true}   -> {"now": t}     this connection holds the clock until it closes or says false
{"until": t}     -> {"now": t'}    let time pass; answered once it is at least t seconds
{"now": null}    -> {"now": t}
{"truth": null}  -> {"truth": {}}  what was put into the cell
{"charge": null} -> {"charge": Q}  the coulombs that have passed through it, whoever let them
{"fault": ".."}  -> {"now": t}     let something go wrong, from now on: "mute for 5 s"; as an object,
                                   {"fault": {"fault": "mute", "at": 30, "for": 5}}, at a moment of time;
                                   see `simulators.faults.wording`
{"fault": {"clear": true}} -> {"now": t}  end every fault
{"insert": {"cell": "li_s/pp", "seed": 3, "scatter": false}} -> {"now": t}  put another cell in, new from
                                   the box; `scatter` draws one of many that are made alike
anything else    -> {"error": "… seen, wanted …"}
"""

import json
import math
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from simulators.clock import SimulatedClock
from simulators.faults import FaultError, Faults
from simulators.lines import Lines, LineTooLongError
from simulators.streams import TcpStream, listening

LONGEST_REQUEST = 4096
"""Bytes; no request needs more than a hundred."""

WANTED = (
    'one of {"hold": true|false}, {"until": seconds}, {"now": null}, {"truth": null}, {"charge": null}, '
    '{"fault": words}, {"insert": {"cell": name, "seed": number}}'
)

PATIENCE = 0.1
"""Seconds of wall time after which a long `until` looks whether its client is still there."""


class Bench(NamedTuple):
    """What a port reaches: the clock of a cell, what was put into it, what passed, its faults, its place.

    `insert` puts another cell there, by its name, its seed and whether it is one of many alike that
    scatter; it raises `ValueError` for an unknown one.
    """

    clock: SimulatedClock
    truth: Callable[[], Mapping[str, Any]]
    faults: Faults
    insert: Callable[[str, int, bool], None]
    charge: Callable[[], float]


class RequestError(Exception):
    """The client asked for something else than this port gives."""


class Rehearsal:
    """One client of the port and its hold on the clock."""

    def __init__(self, stream: TcpStream, bench: Bench) -> None:
        self._stream = stream
        self._bench = bench
        self._clock = bench.clock
        self._holding = False

    async def converse(self) -> None:
        """Answer until the client is gone, then let go of the clock."""
        lines = Lines(self._stream, LONGEST_REQUEST)
        try:
            while (answer := await self._next_answer(lines)) is not None:
                await self._stream.write(json.dumps(answer).encode() + b"\n")
        finally:
            self._hold(False)

    async def _next_answer(self, lines: Lines) -> dict[str, Any] | None:
        try:
            line = await lines.read()
            return None if line is None else await self._answer(line)
        except (RequestError, FaultError, LineTooLongError) as error:
            return {"error": str(error)}

    async def _answer(self, line: bytes) -> dict[str, Any]:
        match _request(line):
            case {"hold": bool(wanted)}:
                self._hold(wanted)
            case {"until": int() | float() as moment} if _is_finite(moment):
                await self._until(moment)
            case {"truth": None}:
                return {"truth": dict(self._bench.truth())}
            case {"charge": None}:
                return {"charge": self._bench.charge()}
            case {"now": None}:
                pass
            case {"fault": wanted}:
                self._bench.faults.ask(wanted)
            case {"insert": dict(wanted)}:
                self._insert(wanted)
            case _:
                raise RequestError(f"{line[:80]!r} seen, wanted {WANTED}")
        return {"now": self._clock.now()}

    def _hold(self, wanted: bool) -> None:
        if wanted and not self._holding:
            self._clock.hold()
        elif self._holding and not wanted:
            self._clock.release()
        self._holding = wanted

    def _insert(self, wanted: Mapping[str, Any]) -> None:
        match {"seed": 0, "scatter": False} | dict(wanted):
            case {"cell": str(name), "seed": int(seed), "scatter": bool(scatter)} if seed >= 0:
                pass
            case _:
                raise RequestError(
                    f"{dict(wanted)!r:.80} seen, wanted a cell by its name, and a seed of 0 or more"
                )
        try:
            self._bench.insert(name, seed, scatter)
        except ValueError as error:
            raise RequestError(str(error)) from error

    async def _until(self, moment: float) -> None:
        """Let time pass, but not on behalf of a client that left meanwhile."""
        while (now := self._clock.now()) < moment and not self._stream.gone:
            await self._clock.reach(min(moment, now + PATIENCE * self._clock.speed))


def _request(line: bytes) -> dict[str, Any]:
    """Return the one-key object a line is. Raises `RequestError`."""
    try:
        request = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise RequestError(f"{line[:80]!r} seen, wanted {WANTED}") from error
    if not isinstance(request, dict) or len(request) != 1:
        raise RequestError(f"{line[:80]!r} seen, wanted {WANTED}")
    return request


def _is_finite(moment: float) -> bool:
    """Whether it is a moment at all; a boolean passes for an integer in Python, but not here."""
    return not isinstance(moment, bool) and abs(moment) < 1e15 and math.isfinite(moment)


@asynccontextmanager
async def rehearsal_port(bench: Bench) -> AsyncIterator[str]:
    """Open the port; yield its address ("tcp://127.0.0.1:PORT")."""

    async def converse(stream: TcpStream) -> None:
        await Rehearsal(stream, bench).converse()

    async with listening(converse) as port:
        yield f"tcp://127.0.0.1:{port}"
