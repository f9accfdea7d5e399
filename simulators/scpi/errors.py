"""What an instrument complains about, and the queue it keeps of it."""

from collections import deque
from enum import IntEnum
from typing import NamedTuple

QUEUE_LENGTH = 1000

TEXTS = {
    -101: "Invalid character",
    -102: "Syntax error",
    -104: "Data type error",
    -108: "Parameter not allowed",
    -109: "Missing parameter",
    -113: "Undefined header",
    -114: "Header suffix out of range",
    -151: "Invalid string data",
    -213: "Init ignored",
    -221: "Settings conflict",
    -222: "Parameter data out of range",
    -224: "Illegal parameter value",
    -230: "Data corrupt or stale",
    -350: "Queue overflow",
    -363: "Input buffer overrun",
}
"""SCPI 1999.0 vol. 2 §21.8."""


class ScpiError(Exception):
    """A message the instrument cannot follow; `code` is what it will say to SYST:ERR?."""

    def __init__(self, code: int, text: str | None = None) -> None:
        self.code = code
        self.text = text or TEXTS[code]
        super().__init__(f'{code},"{self.text}"')

    @property
    def is_command_error(self) -> bool:
        """Whether the message itself could not be understood (-1xx), so that the rest is void too."""
        return -200 < self.code <= -100

    @property
    def event_status_bit(self) -> int:
        """Bit of the standard event status register (IEEE 488.2 §11.5.1) this error sets."""
        match -self.code // 100:
            case 1:
                return 32
            case 2:
                return 16
            case 4:
                return 4
            case _:
                return 8


class Kind(IntEnum):
    """How bad an event is, as the 2450 numbers it (2461 reference manual, :SYST:ERR?)."""

    ERROR = 1
    WARNING = 2
    INFORMATION = 4


class Event(NamedTuple):
    """One entry; `time` is already text, as the instrument writes it."""

    code: int
    text: str
    kind: Kind
    time: str

    def __str__(self) -> str:
        return f'{self.code},"{self.text};{self.kind:d};{self.time}"'


NO_EVENT = '0,"No error;0,0,0"'


class EventQueue:
    """First in, first out; when it is full the newest entry becomes -350."""

    def __init__(self) -> None:
        self._events: deque[Event] = deque()

    def add(self, event: Event) -> None:
        if len(self._events) == QUEUE_LENGTH:
            self._events[-1] = Event(-350, TEXTS[-350], Kind.ERROR, event.time)
        else:
            self._events.append(event)

    def next(self, kinds: Kind | None = None) -> Event | None:
        """Remove and return the oldest entry (of that kind, if given); None if there is none."""
        for event in self._events:
            if kinds is None or event.kind is kinds:
                self._events.remove(event)
                return event
        return None

    def count(self, kind: Kind | None = None) -> int:
        return sum(kind is None or event.kind is kind for event in self._events)

    def clear(self) -> None:
        self._events.clear()
