"""What a run does when its instrument, its leads or its cell go wrong."""

import asyncio
import math
from dataclasses import replace

import pytest

from daemon.delivery.messages import Item, Noted, Readings, RunEnded, StepEnded, StepStarted
from daemon.engines.gate import Gate
from daemon.engines.stepped import SteppedEngine
from daemon.guards import DEFAULT, Guards, Interlock, Thresholds
from daemon.running.logbook import RECENT, Logbook
from daemon.running.position import StepPosition
from daemon.running.run import Run, RunState
from drivers.errors import LinkError
from protocols.conditions import Quantity
from protocols.limits import Bound, Limits, Range
from protocols.plan import Ceiling, PlannedStep
from protocols.reading import Flags, Reading
from protocols.setpoint import Current, Setpoint
from protocols.techniques import ConstantCurrent, ConstantVoltage, Level
from protocols.walk import Visit
from tests.daemon.plans import end, plan, step
from tests.daemon.stepped_bench import JumpClock, LinearCell, window

WINDOW = window((2.5, 4.3), 2.0)
CHARGE = step("charge", ConstantCurrent(0.5), end(Quantity.TIME, ">=", 60.0))


class FaultyCell(LinearCell):
    """Goes wrong from the reading numbered `fails_at` on, in the way a test says."""

    def __init__(self, clock: JumpClock, charge: float = 1800.0) -> None:
        super().__init__(clock, charge)
        self.fails_at = math.inf

    async def measure(self, within: float) -> Reading:
        reading = await super().measure(within)
        return await self.spoil(reading) if self.readings >= self.fails_at else reading

    async def spoil(self, reading: Reading) -> Reading:
        return reading


class OpenLead(FaultyCell):
    """The voltage runs to the clamp, the current is gone."""

    async def spoil(self, reading: Reading) -> Reading:
        return reading._replace(voltage=4.32, current=1e-6, flags=Flags.CLAMPED)


class Frozen(FaultyCell):
    frozen: Reading | None = None

    async def spoil(self, reading: Reading) -> Reading:
        self.frozen = self.frozen or reading
        return self.frozen._replace(time=reading.time)


class CrossedLeads(FaultyCell):
    async def spoil(self, reading: Reading) -> Reading:
        return reading._replace(current=-reading.current)


class Glitch(FaultyCell):
    async def spoil(self, reading: Reading) -> Reading:
        return reading._replace(voltage=reading.voltage - 0.6)


class Deaf(FaultyCell):
    """Says yes to every set value, and keeps the first current it was told."""

    async def apply(self, setpoint: Setpoint) -> None:
        taken = isinstance(setpoint, Current) and any(isinstance(each, Current) for each in self.applied)
        await super().apply(self.applied[-1] if taken else setpoint)


class Hanging(FaultyCell):
    async def spoil(self, reading: Reading) -> Reading:
        await asyncio.Event().wait()
        raise AssertionError("nobody ends this wait but a deadline")


class Raising(FaultyCell):
    async def spoil(self, reading: Reading) -> Reading:
        raise ZeroDivisionError("a fault of ours")


class Lossy(FaultyCell):
    """Loses the answer of every reading whose number is in `lost`."""

    lost: tuple[int, ...] = ()

    async def measure(self, within: float) -> Reading:
        reading = await super().measure(within)
        if self.readings in self.lost:
            raise LinkError(f"answer {self.readings} garbled")
        return reading


class Rig:
    def __init__(
        self,
        cell_class: type[LinearCell],
        *steps: PlannedStep,
        limits: Limits = WINDOW,
        charge: float = 1800.0,
        fails_at: float = math.inf,
        thresholds: Thresholds = DEFAULT,
        interlocks: tuple[Interlock, ...] = (),
    ) -> None:
        self.clock = JumpClock()
        self.cell = cell_class(self.clock, charge)
        if isinstance(self.cell, FaultyCell):
            self.cell.fails_at = fails_at
        self.items: list[Item] = []
        gate = Gate()
        self.logbook = Logbook("run-1", self.items.append)
        guards = Guards(thresholds, limits, 1.0, interlocks)
        self.engine = SteppedEngine(self.cell, self.clock, limits, 1.0, self.logbook, gate, guards)
        self.run = Run(
            "run-1",
            "smu1",
            plan(limits, *(steps or (CHARGE,))),
            "linear",
            self.engine,
            self.logbook,
            gate,
            self.items.append,
            lambda position: None,
        )

    async def conduct(self) -> "Rig":
        await self.run.conduct()
        return self

    @property
    def rows(self) -> list[tuple[float, float, float]]:
        readings = [item for item in self.items if isinstance(item, Readings)]
        return [(row.time, row.voltage, row.current) for item in readings for row in item.rows]

    @property
    def notes(self) -> list[Noted]:
        """Everything noted but the contact resistance, which every sound run shows."""
        return [item for item in self.items if isinstance(item, Noted) and item.kind != "resistance"]


