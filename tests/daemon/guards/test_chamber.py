"""Runs in a chamber: simulated chamber and simulated instrument, real drivers, no time at all."""

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from daemon.channels.chamber import BenchChamber
from daemon.channels.chamber_file import ChamberEntry
from daemon.channels.simulation_file import NO_CELL, Simulation
from daemon.channels.surroundings import InChamber
from daemon.delivery.messages import Noted, ReadingRow, Readings, StepEnded
from daemon.engines.gate import Gate
from daemon.engines.programmed import ProgrammedEngine
from daemon.engines.stepped import SteppedEngine
from daemon.errors import UnavailableError
from daemon.guards import Guards
from daemon.guards.chamber import ChamberInterlock, Drift, Tolerance
from daemon.guards.thresholds import DEFAULT as THRESHOLDS
from daemon.running.logbook import Logbook
from daemon.running.planning import planned
from daemon.running.run import Run, RunState
from drivers.base import SteppedChannel
from drivers.chamber import ChamberMode, ChamberState
from drivers.deadman import Deadman, DeadmanKind
from drivers.errors import RefusedError
from drivers.keithley2450_output import Output
from simulators.espec import Espec
from simulators.faults import Faults
from simulators.server import serve
from tests.daemon.guard_bench import Bench, bench

PROTOCOL = """protocol: Warm
limits: {voltage: 0 V .. 5 V, current: 10 mA}
record: every 60 s
steps:
  - chamber: 45 degC
  - rest: 40 min
"""

CELL = """cell: a capacitor of sorts
nominal_capacity: 10 mAh
window: {voltage: 0 V .. 5 V, current: 10 mA}
"""


class Lab:
    """One instrument, its cell in one chamber, one run."""

    def __init__(self, place: Bench, chamber: BenchChamber, protocol: str = PROTOCOL) -> None:
        self.items = place.items
        plan = planned(protocol, "warm.yaml", CELL, "cell.yaml", place.rating, {}).plan
        logbook, gate = Logbook("run-1", self.items.append), Gate()
        guards = Guards(replace(THRESHOLDS, frozen=None), plan.limits, 5.0, [chamber.interlock])
        self.engine: SteppedEngine | ProgrammedEngine
        if isinstance(place.channel, Output):
            place.channel.deadman = Deadman(DeadmanKind.INSTRUMENT, 60.0)
        if isinstance(place.channel, SteppedChannel):
            self.engine = SteppedEngine(place.channel, place.clock, plan.limits, 5.0, logbook, gate, guards)
        else:
            self.engine = ProgrammedEngine(place.channel, plan.limits, 5.0, logbook, gate, guards)
        self.engine.surroundings = InChamber(
            chamber, "run-1", lambda kind, text: logbook.note(self.engine.time, kind, text)
        )
        self.run = Run(
            "run-1", "one", plan, "cell", self.engine, logbook, gate, self.items.append, lambda position: None
        )
        self.chamber = chamber

    async def conduct(self) -> "Lab":
        watch = asyncio.create_task(self.chamber.watch(), name="chamber watch")
        self.run.task = asyncio.create_task(self.run.conduct(), name="run")
        with contextlib.suppress(asyncio.CancelledError):
            await self.run.task
        watch.cancel()
        await asyncio.wait({watch})
        return self

    @property
    def rows(self) -> list[ReadingRow]:
        return [row for item in self.items if isinstance(item, Readings) for row in item.rows]

    @property
    def notes(self) -> list[str]:
        return [item.text for item in self.items if isinstance(item, Noted) and item.kind == "chamber"]

    @property
    def ends(self) -> list[tuple[str, float]]:
        return [(item.reason, item.duration) for item in self.items if isinstance(item, StepEnded)]


@asynccontextmanager
async def lab(
    instrument: str = "keithley2450",
    drift: Drift = Drift.HOLD,
    faults: Sequence[str] = (),
    give_up: float = 7200.0,
    protocol: str = PROTOCOL,
) -> AsyncIterator[Lab]:
    tolerance = Tolerance(drift=drift, give_up=give_up)
    entry = ChamberEntry("oven", "espec", None, Simulation(NO_CELL, math.inf), ("one",), tolerance)
    async with (
        serve(Espec, cell=NO_CELL, speed=math.inf, seed=1, faults=Faults(faults)) as served,
        bench(instrument, "li_ion") as place,
    ):
        chamber = BenchChamber(entry, f"visa://{served.address}", served.rehearsal)
        try:
            yield Lab(place, chamber, protocol)
        finally:
            await chamber.aclose()


@pytest.mark.parametrize("instrument", ["keithley2450", "emstat4"])
async def test_a_chamber_step_waits_until_the_air_is_there_and_readings_tell_its_temperature(
    instrument: str,
) -> None:
    """From 23 to 42 degC at 3 K/min (380 s), to 44 with 60 s (66 s), and 300 s within 1 K: 746 s."""
    async with lab(instrument) as bench_lab:
        done = await bench_lab.conduct()
        assert (done.run.state, done.notes) == (RunState.FINISHED, [])
        [(why, waited), (_, rested)] = done.ends
        assert why == "within 1 K of 45 degC"
        if instrument == "keithley2450":
            assert waited == pytest.approx(746.0, abs=15.0)
        else:  # it runs ahead of who takes its data
            assert waited > 735.0
        assert rested == pytest.approx(2400.0, abs=10.0)
        temperatures = [row.temperature for row in done.rows]
        assert None not in temperatures
        assert temperatures[0] == pytest.approx(23.0, abs=1.0)
        assert temperatures[-1] == pytest.approx(45.0, abs=0.2)


