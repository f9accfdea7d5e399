"""Protocols run whole, and step by step, on the simulated Neware: driver, wire and engines as in a lab."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from math import inf

import pytest

from daemon.delivery.messages import Item, Readings, StepEnded, StepStarted
from daemon.engines.engine import Engine
from daemon.engines.gate import Gate
from daemon.engines.programmed import ProgrammedEngine
from daemon.engines.whole import WholeEngine
from daemon.guards import DEFAULT, Guards
from daemon.running.logbook import Logbook
from daemon.running.run import Run, RunState
from drivers.links.opening import open_link
from drivers.neware import Neware
from drivers.neware_channel import NewareChannel
from drivers.neware_holding import refusal, unheld
from drivers.rehearsal import RehearsalClock
from protocols import library
from protocols.cell import Cell
from protocols.plan import Plan
from protocols.protocol import Protocol
from protocols.resolve import resolve
from simulators.neware import Neware as SimulatedNeware
from tests.protocols.test_library import CELLS, VARIABLES, variants

WHOLE, STEP_BY_STEP, REFUSED = "whole", "step by step", "refused"

HOLDS = {
    "ionic_conductivity": REFUSED,  # a spectrum
    "transference_number": REFUSED,
    "li_s_voltammetry": REFUSED,  # a sweep
    "li_s_cycling": STEP_BY_STEP,  # until a retention
    "li_ion_cccv": STEP_BY_STEP,
    "li_ion_pulses": STEP_BY_STEP,  # until a slope
    "li_cu_aurbach": WHOLE,
    "li_cu_coulombic_efficiency": WHOLE,
    "li_li_symmetric": WHOLE,
    "li_s_high_loading_2c": WHOLE,
    "li_s_loading": WHOLE,
    "li_s_long_1c": WHOLE,
    "li_s_rate": WHOLE,
    "li_se_cycling": WHOLE,
    "na_cu_coulombic_efficiency": WHOLE,
    "na_se_cycling": WHOLE,
}


def cell_for(name: str) -> Cell:
    return Cell.load(library.cell_path(variants(CELLS[name])[0]))


@pytest.mark.parametrize("name", HOLDS)
def test_every_ready_protocol_is_held_whole_given_step_by_step_or_refused(name: str) -> None:
    plan = resolve(
        Protocol.load(library.protocol_path(name)), cell_for(name), variables=VARIABLES.get(name, {})
    )
    refused = [reason for step in plan.each_step() if (reason := refusal(step)) is not None]
    found = REFUSED if refused else STEP_BY_STEP if unheld(plan) else WHOLE
    assert found == HOLDS[name], refused or unheld(plan)
    assert all(line > 1 for line, _, _ in unheld(plan))


LI_S = """
protocol: p
limits: {voltage: 1.5 V .. 3.0 V, current: 3 C}
record: every 60 s or 5 mV
steps:
  - rest: 10 min
  - repeat: 2
    steps:
      - {discharge: 1 C, until: voltage <= 1.7 V}
      - {charge: 1 C, until: voltage >= 2.8 V or capacity >= SHARE of discharge}
"""

CCCV = """
protocol: p
limits: {voltage: 2.5 V .. 4.3 V, current: 2 C}
record: every 60 s or 5 mV
steps:
  - repeat: 3
    until: retention < 50 %
    steps:
      - {charge: 1 C, until: voltage >= 4.2 V}
      - {hold: 4.2 V, until: current <= 0.05 C or time >= 4 h}
      - {discharge: 1 C, until: voltage <= 2.8 V}
  - rest: 1 h
    until: voltage_slope <= 100 mV/h
"""


class Lab:
    """One run on the one channel of a simulated Neware, and what was really done to its cell."""

    def __init__(self, channel: NewareChannel, clock: RehearsalClock, plan: Plan) -> None:
        self.items: list[Item] = []
        self.clock = clock
        gate, logbook = Gate(), Logbook("run-1", self.items.append)
        guards = Guards(DEFAULT, plan.limits, 1.0)
        engine: Engine = (
            ProgrammedEngine(channel, plan.limits, 1.0, logbook, gate, guards)
            if channel.unheld(plan)
            else WholeEngine(channel, plan.limits, 1.0, clock, logbook, gate, guards)
        )
        emit = self.items.append
        self.run = Run("run-1", "c", plan, "cell", engine, logbook, gate, emit, lambda position: None)

    def steps(self, verb: str) -> list[StepEnded]:
        begun = {item.ordinal: item.verb for item in self.items if isinstance(item, StepStarted)}
        return [i for i in self.items if isinstance(i, StepEnded) and begun[i.ordinal] == verb]

    def numbers(self) -> list[int]:
        read = [item for item in self.items if isinstance(item, Readings)]
        return [number for item in read for number in range(item.first, item.first + len(item.rows))]


@asynccontextmanager
async def lab(cell: str, protocol: str, for_cell: Cell) -> AsyncIterator[Lab]:
    plan = resolve(Protocol.parse(protocol, "p.yaml"), for_cell)
    async with SimulatedNeware.serve(speed=inf, bays=[{"cell": cell}]) as served:
        link = await open_link(served.address, Neware.link_options)
        clock = await RehearsalClock.connect(served.bays[0].rehearsal)
        channel = (await Neware.open(link)).channels["27-1-1"]
        assert isinstance(channel, NewareChannel)
        try:
            yield Lab(channel, clock, plan)
        finally:
            await link.aclose()
            await clock.aclose()


async def test_capacities_are_those_that_passed_through_the_cell() -> None:
    """The cycler's counters, through its file, wire and units, against the cell's own ledger: 0.02 %."""
    async with lab("li_s/ti087o2", LI_S.replace("SHARE", "150 %"), cell_for("li_s_long_1c")) as found:
        await found.run.conduct()
        assert found.run.state is RunState.FINISHED, found.run.reason
        delivered = (await found.clock.truth())["delivered"]
        assert [-s.capacity for s in found.steps("discharge")] == pytest.approx(delivered, rel=2e-4)
        assert [s.reason for s in found.steps("charge")] == ["voltage >= 2.8 V"] * 2
        assert found.numbers() == list(range(1, len(found.numbers()) + 1))


async def test_a_charge_the_shuttle_would_not_end_is_ended_at_its_share_by_the_cycler() -> None:
    async with lab("li_s/pp", LI_S.replace("SHARE", "60 %"), cell_for("li_s_long_1c")) as found:
        await found.run.conduct()
        assert found.run.state is RunState.FINISHED, found.run.reason
        charged = [s.capacity for s in found.steps("charge")]
        discharged = [-s.capacity for s in found.steps("discharge")]
        assert charged == pytest.approx([0.6 * coulombs for coulombs in discharged], rel=1e-3)
        assert {s.reason for s in found.steps("charge")} == {"capacity >= 60 % of discharge"}


async def test_what_it_cannot_hold_whole_is_given_step_by_step_with_the_same_outcome() -> None:
    async with lab("li_ion", CCCV, cell_for("li_ion_cccv")) as found:
        await found.run.conduct()
        assert found.run.state is RunState.FINISHED, found.run.reason
        assert len(found.steps("discharge")) == 3
        held = found.steps("hold")
        assert {s.reason for s in held} == {"current <= 0.05 C"}
        assert all(s.capacity > 0.0 for s in held)
        [rest] = found.steps("rest")
        assert rest.reason == "voltage_slope <= 100 mV/h"
        assert 600.0 <= rest.duration < 3600.0  # the slope is fitted over ten minutes
        assert found.numbers() == list(range(1, len(found.numbers()) + 1))
