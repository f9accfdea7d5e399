"""A client of the rehearsal port, as plain as its protocol."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit


class JsonPort:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def ask(self, request: object) -> dict[str, Any]:
        return await self.ask_raw(json.dumps(request).encode())

    async def ask_raw(self, line: bytes) -> dict[str, Any]:
        await self.send(line)
        answer = json.loads(await self._reader.readline())
        assert isinstance(answer, dict)
        return answer

    async def send(self, line: bytes) -> None:
        self._writer.write(line + b"\n")
        await self._writer.drain()

    async def now(self) -> float:
        return float((await self.ask({"now": None}))["now"])


@asynccontextmanager
async def json_port(address: str) -> AsyncIterator[JsonPort]:
    url = urlsplit(address)
    reader, writer = await asyncio.open_connection(url.hostname, url.port)
    try:
        yield JsonPort(reader, writer)
    finally:
        writer.close()
        await writer.wait_closed()
