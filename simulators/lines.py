"""Whole lines out of a stream of bytes."""

from simulators.wired import Stream

LONGEST_LINE = 65536
"""Bytes; far above any message of the instruments here, far below harm."""


class LineTooLongError(Exception):
    """A line went on beyond what is accepted; it was thrown away up to its end."""


class Lines:
    """Cuts what a stream says at each newline; what is left unfinished at the end is dropped."""

    def __init__(self, stream: Stream, longest: int = LONGEST_LINE) -> None:
        self._stream = stream
        self._longest = longest
        self._buffer = bytearray()

    async def read(self) -> bytes | None:
        """Return the next line without its newline; None when the client is gone.

        Raises `LineTooLongError` for a line beyond `longest` bytes, once it has ended.
        """
        overrun = False
        while (end := self._buffer.find(b"\n")) < 0:
            if len(self._buffer) > self._longest:
                overrun = True
                self._buffer.clear()
            received = await self._stream.read()
            if not received:
                return None
            self._buffer += received
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        if overrun or len(line) > self._longest:
            raise LineTooLongError(f"a line of more than {self._longest} bytes seen")
        return line.removesuffix(b"\r")
