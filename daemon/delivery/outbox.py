"""The outbox: what was put in since the last tick, on its way to the spool."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from daemon.delivery.messages import Batch, Item, ReadingRow, Readings, ScanReadings, data_topic
from daemon.delivery.spool import Spool, Spooled, Told
from daemon.errors import UnavailableError
from daemon.recording.lineage import UNMARKED, Mark

BATCH_BYTES = 192 * 1024
READING_BYTES = 66  # the longest a ReadingRow gets in msgpack: 7 values of 9 bytes, and the row's own
CAPACITY = 500_000
TICK = 0.03
"""Seconds: a quarter of the interval of fast channels, and some ten times what a commit takes."""

REMEMBERED = 4096  # of batches on their way
LATEST = 1024  # delays that are told of: some seconds' worth under load

logger = logging.getLogger(__name__)


State = bytes | Callable[[], bytes] | None
"""A run's position: encoded, or still to be encoded when the commit begins; None forgets the run."""


class Entry(NamedTuple):
    """An item and the instrument it came from."""

    instrument: str
    item: Item


@dataclass(slots=True)
class Load:
    """What one commit carries."""

    entries: list[Entry] = field(default_factory=list)
    states: dict[str, State] = field(default_factory=dict)
    scans: dict[str, Callable[[], bytes]] = field(default_factory=dict)
    acknowledged: dict[int, Mark] = field(default_factory=dict)
    told: Told | None = None
    readings: int = 0
    began: dict[str, float] = field(default_factory=dict)
    """When the oldest item of each instrument was put, by the monotonic clock."""

    def __bool__(self) -> bool:
        return bool(self.entries or self.states or self.scans or self.acknowledged or self.told)


class Delay(NamedTuple):
    """Seconds from a batch's oldest item to its acknowledgement, and what they went into.

    `spooled` until it was on the core's disk; `carried` by publisher and broker, there and back; `waited`
    by the recorder until it had gathered what comes together; `took` in the commit.
    """

    total: float
    spooled: float
    carried: float
    waited: float
    took: float