@pytest.mark.parametrize(
    ("cell_class", "reason"),
    [
        (OpenLead, "open lead or empty cell: the clamp holds 4.3200 V"),
        (Frozen, "frozen readings"),
        (CrossedLeads, "wrong sign of current: -0.5 A flows, 0.5 A was set"),
        (Glitch, "implausible jump"),
    ],
)
async def test_a_fault_trips_and_the_reading_that_did_is_on_record(
    cell_class: type[FaultyCell], reason: str
) -> None:
    rig = await Rig(cell_class, fails_at=30).conduct()
    assert rig.run.state is RunState.TRIPPED
    assert rig.run.reason.startswith(reason)
    assert rig.cell.setpoint is None
    last = rig.logbook.recent[-1]
    assert rig.rows[-1][1:] == (last.voltage, last.current)
    assert len(rig.logbook.recent) == RECENT
    assert [row.time for row in rig.logbook.recent] == sorted({row.time for row in rig.logbook.recent})
    assert isinstance(rig.items[-1], RunEnded)


async def test_an_open_lead_is_no_end_by_voltage() -> None:
    charge = step("charge", ConstantCurrent(0.5), end(Quantity.VOLTAGE, ">=", 4.2))
    rig = await Rig(OpenLead, charge, fails_at=30).conduct()
    assert rig.run.state is RunState.TRIPPED
    assert "open lead" in rig.run.reason


async def test_a_set_value_that_is_not_taken_is_noticed_within_seconds() -> None:
    steps = (
        step("charge", ConstantCurrent(0.5), end(Quantity.TIME, ">=", 10.0)),
        step("charge", ConstantCurrent(0.1), end(Quantity.TIME, ">=", 60.0)),
    )
    rig = await Rig(Deaf, *steps).conduct()
    assert rig.run.state is RunState.TRIPPED
    assert "set point not obeyed: current 0.5 A, 0.1 ± 0.005 A was set" in rig.run.reason
    assert 2.0 <= rig.engine.time - 10.0 < 4.0


async def test_a_held_voltage_with_a_lead_off_trips_at_its_beginning() -> None:
    class Floating(FaultyCell):
        async def spoil(self, reading: Reading) -> Reading:
            return reading._replace(voltage=4.0, current=0.0)

    hold = step("hold", ConstantVoltage(Level(4.0)), end(Quantity.CURRENT, "<=", 0.05))
    # with the lead off the current is under its end at once: that must not pass for a finished hold
    rig = await Rig(Floating, hold, fails_at=2).conduct()
    assert rig.run.state is RunState.TRIPPED
    assert "open lead: 0 A flow under 4.0000 V" in rig.run.reason


async def test_a_measurement_that_hangs_is_stale_and_the_circuit_is_opened() -> None:
    rig = await Rig(Hanging, fails_at=5, thresholds=replace(DEFAULT, stale=0.01)).conduct()
    assert rig.run.state is RunState.TRIPPED
    assert rig.run.reason.startswith("stale: no reading for 0.03 s")
    assert rig.cell.setpoint is None


async def test_a_reading_that_comes_late_by_the_instruments_clock_is_stale() -> None:
    rig = Rig(LinearCell)

    def dawdle(number: int) -> None:
        rig.clock.time += 4.0 if number == 20 else 0.0

    rig.cell.before_reading = dawdle
    await rig.conduct()
    assert rig.run.state is RunState.TRIPPED
    assert rig.run.reason.startswith("stale: 5 s passed without a reading, at most 4 s was wanted")


async def test_a_lost_answer_is_asked_for_again_and_noted() -> None:
    rig = Rig(Lossy)
    assert isinstance(rig.cell, Lossy)
    rig.cell.lost = (20, 40)
    await rig.conduct()
    assert rig.run.state is RunState.FINISHED
    assert [note.text for note in rig.notes] == ["answer 20 garbled", "answer 40 garbled"]


async def test_three_lost_answers_in_a_row_are_a_fault_of_the_instrument() -> None:
    rig = Rig(Lossy)
    assert isinstance(rig.cell, Lossy)
    rig.cell.lost = (20, 21, 22)
    await rig.conduct()
    assert rig.run.state is RunState.FAILED
    assert rig.run.reason == "answer 22 garbled"
    assert rig.cell.setpoint is None


