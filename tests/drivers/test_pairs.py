"""Drivers and the simulated instruments written beside them, over a real socket and a real terminal."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from drivers.base import Program, ProgramState, Record, SteppedChannel
from drivers.emstat4 import EmStat4
from drivers.emstat4_channel import ScriptChannel
from drivers.errors import RefusedError
from drivers.keithley2450 import Keithley2450
from drivers.links.opening import open_link
from drivers.rehearsal import RehearsalClock
from protocols.conditions import AnyOf, Comparison, Condition, Quantity, Relation
from protocols.limits import Bound, Limits, Range
from protocols.plan import Ceiling, PlannedStep
from protocols.reading import Flags, ImpedancePoint, Reading
from protocols.recording import Recording
from protocols.setpoint import AtRest, Current, Voltage
from protocols.techniques import ConstantCurrent, ConstantVoltage, Impedance, Level, Rest, Sweep, Technique
from simulators.cells.base import Cell
from simulators.emstat4 import EmStat4 as SimulatedEmStat4
from simulators.keithley2450 import Keithley2450 as SimulatedKeithley2450
from simulators.server import serve


class Capacitor(Cell):
    """Ten farads behind ten ohms, at 1 V: V = 1 + Q / 10 + 10 I, in one's head."""

    def __init__(self) -> None:
        self.charge = 0.0

    def drive_current(self, amperes: float, seconds: float) -> float:
        self.charge += amperes * seconds
        return 1.0 + self.charge / 10.0 + 10.0 * amperes

    def drive_voltage(self, volts: float, seconds: float) -> float:
        steps = max(1, round(seconds * 10))
        for _ in range(steps):
            self.charge += (volts - 1.0 - self.charge / 10.0) / 10.0 * seconds / steps
        return (volts - 1.0 - self.charge / 10.0) / 10.0

    def charge_passed(self) -> float:
        return self.charge

    def impedance(self, frequency: float) -> complex:
        return 10.0 + 1.0 / (2j * 3.141592653589793 * frequency * 10.0)

    def state(self) -> float:
        return self.charge

    def restore(self, state: float) -> None:
        self.charge = state

    def truth(self) -> dict[str, float]:
        return {"capacitance": 10.0, "resistance": 10.0}


def when(quantity: Quantity, relation: Relation, value: float) -> Comparison:
    return Comparison(quantity, relation, value, f"{quantity} {relation} {value}")


def program(technique: Technique, until: Condition | None, high: float = 2.0, every: float = 10.0) -> Program:
    step = PlannedStep("1", 1, "charge", technique, "", until, Recording(every=every), Ceiling(3600.0, 100.0))
    limits = Limits(
        voltage=Range(Bound(0.0, "cell"), Bound(high, "cell")),
        current=Range(Bound(-0.05, "protocol"), Bound(0.05, "protocol")),
    )
    return Program(step, limits, sample=1.0)


class Impatient(EmStat4):
    """The simulated instrument needs no rest after an error."""

    pause_after_error = 0.0


@asynccontextmanager
async def potentiostat(speed: float = 1e6) -> AsyncIterator[tuple[ScriptChannel, Capacitor]]:
    cell = Capacitor()
    async with serve(SimulatedEmStat4, cell=cell, speed=speed, seed=1) as served:
        link = await open_link(f"serial://{served.address}", EmStat4.link_options)
        instrument = await Impatient.open(link)
        channel = instrument.channels["1"]
        assert isinstance(channel, ScriptChannel)
        clock = await RehearsalClock.connect(served.rehearsal)
        try:
            yield channel, cell
        finally:
            await channel.off()
            await clock.aclose()
            await link.aclose()


@asynccontextmanager
async def source_meter() -> AsyncIterator[tuple[SteppedChannel, RehearsalClock, Capacitor]]:
    cell = Capacitor()
    async with serve(SimulatedKeithley2450, cell=cell, speed=1e6, seed=1) as served:
        link = await open_link(f"visa://{served.address}", Keithley2450.link_options)
        instrument = await Keithley2450.open(link)
        channel = instrument.channels["1"]
        assert isinstance(channel, SteppedChannel)
        clock = await RehearsalClock.connect(served.rehearsal)
        try:
            yield channel, clock, cell
        finally:
            await channel.off()
            await clock.aclose()
            await link.aclose()


async def watched(channel: SteppedChannel, clock: RehearsalClock, seconds: float) -> Reading:
    """Let time pass as an engine does, with a look every second; return the last."""
    now = await clock.now()
    for _ in range(round(seconds)):
        now = await clock.sleep_until(now + 1.0)
        reading = await channel.measure(within=1.0)
    return reading


