"""Submissions with a key: whoever is unsure whether one arrived sends it again, and nothing begins twice."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

from daemon.errors import KeyReusedError
from daemon.requests import Submit
from daemon.running.journal import Journal
from daemon.running.order import Order


class Submissions:
    """Knows the run that each key began, as long as the journal does."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._under_way: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def once(self, request: Submit) -> AsyncIterator[Order | None]:
        """Yield the order this submission began before, or None: then nobody else begins it meanwhile.

        Raises `KeyReusedError` where its key began something else.
        """
        if not request.key:
            yield None
            return
        lock = self._under_way.setdefault(request.key, asyncio.Lock())
        async with lock:
            earlier = await self._journal.submitted(request.key)
            if earlier is not None and not _same(request, earlier):
                raise KeyReusedError(f"key {request.key[:40]!r} began run {earlier.run}, of something else")
            yield earlier


def _same(request: Submit, order: Order) -> bool:
    asked = (request.protocol, request.cell, request.channel, request.resume)
    named = (dict(request.variables), dict(request.labels))
    ordered = (order.protocol, order.cell_source, order.channel, order.resume)
    return (asked, named) == (ordered, (dict(order.variables), dict(order.started.labels)))
