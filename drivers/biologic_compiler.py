"""One step as techniques of EClib, which the instrument runs alone, with its ends and inside its window."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from drivers.biologic_conventions import Conventions
from drivers.biologic_exits import Edge, Exits, exits_of
from drivers.biologic_models import AUTO_RANGE, Potentiostat
from drivers.eclib_technique import Parameter, Technique
from drivers.ends import Done
from drivers.errors import RefusedError
from protocols.conditions import Quantity
from protocols.limits import Bound, Limits
from protocols.plan import PlannedStep
from protocols.recording import Recording
from protocols.techniques import ConstantCurrent, ConstantVoltage, Impedance, Level, Rest, Sweep

STOP = 2
"""`Exit_Cond`: a test that is met stops the experiment, which opens the circuit."""

BELOW, ABOVE = 0b001, 0b101
VARIABLES = {Quantity.VOLTAGE: 0, Quantity.CURRENT: 3}
"""`TestN_Config`: active, the comparison, and from bit 5 on the variable; tests are joined by OR."""

BANDWIDTH = 5
"""Of steady techniques; a sine has the largest there is."""

HOST_SECONDS = 30.0
"""How often a row is recorded at least where the host has something to judge."""

QUIET_SECONDS = 60.0
"""How often a row is recorded at least, so that a channel is known to live."""

FINE_VOLTS = 5e-3
"""By how much a voltage may change between rows where it ends the step: the last row tells why it ended."""

SHORTEST_INTERVAL = 1e-3

APPROACH_SECONDS, STAIRS = 0.5, 10
"""How a voltage is approached that is only to be held, and in how many steps.

Between two steps of a protocol the circuit is open, and the cell relaxes a little: taken back at once it
would draw a peak of current, which is no part of the hold, and may leave the window.
"""

COARSEST_STAIR = 5e-3
"""Volts between two rows of a sweep at most."""

MEASURED = (0.5, 1.0)
"""The part of each stretch of a sweep over which the current is averaged, as the maker's software has it."""


@dataclass(frozen=True, slots=True)
class Pace:
    """A row at least every so many seconds, for so many seconds."""

    seconds: float
    every: float


@dataclass(frozen=True, slots=True)
class Compiled:
    """A step made into linked techniques, and what ends it."""

    techniques: tuple[Technique, ...]
    exits: Exits

    def text(self) -> str:
        """Return it for people to read."""
        return "\n".join(line for technique in self.techniques for line in technique.lines()) + "\n"