async def run(channel: ScriptChannel, what: Program) -> tuple[float, list[Record]]:
    """Run to the end; return the moment of the beginning, and every record."""
    origin = await channel.start("run/1", what)
    records: list[Record] = []
    while True:
        state = (await channel.state()).state
        new = await channel.records(after=len(records))
        records += new
        if state is not ProgramState.RUNNING and not new:
            return origin, records


async def test_a_charge_ends_at_its_voltage() -> None:
    """10 mA: 1.1 V at once, then 1 mV/s; 1.5 V after 400 s and 4 C; 1.3 V in the mean: 5.2 J."""
    async with potentiostat() as (channel, cell):
        end = when(Quantity.VOLTAGE, Relation.AT_LEAST, 1.5)
        origin, records = await run(channel, program(ConstantCurrent(0.01), end))
        status = await channel.state()
        last = records[-1]
        assert isinstance(last.point, Reading)
        assert (status.state, status.reason, status.limit) == (ProgramState.FINISHED, end.text, False)
        assert last.point.voltage == pytest.approx(1.5, abs=2e-3)
        assert last.point.time - origin == pytest.approx(400.0, abs=2.0)
        assert last.coulombs == pytest.approx(4.0, rel=5e-3)
        assert last.joules == pytest.approx(5.2, rel=1e-2)
        assert cell.charge == pytest.approx(4.0, rel=1e-2)
        assert 40 <= len(records) <= 43  # every 10 s, the first and the last


async def test_a_discharge_ends_at_its_capacity() -> None:
    """-10 mA for 2 C."""
    async with potentiostat() as (channel, cell):
        end = when(Quantity.CAPACITY, Relation.AT_LEAST, 2.0)
        _, records = await run(channel, program(ConstantCurrent(-0.01), end))
        assert (await channel.state()).reason == end.text
        assert records[-1].coulombs == pytest.approx(-2.0, rel=2e-3)
        assert cell.charge == pytest.approx(-2.0, rel=1e-2)


async def test_leaving_the_window_is_a_limit() -> None:
    """10 mA reach 1.2 V after 100 s; the step would go on to 1.5 V."""
    async with potentiostat() as (channel, cell):
        end = when(Quantity.VOLTAGE, Relation.AT_LEAST, 1.5)
        await run(channel, program(ConstantCurrent(0.01), end, high=1.2))
        status = await channel.state()
        assert status.limit
        assert "is outside 0 to 1.2 V" in (status.reason or "")
        assert cell.charge == pytest.approx(1.0, rel=5e-2)


async def test_a_cell_outside_its_window_is_never_connected() -> None:
    async with potentiostat() as (channel, cell):
        end = when(Quantity.TIME, Relation.AT_LEAST, 10.0)
        _, records = await run(channel, program(ConstantCurrent(0.01), end, high=0.9))
        assert (await channel.state()).limit
        assert len(records) == 1
        assert cell.charge == 0.0


async def test_a_spectrum_of_a_cell_outside_its_window_tells_the_voltage_and_is_not_begun() -> None:
    async with potentiostat() as (channel, cell):
        spectrum = Impedance(5e-3, False, Level(0.0, True), 1e3, 1.0, 5)
        _, records = await run(channel, program(spectrum, None, high=0.9))
        [record] = records
        assert isinstance(record.point, Reading)
        assert record.point.voltage == pytest.approx(1.0, abs=1e-3)
        assert (await channel.state()).limit
        assert cell.charge == 0.0


async def test_a_rest_passes_nothing() -> None:
    async with potentiostat() as (channel, cell):
        end = when(Quantity.TIME, Relation.AT_LEAST, 60.0)
        origin, records = await run(channel, program(Rest(), end))
        assert records[-1].point.time - origin == pytest.approx(60.0, abs=0.2)
        assert cell.charge == 0.0


async def test_a_hold_versus_open_circuit_until_the_current_is_small() -> None:
    """+0.1 V over 10 ohm: 10 mA falling with RC = 100 s; 1 mA after 230 s, when 0.9 C have passed."""
    async with potentiostat() as (channel, _):
        end = when(Quantity.CURRENT, Relation.AT_MOST, 1e-3)
        origin, records = await run(channel, program(ConstantVoltage(Level(0.1, True)), end))
        last = records[-1]
        assert last.point.time - origin == pytest.approx(230.3, abs=5.0)
        assert last.coulombs == pytest.approx(0.9, rel=2e-2)


