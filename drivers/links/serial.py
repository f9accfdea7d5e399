"""A link over a serial port: serial:///dev/serial/by-id/… or serial://?usb=SERIALNUMBER, by pyserial."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import serial

from drivers.errors import LinkError
from drivers.links import LinkOptions
from drivers.links.serial_address import SerialAddress
from drivers.links.stream import StreamLink

QUIET_SECONDS = 0.05
"""A line on which nothing came for so long is quiet: an answer is not torn by more than that."""

LONGEST_DRAIN_SECONDS = 1.0
"""An instrument that talks all the time never falls quiet; the next question is asked after that long."""


class SerialLink(StreamLink):
    """One port, opened exclusively (Linux would let two open it), 8 data bits, no parity, 1 stop bit.

    Opening and writing may block, so they have a thread; reading is left to the event loop.
    """

    def __init__(self, address: str, where: SerialAddress, options: LinkOptions) -> None:
        super().__init__(address, options)
        self._where = where
        self._port: serial.Serial | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=address)

    def _is_open(self) -> bool:
        return self._port is not None

    async def _open(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            port = await loop.run_in_executor(self._thread, self._open_port)
        except (serial.SerialException, OSError, ValueError) as error:
            raise LinkError(f"{self.address}: cannot open: {error}") from error
        self._port = port
        loop.add_reader(port.fileno(), self._read_what_is_there)

    def _open_port(self) -> serial.Serial:
        return serial.Serial(
            self._where.found(),
            self._where.baud_rate or self._options.baud_rate,
            timeout=0,
            write_timeout=self._options.deadline,
            exclusive=True,
        )

    def _read_what_is_there(self) -> None:
        if self._port is None:
            return
        try:
            self._received(self._port.read(65_536))
        except (serial.SerialException, OSError) as error:
            self._vanished(str(error))

    async def _send(self, data: bytes) -> None:
        port = self._port
        if port is None:
            raise LinkError(f"{self.address}: the port is gone")
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, port.write, data)
        except (serial.SerialException, OSError) as error:
            self._vanished(str(error))
            self._lost = None
            raise LinkError(f"{self.address}: cannot send {len(data)} bytes: {error}") from error

    def _close(self) -> None:
        port, self._port = self._port, None
        if port is not None:
            asyncio.get_running_loop().remove_reader(port.fileno())
            port.close()

    async def aclose(self) -> None:
        await super().aclose()
        self._thread.shutdown(wait=False)

    async def _settle(self) -> None:
        """Throw away what comes until the line is quiet."""
        loop = asyncio.get_running_loop()
        end = loop.time() + LONGEST_DRAIN_SECONDS
        quiet = False
        while not quiet and self._is_open() and loop.time() < end:
            self._buffer.clear()
            self._arrived.clear()
            quiet = await self._nothing_comes(QUIET_SECONDS)
        self._buffer.clear()

    async def _nothing_comes(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._arrived.wait()
        except TimeoutError:
            return True
        return False
