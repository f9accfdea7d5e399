"""The results database as the web process reads it: in threads, and never too many at once."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy import Engine, text

from daemon.errors import UnavailableError
from daemon.recording.database import open_database
from protocols.errors import GalvanodError

_T = TypeVar("_T")

THREADS = 4
"""Questions answered at once."""

WAITING = 64
"""Questions that may wait; beyond it who asks is told to ask again."""

PROBE = 1.0
"""Seconds for which it is believed to be as it was."""


class Database:
    """Opened with the first question, and again where it was not there before."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="database")
        self._engine: Engine | None = None
        self._waiting = 0
        self._probe: asyncio.Future[bool] | None = None
        self._probed = 0.0

    async def answers(self) -> bool:
        """Whether it answers; it is asked once a second at most, however many want to know."""
        now = asyncio.get_running_loop().time()
        if self._probe is None or (self._probe.done() and now - self._probed > PROBE):
            self._probe, self._probed = asyncio.ensure_future(self._answers_now()), now
        return await asyncio.shield(self._probe)

    async def _answers_now(self) -> bool:
        try:
            await self.read(_probe)
        except GalvanodError:
            return False
        return True

    async def read(self, question: Callable[[Engine], _T]) -> _T:
        """Answer in a thread. Raises `UnavailableError` where too many wait, or nothing is there."""
        if self._waiting >= WAITING:
            raise UnavailableError("too many questions to the database at once; ask again in a moment")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._answer, question)
        finally:
            self._waiting -= 1

    @property
    def engine(self) -> Engine:
        """The database itself, for what takes longer than a question. Raises `UnavailableError`."""
        if self._engine is None:
            self._engine = open_database(self._url, write=False)
        return self._engine

    def close(self) -> None:
        """Let go of it."""
        self._threads.shutdown(cancel_futures=True)
        if self._engine is not None:
            self._engine.dispose()

    def _answer(self, question: Callable[[Engine], _T]) -> _T:
        return question(self.engine)


def _probe(engine: Engine) -> None:
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
