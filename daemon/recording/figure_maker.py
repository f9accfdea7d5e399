"""The maker of figures: computes beside the recording, for every run in which something ended."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from time import monotonic

from daemon.delivery.connection import Backoff
from daemon.errors import BusyError, DamagedError, UnavailableError
from daemon.recording.ingest import Ending
from daemon.recording.store import Store

logger = logging.getLogger(__name__)

OnStepEnded = Callable[[Store, str, int | None], None]
"""Called with a store, the run and the step that ended last; None when the run itself has ended.

It runs in a thread and with a store of its own, so that recording never waits for it. Steps that
end while it runs are answered by one further call per run: figures are made for the run as it
stands. After a restart it is called again where it had not come to its end.
"""

RESTS = 10.0
"""A run rests that many times as long as its figures took to make, before they are made again: those of a
long run take longer, and would else take ever more of the processor. What has ended does not wait."""


def no_figures(store: Store, run: str, step: int | None) -> None:
    """Make no figures."""


class FigureMaker:
    """Calls `on_step_ended` for one run after the other, each with its latest ending.

    `now` tells the time in seconds.
    """

    def __init__(
        self, database_url: str, on_step_ended: OnStepEnded, now: Callable[[], float] = monotonic
    ) -> None:
        self._database_url = database_url
        self._on_step_ended = on_step_ended
        self._now = now
        self._due: dict[str, int | None] = {}
        self._rests_until: dict[str, float] = {}
        self._woken = asyncio.Event()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="figures")

    def wake(self, endings: Sequence[Ending]) -> None:
        """Let figures be made for these; returns at once."""
        for run, step in endings:
            self._due[run] = later(self._due[run], step) if run in self._due else step
        if endings:
            self._woken.set()

    async def run(self) -> None:
        """Make figures until cancelled, beginning with those an earlier process left undone."""
        if self._on_step_ended is no_figures:
            return
        loop = asyncio.get_running_loop()
        store = await loop.run_in_executor(self._thread, Store.open, self._database_url)
        try:
            await self._wake_what_is_due(store)
            await self._make_all(store)
        finally:
            self._thread.shutdown(cancel_futures=True)
            store.close()

    async def _wake_what_is_due(self, store: Store) -> None:
        loop = asyncio.get_running_loop()
        backoff = Backoff()
        while True:
            try:
                self.wake(await loop.run_in_executor(self._thread, store.figures_due))
            except UnavailableError as error:
                await self._wait_or_mend(store, error, backoff)
            else:
                return

    async def _make_all(self, store: Store) -> None:
        backoff = Backoff()
        while True:
            await self._something_ready()
            for ending in self._take_ready():
                try:
                    await self._make(store, ending)
                except UnavailableError as error:
                    self.wake([ending])
                    await self._wait_or_mend(store, error, backoff)
                else:
                    backoff.reset()

    def _take_ready(self) -> list[Ending]:
        """Take out the endings of runs that have ended or rested long enough."""
        now = self._now()
        ready = [
            Ending(run, step)
            for run, step in self._due.items()
            if step is None or self._rests_until.get(run, now) <= now
        ]
        for ending in ready:
            del self._due[ending.run]
        return ready

    async def _something_ready(self) -> None:
        """Return as soon as something is due, and its run has rested."""
        while True:
            self._woken.clear()
            now = self._now()
            waits = [
                0.0 if step is None else self._rests_until.get(run, now) - now
                for run, step in self._due.items()
            ]
            if waits and min(waits) <= 0:
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(min(waits, default=None)):
                    await self._woken.wait()

    async def _wait_or_mend(self, store: Store, error: UnavailableError, backoff: Backoff) -> None:
        """Wait; mend what is damaged: only figures read old readings, so nobody else may notice."""
        logger.warning("figures have to wait: %s", error)
        if isinstance(error, DamagedError):
            loop = asyncio.get_running_loop()
            with suppress(UnavailableError, BusyError):
                await loop.run_in_executor(self._thread, store.mend, error)
        await asyncio.sleep(backoff.next())

    async def _make(self, store: Store, ending: Ending) -> None:
        loop = asyncio.get_running_loop()
        began = self._now()
        making = loop.run_in_executor(self._thread, self._on_step_ended, store, *ending)
        try:
            await asyncio.wait({making})
        finally:
            making.cancel()
            self._rest(ending, self._now() - began)
        try:
            making.result()
        except UnavailableError:
            raise
        except Exception:  # figures come after recording: no flaw in them may end it
            logger.exception("the figures of %s could not be made", ending.run)
        else:
            await loop.run_in_executor(self._thread, store.mark_figured, ending)

    def _rest(self, ending: Ending, took: float) -> None:
        if ending.step is None:
            self._rests_until.pop(ending.run, None)
        else:
            self._rests_until[ending.run] = self._now() + RESTS * took


def later(one: int | None, other: int | None) -> int | None:
    """Return the later of two endings of a run; its own end, None, is the last."""
    return None if one is None or other is None else max(one, other)
