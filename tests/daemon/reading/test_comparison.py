"""Runs beside each other: replicates have a mean and a spread, and variants a verdict."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon.errors import UnknownError
from daemon.reading.comparison import comparison
from daemon.reading.results import Results
from daemon.recording.prepared import prepared

VALUES = {"a": ("PP", 1.0), "b": ("PP", 3.0), "c": ("GO", 11.0), "d": ("GO", 13.0), "e": (None, 5.0)}


@pytest.fixture
def results(tmp_path: Path) -> Iterator[Results]:
    """Five runs with one figure each, of which one has a second one, later."""
    engine = prepared(f"sqlite:///{tmp_path / 'results.db'}")
    insert = (
        "INSERT INTO figures (run_id, position, name, value, unit, method, detail, warnings)"
        " VALUES (?, ?, 'capacity', ?, 'C', 'by hand', '{}', '[]')"
    )
    with engine.begin() as connection:
        for number, (run, (variant, value)) in enumerate(VALUES.items(), 1):
            labels = json.dumps({"variant": variant} if variant else {})
            connection.exec_driver_sql(
                "INSERT INTO runs (id, name, state, labels) VALUES (?, ?, 'finished', ?)",
                (number, run, labels),
            )
            if run == "a":
                connection.exec_driver_sql(insert, (number, 1, 77.0))
            connection.exec_driver_sql(insert, (number, 2, value))
    yield Results(engine)
    engine.dispose()


def test_groups_have_mean_and_spread_and_differ_where_welch_says_so(results: Results) -> None:
    found = comparison(results, ["a", "b", "c", "d", "e", "a"])
    assert [(run.run, run.group) for run in found.runs] == [
        *(("a", "PP"), ("b", "PP"), ("c", "GO"), ("d", "GO"), ("e", "e"))
    ]
    [figure] = found.figures
    assert [value.value for value in figure.runs] == [1.0, 3.0, 11.0, 13.0, 5.0]  # the last one counts
    groups = {each.group: (each.count, each.mean) for each in figure.groups}
    assert groups == {"PP": (2, 2.0), "GO": (2, 12.0), "e": (1, 5.0)}
    assert figure.groups[0].deviation == pytest.approx(2.0**0.5)
    [verdict] = figure.verdicts  # t = 10 / sqrt(1 + 1) = 7.07 with two degrees of freedom
    assert (verdict.first, verdict.second, verdict.difference) == ("PP", "GO", 10.0)
    assert verdict.verdict == "they differ"
    assert verdict.p == pytest.approx(0.0194, abs=1e-4)


def test_a_run_that_is_not_there_is_named(results: Results) -> None:
    with pytest.raises(UnknownError, match="no run 'z'"):
        comparison(results, ["a", "z"])
