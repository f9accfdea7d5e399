"""The overview of a run: what the extremes of each stretch of its readings are.

Block `b` of level 0 stands for readings 128 b + 1 to 128 b + 128, each of a further level for four
of the level below. A block is written once every one of its readings is there; as readings never
change, neither does it: whoever dies while making it leaves nothing half done, and all of it can be
thrown away and made again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Engine, text

from daemon.recording.database import open_database
from daemon.recording.database_errors import translated
from daemon.recording.parquet_part import Part

SIZE = 128
"""Readings in a block of level 0."""

FACTOR = 4
"""Blocks of one level in one of the next."""

LEVELS = 10
"""More than a run can fill: the last is of 34 million readings."""

CHUNK = 256 * SIZE * 8
"""Readings gone through in one question to the database: a quarter of a second."""

QUANTITIES = ("voltage", "current", "capacity", "temperature")
EDGES = ("lowest", "highest", "first")
COLUMNS = (
    *("begins", "ends", "first_step", "last_step", "first_cycle", "last_cycle"),
    *(f"{edge}_{quantity}" for quantity in QUANTITIES for edge in EDGES),
)
"""What a block says, in the order of every row and array of blocks."""

Blocks = NDArray[np.float64]
"""Rows of `COLUMNS`; NaN where there is no number."""

READ = ("time", "step", "cycle", *QUANTITIES)
"""What a block is made of."""


def extremes(width: str, begins: str = ":first") -> str:
    """Return the SQL of `COLUMNS` over readings grouped by `(number - first) / width`."""
    at = f"CASE WHEN (number - {begins}) % {width} = 0 THEN"
    parts = [f"{edge}({name})" for name in ("time", "step", "cycle") for edge in ("min", "max")]
    for quantity in QUANTITIES:
        parts += [f"min({quantity})", f"max({quantity})", f"max({at} {quantity} END)"]
    return ", ".join(parts)


BLOCKS = f"""
SELECT (number - 1) / {SIZE} AS block, {extremes(str(SIZE), "1")} FROM readings
WHERE run_id = :run_id AND number BETWEEN :first AND :last
GROUP BY (number - 1) / {SIZE} HAVING count(*) = {SIZE} ORDER BY 1
"""  # noqa: S608
_NAMES = ", ".join(COLUMNS)
_MARKS = ", ".join(f":{name}" for name in COLUMNS)
INSERT = f"""
INSERT INTO overview (run_id, level, block, {_NAMES}) VALUES (:run_id, 0, :block, {_MARKS})
ON CONFLICT DO NOTHING
"""  # noqa: S608


def _higher() -> str:
    of = f"CASE WHEN block % {FACTOR} = 0 THEN"
    parts = ["min(begins)", "max(ends)", "min(first_step)", "max(last_step)"]
    parts += ["min(first_cycle)", "max(last_cycle)"]
    for quantity in QUANTITIES:
        edges = f"min(lowest_{quantity})", f"max(highest_{quantity})", f"max({of} first_{quantity} END)"
        parts += edges
    return f"""
INSERT INTO overview (run_id, level, block, {_NAMES})
SELECT run_id, level + 1, block / {FACTOR}, {", ".join(parts)} FROM overview
WHERE run_id = :run_id AND level = :level AND block BETWEEN :first AND :last
GROUP BY run_id, level, block / {FACTOR} HAVING count(*) = {FACTOR}
ON CONFLICT DO NOTHING
"""  # noqa: S608


HIGHER = _higher()
PROGRESS = """
INSERT INTO overviews (run_id, reading, missing) VALUES (:run_id, :reading, :missing)
ON CONFLICT (run_id) DO UPDATE SET reading = excluded.reading, missing = excluded.missing
"""
DUE = f"""
SELECT id, COALESCE(overviews.reading, 0) AS reading, COALESCE(missing, 0) AS missing,
    ended IS NOT NULL AS over
FROM runs LEFT JOIN overviews ON overviews.run_id = runs.id
WHERE ended IS NULL OR COALESCE(overviews.reading, 0) + {SIZE} <= COALESCE(readings, {2**31 - 1})
    OR missing > 0
