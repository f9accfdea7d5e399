"""What a technique that runs has at hand: the potentiostat, where its rows go, and where it stands."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass

from simulators.biologic.exits import Then
from simulators.biologic.models import Manners, Model
from simulators.biologic.potentiostat import Potentiostat, Sample
from simulators.biologic.rows import Memory, Source, float_word, integer_word, time_words


@dataclass(slots=True)
class Run:
    """One technique under way.

    `began` is the moment of the channel's time at which it began, `start` the same since the
    experiment did. `frequency` is the one being measured, in hertz.
    """

    potentiostat: Potentiostat
    memory: Memory
    manners: Manners
    speed: float
    index: int
    identifier: int
    loop: int
    began: float
    start: float
    frequency: float = 0.0
    then: Then = Then.NEXT_TECHNIQUE
    """What comes after it, once it is over."""

    def through(self, way: Generator[float, None, Then]) -> Iterator[float]:
        """Go a technique's way, and remember what comes after it."""
        self.then = yield from way

    @property
    def model(self) -> Model:
        """The instrument's model."""
        return self.manners.model

    def time(self, moment: float) -> bytes:
        """Return a moment as the words of a row."""
        return time_words(int((moment - self.began) / self.model.time_base + 1e-3))

    def keep(self, process: int, *words: bytes) -> None:
        """Keep a row."""
        columns = sum(map(len, words)) // 4
        source = Source(self.index, self.identifier, process, self.loop, self.start, columns)
        self.memory.add(source, words)

    def keep_at_rest(self, sample: Sample) -> None:
        """Keep a row of a rest; the counter electrode is recorded where the family does."""
        auxiliary = (float_word(0.0),) if self.model.records_auxiliary else ()
        self.keep(0, self.time(sample.time), float_word(sample.voltage), *auxiliary)

    def keep_held(self, sample: Sample, cycle: int) -> None:
        """Keep a row of a held voltage or current."""
        voltage, current = float_word(sample.voltage), float_word(sample.current)
        self.keep(0, self.time(sample.time), voltage, current, integer_word(cycle))
