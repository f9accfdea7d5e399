"""Who follows the live stream: one visitor fills no more places than a few, however many it opens."""

import contextlib
from collections import Counter
from collections.abc import Iterator

from starlette.requests import HTTPConnection

from daemon.web.live import Live, Watcher
from daemon.web.neighbourhood import neighbourhood
from daemon.web.tokens import Token

MOST_OF_ONE = 32
"""Streams of one token from one address; a token shared by a lab has as many at each of its addresses."""


class Audience:
    """Places by visitor, besides those there are in all."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._places: Counter[tuple[str, str]] = Counter()

    @contextlib.contextmanager
    def place(self, visitor: Token, connection: HTTPConnection) -> Iterator[Watcher | None]:
        """Watch while inside; None where this visitor, or everybody, has all the places."""
        where = neighbourhood(connection.client.host) if connection.client is not None else "?"
        key = (visitor.name, where)
        if self._places[key] >= MOST_OF_ONE:
            yield None
            return
        self._places[key] += 1
        try:
            with self._live.watched() as watcher:
                yield watcher
        finally:
            self._places[key] -= 1
            if not self._places[key]:
                del self._places[key]
