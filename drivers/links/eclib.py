"""A link through EClib: eclib://192.168.0.5, eclib://USB0. What goes over it are calls, not lines."""

import asyncio
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, Self, TypeVar
from urllib.parse import parse_qsl

from drivers import eclib_library, eclib_lines
from drivers.eclib import Eclib
from drivers.eclib_library import Function
from drivers.errors import LinkError
from drivers.links import Link, LinkOptions

_T = TypeVar("_T")


SPOKEN_SECONDS = 5
"""How long the library waits for an answer where its calls are spelt out; it is part of the dialogue."""


class EclibAddress(NamedTuple):
    """`instrument?library=PATH&name=value`: whom to connect to, through which DLL, with which settings.

    `library` is a path or the name of an installed Python library; None leaves it to the
    environment. What the other settings mean is the driver's to say.
    """

    instrument: str
    library: str | None
    settings: Mapping[str, str]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what follows `eclib://`. Raises `LinkError`."""
        instrument, _, query = text.partition("?")
        try:
            pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
        except ValueError as error:
            raise LinkError(f"address eclib://{text}: wanted ?name=value&name=value: {error}") from error
        settings = dict(pairs)
        if not instrument or not instrument.isascii() or len(settings) < len(pairs):
            raise LinkError(f"address eclib://{text}: wanted eclib://192.168.0.5 or eclib://USB0")
        return cls(instrument, settings.pop("library", None), settings)


class Calls(ABC):
    """Whatever calls of EClib can be made over; `settings` are those of the address."""

    address: str
    settings: Mapping[str, str]

    @abstractmethod
    async def perform(self, work: Callable[[Eclib], _T]) -> _T:
        """Do `work`, some calls without a pause between them, where waiting for them holds up nobody."""


def calls_over(link: Link) -> Calls:
    """Return the calls a link carries: its own, or those spelt out on it, as in a recorded dialogue."""
    return link if isinstance(link, EclibLink) else SpokenCalls(link)


class SpokenCalls(Calls):
    """Calls as lines of a link that knows no others; see `drivers.eclib_lines`."""

    def __init__(self, link: Link) -> None:
        scheme, _, rest = link.address.partition("://")
        self.address = link.address
        self.settings = EclibAddress.parse(rest).settings if scheme == "eclib" else {}
        self._link = link
        self._turn = asyncio.Lock()
        self._loop = asyncio.get_running_loop()
        self._eclib = Eclib(eclib_lines.spoken(self._ask), "", SPOKEN_SECONDS)

    async def perform(self, work: Callable[[Eclib], _T]) -> _T:
        async with self._turn:
            return await asyncio.to_thread(_connected, self._eclib, work)

    def _ask(self, line: str) -> str:
        return asyncio.run_coroutine_threadsafe(self._link.query(line), self._loop).result()


class EclibLink(Link, Calls):
    """One instrument, one thread: every call of the library for it is made there, one after the other.

    Connects with the first call, and anew with the next one after the connection was lost. The only
    lines it takes are calls spelt out, which `query` makes and answers.
    """

    def __init__(self, address: str, where: EclibAddress, options: LinkOptions) -> None:
        self.address = address
        self.settings = where.settings
        self._where = where
        self._seconds = math.ceil(options.deadline)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=address.partition("?")[0])
        self._closed = False
        self._functions: Mapping[str, Function] = {}
        self._eclib: Eclib | None = None  # touched by that thread alone

    async def open(self) -> None:
        """Load the library and connect now rather than with the first call. Raises `LinkError`."""
        await self.perform(lambda eclib: None)

    async def perform(self, work: Callable[[Eclib], _T]) -> _T:
        """Do `work`, some calls without a pause between them, in the link's thread."""
        if self._closed:
            raise LinkError(f"{self.address}: the link is closed")
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._performed, work)

    async def aclose(self) -> None:
        if self._closed:
            return
        self._closed = True
        closing = self._thread.submit(self._close)
        self._thread.shutdown(wait=False)
        await asyncio.wrap_future(closing)

    async def write(self, message: str) -> None:
        raise self._no_lines()

    async def read(self, deadline: float | None = None) -> str:
        raise self._no_lines()

    async def read_lines(self, deadline: float) -> list[str]:
        raise self._no_lines()

    async def query(self, message: str, deadline: float | None = None) -> str:
        if self._closed:
            raise LinkError(f"{self.address}: the link is closed")
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._answered, message)

    def _performed(self, work: Callable[[Eclib], _T]) -> _T:
        try:
            return _connected(self._loaded(), work)
        except LinkError as error:
            raise LinkError(f"{self.address}: {error}") from error

    def _answered(self, line: str) -> str:
        self._loaded().disconnect()  # who spells calls out connects by himself
        return eclib_lines.answered(self._functions, self._where.instrument, line)

    def _loaded(self) -> Eclib:
        if self._eclib is None:
            self._functions = eclib_library.load(self._where.library)
            self._eclib = Eclib(self._functions, self._where.instrument, self._seconds)
        return self._eclib

    def _close(self) -> None:
        if self._eclib is not None:
            self._eclib.disconnect()

    def _no_lines(self) -> LinkError:
        return LinkError(f"{self.address}: no lines go over it but calls of EClib")


def _connected(eclib: Eclib, work: Callable[[Eclib], _T]) -> _T:
    """Do the work, connecting first where that has not been done."""
    if not eclib.connected:
        eclib.connect()
    return work(eclib)