@pytest.mark.parametrize("cell_class", [Hanging, Raising])
async def test_what_happens_to_one_channel_costs_the_others_not_one_reading(
    cell_class: type[FaultyCell],
) -> None:
    alone = await Rig(LinearCell).conduct()
    beside = Rig(LinearCell)
    faulty = Rig(cell_class, fails_at=5, thresholds=replace(DEFAULT, stale=0.1))
    async with asyncio.TaskGroup() as group:
        stuck = group.create_task(faulty.conduct())
        await beside.conduct()
        assert (cell_class is Hanging) is not stuck.done()  # it hung all the while
    assert beside.run.state is RunState.FINISHED
    assert beside.rows == alone.rows
    assert beside.cell.readings == alone.cell.readings
    assert faulty.run.over
    assert faulty.cell.setpoint is None


async def test_a_step_longer_than_its_ceiling_trips() -> None:
    charge = step(
        "charge", ConstantCurrent(0.1), end(Quantity.VOLTAGE, ">=", 4.2), ceiling=Ceiling(30.0, 1e6)
    )
    rig = await Rig(LinearCell, charge).conduct()
    assert rig.run.state is RunState.TRIPPED
    assert "its ceiling is 30 s" in rig.run.reason
    assert rig.engine.time == pytest.approx(30.0, abs=0.2)


async def test_a_step_that_passes_more_charge_than_its_ceiling_trips() -> None:
    charge = step(
        "charge", ConstantCurrent(0.5), end(Quantity.VOLTAGE, ">=", 4.2), ceiling=Ceiling(1e6, 10.0)
    )
    rig = await Rig(LinearCell, charge).conduct()
    assert rig.run.state is RunState.TRIPPED
    assert "its ceiling is 10 C" in rig.run.reason
    assert rig.cell.charge - 1800.0 == pytest.approx(10.0, abs=0.6)  # at most a second of 0.5 A too much


async def test_a_temperature_outside_its_window_trips() -> None:
    class Warm(FaultyCell):
        async def measure(self, within: float) -> Reading:
            reading = await super().measure(within)
            return reading._replace(temperature=25.0 + 0.5 * self.readings)

    limits = replace(WINDOW, temperature=Range(high=Bound(45.0, "cell")))
    rig = await Rig(Warm, limits=limits, thresholds=replace(DEFAULT, heating=None)).conduct()
    assert rig.run.state is RunState.TRIPPED
    assert "temperature 45.5 degC is outside … to 45 degC" in rig.run.reason
    assert rig.notes == []


async def test_a_contact_that_gets_worse_is_noted_and_one_beyond_its_limit_trips() -> None:
    # 0.05 ohm in the cell; from the third step on 0.2 ohm more in its leads, from the fifth 10 ohm
    steps = [step("charge", ConstantCurrent(0.1 * n), end(Quantity.TIME, ">=", 10.0)) for n in range(1, 6)]

    class Corroding(LinearCell):
        async def measure(self, within: float) -> Reading:
            reading = await super().measure(within)
            extra = {0.3: 0.2, 0.4: 0.2, 0.5: 10.0}.get(round(reading.current, 3), 0.0)
            return reading._replace(voltage=reading.voltage + extra * reading.current)

    rig = await Rig(Corroding, *steps, thresholds=replace(DEFAULT, resistance=20.0, jump=None)).conduct()
    noted = [item for item in rig.items if isinstance(item, Noted) and item.kind == "resistance"]
    # 0.05 from rest; the second step is no news; (0.3 × 0.25 - 0.2 × 0.05) V / 0.1 A = 0.65 ohm;
    # then 0.1 × 0.25 V / 0.1 A = 0.25 ohm; the fifth, (0.5 × 10.05 - 0.4 × 0.25) / 0.1 = 49.25 ohm,
    # and a little that the cell charges meanwhile: trips
    assert [round(item.detail["ohms"], 2) for item in noted] == [0.05, 0.05, 0.65, 0.25]
    assert (noted[2].detail["before"], noted[2].detail["after"]) == (pytest.approx(0.2), pytest.approx(0.3))
    assert rig.run.state is RunState.TRIPPED
    assert "contact resistance: 49.3 ohm at the change from 400 mA to 500 mA" in rig.run.reason
    assert "at most 20 ohm was wanted" in rig.run.reason


