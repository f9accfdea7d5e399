"""The sender: brings each happening to whoever wants it, again where a server does not answer."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence

from daemon.errors import UnavailableError
from daemon.notices.allowance import Allowance
from daemon.notices.delivery import deliver
from daemon.notices.happening import Happening
from daemon.notices.notice_file import Recipient

_log = logging.getLogger(__name__)

MOST_WAITING = 200
"""Notices that may wait for one recipient whose server is away."""

PAUSES = (10.0, 60.0, 300.0, 900.0)
"""Seconds before each further attempt."""

Deliver = Callable[[Recipient, Happening, int, str], None]


class Sender:
    """One queue and one allowance for each recipient: a server that is away delays nobody else."""

    def __init__(
        self,
        recipients: Sequence[Recipient],
        page: str,
        deliver: Deliver = deliver,
        pauses: Sequence[float] = PAUSES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._page = page
        self._deliver = deliver
        self._pauses = pauses
        self._clock = clock
        self._lines = [(each, Allowance(), asyncio.Queue[Happening](MOST_WAITING)) for each in recipients]

    def hear(self, happening: Happening) -> None:
        """Send it to whoever wants it; never waits."""
        for recipient, allowance, line in self._lines:
            if not recipient.wants(happening):
                continue
            if line.full():
                allowance.withheld += 1
            elif allowance.admits(self._clock()):
                line.put_nowait(happening)

    async def run(self) -> None:
        """Send until cancelled."""
        async with asyncio.TaskGroup() as group:
            for recipient, allowance, line in self._lines:
                group.create_task(
                    self._serve(recipient, allowance, line), name=f"notices for {recipient.name}"
                )

    async def _serve(
        self, recipient: Recipient, allowance: Allowance, line: asyncio.Queue[Happening]
    ) -> None:
        while True:
            await self._send(recipient, await line.get(), allowance.taken())

    async def _send(self, recipient: Recipient, happening: Happening, withheld: int) -> None:
        for pause in (*self._pauses, None):
            try:
                await asyncio.to_thread(self._deliver, recipient, happening, withheld, self._page)
                return
            except UnavailableError as error:
                _log.warning("a notice could not be delivered: %s", error)
            if pause is not None:
                await asyncio.sleep(pause)
        _log.error("the notice %r was never delivered to %s", happening.subject, recipient.name)
