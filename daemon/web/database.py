"""The results database as the web process reads it: in threads, and never too many at once."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy import Engine

from daemon.errors import UnavailableError
from daemon.recording.database import open_database

_T = TypeVar("_T")

THREADS = 4
"""Questions answered at once."""

WAITING = 64
"""Questions that may wait; beyond it who asks is told to ask again."""


class Database:
    """Opened with the first question, and again where it was not there before."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="database")
        self._engine: Engine | None = None
        self._waiting = 0

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
