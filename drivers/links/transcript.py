"""Dialogues: recorded from any link, and played back as a link that accepts nothing else.

One line per line on the wire, an optional time stamp (seconds) before it:

    0.000 > *IDN?
    0.004 < KEITHLEY INSTRUMENTS,MODEL 2450,04412345,1.7.12b
    5.210 ! silence

`>` was sent, `<` came back, `! silence` is a deadline that passed and `! gone` a port that vanished.
A message of several lines is that many `>`. Spaces at the end of a line count: to some instruments
they are a unit; a carriage return there does not. Lines starting with `#` are for people.
"""

import re
import time
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import NamedTuple, Protocol, Self

from drivers.errors import LinkError, SilenceError
from drivers.links import Link

_ENTRY = re.compile(r"\s*(?:\d+(?:\.\d+)?\s+)?([><!])(?: (.*))?")


class TranscriptError(AssertionError):
    """The conversation left the transcript."""


class Entry(NamedTuple):
    """One line of a dialogue: `>` sent, `<` received, `!` what went wrong instead."""

    direction: str
    text: str


def parse(transcript: str) -> list[Entry]:
    """Return the entries of a transcript. Raises `ValueError` naming the line that is none."""
    entries = []
    for number, line in enumerate(transcript.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _ENTRY.fullmatch(line)
        if match is None:
            raise ValueError(
                f"transcript line {number}: {line!r}; wanted '> sent', '< answer' or '! silence'"
            )
        entries.append(Entry(match[1], match[2] or ""))
    return entries


def _lines(message: str) -> list[str]:
    return [line.removesuffix("\r") for line in message.split("\n")]


class TranscriptLink(Link):
    """Plays a dialogue; as a context manager it also insists that the dialogue was finished."""

    address = "transcript"

    def __init__(self, transcript: str) -> None:
        self._entries = deque(parse(transcript))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None and self._entries:
            raise TranscriptError(f"the conversation stopped before {self._next()}")

    @property
    def left(self) -> int:
        """How many lines have not been played yet."""
        return len(self._entries)

    async def write(self, message: str) -> None:
        for line in _lines(message):
            if not self._entries or self._entries[0] != Entry(">", line):
                raise TranscriptError(f"sent {line!r}; wanted {self._next()}")
            self._entries.popleft()

    async def read(self, deadline: float | None = None) -> str:
        entry = self._entries.popleft() if self._entries else Entry("!", "silence")
        match entry:
            case Entry("<", text):
                return text
            case Entry("!", "silence"):
                raise SilenceError("transcript: silence")
            case Entry("!", text):
                raise LinkError(f"transcript: {text}")
        raise TranscriptError(f"waited for a line; wanted {entry.text!r} to be sent")

    async def read_lines(self, deadline: float) -> list[str]:
        lines = []
        while self._entries and self._entries[0].direction == "<":
            lines.append(self._entries.popleft().text)
        if not lines and self._entries and self._entries[0].direction == "!":
            try:
                await self.read()
            except SilenceError:
                return []
        return lines

    async def query(self, message: str, deadline: float | None = None) -> str:
        await self.write(message)
        return await self.read(deadline)

    async def aclose(self) -> None:
        return

    def _next(self) -> str:
        return f"'{' '.join(self._entries[0])}'" if self._entries else "nothing more"


class Writable(Protocol):
    """Where a dialogue is written to."""

    def write(self, text: str, /) -> int: ...


class RecordingLink(Link):
    """Passes everything on and writes the dialogue down, time-stamped, as it happens.

    The file is the caller's: it is written line by line and neither flushed nor closed here.
    """

    def __init__(self, link: Link, file: Writable, clock: Callable[[], float] = time.monotonic) -> None:
        self.address = link.address
        self._link = link
        self._file = file
        self._clock = clock
        self._began = clock()

    async def write(self, message: str) -> None:
        self._sent(message)
        await self._link.write(message)

    async def read(self, deadline: float | None = None) -> str:
        try:
            line = await self._link.read(deadline)
        except LinkError as error:
            self._failed(error)
            raise
        self._note("<", line)
        return line

    async def read_lines(self, deadline: float) -> list[str]:
        try:
            lines = await self._link.read_lines(deadline)
        except LinkError as error:
            self._failed(error)
            raise
        for line in lines:
            self._note("<", line)
        return lines

    async def query(self, message: str, deadline: float | None = None) -> str:
        self._sent(message)
        try:
            line = await self._link.query(message, deadline)
        except LinkError as error:
            self._failed(error)
            raise
        self._note("<", line)
        return line

    async def aclose(self) -> None:
        await self._link.aclose()

    def _sent(self, message: str) -> None:
        for line in _lines(message):
            self._note(">", line)

    def _failed(self, error: LinkError) -> None:
        self._note("!", "silence" if isinstance(error, SilenceError) else "gone")

    def _note(self, direction: str, text: str) -> None:
        self._file.write(f"{self._clock() - self._began:.3f} {direction}{' ' if text else ''}{text}\n")
