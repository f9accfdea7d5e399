"""What sets an EmStat Pico and a Nexus apart from an EmStat4: driver and simulated instrument."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from drivers.base import Program, ProgrammedChannel, ProgramState, Record
from drivers.emstat4 import EmStat4, EmStatPico, Nexus
from drivers.errors import RefusedError
from drivers.links.opening import open_link
from drivers.rehearsal import RehearsalClock
from protocols.conditions import AnyOf, Quantity, Relation
from protocols.reading import ImpedancePoint, Reading
from protocols.techniques import ConstantCurrent, ConstantVoltage, Impedance, Level
from simulators.emstat4 import EmStat4 as SimulatedEmStat4
from simulators.emstat4 import EmStatPico as SimulatedPico
from simulators.emstat4 import Nexus as SimulatedNexus
from simulators.server import serve
from tests.drivers.test_pairs import Capacitor, program, when


@asynccontextmanager
async def instrument(
    driver: type[EmStat4], simulated: type[SimulatedEmStat4]
) -> AsyncIterator[tuple[EmStat4, Capacitor]]:
    cell = Capacitor()
    async with serve(simulated, cell=cell, speed=1e6, seed=1) as served:
        link = await open_link(f"serial://{served.address}", driver.link_options)
        clock = await RehearsalClock.connect(served.rehearsal)
        try:
            yield await driver.open(link), cell
        finally:
            await clock.aclose()
            await link.aclose()


async def run(opened: EmStat4, what: Program) -> list[Record]:
    channel = opened.channels["1"]
    assert isinstance(channel, ProgrammedChannel)
    await channel.start("run/1", what)
    records: list[Record] = []
    while True:
        state = (await channel.state()).state
        new = await channel.records(after=len(records))
        records += new
        if state is not ProgramState.RUNNING and not new:
            return records


async def test_a_pico_holds_a_voltage_and_measures_a_spectrum() -> None:
    """+10 mV over 10 ohm: 1 mA at first, falling with 100 s; 10 ohm at every frequency."""
    async with instrument(EmStatPico, SimulatedPico) as (pico, cell):
        assert pico.identity.model == "EmStat Pico"
        end = when(Quantity.TIME, Relation.AT_LEAST, 60.0)
        records = await run(pico, program(ConstantVoltage(Level(0.01, True)), end))
        first, last = records[0].point, records[-1].point
        assert isinstance(first, Reading)
        assert isinstance(last, Reading)
        assert first.current == pytest.approx(1e-3, rel=2e-2)
        assert last.current == pytest.approx(1e-3 * 0.5488, rel=2e-2)  # exp(-0.6)
        assert cell.charge == pytest.approx(0.1 * (1 - 0.5488), rel=3e-2)
        spectrum = await run(pico, program(Impedance(5e-3, False, Level(0.0, True), 1e3, 1.0, 5), None))
        points = [one.point for one in spectrum if isinstance(one.point, ImpedancePoint)]
        assert len(points) == 16
        assert points[0].real == pytest.approx(10.0, rel=2e-2)


def test_a_pico_sets_no_current_and_says_so() -> None:
    charge = program(ConstantCurrent(1e-3), when(Quantity.TIME, Relation.AT_LEAST, 1.0)).step
    assert EmStatPico.refusal(charge) == "EmStat Pico is no galvanostat: it sets no current"
    assert EmStat4.refusal(charge) is None


async def test_a_simulated_pico_refuses_a_galvanostat() -> None:
    async with serve(SimulatedPico, cell=Capacitor(), speed=1e6, seed=1) as served:
        link = await open_link(f"serial://{served.address}", EmStatPico.link_options)
        await link.write("e\nset_pgstat_chan 0\nset_pgstat_mode 6\n")
        said: list[str] = []
        while not any("!" in line for line in said):
            said += await link.read_lines(1.0)
        assert said[-1].startswith("!0021: Line 2")
        await link.aclose()


async def test_a_script_beyond_the_picos_memory_is_refused_before_it_is_sent() -> None:
    ends = AnyOf(tuple(when(Quantity.TIME, Relation.AT_LEAST, 60.0 + n) for n in range(60)))
    async with instrument(EmStatPico, SimulatedPico) as (pico, _):
        with pytest.raises(RefusedError, match="of which an EmStat Pico holds 4096"):
            await run(pico, program(ConstantVoltage(Level(0.01, True)), ends))


async def test_a_nexus_drives_what_an_emstat4_cannot() -> None:
    """40 mA for 5 s are 0.2 C; 300 mA are refused by an EmStat4 alone."""
    async with instrument(Nexus, SimulatedNexus) as (nexus, cell):
        assert nexus.identity.model == "Nexus"
        end = when(Quantity.TIME, Relation.AT_LEAST, 5.0)
        what = program(ConstantCurrent(0.04), end)
        assert EmStat4.refusal(program(ConstantCurrent(0.3), end).step) is not None
        assert Nexus.refusal(program(ConstantCurrent(0.3), end).step) is None
        await run(nexus, what)
        assert cell.charge == pytest.approx(0.2, rel=2e-2)


async def test_another_of_the_family_is_refused_by_name() -> None:
    async with serve(SimulatedNexus, cell=Capacitor(), speed=1e6, seed=1) as served:
        link = await open_link(f"serial://{served.address}", EmStat4.link_options)
        with pytest.raises(RefusedError, match="'nexus1' answered; wanted es4_lr or es4_hr"):
            await EmStat4.open(link)
        await link.aclose()
