"""Tables to take away, as comma-separated values, written while they are sent."""

import csv
import io
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from typing import Any

from starlette.responses import StreamingResponse

from daemon.reading.export import safe_cell

CSV: dict[int | str, dict[str, Any]] = {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}}
"""What the API's document says of such an answer."""

PIECE = 64 * 1024
"""Characters handed on together."""

Row = Iterable[Any]


def download(name: str, pieces: AsyncIterator[str] | Iterator[str]) -> StreamingResponse:
    """Return text that is to be kept as a file of this name."""
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(pieces, media_type="text/csv; charset=utf-8", headers=headers)


def table(name: str, heads: Sequence[str], rows: Iterable[Row] | AsyncIterator[Row]) -> StreamingResponse:
    """Return rows below their heads, no cell of which a spreadsheet takes for a formula."""
    writing = _Writing(heads)
    if isinstance(rows, AsyncIterator):
        return download(name, writing.whenever(rows))
    return download(name, writing.each(rows))


class _Writing:
    """Lines on their way, handed on a piece at a time."""

    def __init__(self, heads: Row) -> None:
        self._out = io.StringIO()
        self._writer = csv.writer(self._out, lineterminator="\n")
        self._write(heads)

    def each(self, rows: Iterable[Row]) -> Iterator[str]:
        for row in rows:
            self._write(row)
            if self._out.tell() > PIECE:
                yield self._taken()
        yield self._taken()

    async def whenever(self, rows: AsyncIterator[Row]) -> AsyncIterator[str]:
        async for row in rows:
            self._write(row)
            if self._out.tell() > PIECE:
                yield self._taken()
        yield self._taken()

    def _write(self, row: Row) -> None:
        self._writer.writerow([safe_cell(cell) for cell in row])

    def _taken(self) -> str:
        text = self._out.getvalue()
        self._out.seek(0)
        self._out.truncate()
        return text
