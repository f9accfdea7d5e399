"""A Bio-Logic and the simulated one, through a real library: every technique, its ends and its window."""

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from drivers.base import Program, ProgramState, Record
from drivers.biologic import Biologic
from drivers.biologic_channel import EclibChannel
from drivers.errors import LinkError, RefusedError
from drivers.links.opening import open_link
from protocols.conditions import Condition, Quantity, Relation
from protocols.reading import ImpedancePoint, Reading
from protocols.recording import Recording
from protocols.techniques import (
    ConstantCurrent,
    ConstantPower,
    ConstantVoltage,
    Impedance,
    Level,
    Rest,
    Sweep,
    Technique,
)
from simulators.biologic import BioLogic, BioLogicSP300
from tests.drivers.test_pairs import Capacitor, program, when

AT_LEAST, AT_MOST = Relation.AT_LEAST, Relation.AT_MOST

FAMILIES = pytest.mark.parametrize("family", [BioLogic, BioLogicSP300])


@asynccontextmanager
async def potentiostat(
    family: type[BioLogic] = BioLogic, speed: float = float("inf"), settings: str = ""
) -> AsyncIterator[tuple[EclibChannel, Capacitor]]:
    cell = Capacitor()
    async with family.serve(cell=cell, speed=speed, seed=1, bays=[{}]) as served:
        link = await open_link(served.address + settings, Biologic.link_options)
        try:
            instrument = await Biologic.open(link)
            channel = instrument.channels["1"]
            assert isinstance(channel, EclibChannel)
            yield channel, cell
            await channel.off()
        finally:
            await link.aclose()


async def run(channel: EclibChannel, what: Program) -> tuple[float, list[Record]]:
    """Run to the end; return the moment of the beginning, and every record."""
    origin = await channel.start("run/1", what)
    records: list[Record] = []
    while True:
        state = (await channel.state()).state
        new = await channel.records(after=len(records))
        records += new
        if state is not ProgramState.RUNNING and not new:
            return origin, records


@FAMILIES
async def test_a_charge_ends_at_its_voltage(family: type[BioLogic]) -> None:
    """10 mA: 1.1 V at once, then 1 mV/s; 1.5 V after 400 s and 4 C."""
    async with potentiostat(family) as (channel, cell):
        end = when(Quantity.VOLTAGE, AT_LEAST, 1.5)
        origin, records = await run(channel, program(ConstantCurrent(0.01), end))
        status = await channel.state()
        last = records[-1].point
        assert isinstance(last, Reading)
        assert (status.state, status.reason, status.limit) == (ProgramState.FINISHED, end.text, False)
        assert 1.5 <= last.voltage < 1.501
        assert last.current == pytest.approx(0.01, rel=1e-3)
        assert last.time - origin == pytest.approx(400.0, abs=1.0)
        assert cell.charge == pytest.approx(4.0, rel=5e-3)


@FAMILIES
async def test_a_rest_passes_nothing_and_says_so_every_ten_seconds(family: type[BioLogic]) -> None:
    async with potentiostat(family) as (channel, cell):
        origin, records = await run(channel, program(Rest(), when(Quantity.TIME, AT_LEAST, 60.0)))
        times = [record.point.time - origin for record in records]
        assert times == pytest.approx([0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0], abs=1e-3)
        assert cell.charge == 0.0


async def test_a_discharge_ends_at_its_capacity_by_the_time_it_takes() -> None:
    """-10 mA for 2 C: 200 s."""
    async with potentiostat() as (channel, cell):
        end = when(Quantity.CAPACITY, AT_LEAST, 2.0)
        await run(channel, program(ConstantCurrent(-0.01), end))
        assert (await channel.state()).reason == end.text
        assert cell.charge == pytest.approx(-2.0, rel=1e-6)


async def test_leaving_the_window_is_a_limit() -> None:
    """10 mA reach 1.2 V after 100 s; the step would go on to 1.5 V."""
    async with potentiostat() as (channel, cell):
        end = when(Quantity.VOLTAGE, AT_LEAST, 1.5)
        await run(channel, program(ConstantCurrent(0.01), end, high=1.2))
        status = await channel.state()
        assert status.limit
        assert "is outside 0 to 1.2 V" in (status.reason or "")
        assert cell.charge == pytest.approx(1.0, rel=1e-2)


@pytest.mark.parametrize(
    "technique", [ConstantCurrent(0.01), Impedance(5e-3, False, Level(0.0, True), 1e3, 1.0, 5)]
)
async def test_a_cell_outside_its_window_is_never_connected(technique: Technique) -> None:
    async with potentiostat() as (channel, cell):
        end = None if isinstance(technique, Impedance) else when(Quantity.TIME, AT_LEAST, 10.0)
        _, records = await run(channel, program(technique, end, high=0.9))
        assert (await channel.state()).limit
        [record] = records
        assert isinstance(record.point, Reading)
        assert record.point.voltage == pytest.approx(1.0, abs=1e-3)
        assert cell.charge == 0.0


@pytest.mark.parametrize(("level", "sign"), [(0.1, 1.0), (-0.1, -1.0)])
async def test_a_hold_versus_open_circuit_ends_when_its_current_is_small(level: float, sign: float) -> None:
    """0.1 V over 10 ohm: 10 mA falling with RC = 100 s; 1 mA after 230 s, when 0.9 C have passed."""
    async with potentiostat() as (channel, cell):
        end = when(Quantity.CURRENT, AT_MOST, 1e-3)
        origin, records = await run(channel, program(ConstantVoltage(Level(level, True)), end))
        assert (await channel.state()).reason == end.text
        last = records[-1].point
        assert isinstance(last, Reading)
        assert last.time - origin == pytest.approx(230.3, abs=2.0)
        assert last.current == pytest.approx(sign * 1e-3, rel=1e-2)
        assert cell.charge == pytest.approx(sign * 0.9, rel=1e-2)


