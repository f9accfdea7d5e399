"""The `galvanod` command as a person or a script runs it: a process, its exit status, its words."""

import asyncio
import json
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_PATIENCE = 240.0  # seconds; the longest command is the demonstration, on a machine with much else to do


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command left behind."""

    status: int
    output: str
    complaints: str

    @property
    def json(self) -> Any:
        return json.loads(self.output)

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.output.splitlines()]


async def galvanod(*arguments: str, state: Path | None = None, patience: float = _PATIENCE) -> Answer:
    """Run one command to its end."""
    where = ["--state", str(state)] if state is not None else []
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "daemon",
        *arguments,
        *where,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(patience):
            output, complaints = await process.communicate()
    except BaseException:
        await _end(process)
        raise
    return Answer(process.returncode or 0, output.decode(), complaints.decode())


async def _end(process: asyncio.subprocess.Process) -> None:
    """Interrupt a command as a person would, so that it ends what it has started; then kill it."""
    process.send_signal(signal.SIGINT)
    try:
        async with asyncio.timeout(60):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
