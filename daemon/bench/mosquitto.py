"""mosquitto as it comes, as a process of the bench."""

import asyncio
import os
from pathlib import Path

from daemon.errors import UnavailableError
from daemon.host.child import Child

_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"
_START = 5.0  # seconds until it listens


class Mosquitto(Child):
    """No configuration, nothing kept across its end; nothing durable is asked of a broker."""

    def __init__(self, url: str, log: Path) -> None:
        super().__init__("broker", [], log)
        self._port = url.rpartition(":")[2]

    async def start(self) -> None:
        with self._log_file.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                "mosquitto", "-p", self._port, stdout=log, stderr=log, env=os.environ | {"PATH": _PATH}
            )
        try:
            async with asyncio.timeout(_START):
                while not await self._listens():  # noqa: ASYNC110 - it tells nobody when it does
                    await asyncio.sleep(0.02)
        except TimeoutError:
            await self.stop()
            raise UnavailableError(f"mosquitto does not listen on port {self._port}") from None

    async def _listens(self) -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", int(self._port))
        except OSError:
            return False
        writer.close()
        return True
