"""What is attached, what it can do, and what is wrong with it, without closing a circuit."""

import asyncio
import contextlib
import os
import sqlite3
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from daemon.channels.instrument import lock_file, recorded
from daemon.channels.safe import Circuit
from daemon.channels.station import Station
from daemon.host.locks import owned
from drivers.base import Channel, Driver, Program, ProgrammedChannel, ProgramState
from drivers.deadman import DeadmanKind
from drivers.finding import Finding
from drivers.links import Link
from drivers.links.opening import open_link
from drivers.whole import WholeChannel
from protocols.conditions import Comparison, Quantity, Relation
from protocols.errors import GalvanodError
from protocols.limits import Limits
from protocols.plan import Ceiling, PlannedStep
from protocols.reading import Reading
from protocols.recording import Recording
from protocols.techniques import Rest

DEADLINE = 20.0
"""Seconds one channel may take."""

LOOK_SECONDS = 0.2
"""How long the open-circuit voltage is looked at."""

SERIAL_PORTS = Path("/dev/serial/by-id")


@dataclass(slots=True)
class Diagnosis:
    """What is known of one channel; what could not be found out is None, and a finding says why."""

    channel: str
    driver: str
    address: str
    state: str = "unknown"
    instrument: str | None = None
    limits: str | None = None
    voltage: float | None = None
    temperature: float | None = None
    deadman: str | None = None
    findings: list[Finding] = field(default_factory=list)

    def facts(self) -> Mapping[str, Any]:
        """Return it as plain data."""
        findings = [finding._asdict() for finding in self.findings]
        names = ("channel", "driver", "address", "state", "instrument", "limits", "voltage", "temperature")
        return {name: getattr(self, name) for name in (*names, "deadman")} | {
            "healthy": not any(finding.wrong for finding in self.findings),
            "findings": findings,
        }

    def note(self, text: str, wrong: bool = False) -> None:
        self.findings.append(Finding(text, wrong))


async def alone(
    circuit: Circuit, window: Limits, running: Mapping[str, str], transcript: Path | None
) -> Diagnosis:
    """Examine a channel without a core. `running` names the runs the last core left open, by channel.

    An instrument that may still be running one is left alone: looking at it could end that run.
    """
    found = Diagnosis(circuit.channel, circuit.driver, circuit.address)
    try:
        driver_class = circuit.driver_class
        _of_family(found, driver_class)
        if circuit.channel in running:
            found.state = "perhaps running"
            found.note(
                f"run {running[circuit.channel]} was not closed and may be under way: nothing is asked; "
                "start the core, which takes it over, or open its circuit with `galvanod safe`",
                wrong=True,
            )
            return found
        async with asyncio.timeout(DEADLINE), _linked(circuit, driver_class, transcript) as link:
            driver = await driver_class.open(link)
            await _examine(found, driver, driver.placed(circuit.place, circuit.position), window)
    except TimeoutError:
        found.note(f"it did not come to an end within {DEADLINE:g} s", wrong=True)
    except GalvanodError as error:
        found.note(str(error), wrong=True)
        found.findings.extend(Finding(text) for text in advice(circuit.address))
    return found


async def in_core(station: Station, latched: str | None) -> Diagnosis:
    """Examine a channel of a running core; one with a run is not disturbed."""
    found = Diagnosis(station.name, station.entry.driver, station.address)
    _of_family(found, station.driver_class)
    found.deadman = str(station.deadman)
    if latched is not None:
        found.note(f"latched: {latched}; look at its cell, then `galvanod clear {station.name}`", wrong=True)
    try:
        async with asyncio.timeout(DEADLINE):
            if station.busy and station.run is not None:
                await _of_run(found, station)
            else:
                async with station.claimed():
                    driver = await station.opened()
                    await _examine(found, driver, await station.channel(), station.entry.window)
    except TimeoutError:
        found.note(f"it did not come to an end within {DEADLINE:g} s", wrong=True)
    except GalvanodError as error:
        found.note(str(error), wrong=True)
        found.findings.extend(Finding(text) for text in advice(station.address))
    return found


def advice(address: str) -> Iterable[str]:
    """Yield what to look at where nobody answers at an address."""
    scheme, _, rest = address.partition("://")
    if scheme == "serial" and rest.startswith("/"):
        path = Path(rest.partition("?")[0])
        if not path.exists():
            there = ", ".join(sorted(str(port) for port in SERIAL_PORTS.glob("*"))) or "none"
            yield f"{path} is not there: is it plugged in and switched on? Ports by name: {there}"
        elif not os.access(path, os.R_OK | os.W_OK):
            yield f"{path} may not be opened by this user: is it in the group that owns it (dialout)?"
        else:
            yield "the port is there: is the instrument switched on, and is it the one that was named?"
    elif scheme in ("tcp", "visa"):
        yield "is it switched on, on the network (ping), and is no other program connected to it?"
    elif scheme == "eclib":
        yield "is it switched on and on the network (ping), and are its channels disconnected in EC-Lab?"


