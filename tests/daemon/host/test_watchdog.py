"""The supervisor is pinged while every part of the service is alive, and only then."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from daemon.delivery.outbox import Outbox
from daemon.delivery.publisher import Publisher
from daemon.delivery.spool import NO_SCANS, NOTHING, Spool, Spooled, Told
from daemon.engines.gate import Gate
from daemon.engines.stepped import SteppedEngine
from daemon.host.heartbeat import Heartbeat, beating, feel_pulse
from daemon.host.notify import Notifier
from daemon.host.watchdog import Watchdog, interval_of
from daemon.recording.lineage import Mark
from daemon.running.logbook import Logbook
from daemon.running.run import Run, RunState
from drivers.base import SteppedChannel
from protocols.conditions import Quantity
from protocols.reading import Reading
from protocols.setpoint import AtRest
from protocols.techniques import ConstantCurrent
from tests.daemon.deliveries import until
from tests.daemon.plans import end, plan, step
from tests.daemon.stepped_bench import JumpClock, LinearCell, window


class Supervisor:
    """What systemd is to us: a datagram socket. `heard` empties it."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(address.replace("@", "\0", 1))
        self._socket.setblocking(False)

    def heard(self) -> list[str]:
        messages = []
        while True:
            try:
                messages.append(self._socket.recv(4096).decode())
            except BlockingIOError:
                return messages

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    listening = Supervisor(str(tmp_path / "notify"))
    yield listening
    listening.close()


class Hands:
    """A clock whose hands a test moves."""

    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time


def watchdog(supervisor: Supervisor, hands: Hands, *heartbeats: Heartbeat) -> Watchdog:
    return Watchdog(Notifier(supervisor.address), lambda: heartbeats, lambda: "2 of 3 busy", now=hands)


def test_the_words_of_the_protocol(supervisor: Supervisor) -> None:
    notifier = Notifier(supervisor.address)
    notifier.ready()
    notifier.ping("all\nwell")
    notifier.status("hm")
    notifier.extend(2.5)
    notifier.stopping(60.0)
    assert supervisor.heard() == [
        "READY=1",
        "WATCHDOG=1\nSTATUS=all well",
        "STATUS=hm",
        "EXTEND_TIMEOUT_USEC=2500000",
        "STOPPING=1\nEXTEND_TIMEOUT_USEC=60000000",
    ]


def test_an_abstract_address_is_heard_as_well() -> None:
    listening = Supervisor(f"@galvanod-test-{time.monotonic_ns()}")
    Notifier.of_environment({"NOTIFY_SOCKET": listening.address}).ready()
    assert listening.heard() == ["READY=1"]
    listening.close()


def test_nobody_who_asked_and_nobody_who_listens_are_no_trouble(tmp_path: Path) -> None:
    Notifier.of_environment({}).ready()
    Notifier(str(tmp_path / "nobody")).ready()


def test_a_supervisor_that_does_not_read_never_stalls_us(supervisor: Supervisor) -> None:
    notifier = Notifier(supervisor.address)
    for _ in range(2000):  # many more than its queue holds
        notifier.status("still here")
    assert 0 < len(supervisor.heard()) < 2000


def test_everything_fresh_is_a_ping(supervisor: Supervisor) -> None:
    hands = Hands()
    heartbeat = Heartbeat("smu1", 20.0, hands)
    dog = watchdog(supervisor, hands, heartbeat)
    for _ in range(5):
        hands.time += 19.0
        heartbeat.beat()
        dog.look()
    assert supervisor.heard() == ["WATCHDOG=1\nSTATUS=2 of 3 busy"] * 5


def test_one_silent_channel_is_no_ping_until_it_beats_again(supervisor: Supervisor) -> None:
    hands = Hands()
    silent, lively = Heartbeat("smu1", 20.0, hands), Heartbeat("smu2", 20.0, hands)
    dog = watchdog(supervisor, hands, silent, lively)
    dog.look()
    hands.time += 20.5
    lively.beat()
    dog.look()
    assert supervisor.heard()[1:] == ["STATUS=no sign of life from smu1; 2 of 3 busy"]
    assert dog.silent == ("smu1",)
    silent.beat()
    dog.look()
    assert supervisor.heard() == ["WATCHDOG=1\nSTATUS=2 of 3 busy"]


def test_a_channel_that_was_not_expected_to_beat_has_its_patience_from_then_on(
    supervisor: Supervisor,
) -> None:
    """Paused for an hour, then resumed: the first look comes before the first reading."""
    hands = Hands()
    heartbeat = Heartbeat("smu1", 20.0, hands)
    expected: list[Heartbeat] = []
    dog = Watchdog(Notifier(supervisor.address), lambda: expected, lambda: "", now=hands)
    dog.look()
    hands.time += 3600.0
    expected.append(heartbeat)
    dog.look()
    hands.time += 19.0
    dog.look()
    assert not dog.silent
    hands.time += 2.0
    dog.look()
    assert dog.silent == ("smu1",)


async def test_a_stalled_loop_pings_nobody(supervisor: Supervisor) -> None:
    dog = Watchdog(Notifier(supervisor.address), list, lambda: "", interval=0.005)
    task = asyncio.create_task(dog.run())
    await asyncio.sleep(0.03)
    assert supervisor.heard()
    time.sleep(0.1)  # noqa: ASYNC251  # this is the stall
    assert supervisor.heard() == []
    await asyncio.sleep(0.001)
    assert dog.lateness > 0.09
    task.cancel()
    await asyncio.wait({task})


