"""What happened on all channels together, the latest first, a page at a time back to the beginning."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import Engine, text

from daemon.reading.connections import reading
from daemon.reading.paging import containing, cursor_at, place_of

END = 2**31 - 1
"""The ordinal of a run's end among its events: nothing is later."""

LAST = "9999"
"""Later than every moment."""


class Sort(StrEnum):
    """What a person looks for."""

    TRIP = "trip"  # a run that a limit or a failure ended
    END = "end"  # a run that finished, or that a person stopped
    GAP = "gap"  # a time without readings, or an answer that was lost
    NOTE = "note"  # everything else that was noted


ALARMING = ("tripped", "failed")
GAPS = ("interrupted", "resumed", "reattached", "readings lost", "answer lost", "suspended", "paused", "gap")


@dataclass(frozen=True, slots=True)
class Happening:
    """It: `moment` is UTC, `time` seconds of the run's own; `kind` the event's, or the run's last state."""

    moment: str
    sort: Sort
    kind: str
    text: str
    run: str
    core: str | None
    channel: str | None
    cell: str | None
    protocol: str | None
    time: float | None


@dataclass(frozen=True, slots=True)
class Happened:
    """Some of what happened; `next` is the cursor of what was before, None at the beginning."""

    events: Sequence[Happening]
    next: str | None


class Asked(NamedTuple):
    """What to list, of any of these sorts; None where it does not matter.

    `words` is in run, cell, channel, kind or text.
    """

    sorts: Collection[Sort] = tuple(Sort)
    core: str | None = None
    channel: str | None = None
    words: str | None = None


class _Place(NamedTuple):
    """Where in the list a page begins: nothing at it or later is on it."""

    moment: str
    run: int
    ordinal: int


class Happenings:
    """Lists what happened, from a results database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def page(self, asked: Asked, cursor: str | None, limit: int) -> Happened:
        """Return up to `limit` of it. Raises `UnknownError` for a cursor that is none of ours."""
        before = _Place(LAST, 0, 0) if cursor is None else place_of(cursor, _Place)
        values: dict[str, object] = {
            **before._asdict(),
            "limit": limit + 1,
            "core": asked.core,
            "channel": asked.channel,
            "like": None if not asked.words else containing(asked.words.lower()),
        }
        with reading(self._engine) as connection:
            rows = [
                row
                for sorts, query in _QUERIES
                if (kinds := [_KINDS[sort] for sort in sorts if sort in asked.sorts])
                for row in connection.execute(
                    text(query.replace("/*kinds*/", f"({' OR '.join(kinds)})")), values
                ).all()
            ]
        rows.sort(key=lambda row: (row.moment, row.id, row.ordinal), reverse=True)
        listed = [
            Happening(row.moment, _sort(row.ordinal, row.kind), row.kind, row.text or "", *row[5:])
            for row in rows[:limit]
        ]
        last = rows[limit - 1] if len(rows) > limit else None
        return Happened(
            listed, None if last is None else cursor_at(_Place(last.moment, last.id, last.ordinal))
        )


def _sort(ordinal: int, kind: str) -> Sort:
    if ordinal == END:
        return Sort.TRIP if kind in ALARMING else Sort.END
    return Sort.GAP if kind in GAPS else Sort.NOTE


def _of(kinds: Sequence[str]) -> str:
    return "kind IN (" + ", ".join(f"'{kind}'" for kind in kinds) + ")"


_WANTED = """
    AND (CAST(:core AS TEXT) IS NULL OR core = :core)
    AND (CAST(:channel AS TEXT) IS NULL OR channel = :channel)
    AND (CAST(:like AS TEXT) IS NULL OR lower(runs.name || ' ' || COALESCE(cells.name, '') || ' '
        || COALESCE(channel, '') || ' ' || kind || ' ' || COALESCE(happened.text, '')) LIKE :like ESCAPE '\\')
ORDER BY happened.moment DESC, runs.id DESC, ordinal DESC LIMIT :limit
"""

_NAMED = """
LEFT JOIN cells ON cells.id = cell_id LEFT JOIN protocols ON protocols.id = protocol_id
WHERE (happened.moment, runs.id, ordinal) < (:moment, :run, :ordinal) AND /*kinds*/
"""

_COLUMNS = "runs.name, core, channel, cells.name AS cell, protocols.name AS protocol"

NOTED = f"""
SELECT happened.moment, runs.id, ordinal, kind, happened.text, {_COLUMNS}, happened.time
FROM events AS happened JOIN runs ON runs.id = run_id {_NAMED} {_WANTED}
"""  # noqa: S608

ENDED = f"""
SELECT happened.moment, runs.id, ordinal, kind, happened.text, {_COLUMNS}, runs.duration
FROM (SELECT id AS ended_run, ended AS moment, {END} AS ordinal, state AS kind, reason AS text FROM runs
    WHERE ended IS NOT NULL AND core IS NOT NULL) AS happened
JOIN runs ON runs.id = ended_run {_NAMED} {_WANTED}
"""  # noqa: S608

_KINDS = {
    Sort.TRIP: _of(ALARMING),
    Sort.END: f"NOT {_of(ALARMING)}",
    Sort.GAP: _of(GAPS),
    Sort.NOTE: f"NOT {_of(GAPS)}",
}

_QUERIES = (((Sort.GAP, Sort.NOTE), NOTED), ((Sort.TRIP, Sort.END), ENDED))
