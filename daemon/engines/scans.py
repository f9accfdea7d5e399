"""Looking at many channels of one instrument at a time, for as long as nothing happens on them."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial

from daemon.delivery.messages import ScanReadings
from daemon.delivery.outbox import next_deadline
from daemon.engines.gate import Gate
from daemon.engines.seats import Seats, Sitter
from daemon.errors import UnavailableError
from daemon.host.heartbeat import Heartbeat
from drivers.errors import InstrumentError
from drivers.scan import SamplingScanner, Scan, Scanner
from protocols.reading import Reading

BEAT = 1.0
"""Seconds between a channel's signs of life while it is scanned faster."""

_log = logging.getLogger(__name__)

Record = Callable[[ScanReadings], None]
"""Hands readings over without waiting. Raises `UnavailableError` where nothing more can be taken."""

Asked = Callable[[Reading], bool]
"""Whether those guards are content that must be asked at every reading."""


@dataclass(slots=True)
class _Waiting:
    """Who sits, and where news of it goes."""

    sitter: Sitter
    heartbeat: Heartbeat
    woken: "asyncio.Future[None]"
    readings: list[Reading] = field(default_factory=list)
    """What is to be judged, oldest first: the one that woke it, and what was measured after that one."""
    watch: asyncio.TimerHandle | None = None
    """Sees that it is counted."""


