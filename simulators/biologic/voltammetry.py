"""CV: the voltage goes at a rate from Ei to E1, to E2, and so on, at last to Ef."""

from collections.abc import Iterator, Sequence
from math import ceil

from simulators.biologic.exits import Then
from simulators.biologic.parameters import one_of, within
from simulators.biologic.potentiostat import Sample
from simulators.biologic.rows import float_word, integer_word
from simulators.biologic.run import Run
from simulators.biologic.technique import Technique, Way

LARGEST_STAIR = 5e-4
"""Volts; the ramp is a staircase with so small stairs that the cell hardly knows."""

STAIRS_PER_ROW = 4


class Voltammetry(Technique):
    """Each cycle goes through the second, third and fourth `Voltage_step`; the fifth is where it ends.

    A row is kept every `Record_every_dE` of voltage. Its current is the mean over the part of that
    stretch between `Begin_measuring_I` and `End_measuring_I`, or the last one if it is not averaged.
    """

    def read(self) -> None:
        self.current_range()
        self.voltage_range()
        one_of(self.parameters.integer("Scan_number"), (2,))
        self.cycles = int(within(self.parameters.integer("N_Cycles"), 0, 1 << 30)) + 1
        self.levels = [self.voltage("Voltage_step", index) for index in range(5)]
        self.rates = [within(self.parameters.number("Scan_Rate", index), 1e-9, 1e7) for index in range(5)]
        self.step = within(self.parameters.number("Record_every_dE"), 5e-5, 1.0)
        begin = within(self.parameters.number("Begin_measuring_I"), 0.0, 1.0)
        self.measured = begin, within(self.parameters.number("End_measuring_I"), begin, 1.0)

    def way(self, run: Run) -> Way:
        potentiostat = run.potentiostat
        initial = potentiostat.look().voltage
        self.select_ranges(run)
        first, *_ = levels = [
            level + (initial if self.parameters.integer("vs_initial", index) else 0.0)
            for index, level in enumerate(self.levels)
        ]
        potentiostat.hold(first)
        self._keep(run, [potentiostat.sample()], 0)
        at = first
        for cycle, place in self._places():
            rate = self.rates[place] * run.manners.scan_rate_unit
            yield from self._leg(run, (at, levels[place]), rate, cycle)
            at = levels[place]
        return Then.NEXT_TECHNIQUE

    def _places(self) -> Iterator[tuple[int, int]]:
        """Yield the cycle and the place in `Voltage_step` of every vertex that is gone to."""
        for cycle in range(self.cycles):
            yield from ((cycle, place) for place in (1, 2, 3))
        yield self.cycles - 1, 4

    def _leg(self, run: Run, ends: tuple[float, float], rate: float, cycle: int) -> Iterator[float]:
        potentiostat, span = run.potentiostat, ends[1] - ends[0]
        rows = ceil(abs(span) / self.step - 1e-6)
        stairs = max(STAIRS_PER_ROW, ceil(self.step / LARGEST_STAIR))
        for row in range(rows):
            height = (min(self.step, abs(span) - row * self.step) / stairs) * (1.0 if span > 0.0 else -1.0)
            low = ends[0] + (self.step if span > 0.0 else -self.step) * row
            samples: list[Sample] = []
            for stair in range(1, stairs + 1):
                potentiostat.hold(low + height * stair)
                due = potentiostat.time + abs(height) / rate
                yield due
                potentiostat.live_until(due)
                if self._is_measured(stair / stairs):
                    samples.append(potentiostat.sample())
            self._keep(run, samples, cycle)

    def _is_measured(self, share: float) -> bool:
        """Whether the current counts at this share of a row's stretch; at its end it always does."""
        begin, end = self.measured
        return share == 1.0 or (bool(self.parameters.integer("Average_over_dE")) and begin <= share <= end)

    def _keep(self, run: Run, samples: Sequence[Sample], cycle: int) -> None:
        last = samples[-1]
        current = sum(sample.current for sample in samples) / len(samples)
        control = (float_word(last.voltage),) if run.model.records_auxiliary else ()
        words = *control, float_word(current), float_word(last.voltage), integer_word(cycle)
        run.keep(0, run.time(last.time), *words)
