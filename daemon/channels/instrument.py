"""One instrument of the bench: its cable and its driver, shared by its channels."""

import asyncio
import contextlib
import hashlib
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from daemon.channels.bench_file import ChannelEntry, InstrumentEntry
from daemon.channels.transcript_file import TranscriptFile
from daemon.host.locks import owned
from drivers import registry
from drivers.base import Driver, Identity, Program
from drivers.deadman import Deadman
from drivers.links import Link
from drivers.links.opening import open_link
from drivers.links.transcript import RecordingLink
from drivers.whole import Taken, WholeProgram
from protocols.errors import GalvanodError


@dataclass(frozen=True, slots=True)
class Pending:
    """The program a channel may still be running, and who its instrument was when it was given it.

    Of a whole protocol, `taken` is how much of its record is kept.
    """

    identity: Identity
    tag: str
    program: Program | WholeProgram
    taken: Taken | None = None


class Instrument:
    """Opened when it is first needed, closed once; this process is its only owner on this machine."""

    def __init__(self, entry: InstrumentEntry, address: str) -> None:
        self.name = entry.name
        self.address = address
        self.driver_name = entry.driver
        self.settings = entry.settings
        self.driver_class = registry.driver(entry.driver).configured(entry.settings)
        self.deadman = _deadman(self.driver_class.deadman, entry.channels)
        """What opens the circuits without us."""
        self.driver: Driver | None = None
        self.trouble: str | None = None
        """Why it could not be opened; None when it could."""
        self._transcript = entry.transcript
        self._simulated = entry.simulation is not None
        self._origin: float | None = None
        self._opening = asyncio.Lock()
        self._resources = contextlib.AsyncExitStack()

    def facts(self) -> Mapping[str, Any]:
        """Return what a person wants to know of it, as plain data."""
        driver = self.driver
        return {
            "instrument": self.name,
            "driver": self.driver_name,
            "address": self.address,
            "identity": driver.identity._asdict() if driver is not None else None,
            "limits": {} if driver is None else {n: str(w) for n, _, w in driver.rating.named()},
            "deadman": str(self.deadman),
            "hardware_verified": self.driver_class.hardware_verified,
            "simulated": self._simulated,
            "transcript": str(self._transcript) if self._transcript is not None else None,
            "trouble": self.trouble,
        }

    async def opened(self, pending: Pending | None = None) -> tuple[Driver, float | None]:
        """Return the driver, opening the instrument first where that has not been done.

        The second value is the moment the pending program's own time was nought, where an instrument
        of one channel was found running it and left undisturbed.
        """
        async with self._opening:
            if self.driver is None:
                self.driver = await self._open(pending)
            return self.driver, self._origin

    async def aclose(self) -> None:
        """Let go of the cable; its channels have been taken care of."""
        async with self._opening:
            self.driver = None
            await self._resources.aclose()

    async def _open(self, pending: Pending | None) -> Driver:
        async with contextlib.AsyncExitStack() as stack:
            try:
                stack.enter_context(owned(lock_file(self.address), self.address))
                link: Link = await open_link(self.address, self.driver_class.link_options)
                stack.push_async_callback(link.aclose)
                if self._transcript is not None:
                    link = recorded(stack, link, self._transcript, self.driver_name)
                driver = await self._driver_on(link, pending)
                driver.adopt(self.deadman)
            except GalvanodError as error:
                self.trouble = str(error)
                raise
            self.trouble = None
            self._resources = stack.pop_all()
            return driver

    async def _driver_on(self, link: Link, pending: Pending | None) -> Driver:
        self._origin = None
        alone = not self.driver_class.many_channels
        if alone and pending is not None and isinstance(pending.program, Program):
            found = await self.driver_class.attach(link, pending.identity, pending.tag, pending.program)
            if found is not None:
                driver, self._origin = found
                return driver
        return await self.driver_class.open(link)


def _deadman(declared: Deadman, channels: Sequence[ChannelEntry]) -> Deadman:
    """Return the driver's dead-man, or a slower one on a simulated bench.

    A simulated instrument's clock stands still while we think, so looking at it more often than
    was wished would protect nothing and take the speed out of a rehearsal.
    """
    wished = [channel.sample for channel in channels if channel.simulation is not None]
    return declared.at_least(3.0 * max(wished)) if wished else declared


def recorded(stack: contextlib.AsyncExitStack, link: Link, path: Path, driver: str) -> Link:
    """Return the link with everything it says written down, until the stack ends."""
    file = stack.enter_context(TranscriptFile.open(path, driver, link.address))
    return RecordingLink(link, file)


def lock_file(address: str) -> Path:
    """One instrument, one owner on this machine, whatever the state directory."""
    digest = hashlib.sha256(address.encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"galvanod-instrument-{digest}.lock"
