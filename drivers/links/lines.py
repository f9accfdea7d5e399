"""Lines cut out of a stream of bytes."""

from collections import deque

LONGEST_LINE = 65_536
"""Bytes without a terminator after which what is coming cannot be a line of any instrument."""

_FLOW_CONTROL = bytes((0x11, 0x13))
"""XON and XOFF, which some instruments send whether asked to or not (MethodSCRIPT manual, link)."""


class LineBuffer:
    """Collects bytes and hands out whole lines; half a line stays until the rest has come."""

    def __init__(self, terminator: str, longest: int = LONGEST_LINE) -> None:
        self._longest = longest
        self._terminator = terminator.encode("ascii")
        self._rest = b""
        self._lines: deque[str] = deque()

    def feed(self, data: bytes) -> None:
        """Take bytes as they came; carriage returns around a line and flow control are no part of it."""
        *lines, self._rest = (self._rest + data.translate(None, _FLOW_CONTROL)).split(self._terminator)
        self._lines.extend(line.decode("ascii", "backslashreplace").strip("\r") for line in lines)
        if len(self._rest) > self._longest:
            self._rest = b""  # never hand out its end as if it were a line of its own
            self._lines.append("\\overlong")

    def __len__(self) -> int:
        return len(self._lines)

    def next(self) -> str:
        """Return the oldest line; there must be one."""
        return self._lines.popleft()

    def take(self) -> list[str]:
        """Return every whole line, oldest first."""
        lines = list(self._lines)
        self._lines.clear()
        return lines

    def clear(self) -> None:
        """Forget everything, a half line too."""
        self._rest = b""
        self._lines.clear()
