"""HiSLIP (IVI-6.1, version 1.0) on this machine, as far as instruments here need it.

A session is two connections, a synchronous one for messages and an asynchronous one for device
clear, status and locks. An answer carries the number of the message it answers.
"""

import asyncio
import struct
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import count

from simulators.conversation import Conversation, Converse, Exactly, asked
from simulators.ports import Port
from simulators.streams import Listener, TcpStream

HEADER = struct.Struct("!2sBBIQ")
PROLOGUE = b"HS"

VERSION = 0x0100
LARGEST_MESSAGE = 1 << 20
"""Bytes of one message; none here is near it."""

BAD_HEADER, UNKNOWN_MESSAGE, NO_SESSION = 1, 3, 3
"""Codes of a fatal error, an error, and a fatal error."""


STATUS_SECONDS = 1.0
"""How long a serial poll waits for an instrument that is busy."""


class Kind(IntEnum):
    """Message types, table 4."""

    INITIALIZE = 0
    INITIALIZE_RESPONSE = 1
    FATAL_ERROR = 2
    ERROR = 3
    ASYNC_LOCK = 4
    ASYNC_LOCK_RESPONSE = 5
    DATA = 6
    DATA_END = 7
    DEVICE_CLEAR_COMPLETE = 8
    DEVICE_CLEAR_ACKNOWLEDGE = 9
    ASYNC_REMOTE_LOCAL = 10
    ASYNC_REMOTE_LOCAL_RESPONSE = 11
    TRIGGER = 12
    ASYNC_MAXIMUM_SIZE = 15
    ASYNC_MAXIMUM_SIZE_RESPONSE = 16
    ASYNC_INITIALIZE = 17
    ASYNC_INITIALIZE_RESPONSE = 18
    ASYNC_DEVICE_CLEAR = 19
    ASYNC_STATUS = 21
    ASYNC_STATUS_RESPONSE = 22
    ASYNC_DEVICE_CLEAR_ACKNOWLEDGE = 23
    ASYNC_LOCK_INFO = 24
    ASYNC_LOCK_INFO_RESPONSE = 25


@dataclass(slots=True)
class _Session:
    """One client."""

    conversation: Conversation
    answering: int = 0
    clients: list[TcpStream] = field(default_factory=list)


class _Connection:
    """One of the two connections of a session."""

    def __init__(self, stream: TcpStream) -> None:
        self.stream = stream
        self._bytes = Exactly(stream)

    async def receive(self) -> tuple[int, int, int, bytes]:
        """Return kind, control code, parameter and payload. Raises `EOFError` at the end."""
        prologue, kind, control, parameter, size = HEADER.unpack(await self._bytes.read(HEADER.size))
        if prologue != PROLOGUE or size > LARGEST_MESSAGE:
            await self.send(Kind.FATAL_ERROR, BAD_HEADER)
            raise EOFError
        return kind, control, parameter, await self._bytes.read(size)

    async def send(self, kind: Kind, control: int = 0, parameter: int = 0, payload: bytes = b"") -> None:
        await self.stream.write(HEADER.pack(PROLOGUE, kind, control, parameter, len(payload)) + payload)


class HislipPort(Port):
    """`TCPIP::127.0.0.1::hislip0,PORT::INSTR`, in PyVISA's words."""

    def __init__(self, converse: Converse, port: int) -> None:
        self._converse = converse
        self._sessions: dict[int, _Session] = {}
        self._numbers = count(1)
        self._listener = Listener(self._serve, port)
        self.address = f"TCPIP::127.0.0.1::hislip0,{self._listener.port}::INSTR"

    async def come(self) -> None:
        await self._listener.listen()

    def go(self) -> None:
        self._listener.go()

    def reset(self) -> None:
        self._listener.reset()

    async def aclose(self) -> None:
        await self._listener.aclose()

    async def _serve(self, stream: TcpStream) -> None:
        connection = _Connection(stream)
        try:
            kind, _, parameter, _ = await connection.receive()
            if kind == Kind.INITIALIZE:
                await self._synchronous(connection)
            elif kind == Kind.ASYNC_INITIALIZE and parameter in self._sessions:
                await self._asynchronous(connection, self._sessions[parameter])
            else:
                await connection.send(Kind.FATAL_ERROR, NO_SESSION)
        except EOFError:
            return

    async def _synchronous(self, connection: _Connection) -> None:
        number = next(self._numbers) & 0xFFFF

        async def say(data: bytes) -> None:
            kind = Kind.DATA_END if data.endswith(b"\n") else Kind.DATA
            await connection.send(kind, 0, session.answering, data)

        session = _Session(Conversation(self._converse, say))
        self._sessions[number] = session
        session.clients.append(connection.stream)
        try:
            await connection.send(Kind.INITIALIZE_RESPONSE, 0, VERSION << 16 | number)
            while True:
                await self._hear(connection, session)
        finally:
            del self._sessions[number]
            await session.conversation.aclose()
            for client in session.clients:
                client.hang_up()

    async def _hear(self, connection: _Connection, session: _Session) -> None:
        kind, _, parameter, payload = await connection.receive()
        match kind:
            case Kind.DATA | Kind.DATA_END:
                session.answering = parameter
                session.conversation.hear(payload, ends=kind == Kind.DATA_END)
            case Kind.TRIGGER:
                session.answering = parameter
                session.conversation.hear(b"*TRG", ends=True)
            case Kind.DEVICE_CLEAR_COMPLETE:
                await connection.send(Kind.DEVICE_CLEAR_ACKNOWLEDGE)
            case _:
                await connection.send(Kind.ERROR, UNKNOWN_MESSAGE)

    async def _asynchronous(self, connection: _Connection, session: _Session) -> None:
        session.clients.append(connection.stream)
        await connection.send(Kind.ASYNC_INITIALIZE_RESPONSE)
        while True:
            kind, _, _, _ = await connection.receive()
            match kind:
                case Kind.ASYNC_MAXIMUM_SIZE:
                    size = struct.pack("!Q", LARGEST_MESSAGE)
                    await connection.send(Kind.ASYNC_MAXIMUM_SIZE_RESPONSE, 0, 0, size)
                case Kind.ASYNC_DEVICE_CLEAR:
                    await session.conversation.clear()
                    await connection.send(Kind.ASYNC_DEVICE_CLEAR_ACKNOWLEDGE)
                case Kind.ASYNC_STATUS:
                    await connection.send(Kind.ASYNC_STATUS_RESPONSE, await status_byte(self._converse))
                case Kind.ASYNC_LOCK:
                    await connection.send(Kind.ASYNC_LOCK_RESPONSE, 1)
                case Kind.ASYNC_LOCK_INFO:
                    await connection.send(Kind.ASYNC_LOCK_INFO_RESPONSE)
                case Kind.ASYNC_REMOTE_LOCAL:
                    await connection.send(Kind.ASYNC_REMOTE_LOCAL_RESPONSE)
                case _:
                    await connection.send(Kind.ERROR, UNKNOWN_MESSAGE)


async def status_byte(converse: Converse) -> int:
    """Return what the instrument says to *STB?; 0 where it says nothing of the kind, or nothing at all."""
    try:
        async with asyncio.timeout(STATUS_SECONDS):
            said = await asked(converse, b"*STB?")
    except TimeoutError:
        return 0
    return int(said) & 0xFF if said.isdigit() else 0