class Outbox:
    """Takes items at once and commits them to the spool, all instruments together, once per tick.

    To be used from the event loop's thread; the spool itself is only touched by a thread of its
    own. Where the disk does not take a commit, everything stays in memory, is tried again at the
    next tick, and `trouble` says why. No reading is ever dropped: with more than `capacity`
    readings waiting, `put` refuses further ones with `UnavailableError`, so that the run which
    can no longer be recorded ends instead of going on unseen. Rare items are always taken.
    """

    def __init__(self, spool: Spool, core: str, tick: float = TICK, capacity: int = CAPACITY) -> None:
        self.core = core
        self.trouble: str | None = None
        """Why the last commit failed; None when it did not."""
        self.committed = 0
        """Readings committed since the start."""
        self.revivals = 0
        """How often batches that were acknowledged once became pending again."""
        self.news = asyncio.Event()
        """Set whenever the spool has changed; for whoever empties it."""
        self.newest = spool.next_sequence - 1
        """The number of the latest batch on the disk."""
        self._spool = spool
        self._tick = tick
        self._capacity = capacity
        self._load = Load()
        self._stirred = asyncio.Event()
        self._writing: asyncio.Future[None] | None = None
        self._seconds = 0.0
        self.delays: deque[Delay] = deque(maxlen=LATEST)
        """Of the batches that were acknowledged lately."""
        self._under_way: dict[int, tuple[float, float]] = {}  # when each began, and when it was on the disk
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="spool")

    @property
    def backlog(self) -> int:
        """How many batches are on the disk and not yet acknowledged."""
        return self._spool.count - len(self._load.acknowledged)

    @property
    def waiting(self) -> int:
        """How many readings are in memory and not yet on the disk."""
        return self._load.readings

    @property
    def kept_bytes(self) -> int:
        """Bytes on the disk that were acknowledged and wait for a backup to hold them."""
        return self._spool.kept_bytes

    def put(self, instrument: str, item: Item) -> None:
        """Keep the item; returns at once.

        Raises `UnavailableError` for readings when full, and TypeError for what cannot be encoded:
        here, where it is the caller's, rather than later in a commit that is everybody's.
        """
        if not isinstance(item, ScanReadings):  # whose columns are bytes already
            msgspec.msgpack.encode(item)
        count = _readings_in(item)
        if count:
            if self._load.readings >= self._capacity:
                raise UnavailableError(
                    f"{self._load.readings} readings wait for the disk and no more than {self._capacity} may:"
                    f" {self.trouble or 'the disk is too slow'}"
                )
            self._load.readings += count
        self._load.entries.append(Entry(instrument, item))
        if instrument not in self._load.began:
            self._load.began[instrument] = time.monotonic()
        self._stirred.set()

    def checkpoint(self, run: str, state: State) -> None:
        """Commit `state` with the readings put so far; the latest wins, None forgets the run.

        A callable is asked when the commit begins, so that it tells of exactly the readings in it.
        """
        self._load.states[run] = state
        self._stirred.set()

    def checkpoint_scan(self, scans: str, state: Callable[[], bytes]) -> None:
        """Commit where all runs stand that are scanned together; asked when the commit begins."""
        self._load.scans[scans] = state
        self._stirred.set()

    def acknowledge(
        self, sequences: Iterable[int], mark: Mark = UNMARKED, waited: float = 0.0, took: float = 0.0
    ) -> None:
        """Send these batches no more: a recorder has committed them, by that commit of its database.

        They had waited for that commit, and it took, so many seconds.
        """
        self._load.acknowledged.update(dict.fromkeys(sequences, mark))
        self._note_delays(sequences, waited, took)
        self._stirred.set()
        self.news.set()

    def hear(self, told: Told) -> None:
        """Compare at the next tick what is kept with what a recorder's database and its backup hold.

        What the database has lost is pending again then, and `revivals` has grown.
        """
        self._load.told = told
        self._stirred.set()

    async def page(self, after: int, limit: int) -> list[Spooled]:
        """Return up to `limit` unacknowledged batches numbered above `after`, oldest first."""
        loop = asyncio.get_running_loop()
        page = await loop.run_in_executor(self._thread, self._spool.page, after, limit)
        return [spooled for spooled in page if spooled.sequence not in self._load.acknowledged]

    async def number_run(self) -> int:
        """Return the number of the next run of this state directory."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._spool.number_run)

    async def run(self) -> None:
        """Commit at every tick that has something to commit; once more when cancelled."""
        loop = asyncio.get_running_loop()
        deadline = loop.time()
        try:
            while True:
                await self._stirred.wait()
                deadline = next_deadline(deadline, loop.time(), self._pause())
                await asyncio.sleep(deadline - loop.time())
                await self._commit()
        finally:
            await self._commit()

    async def flush(self) -> None:
        """Return once everything put so far is on the disk; raises `UnavailableError` if it is not."""
        await self._commit()
        if self.trouble is not None:
            raise UnavailableError(f"the spool did not take {self.waiting} readings: {self.trouble}")

    async def aclose(self) -> None:
        """Commit what is left, then close the spool and end its thread."""
        await self._commit()
        await asyncio.get_running_loop().run_in_executor(self._thread, self._spool.close)
        self._thread.shutdown()

    def _note_delays(self, sequences: Iterable[int], waited: float, took: float) -> None:
        now = time.monotonic()
        for number in sequences:
            if (moments := self._under_way.pop(number, None)) is not None:
                began, spooled = moments
                carried = now - spooled - waited - took
                self.delays.append(Delay(now - began, spooled - began, carried, waited, took))

    def _pause(self) -> float:
        """Return the tick, longer after a failure whose attempt was long: retrying must stay cheap."""
        return self._tick if self.trouble is None else max(self._tick, 10 * self._seconds)

    async def _commit(self) -> None:
        while self._writing is not None:
            await asyncio.wait({self._writing})
        if not self._load:
            return
        load, self._load = self._load, Load()
        self._stirred.clear()
        states = {run: state() if callable(state) else state for run, state in load.states.items()}
        scans = {name: state() for name, state in load.scans.items()}
        loop = asyncio.get_running_loop()
        self._writing = loop.run_in_executor(self._thread, self._write, load, states, scans)
        began = loop.time()
        self._writing.add_done_callback(lambda written: self._settle(load, written, loop.time() - began))
        await asyncio.wait({self._writing})  # survives a cancelled caller; the callback keeps the books

    def _settle(self, load: Load, written: asyncio.Future[None], seconds: float) -> None:
        self._writing = None
        self._seconds = seconds
        error = written.exception()
        if error is None:
            self._taken(load)
        else:
            self._refused(load, error)

    def _taken(self, load: Load) -> None:
        if self.trouble is not None:
            logger.info("the spool takes readings again")
        self.trouble = None
        self.committed += load.readings
        self.news.set()

    def _refused(self, load: Load, error: BaseException) -> None:
        if self.trouble is None:
            logger.error("the spool takes no readings: %s", error)
        self.trouble = str(error) or type(error).__name__
        later = self._load
        self._load = Load(
            load.entries + later.entries,
            load.states | later.states,
            load.scans | later.scans,
            load.acknowledged | later.acknowledged,
            later.told or load.told,
            load.readings + later.readings,
            later.began | load.began,
        )
        self._stirred.set()

    def _write(self, load: Load, states: Mapping[str, bytes | None], scans: Mapping[str, bytes]) -> None:
        """Encode and commit; runs in the spool's thread."""
        spooled: list[Spooled] = []
        began: dict[int, float] = {}
        sequence = self._spool.next_sequence
        for instrument, items in grouped(load.entries):
            topic = data_topic(self.core, instrument)
            for portion in portions(merged(items)):
                batch = Batch(self.core, self._spool.epoch, sequence, instrument, portion)
                spooled.append(Spooled(sequence, topic, msgspec.msgpack.encode(batch)))
                began[sequence] = load.began[instrument]
                sequence += 1
        if self._spool.commit(spooled, states, load.acknowledged, load.told, scans):
            self.revivals += 1
        if len(self._under_way) < REMEMBERED:  # an outage is long enough to be seen without
            now = time.monotonic()
            self._under_way.update({number: (moment, now) for number, moment in began.items()})
        self.newest = sequence - 1


