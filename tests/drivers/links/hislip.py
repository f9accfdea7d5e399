"""A HiSLIP instrument, as far as a client needs one (IVI-6.1): two connections, messages, device clear."""

import asyncio
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

_HEADER = struct.Struct("!2sBBIQ")

# Message types a server sends; those it takes are matched by number below.
INITIALIZE_RESPONSE, DATA_END, CLEAR_ACKNOWLEDGE = 1, 7, 9
MAXIMUM_SIZE_RESPONSE, ASYNC_INITIALIZE_RESPONSE, ASYNC_CLEAR_ACKNOWLEDGE = 16, 18, 23


class HislipServer:
    """Answers each message with `answer` of it; None means silence. Counts device clears."""

    def __init__(self, answer: Callable[[str], str | None]) -> None:
        self._answer = answer
        self.clears = 0
        self.writers: list[asyncio.StreamWriter] = []

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        try:
            while True:
                _, kind, _, parameter, size = _HEADER.unpack(await reader.readexactly(_HEADER.size))
                self._reply(writer, kind, parameter, await reader.readexactly(size))
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()

    def _reply(self, writer: asyncio.StreamWriter, kind: int, parameter: int, payload: bytes) -> None:
        def send(answer: int, parameter: int = 0, payload: bytes = b"") -> None:
            writer.write(_HEADER.pack(b"HS", answer, 0, parameter, len(payload)) + payload)

        match kind:
            case 0:  # Initialize: version 1.0, session 1
                send(INITIALIZE_RESPONSE, 0x0100 << 16 | 1)
            case 17:  # AsyncInitialize
                send(ASYNC_INITIALIZE_RESPONSE)
            case 15:  # AsyncMaximumMessageSize
                send(MAXIMUM_SIZE_RESPONSE, 0, struct.pack("!Q", 1 << 20))
            case 19:  # AsyncDeviceClear
                self.clears += 1
                send(ASYNC_CLEAR_ACKNOWLEDGE)
            case 8:  # DeviceClearComplete
                send(CLEAR_ACKNOWLEDGE)
            case 7:  # DataEnd
                answer = self._answer(payload.decode("ascii").strip())
                if answer is not None:
                    send(DATA_END, parameter, answer.encode("ascii"))


@asynccontextmanager
async def hislip_server(answer: Callable[[str], str | None]) -> AsyncIterator[tuple[HislipServer, str]]:
    """Serve on a free port; yield the server and its resource string."""
    server = HislipServer(answer)
    listening = await asyncio.start_server(server.converse, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    try:
        yield server, f"TCPIP::127.0.0.1::hislip0,{port}::INSTR"
    finally:
        listening.close()
        for writer in server.writers:
            writer.close()
        await asyncio.sleep(0.002)
