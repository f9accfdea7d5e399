"""The publisher: brings what the spool holds to a recorder, again and again until it is acknowledged."""

import asyncio
import logging
import math
from collections.abc import Sequence

import aiomqtt
import msgspec

from daemon.delivery.connection import (
    Arrived,
    BrokerAddress,
    heed_cancellation,
    staying_connected,
    without_password,
)
from daemon.delivery.messages import HELLO_TOPIC, Acknowledged, RecorderHello, acknowledged_topic
from daemon.delivery.outbox import Outbox
from daemon.delivery.presence import core_topic, present
from daemon.delivery.spool import Spooled, Told
from daemon.recording.lineage import Mark

PAGE = 20  # batches handed to the broker together: what mosquitto lets be in flight by default
LONGEST_PATIENCE = 60.0  # seconds between repeats while no recorder answers

logger = logging.getLogger(__name__)


class Publisher:
    """Publishes the batches of an outbox until a recorder has acknowledged them.

    At most `window` batches are sent without being acknowledged, so that no broker's queue
    overflows. When one was not acknowledged for `patience` seconds, on every new connection and
    when a recorder says hello, it goes back to the oldest one that is not acknowledged: of several
    recorders one may have died with what it was given, while the others go on. The patience doubles
    up to a minute until something is acknowledged. The broker is trusted with nothing.
    """

    def __init__(self, outbox: Outbox, broker_url: str, window: int = 200, patience: float = 5.0) -> None:
        """Raises `ConfigurationError` where the URL cannot be used."""
        self.connected = False
        self._outbox = outbox
        self.url = without_password(broker_url)
        """Where the broker is, as anybody may see it."""
        self._address = BrokerAddress.parse(broker_url)
        self._window = window
        self._shortest_patience = patience
        self._patience = patience
        self._outstanding: dict[int, float] = {}  # when each was sent, by the loop's clock; oldest first
        self._stuck = 0  # the batch for which patience was lost last, until it is acknowledged
        self._last_sent = 0
        self._highest_sent = 0
        self._rewound = 0
        self._revivals = 0
        self._acknowledged = msgspec.msgpack.Decoder(Acknowledged)
        self._hello = msgspec.msgpack.Decoder(RecorderHello)

    @property
    def unacknowledged(self) -> int:
        """How many batches were sent and are not yet acknowledged."""
        return len(self._outstanding)

    async def run(self) -> None:
        """Publish until cancelled; a broker that is not there or goes away is waited for."""
        await staying_connected(self._address, logger, self._serve)

    async def _serve(self, arrived: Arrived) -> None:
        core = self._outbox.core
        try:
            async with (
                present(self._address, f"galvanod-{core}", core_topic(core)) as client,
                asyncio.TaskGroup() as group,
            ):
                group.create_task(self._listen(client), name="acknowledgements")
                await client.subscribe([(acknowledged_topic(core), 1), (HELLO_TOPIC, 1)])
                self.connected = True
                arrived()
                logger.info("publishing to broker %s", self._address)
                self._go_back()
                await self._send(client)
        finally:
            self.connected = False

    async def _listen(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            payload = message.payload if isinstance(message.payload, bytes) else b""
            if message.topic.value == HELLO_TOPIC:
                self._welcome(payload)
            else:
                self._note(payload)

    def _welcome(self, payload: bytes) -> None:
        self._patience, self._stuck = self._shortest_patience, 0
        self._go_back()
        self._outbox.news.set()
        try:
            hello = self._hello.decode(payload)
        except msgspec.MsgspecError as error:
            logger.warning("of a hello that cannot be read no more is taken: %s", error)
            return
        if hello.holdings or hello.backed_up:
            self._outbox.hear(Told(hello.holdings, hello.backed_up))

    def _note(self, payload: bytes) -> None:
        try:
            acknowledged = self._acknowledged.decode(payload)
        except msgspec.MsgspecError as error:
            logger.warning("an acknowledgement that cannot be read is left aside: %s", error)
            return
        # What was never sent cannot have been recorded, whoever says so.
        sequences = [number for number in acknowledged.sequences if 0 < number <= self._highest_sent]
        if acknowledged.core != self._outbox.core or not sequences:
            return
        for number in sequences:
            self._outstanding.pop(number, None)
        if (
            self._stuck in sequences or self._stuck == 0
        ):  # one that no recorder can use is sent ever more seldom
            self._patience, self._stuck = self._shortest_patience, 0
        mark = Mark(acknowledged.database, acknowledged.commits)
        self._outbox.acknowledge(sequences, mark, acknowledged.waited, acknowledged.took)

    async def _send(self, client: aiomqtt.Client) -> None:
        while True:
            heed_cancellation()
            self._outbox.news.clear()
            page = await self._next_page()
            if page:
                await _publish(client, page)
            else:
                await self._wait()

    async def _next_page(self) -> Sequence[Spooled]:
        if self._revivals != self._outbox.revivals:  # a database lost what it had acknowledged
            self._revivals = self._outbox.revivals
            logger.warning("the results database lost what it had acknowledged: it is sent again")
            self._go_back()
        oldest = next(iter(self._outstanding.values()), math.inf)
        if asyncio.get_running_loop().time() > oldest + self._patience:  # though others are acknowledged
            self._lose_patience()
        room = min(PAGE, self._window - len(self._outstanding))
        if room <= 0:
            return ()
        after, rewound = self._last_sent, self._rewound
        if after == self._outbox.newest:
            return ()  # the news was an acknowledgement: the disk need not be asked
        page = await self._outbox.page(after, room)
        if rewound != self._rewound:
            return ()  # a hello came meanwhile, and its news: what is older has to go first
        now = asyncio.get_running_loop().time()
        for spooled in page:
            self._outstanding[spooled.sequence] = now
            self._last_sent = spooled.sequence
        self._highest_sent = max(self._highest_sent, self._last_sent)
        return page

    async def _wait(self) -> None:
        """Wait for news; with something outstanding, only as long as patience lasts."""
        oldest = next(iter(self._outstanding.values()), None)
        try:
            async with asyncio.timeout_at(None if oldest is None else oldest + self._patience):
                await self._outbox.news.wait()
        except TimeoutError:
            self._lose_patience()

    def _lose_patience(self) -> None:
        logger.info(
            "of %d batches sent the oldest was not acknowledged for %.0f s: sending again",
            len(self._outstanding),
            self._patience,
        )
        self._stuck = next(iter(self._outstanding), 0)
        self._patience = min(LONGEST_PATIENCE, 2 * self._patience)
        self._go_back()

    def _go_back(self) -> None:
        """Begin again with the oldest batch in the spool: the acknowledged ones are no longer there."""
        self._outstanding.clear()
        self._last_sent = 0
        self._rewound += 1


async def _publish(client: aiomqtt.Client, page: Sequence[Spooled]) -> None:
    """Hand the page to the broker, in order, and wait until it has all of it.

    No task group: until Python 3.12 one whose child fails last leaves the task around it marked
    as cancelled, which `heed_cancellation` would take for somebody's wish.
    """
    client.pending_calls_threshold = 2 * PAGE  # a page waits together; that is no cause for alarm
    sending = [asyncio.ensure_future(client.publish(each.topic, each.payload, qos=1)) for each in page]
    try:
        await asyncio.gather(*sending)
    finally:
        for task in sending:
            task.cancel()
        await asyncio.wait(sending)
