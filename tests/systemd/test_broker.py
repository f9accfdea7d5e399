"""The broker as it is installed: who may say what, over its Unix socket and on loopback."""

import asyncio
import contextlib
import shutil
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import aiomqtt
import httpx
import msgspec
import pytest

from daemon.delivery import remark
from daemon.delivery.broker_users import made_up, with_entries
from daemon.delivery.connection import BrokerAddress, connected
from daemon.delivery.messages import HELLO_TOPIC, acknowledged_topic, data_topic
from daemon.delivery.outbox import Outbox
from daemon.delivery.presence import core_topic
from daemon.delivery.publisher import Publisher
from daemon.delivery.spool import Spool
from daemon.notices.commands import Command, Commands
from daemon.reading.results import Counts, Results
from daemon.recording.recorder import Recorder
from daemon.recording.store import Store
from daemon.requests import Pause
from daemon.web.app import application
from daemon.web.settings import Settings
from daemon.web.tokens import Scope, Tokens
from tests.daemon.deliveries import batched, ended, free_port, until, whole_run
from tests.systemd.tree import installed
from tests.web.test_mqtt import Asked

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(shutil.which("mosquitto") is None, reason="mosquitto is not installed here"),
]


class Installed(NamedTuple):
    root: Path
    socket: Path
    port: int

    @property
    def url(self) -> str:
        return f"mqtt+unix://{self.socket}"

    def answers(self) -> bool:
        """Whether the broker takes connections on both its listeners."""
        try:
            with socket.socket(socket.AF_UNIX) as local, socket.socket() as network:
                local.connect(str(self.socket))
                network.connect(("127.0.0.1", self.port))
        except OSError:
            return False
        return True

    def credentials(self, service: str) -> Path:
        """The folder systemd would make for the service: its own credential, and no other."""
        folder = self.root / "run" / service
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(self.root / f"etc/galvanod/credentials/{service}-broker", folder / "broker")
        return folder

    def admit(self, *people: str) -> None:
        """Give users of the ACL that are no services a password, as `mosquitto_passwd` would."""
        passwords = self.root / "etc/mosquitto/galvanod.passwords"
        for user in people:
            credential = made_up(user)
            (self.root / f"etc/galvanod/credentials/{user}-broker").write_text(credential)
            passwords.write_text(with_entries(passwords.read_text(), [credential]))


@pytest.fixture
def machine() -> Iterator[Installed]:
    """What is installed, with the paths of the broker's files moved below a folder of ours."""
    with tempfile.TemporaryDirectory() as folder:  # a socket's path has to be short
        root = Path(folder)
        installed(root)
        found = Installed(root, root / "mqtt.sock", free_port())
        path = root / "etc/mosquitto/conf.d/galvanod.conf"
        moved = path.read_text().replace("/run/galvanod-broker/mqtt.sock", str(found.socket))
        moved = moved.replace("/etc/mosquitto", f"{root}/etc/mosquitto").replace("1883", str(found.port))
        path.write_text(f"user root\n{moved}")  # as root it would become a user who cannot come in here
        yield found


@asynccontextmanager
async def mosquitto(machine: Installed) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *("mosquitto", "-c", str(machine.root / "etc/mosquitto/conf.d/galvanod.conf")),
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await until(lambda: machine.answers() or process.returncode is not None)
        assert process.returncode is None, "mosquitto does not take its configuration"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def as_service(machine: Installed, service: str, monkeypatch: pytest.MonkeyPatch) -> BrokerAddress:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(machine.credentials(service)))
    return BrokerAddress.parse(machine.url)


