"""Rehearsals for whoever asks over the network: one at a time, each a process, ended when nobody looks."""

import asyncio
import contextlib
import json
import os
import secrets
import signal
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from daemon.errors import UnavailableError, UnknownError
from daemon.host.lifetime import STARTER
from daemon.rehearsals.rehearsal import LONGEST, SETTLING, Wanted
from daemon.requests import Trouble

MOST_WAITING = 8
"""Rehearsals that may wait for their turn."""

MOST_KEPT = 16
KEPT = 900.0
"""Seconds for which the outcome of one that is over can be asked for."""

UNWATCHED = 20.0
"""Seconds after which a rehearsal that nobody has asked for is ended."""

ENDING = 8.0
"""Seconds for its process to end before it is killed."""

STARTING = 90.0
"""Seconds beyond the time of its run in which a rehearsal must be over."""

LONGEST_LINE = 32 << 20


@dataclass(slots=True)
class Hosted:
    """A rehearsal of somebody. `state` is waiting, running, done, refused or ended; `found` is the latest."""

    name: str
    maker: str
    wanted: Wanted
    begun: float
    asked: float
    state: str = "waiting"
    found: Mapping[str, Any] | None = None
    trouble: Trouble | None = None
    task: asyncio.Task[None] | None = field(default=None, repr=False)

    @property
    def over(self) -> bool:
        """Whether nothing more will come of it."""
        return self.state not in ("waiting", "running")


class Rehearsals:
    """The rehearsals of one web process."""

    def __init__(self) -> None:
        self._hosted: dict[str, Hosted] = {}
        self._turn = asyncio.Lock()

    def begin(self, wanted: Wanted, maker: str) -> Hosted:
        """Begin one for somebody, or let it wait; what the same person had under way ends.

        Raises `UnavailableError` where too many wait.
        """
        self._forget()
        for one in self._under_way():
            if one.maker == maker:
                self._end(one)
        if len(self._under_way()) > MOST_WAITING:
            raise UnavailableError("too many rehearsals wait already; try again in a minute")
        now = time.monotonic()
        one = Hosted(secrets.token_hex(8), maker, wanted, now, now)
        one.task = asyncio.create_task(self._host(one), name=f"rehearsal {one.name}")
        self._hosted[one.name] = one
        return one

    def look(self, name: str, maker: str) -> Hosted:
        """Return one of somebody's, who thereby still looks at it. Raises `UnknownError`."""
        one = self._hosted.get(name)
        if one is None or one.maker != maker:
            raise UnknownError(
                f"there is no rehearsal {name[:40]!r} of yours; they are kept for a while only"
            )
        one.asked = time.monotonic()
        return one

    def place(self, one: Hosted) -> int:
        """Return how many are before it."""
        return sum(other.begun < one.begun for other in self._under_way()) if one.state == "waiting" else 0

    def end(self, name: str, maker: str) -> None:
        """End one of somebody's."""
        self._end(self.look(name, maker))

    async def aclose(self) -> None:
        """End all of them, and wait until their processes are gone."""
        tasks = [one.task for one in self._hosted.values() if one.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _end(self, one: Hosted) -> None:
        if one.task is not None and not one.over:
            one.task.cancel()

    def _under_way(self) -> list[Hosted]:
        return [one for one in self._hosted.values() if not one.over]

    def _forget(self) -> None:
        now = time.monotonic()
        over = [one for one in self._hosted.values() if one.over]
        for count, one in enumerate(reversed(over)):
            if count >= MOST_KEPT or now - one.asked > KEPT:
                del self._hosted[one.name]

    async def _host(self, one: Hosted) -> None:
        """Wait for its turn, and follow its process to its end, or until nobody looks any more."""
        try:
            async with asyncio.TaskGroup() as group:
                watching = group.create_task(_watched(one))
                async with self._turn:
                    one.state = "running"
                    await _follow(one)
                watching.cancel()
        except* _UnwatchedError:
            one.state = "ended"
        except* asyncio.CancelledError:
            one.state = "ended"
        finally:
            if not one.over:
                one.state = "ended"


class _UnwatchedError(Exception):
    """Nobody has asked for a rehearsal for a while."""


async def _watched(one: Hosted) -> None:
    while (left := one.asked + UNWATCHED - time.monotonic()) > 0.0:  # noqa: ASYNC110 - each look moves the end
        await asyncio.sleep(left)
    raise _UnwatchedError


async def _follow(one: Hosted) -> None:
    """Run the process of a rehearsal and hear what it says, until it ends."""
    with tempfile.TemporaryDirectory(prefix="galvanod-rehearsed-") as folder:
        try:
            process = await _process(one.wanted, Path(folder))
        except (OSError, ValueError) as error:  # no memory, no disk, or a text no command line can carry
            _refuse(one, Trouble("UnavailableError", f"the rehearsal cannot be started: {error}", 69))
            return
        try:
            async with asyncio.timeout(one.wanted.seconds + SETTLING + STARTING):
                await _hear(one, process)
        except TimeoutError:
            _refuse(one, Trouble("UnavailableError", "the rehearsal did not come to its end in time", 69))
        finally:
            await _gone(process)


async def _hear(one: Hosted, process: asyncio.subprocess.Process) -> None:
    assert process.stdout is not None  # noqa: S101 - it was asked for
    while line := await process.stdout.readline():
        said = json.loads(line)
        if "error" in said:
            _refuse(one, msgspec.convert(said["error"], Trouble))
            return
        if "so_far" in said:
            one.found = said["so_far"]
            continue
        one.found, one.state = said, "done"
        return
    _refuse(
        one, Trouble("UnavailableError", "the rehearsal ended without a result; it may be tried again", 69)
    )


def _refuse(one: Hosted, trouble: Trouble) -> None:
    one.trouble, one.state = trouble, "refused"


async def _process(wanted: Wanted, folder: Path) -> asyncio.subprocess.Process:
    """Start `galvanod rehearse` on the two files, which are called what the API calls them."""
    for name, source in (("protocol", wanted.protocol), ("cell", wanted.cell)):
        (folder / name).write_text(source.text, encoding="utf-8", errors="surrogateescape")
    variables = [part for name, value in wanted.variables.items() for part in ("--var", f"{name}={value}")]
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "daemon", "rehearse", "protocol", "--cell", "cell"),
        *("--on", wanted.family, "--window", json.dumps(asdict(wanted.window))),
        *("--seconds", str(min(wanted.seconds, LONGEST)), "--json", "--progress", *variables),
        cwd=folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
        env=os.environ | {STARTER: str(os.getpid())},
        limit=LONGEST_LINE,
    )


async def _gone(process: asyncio.subprocess.Process) -> None:
    """Ask it to end, make it end if it does not, and wait until it has; whatever is said to us meanwhile."""
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(ENDING):
            await asyncio.shield(process.wait())
    except TimeoutError:
        process.kill()
        await process.wait()