async def test_a_logarithmic_record_is_linked_techniques_and_one_polarisation() -> None:
    """100 mV over 10 ohm for 100 s, rows twenty a decade or closer from 1 ms on."""
    async with potentiostat() as (channel, _):
        what = program(ConstantVoltage(Level(0.1, True)), when(Quantity.TIME, AT_LEAST, 100.0))
        step = replace(what.step, record=Recording(per_decade=20.0))
        logarithmic = Program(step, what.limits, sample=1.0)
        origin, records = await run(channel, logarithmic)
        times = [record.point.time - origin for record in records]
        assert all(
            later <= max(1.13 * sooner, sooner + 1.01e-3) for sooner, later in itertools.pairwise(times)
        )
        currents = [record.point.current for record in records if isinstance(record.point, Reading)]
        assert currents[0] == pytest.approx(0.01, rel=2e-3)
        assert currents[-1] == pytest.approx(0.01 * 0.36788, rel=5e-3)


@FAMILIES
@pytest.mark.parametrize(("scale", "settings"), [(1.0, ""), (1e-3, "&scan_rate=mV/s")])
async def test_a_sweep_turns_where_it_should(
    family: type[BioLogic], scale: float, settings: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From open circuit (1 V) to 1.2 V, 0.9 V and so on twice: 0.2 + 3 × 0.3 V at 10 mV/s."""
    monkeypatch.setattr(family, "manners", replace(family.manners, scan_rate_unit=scale))
    async with potentiostat(family, settings=settings) as (channel, _):
        sweep = Sweep(Level(0.0, True), (Level(1.2), Level(0.9)), 0.01, 2)
        origin, records = await run(channel, program(sweep, None, every=1.0))
        voltages = [record.point.voltage for record in records if isinstance(record.point, Reading)]
        assert max(voltages) == pytest.approx(1.2, abs=1e-3)
        assert min(voltages) == pytest.approx(0.9, abs=1e-3)
        assert voltages[-1] == pytest.approx(0.9, abs=1e-3)
        assert records[-1].point.time - origin == pytest.approx(110.0, rel=1e-3)


@FAMILIES
@pytest.mark.parametrize(("galvanostatic", "amplitude"), [(False, 5e-3), (True, 1e-3)])
async def test_a_spectrum_is_that_of_the_cell(
    family: type[BioLogic], galvanostatic: bool, amplitude: float
) -> None:
    """Ten ohm, and ten farad: -16 mOhm at 1 Hz."""
    async with potentiostat(family) as (channel, _):
        spectrum = Impedance(amplitude, galvanostatic, Level(0.0, True), 1e3, 1.0, 5)
        _, records = await run(channel, program(spectrum, None))
        found = [record.point for record in records if isinstance(record.point, ImpedancePoint)]
        assert [point.frequency for point in found] == pytest.approx(spectrum.frequencies(), rel=1e-6)
        assert all(point.real == pytest.approx(10.0, rel=0.01) for point in found)
        assert found[-1].imaginary == pytest.approx(-0.016, abs=0.06)
        assert (await channel.state()).reason == "charge complete"


async def test_what_it_cannot_hold_is_refused_by_name() -> None:
    async with potentiostat() as (channel, _):
        energy = when(Quantity.ENERGY, AT_LEAST, 1.0)
        assert "cannot judge" in refused(channel, ConstantCurrent(0.01), energy)
        assert "hold a power" in refused(channel, ConstantPower(1.0), when(Quantity.TIME, AT_LEAST, 1.0))
        assert "beyond the ±0.4 A of the VMP3" in refused(channel, ConstantCurrent(0.5), energy)
        many = Sweep(Level(1.0), (Level(1.2), Level(0.9), Level(1.1)), 0.01, 1)
        assert "turns at two voltages" in refused(channel, many, None)
        with pytest.raises(RefusedError, match="cannot judge"):
            await channel.start("run/1", program(ConstantCurrent(0.01), energy))


def refused(channel: EclibChannel, technique: Technique, until: Condition | None) -> str:
    return channel.refusal(program(technique, until).step) or ""


async def test_finishing_from_outside_is_an_end() -> None:
    async with potentiostat(speed=1000.0) as (channel, _):
        await channel.start("run/1", program(Rest(), when(Quantity.TIME, AT_LEAST, 3000.0)))
        records = list(await channel.records(after=0))
        await channel.finish()
        while (await channel.state()).state is ProgramState.RUNNING:
            records += await channel.records(after=records[-1].number)
        assert (await channel.state()).reason == "finished"


async def test_off_stops_what_runs_and_can_be_repeated() -> None:
    async with potentiostat(speed=1000.0) as (channel, cell):
        end = when(Quantity.TIME, AT_LEAST, 3000.0)
        await channel.start("run/1", program(ConstantCurrent(0.01), end, high=5.0))
        await channel.records(after=0)
        await channel.off()
        await channel.off()
        charge = cell.charge
        assert (await channel.state()).state is ProgramState.IDLE
        await run(channel, program(Rest(), when(Quantity.TIME, AT_LEAST, 5.0), high=5.0))
        assert cell.charge == charge


async def test_an_address_that_is_wrong_says_what_was_wanted() -> None:
    with pytest.raises(LinkError, match="GALVANOD_ECLIB"):
        await open_link("eclib://192.168.0.5?library=/nowhere/EClib64.dll")
    with pytest.raises(LinkError, match="wanted eclib://192"):
        await open_link("eclib://?library=x")
    with pytest.raises(RefusedError, match="scan_rate=V/h: wanted V/s or mV/s"):
        async with potentiostat(settings="&scan_rate=V/h"):
            pass
