"""The gate a run passes before every reading: closed while a person has paused it."""

import asyncio
from collections.abc import Callable


class Gate:
    """Open until `close`; `passed` waits while it is closed."""

    def __init__(self) -> None:
        self.closing: Callable[[], None] | None = None
        """Called when it closes, for whoever does not come by at every reading."""
        self._open = asyncio.Event()
        self._open.set()

    @property
    def closed(self) -> bool:
        return not self._open.is_set()

    def close(self) -> None:
        self._open.clear()
        if self.closing is not None:
            self.closing()

    def open(self) -> None:
        self._open.set()

    async def passed(self) -> None:
        """Return once the gate is open."""
        await self._open.wait()
