"""VXI-11 (revision 1.0) on this machine: ONC RPC over TCP, the core channel alone.

A client names the port itself (`TCPIP::127.0.0.1,PORT::inst0::INSTR`): a portmapper would need root.
"""

import asyncio
import struct
from collections.abc import Awaitable, Callable
from itertools import count

from simulators.conversation import Conversation, Converse, Exactly
from simulators.hislip import status_byte
from simulators.ports import Port
from simulators.streams import Listener, TcpStream

CORE_PROGRAM, CORE_VERSION = 395183, 1

CALL, REPLY, ACCEPTED = 0, 1, 0
SUCCESS, PROGRAM_UNAVAILABLE, PROCEDURE_UNAVAILABLE, GARBAGE = 0, 1, 3, 4
"""RFC 5531, accept_stat."""

NO_ERROR, INVALID_LINK, LOCKED, TIMED_OUT = 0, 4, 11, 15
"""VXI-11, table B.2."""

END_FLAG = 8
"""Of device_write: these bytes end a message."""

REQUESTED, ENDED = 1, 4
"""Why device_read returned: as many bytes as were asked for; the end of a message."""

LARGEST_WRITE = 1 << 20

LAST_FRAGMENT = 1 << 31


class Arguments:
    """What is left of a call, in XDR. Raises `struct.error` where it is not there."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def number(self) -> int:
        [value] = struct.unpack_from("!I", self._data)
        self._data = self._data[4:]
        return int(value)

    def opaque(self) -> bytes:
        size = self.number()
        if size > len(self._data):
            raise struct.error("shorter than it says")
        value = self._data[:size]
        self._data = self._data[size + -size % 4 :]
        return value


def opaque(value: bytes) -> bytes:
    """Return bytes in XDR."""
    return struct.pack("!I", len(value)) + value + bytes(-len(value) % 4)


def numbers(*values: int) -> bytes:
    """Return unsigned integers in XDR."""
    return struct.pack(f"!{len(values)}I", *values)


class _Link:
    """One client's link: what was said to it, to be fetched."""

    def __init__(self, converse: Converse) -> None:
        self._said = b""
        self._more = asyncio.Event()
        self.conversation = Conversation(converse, self._say)

    async def _say(self, data: bytes) -> None:
        self._said += data
        self._more.set()

    async def fetch(self, most: int, seconds: float) -> tuple[int, bytes] | None:
        """Return why it ends, and bytes up to the end of a message; None where none come in time."""
        try:
            async with asyncio.timeout(seconds):
                while b"\n" not in self._said and len(self._said) < most:
                    self._more.clear()
                    await self._more.wait()
        except TimeoutError:
            return None
        end = self._said.find(b"\n") + 1
        size = min(most, end or len(self._said))
        taken, self._said = self._said[:size], self._said[size:]
        return ENDED if taken.endswith(b"\n") else REQUESTED, taken

    async def clear(self) -> None:
        await self.conversation.clear()
        self._said = b""


class Vxi11Port(Port):
    """Links live as long as their connection."""

    def __init__(self, converse: Converse, port: int) -> None:
        self._converse = converse
        self._numbers = count(1)
        self._listener = Listener(self._serve, port)
        self.address = f"TCPIP::127.0.0.1,{self._listener.port}::inst0::INSTR"

    async def come(self) -> None:
        await self._listener.listen()

    def go(self) -> None:
        self._listener.go()

    def reset(self) -> None:
        self._listener.reset()

    async def aclose(self) -> None:
        await self._listener.aclose()

    async def _serve(self, stream: TcpStream) -> None:
        client = _Client(self._converse, self._numbers)
        received = Exactly(stream)
        try:
            while True:
                answer = await client.answer(await _record(received))
                await stream.write(struct.pack("!I", LAST_FRAGMENT | len(answer)) + answer)
        except (EOFError, struct.error):
            return
        finally:
            await client.aclose()


async def _record(received: Exactly) -> bytes:
    """Return one RPC record, put together from its fragments (RFC 5531 §11)."""
    record = b""
    while True:
        [mark] = struct.unpack("!I", await received.read(4))
        size = mark & ~LAST_FRAGMENT
        if size + len(record) > LARGEST_WRITE + 1024:
            raise EOFError
        record += await received.read(size)
        if mark & LAST_FRAGMENT:
            return record


