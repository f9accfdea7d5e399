"""The error tree; every error this product raises on purpose hangs on it.

GalvanodError                 the root: catch this at the outermost door only
├── ProtocolError             a protocol, cell or bench file is wrong: mend the file
├── LimitError                a reading left the window: the circuit is opened
│   └── GuardError                a reading, or its absence, cannot be trusted: the same happens
├── FigureError               the data cannot carry the figure asked for
├── drivers.InstrumentError   something between us and an instrument
│   ├── drivers.LinkError         no answer or a garbled one: asking again may help
│   │   └── drivers.SilenceError      nothing came before the deadline
│   └── drivers.RefusedError      the instrument itself said no: asking again will not help
└── daemon.ServiceError       the service cannot do what was asked
    ├── daemon.UnavailableError   the core, the broker or the database is not there
    │   └── daemon.DamagedError       the file of the results database is damaged
    ├── daemon.BusyError          the channel or the state directory is taken
    │   └── daemon.LatchedError       a limit opened its circuit: look at the cell, then clear it
    ├── daemon.UnreadableError    a file to import is foreign, broken or cut short: nothing is kept
    ├── daemon.StaleError         the run or study has changed since it was looked at
    ├── daemon.KeyReusedError     the key of a submission was used for another one
    └── daemon.UnknownError       no such run, channel or cell
"""

from dataclasses import dataclass
from typing import ClassVar


class GalvanodError(Exception):
    """The root of every error raised on purpose."""

    exit_status: ClassVar[int] = 1
    """What a command ends with (sysexits.h)."""


@dataclass(frozen=True, slots=True)
class Place:
    """A spot in a file; lines and columns count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a file: where, what was seen, what was wanted."""

    place: Place
    seen: str
    wanted: str

    def __str__(self) -> str:
        return f"{self.place}: {self.seen}; wanted {self.wanted}"


class ProtocolError(GalvanodError, ValueError):
    """A file is wrong. `problems` holds each thing to mend, in the order of the file."""

    exit_status = 65

    def __init__(self, *problems: Problem) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


class LimitError(GalvanodError):
    """A reading is outside the window, or is no reading at all."""


class GuardError(LimitError):
    """Inside the window or not: no healthy cell does this, or nobody knows what it does."""


class FigureError(GalvanodError):
    """The data cannot carry this figure; the message says why."""
