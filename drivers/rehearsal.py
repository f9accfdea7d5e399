"""The clock of a rehearsal: a simulated instrument's time, held so that nobody need wait for it."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any, Self
from urllib.parse import urlsplit

from drivers.clock import Clock
from drivers.errors import LinkError

CONNECT_SECONDS = 5.0

LONGEST = 1 << 24
"""Bytes of an answer; what was put into a cell of ten thousand cycles is long."""

LAST_MOMENT = 1e15
"""Seconds; written so that no comparison with it holds for what is not a number."""


class RehearsalClock(Clock):
    """Holds a simulated instrument's clock: its time passes only as far as `sleep_until` lets it.

    Spoken are lines of JSON, each question followed by its answer. A question whose asker was
    cancelled is still answered: that answer is dropped before the next one is read. Letting the
    time pass has no deadline but the connection's end. Every failure surfaces as `LinkError`.
    """

    def __init__(self, address: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.address = address
        self._reader = reader
        self._writer = writer
        self._turn = asyncio.Lock()
        self._owed = 0

    @classmethod
    async def connect(cls, address: str) -> Self:
        """Connect to "tcp://host:port" and hold the clock there."""
        clock = await cls._connected(address)
        try:
            await clock._time({"hold": True})
        except BaseException:
            await clock.aclose()
            raise
        return clock

    @classmethod
    async def insert(cls, address: str, cell: str, seed: int, scatter: bool = False) -> None:
        """Put another simulated cell in, new from the box; `scatter` draws one of many alike."""
        clock = await cls._connected(address)
        try:
            await clock._time({"insert": {"cell": cell, "seed": seed, "scatter": scatter}})
        finally:
            await clock.aclose()

    @classmethod
    async def truth_at(cls, address: str) -> Mapping[str, Any]:
        """Return what was put into the cell there, without holding its time."""
        clock = await cls._connected(address)
        try:
            return await clock.truth()
        finally:
            await clock.aclose()

    @classmethod
    async def _connected(cls, address: str) -> Self:
        parts = urlsplit(address)
        if parts.scheme != "tcp" or parts.hostname is None or parts.port is None:
            raise LinkError(f"rehearsal address {address!r}: wanted tcp://host:port")
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                reader, writer = await asyncio.open_connection(parts.hostname, parts.port, limit=LONGEST)
        except (OSError, TimeoutError) as error:
            raise LinkError(f"{address}: cannot connect: {error or 'no answer'}") from error
        return cls(address, reader, writer)

    async def now(self) -> float:
        return await self._time({"now": None})

    async def sleep_until(self, moment: float) -> float:
        return await self._time({"until": moment})

    async def truth(self) -> Mapping[str, Any]:
        """Return what was put into the simulated cell, to hold measurements against."""
        answer = (await self._ask({"truth": None})).get("truth")
        if not isinstance(answer, dict):
            raise LinkError(f"{self.address}: asked for the truth, answered {answer!r}")
        return answer

    async def charge(self) -> float:
        """Return the coulombs that have passed through the simulated cell, whoever let them."""
        return await self._number("charge", {"charge": None})

    async def fault(self, words: str) -> None:
        """Let something go wrong from now on, in the simulator's words: "mute 1 times"."""
        await self._time({"fault": words})

    async def aclose(self) -> None:
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except OSError:
            return  # gone is gone

    async def _time(self, question: Mapping[str, Any]) -> float:
        return await self._number("now", question)

    async def _number(self, name: str, question: Mapping[str, Any]) -> float:
        reply = await self._ask(question)
        if "error" in reply:
            raise LinkError(f"{self.address}: {reply['error']}")
        answer = reply.get(name)
        if isinstance(answer, bool) or not isinstance(answer, int | float) or not abs(answer) < LAST_MOMENT:
            raise LinkError(f"{self.address}: {question} was answered without {name!r}")
        return float(answer)

    async def _ask(self, question: Mapping[str, Any]) -> Mapping[str, Any]:
        async with self._turn:
            try:
                self._writer.write(json.dumps(question).encode() + b"\n")
                self._owed += 1
                await self._writer.drain()
                return await self._answer()
            except (OSError, ValueError) as error:  # ValueError: a line beyond what the reader holds
                raise LinkError(f"{self.address}: the rehearsal is gone: {error}") from error

    async def _answer(self) -> Mapping[str, Any]:
        while True:
            line = await self._reader.readline()
            if not line.endswith(b"\n"):
                raise LinkError(f"{self.address}: the rehearsal is gone")
            self._owed -= 1
            if not self._owed:
                return self._parsed(line)

    def _parsed(self, line: bytes) -> Mapping[str, Any]:
        try:
            answer = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise LinkError(f"{self.address}: answered {line[:80]!r}; wanted JSON") from error
        if not isinstance(answer, dict):
            raise LinkError(f"{self.address}: answered {line[:80]!r}; wanted an object")
        return answer