def next_deadline(last: float, now: float, tick: float) -> float:
    """Return the first multiple of `tick` after `last` that is not yet over."""
    missed = max(0, int((now - last) / tick))
    return last + (missed + 1) * tick


def grouped(entries: Iterable[Entry]) -> Iterator[tuple[str, list[Item]]]:
    """Yield each instrument with its items, in the order they were put."""
    by_instrument: dict[str, list[Item]] = {}
    for instrument, item in entries:
        by_instrument.setdefault(instrument, []).append(item)
    yield from by_instrument.items()


def merged(items: Iterable[Item]) -> list[Item]:
    """Join readings of one run, step and cycle that follow each other; the order within a run stays."""
    joined: list[Item] = []
    growing: dict[str, tuple[Readings, list[ReadingRow]]] = {}
    for item in items:
        if isinstance(item, ScanReadings):
            joined.append(item)
        elif not isinstance(item, Readings):
            growing.pop(item.run, None)
            joined.append(item)
        elif item.run in growing and _follows(item, *growing[item.run]):
            growing[item.run][1].extend(item.rows)
        else:
            rows = list(item.rows)
            group = Readings(item.run, item.step, item.cycle, item.first, rows)
            growing[item.run] = (group, rows)
            joined.append(group)
    return joined


def portions(items: Sequence[Item], limit: int = BATCH_BYTES) -> Iterator[list[Item]]:
    """Split the items so that no batch is larger than about `limit` bytes; a larger item goes alone."""
    portion: list[Item] = []
    size = 0
    pieces = (piece for item in items for piece in _pieces(item, limit // READING_BYTES))
    for piece in pieces:
        weight = _weight(piece)
        if portion and size + weight > limit:
            yield portion
            portion, size = [], 0
        portion.append(piece)
        size += weight
    if portion:
        yield portion


def _follows(item: Readings, group: Readings, rows: Sequence[ReadingRow]) -> bool:
    return (item.step, item.cycle, item.first) == (group.step, group.cycle, group.first + len(rows))


def _pieces(item: Item, most: int) -> Iterator[Item]:
    if not isinstance(item, Readings) or len(item.rows) <= most:
        yield item
        return
    for start in range(0, len(item.rows), most):
        rows = item.rows[start : start + most]
        yield Readings(item.run, item.step, item.cycle, item.first + start, rows)


def _readings_in(item: Item) -> int:
    match item:
        case Readings():
            return len(item.rows)
        case ScanReadings():
            return len(item.runs)
    return 0


def _weight(item: Item) -> int:
    if isinstance(item, Readings | ScanReadings):
        return 128 + READING_BYTES * _readings_in(item)
    return len(msgspec.msgpack.encode(item))
