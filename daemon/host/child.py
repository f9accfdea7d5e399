"""A process that `up` starts, watches and ends."""

import asyncio
import json
import logging
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from daemon.client import AnswerError
from daemon.errors import UnavailableError
from daemon.host.lifetime import STARTER
from daemon.requests import Trouble

_log = logging.getLogger(__name__)

_START = 30.0  # seconds until a process must have said that it is ready
_END = 15.0  # seconds to end by itself before it is killed


class Child:
    """One `galvanod` command as a process of its own; its first lines say, in JSON, where it is.

    `lines` is how many such lines it prints. Its log goes to a file, which errors name.
    """

    def __init__(self, name: str, arguments: Sequence[str], log: Path, lines: int = 1) -> None:
        self.name = name
        self.said: list[dict[str, Any]] = []
        self.restarts = 0
        self._arguments = arguments
        self._log_file = log
        self._lines = lines
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    async def start(self) -> None:
        """Start it and return once it is ready.

        Raises what it said was wrong, or `UnavailableError` with the end of its log.
        """
        with self._log_file.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "daemon",
                *self._arguments,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                start_new_session=True,  # an interrupt from the keyboard is ours to pass on, in order
                env=os.environ | {STARTER: str(os.getpid())},
            )
        try:
            async with asyncio.timeout(_START):
                self.said = [await self._line() for _ in range(self._lines)]
        except TimeoutError:
            await self.stop()
            raise UnavailableError(
                f"{self.name} was not ready within {_START:g} s; {self._last_words()}"
            ) from None

    async def keep(self) -> None:
        """Start it again whenever it ends, until cancelled."""
        while True:
            code = await self._running.wait()
            self.restarts += 1
            _log.warning("%s ended with %s and is started again", self.name, code)
            await asyncio.sleep(min(5.0, 0.25 * 2.0**self.restarts))
            try:
                await self.start()
            except UnavailableError as error:
                _log.error("%s", error)

    async def stop(self) -> None:
        """Ask it to end, and make it end if it does not."""
        if self._process is None or self._process.returncode is not None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(_END):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()

    @property
    def _running(self) -> asyncio.subprocess.Process:
        if self._process is None:
            raise UnavailableError(f"{self.name} has not been started")
        return self._process

    async def _line(self) -> dict[str, Any]:
        stdout = self._running.stdout
        line = await stdout.readline() if stdout is not None else b""
        if not line:
            await self._running.wait()
            raise UnavailableError(f"{self.name} did not start; {self._last_words()}")
        said: dict[str, Any] = json.loads(line)
        if "error" in said:
            raise AnswerError(msgspec.convert(said["error"], Trouble))
        return said

    def _last_words(self) -> str:
        lines = self._log_file.read_text(errors="replace").splitlines()
        return f"{self._log_file} ends with: {lines[-1] if lines else 'nothing'}"