class _Client:
    """One connection and its links."""

    def __init__(self, converse: Converse, numbers: "count[int]") -> None:
        self._converse = converse
        self._numbers = numbers
        self._links: dict[int, _Link] = {}
        self._procedures: dict[int, Callable[[Arguments], Awaitable[bytes]]] = {
            0: self._nothing,
            10: self._create_link,
            11: self._write,
            12: self._read,
            13: self._read_status,
            14: self._trigger,
            15: self._clear,
            16: self._accept,  # remote
            17: self._accept,  # local
            18: self._accept,  # lock: whoever comes has it
            19: self._accept,  # unlock
            20: self._accept,  # enable service requests, which never come
            23: self._destroy_link,
        }

    async def aclose(self) -> None:
        for link in self._links.values():
            await link.conversation.aclose()
        self._links.clear()

    async def answer(self, record: bytes) -> bytes:
        """Return the reply to a call. Raises `struct.error` for what is no call at all."""
        arguments = Arguments(record)
        transaction, kind, _, program, version, procedure = (arguments.number() for _ in range(6))
        if kind != CALL:
            raise struct.error("no call")
        for _ in range(2):  # credentials and verifier, which nobody looks at
            arguments.number()
            arguments.opaque()
        act = self._procedures.get(procedure)
        head = numbers(transaction, REPLY, ACCEPTED, 0, 0)
        if (program, version) != (CORE_PROGRAM, CORE_VERSION):
            return head + numbers(PROGRAM_UNAVAILABLE)
        if act is None:
            return head + numbers(PROCEDURE_UNAVAILABLE)
        try:
            return head + numbers(SUCCESS) + await act(arguments)
        except struct.error:
            return head + numbers(GARBAGE)

    async def _nothing(self, arguments: Arguments) -> bytes:
        return b""

    async def _create_link(self, arguments: Arguments) -> bytes:
        number = next(self._numbers)
        self._links[number] = _Link(self._converse)
        return numbers(NO_ERROR, number, 0, LARGEST_WRITE)

    async def _destroy_link(self, arguments: Arguments) -> bytes:
        link = self._links.pop(arguments.number(), None)
        if link is None:
            return numbers(INVALID_LINK)
        await link.conversation.aclose()
        return numbers(NO_ERROR)

    async def _write(self, arguments: Arguments) -> bytes:
        link = self._links.get(arguments.number())
        _, _, flags = (arguments.number() for _ in range(3))
        data = arguments.opaque()
        if link is None:
            return numbers(INVALID_LINK, 0)
        link.conversation.hear(data, ends=bool(flags & END_FLAG))
        return numbers(NO_ERROR, len(data))

    async def _read(self, arguments: Arguments) -> bytes:
        link = self._links.get(arguments.number())
        most, milliseconds = arguments.number(), arguments.number()
        if link is None:
            return numbers(INVALID_LINK, 0) + opaque(b"")
        fetched = await link.fetch(max(1, most), milliseconds / 1e3)
        if fetched is None:
            return numbers(TIMED_OUT, 0) + opaque(b"")
        return numbers(NO_ERROR, fetched[0]) + opaque(fetched[1])

    async def _read_status(self, arguments: Arguments) -> bytes:
        if arguments.number() not in self._links:
            return numbers(INVALID_LINK, 0)
        return numbers(NO_ERROR, await status_byte(self._converse))

    async def _trigger(self, arguments: Arguments) -> bytes:
        link = self._links.get(arguments.number())
        if link is None:
            return numbers(INVALID_LINK)
        link.conversation.hear(b"*TRG", ends=True)
        return numbers(NO_ERROR)

    async def _clear(self, arguments: Arguments) -> bytes:
        link = self._links.get(arguments.number())
        if link is None:
            return numbers(INVALID_LINK)
        await link.clear()
        return numbers(NO_ERROR)

    async def _accept(self, arguments: Arguments) -> bytes:
        return numbers(NO_ERROR if arguments.number() in self._links else INVALID_LINK)
