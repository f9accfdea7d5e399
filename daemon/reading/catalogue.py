"""The list of runs a page at a time, however many there have been."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import Engine, Row, text

from daemon.reading.connections import reading
from daemon.reading.paging import containing, cursor_at, foreign, place_of

PAGE = 50
LARGEST_PAGE = 500


@dataclass(frozen=True, slots=True)
class ListedRun:
    """A run as a list shows it; `duration` in seconds, moments UTC, `simulated` None where nobody said."""

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
    readings: int | None
    simulated: bool | None
    labels: dict[str, str]
    cycles: int


@dataclass(frozen=True, slots=True)
class Page:
    """Some runs in the order asked for; `next` is the cursor of those that follow, None at the end."""

    runs: Sequence[ListedRun]
    next: str | None


class Order(StrEnum):
    """What a list is sorted by; with a minus the largest comes first."""

    LATEST = "-started"
    OLDEST = "started"
    NAME = "run"
    CELL = "cell"
    PROTOCOL = "protocol"
    CHANNEL = "channel"
    STATE = "state"
    LONGEST = "-duration"
    SHORTEST = "duration"

    @property
    def column(self) -> str:
        """The SQL it goes by; every run has one, so that pages follow one another."""
        return _COLUMNS[self.value.removeprefix("-")]

    @property
    def descends(self) -> bool:
        return self.value.startswith("-")


_COLUMNS = {
    "started": "COALESCE(started, '')",
    "run": "runs.name",
    "cell": "COALESCE(cells.name, '')",
    "protocol": "COALESCE(protocols.name, '')",
    "channel": "COALESCE(channel, '')",
    "state": "state",
    "duration": "COALESCE(duration, 0)",
}


class Wanted(NamedTuple):
    """Which runs to list; None where it does not matter.

    Each of the `words` is in name, cell, protocol, channel or labels. `label` is `name=value`, or a
    name that any value will do for; `since` and `until` are UTC moments or days, the latter included.
    """

    state: str | None = None
    channel: str | None = None
    cell: str | None = None
    words: str | None = None
    protocol: str | None = None
    core: str | None = None
    label: str | None = None
    since: str | None = None
    until: str | None = None


class _Place(NamedTuple):
    """Where in a list of this order a page ends."""

    of: Order
    edge: str | float
    id: int


class Catalogue:
    """Lists the runs of a results database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def page(
        self, wanted: Wanted, cursor: str | None, limit: int = PAGE, order: Order = Order.LATEST
    ) -> Page:
        """Return up to `limit` runs. Raises `UnknownError` for a cursor that is none of ours."""
        conditions, values = _conditions(wanted)
        if cursor is not None:
            place = place_of(cursor, _Place)
            if place.of is not order or isinstance(place.edge, str) is ("duration" in order):
                raise foreign(cursor)
            conditions.append(_beyond(order))
            values |= {"edge": place.edge, "id": place.id}
        way = "DESC" if order.descends else "ASC"
        query = LIST.format(
            key=order.column,
            conditions=" AND ".join(conditions) or "TRUE",
            order="started DESC, runs.id DESC"
            if order is Order.LATEST and self._engine.dialect.name == "sqlite"
            else f"{order.column} {way}, runs.id {way}",
        )
        rows = self._rows(query, values | {"limit": limit + 1})
        more = len(rows) > limit
        following = cursor_at(_Place(order, rows[limit - 1].edge, rows[limit - 1].id)) if more else None
        return Page([_listed(row) for row in rows[:limit]], following)

    def all(self, wanted: Wanted, order: Order = Order.LATEST) -> Iterator[ListedRun]:
        """Yield every run there is of these, page by page."""
        cursor: str | None = None
        while True:
            page = self.page(wanted, cursor, LARGEST_PAGE, order)
            yield from page.runs
            if (cursor := page.next) is None:
                return

    def choices(self) -> dict[str, list[str]]:
        """Return what there is to choose from: protocols, cells, cores and labels, at most 500 of each."""
        found = {name: [row[0] for row in self._rows(query, {})] for name, query in CHOICES.items()}
        labels = {
            f"{name}={value}"
            for row in self._rows(LABELS, {})
            for name, value in json.loads(row.labels).items()
        }
        return {**found, "labels": sorted(labels)[:LARGEST_PAGE]}

    def _rows(self, query: str, values: dict[str, object]) -> Sequence[Row[Any]]:
        with reading(self._engine) as connection:
            return connection.execute(text(query), values).all()


