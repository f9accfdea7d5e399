"""The recorder: takes batches from the broker to the database, and says what it has kept."""

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple

import aiomqtt
import msgspec

from daemon.delivery.connection import (
    QUEUED,
    Arrived,
    Backoff,
    BrokerAddress,
    connected,
    heed_cancellation,
    staying_connected,
)
from daemon.delivery.messages import (
    DATA_TOPICS,
    HELLO_TOPIC,
    VERSION,
    Acknowledged,
    Batch,
    RecorderHello,
    acknowledged_topic,
    data_topic,
)
from daemon.errors import BusyError, DamagedError, ServiceError, UnavailableError
from daemon.host.notify import Notifier
from daemon.recording.backup import FOLDER, latest_holdings
from daemon.recording.database import database_file
from daemon.recording.database_errors import UnstorableError
from daemon.recording.figure_maker import FigureMaker, OnStepEnded, no_figures
from daemon.recording.ingest import Ending
from daemon.recording.lineage import UNMARKED, Holdings, Mark
from daemon.recording.overview_maker import OverviewMaker
from daemon.recording.store import DeadLetter, Store

FLUSH = 0.005  # seconds messages are gathered for one commit
MOST = 256  # messages in one commit
LOOK_SECONDS = 30.0  # between looks for another backup
HELLO_SECONDS = 600.0  # between hellos without any news

logger = logging.getLogger(__name__)


class Letter(NamedTuple):
    """A message as it came, and when by the monotonic clock."""

    topic: str
    payload: bytes
    came: float


class Readable(NamedTuple):
    """A message and what it says."""

    letter: Letter
    batch: Batch


class Paces(NamedTuple):
    """Seconds the oldest message waited for its commit, and seconds that took."""

    waited: float
    took: float


class Kept(NamedTuple):
    """What one commit came to; all of it is in the database by the commit `mark`."""

    batches: list[Batch]
    endings: list[Ending]
    dead: list[DeadLetter]
    mark: Mark = UNMARKED


async def record(
    broker_url: str,
    database_url: str,
    name: str = "recorder",
    on_step_ended: OnStepEnded = no_figures,
    flush: float = FLUSH,
) -> None:
    """Record until cancelled.

    Raises `ConfigurationError` where one of the URLs, or the schema of the database, cannot be
    used, and `UnavailableError` where the database cannot be opened to begin with.
    """
    recorder = Recorder(broker_url, database_url, name, on_step_ended, flush)
    await recorder.run()


