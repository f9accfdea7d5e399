"""What the lab's MQTT broker carries for others, and what it may ask of a core."""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiomqtt

from daemon.delivery.connection import BrokerAddress, connected
from daemon.notices.commands import Commands
from daemon.web.cores import Cores
from daemon.web.tokens import Scope, Tokens
from tests.web.service import Service, channel, submission, until

STATE = "galvanod/v1/lab/channel/smu10/state"
EVENT = "galvanod/v1/lab/event"
ANSWER = "galvanod/v1/lab/answer/a1"


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
    async with asyncio.timeout(30):
        async for message in client.messages:
            if message.topic.matches(topic) and wanted in bytes(message.payload).decode():
                return json.loads(bytes(message.payload))
    raise AssertionError("the broker hung up")


async def test_states_are_retained_and_an_end_is_an_event(service: Service) -> None:
    with service.client() as client:
        run = client.post("/api/v1/runs", json=submission("smu10")).json()["run"]
        await asyncio.to_thread(until, lambda: channel(client, "smu10")["run"] == run)
        async with listening(service, STATE) as late:
            state = await first(late, STATE, "running")
            assert (state["run"], state["cell"]) == (run, "Li||Cu, PP")
        async with listening(service, EVENT) as events:
            client.post(f"/api/v1/runs/{run}/stop", json={"cell": "Li||Cu, PP"})
            event = await first(events, EVENT, run)
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
        with service.client() as client:
            run = client.post("/api/v1/runs", json=submission("smu10")).json()["run"]
            await asyncio.to_thread(until, lambda: channel(client, "smu10")["run"] == run)

            async def command(verb: str, token: str, **more: str) -> Any:
                async with listening(service, ANSWER) as answers:
                    body = json.dumps({"token": token, "id": "a1", "run": run} | more)
                    await answers.publish(f"galvanod/v1/lab/command/{verb}", body, qos=1)
                    return await first(answers, ANSWER)

            await asyncio.sleep(0.5)  # until it has subscribed; the broker tells nobody
            assert "not valid" in (await command("pause", "guessed"))["error"]["message"]
            assert (
                "wanted one for control" in (await command("pause", secrets[Scope.VIEW]))["error"]["message"]
            )
            assert channel(client, "smu10")["state"] == "running"
            assert (await command("pause", secrets[Scope.CONTROL]))["ok"].endswith("-paused")
            assert "wanted `cell`" in (await command("stop", secrets[Scope.CONTROL]))["error"]["message"]
            await command("stop", secrets[Scope.CONTROL], cell="Li||Cu, PP")
            audit = client.get("/api/v1/audit", params={"core": "lab"}).json()["entries"]
            assert next(each for each in audit if each["subject"] == run)["who"].startswith(
                "mqtt-control (MQTT)"
            )
    finally:
        obeying.cancel()
        await asyncio.wait({obeying})