@dataclass(frozen=True, slots=True)
class Compiler:
    """Compiles for one channel inside `limits`; `sample` is the wished interval in seconds."""

    potentiostat: Potentiostat
    conventions: Conventions
    limits: Limits
    sample: float

    def compiled(
        self,
        step: PlannedStep,
        done: Done,
        charging: bool = True,
        open_circuit: float = 0.0,
        approaches: bool = True,
    ) -> Compiled:
        """Return the techniques of a step. Raises `RefusedError` for one that has none.

        A held voltage draws a current that is `charging` or not; it may count from `open_circuit`, and
        is approached from there where it is a hold and `approaches`.
        """
        exits = exits_of(step, self._inside(), done, charging)
        here = open_circuit if approaches else None
        return Compiled(tuple(self._techniques(step, exits, done, here)), exits)

    def look(self, seconds: float) -> Technique:
        """Return the technique that looks at the open circuit for so long."""
        return self._open_circuit(Pace(seconds, seconds / 4.0), 0.0)

    def _inside(self) -> Limits:
        return Limits.intersection([self.limits, self.potentiostat.model.rating])

    def _techniques(
        self, step: PlannedStep, exits: Exits, done: Done, open_circuit: float | None
    ) -> Iterator[Technique]:
        paces = self._paces(sent(step, exits), exits, done)
        match step.technique:
            case Rest():
                yield from (self._open_circuit(pace, step.record.voltage_step or 0.0) for pace in paces)
            case ConstantCurrent(amperes):
                yield from (self._current(amperes, pace, exits, step.record) for pace in paces)
            case ConstantVoltage(level):
                yield from self._held_voltage(step, level, paces, exits, open_circuit)
            case Sweep() as sweep:
                yield self._sweep(sweep, step.record)
            case Impedance() as impedance:
                yield self._impedance(impedance)
            case _:
                raise RefusedError(f"step {step.path}: EClib has no technique for {step.verb!r}")

    def _open_circuit(self, pace: Pace, change: float) -> Technique:
        return Technique.of(
            "ocv",
            Rest_time_T=pace.seconds,
            Record_every_dE=change,
            Record_every_dT=pace.every,
            E_Range=self._voltage_range(),
        )

    def _current(self, amperes: float, pace: Pace, exits: Exits, record: Recording) -> Technique:
        change = min(record.voltage_step or FINE_VOLTS, FINE_VOLTS)
        return Technique(
            "cplimit",
            (
                Parameter("Current_step", amperes),
                *_held(pace),
                Parameter("Record_every_dE", change),
                *self._ranges(self.potentiostat.current_range(amperes)),
                *edge_tests(exits),
            ),
        )

    def _held_voltage(
        self,
        step: PlannedStep,
        level: Level,
        paces: Sequence[Pace],
        exits: Exits,
        open_circuit: float | None,
    ) -> Iterator[Technique]:
        """Hold it. A `hold` is approached; a `polarise` is a step, as what is made of it wants."""
        volts = level.at(open_circuit or 0.0)  # each of several techniques has its own initial voltage
        edges = [abs(edge.value) for edge in (exits.low, exits.high) if edge is not None and not edge.limit]
        change = min(edges, default=0.0) / 2.0
        first, *rest = paces
        if step.verb == "hold" and open_circuit is not None and first.seconds > 2.0 * APPROACH_SECONDS:
            yield self._approach(step, open_circuit, volts, first.every)
            first = replace(first, seconds=first.seconds - APPROACH_SECONDS)
        for pace in (first, *rest):
            yield self._voltages([volts], pace, exits, change, level.versus_open_circuit)

    def _approach(self, step: PlannedStep, here: float, volts: float, every: float) -> Technique:
        """Return the technique that goes from the open circuit to a voltage, ended by limits alone."""
        window = exits_of(replace(step, until=None), self._inside(), Done())
        stairs = [here + (volts - here) * stair / STAIRS for stair in range(1, STAIRS + 1)]
        pace = Pace(APPROACH_SECONDS / STAIRS, every)
        return self._voltages(stairs, pace, window, 0.0, versus_open_circuit=True)

    def _voltages(
        self,
        levels: Sequence[float],
        pace: Pace,
        exits: Exits,
        change: float,
        versus_open_circuit: bool,
    ) -> Technique:
        """Return the technique that holds voltages one after the other, at the same pace."""
        return Technique(
            "calimit",
            (
                *(Parameter("Voltage_step", volts, place) for place, volts in enumerate(levels)),
                *_held(pace, len(levels)),
                Parameter("Record_every_dI", change),
                *self._ranges(AUTO_RANGE),
                *(test for step in range(len(levels)) for test in edge_tests(exits, step=step)),
            ),
            versus_open_circuit,
        )

    def _sweep(self, sweep: Sweep, record: Recording) -> Technique:
        """The fourth voltage is the second turning point again: no cycle goes back to where it began."""
        turns = sweep.vertices if len(sweep.vertices) == 2 else sweep.vertices * 2
        levels = (sweep.start, *turns, turns[-1], turns[-1])
        rate = sweep.rate / self.conventions.scan_rate_unit
        wished = record.voltage_step or sweep.rate * (record.every or self.sample)
        largest = max(abs(edge) for edge in _closed(self._inside().current.low, self._inside().current.high))
        begin, end = MEASURED
        return Technique(
            "cv",
            (
                *(
                    Parameter("vs_initial", level.versus_open_circuit, place)
                    for place, level in enumerate(levels)
                ),
                *(Parameter("Voltage_step", level.volts, place) for place, level in enumerate(levels)),
                *(Parameter("Scan_Rate", rate, place) for place in range(len(levels))),
                Parameter("Scan_number", 2),
                Parameter("Record_every_dE", min(max(wished, 1e-4), COARSEST_STAIR)),
                Parameter("Average_over_dE", True),
                Parameter("N_Cycles", sweep.cycles - 1),
                Parameter("Begin_measuring_I", begin),
                Parameter("End_measuring_I", end),
                *self._ranges(self.potentiostat.current_range(largest)),
            ),
        )

    def _impedance(self, impedance: Impedance) -> Technique:
        bias = impedance.bias
        kind = "Current" if impedance.galvanostatic else "Voltage"
        largest = abs(bias.volts) + impedance.amplitude
        current_range = self.potentiostat.current_range(largest) if impedance.galvanostatic else AUTO_RANGE
        versus_initial = bias.versus_open_circuit and not impedance.galvanostatic
        return Technique(
            "geis" if impedance.galvanostatic else "peis",
            (
                Parameter("vs_initial", versus_initial),
                Parameter("vs_final", versus_initial),
                Parameter(f"Initial_{kind}_step", bias.volts),
                Parameter(f"Final_{kind}_step", bias.volts),
                Parameter("Duration_step", 0.0),
                Parameter("Step_number", 0),
                Parameter("Record_every_dT", 0.1),
                Parameter("Record_every_dE" if impedance.galvanostatic else "Record_every_dI", 0.0),
                Parameter("Final_frequency", impedance.lowest),
                Parameter("Initial_frequency", impedance.highest),
                Parameter("sweep", False),  # True is linear
                Parameter(f"Amplitude_{kind}", impedance.amplitude),
                Parameter("Frequency_number", len(impedance.frequencies())),
                Parameter("Average_N_times", 2),
                Parameter("Correction", False),
                Parameter("Wait_for_steady", 1.0),
                *self._ranges(current_range, self.potentiostat.largest_bandwidth),
            ),
        )

    def _ranges(self, current_range: int, bandwidth: int = BANDWIDTH) -> tuple[Parameter, ...]:
        return (
            Parameter("I_Range", current_range),
            Parameter("E_Range", self._voltage_range()),
            Parameter("Bandwidth", min(bandwidth, self.potentiostat.largest_bandwidth)),
        )

    def _voltage_range(self) -> int:
        window = self._inside().voltage
        return self.potentiostat.voltage_range(max(map(abs, _closed(window.low, window.high))))

    def _paces(self, record: Recording, exits: Exits, done: Done) -> list[Pace]:
        """Return how often rows are recorded, stretch by stretch; more often than asked is thinned later."""
        wished = [self.sample] if record.current_step is not None else []
        wished += [record.every] if record.every is not None else []
        usual = max(min(wished, default=QUIET_SECONDS), SHORTEST_INTERVAL)
        if record.per_decade is None:
            return [Pace(exits.seconds.value, usual)]
        share = 10.0 ** (1.0 / record.per_decade) - 1.0
        first = max(record.from_time or SHORTEST_INTERVAL, SHORTEST_INTERVAL)
        return list(_decades(exits.seconds.value, done.seconds, first, share, usual))