async def test_core_and_recorder_deliver_over_the_socket(
    machine: Installed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outbox = Outbox(Spool.open(tmp_path / "spool.db"), "lab", tick=0.002)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(machine.credentials("core")))
    publisher = Publisher(outbox, machine.url, patience=0.3)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(machine.credentials("recorder")))
    recorder = Recorder(machine.url, str(tmp_path / "results.db"), flush=0.002)
    work = [outbox.run(), publisher.run(), recorder.run()]  # before there is a broker, which is waited for
    tasks = [asyncio.create_task(one) for one in work]
    try:
        for item in whole_run("one"):
            outbox.put("rack-1", item)
        for _ in range(2):
            async with mosquitto(machine) as broker:
                await until(lambda: outbox.backlog == 0 and recorder.connected)
                broker.kill()  # its socket stays behind, and is no obstacle to the next
                await broker.wait()
                await until(lambda: not recorder.connected)
            outbox.put("rack-1", whole_run("two")[0])
    finally:
        for task in tasks:
            await ended(task)
        await outbox.aclose()
    assert Results.open(str(tmp_path / "results.db")).counts("one") == Counts(expected=40, stored=40)


DATA, ACKNOWLEDGED = data_topic("lab", "smu1"), acknowledged_topic("lab")


async def heard(
    machine: Installed,
    monkeypatch: pytest.MonkeyPatch,
    speaker: str,
    listener: str,
    said: Sequence[str] = (DATA, ACKNOWLEDGED, HELLO_TOPIC, "elsewhere"),
) -> set[str]:
    """Say everything as one service and return the topics that reach the other."""
    async with (
        connected(as_service(machine, listener, monkeypatch), "listener") as hearing,
        connected(as_service(machine, speaker, monkeypatch), "speaker") as speaking,
    ):
        for topic in said:
            await hearing.subscribe(topic, qos=1)
        for topic in said:
            await speaking.publish(topic, b"said", qos=1)
        await hearing.subscribe("nothing", qos=1)  # its answer comes after whatever was passed on before
        return {(await anext(hearing.messages)).topic.value for _ in range(len(hearing.messages))}


async def test_only_a_core_brings_readings(machine: Installed, monkeypatch: pytest.MonkeyPatch) -> None:
    async with mosquitto(machine):
        assert await heard(machine, monkeypatch, speaker="core", listener="recorder") == {DATA}
        assert await heard(machine, monkeypatch, speaker="recorder", listener="recorder") == set()


async def test_only_a_recorder_acknowledges(machine: Installed, monkeypatch: pytest.MonkeyPatch) -> None:
    async with mosquitto(machine):
        found = await heard(machine, monkeypatch, speaker="recorder", listener="core")
        assert found == {ACKNOWLEDGED, HELLO_TOPIC}
        assert await heard(machine, monkeypatch, speaker="core", listener="core") == set()


LAB = "galvanod/v1/lab"
ANNOUNCED = tuple(f"{LAB}/{what}" for what in ("channel/smu1/state", "channel/smu1/values", "event", "page"))
NOTES, KEPT = data_topic("page", "notes"), acknowledged_topic("page")
COMMAND, ANSWER = f"{LAB}/command/pause", f"{LAB}/answer/a1"
DEVICE = "homeassistant/device/galvanod_lab__smu1/config"
PEOPLES = (*ANNOUNCED, core_topic("lab"), NOTES, KEPT, COMMAND, ANSWER, DEVICE, DATA, ACKNOWLEDGED)


@pytest.mark.parametrize(
    ("speaker", "listener", "reached"),
    [
        ("web", "reader", {*ANNOUNCED, NOTES}),
        ("web", "recorder", {NOTES}),
        ("recorder", "web", {KEPT}),
        ("core", "reader", {core_topic("lab"), DATA, NOTES}),
        ("commander", "web", {COMMAND}),
        ("web", "commander", {ANSWER}),
        ("reader", "web", set()),
        ("reader", "recorder", set()),
        ("commander", "recorder", set()),
        ("web", "web", {DEVICE}),
    ],
)
async def test_the_page_announces_and_only_a_commander_asks(
    machine: Installed, monkeypatch: pytest.MonkeyPatch, speaker: str, listener: str, reached: set[str]
) -> None:
    machine.admit("reader", "commander")
    async with mosquitto(machine):
        assert await heard(machine, monkeypatch, speaker, listener, PEOPLES) == reached


