"""What goes wrong on the wire, when a rehearsal asks for it: one fault per answer, in order."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

from simulators.instrument import Stream

MOST_PENDING = 1000
LONGEST_DELAY = 3600.0
"""Seconds of wall time."""


class FaultKind(StrEnum):
    """What can be asked for, each with a number: how many answers, or for `late` how many seconds."""

    MUTE = "mute"
    GARBLED = "garbled"
    SHORT = "short"
    LATE = "late"
    RESET = "reset"


WANTED = '{"mute"|"garbled"|"short"|"reset": count} or {"late": seconds}'


class FaultError(ValueError):
    """A fault nobody knows."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to one answer; `seconds` of wall time it is late by."""

    kind: FaultKind
    seconds: float = 0.0


class Faults:
    """The faults still to come, whichever client they meet; and the clients there are, to hang up on."""

    def __init__(self) -> None:
        self._pending: deque[Fault] = deque()
        self._hang_ups: list[Callable[[], None]] = []

    def ask(self, wanted: object) -> None:
        """Take a request such as `{"mute": 2}`; `{"reset": 1}` happens at once. Raises `FaultError`."""
        kind, amount = _request(wanted)
        if kind is FaultKind.RESET:
            for hang_up in tuple(self._hang_ups):
                hang_up()
        elif kind is FaultKind.LATE:
            self._pending.append(Fault(kind, amount))
        else:
            self._pending.extend(Fault(kind) for _ in range(int(amount)))

    def next(self) -> Fault | None:
        """Return what happens to the next answer, if anything."""
        return self._pending.popleft() if self._pending else None

    @contextmanager
    def can_hang_up(self, hang_up: Callable[[], None]) -> Iterator[None]:
        """Let a reset call `hang_up` while inside."""
        self._hang_ups.append(hang_up)
        try:
            yield
        finally:
            self._hang_ups.remove(hang_up)


class FaultyStream(Stream):
    """A client's stream on a wire that fails as asked."""

    def __init__(self, stream: Stream, faults: Faults) -> None:
        self._stream = stream
        self._faults = faults

    async def read(self) -> bytes:
        return await self._stream.read()

    async def write(self, data: bytes) -> None:
        fault = self._faults.next()
        if fault is None:
            await self._stream.write(data)
            return
        await asyncio.sleep(fault.seconds)
        await self._stream.write(_spoilt(data, fault.kind))


def _spoilt(data: bytes, kind: FaultKind) -> bytes:
    match kind:
        case FaultKind.MUTE:
            return b""
        case FaultKind.SHORT:
            return data[: len(data) // 2]
        case FaultKind.GARBLED:
            return bytes(byte if byte == 0x0A else byte ^ 0x15 for byte in data)
        case _:
            return data


def _request(wanted: object) -> tuple[FaultKind, float]:
    if not isinstance(wanted, dict) or len(wanted) != 1:
        raise FaultError(f"fault {wanted!r} seen, wanted {WANTED}")
    [(kind, amount)] = wanted.items()
    most = LONGEST_DELAY if kind == FaultKind.LATE else MOST_PENDING
    if kind not in list(FaultKind) or type(amount) not in (int, float) or not 0 < amount <= most:
        raise FaultError(f"fault {wanted!r} seen, wanted {WANTED}, up to {most:g}")
    return FaultKind(kind), amount
