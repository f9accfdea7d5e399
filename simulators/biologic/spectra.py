"""PEIS and GEIS: a sine on top of a voltage or a current, frequency after frequency."""

from abc import abstractmethod
from cmath import phase
from collections.abc import Iterator
from math import inf

from simulators.biologic.exits import Then
from simulators.biologic.parameters import one_of, within
from simulators.biologic.potentiostat import Potentiostat, Sample
from simulators.biologic.rows import float_word, integer_word
from simulators.biologic.run import Run
from simulators.biologic.stride import RESOLUTION
from simulators.biologic.technique import Technique, Way

SHORTEST_POINT = 0.05
"""Seconds a point takes at least."""

MOST_FREQUENCIES = 500
MOST_PERIODS = 1000


class Spectrum(Technique):
    """Process 0 is the level before the sine, process 1 the spectrum. One step alone is simulated."""

    def read(self) -> None:
        self.current_range()
        self.voltage_range()
        one_of(self.parameters.integer("Step_number"), (0,))
        lowest, highest = self.model.frequencies
        self.first = within(self.parameters.number("Initial_frequency"), lowest, highest)
        self.last = within(self.parameters.number("Final_frequency"), lowest, highest)
        self.points = int(within(self.parameters.integer("Frequency_number"), 1, MOST_FREQUENCIES))
        self.periods = within(self.parameters.integer("Average_N_times"), 1, MOST_PERIODS)
        self.periods += within(self.parameters.number("Wait_for_steady"), 0.0, MOST_PERIODS)
        self.before = self.seconds("Duration_step")
        self.every = self.seconds("Record_every_dT")
        self.level, self.amplitude = self.read_level()

    @abstractmethod
    def read_level(self) -> tuple[float, float]:
        """Return the level and the amplitude of the sine, a peak. Raises `RefusalError`."""

    @abstractmethod
    def hold(self, potentiostat: Potentiostat, initial: float) -> None:
        """Begin to hold the level, which may count from the initial voltage."""

    @abstractmethod
    def peaks(self, modulus: float) -> tuple[float, float]:
        """Return the peaks of voltage and current where |Z| is `modulus` ohm."""

    def frequencies(self) -> list[float]:
        """Return every frequency; `sweep` tells a linear spacing from a logarithmic one."""
        if self.points == 1:
            return [self.first]
        shares = [point / (self.points - 1) for point in range(self.points)]
        if self.parameters.integer("sweep"):
            return [self.first + (self.last - self.first) * share for share in shares]
        return [self.first * (self.last / self.first) ** share for share in shares]

    def way(self, run: Run) -> Way:
        potentiostat = run.potentiostat
        initial = potentiostat.look().voltage
        self.select_ranges(run)
        self.hold(potentiostat, initial)
        yield from self._level(run)
        for frequency in self.frequencies():
            run.frequency = frequency
            due = potentiostat.time + max(self.periods / frequency, SHORTEST_POINT)
            yield due
            potentiostat.live_until(due)
            self._keep(run, frequency, potentiostat.sample())
        run.frequency = 0.0
        return Then.NEXT_TECHNIQUE

    def _level(self, run: Run) -> Iterator[float]:
        potentiostat = run.potentiostat
        end = potentiostat.time + self.before
        self._keep_level(run, potentiostat.sample())
        while potentiostat.time < end:
            due = min(end, potentiostat.time + (max(self.every, RESOLUTION) if self.every else inf))
            yield due
            potentiostat.live_until(due)
            self._keep_level(run, potentiostat.sample())

    def _keep_level(self, run: Run, sample: Sample) -> None:
        run.keep(0, run.time(sample.time), float_word(sample.voltage), float_word(sample.current))

    def _keep(self, run: Run, frequency: float, sample: Sample) -> None:
        potentiostat = run.potentiostat
        seen = potentiostat.front_end.impedance(potentiostat.cell.impedance(frequency))
        volts, amperes = self.peaks(abs(seen))
        blank = float_word(0.0)
        range_of_current = (integer_word(sample.current_range),) if run.model.records_auxiliary else ()
        run.keep(
            1,
            float_word(frequency),
            float_word(volts),
            float_word(amperes),
            float_word(run.manners.phase_sign * phase(seen)),
            float_word(sample.voltage),
            float_word(sample.current),
            *(blank,) * 7,  # the counter electrode, and places nobody tells the use of
            float_word(potentiostat.time - run.began),
            *range_of_current,
        )


class PotentiostaticSpectrum(Spectrum):
    """`peis`."""

    def read_level(self) -> tuple[float, float]:
        return self.voltage("Initial_Voltage_step"), within(
            self.parameters.number("Amplitude_Voltage"), 5e-4, 1.0
        )

    def hold(self, potentiostat: Potentiostat, initial: float) -> None:
        potentiostat.hold(self.level + (initial if self.parameters.integer("vs_initial") else 0.0))

    def peaks(self, modulus: float) -> tuple[float, float]:
        return self.amplitude, self.amplitude / modulus


class GalvanostaticSpectrum(Spectrum):
    """`geis`."""

    automatic_range = False

    def read_level(self) -> tuple[float, float]:
        amplitude = within(self.parameters.number("Amplitude_Current"), 1e-12, self.model.amperes)
        return self.current("Initial_Current_step"), amplitude

    def hold(self, potentiostat: Potentiostat, initial: float) -> None:
        potentiostat.drive(self.level)

    def peaks(self, modulus: float) -> tuple[float, float]:
        return self.amplitude * modulus, self.amplitude
