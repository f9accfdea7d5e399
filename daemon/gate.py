"""The gate a run passes before every reading: closed while a person has paused it."""

import asyncio


class Gate:
    """Open until `close`; `passed` waits while it is closed."""

    def __init__(self) -> None:
        self._open = asyncio.Event()
        self._open.set()

    @property
    def closed(self) -> bool:
        return not self._open.is_set()

    def close(self) -> None:
        self._open.clear()

    def open(self) -> None:
        self._open.set()

    async def passed(self) -> None:
        """Return once the gate is open."""
        await self._open.wait()