def _conditions(wanted: Wanted) -> tuple[list[str], dict[str, object]]:
    """Return what to ask for, only what somebody wants: so the database can use what it has sorted."""
    values: dict[str, object] = {}
    conditions = []
    for name, column in (
        *(("state", "state"), ("channel", "channel"), ("core", "core")),
        *(("cell", "cells.name"), ("protocol", "protocols.name")),
    ):
        if (value := getattr(wanted, name)) is not None:
            conditions.append(f"{column} = :{name}")
            values[name] = value
    for i, word in enumerate((wanted.words or "").lower().split()):
        conditions.append(f"lower({WORDS}) LIKE :word{i} ESCAPE '\\'")
        values[f"word{i}"] = containing(word)
    if wanted.label:
        name, _, value = wanted.label.partition("=")
        said = f"{json.dumps(name, ensure_ascii=False)}: "
        said += json.dumps(value, ensure_ascii=False) if value else '"'
        conditions.append("labels LIKE :label ESCAPE '\\'")
        values["label"] = containing(said)
    if wanted.since:
        conditions.append("started >= :since")
        values["since"] = wanted.since
    if wanted.until:
        conditions.append("started < :until")
        values["until"] = wanted.until + "~"  # after whatever begins so: a day is included
    return conditions, values


def _beyond(order: Order) -> str:
    sign = "<" if order.descends else ">"
    beyond = f"({order.column} {sign} :edge OR ({order.column} = :edge AND runs.id {sign} :id))"
    if order is Order.LATEST:  # the index finds where to go on; who has not started comes last
        return f"(started <= :edge OR started IS NULL) AND {beyond}"
    return beyond


def _listed(row: Row[Any]) -> ListedRun:
    values = {name: value for name, value in row._mapping.items() if name not in ("id", "edge")}
    simulated = None if row.simulated is None else bool(row.simulated)
    return ListedRun(**values | {"simulated": simulated, "labels": json.loads(row.labels or "{}")})


WORDS = (
    "runs.name || ' ' || COALESCE(cells.name, '') || ' ' || COALESCE(protocols.name, '') || ' '"
    " || COALESCE(channel, '') || ' ' || COALESCE(labels, '')"
)
LIST = """
SELECT runs.id, {key} AS edge, runs.name AS run, core, channel, cells.name AS cell,
    protocols.name AS protocol, state, reason, started, ended, duration, readings, simulated, labels,
    COALESCE((SELECT cycle FROM cycles WHERE run_id = runs.id ORDER BY cycle DESC LIMIT 1), 0) AS cycles
FROM (
    SELECT runs.id AS chosen FROM runs
    LEFT JOIN cells ON cells.id = cell_id LEFT JOIN protocols ON protocols.id = protocol_id
    WHERE {conditions} ORDER BY {order} LIMIT :limit
) AS page JOIN runs ON runs.id = chosen
LEFT JOIN cells ON cells.id = cell_id LEFT JOIN protocols ON protocols.id = protocol_id
ORDER BY {order}
"""
CHOICES = {
    "protocols": "SELECT DISTINCT name FROM protocols ORDER BY name LIMIT 500",
    "cells": "SELECT DISTINCT name FROM cells ORDER BY name LIMIT 500",
    "cores": "SELECT DISTINCT core FROM runs WHERE core IS NOT NULL ORDER BY core LIMIT 500",
}
LABELS = "SELECT DISTINCT labels FROM runs WHERE labels IS NOT NULL LIMIT 2000"
