"""Reading buffers: rings of readings with names."""

import math
from array import array
from collections.abc import Iterator
from typing import NamedTuple

from simulators.scpi import ScpiError

DEFAULT_CAPACITY = 100_000
MOST_READINGS = 6_875_000


class BufferedReading(NamedTuple):
    """One reading. `time` in seconds since switch-on; `status` as STAT, `source_status` as SOURSTAT.

    `unit` and `source_unit` are ampere 0, volt 1, ohm 2.
    """

    time: float
    reading: float
    source: float
    status: float
    source_status: float
    unit: float
    source_unit: float


WIDTH = len(BufferedReading._fields)


class Buffer:
    """A ring of readings, numbered from 1 since it was last cleared.

    CONTinuous filling overwrites the oldest and goes on numbering; ONCE refuses further readings.
    """

    def __init__(self, capacity: int, continuous: bool) -> None:
        self.capacity = capacity
        self.continuous = continuous
        self.clear()

    def clear(self) -> None:
        """Forget every reading; the next one will be number 1 at relative time 0."""
        self._ring = array("d")
        self.last = 0
        self.first_time = 0.0

    @property
    def first(self) -> int:
        """Number of the oldest reading held; 0 if there is none."""
        return max(self.last - self.capacity + 1, 1) if self.last else 0

    def __len__(self) -> int:
        return min(self.last, self.capacity)

    def append(self, reading: BufferedReading) -> None:
        """Keep a reading. Raises `ScpiError` if the buffer is full and fills once."""
        if self.last >= self.capacity and not self.continuous:
            raise ScpiError(4915, "Attempting to store past capacity of reading buffer")  # number [M]
        if not self.last:
            self.first_time = reading.time
        place = (self.last % self.capacity) * WIDTH
        self._ring[place : place + WIDTH] = array("d", reading)
        self.last += 1

    def get(self, number: int) -> BufferedReading:
        """Return reading `number`. Raises `ScpiError` -222 if it is not held."""
        if not self.first <= number <= self.last or not self.last:
            raise ScpiError(-222)
        place = ((number - 1) % self.capacity) * WIDTH
        return BufferedReading(*self._ring[place : place + WIDTH])

    def readings(self) -> Iterator[BufferedReading]:
        """Yield what is held, oldest first."""
        return (self.get(number) for number in range(self.first, self.last + 1) if number)


class Statistics:
    """Figures over the readings of a buffer. Raises `ScpiError` -230 if it is empty."""

    def __init__(self, buffer: Buffer) -> None:
        self.values = [reading.reading for reading in buffer.readings()]
        if not self.values:
            raise ScpiError(-230)

    def average(self) -> float:
        return math.fsum(self.values) / len(self.values)

    def deviation(self) -> float:
        """Return the sample standard deviation; 0 for one reading."""
        mean = self.average()
        squares = math.fsum((value - mean) ** 2 for value in self.values)
        return math.sqrt(squares / max(len(self.values) - 1, 1))

    def maximum(self) -> float:
        return max(self.values)

    def minimum(self) -> float:
        return min(self.values)

    def span(self) -> float:
        return self.maximum() - self.minimum()


class Buffers:
    """Every buffer by name; two are always there."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Empty the default buffers and forget the others."""
        self._buffers = {f"defbuffer{n}": Buffer(DEFAULT_CAPACITY, continuous=True) for n in (1, 2)}

    def __contains__(self, name: str) -> bool:
        return name in self._buffers

    def __getitem__(self, name: str) -> Buffer:
        return self._buffers[name]

    def make(self, name: str, capacity: int) -> None:
        """Make an empty buffer that fills once. Raises `ScpiError` -224 if the name is taken or void."""
        if name in self._buffers or not name.isidentifier():
            raise ScpiError(-224)
        self._buffers[name] = Buffer(capacity, continuous=False)

    def delete(self, name: str) -> None:
        """Forget a buffer. Raises `ScpiError` -221 for the two that are always there."""
        if name.startswith("defbuffer"):
            raise ScpiError(-221)
        del self._buffers[name]
