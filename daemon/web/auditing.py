"""Who did what: as each core keeps it, and as it was asked of the page."""

import asyncio
import csv
import io
import sqlite3
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import StreamingResponse

from daemon.errors import UnavailableError
from daemon.reading.export import safe_cell
from daemon.requests import Audit
from daemon.web.control import Behind
from daemon.web.cores import Cores
from daemon.web.documents import Asked, Audited, AuditPage, LedgerPage
from daemon.web.ledger import Ledger
from daemon.web.visitor import Administrator

router = APIRouter(tags=["audit"])

PAGE = 500

Core = Annotated[str, Query(max_length=64)]
Cursor = Annotated[int | None, Query(ge=0, le=2**62)]
Limit = Annotated[int, Query(ge=1, le=PAGE)]
CSV: dict[int | str, dict[str, Any]] = {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}}


@router.get("/audit", response_model=AuditPage)
async def audit(
    visitor: Administrator, cores: Behind, core: Core, cursor: Cursor = None, limit: Limit = 100
) -> AuditPage:
    """List who did what, the latest first."""
    found = await cores.ask(core, Audit(cursor, limit))
    entries = [Audited(core=core, **entry) for entry in found]
    return AuditPage(entries=entries, next=_following(found, limit))


@router.get("/audit.csv", response_class=StreamingResponse, responses=CSV)
async def export_audit(visitor: Administrator, cores: Behind, core: Core) -> StreamingResponse:
    """Return all of a core's audit as comma-separated values."""
    first = await cores.ask(core, Audit(None, PAGE))
    return _download("audit.csv", _audit(cores, core, first))


@router.get("/ledger", response_model=LedgerPage)
async def ledger(
    request: Request, visitor: Administrator, cursor: Cursor = None, limit: Limit = 100
) -> LedgerPage:
    """List what was asked of the page that would change something, the latest first, done or refused."""
    found = await asyncio.to_thread(_entries, request.app.state.ledger, cursor, limit)
    return LedgerPage(entries=[Asked(**entry) for entry in found], next=_following(found, limit))


@router.get("/ledger.csv", response_class=StreamingResponse, responses=CSV)
async def export_ledger(request: Request, visitor: Administrator) -> StreamingResponse:
    """Return all of the ledger as comma-separated values."""
    kept: Ledger = request.app.state.ledger
    return _download("ledger.csv", _each_line(Asked.model_fields, kept.every()))


def _entries(kept: Ledger, before: int | None, limit: int) -> list[dict[str, Any]]:
    try:
        return kept.entries(before, limit)
    except sqlite3.Error as error:
        raise UnavailableError(f"the ledger cannot be read: {error}") from error


async def _audit(cores: Cores, core: str, page: list[dict[str, Any]]) -> AsyncIterator[str]:
    names = [name for name in Audited.model_fields if name != "core"]
    yield _line(names)
    while page:
        for entry in page:
            yield _line(entry[name] for name in names)
        page = await cores.ask(core, Audit(page[-1]["number"], PAGE))


def _each_line(names: Iterable[str], entries: Iterator[Mapping[str, Any]]) -> Iterator[str]:
    names = list(names)
    yield _line(names)
    for entry in entries:
        yield _line(entry[name] for name in names)


def _line(cells: Iterable[Any]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([safe_cell(cell) for cell in cells])
    return out.getvalue()


def _download(name: str, lines: AsyncIterator[str] | Iterator[str]) -> StreamingResponse:
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(lines, media_type="text/csv; charset=utf-8", headers=headers)


def _following(found: list[dict[str, Any]], limit: int) -> str | None:
    return str(found[-1]["number"]) if len(found) == limit else None
