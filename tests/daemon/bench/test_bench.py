"""The bench measures real processes and says what it found as the JSON that was agreed."""

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

from daemon.bench.besieged import lateness
from daemon.bench.history import before
from daemon.bench.row import Row, quantile
from daemon.bench.suite import MEASUREMENTS, chosen
from daemon.errors import UnknownError

pytestmark = pytest.mark.system


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "daemon", "bench", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=400, check=False)


@pytest.mark.timeout(600)
def test_its_json_has_the_machine_and_a_row_per_figure(tmp_path: Path) -> None:
    history = tmp_path / "history.jsonl"
    parts = ("--only", "recorder", "--only", "loop")
    done = bench("--json", "--seconds", "1", "--broker", "embedded", "--history", str(history), *parts)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert set(result) == {"machine", "rows"}
    assert result["machine"]["processors"] >= 1
    assert result["machine"]["fsync_seconds"] > 0
    names = [row["name"] for row in result["rows"]]
    assert len(names) == len(set(names)) == 3
    for row in result["rows"]:
        assert set(row) == {"name", "value", "unit", "target", "limit", "meets"}
        assert row["value"] > 0
        assert row["meets"] is None if row["target"] is None else isinstance(row["meets"], bool)
    assert before(history) == {row["name"]: row["value"] for row in result["rows"]}


def test_a_measurement_there_is_not_is_named_with_those_there_are() -> None:
    done = bench("--only", "speed")
    assert done.returncode != 0
    assert "the bench has no 'speed'; it has loop, mqtt" in done.stderr
    with pytest.raises(UnknownError):
        chosen(["speed"])
    assert list(chosen([])) == list(MEASUREMENTS)


def test_a_promise_is_kept_missed_or_not_made() -> None:
    assert Row("a", 0.5, "s", 0.5).meets is True
    assert Row("a", 0.6, "s", 0.5).meets is False
    assert Row("a", 0.9, "of bare", 0.85, at_least=True).meets is True
    assert Row("a", 0.8, "of bare", 0.85, at_least=True).meets is False
    assert Row("a", 0.8, "bytes", None).meets is None
    assert Row("a", math.nan, "s", 0.5).meets is False
    assert Row("a", math.nan, "s", 0.5).plain()["value"] is None


def test_a_quantile_is_a_value_that_was_seen() -> None:
    assert quantile([3.0, 1.0, 2.0, 4.0], 0.5) == 2.0
    assert quantile([float(n) for n in range(1, 101)], 0.99) == 99.0
    assert math.isnan(quantile([], 0.5))


def test_a_history_cut_short_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    path.write_text('{"rows": [{"name": "a", "value": 1.5}]}\n{"rows": [{"name": "a", "va')
    assert before(path) == {"a": 1.5}
    assert before(tmp_path / "none") == {}


def test_a_tick_is_late_beside_the_schedule_on_which_the_most_punctual_are() -> None:
    punctual = [10.0 + 0.1 * tick for tick in range(40)]
    ticks = sorted([*punctual[:20], 12.03, *punctual[21:]] + [moment + 0.002 for moment in punctual[:5]])
    found = lateness(ticks, 0.1)
    assert len(found) == 40  # the second question of a tick is no tick
    assert max(found) == pytest.approx(0.03)
    assert quantile(found, 0.9) == pytest.approx(0.0, abs=1e-9)
    assert lateness([], 0.1) == []