async def test_a_cell_that_warms_up_under_current_trips_before_it_is_hot() -> None:
    class Warming(FaultyCell):
        async def measure(self, within: float) -> Reading:
            reading = await super().measure(within)
            return reading._replace(temperature=25.0 + 0.2 * (reading.time - 10.0))  # 12 K/min

    limits = replace(WINDOW, temperature=Range(high=Bound(45.0, "cell")))
    rig = await Rig(Warming, limits=limits).conduct()
    assert rig.run.state is RunState.TRIPPED
    assert "degC within 60 s, a rise of 5 K was allowed" in rig.run.reason
    assert 25.0 < rig.engine.time < 30.0  # 5 K take 25 s; two readings must show it


async def test_a_temperature_limit_without_a_thermometer_is_said_to_be_unwatched() -> None:
    rig = await Rig(LinearCell, limits=replace(WINDOW, temperature=Range(high=Bound(45.0, "cell")))).conduct()
    assert rig.run.state is RunState.FINISHED
    assert [(note.kind, "not judged" in note.text) for note in rig.notes] == [("unwatched", True)]


async def test_an_interlock_opens_the_circuit_in_the_middle_of_a_step() -> None:
    class Chamber(Interlock):
        name = "chamber"
        hot = False

        def objection(self) -> str | None:
            return "61 degC, 25 ± 2 degC was set" if self.hot else None

    chamber = Chamber()
    rig = Rig(LinearCell, interlocks=(chamber,))

    def heat(number: int) -> None:
        chamber.hot = number >= 30

    rig.cell.before_reading = heat
    await rig.conduct()
    assert rig.run.state is RunState.TRIPPED
    assert rig.run.reason == "interlock chamber: 61 degC, 25 ± 2 degC was set"
    assert rig.cell.setpoint is None


@pytest.mark.parametrize(
    ("charge", "likely"),
    # 3.0 V + 1.2 V per 3600 C: -3.6 V, 0 V and 2.4 V
    [(-19800.0, "the wrong way round"), (-9000.0, "is a cell connected"), (-1800.0, "that was named")],
)
async def test_a_cell_that_does_not_fit_is_not_touched(charge: float, likely: str) -> None:
    rig = await Rig(LinearCell, charge=charge).conduct()
    assert rig.run.state is RunState.TRIPPED
    assert likely in rig.run.reason
    assert not any(isinstance(setpoint, Current) for setpoint in rig.cell.applied)
    assert len(rig.logbook.recent) == 1  # the look that found it


async def test_a_step_taken_up_again_goes_on_with_what_is_left_of_it() -> None:
    # 40 of 60 s at 0.5 A are behind it, 20 s are left: 10 C more than the 20 C it had
    rig = Rig(LinearCell)
    rig.logbook.steps, rig.logbook.readings, rig.engine.time = 3, 17, 1000.0
    await rig.engine.prepare()
    behind = StepPosition(40.0, 20.0, 73.0, first_reading=12, open_circuit=3.6, first=None, last=None)
    tally = await rig.engine.run_step(Visit(CHARGE, (), 1), behind)
    await rig.engine.off()
    assert tally.coulombs == pytest.approx(30.0, abs=0.05)
    assert rig.engine.time == pytest.approx(1020.0, abs=0.2)
    assert not any(isinstance(item, StepStarted) for item in rig.items)  # it is on record already
    numbers = [item.first for item in rig.items if isinstance(item, Readings)]
    assert numbers == list(range(18, 18 + len(numbers)))
    [ended] = [item for item in rig.items if isinstance(item, StepEnded)]
    assert (ended.ordinal, ended.first_reading, ended.last_reading) == (3, 12, numbers[-1])
    assert ended.duration == pytest.approx(60.0, abs=0.01)
    assert ended.capacity == pytest.approx(30.0, abs=0.05)


async def test_a_hold_taken_up_again_is_not_judged_by_where_the_cell_once_stood() -> None:
    # held at 4.0 V the cell has arrived: 4.0 V open circuit, no current; it began at 3.6 V
    rig = Rig(LinearCell, charge=3000.0)
    await rig.engine.prepare()
    hold = step("hold", ConstantVoltage(Level(4.0)), end(Quantity.TIME, ">=", 100.0))
    rig.logbook.steps = 1
    behind = StepPosition(90.0, 1200.0, 4600.0, first_reading=1, open_circuit=3.6, first=None, last=None)
    tally = await rig.engine.run_step(Visit(hold, (), 1), behind)
    await rig.engine.off()
    assert tally.seconds == pytest.approx(100.0, abs=0.01)
