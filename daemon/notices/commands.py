"""Commands by MQTT: off unless they are asked for, and then only with a token that allows them.

`galvanod/v1/CORE/command/VERB` carries `{"token": …, "id": …, "at": …, …}`; the answer comes on
`galvanod/v1/CORE/answer/ID`. A command is obeyed once, and only while it is fresh: one that is
retained, was kept by a broker for a page that was away, or is sent again is somebody's of long ago.
"""

import asyncio
import logging
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import aiomqtt
import msgspec

from daemon.client import AnswerError
from daemon.delivery.connection import Arrived, BrokerAddress, connected, staying_connected
from daemon.errors import ServiceError
from daemon.notices.announcer import topic
from daemon.requests import Clear, Pause, Request, Resume, Safe, Stop
from daemon.web.cores import Cores
from daemon.web.tokens import Scope, Token, Tokens
from protocols.errors import GalvanodError

_log = logging.getLogger(__name__)

LONGEST = 4096
"""Bytes a command may have."""

FRESH = 60.0
"""Seconds by which a command's moment may differ from ours; also how far two clocks may be apart."""

MOST_REMEMBERED = 1_000
"""Commands whose answers are remembered, for who sends one again."""

MOST_AT_ONCE = 16
"""Commands under way; a core that does not answer keeps the others from nobody's stop."""

_IDENTIFIER = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Command(msgspec.Struct, forbid_unknown_fields=True):
    """What somebody wants; which fields it takes depends on the verb. `at` is UTC seconds."""

    token: str
    id: str
    at: float
    run: str = ""
    channel: str = ""
    cell: str = ""
    reason: str = ""


class Commands:
    """Obeys commands of one broker for the cores behind the page."""

    def __init__(
        self, broker_url: str, cores: Cores, tokens: Tokens, clock: Callable[[], float] = time.time
    ) -> None:
        self._address = BrokerAddress.parse(broker_url)
        self._cores = cores
        self._tokens = tokens
        self._clock = clock
        self._under_way: set[asyncio.Task[None]] = set()
        self._answers: OrderedDict[tuple[str, str], asyncio.Future[Mapping[str, Any]]] = OrderedDict()

    async def run(self) -> None:
        """Obey until cancelled; a broker that is not there or goes away is waited for."""
        await staying_connected(self._address, _log, self._serve)

    async def _serve(self, arrived: Arrived) -> None:
        try:
            async with connected(self._address, f"galvanod-commands-{self._cores.names[0]}") as client:
                await client.subscribe([(topic(core, "command", "+"), 1) for core in self._cores.names])
                arrived()
                async for message in client.messages:
                    self._heard(client, message)
        finally:
            for task in self._under_way:
                task.cancel()

    def _heard(self, client: aiomqtt.Client, message: aiomqtt.Message) -> None:
        core, kind, verb = message.topic.value.split("/")[2:5]
        if (
            kind != "command"
            or message.retain
            or not isinstance(message.payload, bytes)
            or len(message.payload) > LONGEST
        ):
            return
        try:
            command = msgspec.json.decode(message.payload, type=Command)
        except msgspec.MsgspecError as error:
            _log.warning("a command that cannot be read is left aside: %s", error)
            return
        if _IDENTIFIER.fullmatch(command.id) is None:
            return
        if len(self._under_way) >= MOST_AT_ONCE:
            _log.warning("a command is left aside, %d are under way", MOST_AT_ONCE)
            return
        task = asyncio.create_task(self._answered(client, core, verb, command), name=f"command {command.id}")
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _answered(self, client: aiomqtt.Client, core: str, verb: str, command: Command) -> None:
        answer = await self.obey(core, verb, command)
        try:
            await client.publish(topic(core, "answer", command.id), msgspec.json.encode(answer), qos=1)
        except aiomqtt.MqttError as error:
            _log.warning("the answer to command %s was not taken: %s", command.id, error)

    async def obey(self, core: str, verb: str, command: Command) -> Mapping[str, Any]:
        """Do it, once; return what became of it as plain data, also to who sends it again."""
        try:
            token = self._allowed(command)
        except ServiceError as error:
            return _refusal(error)
        key = (token.name, command.id)
        if (earlier := self._answers.get(key)) is not None:
            return await asyncio.shield(earlier)
        while len(self._answers) >= MOST_REMEMBERED:
            self._answers.popitem(last=False)
        answer: asyncio.Future[Mapping[str, Any]] = asyncio.ensure_future(
            self._done(core, verb, command, f"{token.name} (MQTT)")
        )
        self._answers[key] = answer
        return await asyncio.shield(answer)

    async def _done(self, core: str, verb: str, command: Command, by: str) -> Mapping[str, Any]:
        try:
            return {"ok": await self._cores.ask(core, _request(verb, command, by))}
        except GalvanodError as error:
            return _refusal(error)

    def _allowed(self, command: Command) -> Token:
        token = self._tokens.holder(command.token, datetime.now(UTC))
        if token is None:
            raise ServiceError("this token is not valid")
        if not token.scope.includes(Scope.CONTROL):
            raise ServiceError(f"token {token.name!r} may {token.scope.value}; wanted one for control")
        age = self._clock() - command.at
        if not -FRESH <= age <= FRESH:
            raise ServiceError(
                f"`at` is {age:.0f} s ago; wanted UTC seconds within {FRESH:.0f} s of now: nothing was done"
            )
        return token


def _refusal(error: GalvanodError) -> Mapping[str, Any]:
    kind = error.trouble.kind if isinstance(error, AnswerError) else type(error).__name__
    return {"error": {"kind": kind, "message": str(error)}}


def _request(verb: str, command: Command, by: str) -> Request:
    match verb:
        case "pause":
            return Pause(command.run, by=by)
        case "resume":
            return Resume(command.run, by=by)
        case "stop":
            if not command.cell:
                raise ServiceError("a run is stopped by who names its cell: wanted `cell`")
            return Stop(command.run, command.reason or "stopped by MQTT", None, command.cell, by=by)
        case "clear":
            return Clear(command.channel, command.reason, by=by)
        case "safe":
            return Safe(everything=True, by=by)
    raise ServiceError(f"there is no command {verb[:32]!r}; there are pause, resume, stop, clear, safe")
