"""A `.ccs` file as LAND's software leaves it, as far as others have read such files (reverse engineered).

The header, pages of 128 bytes, the tag of a page of records and the five numbers of a record are what
two readers agree on; what stands in the pages between the steps is not known, and zeros here.
"""

import struct
from pathlib import Path

HEADER = 0xA80
PAGE = 128
PER_PAGE = 6

DATA, STEP, END = 0x0603, 0x0103, 0x0002
"""Tags: records; a step begins; nothing follows."""

_PAGE_HEAD = struct.Struct("<II")
_RECORD = struct.Struct("<ffffi")

MICROAMPERE_HOUR = 3600e-6


class CcsWriter:
    """Appends to a file; a page that is not full is padded with zeros until it is written once more."""

    def __init__(self, path: Path, channel: int, began_ms: int, name: str) -> None:
        self._path = path
        self._channel = channel
        self._records: list[bytes] = []
        header = bytearray(HEADER)
        _put(header, 0x010, f"{channel:03d}_1")
        _put(header, 0x058, "CT2001A")
        struct.pack_into("<QQ", header, 0x0A0, began_ms, began_ms)
        _put(header, 0x0B0, name)
        struct.pack_into("<I", header, 0x72C, 1)
        path.write_bytes(bytes(header))
        self._end = HEADER

    def step(self) -> None:
        """Another step begins."""
        self._close_page()
        self._append(_PAGE_HEAD.pack(STEP, self._channel).ljust(PAGE, b"\0"))

    def record(self, volts: float, amperes: float, coulombs: float, joules: float, seconds: float) -> None:
        """Write a record: what the step gained, and how long it took, since the one before."""
        gained = coulombs / MICROAMPERE_HOUR, joules / MICROAMPERE_HOUR
        self._records.append(_RECORD.pack(volts, amperes * 1e6, *gained, round(1000.0 * seconds)))
        page = _PAGE_HEAD.pack(DATA, self._channel) + b"".join(self._records)
        with self._path.open("r+b") as file:
            file.seek(self._end)
            file.write(page.ljust(PAGE, b"\0"))
        if len(self._records) == PER_PAGE:
            self._close_page()

    def close(self) -> None:
        """Nothing follows."""
        self._close_page()
        self._append(_PAGE_HEAD.pack(END, self._channel).ljust(PAGE, b"\0"))

    def _close_page(self) -> None:
        if self._records:
            self._end += PAGE
            self._records = []

    def _append(self, page: bytes) -> None:
        with self._path.open("r+b") as file:
            file.seek(self._end)
            file.write(page)
        self._end += PAGE


def _put(header: bytearray, at: int, text: str) -> None:
    data = text.encode()
    header[at : at + len(data)] = data