class Scans:
    """One scan of everybody who sits here every `interval` seconds, by absolute deadlines.

    Each reading is recorded before anything comes of it. Whoever has a reading that is not quiet is
    woken with it, at once, and judges it; so is everybody where a scan fails, without one. The task
    that looks is its owner's, who ends it with `aclose`. `patience` in seconds is what one scan may take.
    With a `sampler` the instrument's own timer measures, and is asked for what it has measured every
    `pause` seconds instead.
    """

    def __init__(
        self,
        name: str,
        scanner: Scanner,
        places: Sequence[str],
        interval: float,
        patience: float,
        record: Record,
        sampler: SamplingScanner | None = None,
        pause: float | None = None,
    ) -> None:
        self.name = name
        self.seats = Seats(places)
        self._scanner = scanner
        self._sampler = sampler
        self._pause = interval if pause is None else pause
        self._interval = interval
        self._patience = patience
        self._record = record
        self._waiting: dict[str, _Waiting] = {}
        self._leaving: set[str] = set()  # who was woken with a reading and has not got up yet
        self._asked: dict[str, Asked] = {}
        self._beats = max(1, round(BEAT / interval))  # scans from one sign of life to the next
        self._scans = 0
        self._somebody = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def sit(
        self, sitter: Sitter, gate: Gate, asked: Asked | None, heartbeat: Heartbeat
    ) -> Sequence[Reading]:
        """Be counted here until something happens; return the readings that are to be judged, in order.

        None where there are none: a person pauses, a scan failed, or nobody has looked for too long.
        What was counted until then is in `seats.count`.
        """
        loop = asyncio.get_running_loop()
        if gate.closed:
            return ()
        waiting = _Waiting(sitter, heartbeat, loop.create_future())
        self._waiting[sitter.place] = waiting
        gate.closing = partial(self._wake_with, sitter.place, None)
        if asked is not None:
            self._asked[sitter.place] = asked
        self.seats.sit(sitter)
        if self._task is None or self._task.done():
            self._task = loop.create_task(self._look(), name=f"scans of {self.name}")
        self._somebody.set()
        try:
            await self._woken(waiting)
            return waiting.readings
        finally:
            gate.closing = None
            self._leaving.discard(sitter.place)
            self._asked.pop(sitter.place, None)
            self._waiting.pop(sitter.place, None)
            self.seats.leave(sitter.place)

    async def aclose(self) -> None:
        """Look no more; who still sits is woken."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _woken(self, waiting: _Waiting) -> None:
        """Wait to be woken, but not for ever on somebody else's word: see that one is counted."""
        self._watch(waiting, waiting.sitter.count.readings)
        try:
            await waiting.woken
        finally:
            if waiting.watch is not None:
                waiting.watch.cancel()

    def _watch(self, waiting: _Waiting, seen: float) -> None:
        """Look again in a while; a thousand tasks that woke up to do so were a seventh of the core's work."""
        seconds = self._pause + 2.0 * self._patience
        waiting.watch = asyncio.get_running_loop().call_later(seconds, self._look_after, waiting, seen)

    def _look_after(self, waiting: _Waiting, seen: float) -> None:
        counted = self.seats.readings(waiting.sitter.place)
        if counted == seen:
            self._wake_with(waiting.sitter.place, None)
        else:
            self._watch(waiting, counted)

    async def _look(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        try:
            while True:
                await self._somebody.wait()
                due = next_deadline(due, loop.time(), self._pause)
                await asyncio.sleep(due - loop.time())
                if self.seats.places:
                    await self._scan(self.seats.places)
                else:
                    self._somebody.clear()
        except Exception:  # a fault of ours must not take the channels with it: they go on alone
            _log.exception("the scans of %s ended", self.name)
        finally:
            self._wake(list(self._waiting))

    async def _scan(self, places: tuple[str, ...]) -> None:
        try:
            async with asyncio.timeout(self._patience):
                scans = await self._asked_for(places)
        except (InstrumentError, TimeoutError):
            self._wake(places)  # each asks for its own reading, and judges what comes of that
            return
        for scan in scans:
            self._take(scan, places)

    async def _asked_for(self, places: tuple[str, ...]) -> Sequence[Scan]:
        if self._sampler is None:
            return [await self._scanner.scan(places)]
        return await self._sampler.samples(places, self._interval)

    def _take(self, scan: Scan, asked: tuple[str, ...]) -> None:
        """Record and compare what was seen of those who still sit; hand the rest to who has been woken."""
        for place in self._leaving:
            self._hand_over(self._waiting[place], scan, asked)
        places = self._counted(scan, asked)
        if places != asked:
            scan = _of(scan, asked, places)
        if not places:
            return
        seen = self.seats.seen(scan, places, self._objecting(scan, places))
        try:
            if seen.kept is not None:
                self._record(seen.kept)
        except UnavailableError:
            self._wake(places)
            return
        self.seats.accept(seen)
        self._scans += 1
        if self._scans % self._beats == 0:
            for place in places:
                self._waiting[place].heartbeat.beat()
        for position in seen.loud:
            plain = bool(scan.plain[position])
            self._wake_with(places[position], _reading(scan, position) if plain else None)

    def _counted(self, scan: Scan, asked: tuple[str, ...]) -> tuple[str, ...]:
        """Return who sat from before the question until now, and has a reading that is new to him."""
        if self._sampler is None and asked == self.seats.places and not self._leaving:
            return asked
        new = self.seats.before(scan.time)
        return tuple(place for place in asked if place in new and place not in self._leaving)

    def _hand_over(self, waiting: _Waiting, scan: Scan, asked: tuple[str, ...]) -> None:
        """Let somebody who was woken with a reading judge the ones after it as well."""
        if waiting.readings[-1].time < scan.time and waiting.sitter.place in asked:
            position = asked.index(waiting.sitter.place)
            if scan.plain[position]:
                waiting.readings.append(_reading(scan, position))

    def _objecting(self, scan: Scan, places: Sequence[str]) -> list[int]:
        """Ask the guards that remember; return the positions of the places where one objects."""
        if not self._asked:
            return []
        each = ((position, self._asked.get(place)) for position, place in enumerate(places))
        return [
            position for position, asked in each if asked is not None and not asked(_reading(scan, position))
        ]

    def _wake(self, places: Iterable[str]) -> None:
        for place in places:
            self._wake_with(place, None)

    def _wake_with(self, place: str, reading: Reading | None) -> None:
        waiting = self._waiting.get(place)
        if waiting is not None and not waiting.woken.done():
            waiting.woken.set_result(None)
            if reading is not None:
                self._leaving.add(place)
                waiting.readings.append(reading)


def _reading(scan: Scan, position: int) -> Reading:
    return Reading(scan.time, float(scan.voltage[position]), float(scan.current[position]))


def _of(scan: Scan, asked: Sequence[str], places: Sequence[str]) -> Scan:
    """Return what was seen at some of the places that were asked for, in their order."""
    there = set(places)
    positions = [position for position, place in enumerate(asked) if place in there]
    return Scan(scan.time, scan.voltage[positions], scan.current[positions], scan.plain[positions])
