"""Connections that cost a place each: with one too many, one of those who have the most ends."""

import asyncio


class Crowd:
    """Holds at most `most` connections, by where they come from; the newest always finds a place."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._places: dict[str, dict[asyncio.Transport, None]] = {}
        self._where: dict[asyncio.Transport, str] = {}

    def __len__(self) -> int:
        return len(self._where)

    def enter(self, transport: asyncio.Transport, where: str) -> None:
        """Take a place; where there is none left, the oldest of the largest neighbourhood ends."""
        if transport in self._where:
            return
        if len(self._where) >= self._most:
            largest = max(self._places.values(), key=len)
            oldest = next(iter(largest))
            self.leave(oldest)
            oldest.abort()
        self._where[transport] = where
        self._places.setdefault(where, {})[transport] = None

    def leave(self, transport: asyncio.Transport) -> None:
        """Give the place back, if there was one."""
        where = self._where.pop(transport, None)
        if where is None:
            return
        del self._places[where][transport]
        if not self._places[where]:
            del self._places[where]
