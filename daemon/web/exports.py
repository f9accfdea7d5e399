"""A run as a file to take away, written while it is sent: memory does not grow with the run."""

import asyncio
import io
import queue
import re
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from typing import Annotated

from fastapi import APIRouter, Path, Query
from sqlalchemy import Engine
from starlette.responses import StreamingResponse

from daemon.errors import UnavailableError
from daemon.reading.catalogue import Catalogue, ListedRun, Order
from daemon.reading.export import FORMATS, export
from daemon.reading.results import Results
from daemon.recording.ingest import as_json
from daemon.web.downloads import CSV, PIECE, download, table
from daemon.web.problem import HttpError
from daemon.web.runs import Data, RunName, WantedRuns
from daemon.web.visitor import Viewer

router = APIRouter(tags=["runs"])

LISTED = [each.name for each in fields(ListedRun)]
"""What is told of each run in the list of them."""

AHEAD = 8
"""Pieces written ahead of a client that reads slowly."""

PATIENCE = 60.0
"""Seconds a client may let the next piece wait before the export ends."""


LOOK = 0.5
"""Seconds after which whoever waits for the other side looks whether it is still there."""

MOST_AT_ONCE = 4
"""Exports under way; each holds two threads, and none of those that others need."""

_under_way = asyncio.Semaphore(MOST_AT_ONCE)
_threads = ThreadPoolExecutor(2 * MOST_AT_ONCE, thread_name_prefix="export")


class _GoneError(Exception):
    """Nobody reads any more."""


class _Pipe(io.StringIO):
    """What an export writes to: hands on pieces, and waits while too many are unread."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: queue.Queue[str] = queue.Queue(AHEAD)
        self.gone = False
        self.over = False

    def write(self, text: str) -> int:
        written = super().write(text)
        if self.tell() >= PIECE:
            self.hand_on()
        return written

    def hand_on(self) -> None:
        """Hand on what has been written."""
        self._put(self.getvalue())
        self.seek(0)
        self.truncate()

    def next(self) -> str | None:
        """Wait for the next piece; None once there is no more, or nobody reads."""
        while not self.gone:
            over = self.over
            try:
                return self.pieces.get(timeout=0.0 if over else LOOK)
            except queue.Empty:
                if over:
                    return None
        return None

    def _put(self, piece: str) -> None:
        ends = time.monotonic() + PATIENCE
        while not self.gone and time.monotonic() < ends:
            try:
                self.pieces.put(piece, timeout=LOOK)
            except queue.Full:
                continue
            return
        raise _GoneError


@router.get("/runs/{run}/export/{kind}", response_class=StreamingResponse, responses=CSV)
async def export_run(
    run: RunName,
    kind: Annotated[str, Path(max_length=32, description="csv, cycles, impedance, figures or events")],
    visitor: Viewer,
    data: Data,
    step: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
) -> StreamingResponse:
    """Return a run as comma-separated values; `csv` has its readings in Battery Data Format columns."""
    if kind not in FORMATS:
        raise HttpError(
            404, "No such export", f"no export is called {kind!r}; there are {', '.join(FORMATS)}"
        )
    await data.read(lambda engine: Results(engine).run(run))
    if _under_way.locked():
        raise UnavailableError(f"{MOST_AT_ONCE} exports are under way; ask again when one is over")
    name = re.sub(r"[^A-Za-z0-9._-]", "_", f"{run}-{kind}.csv")
    return download(name, _pieces(data.engine, run, kind, step))


@router.get("/runs.csv", response_class=StreamingResponse, responses=CSV)
async def export_list(
    visitor: Viewer, data: Data, wanted: WantedRuns, order: Order = Order.LATEST
) -> StreamingResponse:
    """Return the list of runs as comma-separated values: all of those wanted, not a page."""
    engine = await data.read(lambda engine: engine)
    return table("runs.csv", LISTED, map(_row, Catalogue(engine).all(wanted, order)))


def _row(run: ListedRun) -> list[object]:
    values = (getattr(run, name) for name in LISTED)
    return [as_json(each) if isinstance(each, dict) else each for each in values]


async def _pieces(engine: Engine, run: str, kind: str, step: int | None) -> AsyncIterator[str]:
    async with _under_way:
        pipe, loop = _Pipe(), asyncio.get_running_loop()
        writing = loop.run_in_executor(_threads, _write, engine, run, kind, step, pipe)
        try:
            while (piece := await loop.run_in_executor(_threads, pipe.next)) is not None:
                yield piece
            await writing
        finally:
            pipe.gone = True


def _write(engine: Engine, run: str, kind: str, step: int | None, pipe: _Pipe) -> None:
    try:
        export(Results(engine), run, pipe, kind, step)
        pipe.hand_on()
    except _GoneError:
        return
    finally:
        pipe.over = True
