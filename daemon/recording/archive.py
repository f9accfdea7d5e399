"""The archive: the readings of a closed run as Parquet, in a fifth of the room and read as before.

The parts stand in the database itself (docs/decisions/0006): one file to back up, for every process
that reads it the same, on PostgreSQL too.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, text

from daemon.errors import BusyError, DamagedError
from daemon.reading.results import Results
from daemon.recording.database_errors import translated
from daemon.recording.overview import Overview
from daemon.recording.parquet_part import COLUMNS, SIZE, Part
from daemon.recording.prepared import prepared

_CHUNK = 50_000  # rows deleted in one transaction: the recorder never waits long

INSERT_PART = """
INSERT INTO archives (run_id, first_reading, last_reading, digest, content)
VALUES (:run_id, :first, :last, :digest, :content) ON CONFLICT DO NOTHING
"""
DELETE_READINGS = "DELETE FROM readings WHERE run_id = :run_id AND number > :above"
HIGHEST = "SELECT max(number) FROM readings WHERE run_id = :run_id"
INSERT_READING = f"""
INSERT INTO readings (run_id, {", ".join(COLUMNS)})
VALUES (:run_id, {", ".join(f":{name}" for name in COLUMNS)}) ON CONFLICT DO NOTHING
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Archived:
    """What became of a run's readings: how many, and the bytes of Parquet they are now."""

    run: str
    readings: int
    size: int


def archive(url: str, run: str, report: Callable[[int], None] = lambda rows: None) -> Archived:
    """Keep the readings of a run that is over as Parquet; everything reads them as before.

    At every moment they are whole in the table or in the archive, so that a power cut costs
    nothing and the same again completes it. Raises `BusyError` for a run that still runs or of
    which readings are missing, which may still come.
    """
    engine, results = prepared(url), Results.open(url)
    try:
        record, counts = results.run(run), results.counts(run)
        if record.ended is None:
            raise BusyError(f"run {run} is not over: only a closed run is archived")
        if counts.missing:
            raise BusyError(f"{counts.missing} readings of run {run} are missing: they may still come")
        with translated(url):
            if not results.is_archived(run):
                Overview(results.engine, engine).whole(_id(engine, run))
                _write_parts(engine, results, run, report)
            _delete_readings(engine, _id(engine, run))
            return Archived(run, counts.stored, _size(engine, _id(engine, run)))
    finally:
        results.close()
        engine.dispose()


def unarchive(url: str, run: str) -> int:
    """Put the readings of an archived run back into the table; return how many."""
    engine, results = prepared(url), Results.open(url)
    try:
        if not results.is_archived(run):
            results.run(run)
            raise BusyError(f"run {run} is not archived")
        with translated(url):
            run_id = _id(engine, run)
            for page in _pages(results, run):
                rows = [{"run_id": run_id, **dict(zip(COLUMNS, row, strict=True))} for row in page]
                with engine.begin() as connection:
                    connection.execute(text(INSERT_READING), rows)
            with engine.begin() as connection:
                connection.execute(text("DELETE FROM archives WHERE run_id = :run_id"), {"run_id": run_id})
        return results.counts(run).stored
    finally:
        results.close()
        engine.dispose()


def _write_parts(engine: Engine, results: Results, run: str, report: Callable[[int], None]) -> None:
    run_id, written = _id(engine, run), 0
    with engine.begin() as connection:  # what an interrupted archiving left
        connection.execute(text("DELETE FROM archives WHERE run_id = :run_id"), {"run_id": run_id})
    for page in _pages(results, run):
        part = Part.of(page)
        if part.readings() != [tuple(row) for row in page]:  # before anything is deleted
            raise DamagedError(f"readings {part.first} to {part.last} of {run} do not come back as they were")
        with engine.begin() as connection:
            connection.execute(text(INSERT_PART), {"run_id": run_id, **part._asdict()})
        written += len(page)
        report(written)


def _pages(results: Results, run: str) -> Iterator[list[Any]]:
    after = 0
    while page := results.readings(run, after=after, limit=SIZE):
        yield page
        after = page[-1].number


def _delete_readings(engine: Engine, run_id: int) -> None:
    """Delete the table's rows from the end, in transactions that are short."""
    while True:
        with engine.begin() as connection:
            highest = connection.execute(text(HIGHEST), {"run_id": run_id}).scalar()
            if highest is None:
                return
            above = {"run_id": run_id, "above": max(0, highest - _CHUNK)}
            connection.execute(text(DELETE_READINGS), above)


def _id(engine: Engine, run: str) -> int:
    with engine.connect() as connection:
        found = connection.execute(text("SELECT id FROM runs WHERE name = :run"), {"run": run}).scalar()
    return int(found or 0)


def _size(engine: Engine, run_id: int) -> int:
    query = "SELECT COALESCE(sum(length(content)), 0) FROM archives WHERE run_id = :run_id"
    with engine.connect() as connection:
        return int(connection.execute(text(query), {"run_id": run_id}).scalar() or 0)
