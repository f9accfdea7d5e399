"""The classic 2400: its driver on its simulated instrument, and PyMeasure on the same."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from drivers.base import SteppedChannel
from drivers.errors import RefusedError
from drivers.keithley2400 import Keithley2400
from drivers.links.opening import open_link
from drivers.rehearsal import RehearsalClock
from protocols.limits import Bound, Limits, Range
from protocols.reading import Flags
from protocols.setpoint import AtRest, Current, Voltage
from simulators.faults import Faults
from simulators.keithley2400 import Keithley2400 as Simulated
from simulators.server import serve
from tests.drivers.test_pairs import Capacitor

WINDOW = Limits(
    voltage=Range(Bound(0.0, "cell"), Bound(2.0, "cell")),
    current=Range(Bound(-0.05, "protocol"), Bound(0.05, "protocol")),
)


@asynccontextmanager
async def source_meter(
    faults: Faults | None = None,
) -> AsyncIterator[tuple[SteppedChannel, RehearsalClock, Capacitor]]:
    cell = Capacitor()
    async with serve(Simulated, cell=cell, speed=1e6, seed=1, faults=faults or Faults()) as served:
        link = await open_link(f"visa://{served.address}", Keithley2400.link_options)
        channel = (await Keithley2400.open(link)).channels["1"]
        assert isinstance(channel, SteppedChannel)
        clock = await RehearsalClock.connect(served.rehearsal)
        try:
            yield channel, clock, cell
        finally:
            await channel.off()
            await clock.aclose()
            await link.aclose()


async def test_it_charges_clamps_and_rests() -> None:
    """10 mA for 100 s: 1 C, 1.2 V with 0.1 V over 10 ohm; at rest 1.1 V; 1.9 V is more than 10 mA hold."""
    async with source_meter() as (channel, clock, cell):
        await channel.prepare(WINDOW)
        before = cell.charge  # what the default off-state took before it was changed
        await channel.apply(Current(0.01, voltage_clamp=2.02))
        began = (await channel.measure(within=1.0)).time
        await clock.sleep_until(await clock.now() + 100.0)
        charged = await channel.measure(within=1.0)
        assert charged.time - began == pytest.approx(100.0, abs=0.5)
        assert cell.charge - before == pytest.approx(1.0, rel=5e-3)
        assert charged.voltage == pytest.approx(1.1 + cell.charge / 10.0, abs=2e-3)
        assert charged.current == pytest.approx(0.01, rel=1e-3)
        assert charged.flags == 0
        await channel.apply(AtRest(voltage_clamp=2.02))
        rested = await channel.measure(within=1.0)
        assert rested.voltage == pytest.approx(1.0 + cell.charge / 10.0, abs=2e-3)
        await channel.apply(Voltage(1.9, current_clamp=0.01))
        clamped = await channel.measure(within=1.0)
        assert clamped.current == pytest.approx(0.01, rel=1e-2)
        assert clamped.flags == Flags.CLAMPED
        await channel.off()
        charge = cell.charge
        await clock.sleep_until(await clock.now() + 1000.0)
        assert cell.charge == charge  # high impedance: open is open


@pytest.mark.parametrize(
    "setpoint", [Current(2.0, voltage_clamp=2.02), Voltage(50.0, current_clamp=0.01), Current(0.01, 100.0)]
)
async def test_what_it_cannot_do_is_refused(setpoint: Current | Voltage) -> None:
    async with source_meter() as (channel, _, _):
        with pytest.raises(RefusedError, match=r"beyond the rating|is outside"):
            await channel.apply(setpoint)


async def test_an_output_opened_behind_our_back_is_told() -> None:
    """A power cut leaves it open, and "open" a 0 V source: the next reading says so."""
    faults = Faults()
    async with source_meter(faults) as (channel, clock, _):
        await channel.prepare(WINDOW)
        await channel.apply(Current(0.01, voltage_clamp=2.02))
        faults.inject("defaults")
        await clock.sleep_until(await clock.now() + 1.0)
        with pytest.raises(RefusedError, match="in the middle of a step"):
            await channel.measure(within=1.0)


async def test_pymeasure_works_it() -> None:
    instruments: Any = pytest.importorskip(
        "pymeasure.instruments.keithley", reason="PyMeasure, a third-party client, is not installed"
    )

    def talk(address: str) -> dict[str, Any]:
        smu = instruments.Keithley2400(
            address, visa_library="@py", read_termination="\n", write_termination="\n", timeout=20_000
        )
        try:
            smu.reset()
            smu.reset_data_format()
            smu.output_off_state = "HIMP"
            smu.wires_four_enabled = True if hasattr(smu, "wires_four_enabled") else None
            smu.source_mode = "current"
            smu.source_current_range = 0.1
            smu.compliance_voltage = 4.0
            smu.source_current = 0.01
            smu.voltage_nplc = 0.1
            smu.write(":SYST:RSEN ON")
            smu.write(":SENS:FUNC 'VOLT'")
            smu.enable_source()
            single = smu.voltage
            everything = smu.measure_all()
            smu.config_buffer(5)
            smu.start_buffer()
            smu.wait_for_buffer(timeout=90, interval=0.01)
            buffer = smu.buffer_data
            mean, spread = smu.mean_voltage, smu.std_voltage
            smu.source_current = 1.0  # beyond the 0.1 A range
            error = smu.next_error
            smu.shutdown()
            return {
                "single": single,
                "all": everything,
                "buffer": list(buffer),
                "mean": mean,
                "spread": spread,
                "error": error,
                "after": smu.source_enabled,
                "left": smu.check_errors(),
                "id": smu.id,
            }
        finally:
            smu.adapter.close()

    async with serve(Simulated, cell=Capacitor(), speed=1000.0, seed=1) as served:
        said = await asyncio.to_thread(talk, served.address)
    assert "MODEL 2400" in said["id"]
    assert float(said["single"][0] if isinstance(said["single"], list) else said["single"]) > 1.0
    assert said["all"]["current"] == pytest.approx(0.01, rel=1e-3)
    assert said["all"]["resistance"] == pytest.approx(said["all"]["voltage"] / 0.01, rel=1e-2)
    assert len(said["buffer"]) == 25  # five readings of five elements
    assert said["buffer"][0] < said["buffer"][20]
    assert said["mean"] == pytest.approx(sum(said["buffer"][::5]) / 5, rel=1e-5)
    assert said["spread"] > 0.0
    assert int(said["error"][0]) == -222
    assert (said["after"], said["left"]) == (False, [])
