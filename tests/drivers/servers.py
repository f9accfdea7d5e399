"""Tiny instruments for the links to talk to: real sockets and real pseudo-terminals."""

import asyncio
import os
import tty
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass
class Server:
    """A TCP instrument: `answer` maps a line to what is sent back, byte for byte."""

    answer: Callable[[str], bytes]
    port: int = 0
    received: list[str] = field(default_factory=list)
    connections: int = 0
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.writers.append(writer)
        try:
            while line := await reader.readline():
                self.received.append(line.decode("ascii").rstrip("\n"))
                writer.write(self.answer(self.received[-1]))
        except ConnectionError:
            return
        finally:
            writer.close()


@asynccontextmanager
async def tcp_server(answer: Callable[[str], bytes], port: int = 0) -> AsyncIterator[Server]:
    server = Server(answer)
    listening = await asyncio.start_server(server.converse, "127.0.0.1", port)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        for writer in server.writers:
            writer.close()
        await asyncio.sleep(0.002)  # lets the conversations see their end


class Pty:
    """A serial instrument: what it hears, and what it is told to say."""

    def __init__(self) -> None:
        self.master, self._slave = os.openpty()
        tty.setraw(self.master)
        tty.setraw(self._slave)
        os.set_blocking(self.master, False)
        self.path = os.ttyname(self._slave)
        self.heard = b""
        self.answer: Callable[[bytes], bytes] = lambda heard: b""
        asyncio.get_running_loop().add_reader(self.master, self._hear)

    def _hear(self) -> None:
        data = os.read(self.master, 4096)
        self.heard += data
        self.say(self.answer(data))

    def say(self, data: bytes) -> None:
        os.write(self.master, data)

    def unplug(self) -> None:
        """Close both ends: the client sees the port go."""
        if self.master >= 0:
            asyncio.get_running_loop().remove_reader(self.master)
            os.close(self.master)
            os.close(self._slave)
            self.master = -1


@asynccontextmanager
async def pty() -> AsyncIterator[Pty]:
    port = Pty()
    try:
        yield port
    finally:
        port.unplug()
