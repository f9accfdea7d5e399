"""The maker of overviews: what there is to do is done, in pieces, and not twice."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from daemon.recording import overview, overview_maker
from daemon.recording.overview_maker import OverviewMaker
from daemon.recording.prepared import prepared

WRITE = """
INSERT INTO readings (run_id, number, time, step, cycle, voltage, flags)
WITH RECURSIVE numbers(n) AS (SELECT :first UNION ALL SELECT n + 1 FROM numbers WHERE n < :last)
SELECT :run_id, n, n, 1, 0, n * 0.001, 0 FROM numbers
"""


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'results.db'}"


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    """A run that is over, with 1 000 of its 1 024 readings, and one that goes on, with 600."""
    engine = prepared(url)
    with engine.begin() as connection:
        for number, ended, last in ((1, "2026-01-02", 1_000), (2, None, 600)):
            connection.execute(
                text(
                    "INSERT INTO runs (id, name, state, ended, readings)"
                    " VALUES (:id, :name, 'x', :ended, :readings)"
                ),
                {"id": number, "name": f"lab-{number}", "ended": ended, "readings": ended and 1_024},
            )
            connection.execute(text(WRITE), {"run_id": number, "first": 1, "last": last})
    yield engine
    engine.dispose()


def blocks(engine: Engine, run_id: int, level: int = 0) -> list[tuple[int, float]]:
    """Return the blocks of a run and the highest voltage of each."""
    query = "SELECT block, highest_voltage FROM overview WHERE run_id = :run_id AND level = :level ORDER BY 1"
    with engine.connect() as connection:
        rows = connection.execute(text(query), {"run_id": run_id, "level": level})
        return [(row.block, round(row.highest_voltage, 6)) for row in rows]


def test_a_run_is_made_to_its_last_whole_block_and_one_that_goes_on_when_it_is_worth_it(
    url: str, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overview, "CHUNK", 3 * overview.SIZE)  # 384 readings at a look
    monkeypatch.setattr(overview_maker, "LEAST", 5 * overview.SIZE)  # 640
    maker = OverviewMaker(url)
    for _ in range(4):
        maker.look()
    assert blocks(engine, 1) == [(n, 0.128 * (n + 1)) for n in range(7)]  # 896 of 1 000
    assert blocks(engine, 1, level=1) == [(0, 0.512)]  # the second block lacks one of its four
    assert blocks(engine, 2) == []
    with engine.begin() as connection:
        connection.execute(text(WRITE), {"run_id": 2, "first": 601, "last": 700})
        connection.execute(text(WRITE), {"run_id": 1, "first": 1_001, "last": 1_024})
    monkeypatch.setattr(overview, "CHUNK", 100 * overview.SIZE)
    assert maker.look() is False
    assert [block for block, _ in blocks(engine, 2)] == [0, 1, 2, 3, 4]
    assert blocks(engine, 1, level=1) == [(0, 0.512), (1, 1.024)]


def test_an_overview_that_was_thrown_away_is_made_again_as_it_was(url: str, engine: Engine) -> None:
    OverviewMaker(url).look()
    before = [blocks(engine, 1, level) for level in range(3)]
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM overview"))
        connection.execute(text("DELETE FROM overviews"))
    OverviewMaker(url).look()
    assert [blocks(engine, 1, level) for level in range(3)] == before
    assert len(before[0]) == 7