ORDER BY id
"""  # noqa: S608
HIGHEST = "SELECT number FROM readings WHERE run_id = :run_id ORDER BY number DESC LIMIT 1"
ARCHIVED = "SELECT max(last_reading) FROM archives WHERE run_id = :run_id"
PARTS = """
SELECT first_reading, last_reading, digest, content FROM archives
WHERE run_id = :run_id AND last_reading >= :first AND first_reading <= :last ORDER BY first_reading
"""
STANDING = "SELECT reading, missing FROM overviews WHERE run_id = :run_id"
HELD = "SELECT block FROM overview WHERE run_id = :run_id AND level = 0 ORDER BY block"


@dataclass(frozen=True, slots=True)
class Reach:
    """How far the overview of a run is: made up to `reading`, with `missing` blocks left out below."""

    run_id: int
    reading: int = 0
    missing: int = 0


@dataclass(frozen=True, slots=True)
class Made:
    """Blocks of level 0 as rows to be written, where the overview then stands, and readings beyond it."""

    reach: Reach
    blocks: Sequence[dict[str, Any]]
    beyond: int = 0


def blocks_of(readings: NDArray[np.float64], width: int) -> Blocks:
    """Return a row per `width` readings, whose columns are those of `READ`; the last may be of fewer."""
    starts = np.arange(0, len(readings), width)
    time, step, cycle = (readings[:, i] for i in range(3))
    ends = np.append(starts[1:], len(readings)) - 1
    columns = [time[starts], time[ends]]
    for whole in (step, cycle):
        columns += [np.minimum.reduceat(whole, starts), np.maximum.reduceat(whole, starts)]
    for i in range(3, len(READ)):
        values = readings[:, i]
        columns += [np.fmin.reduceat(values, starts), np.fmax.reduceat(values, starts), values[starts]]
    return np.column_stack(columns)


class Overview:
    """Makes the overviews of a database's runs; to be used from one thread."""

    def __init__(self, reader: Engine, writer: Engine) -> None:
        self._reader = reader
        self._writer = writer

    def due(self) -> list[tuple[Reach, bool]]:
        """Return the runs that go on or lack something, each with whether it is over."""
        with self._reader.connect() as connection:
            return [
                (Reach(row.id, row.reading, row.missing), bool(row.over))
                for row in connection.execute(text(DUE))
            ]

    def whole(self, run_id: int) -> None:
        """Make all of a run's overview that can be made now."""
        with self._reader.connect() as connection:
            found = connection.execute(text(STANDING), {"run_id": run_id}).first()
        reach = Reach(run_id, *found) if found else Reach(run_id)
        while (made := self.further(reach)) is not None:
            self.write([made])
            reach = made.reach

    def further(self, reach: Reach, least: int = SIZE) -> Made | None:
        """Return the next chunk of a run's overview, or None where fewer than `least` readings are new."""
        with self._reader.connect() as connection:
            values = {"run_id": reach.run_id}
            in_table = connection.execute(text(HIGHEST), values).scalar()
            highest = in_table or connection.execute(text(ARCHIVED), values).scalar() or 0
            last = min(highest, reach.reading + CHUNK) // SIZE * SIZE
            if last - reach.reading < least:
                return None
            blocks = _blocks(connection, reach.run_id, reach.reading + 1, last, in_table is None)
        missing = reach.missing + (last - reach.reading) // SIZE - len(blocks)
        return Made(Reach(reach.run_id, last, missing), blocks, highest - last)

    def mended(self, reach: Reach) -> Iterator[Made]:
        """Yield the blocks that were left out, where their readings have come since."""
        with self._reader.connect() as connection:
            held = connection.execute(text(HELD), {"run_id": reach.run_id}).scalars().all()
        for first, last in _holes(held, reach.reading // SIZE):
            with self._reader.connect() as connection:
                blocks = _blocks(connection, reach.run_id, first * SIZE + 1, (last + 1) * SIZE, False)
            if blocks:
                reach = replace(reach, missing=reach.missing - len(blocks))
                yield Made(reach, blocks)

    def write(self, several: Sequence[Made]) -> None:
        """Write blocks, those of the levels above that are whole by them, and how far this is."""
        with self._writer.begin() as connection:
            for made in several:
                reach = made.reach
                if made.blocks:
                    connection.execute(text(INSERT), made.blocks)
                    first, last = made.blocks[0]["block"], made.blocks[-1]["block"]
                    _raise_levels(connection, reach.run_id, first, last)
                connection.execute(text(PROGRESS), asdict(reach))


def make_overview(url: str, run: str) -> None:
    """Make the overview of a run that nobody records."""
    reader, writer = open_database(url, write=False), open_database(url, write=True)
    try:
        with translated(url):
            with reader.connect() as connection:
                found = connection.execute(
                    text("SELECT id FROM runs WHERE name = :run"), {"run": run}
                ).scalar()
            if found is not None:
                Overview(reader, writer).whole(int(found))
    finally:
        reader.dispose()
        writer.dispose()


def _raise_levels(connection: Connection, run_id: int, first: int, last: int) -> None:
    for level in range(LEVELS - 1):
        first, last = first // FACTOR, last // FACTOR
        below = {"first": first * FACTOR, "last": last * FACTOR + FACTOR - 1}
        done = connection.execute(text(HIGHER), {"run_id": run_id, "level": level, **below})
        if done.rowcount == 0:
            return


def _holes(held: Sequence[int], count: int) -> Iterator[tuple[int, int]]:
    """Yield the first and last block of each stretch that is not held."""
    for before, after in pairwise((-1, *held, count)):
        if after - before > 1:
            yield before + 1, after - 1


def _blocks(
    connection: Connection, run_id: int, first: int, last: int, archived: bool
) -> list[dict[str, Any]]:
    """Return the blocks from reading `first` to `last` of which every reading is there."""
    values = {"run_id": run_id, "first": first, "last": last}
    if not archived:
        rows = connection.execute(text(BLOCKS), values).all()
        return [
            {"run_id": run_id, "block": row[0], **dict(zip(COLUMNS, row[1:], strict=True))} for row in rows
        ]
    parts = [Part._make(row).columns("number", *READ) for row in connection.execute(text(PARTS), values)]
    readings = np.concatenate(parts)
    inside = (readings[:, 0] >= first) & (readings[:, 0] <= last)
    table = blocks_of(readings[inside, 1:], SIZE)  # only whole runs are archived: none is missing
    plain = [[None if value != value else value for value in row] for row in table.tolist()]
    return [
        {"run_id": run_id, "block": (first - 1) // SIZE + i, **dict(zip(COLUMNS, row, strict=True))}
        for i, row in enumerate(plain)
    ]