async def test_a_note_is_kept_for_the_page_and_for_no_reader_of_the_broker(
    machine: Installed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.admit("reader")
    database = f"sqlite:///{tmp_path / 'results.db'}"
    store = Store.open(database)
    store.add([*batched(whole_run("one"))])
    store.close()
    token = Tokens.of(tmp_path / "tokens.json").renewed("anna", Scope.SUBMIT)
    app = application(
        Settings({"lab": tmp_path / "s"}, database, tmp_path / "tokens.json", tmp_path, broker=machine.url)
    )
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(machine.credentials("recorder")))
    recorder = Recorder(machine.url, database, flush=0.002)
    client = httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url="http://page",
        headers={"authorization": f"Bearer {token}"},
    )
    recording = asyncio.create_task(recorder.run())
    try:
        async with mosquitto(machine), client:
            await until(lambda: recorder.connected)
            monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(machine.credentials("web")))
            made = await client.post("/api/v1/runs/one/notes", json={"text": "swollen"})
            monkeypatch.setattr(remark, "PATIENCE", 0.5)
            monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(machine.credentials("reader")))
            refused = await client.post("/api/v1/runs/one/notes", json={"text": "by a reader"})
            found = (await client.get("/api/v1/runs/one/notes")).json()
    finally:
        await ended(recording)
        app.state.database.close()
        app.state.ledger.close()
    assert made.status_code == 201, made.text
    assert refused.status_code == 503
    assert "no recorder has confirmed" in refused.json()["detail"]
    assert [(each["text"], each["author"]) for each in found] == [("swollen", "anna")]


async def test_a_commander_is_obeyed_and_a_reader_with_the_same_token_is_not(
    machine: Installed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.admit("reader", "commander")
    tokens = Tokens(tmp_path / "tokens.json")
    secret = tokens.create("remote", Scope.CONTROL)
    cores = Asked(asyncio.Event())
    cores.answers.set()
    as_service(machine, "web", monkeypatch)
    obeying = asyncio.create_task(Commands(machine.url, cores, tokens).run())

    def pause(run: str) -> bytes:
        return msgspec.json.encode(Command(secret, run, time.time(), run=run))

    async def answered(client: aiomqtt.Client, run: str) -> Any:
        """Say it until somebody listens: a command is obeyed once, however often it comes."""
        async with asyncio.timeout(20):
            while True:
                await client.publish(COMMAND, pause(run), qos=1)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(1):
                        async for message in client.messages:
                            if message.topic.matches(f"{LAB}/answer/{run}"):
                                return message.payload

    try:
        async with (
            mosquitto(machine),
            connected(as_service(machine, "commander", monkeypatch), "commander") as commander,
            connected(as_service(machine, "reader", monkeypatch), "reader") as reader,
        ):
            await commander.subscribe(f"{LAB}/answer/+", qos=1)
            assert await answered(commander, "lab-1") == b'{"ok":"done 1"}'
            await reader.publish(COMMAND, pause("lab-2"), qos=1)
            assert await answered(commander, "lab-3") == b'{"ok":"done 2"}'
    finally:
        await ended(obeying)
    assert [request.run for request in cores.requests if isinstance(request, Pause)] == ["lab-1", "lab-3"]


@pytest.mark.parametrize("user", [(None, None), ("core", "wrong"), ("nobody", "wrong")])
async def test_nobody_else_comes_in(machine: Installed, user: tuple[str | None, str | None]) -> None:
    async with mosquitto(machine):
        for address in (
            BrokerAddress(str(machine.socket), None, *user),
            BrokerAddress("127.0.0.1", machine.port, *user),
        ):
            with pytest.raises(aiomqtt.MqttError, match=r"[Nn]ot authori"):
                async with connected(address, "intruder"):
                    pass


async def test_passwords_are_good_on_loopback_too(
    machine: Installed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(machine.credentials("core")))
    async with mosquitto(machine), connected(BrokerAddress.parse(f"mqtt://127.0.0.1:{machine.port}"), "core"):
        pass