def sent(step: PlannedStep, exits: Exits) -> Recording:
    """Return which rows become readings: the step's record, and often enough for the host to judge."""
    if not exits.host:
        return step.record
    every = HOST_SECONDS if step.record.every is None else min(step.record.every, HOST_SECONDS)
    return replace(step.record, every=every)


def _decades(seconds: float, done: float, first: float, share: float, usual: float) -> Iterator[Pace]:
    """Yield a pace for each decade of step time, rows being a `share` of it apart, but no more than usual."""
    begin, end = done, done + seconds
    decade = first
    while begin < end:
        if begin < 10.0 * decade * (1.0 - 1e-9):
            every = max(decade * share, SHORTEST_INTERVAL)
            last = every >= usual
            stop = end if last else min(end, 10.0 * decade)
            yield Pace(stop - begin, min(every, usual))
            begin = stop
        decade *= 10.0


def _held(pace: Pace, steps: int = 1) -> tuple[Parameter, ...]:
    """Return what steps that hold something have beside it."""
    return (
        *(Parameter("vs_initial", False, place) for place in range(steps)),
        *(Parameter("Duration_step", pace.seconds, place) for place in range(steps)),
        Parameter("Step_number", steps - 1),
        Parameter("Record_every_dT", pace.every),
        Parameter("N_Cycles", 0),
    )


def edge_tests(exits: Exits, then: int = STOP, step: int = 0) -> tuple[Parameter, ...]:
    """Return the tests of one of a technique's steps, and what follows them: an open circuit, usually."""
    edges: list[tuple[int, Edge]] = []
    if exits.high is not None:
        edges.append((ABOVE, exits.high))
    if exits.low is not None:
        edges.append((BELOW, exits.low))
    if exits.observed is None or not edges:
        return ()
    variable = VARIABLES[exits.observed] << 5
    found: list[Parameter] = []
    for number, (comparison, edge) in enumerate(edges, start=1):
        found.append(Parameter(f"Test{number}_Config", comparison | variable, step))
        found.append(Parameter(f"Test{number}_Value", edge.value, step))
    return (*found, Parameter("Exit_Cond", then, step))


def _closed(low: Bound | None, high: Bound | None) -> Sequence[float]:
    """Both edges of a window no side of which is open."""
    return (-math.inf if low is None else low.value, math.inf if high is None else high.value)
