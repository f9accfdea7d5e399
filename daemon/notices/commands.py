"""Commands by MQTT: off unless they are asked for, and then only with a token that allows them.

`galvanod/v1/CORE/command/VERB` carries `{"token": …, "id": …, …}`; the answer comes on
`galvanod/v1/CORE/answer/ID`. A retained command is never obeyed: it is somebody's of long ago.
"""

import asyncio
import logging
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import aiomqtt
import msgspec

from daemon.client import AnswerError
from daemon.delivery.connection import Backoff, BrokerAddress, connected, heed_cancellation
from daemon.errors import ServiceError
from daemon.notices.announcer import topic
from daemon.requests import Clear, Pause, Request, Resume, Safe, Stop
from daemon.web.cores import Cores
from daemon.web.tokens import Scope, Tokens
from protocols.errors import GalvanodError

_log = logging.getLogger(__name__)

LONGEST = 4096
"""Bytes a command may have."""

_IDENTIFIER = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Command(msgspec.Struct, forbid_unknown_fields=True):
    """What somebody wants; which fields it takes depends on the verb."""

    token: str
    id: str
    run: str = ""
    channel: str = ""
    cell: str = ""
    reason: str = ""


class Commands:
    """Obeys commands of one broker for the cores behind the page."""

    def __init__(self, broker_url: str, cores: Cores, tokens: Tokens) -> None:
        self._address = BrokerAddress.parse(broker_url)
        self._cores = cores
        self._tokens = tokens

    async def run(self) -> None:
        """Obey until cancelled; a broker that is not there or goes away is waited for."""
        backoff = Backoff()
        while True:
            try:
                async with connected(self._address, f"galvanod-commands-{self._cores.names[0]}") as client:
                    await client.subscribe([(topic(core, "command", "+"), 1) for core in self._cores.names])
                    backoff.reset()
                    async for message in client.messages:
                        await self._heard(client, message)
            except aiomqtt.MqttError as error:
                _log.warning("commands: broker %s: %s", self._address, error)
            heed_cancellation()
            await asyncio.sleep(backoff.next())

    async def _heard(self, client: aiomqtt.Client, message: aiomqtt.Message) -> None:
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
        answer = await self.obey(core, verb, command)
        await client.publish(topic(core, "answer", command.id), msgspec.json.encode(answer), qos=1)

    async def obey(self, core: str, verb: str, command: Command) -> Mapping[str, Any]:
        """Do it; return what became of it as plain data."""
        try:
            request = _request(verb, command, self._name(command.token))
            return {"ok": await self._cores.ask(core, request)}
        except GalvanodError as error:
            kind = error.trouble.kind if isinstance(error, AnswerError) else type(error).__name__
            return {"error": {"kind": kind, "message": str(error)}}

    def _name(self, secret: str) -> str:
        token = self._tokens.holder(secret, datetime.now(UTC))
        if token is None:
            raise ServiceError("this token is not valid")
        if not token.scope.includes(Scope.CONTROL):
            raise ServiceError(f"token {token.name!r} may {token.scope.value}; wanted one for control")
        return f"{token.name} (MQTT)"


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
