"""A link over any PyVISA resource, by the pure-Python backend: visa://TCPIP0::192.168.0.5::5025::SOCKET."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from drivers.errors import LinkError, SilenceError
from drivers.links import Link, LinkOptions

if TYPE_CHECKING:  # importing PyVISA costs a third of a second: it happens in the link's thread
    from pyvisa import ResourceManager
    from pyvisa.resources import MessageBasedResource

_T = TypeVar("_T")

_CREATING = threading.Lock()
"""PyVISA's resource manager is one per process, made by whichever link is first."""

QUIET_SECONDS = 0.05
"""A serial line on which nothing came for so long is quiet."""

MOST_LATE_LINES = 1000


class VisaLink(Link):
    """One resource and one thread: traffic cannot interleave, even if a caller was cancelled.

    After a missed deadline the resource is brought back in step before the next question: a raw
    socket is opened anew, a serial line drained until quiet, anything else cleared (VISA viClear).
    """

    def __init__(self, address: str, resource: str, options: LinkOptions) -> None:
        self.address = address
        self._name = resource
        self._options = options
        self._terminator = options.terminator.encode("ascii")
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"visa {resource}")
        self._closed = False
        # Everything below is touched by that thread alone.
        self._resource: MessageBasedResource | None = None
        self._owed = False
        self._milliseconds = 0.0

    @property
    def _kind(self) -> str:
        """SOCKET, ASRL or INSTR: the first two end a line by its terminator, the last by a message's end."""
        name = self._name.upper()
        return "SOCKET" if name.endswith("SOCKET") else "ASRL" if name.startswith("ASRL") else "INSTR"

    async def open(self) -> None:
        """Open the resource now rather than with the first question. Raises `LinkError`."""
        await self._in_thread(self._ready)

    async def write(self, message: str) -> None:
        await self._in_thread(lambda: self._write(message))

    async def read(self, deadline: float | None = None) -> str:
        return await self._in_thread(lambda: self._read("a line", deadline))

    async def read_lines(self, deadline: float) -> list[str]:
        return await self._in_thread(lambda: self._read_lines(deadline))

    async def query(self, message: str, deadline: float | None = None) -> str:
        return await self._in_thread(lambda: self._query(message, deadline))

    async def aclose(self) -> None:
        if self._closed:
            return
        self._closed = True
        closing = self._thread.submit(self._close)
        self._thread.shutdown(wait=False)
        await asyncio.wrap_future(closing)

    async def _in_thread(self, work: Callable[[], _T]) -> _T:
        if self._closed:
            raise LinkError(f"{self.address}: the link is closed")
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _query(self, message: str, deadline: float | None) -> str:
        self._write(message)
        return self._read(repr(message), deadline)

    def _write(self, message: str) -> None:
        resource = self._ready()
        try:
            resource.write_raw(message.encode("ascii") + self._terminator)
        except Exception as error:  # backends raise OSError, VisaIOError, Exception itself
            self._close()
            raise LinkError(f"{self.address}: cannot send {message!r}: {error}") from error

    def _read(self, asked: str, deadline: float | None) -> str:
        seconds = self._options.deadline if deadline is None else deadline
        resource = self._ready()
        self._owed = True
        line = self._receive(resource, asked, seconds)
        self._owed = False
        return line

    def _receive(self, resource: "MessageBasedResource", asked: str, seconds: float) -> str:
        from pyvisa.constants import StatusCode
        from pyvisa.errors import VisaIOError

        self._set_deadline(resource, seconds)
        try:
            raw = resource.read_raw()
        except VisaIOError as error:
            if error.error_code != StatusCode.error_timeout:
                self._close()
                raise LinkError(f"{self.address}: {asked}: {error.abbreviation}") from error
            raise SilenceError(f"{self.address}: {asked}: no answer within {seconds:g} s") from error
        except OSError as error:
            self._close()
            raise LinkError(f"{self.address}: {asked}: {error}") from error
        if self._kind != "INSTR" and not raw.endswith(self._terminator):
            self._close()
            raise LinkError(f"{self.address}: {asked}: half a line: {raw[-80:]!r}")
        return raw.decode("ascii", "backslashreplace").strip("\x11\x13\r\n")

    def _read_lines(self, deadline: float) -> list[str]:
        resource = self._ready()
        lines = []
        wait = deadline
        try:
            while True:
                lines.append(self._receive(resource, "a line", wait))
                wait = 0.001
        except SilenceError:
            return lines

    def _set_deadline(self, resource: "MessageBasedResource", seconds: float) -> None:
        milliseconds = max(1.0, seconds * 1e3)
        if milliseconds != self._milliseconds:
            resource.timeout = milliseconds
            self._milliseconds = milliseconds

    def _ready(self) -> "MessageBasedResource":
        """Return the resource, open and with no answer on its way."""
        if self._owed and self._resource is not None:
            self._settle(self._resource)
        self._owed = False
        if self._resource is None:
            self._resource = self._open()
        return self._resource

    def _settle(self, resource: "MessageBasedResource") -> None:
        match self._kind:
            case "SOCKET":
                self._close()
            case "ASRL":
                self._drain(resource)
            case _:
                self._clear(resource)

    def _drain(self, resource: "MessageBasedResource") -> None:
        """Throw away what comes until the line is quiet; a torn line closes the port, which does as well."""
        try:
            for _ in range(MOST_LATE_LINES):
                self._receive(resource, "a late line", QUIET_SECONDS)
        except LinkError:
            return

    def _clear(self, resource: "MessageBasedResource") -> None:
        try:
            resource.clear()
        except Exception:  # not every backend can; a new session starts with empty queues as well
            self._close()

    def _open(self) -> "MessageBasedResource":
        from pyvisa.resources import MessageBasedResource

        try:
            resource = _manager().open_resource(self._name, open_timeout=round(self._options.deadline * 1e3))
        except Exception as error:
            raise LinkError(f"{self.address}: cannot open: {error}") from error
        if not isinstance(resource, MessageBasedResource):
            resource.close()
            raise LinkError(f"{self.address}: a {type(resource).__name__} carries no messages")
        self._milliseconds = 0.0
        self._set_up(resource)
        return resource

    def _set_up(self, resource: "MessageBasedResource") -> None:
        from pyvisa.resources import SerialInstrument

        if self._kind != "INSTR":
            resource.read_termination = self._options.terminator
        if isinstance(resource, SerialInstrument):
            resource.baud_rate = self._options.baud_rate

    def _close(self) -> None:
        resource, self._resource = self._resource, None
        if resource is not None:
            resource.close()


def _manager() -> "ResourceManager":
    with _CREATING:
        from pyvisa import ResourceManager

        return ResourceManager("@py")