async def test_a_run_is_held_while_the_door_is_open_and_goes_on_by_itself() -> None:
    async with lab(faults=["door at 20 min for 10 min"]) as bench_lab:
        done = await bench_lab.conduct()
        assert done.run.state is RunState.FINISHED
        assert "chamber oven: alarm 14" in done.notes[0]
        assert "chamber oven is back after" in done.notes[1]
        [_, (_, rested)] = done.ends
        assert rested == pytest.approx(2400.0, abs=10.0)  # what it was held for is not counted


async def test_a_chamber_that_is_to_stop_runs_trips_them() -> None:
    async with lab(drift=Drift.STOP, faults=["drifting by 36 K/h after 20 min"]) as bench_lab:
        done = await bench_lab.conduct()
        assert done.run.state is RunState.TRIPPED
        assert "interlock oven: " in done.run.reason
        assert "45 ± 1 degC was set" in done.run.reason
        # 0.01 K/s: the band is left after 100 s, and objected to 60 s later
        assert 1200.0 + 160.0 <= done.engine.time <= 1200.0 + 160.0 + 30.0


async def test_a_run_that_was_held_for_too_long_is_stopped() -> None:
    async with lab(faults=["failure at 20 min"], give_up=600.0) as bench_lab:
        done = await bench_lab.conduct()
        assert done.run.state is RunState.STOPPED
        assert "chamber oven, held for" in done.run.reason
        assert "alarm 7" in done.run.reason


async def test_drift_that_is_to_be_ignored_is_on_the_record() -> None:
    async with lab(drift=Drift.IGNORE, faults=["door at 20 min for 10 min"]) as bench_lab:
        done = await bench_lab.conduct()
        assert done.run.state is RunState.FINISHED
        assert len(done.notes) == 2


async def test_a_temperature_the_chamber_cannot_have_fails_the_run() -> None:
    async with lab(protocol=PROTOCOL.replace("45", "170")) as bench_lab:
        done = await bench_lab.conduct()
        assert done.run.state is RunState.FAILED
        assert "170 degC; wanted -40 to 150 degC, the limits of chamber oven" in done.run.reason


async def test_two_runs_cannot_want_two_temperatures_of_one_chamber() -> None:
    async with lab() as bench_lab:
        bench_lab.chamber.ask("lab-1", 25.0)
        bench_lab.chamber.ask("lab-2", 25.0)
        with pytest.raises(
            RefusedError, match="45 degC; wanted 25 degC, at which chamber oven is kept for run lab-1"
        ):
            bench_lab.chamber.ask("lab-3", 45.0)


async def test_a_run_whose_record_takes_nothing_does_not_end_the_watch() -> None:
    def full() -> None:
        raise UnavailableError("the spool takes nothing")

    looked: list[bool] = []
    async with lab() as bench_lab:
        bench_lab.chamber.enter(full)
        bench_lab.chamber.enter(lambda: looked.append(True))
        await bench_lab.chamber.look()
    assert looked == [True]


async def test_a_chamber_that_cannot_be_reached_is_said_to_be_and_nothing_is_known_of_it() -> None:
    entry = ChamberEntry("oven", "espec", "tcp://127.0.0.1:9", None, ("one",), Tolerance())
    chamber = BenchChamber(entry, "tcp://127.0.0.1:9")
    await chamber.look()
    assert "cannot connect" in (chamber.trouble or "")
    assert chamber.facts()["temperature"] is None
    assert [finding.wrong for finding in chamber.findings()] == [True]
    await chamber.aclose()


def seen(interlock: ChamberInterlock, moment: float, temperature: float, set_point: float = 25.0) -> None:
    interlock.seen(ChamberState(temperature, set_point, ChamberMode.CONSTANT), moment)


def test_a_chamber_nobody_spoke_of_is_held_to_its_own_set_point_once_it_is_there() -> None:
    interlock = ChamberInterlock("oven", Tolerance(drift=Drift.STOP))
    seen(interlock, 0.0, 40.0)
    seen(interlock, 600.0, 25.5)
    assert not interlock.there
    seen(interlock, 900.0, 25.2)
    assert interlock.there
    seen(interlock, 960.0, 26.5)
    assert interlock.objection() is None  # it may be back within a minute
    seen(interlock, 1020.0, 26.5)
    assert interlock.objection() == "26.5 degC, 25 ± 1 degC was set"
    seen(interlock, 1030.0, 25.5)
    assert interlock.objection() is None


def test_a_silent_chamber_is_objected_to_and_its_temperature_believed_no_more() -> None:
    interlock = ChamberInterlock("oven", Tolerance(drift=Drift.STOP))
    seen(interlock, 0.0, 25.0)
    interlock.lost("no answer", 59.0)
    assert interlock.objection() is None
    assert interlock.temperature() == 25.0
    interlock.lost("no answer", 61.0)
    assert interlock.objection() == "silent: no answer"
    assert interlock.temperature() is None


def test_somebody_at_the_panel_is_told_of() -> None:
    interlock = ChamberInterlock("oven", Tolerance(drift=Drift.STOP, settle=0.0))
    interlock.ask(25.0)
    interlock.told = True
    seen(interlock, 0.0, 25.0)
    assert interlock.there
    seen(interlock, 10.0, 25.0, set_point=60.0)
    seen(interlock, 70.0, 25.0, set_point=60.0)
    assert interlock.objection() == "somebody set it to 60 degC, 25 degC was wanted"
