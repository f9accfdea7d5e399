"""The XML on the wire: requests cut out of a stream, and answers as a BTS Client writes them."""

from collections.abc import Iterator, Mapping, Sequence
from xml.etree import ElementTree
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape, quoteattr

END = b"</bts>"

TERMINATOR = "\n\n#\r\n"

LONGEST_REQUEST = 1 << 20
"""Bytes; what is longer and has no end is no request."""

_TRAILER = b"\r\n#\x00 \t"

Value = str | int | float


class Requests:
    """Cuts requests out of what a client sends; what follows the end of one is no part of it."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[Element]:
        """Yield every request that is whole. What is no XML is as if it had not been said."""
        *whole, self._rest = (self._rest + data).split(END)
        if len(self._rest) > LONGEST_REQUEST:
            self._rest = b""
        for request in whole:
            try:
                yield ElementTree.fromstring(request.strip(_TRAILER) + END)
            except (ElementTree.ParseError, ValueError, LookupError):
                continue


def answer(command: str, *lines: str) -> bytes:
    """Return an answer; the lines come indented by two."""
    body = "".join(f"  {line}\r\n" for line in lines)
    head = f'<?xml version="1.0" encoding="UTF-8"?>\r\n<bts version="1.0">\r\n  <cmd>{command}</cmd>\r\n'
    return f"{head}{body}</bts>{TERMINATOR}".encode()


def element(name: str, attributes: Mapping[str, Value], text: str | None = None) -> str:
    """Return one element, empty without a text."""
    inside = "".join(f" {key}={quoteattr(str(value))}" for key, value in attributes.items())
    return f"<{name}{inside} />" if text is None else f"<{name}{inside}>{escape(text)}</{name}>"


def listed(elements: Sequence[str], name: str = "list") -> list[str]:
    """Return the lines of a list that says how long it is."""
    if not elements:
        return [f'<{name} count="0" />']
    return [f'<{name} count="{len(elements)}">', *(f"  {one}" for one in elements), f"</{name}>"]


def shown(value: float, digits: int) -> str:
    """Return a number as the client shows it: rounded, and without zeros at its end."""
    text = f"{value:.{digits}f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
