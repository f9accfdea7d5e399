"""Serial ports by device and by the serial number of their USB adapter."""

from dataclasses import dataclass

import pytest

from drivers.errors import LinkError
from drivers.links import LinkOptions
from drivers.links.opening import open_link
from drivers.links.serial_address import Port, SerialAddress
from tests.drivers.servers import pty


@dataclass
class Listed:
    device: str
    serial_number: str | None


PORTS: list[Port] = [Listed("/dev/ttyS0", None), Listed("/dev/ttyUSB1", "A50285BI")]


def test_an_adapter_is_found_by_its_serial_number_wherever_it_is() -> None:
    address = SerialAddress.parse("?usb=A50285BI&baud=9600")
    assert (address.found(lambda: PORTS), address.baud_rate) == ("/dev/ttyUSB1", 9600)
    assert address.found(lambda: [Listed("/dev/ttyUSB4", "A50285BI")]) == "/dev/ttyUSB4"


def test_an_adapter_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(LinkError, match=r"serial number 'X1'; there are A50285BI \(/dev/ttyUSB1\)"):
        SerialAddress.parse("?usb=X1").found(lambda: PORTS)


@pytest.mark.parametrize(
    "rest", ["", "?usb=", "/dev/ttyUSB0?usb=X1", "/dev/ttyUSB0?baud=fast", "/dev/ttyUSB0?parity=even"]
)
def test_an_address_that_says_too_little_or_too_much_is_refused(rest: str) -> None:
    with pytest.raises(LinkError, match="wanted serial:///dev/"):
        SerialAddress.parse(rest)


async def test_a_rate_may_stand_in_the_address() -> None:
    async with pty() as port:
        port.answer = lambda heard: b"OK\n"
        link = await open_link(f"serial://{port.path}?baud=57600", LinkOptions(deadline=1.0))
        assert await link.query("ID?") == "OK"
        await link.aclose()
