"""Opening every circuit, with or without a core: no broker, no database, no disk is needed.

The core leaves the addresses of its instruments in its state directory when it starts. Whoever
finds it gone connects to each of them, opens the circuit, and has the instrument confirm it.
"""

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from daemon import small_file
from daemon.channels.bench_file import BenchFile
from daemon.channels.station import Station
from daemon.errors import ConfigurationError
from daemon.running.run import Run
from drivers import registry
from drivers.base import Driver
from drivers.deadman import DeadmanKind
from drivers.links.opening import open_link
from protocols.errors import GalvanodError

DEADLINE = 15.0
"""Seconds each channel may take; they go side by side."""

REASON = "made safe by `galvanod safe`"


class Circuit(NamedTuple):
    """What it takes to reach one channel of the bench; `place` as in its entry of the bench file."""

    channel: str
    driver: str
    address: str
    place: str | None = None
    position: int = 0
    settings: Mapping[str, str] = {}

    @property
    def driver_class(self) -> type[Driver]:
        """The driver, as the bench file has it."""
        return registry.driver(self.driver).configured(self.settings)

    @property
    def autonomous(self) -> bool:
        """Whether it ends by itself what it runs, so that its cell is safe without anybody."""
        return self.driver_class.deadman.kind is DeadmanKind.AUTONOMOUS


class Outcome(NamedTuple):
    """What became of one channel; `off` only where its instrument confirmed it."""

    channel: str
    address: str
    off: bool
    told: str


def leave(path: Path, circuits: Iterable[Circuit]) -> None:
    """Write the circuits down for a time without a core; never half of them.

    Raises `ConfigurationError` where the disk does not take it: nothing may run then.
    """
    text = json.dumps([circuit._asdict() for circuit in circuits], indent=1)
    try:
        small_file.replace(path, text.encode())
    except OSError as error:
        raise ConfigurationError(f"cannot write {path}: {error.strerror}") from error


def left(path: Path) -> list[Circuit]:
    """Return what a core left; none where no core ever was."""
    try:
        return [Circuit(**entry) for entry in json.loads(path.read_text(encoding="utf-8"))]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError) as error:
        raise ConfigurationError(f"{path}: wanted the instruments of a core: {error}") from error


def circuits(path: Path, bench: BenchFile | None) -> list[Circuit]:
    """Return the circuits of the bench file, or those a core left.

    Where a simulated instrument is, only the core knew.
    """
    known = left(path)
    if bench is None:
        if not known:
            raise ConfigurationError(
                f"no core left its instruments at {path}; name a bench file with --bench"
            )
        return known
    addresses = {circuit.channel: circuit.address for circuit in known}
    return [
        Circuit(channel.name, channel.driver, address, channel.place, channel.position, entry.settings)
        for entry in bench.instruments.values()
        for channel in entry.channels
        if (address := entry.address or addresses.get(channel.name)) is not None
    ]


async def make_all_safe(circuits: Sequence[Circuit], deadline: float = DEADLINE) -> list[Outcome]:
    """Open every circuit directly, all instruments at once; in the order they were given."""
    by_cable: dict[tuple[str, str], list[Circuit]] = {}
    for circuit in circuits:
        by_cable.setdefault((circuit.driver, circuit.address), []).append(circuit)
    made = await asyncio.gather(*(_made_safe(together, deadline) for together in by_cable.values()))
    outcomes = {
        (circuit.channel, circuit.address): outcome
        for together, done in zip(by_cable.values(), made, strict=True)
        for circuit, outcome in zip(together, done, strict=True)
    }
    return [outcomes[circuit.channel, circuit.address] for circuit in circuits]


async def _made_safe(together: Sequence[Circuit], deadline: float) -> list[Outcome]:
    """Open the circuits of one instrument, each for itself if that fails for all of them at once."""
    off, told = await _attempt(together, deadline)
    if off or len(together) == 1:
        return [Outcome(circuit.channel, circuit.address, off, told) for circuit in together]
    share = max(1.0, deadline / len(together))
    return [(await _made_safe([circuit], share))[0] for circuit in together]


async def _attempt(together: Sequence[Circuit], deadline: float) -> tuple[bool, str]:
    """Open them and have the instrument confirm it. Never raises for what an instrument does."""
    try:
        async with asyncio.timeout(deadline):
            return True, await _disconnected(together)
    except TimeoutError:
        return False, f"no end within {deadline:g} s"
    except GalvanodError as error:
        return False, str(error)


async def make_stations_safe(
    stations: Iterable[Station], everything: bool, deadline: float = DEADLINE
) -> list[Outcome]:
    """Do the same from inside the core, which holds the instruments; their runs end as stopped."""
    concerned = [
        station
        for station in stations
        if everything or station.driver_class.deadman.kind is not DeadmanKind.AUTONOMOUS
    ]
    return list(await asyncio.gather(*(_station_made_safe(station, deadline) for station in concerned)))


async def _disconnected(together: Sequence[Circuit]) -> str:
    driver_class = together[0].driver_class
    link = await open_link(together[0].address, driver_class.link_options)
    try:
        places = [(circuit.place, circuit.position) for circuit in together]
        identity = await driver_class.disconnect(link, places)
    finally:
        await link.aclose()
    return f"{identity.maker} {identity.model} {identity.serial}"


async def _station_made_safe(station: Station, deadline: float) -> Outcome:
    try:
        async with asyncio.timeout(deadline):
            if isinstance(station.run, Run) and not station.run.over:  # a parked run's circuit is open
                await station.run.stop(REASON)
            driver = await station.opened()
            await (await station.channel()).off()
    except TimeoutError:
        return Outcome(station.name, station.address, False, f"the core had no end within {deadline:g} s")
    except GalvanodError as error:
        return Outcome(station.name, station.address, False, str(error))
    identity = driver.identity
    return Outcome(
        station.name, station.address, True, f"{identity.maker} {identity.model} {identity.serial}"
    )
