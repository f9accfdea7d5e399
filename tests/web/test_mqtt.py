"""What the lab's MQTT broker carries for others, and what it may ask of a core."""

import asyncio
import json
import sqlite3
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiomqtt
import msgspec

from daemon.delivery.connection import BrokerAddress, connected
from daemon.notices.commands import Command, Commands
from daemon.requests import Request
from daemon.web.cores import Cores
from daemon.web.tokens import Scope, Tokens
from tests.web.documents import check
from tests.web.service import CELL, PATIENCE, Service, begun, channel, until

STATE = "galvanod/v1/lab/channel/smu10/state"
EVENT = "galvanod/v1/lab/event"


@asynccontextmanager
async def listening(service: Service, topic: str) -> AsyncIterator[aiomqtt.Client]:
    """Subscribe to a topic of the service's broker while inside."""
    address = BrokerAddress.parse(service.places.read_where()["broker"])
    async with connected(address, f"test-{topic.replace('/', '-')}") as client:
        await client.subscribe(topic)
        yield client


async def first(client: aiomqtt.Client, topic: str, wanted: str = "") -> Any:
    """Return the next message of a topic whose text has this in it.

    The embedded broker also hands on what was meant for a client that has gone.
    """
    async with asyncio.timeout(PATIENCE):
        async for message in client.messages:
            if message.topic.matches(topic) and wanted in bytes(message.payload).decode():
                return json.loads(bytes(message.payload))
    raise AssertionError("the broker hung up")


async def test_states_are_retained_and_an_end_is_an_event(service: Service) -> None:
    with service.client() as client, begun(client, "smu10") as run:
        await asyncio.to_thread(until, lambda: channel(client, "smu10")["run"] == run)
        async with listening(service, STATE) as late:
            state = await first(late, STATE, f'"{run}"')
            check(state, "State")
            assert (state["run"], state["state"], state["cell"]) == (run, "running", CELL)
        async with listening(service, EVENT) as events:
            client.post(f"/api/v1/runs/{run}/stop", json={"cell": CELL})
            event = await first(events, EVENT, run)
            check(event, "Event")
    assert (event["kind"], event["channel"]) == ("end", "smu10")
    assert event["text"] == f"run {run} on Li||Cu, PP is stopped"
    with sqlite3.connect(service.places.state / "results.db") as database:
        assert database.execute("SELECT topic FROM dead_letters").fetchall() == []
    database.close()


async def test_a_command_wants_a_token_that_allows_it(service: Service) -> None:
    tokens = Tokens.of(service.places.tokens)
    secrets = {
        scope: service.token_for(f"mqtt-{scope.value}", scope) for scope in (Scope.VIEW, Scope.CONTROL)
    }
    broker = service.places.read_where()["broker"]
    obeying = asyncio.create_task(Commands(broker, Cores({"lab": service.places.socket}), tokens).run())
    try:
        with service.client() as client, begun(client, "smu10") as run:

            async def command(verb: str, token: str, **more: object) -> Any:
                body = {"token": token, "id": uuid.uuid4().hex, "run": run, "at": time.time()} | more
                check(body, "Command")
                answer = f"galvanod/v1/lab/answer/{body['id']}"
                async with listening(service, answer) as answers:
                    found = await _answered(answers, answer, f"galvanod/v1/lab/command/{verb}", body)
                check(found, "Answer")
                return found

            def done() -> list[str]:
                audit = client.get("/api/v1/audit", params={"core": "lab"}).json()["entries"]
                return [f"{each['what']} by {each['who']}" for each in audit if each["subject"] == run]

            assert "not valid" in (await command("pause", "guessed"))["error"]["message"]
            viewing = await command("pause", secrets[Scope.VIEW])
            assert "wanted one for control" in viewing["error"]["message"]
            late = await command("pause", secrets[Scope.CONTROL], at=time.time() - 120.0)
            assert "nothing was done" in late["error"]["message"]
            assert [each.partition(" ")[0] for each in done()] == ["submit"]
            assert (await command("pause", secrets[Scope.CONTROL]))["ok"].endswith("-paused")
            assert "wanted `cell`" in (await command("stop", secrets[Scope.CONTROL]))["error"]["message"]
            await command("stop", secrets[Scope.CONTROL], cell=CELL)
            by = "by mqtt-control (MQTT)"
            assert [each.partition(" by ")[0] for each in done() if by in each] == ["stop", "pause"]
    finally:
        obeying.cancel()
        await asyncio.wait({obeying})


async def _answered(client: aiomqtt.Client, answer: str, command: str, body: dict[str, object]) -> Any:
    """Say it until it is answered: a broker tells nobody whether somebody listens yet.

    A command is obeyed once, however often it comes.
    """
    async with asyncio.timeout(PATIENCE):
        while True:
            await client.publish(command, json.dumps(body), qos=1)
            with suppress(TimeoutError):
                async with asyncio.timeout(5.0):
                    return await first(client, answer)


class Asked(Cores):
    """Cores that only count what they are asked, and answer when they are let."""

    def __init__(self, answers: asyncio.Event) -> None:
        super().__init__({"lab": Path("none.sock")})
        self.answers = answers
        self.requests: list[Request] = []

    async def ask(self, core: str, request: Request, patience: float | None = None) -> Any:
        self.requests.append(request)
        await self.answers.wait()
        return f"done {len(self.requests)}"


async def test_a_command_that_comes_twice_is_obeyed_once(tmp_path: Path) -> None:
    tokens = Tokens(tmp_path / "tokens.json")
    secret = tokens.create("remote", Scope.CONTROL)
    cores = Asked(asyncio.Event())
    commands = Commands("mqtt://127.0.0.1", cores, tokens, lambda: 1000.0)
    resume = Command(secret, "a1", 999.0, run="lab-1")
    both = asyncio.gather(*(commands.obey("lab", "resume", resume) for _ in range(2)))
    await asyncio.sleep(0)
    cores.answers.set()
    assert await both == [{"ok": "done 1"}] * 2
    assert await commands.obey("lab", "resume", resume) == {"ok": "done 1"}
    assert len(cores.requests) == 1
    for moment in (939.0, 1061.0, float("nan")):
        refused = await commands.obey("lab", "resume", msgspec.structs.replace(resume, id="a2", at=moment))
        assert "nothing was done" in refused["error"]["message"]
    assert len(cores.requests) == 1
