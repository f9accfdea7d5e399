"""Where an imported file says nothing for long it is told, and where its rows are few it is not."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from daemon.delivery.messages import ReadingRow
from daemon.imports.importing import import_file
from daemon.imports.silences import Silence, silences
from daemon.imports.steps import Step
from daemon.reading.results import Results
from daemon.recording.store import Store

HOLE = [*range(0, 201, 10), *range(3800, 4001, 10)]
"""A reading every 10 s, and none from 200 s to 3800 s."""


def step(times: Sequence[float]) -> Step:
    rows = [ReadingRow(float(time), 3.0, 1e-3, 0.0, 0.0, None, 0) for time in times]
    return Step("1", "", "charge", 1, rows[0].time, rows[-1].time, 1e-3, rows, [], 0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("steps", "found"),
    [
        ([HOLE], [Silence(200.0, 3600.0, 10.0)]),
        ([range(0, 101, 10), range(7300, 7401, 10)], [Silence(100.0, 7200.0, 10.0)]),
        ([range(0, 2001, 10), range(2290, 4001, 10)], []),  # five minutes less ten seconds
        ([range(0, 101, 10), [100, 86500], range(86500, 86601, 10)], []),  # a rest of which the ends are kept
        ([[2**power for power in range(18)]], []),  # a rest kept ever more seldom
        ([range(0, 40_001, 4_000)], []),  # seldom, but as always
        ([[0, 10, 20, 90_000]], []),  # too few to tell
    ],
)
def test_what_is_far_longer_than_anything_near_it_is_a_silence(
    steps: Sequence[Sequence[float]], found: list[Silence]
) -> None:
    assert silences([step(times) for times in steps]) == found


def test_it_is_a_gap_of_the_run(store: Store, results: Results, tmp_path: Path) -> None:
    path = tmp_path / "cell.bdf.csv"
    rows = "".join(f"{time},3.0,0.001\n" for time in HOLE)
    path.write_text(f"Test Time / s,Voltage / V,Current / A\n{rows}")
    run = import_file(store, path).run
    (gap,) = [event for event in results.events(run) if event.kind == "gap"]
    assert (gap.time, gap.detail) == (3800.0, {"from": 200.0, "seconds": 3600.0})
    assert gap.text == (
        "nothing is recorded for 60 min; before and after it something is at least every 10 s; "
        "the charge of the step is counted as if its current had gone on meanwhile"
    )
    (counted,) = results.steps(run)
    assert counted.capacity == pytest.approx(4.0)  # 1 mA for 4000 s
