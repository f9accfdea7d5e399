"""OCV, CA, CP, CALIMIT and CPLIMIT: steps at each of which one thing is held."""

from abc import abstractmethod
from collections.abc import Generator
from functools import partial
from math import inf
from typing import ClassVar, NamedTuple

from simulators.biologic.exits import CURRENT, NO_EXITS, VOLTAGE, Exits, Then
from simulators.biologic.models import AUTO_RANGE
from simulators.biologic.parameters import MOST_STEPS, within
from simulators.biologic.potentiostat import Look, Potentiostat, Sample
from simulators.biologic.run import Run
from simulators.biologic.stride import RESOLUTION, Excess, lived
from simulators.biologic.technique import Technique, Way

CLOSE_CHANGE = 0.02
"""Of `Record_every_dE` or `_dI`, by how much a row may come late."""

FIRST_STRIDE = 0.05

MOST_TRIES = 200
"""How often a sample is taken until the noise lets it meet the test the cell has met."""


class Step(NamedTuple):
    """`value` is what is held; a row at least every `every` seconds and at every change by `change`."""

    value: float
    versus_initial: bool
    seconds: float
    every: float
    change: float
    exits: Exits


class Steady(Technique):
    """The rows of a step: one at its beginning, one at its end, and those it was asked for."""

    observed: ClassVar[int] = VOLTAGE
    """What is not held: a change of it is what makes a row."""

    def read(self) -> None:
        self.steps = self.read_steps()

    @abstractmethod
    def read_steps(self) -> list[Step]:
        """Return the steps. Raises `RefusalError`."""

    @abstractmethod
    def hold(self, potentiostat: Potentiostat, value: float) -> None:
        """Begin to hold the value of a step."""

    def initial(self, potentiostat: Potentiostat) -> float:
        """Return what `vs_initial` counts from."""
        look = potentiostat.look()
        return look.current if self.observed == VOLTAGE else look.voltage

    def keep(self, run: Run, sample: Sample, cycle: int) -> None:
        """Keep a row."""
        run.keep_held(sample, cycle)

    def way(self, run: Run) -> Way:
        initial = self.initial(run.potentiostat)
        self.select_ranges(run)
        for cycle in range(self.parameters.integer("N_Cycles") + 1):
            for place in range(len(self.steps)):
                then = yield from self._step(run, place, cycle, initial)
                if then > Then.NEXT_STEP:
                    return then
        return Then.NEXT_TECHNIQUE

    def _step(self, run: Run, place: int, cycle: int, initial: float) -> Generator[float, None, Then]:
        """Live through a step, which may be made shorter meanwhile."""
        potentiostat, step = run.potentiostat, self.steps[place]
        self.hold(potentiostat, step.value + (initial if step.versus_initial else 0.0))
        began, stride = potentiostat.time, FIRST_STRIDE
        kept = potentiostat.sample()
        self.keep(run, kept, cycle)
        while not step.exits.excess(potentiostat.look()) > 0.0:
            if potentiostat.time >= began + self.steps[place].seconds:
                return Then.NEXT_STEP
            due = partial(self._due, place, began, kept.time + step.every)
            yield from lived(potentiostat, due, self._event(step, kept), stride, run.speed)
            if step.exits.excess(potentiostat.look()) > 0.0:
                break
            stride = max(potentiostat.time - kept.time, RESOLUTION)
            kept = potentiostat.sample()
            self.keep(run, kept, cycle)
        sample = yield from _meeting(potentiostat, step.exits)
        if run.manners.records_last:
            self.keep(run, sample, cycle)
        return step.exits.then

    def _due(self, place: int, began: float, row: float) -> float:
        """Return when the next row is due, or the step over, as long as it now is."""
        return min(row, began + self.steps[place].seconds)

    def _event(self, step: Step, kept: Sample) -> Excess:
        """Return what makes a row, or the end, before its time: a change since `kept`, or a test."""
        watches_voltage = self.observed == VOLTAGE
        start = kept.voltage if watches_voltage else kept.current

        def excess(look: Look) -> float:
            changed = abs((look.voltage if watches_voltage else look.current) - start)
            return max(step.exits.excess(look), (changed / step.change - 1.0) / CLOSE_CHANGE)

        return excess if step.change < inf else step.exits.excess


class OpenCircuit(Steady):
    """`ocv`: nothing flows; VMP3 rows have the counter electrode too."""

    def read_steps(self) -> list[Step]:
        self.voltage_range()
        every, change = self.seconds("Record_every_dT"), self.seconds("Record_every_dE")
        return [Step(0.0, False, self.seconds("Rest_time_T"), every or inf, change or inf, NO_EXITS)]

    def way(self, run: Run) -> Way:
        run.potentiostat.select(AUTO_RANGE, self.voltage_range())
        return (yield from self._step(run, 0, 0, 0.0)) or Then.NEXT_TECHNIQUE

    def hold(self, potentiostat: Potentiostat, value: float) -> None:
        potentiostat.disconnect()

    def keep(self, run: Run, sample: Sample, cycle: int) -> None:
        run.keep_at_rest(sample)


class Stepped(Steady):
    """Up to twenty steps after each other, all of them `N_Cycles` times more."""

    level: ClassVar[str]
    change: ClassVar[str]

    def read_steps(self) -> list[Step]:
        self.current_range()
        self.voltage_range()
        within(self.parameters.integer("N_Cycles"), 0, 1 << 30)
        every, change = self.seconds("Record_every_dT"), self.seconds(self.change)
        count = int(within(self.parameters.integer("Step_number"), 0, MOST_STEPS - 1)) + 1
        return [
            Step(
                self.checked(index),
                bool(self.parameters.integer("vs_initial", index)),
                self.seconds("Duration_step", index),
                every or inf,
                change or inf,
                self.exits(index),
            )
            for index in range(count)
        ]

    @abstractmethod
    def checked(self, index: int) -> float:
        """Return the value of a step. Raises `RefusalError`."""

    def exits(self, index: int) -> Exits:
        """Return the tests of a step; a technique without has none. Raises `RefusalError`."""
        return NO_EXITS if self.parameters.technique in ("ca", "cp") else Exits.of(self.parameters, index)


class ControlledVoltage(Stepped):
    """`ca` and `calimit`."""

    observed = CURRENT
    change = "Record_every_dI"

    def checked(self, index: int) -> float:
        return self.voltage("Voltage_step", index)

    def hold(self, potentiostat: Potentiostat, value: float) -> None:
        potentiostat.hold(value)


class ControlledCurrent(Stepped):
    """`cp` and `cplimit`."""

    automatic_range = False
    change = "Record_every_dE"

    def checked(self, index: int) -> float:
        return self.current("Current_step", index)

    def hold(self, potentiostat: Potentiostat, value: float) -> None:
        potentiostat.drive(value)


def _meeting(potentiostat: Potentiostat, exits: Exits) -> Generator[float, None, Sample]:
    """Go on until a sample meets the tests, which the cell itself does already."""
    sample = potentiostat.sample()
    for _ in range(MOST_TRIES):
        if exits.excess(sample) > 0.0:
            break
        yield potentiostat.time + RESOLUTION
        potentiostat.live_until(potentiostat.time + RESOLUTION)
        sample = potentiostat.sample()
    return sample
