"""Several runs beside each other."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from daemon.reading.comparison import MOST, VARIANT, Comparison, comparison
from daemon.reading.results import Results
from daemon.web.answers import written
from daemon.web.runs import LONGEST_NAME, Data
from daemon.web.visitor import Viewer

router = APIRouter(tags=["runs"])

Name = Annotated[str, Query(max_length=LONGEST_NAME)]


@router.get("/comparisons", response_model=Comparison)
async def compare(
    visitor: Viewer,
    data: Data,
    run: Annotated[list[Name], Query(min_length=1, max_length=MOST, description="runs to compare")],
    by: Annotated[str, Query(max_length=64, description="the label they are grouped by")] = VARIANT,
) -> Response:
    """Put the figures of merit of runs beside each other, by run and by group, with a verdict (Welch)."""
    return written(await data.read(lambda engine: comparison(Results(engine), run, by)))