class Recorder:
    """Subscribes, commits what it gets, and acknowledges what is committed.

    Where the database is locked, full or gone it tries again and acknowledges nothing; a damaged
    file is set aside and built anew from its backup and what of it can still be read. Meanwhile
    at most `connection.QUEUED` messages wait in memory, and what is left out comes again from the
    cores. A message that cannot be used goes to the table of dead letters and is not acknowledged,
    so that its core keeps it until a recorder understands it.
    """

    def __init__(
        self,
        broker_url: str,
        database_url: str,
        name: str = "recorder",
        on_step_ended: OnStepEnded = no_figures,
        flush: float = FLUSH,
        look: float = LOOK_SECONDS,
        share: str | None = None,
    ) -> None:
        """With `share`, the name of a group, each message goes to one recorder of the group only."""
        self.connected = False
        self.trouble: str | None = None
        """Why the database takes nothing; None while it does."""
        self.batches = 0
        """Batches committed since the start, repeats included."""
        self.dead_letters = 0
        """Messages that could not be used since the start."""
        self._address = BrokerAddress.parse(broker_url)
        self._database_url = database_url
        self._name = name
        self._flush = flush
        self._look = look
        self._topics = DATA_TOPICS if share is None else f"$share/{share}/{DATA_TOPICS}"
        self._figures = FigureMaker(database_url, on_step_ended)
        self._overviews = OverviewMaker(database_url)
        self._decoder = msgspec.msgpack.Decoder(Batch)
        self._notifier = Notifier.of_environment()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="recorder")

    async def run(self, ready: Callable[[], None] = lambda: None) -> None:
        """Record until cancelled; a broker that is not there or goes away is waited for.

        `ready` is called once the database is open.
        """
        loop = asyncio.get_running_loop()
        store = await loop.run_in_executor(self._thread, Store.open_mended, self._database_url)
        ready()
        self._notifier.ready()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._figures.run(), name="figures")
                group.create_task(self._overviews.run(), name="overviews")
                await staying_connected(self._address, logger, partial(self._serve, store))
        finally:
            self._thread.shutdown()
            store.close()

    async def _serve(self, store: Store, arrived: Arrived) -> None:
        inbox: asyncio.Queue[Letter] = asyncio.Queue(QUEUED)
        try:
            async with (
                connected(self._address, f"galvanod-recorder-{self._name}") as client,
                asyncio.TaskGroup() as group,
            ):
                group.create_task(_receive(client, inbox), name="inbox")
                await client.subscribe(self._topics, qos=1)
                self.connected = True
                arrived()
                logger.info("recording from broker %s", self._address)
                await self._say_hello(client, store)
                group.create_task(self._tell_of_backups(client, store), name="backups")
                await self._record(client, inbox, store)
        finally:
            self.connected = False

    async def _record(self, client: aiomqtt.Client, inbox: asyncio.Queue[Letter], store: Store) -> None:
        while True:
            heed_cancellation()
            letters = await self._gather(inbox)
            began = time.monotonic()
            kept, was_in_trouble = await self._keep(store, letters)
            paces = Paces(began - letters[0].came, time.monotonic() - began)
            self._count(kept)
            self._figures.wake(kept.endings)
            await self._acknowledge(client, kept, paces)
            if was_in_trouble:
                await self._say_hello(client, store)  # what was left out meanwhile may come now

    async def _gather(self, inbox: asyncio.Queue[Letter]) -> list[Letter]:
        """Wait for a message, then take those that come within the flush window."""
        letters = [await inbox.get()]
        if inbox.qsize() < MOST:
            await asyncio.sleep(self._flush)
        while not inbox.empty() and len(letters) < MOST:
            letters.append(inbox.get_nowait())
        return letters

    async def _keep(self, store: Store, letters: Sequence[Letter]) -> tuple[Kept, bool]:
        """Commit, trying until the database takes it; also returns whether it did not at first."""
        readable, dead = self._sorted(letters)
        loop = asyncio.get_running_loop()
        backoff = Backoff(0.05)
        while True:
            try:
                kept = await loop.run_in_executor(self._thread, commit, store, readable, dead)
            except DamagedError as error:
                self._say_trouble(error)
                await self._mend(store, error, backoff)
            except UnavailableError as error:
                self._say_trouble(error)
                await asyncio.sleep(backoff.next())
            else:
                was_in_trouble = self.trouble is not None
                if was_in_trouble:
                    self._notifier.status("recording again")
                self.trouble = None
                return kept, was_in_trouble

    def _say_trouble(self, error: ServiceError) -> None:
        """Say it in the log when it begins, and in `systemctl status` as long as it lasts."""
        if self.trouble is None:
            logger.error("nothing is recorded for now: %s", error)
        self.trouble = str(error)
        self._notifier.status(f"nothing is recorded for now: {error}")

    async def _mend(self, store: Store, damage: DamagedError, backoff: Backoff) -> None:
        """Set the damaged database aside and build it anew; what cannot be done now is tried again."""
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._thread, store.mend, damage)
        except (UnavailableError, BusyError) as error:
            self._say_trouble(error)
            await asyncio.sleep(backoff.next())

    def _sorted(self, letters: Sequence[Letter]) -> tuple[list[Readable], list[DeadLetter]]:
        readable: list[Readable] = []
        dead: list[DeadLetter] = []
        for letter in letters:
            try:
                readable.append(Readable(letter, self._read(letter)))
            except ValueError as error:  # msgspec's errors are ValueErrors too
                dead.append(DeadLetter(letter.topic, letter.payload, str(error)))
        return readable, dead

    def _read(self, letter: Letter) -> Batch:
        batch = self._decoder.decode(letter.payload)
        if batch.version != VERSION:
            raise ValueError(f"version {batch.version}, wanted {VERSION}")
        if letter.topic != data_topic(batch.core, batch.instrument):
            raise ValueError(f"a batch of {batch.core!r} and {batch.instrument!r} came on {letter.topic!r}")
        return batch

    def _count(self, kept: Kept) -> None:
        self.batches += len(kept.batches)
        self.dead_letters += len(kept.dead)
        for letter in kept.dead:
            logger.error("a message on %s cannot be recorded: %s", letter.topic, letter.reason)

    async def _acknowledge(self, client: aiomqtt.Client, kept: Kept, paces: Paces) -> None:
        by_core: defaultdict[str, list[int]] = defaultdict(list)
        for batch in kept.batches:
            by_core[batch.core].append(batch.sequence)
        for core, sequences in by_core.items():
            acknowledged = Acknowledged(core, self._name, sequences, *kept.mark, *paces)
            await client.publish(acknowledged_topic(core), msgspec.msgpack.encode(acknowledged), qos=1)

    async def _tell_of_backups(self, client: aiomqtt.Client, store: Store) -> None:
        """Say hello again whenever there is another backup, and now and then for a core that was away."""
        told, said = await self._backed_up(), time.monotonic()
        while True:
            await asyncio.sleep(self._look)
            found = await self._backed_up()
            if found != told or time.monotonic() - said > HELLO_SECONDS:
                told, said = found, time.monotonic()
                await self._say_hello(client, store)

    async def _backed_up(self) -> Holdings:
        """Return what the newest backup holds; those of a database server are not ours to know."""
        path = database_file(self._database_url)
        if path is None:
            return {}
        return await asyncio.to_thread(latest_holdings, path.parent / FOLDER)

    async def _say_hello(self, client: aiomqtt.Client, store: Store) -> None:
        hello = RecorderHello(self._name, await self._holdings(store), await self._backed_up())
        await client.publish(HELLO_TOPIC, msgspec.msgpack.encode(hello), qos=1)

    async def _holdings(self, store: Store) -> Holdings:
        """Return what the database holds; nothing is said of one that does not answer."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, store.holdings)
        except ServiceError:
            return {}


def commit(store: Store, readable: Sequence[Readable], dead: Sequence[DeadLetter]) -> Kept:
    """Write what can be written, all together if it goes, one by one if some of it is at fault."""
    kept = _together(store, readable) if readable else Kept([], [], [])
    kept.dead.extend(dead)
    if kept.dead:
        store.bury(kept.dead)
    return kept._replace(mark=store.mark)


def _together(store: Store, readable: Sequence[Readable]) -> Kept:
    try:
        endings = store.add([batch for _, batch in readable])
    except UnstorableError as error:
        if len(readable) > 1:
            return _one_by_one(store, readable)
        letter = readable[0].letter
        return Kept([], [], [DeadLetter(letter.topic, letter.payload, str(error))])
    return Kept([batch for _, batch in readable], endings, [])


def _one_by_one(store: Store, readable: Sequence[Readable]) -> Kept:
    kept = Kept([], [], [])
    for one in readable:
        batches, endings, dead, _ = _together(store, [one])
        kept.batches.extend(batches)
        kept.endings.extend(endings)
        kept.dead.extend(dead)
    return kept


async def _receive(client: aiomqtt.Client, inbox: asyncio.Queue[Letter]) -> None:
    """Read ahead until the connection ends; what finds no room is left out, and will come again."""
    async for message in client.messages:
        payload = message.payload if isinstance(message.payload, bytes) else b""
        if not inbox.full():
            inbox.put_nowait(Letter(message.topic.value, payload, time.monotonic()))
