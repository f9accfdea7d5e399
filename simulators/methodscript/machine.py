"""A loaded script, the memory of its run, and the tight loop that executes it."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from sys import float_info
from typing import NamedTuple

from simulators.methodscript.errors import ScriptError
from simulators.methodscript.potentiostat import Potentiostat

TURNS_PER_PAUSE = 256
"""How many loop turns may pass before the machine lets others have theirs."""

OUTPUT_PER_PAUSE = 4096
"""How many characters may gather before they are sent."""


Instruction = Callable[["Machine"], int]
"""Does one thing and returns the index of the next; `~index` pauses the machine before `index`."""


@dataclass(frozen=True, slots=True)
class Program:
    """What `e` and `l` make of a script. `lines` gives the script line of each instruction."""

    code: tuple[Instruction, ...]
    lines: tuple[int, ...]
    values: tuple[float, ...]
    arrays: tuple[int, ...]
    clean_up: int
    end: int


class Measurement(ABC):
    """A running measurement loop: when its next point is due, and how it is taken.

    `due` is on the potentiostat's own time line; it is infinite once there are no points left.
    """

    due: float
    technique: str

    @abstractmethod
    def take(self, machine: "Machine") -> None:
        """Live until `due`, measure, store the outputs and set the next `due`."""

    def close(self, machine: "Machine") -> None:
        """Say what ends with the loop."""
        return

    def reverse(self) -> bool:
        """Turn a cyclic sweep round; False if this is none."""
        return False


class OpenLoop(NamedTuple):
    """A loop being executed, where it ends and what it says then."""

    end: int
    mark: str


class Machine:
    """One run of one program on one potentiostat."""

    def __init__(self, program: Program, potentiostat: Potentiostat) -> None:
        self.program = program
        self.potentiostat = potentiostat
        self.values = list(program.values)
        self.types = ["aa"] * len(program.values)
        self.metadata = [""] * len(program.values)
        self.arrays = [[0.0] * size for size in program.arrays]
        self.output: list[str] = []
        self.package: list[str] | None = None
        self.sends = True
        self.measurement: Measurement | None = None
        self.open: list[OpenLoop] = []
        self.timer = self.started = potentiostat.time
        self.wait_until = self.next_turn = potentiostat.time
        self.interval = 0.0
        self.cleaning = self.ended = False
        self.error: ScriptError | None = None
        self.target = self.deadline = potentiostat.time
        self.turns = TURNS_PER_PAUSE
        self._size = 0
        self._next = 0

    def say(self, text: str) -> None:
        """Add text to what the host will be sent."""
        self.output.append(text)
        self._size += len(text)
        if self._size >= OUTPUT_PER_PAUSE:
            self.turns = 0

    def spoken(self) -> str:
        """Hand over what was said since the last time."""
        text = "".join(self.output)
        self.output.clear()
        self._size = 0
        return text

    def run(self, deadline: float) -> None:
        """Execute until the next moment lies beyond `deadline`, others are due, or the script ends.

        `target` then says which moment the script waits for.
        """
        self.deadline = min(deadline, float_info.max)  # a loop without points left is due at infinity
        self.turns = TURNS_PER_PAUSE
        code = self.program.code
        index = self._next
        while not self.ended:
            try:
                while index >= 0:
                    index = code[index](self)
            except ScriptError as error:
                index = self._fail(error, index)
            else:
                break
        self._next = ~index

    def abort(self) -> int:
        """Leave every loop; return where the clean-up block begins, or the end from within it."""
        while self.open:
            self.leave()
        self.package = None
        return self.program.end if self.cleaning else self.program.clean_up

    def leave(self) -> None:
        """Close the innermost loop."""
        loop = self.open.pop()
        if loop.mark == "*" and self.measurement is not None:
            self.measurement.close(self)
            self.measurement = None
        self.say(f"{loop.mark}\n")

    def clean_up(self) -> None:
        """Note that the clean-up block has begun."""
        self.cleaning = True

    def end(self) -> None:
        self.ended = True

    def go_to_clean_up(self) -> None:
        """Abort from outside, while paused."""
        self._next = self.abort()

    def skip_measurement(self) -> None:
        """Leave the measurement loop from outside, while paused, as if its time were over."""
        while self.open[-1].mark != "*":
            self.leave()
        self._next = self.open[-1].end

    def _fail(self, error: ScriptError, index: int) -> int:
        if self.error is None:
            self.error = ScriptError(error.code, self.program.lines[index])
        self.open.clear()
        self.measurement = None
        self.package = None
        return self.program.end if self.cleaning else self.program.clean_up
