"""A client's stream on a wire that fails as asked."""

import asyncio

from simulators.faults.fault import Fault, FaultKind
from simulators.faults.schedule import Faults
from simulators.wired import Stream

PIECES = 10
"""Into how many pieces a slow answer falls, at most."""


class FaultyStream(Stream):
    """Passes everything on but what the faults say."""

    def __init__(self, stream: Stream, faults: Faults) -> None:
        self._stream = stream
        self._faults = faults
        self._held = b""  # the answer that will come in place of the next one

    async def read(self) -> bytes:
        while data := await self._stream.read():
            if not self._faults.deaf():
                return data
        return b""

    async def write(self, data: bytes) -> None:
        fault = self._faults.on_answer()
        held, self._held = self._held, b""
        if fault is None:
            await self._stream.write(held + data)
        else:
            await self._spoil(fault, held, data)

    async def _spoil(self, fault: Fault, held: bytes, data: bytes) -> None:
        match fault.kind:
            case FaultKind.BEHIND:
                self._held = data
                await self._say(held)
            case FaultKind.SLOW:
                await self._dribble(held + data, fault.amount)
            case FaultKind.LATE:
                await asyncio.sleep(fault.amount)
                await self._stream.write(held + data)
            case FaultKind.SHORT:
                await self._say(held + data[: len(data) // 2])
            case FaultKind.GARBLED:
                await self._stream.write(held + bytes(byte if byte == 0x0A else byte ^ 0x15 for byte in data))
            case _:
                await self._say(held)

    async def _dribble(self, data: bytes, seconds: float) -> None:
        size = max(1, -(-len(data) // PIECES))
        pieces = [data[start : start + size] for start in range(0, len(data), size)]
        for piece in pieces:
            await asyncio.sleep(seconds / len(pieces))
            await self._stream.write(piece)

    async def _say(self, data: bytes) -> None:
        if data:
            await self._stream.write(data)
