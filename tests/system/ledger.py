"""What was read, what was committed, what was recorded; and whether they agree."""

import shutil
import sqlite3
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import msgspec

from daemon.delivery.messages import Batch, Readings
from tests.system.watched import Said


class Row(NamedTuple):
    """One reading as it is kept: its step, and what the instrument said."""

    step: int
    time: float
    voltage: float
    current: float


Rows = Mapping[str, Mapping[int, Row]]
"""Readings by run and number."""


def recorded(database: str) -> Rows:
    """Return every reading of the results database."""
    rows: defaultdict[str, dict[int, Row]] = defaultdict(dict)
    connection = sqlite3.connect(f"file:{database.removeprefix('sqlite:///')}?mode=ro", uri=True, timeout=10)
    try:
        query = (
            "SELECT name, number, step, time, voltage, current FROM readings JOIN runs ON runs.id = run_id"
        )
        for run, number, *values in connection.execute(query):
            rows[run][number] = Row(*values)
    finally:
        connection.close()
    return rows


def spooled(spool: Path) -> Rows:
    """Return every reading the spool still has to deliver, from the disk, without disturbing it."""
    rows: defaultdict[str, dict[int, Row]] = defaultdict(dict)
    with tempfile.TemporaryDirectory() as folder:
        for suffix in ("", "-wal"):
            if (file := spool.with_name(spool.name + suffix)).exists():
                shutil.copy(file, Path(folder) / file.name)
        connection = sqlite3.connect(Path(folder) / spool.name)
        try:
            payloads = [
                payload
                for (payload,) in connection.execute(
                    "SELECT payload FROM batches JOIN pending USING (sequence)"
                )
            ]
        finally:
            connection.close()
    for payload in payloads:
        for item in msgspec.msgpack.decode(payload, type=Batch).items:
            if isinstance(item, Readings):
                for number, row in enumerate(item.rows, item.first):
                    rows[item.run][number] = Row(item.step, row.time, row.voltage, row.current)
    return rows


def committed(database: str, spool: Path) -> Rows:
    """Return what is on a disk anywhere. The spool is read first: what leaves it is recorded by then."""
    waiting, kept = spooled(spool), recorded(database)
    return {run: {**waiting.get(run, {}), **kept.get(run, {})} for run in {*waiting, *kept}}


def assert_kept(before: Rows, after: Rows) -> None:
    """Nothing that was committed is missing or has changed."""
    for run, rows in before.items():
        found = after.get(run, {})
        missing = sorted(rows.keys() - found.keys())
        assert not missing, f"{len(missing)} readings of {run} are missing, the first is {missing[0]}"
        changed = [number for number, row in rows.items() if found[number] != row]
        assert not changed, f"readings {changed[:5]} of {run} are not what they were"


def assert_gapless(rows: Rows) -> None:
    """Each run's readings are numbered from 1 on, each later than the one before."""
    for run, numbered in rows.items():
        assert sorted(numbered) == list(range(1, len(numbered) + 1)), f"the numbers of {run} have gaps"
        times = [numbered[number].time for number in sorted(numbered)]
        doubled = [n for n, (a, b) in enumerate(pairwise(times), 1) if not a < b]
        assert not doubled, f"readings {doubled[:5]} of {run} are not before the next one"


def unkept(rows: Iterable[Row], said: Sequence[Said]) -> list[Said]:
    """Return the answers that are no reading on record.

    Each reading must be one answer of the instrument, none used twice, their order the same.
    """
    answers = iter(said)
    left_out: list[Said] = []
    for number, row in enumerate(rows, 1):
        for answer in answers:
            if {row.voltage, row.current} == {answer.sourced, answer.measured}:
                break
            left_out.append(answer)
        else:
            raise AssertionError(f"reading {number}, {row}, is no (further) answer of the instrument")
    return [*left_out, *answers]


def missing(rows: Iterable[Row], said: Sequence[Said]) -> list[Said]:
    """Return the answers that are no reading on record, but for those that only repeat the one before.

    For protocols that keep every reading that differs.
    """
    repeated = {after for before, after in pairwise(said) if after.measured == before.measured}
    return [answer for answer in unkept(rows, said) if answer not in repeated]
