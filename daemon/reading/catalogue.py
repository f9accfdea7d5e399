"""The list of runs a page at a time, however many there have been."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from daemon.errors import UnavailableError, UnknownError

PAGE = 50
LARGEST_PAGE = 500


@dataclass(frozen=True, slots=True)
class ListedRun:
    """A run as a list shows it; `duration` in seconds, moments UTC."""

    run: str
    core: str | None
    channel: str | None
    cell: str | None
    protocol: str | None
    state: str
    reason: str | None
    started: str | None
    ended: str | None
    duration: float | None
    cycles: int


@dataclass(frozen=True, slots=True)
class Page:
    """Some runs, the latest first; `next` is the cursor of those that follow, None at the end."""

    runs: Sequence[ListedRun]
    next: str | None


class Wanted(NamedTuple):
    """Which runs to list; None where it does not matter. `words` is in name, cell, protocol or channel."""

    state: str | None = None
    channel: str | None = None
    cell: str | None = None
    words: str | None = None


class Catalogue:
    """Lists the runs of a results database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def page(self, wanted: Wanted, cursor: str | None, limit: int = PAGE) -> Page:
        """Return up to `limit` runs. Raises `UnknownError` for a cursor that is none of ours."""
        started, number = _decoded(cursor)
        like = None if not wanted.words else "%" + _escaped(wanted.words.lower()) + "%"
        values = {"started": started, "id": number, "limit": limit + 1, "like": like}
        values |= {"state": wanted.state, "channel": wanted.channel, "cell": wanted.cell}
        try:
            with self._engine.connect() as connection:
                rows = connection.execute(text(RUNS), values).all()
        except DBAPIError as error:
            raise UnavailableError(f"results database: {error.orig}") from error
        listed = [ListedRun(*row[2:]) for row in rows[:limit]]
        more = len(rows) > limit
        return Page(listed, _encoded(rows[limit - 1].moment, rows[limit - 1].id) if more else None)


def _encoded(started: str, number: int) -> str:
    return base64.urlsafe_b64encode(json.dumps([started, number]).encode()).decode()


def _decoded(cursor: str | None) -> tuple[str, int]:
    if cursor is None:
        return "9999", 0
    try:
        started, number = json.loads(base64.urlsafe_b64decode(cursor))
        return str(started), int(number)
    except (ValueError, TypeError) as error:
        raise UnknownError(f"cursor {cursor[:40]!r}: wanted the `next` of an earlier page") from error


def _escaped(words: str) -> str:
    return words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


RUNS = """
SELECT runs.id, COALESCE(started, '') AS moment, runs.name, core, channel, cells.name AS cell,
    protocols.name AS protocol, state, reason, started, ended, duration,
    COALESCE((SELECT cycle FROM cycles WHERE run_id = runs.id ORDER BY cycle DESC LIMIT 1), 0) AS cycles
FROM runs LEFT JOIN cells ON cells.id = cell_id LEFT JOIN protocols ON protocols.id = protocol_id
WHERE (COALESCE(started, '') < :started OR (COALESCE(started, '') = :started AND runs.id < :id))
    AND (CAST(:state AS TEXT) IS NULL OR state = :state)
    AND (CAST(:channel AS TEXT) IS NULL OR channel = :channel)
    AND (CAST(:cell AS TEXT) IS NULL OR cells.name = :cell)
    AND (CAST(:like AS TEXT) IS NULL OR lower(runs.name || ' ' || COALESCE(cells.name, '') || ' '
        || COALESCE(protocols.name, '') || ' ' || COALESCE(channel, '')) LIKE :like ESCAPE '\\')
ORDER BY COALESCE(started, '') DESC, runs.id DESC LIMIT :limit
"""
