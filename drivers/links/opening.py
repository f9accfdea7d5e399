"""Addresses: from a line of the bench file to an open link."""

from urllib.parse import urlsplit

from drivers.errors import LinkError
from drivers.links import Link, LinkOptions
from drivers.links.eclib import EclibAddress, EclibLink
from drivers.links.file import FileLink
from drivers.links.serial import SerialLink
from drivers.links.serial_address import SerialAddress
from drivers.links.tcp import TcpLink
from drivers.links.visa import VisaLink

_DEFAULT = LinkOptions()


async def open_link(address: str, options: LinkOptions = _DEFAULT) -> Link:
    """Return an open link to `address`. Raises `LinkError` if nobody is there.

    Known are `visa://RESOURCE` (any PyVISA resource string), `serial:///dev/…`, `tcp://host:port`,
    `eclib://HOST` (or `eclib://USB0`; see `drivers.links.eclib`) and `file:///path`.
    """
    scheme, found, rest = address.partition("://")
    if not found or not rest:
        raise LinkError(
            f"address {address!r}: wanted visa://RESOURCE, serial:///dev/…, tcp://host:port, eclib://host "
            "or file:///path"
        )
    match scheme:
        case "visa":
            return await _opened(VisaLink(address, rest, options))
        case "serial":
            return await _opened(SerialLink(address, SerialAddress.parse(rest), options))
        case "tcp":
            host, port = _endpoint(address)
            return await _opened(TcpLink(address, host, port, options))
        case "eclib":
            return await _opened(EclibLink(address, EclibAddress.parse(rest), options))
        case "file":
            return FileLink(address)
    raise LinkError(f"address {address!r}: scheme {scheme!r} is not one of visa, serial, tcp, eclib, file")


def address_of(served: str) -> str:
    """Return the address a link is opened with, for a PyVISA resource string, a device path or a URL."""
    if "://" in served:
        return served
    return f"serial://{served}" if served.startswith("/") else f"visa://{served}"


async def _opened(link: SerialLink | TcpLink | VisaLink | EclibLink) -> Link:
    try:
        await link.open()
    except BaseException:
        await link.aclose()
        raise
    return link


def _endpoint(address: str) -> tuple[str, int]:
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise LinkError(f"address {address!r}: {error}") from error
    if host is None or port is None:
        raise LinkError(f"address {address!r}: wanted tcp://host:port")
    return host, port
