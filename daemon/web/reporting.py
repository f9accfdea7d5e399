"""The report of a run, as `galvanod report` writes it, to be read in the browser."""

import asyncio
import base64
import hashlib
import re
from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy import Engine
from starlette.responses import HTMLResponse

from daemon.errors import UnavailableError
from daemon.reading.results import Results
from daemon.reports.form import Form
from daemon.reports.report import Report
from daemon.web.problem import HttpError
from daemon.web.runs import Data, RunName
from daemon.web.visitor import Viewer

router = APIRouter(tags=["runs"])

MOST_CYCLES = 24

MOST_WAITING = 8
"""Reports asked for at once."""

_waiting = asyncio.Semaphore(MOST_WAITING)
_one_at_a_time = asyncio.Semaphore(1)  # a report may take seconds of work
_STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)


@router.get("/runs/{run}/report", response_class=HTMLResponse)
async def report(
    run: RunName,
    visitor: Viewer,
    data: Data,
    cycles: Annotated[str, Query(max_length=200, description="whose curves are shown: 1,50,500")] = "",
) -> HTMLResponse:
    """Return the report of a run: one page, no script, nothing loaded, good on paper."""
    chosen = _cycles(cycles)
    if _waiting.locked():
        raise UnavailableError(f"{MOST_WAITING} reports are asked for already; ask again in a moment")
    async with _waiting, _one_at_a_time:
        text = await data.read(lambda engine: _written(engine, run, chosen))
    return HTMLResponse(text, headers={"content-security-policy": _policy(text)})


def _written(engine: Engine, run: str, cycles: list[int]) -> str:
    results = Results(engine)
    results.run(run)
    return Report.of(results, [run], cycles).written(Form.HTML, lambda name: {})


def _policy(text: str) -> str:
    """Allow the styles the page came with, by their digests, and nothing else at all."""
    digests = [hashlib.sha256(style.encode()).digest() for style in _STYLE.findall(text)]
    styles = " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    return f"default-src 'none'; img-src data:; style-src {styles or 'none'}; frame-ancestors 'none'; sandbox"


def _cycles(written: str) -> list[int]:
    words = [word for word in re.split(r"[\s,]+", written) if word]
    if len(words) > MOST_CYCLES or not all(re.fullmatch(r"\d{1,9}", word) for word in words):
        raise HttpError(
            400, "Bad cycles", f"cycles {written[:60]!r}: wanted up to {MOST_CYCLES}, e.g. 1,50,500"
        )
    return [int(word) for word in words]