def open_runs(journal: Path) -> Mapping[str, str]:
    """Return the runs a core left open, by channel; none where no core ever was."""
    if not journal.exists():
        return {}
    with contextlib.closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True)) as connection:
        return dict(connection.execute("SELECT channel, name FROM run WHERE closed IS NULL"))


@asynccontextmanager
async def _linked(
    circuit: Circuit, driver_class: type[Driver], transcript: Path | None
) -> AsyncIterator[Link]:
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(owned(lock_file(circuit.address), circuit.address))
        link = await open_link(circuit.address, driver_class.link_options)
        stack.push_async_callback(link.aclose)
        yield link if transcript is None else recorded(stack, link, transcript, circuit.driver)


def _of_family(found: Diagnosis, driver_class: type[Driver]) -> None:
    found.deadman = str(driver_class.deadman)
    if driver_class.deadman.kind is DeadmanKind.NONE:
        found.note("nothing opens its circuit when the core dies: `unattended: true` accepts that")
    if not driver_class.hardware_verified:
        found.note(f"driver {found.driver} has not been verified on hardware yet")


async def _examine(found: Diagnosis, driver: Driver, channel: Channel, window: Limits) -> None:
    maker, model, serial, firmware = driver.identity
    found.instrument = " ".join(filter(None, (maker, model, serial and f"serial {serial}", firmware)))
    found.limits = ", ".join(
        f"{name} {window} {unit}" for name, unit, window in driver.rating.named() if window != type(window)()
    )
    _compare(found, driver.rating, window)
    found.findings.extend(await driver.findings())
    found.state = "idle"
    if isinstance(channel, ProgrammedChannel):
        status = await channel.state()
        found.state = status.state.value
        if status.state is ProgramState.FAULT:
            found.note(f"its last program failed: {status.reason or 'no reason given'}", wrong=True)
        if status.state is ProgramState.RUNNING:
            found.note(f"it runs program {status.tag or 'of somebody else'}", wrong=True)
            return
        reading = await _looked(channel)
        found.voltage, found.temperature = reading.voltage, reading.temperature
        _judge_voltage(found, reading.voltage, window)


async def _of_run(found: Diagnosis, station: Station) -> None:
    run = station.run
    if run is None:
        return
    found.state = f"{run.state.value}: {run.name}"
    driver = station.instrument.driver
    if driver is not None:
        maker, model, serial, firmware = driver.identity
        found.instrument = " ".join(filter(None, (maker, model, serial and f"serial {serial}", firmware)))
        found.limits = ", ".join(f"{n} {w} {unit}" for n, unit, w in driver.rating.named() if w != type(w)())
    found.voltage, found.temperature = run.latest.get("voltage"), run.latest.get("temperature")
    found.note("a run is in hand: the instrument is not asked anything")


def _compare(found: Diagnosis, rating: Limits, window: Limits) -> None:
    """Say where the bench allows more than the instrument can do: its rating then is the limit."""
    rated = {name: one for name, _, one in rating.named()}
    for name, unit, wished in window.named():
        for edge in (wished.low, wished.high):
            if edge is not None and not rated[name].holds(edge.value):
                found.note(
                    f"the bench allows a {name} of {edge.value:g} {unit}, the instrument only "
                    f"{rated[name]} {unit}"
                )


def _judge_voltage(found: Diagnosis, volts: float, window: Limits) -> None:
    if abs(volts) < 0.01:
        found.note(f"{volts:.4f} V: no cell is connected, or it is empty or shorted")
    elif not window.voltage.holds(volts):
        found.note(f"the cell stands at {volts:.4f} V, outside the channel's {window.voltage} V", wrong=True)


async def _looked(channel: ProgrammedChannel) -> Reading:
    """Return the open-circuit voltage, by what opens no circuit and closes none."""
    if isinstance(channel, WholeChannel):
        return await channel.look()
    end = Comparison(Quantity.TIME, Relation.AT_LEAST, LOOK_SECONDS, f"time >= {LOOK_SECONDS} s")
    rest = PlannedStep(
        "0", 0, "rest", Rest(), "", end, Recording(every=LOOK_SECONDS / 2), Ceiling(10 * LOOK_SECONDS, 0.0)
    )
    await channel.start("doctor", Program(rest, Limits(), LOOK_SECONDS / 4))
    reading: Reading | None = None
    last = 0
    while True:
        state = (await channel.state()).state
        records = await channel.records(after=last)
        for record in records:
            last = record.number
            reading = record.point if isinstance(record.point, Reading) else reading
        if state is not ProgramState.RUNNING and not records:
            break
    await channel.off()
    if reading is None:
        raise GalvanodError("it was asked for its open-circuit voltage and gave no reading")
    return reading
