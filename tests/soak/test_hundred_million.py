"""A run of 100 million readings: its overview is made, and every view of it answers at once."""

import os
import random
import time
from pathlib import Path

import pytest
from sqlalchemy import Engine

from daemon.reading.traces import Traces
from daemon.recording.database import open_database
from daemon.recording.overview import SIZE, Overview
from daemon.recording.prepared import prepared

READINGS = int(os.environ.get("GALVANOD_LONG_RUN", "100000000"))
SPIKE = READINGS * 2 // 3 + 5
"""The one reading of 4.9 V; all others lie between 2.5 V and 3.5 V, in cycles of 20 000 seconds."""

AT_ONCE = 0.2
"""Seconds in which a view answers, of what this process itself takes: others may share the machine."""

WRITE = """
INSERT INTO readings
    (run_id, number, time, step, cycle, voltage, current, capacity, energy, temperature, flags)
WITH RECURSIVE numbers(n) AS (SELECT ? UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)
SELECT 1, n, n * 1.0, n / 10000 + 1, n / 20000, 3.0 + 0.5 * sin(n / 3183.0988618379), 0.001,
    n * 0.001, n * 0.003, 25.0, 0 FROM numbers
"""


def written(url: str) -> None:
    """Write the run by SQL alone: it is the readings that count, not how they came."""
    engine = prepared(url)
    with engine.connect() as connection:
        write = connection.exec_driver_sql
        write("INSERT INTO runs (id, name, state, started) VALUES (1, 'long', 'running', '2026-01-01')")
        connection.commit()
        for first in range(1, READINGS + 1, 1_000_000):
            write(WRITE, (first, min(first + 999_999, READINGS)))
            connection.commit()
        write("UPDATE readings SET voltage = 4.9 WHERE run_id = 1 AND number = ?", (SPIKE,))
        connection.commit()
    engine.dispose()


@pytest.mark.timeout(4 * 3600)
def test_any_view_of_a_hundred_million_readings_answers_at_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'results.db'}"
    written(url)
    reader, writer = open_database(url, write=False), open_database(url, write=True)
    before = size(reader)
    began = time.process_time()
    Overview(reader, writer).whole(1)
    took = time.process_time() - began
    writer.dispose()
    each = (size(reader) - before) / READINGS
    print(f"\n{READINGS} readings of {before / READINGS:.1f} bytes; overview {each:.2f} bytes and", end=" ")
    print(f"{took / READINGS * 1e6:.2f} microseconds of processor each")
    assert each < 4
    times = sorted(view(reader, *moments) for moments in views())
    median, longest = times[len(times) // 2] * 1000, times[-1] * 1000
    print(f"{len(times)} views: median {median:.0f} ms, longest {longest:.0f} ms")
    assert times[-1] < AT_ONCE
    reader.dispose()


def size(engine: Engine) -> int:
    """Return the bytes of the database, of what is in its log too."""
    query = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
    with engine.connect() as connection:
        return int(connection.exec_driver_sql(query).scalar() or 0)


def views() -> list[tuple[float, float]]:
    """Return the whole run, and parts of every length anywhere."""
    chosen = random.Random(1)
    found = [(0.0, float(READINGS))]
    length = READINGS / 2
    while length > 100:
        for _ in range(4):
            start = chosen.uniform(0, READINGS - length)
            found.append((start, start + length))
        length /= 3
    return found


def view(engine: Engine, start: float, end: float) -> float:
    """Look at a part, see that its extremes are there, and return how long it took."""
    began = time.process_time()
    found = Traces(engine).of_time("long", start, end, 2_000)
    took = time.process_time() - began
    assert found.basis in ("extremes", "every reading")
    assert len(found.time) <= 2_000
    shown = [value for value in found.voltage if value is not None]
    assert (max(shown) == 4.9) == (found.first <= SPIKE <= found.last)
    if found.readings > 20_000 + 2 * SIZE:  # a whole cycle
        assert 2.5 <= min(shown) < 2.5001
    return took