async def test_a_sweep_turns_where_it_should() -> None:
    """From open circuit (1 V) to 1.2 V, 0.9 V and so on twice: 0.2 + 3 × 0.3 V at 10 mV/s."""
    async with potentiostat() as (channel, _):
        sweep = Sweep(Level(0.0, True), (Level(1.2), Level(0.9)), 0.01, 2)
        origin, records = await run(channel, program(sweep, None, every=1.0))
        voltages = [record.point.voltage for record in records if isinstance(record.point, Reading)]
        assert max(voltages) == pytest.approx(1.2, abs=0.01)
        assert min(voltages) == pytest.approx(0.9, abs=0.01)
        assert voltages[-1] == pytest.approx(0.9, abs=0.01)
        assert records[-1].point.time - origin == pytest.approx(110.0, abs=5.0)


async def test_a_spectrum_is_that_of_the_cell() -> None:
    async with potentiostat() as (channel, _):
        spectrum = Impedance(5e-3, False, Level(0.0, True), 1e3, 1.0, 5)
        _, records = await run(channel, program(spectrum, None))
        assert len(records) == 16  # three decades of five points, and the first
        for record in records:
            assert isinstance(record.point, ImpedancePoint)
            assert record.point.real == pytest.approx(10.0, rel=0.02)


async def test_finishing_from_outside_is_an_end_and_keeps_the_last_sample() -> None:
    async with potentiostat(speed=1000.0) as (channel, _):
        await channel.start("run/1", program(Rest(), when(Quantity.TIME, Relation.AT_LEAST, 3000.0)))
        first = await channel.records(after=0)
        await channel.finish()
        records = list(first)
        while (await channel.state()).state is ProgramState.RUNNING:
            records += await channel.records(after=records[-1].number)
        assert (await channel.state()).reason == "finished"


async def test_off_stops_what_runs_and_can_be_repeated() -> None:
    async with potentiostat(speed=1000.0) as (channel, cell):
        end = when(Quantity.TIME, Relation.AT_LEAST, 3000.0)
        await channel.start("run/1", program(ConstantCurrent(0.01), end, high=5.0))
        await channel.records(after=0)
        await channel.off()
        await channel.off()
        charge = cell.charge
        assert (await channel.state()).state is ProgramState.IDLE
        end_of_rest = AnyOf((when(Quantity.TIME, Relation.AT_LEAST, 5.0),))
        await run(channel, program(Rest(), end_of_rest, high=5.0))
        assert cell.charge == pytest.approx(charge)


async def test_off_is_not_held_up_by_somebody_who_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drivers.emstat4_channel.RECORD_SECONDS", 200.0)
    async with potentiostat(speed=1e-3) as (channel, _):  # the next reading is a quarter of an hour away
        await channel.start("run/1", program(Rest(), when(Quantity.TIME, Relation.AT_LEAST, 3000.0)))
        listening = asyncio.create_task(channel.records(after=1))
        await asyncio.sleep(0.002)
        async with asyncio.timeout(100.0):  # half of what it would listen for
            await channel.off()
        await listening


async def test_a_source_meter_charges_clamps_and_rests() -> None:
    """10 mA for 100 s: 1 C, 1.2 V with 0.1 V over 10 ohm; at rest 1.1 V."""
    async with source_meter() as (channel, clock, cell):
        await channel.prepare(program(Rest(), None).limits)
        await channel.apply(Current(0.01, voltage_clamp=2.02))
        charged = await watched(channel, clock, 100.0)
        assert charged.voltage == pytest.approx(1.2, abs=2e-3)
        assert charged.current == pytest.approx(0.01, rel=1e-3)
        await channel.apply(AtRest(voltage_clamp=2.02))
        rested = await channel.measure(within=1.0)
        assert rested.voltage == pytest.approx(1.1, abs=2e-3)
        assert rested.time > charged.time
        await channel.apply(Voltage(1.9, current_clamp=0.01))
        clamped = await channel.measure(within=1.0)
        assert clamped.current == pytest.approx(0.01, rel=1e-2)
        assert clamped.flags == Flags.CLAMPED
        await channel.off()
        charge = cell.charge
        await clock.sleep_until(await clock.now() + 1000.0)
        assert cell.charge == charge  # high impedance: open is open


async def test_a_source_meter_refuses_what_it_cannot_do() -> None:
    async with source_meter() as (channel, _, cell):
        charge = cell.charge  # what the default off-state took before it was changed
        with pytest.raises(RefusedError, match="beyond the rating"):
            await channel.apply(Current(2.0, voltage_clamp=2.02))
        assert cell.charge == charge
