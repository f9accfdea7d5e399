"""The text of a result file, whichever encoding its maker's software chose."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from daemon.errors import UnreadableError

_SIGNS_OF_GB18030 = (b"\xa1\xe6", b"\xa6\xcc")  # ℃ and μ as Chinese software writes them


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of one line; lines count from 1."""

    line: int
    cells: Sequence[str]


@dataclass(frozen=True, slots=True)
class TextFile:
    """A file that is text, and what to call it in messages."""

    name: str
    text: str

    def lines(self, most: int | None = None) -> list[str]:
        """Return the first `most` lines, or all."""
        if most is None:
            return self.text.splitlines()
        return self.text[: 2000 * most].splitlines()[:most]

    def rows(self, delimiter: str, after: int = 0) -> Iterator[Row]:
        """Yield every line that says something after the first `after`, cut at the delimiter."""
        lines = self.text.splitlines()[after:]
        reader = csv.reader(lines, delimiter=delimiter)
        try:
            for cells in reader:
                if any(cell.strip() for cell in cells):
                    yield Row(after + reader.line_num, cells)
        except csv.Error as error:
            raise self.refused(f"{error}", "comma- or tab-separated text", after + reader.line_num) from error

    def refused(self, seen: str, wanted: str, line: int | None = None) -> UnreadableError:
        """Return the error to raise about this file: what was seen where, what was wanted."""
        return refused(self.name, seen, wanted, line)


def refused(name: str, seen: str, wanted: str, line: int | None = None) -> UnreadableError:
    """Return the error to raise about a file: what was seen where, what was wanted."""
    place = name if line is None else f"{name}:{line}"
    return UnreadableError(f"{place}: {seen}; wanted {wanted}")


def read_text(path: Path) -> TextFile:
    """Read a text file in UTF-8, UTF-16, GB 18030 or Latin-1; `UnreadableError` for any other."""
    raw = path.read_bytes()
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return TextFile(str(path), _decoded(raw, "utf-16", path))
    if b"\x00" in raw[:65536]:
        raise refused(
            str(path), "a binary file", "text, or a file ending in .nda, .ndax, .mpr, .ccs, .xlsx, .parquet"
        )
    try:
        return TextFile(str(path), raw.decode("utf-8-sig"))
    except UnicodeDecodeError:
        chinese = any(sign in raw[:65536] for sign in _SIGNS_OF_GB18030)
        return TextFile(str(path), _decoded(raw, "gb18030" if chinese else "latin-1", path))


def _decoded(raw: bytes, encoding: str, path: Path) -> str:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        raise refused(str(path), f"bytes that are no {encoding}: {error.reason}", "a text file") from error
