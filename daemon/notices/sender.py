"""The sender: brings each happening to whoever wants it, also after a restart or a day without a server.

What is still to be told is kept in a file until it has been: a notice may come twice, with the
same identifier, but none is lost with the process.
"""

import asyncio
import hashlib
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from daemon import small_file
from daemon.errors import ServiceError, UnavailableError
from daemon.notices.delivery import deliver
from daemon.notices.happening import Happening
from daemon.notices.line import Line, Notice
from daemon.notices.notice_file import Recipient

_log = logging.getLogger(__name__)

PAUSES = (10.0, 60.0, 300.0, 900.0)
"""Seconds before each further attempt; the last one again and again."""

OLDEST = 72 * 3600.0
"""Seconds after which nobody is told any more of what happened."""

Deliver = Callable[[Recipient, Notice, str], None]


class Sender:
    """One line for each recipient: a server that is away delays nobody else."""

    def __init__(
        self,
        recipients: Sequence[Recipient],
        page: str,
        file: Path,
        deliver: Deliver = deliver,
        pauses: Sequence[float] = PAUSES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`page` is where the page is; `file` keeps what is still to be told."""
        self._page = page
        self._file = file
        self._deliver = deliver
        self._pauses = pauses
        self._clock = clock
        self._lines = {_key(each): Line(each) for each in recipients}
        self._take_up(small_file.read(file))

    def hear(self, happening: Happening) -> None:
        """Send it to whoever wants it; never waits."""
        for line in self._lines.values():
            if line.recipient.wants(happening):
                line.add(happening)

    def keep(self) -> None:
        """Write down what is still to be told."""
        small_file.write(self._file, {key: line.plain() for key, line in self._lines.items()})

    async def run(self) -> None:
        """Send until cancelled."""
        async with asyncio.TaskGroup() as group:
            for line in self._lines.values():
                group.create_task(self._serve(line), name=f"notices for {line.recipient.name}")

    async def _serve(self, line: Line) -> None:
        while True:
            notice = line.next(self._clock())
            if notice is None:
                await line.until_more(self._clock())
                continue
            await self._send(line.recipient, notice)
            line.told(notice, self._clock())
            self.keep()

    async def _send(self, recipient: Recipient, notice: Notice) -> None:
        """Deliver it, however long its server is away; one that refuses it is asked a few times."""
        begun, refused, attempts = self._clock(), 0, 0
        while True:
            try:
                await asyncio.to_thread(self._deliver, recipient, notice, self._page)
                return
            except UnavailableError as error:
                _log.warning("a notice waits: %s", error)
            except ServiceError as error:
                _log.warning("a notice was refused: %s", error)
                refused += 1
            pause = self._pauses[min(attempts, len(self._pauses) - 1)]
            attempts += 1
            if refused >= len(self._pauses) or self._clock() - begun > OLDEST:
                _log.error("%r was never told to %s", notice.happening.subject, recipient.name)
                return
            await asyncio.sleep(pause)

    def _take_up(self, kept: object) -> None:
        if not isinstance(kept, Mapping):
            return
        for key, waiting in kept.items():
            try:
                found = msgspec.convert(waiting, list[Happening])
            except msgspec.ValidationError as error:
                _log.warning("%s: %s", self._file, error)
                continue
            for happening in found:
                if key in self._lines and time.time() - happening.at < OLDEST:
                    self._lines[key].add(happening)


def _key(recipient: Recipient) -> str:
    """Name a recipient in the file; the path of a webhook is often a secret."""
    return hashlib.sha256((recipient.email or recipient.webhook or "").encode()).hexdigest()[:16]
