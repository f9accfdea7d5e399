"""Where a serial port is: a device, or whatever device the USB adapter with a serial number is now."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol, Self
from urllib.parse import parse_qsl

from drivers.errors import LinkError

WANTED = "serial:///dev/… or serial://?usb=SERIALNUMBER, and where need be baud=9600"


class Port(Protocol):
    """A serial port of this machine, as pyserial lists them."""

    device: str
    serial_number: str | None


def _present() -> Iterable[Port]:
    from serial.tools.list_ports import comports

    return comports()


@dataclass(frozen=True, slots=True)
class SerialAddress:
    """One of `device` and `usb`, the serial number of a USB adapter; `baud_rate` where it is not usual."""

    device: str
    usb: str | None = None
    baud_rate: int | None = None

    @classmethod
    def parse(cls, rest: str) -> Self:
        """Read what follows `serial://`. Raises `LinkError` naming what was wanted."""
        device, _, query = rest.partition("?")
        said = dict(parse_qsl(query, keep_blank_values=True))
        usb, baud = said.pop("usb", None), said.pop("baud", None)
        rate = int(baud) if baud is not None and baud.isascii() and baud.isdigit() else None
        wrong = bool(said) or bool(device) == bool(usb) or (baud is not None and not rate)
        if wrong:
            raise LinkError(f"address 'serial://{rest}': wanted {WANTED}")
        return cls(device, usb, rate)

    def found(self, present: Callable[[], Iterable[Port]] = _present) -> str:
        """Return the device it is now: an adapter may be another one after it was plugged in again.

        Raises `LinkError` listing the adapters there are.
        """
        if self.usb is None:
            return self.device
        ports = list(present())
        for port in ports:
            if port.serial_number == self.usb:
                return port.device
        there = ", ".join(f"{port.serial_number} ({port.device})" for port in ports if port.serial_number)
        raise LinkError(f"no USB adapter with serial number {self.usb!r}; there are {there or 'none'}")
