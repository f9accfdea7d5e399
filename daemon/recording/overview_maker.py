"""The maker of overviews: beside the recording, for every run, those of earlier versions first."""

import asyncio
import logging
import math
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from time import monotonic

from sqlalchemy import Engine, text

from daemon.errors import UnavailableError
from daemon.recording.database import open_database
from daemon.recording.database_errors import translated
from daemon.recording.overview import CHUNK, SIZE, Made, Overview
from protocols.errors import GalvanodError

LOOK = 10.0
"""Seconds between looks: what is not in an overview yet is read one by one, and so has to be little."""

MEND = 600.0
"""Seconds between looks at what was missing when its neighbours came."""

RESTS = 1.0
"""It rests as long as it worked: recording comes first."""

LEAST = 8 * SIZE
"""Readings of a run that goes on before they are worth a look: fewer are read one by one."""

TOGETHER = 32
"""Runs in one transaction, and"""

MOST = CHUNK // SIZE
"""blocks: for so many the recorder has to wait, some 20 ms."""

_LOCK = 0x67616C77  # PostgreSQL advisory lock: one recorder of several makes overviews

logger = logging.getLogger(__name__)


class OverviewMaker:
    """Makes overviews until cancelled; what cannot be made now is made later, and delays nobody."""

    def __init__(self, database_url: str, now: Callable[[], float] = monotonic) -> None:
        self._url = database_url
        self._now = now
        self._mended = -math.inf
        self._waits = False
        self._told: set[int] = set()
        self._stopped = Event()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="overviews")

    async def run(self) -> None:
        """Look every ten seconds, and do what there is to do."""
        loop = asyncio.get_running_loop()
        try:
            while True:
                behind = False
                try:
                    behind = await loop.run_in_executor(self._thread, self.look)
                    self._waits = False
                except UnavailableError as error:
                    if not self._waits:  # once, not every ten seconds of a night without a database
                        logger.warning("overviews have to wait: %s", error)
                    self._waits = True
                except Exception:  # overviews come after recording: no flaw in them may end it
                    logger.exception("the overviews could not be made")
                await asyncio.sleep(0 if behind else LOOK)
        finally:
            self._stopped.set()
            self._thread.shutdown(cancel_futures=True)

    def look(self) -> bool:
        """Make the next chunk of every run that has one; return whether there is more."""
        with translated(self._url), self._engines() as (reader, writer), _alone(writer) as alone:
            if not alone:
                return False
            overview = Overview(reader, writer)
            work = _Work(overview, self._stopped)
            mends = self._now() - self._mended >= MEND
            for standing, over in overview.due():
                try:
                    made = overview.further(standing, SIZE if over else LEAST)
                    if made is not None:
                        work.take(made)
                    elif standing.missing and mends:
                        for mended in overview.mended(standing):
                            work.take(mended)
                except GalvanodError as error:  # its archive cannot be read: the other runs have theirs
                    if standing.run_id not in self._told:
                        logger.warning("run %d has no overview: %s", standing.run_id, error)
                    self._told.add(standing.run_id)
                if self._stopped.is_set():
                    return False
            work.write()
            if mends:
                self._mended = self._now()
            return work.behind

    @contextmanager
    def _engines(self) -> Iterator[tuple[Engine, Engine]]:
        """Open the database anew each time: it may have been replaced meanwhile."""
        reader = open_database(self._url, write=False)
        writer = open_database(self._url, write=True)
        try:
            yield reader, writer
        finally:
            reader.dispose()
            writer.dispose()


class _Work:
    """Gathers what was made, and writes it in transactions that are short, with rests between them."""

    def __init__(self, overview: Overview, stopped: Event) -> None:
        self.behind = False
        self._overview = overview
        self._stopped = stopped
        self._made: list[Made] = []
        self._since = monotonic()

    def take(self, made: Made) -> None:
        """Take it, and write once there is enough."""
        self.behind |= made.beyond >= LEAST
        self._made.append(made)
        if len(self._made) >= TOGETHER or sum(len(each.blocks) for each in self._made) >= MOST:
            self.write()

    def write(self) -> None:
        """Write what there is, and rest."""
        if self._made:
            self._overview.write(self._made)
            self._made.clear()
            self._stopped.wait(RESTS * (monotonic() - self._since))
        self._since = monotonic()


@contextmanager
def _alone(engine: Engine) -> Iterator[bool]:
    """Whether nobody else makes overviews of this database meanwhile. A SQLite file has one recorder."""
    if engine.dialect.name != "postgresql":
        yield True
        return
    with engine.connect() as connection:
        taken = connection.execute(text("SELECT pg_try_advisory_lock(:lock)"), {"lock": _LOCK}).scalar()
        try:
            yield bool(taken)
        finally:
            if taken:
                connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": _LOCK})
