"""Opening every circuit, with or without a core: no broker, no database, no disk is needed.

The core leaves the addresses of its instruments in its state directory when it starts. Whoever
finds it gone connects to each of them, opens the circuit, and has the instrument confirm it.
"""

import asyncio
import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from daemon.bench_file import BenchFile
from daemon.errors import ConfigurationError
from daemon.run import Run
from daemon.station import Station
from drivers import registry
from drivers.deadman import DeadmanKind
from drivers.links.opening import open_link
from protocols.errors import GalvanodError

DEADLINE = 15.0
"""Seconds each channel may take; they go side by side."""

REASON = "made safe by `galvanod safe`"


class Instrument(NamedTuple):
    """What it takes to reach one channel of the bench."""

    channel: str
    driver: str
    address: str

    @property
    def autonomous(self) -> bool:
        """Whether it ends by itself what it runs, so that its cell is safe without anybody."""
        return registry.driver(self.driver).deadman.kind is DeadmanKind.AUTONOMOUS


class Outcome(NamedTuple):
    """What became of one channel; `off` only where its instrument confirmed it."""

    channel: str
    address: str
    off: bool
    told: str


def leave(path: Path, instruments: Iterable[Instrument]) -> None:
    """Write the instruments down for a time without a core; never half of them.

    Raises `ConfigurationError` where the disk does not take it: nothing may run then.
    """
    partial = path.with_name(path.name + ".part")
    try:
        with partial.open("w", encoding="utf-8") as file:
            json.dump([instrument._asdict() for instrument in instruments], file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        raise ConfigurationError(f"cannot write {path}: {error.strerror}") from error


def left(path: Path) -> list[Instrument]:
    """Return what a core left; none where no core ever was."""
    try:
        return [Instrument(**entry) for entry in json.loads(path.read_text(encoding="utf-8"))]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError) as error:
        raise ConfigurationError(f"{path}: wanted the instruments of a core: {error}") from error


def instruments(path: Path, bench: BenchFile | None) -> list[Instrument]:
    """Return the instruments of the bench file, or those a core left.

    Where a simulated instrument is, only the core knew.
    """
    known = left(path)
    if bench is None:
        if not known:
            raise ConfigurationError(
                f"no core left its instruments at {path}; name a bench file with --bench"
            )
        return known
    addresses = {instrument.channel: instrument.address for instrument in known}
    named = ((entry, entry.address or addresses.get(entry.name)) for entry in bench.instruments.values())
    return [Instrument(entry.name, entry.driver, address) for entry, address in named if address is not None]


async def make_all_safe(instruments: Sequence[Instrument], deadline: float = DEADLINE) -> list[Outcome]:
    """Open every circuit directly, all channels at once."""
    return list(await asyncio.gather(*(make_safe(instrument, deadline) for instrument in instruments)))


async def make_safe(instrument: Instrument, deadline: float = DEADLINE) -> Outcome:
    """Open one circuit and have the instrument confirm it. Never raises for what an instrument does."""
    try:
        async with asyncio.timeout(deadline):
            told = await _disconnected(instrument)
    except TimeoutError:
        return Outcome(instrument.channel, instrument.address, False, f"no end within {deadline:g} s")
    except GalvanodError as error:
        return Outcome(instrument.channel, instrument.address, False, str(error))
    return Outcome(instrument.channel, instrument.address, True, told)


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


async def _disconnected(instrument: Instrument) -> str:
    driver_class = registry.driver(instrument.driver)
    link = await open_link(instrument.address, driver_class.link_options)
    try:
        identity = await driver_class.disconnect(link)
    finally:
        await link.aclose()
    return f"{identity.maker} {identity.model} {identity.serial}"


async def _station_made_safe(station: Station, deadline: float) -> Outcome:
    try:
        async with asyncio.timeout(deadline):
            if isinstance(station.run, Run) and not station.run.over:  # a parked run's circuit is open
                await station.run.stop(REASON)
            driver = await station.opened()
            for channel in driver.channels.values():
                await channel.off()
    except TimeoutError:
        return Outcome(station.name, station.address, False, f"the core had no end within {deadline:g} s")
    except GalvanodError as error:
        return Outcome(station.name, station.address, False, str(error))
    identity = driver.identity
    return Outcome(
        station.name, station.address, True, f"{identity.maker} {identity.model} {identity.serial}"
    )
