"""Who did what: as each core keeps it, and as it was asked of the page."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import StreamingResponse

from daemon.errors import UnavailableError
from daemon.requests import Audit
from daemon.web.control import Behind
from daemon.web.cores import Cores
from daemon.web.documents import Asked, Audited, AuditPage, LedgerPage
from daemon.web.downloads import CSV, table
from daemon.web.ledger import Ledger
from daemon.web.visitor import Administrator

router = APIRouter(tags=["audit"])

PAGE = 500

AUDIT = [name for name in Audited.model_fields if name != "core"]
LEDGER = list(Asked.model_fields)

Core = Annotated[str, Query(max_length=64)]
Cursor = Annotated[int | None, Query(ge=0, le=2**62)]
Limit = Annotated[int, Query(ge=1, le=PAGE)]


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
    return table("audit.csv", AUDIT, _audit(cores, core, first))


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
    return table("ledger.csv", LEDGER, ([entry[name] for name in LEDGER] for entry in kept.every()))


def _entries(kept: Ledger, before: int | None, limit: int) -> list[dict[str, Any]]:
    try:
        return kept.entries(before, limit)
    except sqlite3.Error as error:
        raise UnavailableError(f"the ledger cannot be read: {error}") from error


async def _audit(cores: Cores, core: str, page: list[dict[str, Any]]) -> AsyncIterator[list[Any]]:
    while page:
        for entry in page:
            yield [entry[name] for name in AUDIT]
        page = await cores.ask(core, Audit(page[-1]["number"], PAGE))


def _following(found: list[dict[str, Any]], limit: int) -> str | None:
    return str(found[-1]["number"]) if len(found) == limit else None
