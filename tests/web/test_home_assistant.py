"""Home Assistant: it is told of every channel as a device, and of none that is no longer there."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiomqtt
import msgspec
import pytest

from daemon.delivery.connection import BrokerAddress, connected
from daemon.delivery.presence import core_topic, page_topic, present
from daemon.errors import ConfigurationError
from daemon.glance import Values
from daemon.notices.announcer import Announcer
from daemon.notices.home_assistant import DEVICES, Devices
from daemon.web.seen import Seen
from daemon.web.settings import Settings
from tests.daemon.deliveries import ended, free_port, killed_broker
from tests.web.cores import IDLE, as_seen
from tests.web.documents import check

SMU1, SMU2 = (f"homeassistant/device/galvanod_lab__{name}/config" for name in ("smu1", "smu2"))
URL = "https://lab.example.org/"


def bench(*channels: str) -> Sequence[Seen]:
    """Return channels as they were seen."""
    values = Values(1_000.0, 1.0, 2.1, 0.0005, -7.2, -15.0, None, 3, 2)
    return [as_seen(msgspec.structs.replace(IDLE, channel=name), values) for name in channels]


def test_a_channel_is_told_once_and_told_off_when_it_leaves_the_bench() -> None:
    devices = Devices("lab", URL)
    assert devices.changes(bench()) == []  # the core has not said anything yet
    told = dict(devices.changes(bench("smu1", "smu2")))
    assert set(told) == {SMU1, SMU2}
    assert devices.changes(bench("smu1", "smu2")) == []
    assert devices.changes(bench("smu1")) == [(SMU2, b"")]
    assert devices.changes(bench("smu1")) == []


def test_a_device_of_before_goes_and_those_of_others_stay() -> None:
    devices = Devices("lab", URL)
    old = dict(devices.changes(bench("smu1", "smu2")))
    again = Devices("lab", URL)
    again.hear(SMU1, old[SMU1])
    again.hear(SMU2, old[SMU2])
    again.hear("homeassistant/device/galvanod_lab2__smu9/config", b"{}")
    again.hear("homeassistant/device/kitchen/config", b"{}")
    ((another, told),) = Devices("lab_2", URL).changes(bench("smu1"))
    again.hear(another, told)
    assert again.changes(bench("smu1")) == [(SMU2, b"")]


def test_what_somebody_deleted_in_home_assistant_is_left_deleted() -> None:
    devices = Devices("lab", URL)
    devices.changes(bench("smu1"))
    devices.hear(SMU1, b"")
    assert devices.changes(bench("smu1")) == []
    assert [topic for topic, _ in devices.changes(bench("smu1", "smu2"))] == [SMU2]


def test_no_two_channels_are_one_device() -> None:
    names = [("lab", "a-b"), ("lab-a", "b"), ("lab_a", "b"), ("lab", "a_b"), ("läb", "a"), ("lab", "a/b")]
    topics = set()
    for core, channel in names:
        ((topic, payload),) = Devices(core, URL).changes(bench(channel))
        topics.add(topic)
        assert topic.removeprefix("homeassistant/device/").removesuffix("/config").replace("_", "-").isascii()
        identifier = topic.split("/")[2]
        assert json.loads(payload)["device"]["identifiers"] == [identifier]
    assert len(topics) == len(names)


def test_its_sensors_show_what_the_announcements_say_in_the_units_people_use() -> None:
    sandbox = pytest.importorskip("jinja2.sandbox", reason="jinja2, which Home Assistant uses, is not here")
    templates = sandbox.SandboxedEnvironment()
    ((_, payload),) = Devices("lab", URL).changes(bench("smu1"))
    device = json.loads(payload)
    check(device, "Device")
    (seen,) = bench("smu1")
    values = msgspec.structs.asdict(seen.values)
    state = msgspec.structs.asdict(seen.facts) | {"core": "lab", "values": values, "latch": "voltage"}
    said = {"galvanod/v1/lab/channel/smu1/state": state, "galvanod/v1/lab/channel/smu1/values": values}

    def shown(name: str) -> tuple[str, str | None]:
        sensor = device["components"][name]
        template = templates.from_string(sensor["value_template"])
        return template.render(value_json=said[sensor["state_topic"]]), sensor.get("unit_of_measurement")

    assert shown("state") == ("idle", None)
    assert shown("problem") == ("ON", None)
    assert shown("voltage") == ("2.1", "V")
    assert shown("current") == ("0.5", "mA")
    assert shown("capacity") == ("-2.0", "mAh")
    assert shown("temperature") == ("None", "°C")
    attributes = templates.from_string(device["components"]["state"]["json_attributes_template"])
    assert json.loads(attributes.render(value_json=state))["latch"] == "voltage"
    assert "idle" in device["components"]["state"]["options"]


@dataclass(frozen=True, slots=True)
class Listener:
    """A client that has subscribed to a topic."""

    client: aiomqtt.Client
    topic: str

    async def heard(self, number: int) -> dict[str, Any]:
        """Return the next so many messages by topic; the embedded broker hands on those of others, too."""
        found: dict[str, Any] = {}
        async with asyncio.timeout(20):
            while len(found) < number:
                message = await anext(self.client.messages)
                payload = bytes(message.payload) if isinstance(message.payload, bytes) else b""
                if message.topic.matches(self.topic):
                    found[message.topic.value] = json.loads(payload) if payload else None
        return found


@asynccontextmanager
async def hearing(address: BrokerAddress, topic: str) -> AsyncIterator[Listener]:
    async with connected(address, f"hearing-{uuid.uuid4().hex}") as client:
        await client.subscribe(topic)
        yield Listener(client, topic)


async def test_devices_are_retained_and_gone_with_their_channels_and_say_whether_anybody_is_there() -> None:
    url = f"mqtt://127.0.0.1:{(port := free_port())}"
    address = BrokerAddress.parse(url)
    channels = list(bench("smu1", "smu2"))
    announcer = Announcer(url, "lab", lambda: channels, Devices("lab", URL))
    async with killed_broker(port):
        announcing = asyncio.create_task(announcer.run())
        async with (
            hearing(address, page_topic("lab")) as page,
            hearing(address, DEVICES) as devices,
            hearing(address, "galvanod/v1/lab/channel/+/state") as states,
        ):
            assert await page.heard(1) == {page_topic("lab"): "online"}
            announcer.look()
            told = await devices.heard(2)
            assert set(told) == {SMU1, SMU2}
            assert {each["topic"] for each in told[SMU1]["availability"]} == {
                page_topic("lab"),
                core_topic("lab"),
            }
            assert {each["channel"] for each in (await states.heard(2)).values()} == {"smu1", "smu2"}
            del channels[1]
            announcer.look()
            assert await devices.heard(1) == {SMU2: None}
            assert await states.heard(1) == {"galvanod/v1/lab/channel/smu2/state": None}
            async with hearing(address, DEVICES) as late:
                assert set(await late.heard(1)) == {SMU1}
            await ended(announcing)
            assert await page.heard(1) == {page_topic("lab"): "offline"}


async def test_a_cable_that_is_pulled_is_the_last_will() -> None:
    address = BrokerAddress("127.0.0.1", free_port())
    assert address.port is not None
    wires: list[asyncio.StreamWriter] = []

    async def carried(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner, outer = await asyncio.open_connection("127.0.0.1", address.port)
        wires.extend((writer, outer))

        async def carry(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            while piece := await source.read(4096):
                sink.write(piece)

        await asyncio.gather(carry(reader, outer), carry(inner, writer), return_exceptions=True)

    async with killed_broker(address.port):
        cable = await asyncio.start_server(carried, "127.0.0.1", 0)
        there = BrokerAddress("127.0.0.1", cable.sockets[0].getsockname()[1])
        async with hearing(address, core_topic("lab")) as core:
            async with present(there, "galvanod-lab", core_topic("lab")) as client:
                assert await core.heard(1) == {core_topic("lab"): "online"}
                for wire in wires:
                    wire.transport.abort()
                with pytest.raises(aiomqtt.MqttError):
                    await anext(client.messages)
            assert await core.heard(1) == {core_topic("lab"): "offline"}
        async with hearing(address, core_topic("lab")) as late:
            assert await late.heard(1) == {core_topic("lab"): "offline"}
        cable.close()


def test_devices_want_a_broker(tmp_path: Path) -> None:
    settings = Settings(
        {"lab": tmp_path}, "sqlite://", tmp_path / "tokens.json", tmp_path, home_assistant=True
    )
    with pytest.raises(ConfigurationError, match="--broker"):
        settings.check()