async def test_a_channel_task_that_died_is_no_ping(supervisor: Supervisor) -> None:
    clock, hands = JumpClock(), Hands()
    heartbeat = Heartbeat("smu1", 20.0, hands)
    channel = beating(LinearCell(clock), heartbeat)
    assert isinstance(channel, SteppedChannel)
    await channel.apply(AtRest(4.3))

    async def channel_task() -> None:
        await channel.measure(0.1)
        raise RuntimeError("a fault of ours")

    dog = watchdog(supervisor, hands, heartbeat)
    task = asyncio.create_task(channel_task())
    await asyncio.wait({task})
    dog.look()
    assert supervisor.heard() == ["WATCHDOG=1\nSTATUS=2 of 3 busy"]
    hands.time += 21.0
    dog.look()
    assert supervisor.heard() == ["STATUS=no sign of life from smu1; 2 of 3 busy"]
    assert isinstance(task.exception(), RuntimeError)


class StalledSpool(Spool):
    """On a disk that takes no commit until it is mended, and says nothing meanwhile."""

    mended: threading.Event
    stalled: threading.Event

    def commit(
        self,
        batches: Sequence[Spooled],
        states: Mapping[str, bytes | None],
        acknowledged: Mapping[int, Mark] = NOTHING,
        told: Told | None = None,
        scans: Mapping[str, bytes] = NO_SCANS,
    ) -> int:
        self.stalled.set()
        self.mended.wait()
        return super().commit(batches, states, acknowledged, told, scans)


class AskedOutbox(Outbox):
    """Counts how often it was asked for a page."""

    asked = 0

    async def page(self, after: int, limit: int) -> list[Spooled]:
        self.asked += 1
        return await super().page(after, limit)


def stalled_outbox(tmp_path: Path) -> tuple[AskedOutbox, StalledSpool]:
    spool = StalledSpool.open(tmp_path / "spool.db")
    spool.mended, spool.stalled = threading.Event(), threading.Event()
    return AskedOutbox(spool, "lab", tick=0.001), spool


async def answers_of_a_thread_that_is_well(number: int) -> None:
    """Return after as long as so many of them take."""
    for _ in range(number):
        await asyncio.to_thread(lambda: None)


async def test_a_stalled_disk_silences_the_spool_and_a_mended_one_does_not(tmp_path: Path) -> None:
    outbox, spool = stalled_outbox(tmp_path)
    heartbeat = Heartbeat("the spool", 30.0)
    pulse = asyncio.create_task(feel_pulse(outbox, heartbeat, interval=0.001))
    writing = asyncio.create_task(outbox.run())
    outbox.checkpoint("lab-1", b"here")
    await asyncio.to_thread(spool.stalled.wait)
    await answers_of_a_thread_that_is_well(20)  # what was answered before the disk stalled is heard
    before, asked = heartbeat.last, outbox.asked
    await until(lambda: outbox.asked > 0)
    await answers_of_a_thread_that_is_well(100)
    assert heartbeat.last == before
    assert outbox.asked <= asked + 1
    spool.mended.set()
    await until(lambda: heartbeat.last > before)
    for task in (pulse, writing):
        task.cancel()
        await asyncio.wait({task})
    await outbox.aclose()


class SeenCell(LinearCell):
    """Notes the voltage of every reading it gave."""

    def __init__(self, clock: JumpClock) -> None:
        super().__init__(clock)
        self.seen: list[float] = []

    async def measure(self, within: float) -> Reading:
        reading = await super().measure(within)
        self.seen.append(reading.voltage)
        return reading


async def test_a_stalled_disk_and_a_dead_broker_delay_no_judgement(tmp_path: Path) -> None:
    """From 3.6 V at 1 A the window's 4.3 V is left after about 2000 s of the cell's time."""
    outbox, spool = stalled_outbox(tmp_path)
    clock = JumpClock()
    cell = SeenCell(clock)
    logbook, gate = Logbook("lab-1", lambda item: outbox.put("smu1", item)), Gate()
    limits = window((2.5, 4.3), 2.0)
    engine = SteppedEngine(cell, clock, limits, 1.0, logbook, gate)
    charge = step("charge", ConstantCurrent(1.0), end(Quantity.TIME, ">=", 20_000.0))
    run = Run(
        "lab-1",
        "smu1",
        plan(limits, charge),
        "linear",
        engine,
        logbook,
        gate,
        lambda item: outbox.put("smu1", item),
        lambda position: outbox.checkpoint("lab-1", b"somewhere"),
    )
    clients: list[asyncio.StreamWriter] = []
    deaf = await asyncio.start_server(lambda reader, writer: clients.append(writer), "127.0.0.1", 0)
    port = deaf.sockets[0].getsockname()[1]
    services = [
        asyncio.create_task(outbox.run()),
        *(asyncio.create_task(Publisher(outbox, f"mqtt://127.0.0.1:{at}").run()) for at in (9, port)),
    ]
    await until(lambda: clients != [])
    await run.conduct()
    committed, waiting = outbox.committed, outbox.waiting
    spool.mended.set()
    assert run.state is RunState.TRIPPED
    assert committed == 0
    assert waiting > 100
    assert cell.setpoint is None
    assert cell.seen[-1] > 4.3 >= max(cell.seen[:-1])  # not one reading later than it had to
    for task in reversed(services):
        task.cancel()
        await asyncio.wait({task})
    deaf.close()
    for client in clients:
        client.close()
        await client.wait_closed()
    await outbox.aclose()


@pytest.mark.parametrize(
    ("environment", "seconds"),
    [
        ({}, 2.5),
        ({"WATCHDOG_USEC": "4000000"}, 1.0),
        ({"WATCHDOG_USEC": "4000000", "WATCHDOG_PID": "1"}, 2.5),
    ],
)
def test_the_supervisor_sets_the_pace(environment: dict[str, str], seconds: float) -> None:
    assert interval_of(environment) == seconds
