"""A tap on the wire of one rack: what passes between it and the core, and when."""

import asyncio
import re
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

_OFF = re.compile(rb":OUTP OFF,\(@(\d+)\)")
_MEASURE = re.compile(rb":MEAS\? \(@([\d:,]+)\)")


class Tap:
    """Stands between a core and a rack; passes every byte on, notes when it is asked and when channels trip.

    `highs` are the voltages at which each channel is to be opened; the delay is from the answer with
    a reading beyond it to the command that opens that channel. `questions` are the moments at which
    channels were asked for readings.
    """

    def __init__(self, highs: Sequence[float]) -> None:
        self.address = ""
        self.delays: list[float] = []
        self.questions: list[float] = []
        self._highs = highs
        self._target = ("", 0)
        self._asked: list[int] = []
        self._crossed: dict[int, float] = {}
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self, host: str, port: int) -> str:
        """Listen in front of a rack; return the address that is to be used instead of its own."""
        self._target = (host, port)
        self._server = await asyncio.start_server(self._pass, "127.0.0.1", 0)
        return f"tcp://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection(*self._target)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._questions(reader, there_writer))
                both.create_task(self._answers(there_reader, writer))
        except* (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            there_writer.close()

    async def _questions(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            writer.write(line)
            if (off := _OFF.search(line)) is not None:
                crossed = self._crossed.pop(int(off[1]), None)
                if crossed is not None:
                    self.delays.append(time.monotonic() - crossed)
            if (asked := _MEASURE.search(line)) is not None:
                self.questions.append(time.monotonic())
                self._asked = _numbers(asked[1].decode())
        writer.write_eof()

    async def _answers(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            now = time.monotonic()
            writer.write(line)
            parts = line.split(b";")
            if len(parts) == 4 and len(parts[3].strip()) == len(self._asked):
                for number, volts in zip(self._asked, parts[1].split(b","), strict=False):
                    if float(volts) > self._highs[number - 1]:
                        self._crossed.setdefault(number, now)
        writer.write_eof()


def _numbers(channel_list: str) -> list[int]:
    numbers: list[int] = []
    for item in channel_list.split(","):
        first, _, last = item.partition(":")
        numbers += range(int(first), int(last or first) + 1)
    return numbers
