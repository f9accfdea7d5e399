"""The wall clock is turned, or the machine sleeps or starts anew: what that does to what is counted."""

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from daemon.host.uptime import Uptime, boot, seconds_since, uptime
from daemon.host.wall_clock import doubt
from daemon.recording.backup import dated_backups
from daemon.running import position
from daemon.running.run import RunState
from tests.daemon.guards.test_guarded_runs import CHARGE, Rig
from tests.daemon.stepped_bench import LinearCell

YEARS = 10 * 365.25 * 86400.0


@pytest.mark.parametrize("turned", [-3600.0, 3600.0, -YEARS, YEARS])
async def test_turning_the_wall_clock_in_mid_step_changes_no_reading_and_no_end(
    turned: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    undisturbed = await Rig(LinearCell).conduct()
    disturbed = Rig(LinearCell)
    right = time.time

    def turn(number: int) -> None:
        if number == 20:
            monkeypatch.setattr(time, "time", lambda: right() + turned)

    disturbed.cell.before_reading = turn
    await disturbed.conduct()
    assert time.time() == pytest.approx(right() + turned, abs=5.0)
    assert disturbed.run.state is RunState.FINISHED
    assert disturbed.rows == undisturbed.rows
    assert disturbed.engine.time == undisturbed.engine.time


def test_a_gap_is_not_the_wall_clocks_to_tell(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now, wall = uptime(), time.time()
    monkeypatch.setattr(time, "time", lambda: wall + 3600.0)
    assert seconds_since(now._replace(seconds=now.seconds - 40.0), wall - 40.0) == pytest.approx(
        40.0, abs=5.0
    )
    assert seconds_since(Uptime("another start", 5.0), wall - 40.0) == pytest.approx(3640.0, abs=5.0)
    assert seconds_since(None, wall + 1e6) == 0.0


def test_the_position_of_a_run_keeps_both_clocks_and_an_earlier_one_can_be_read() -> None:
    here = position.before_anything("smu1", 1.7e9)
    assert position.decoded(here.encoded()).uptime is None
    moment = Uptime(boot(), 12.5)
    both = position.Position("smu1", 0.0, 1.7e9, 0, 0, 0, 0, None, None, uptime=moment)
    assert position.decoded(both.encoded()).uptime == moment


@pytest.mark.parametrize("zone", ["America/St_Johns", "Europe/Berlin", "Pacific/Apia"])
async def test_whatever_the_time_zone_moments_are_kept_in_utc(
    zone: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        rig = await Rig(LinearCell, CHARGE).conduct()
        [ended] = [item for item in rig.items if type(item).__name__ == "RunEnded"]
        kept = datetime.fromisoformat(ended.ended)  # type: ignore[union-attr]
        assert kept.utcoffset() == datetime.now(UTC).utcoffset()
        # both sides of an hour that Europe/Berlin has twice
        for name in ("results-20261025T003000Z.db", "results-20261025T013000Z.db"):
            (tmp_path / name).touch()
        assert [when.timestamp() for when in dated_backups(tmp_path).values()] == [1792891800.0, 1792888200.0]
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(
    ("moment", "doubted"),
    [
        (datetime(1970, 1, 1, 0, 3, tzinfo=UTC), True),
        (datetime(2024, 12, 31, 23, 59, tzinfo=UTC), True),
        (datetime(2026, 6, 30, 23, 59, 59, tzinfo=UTC), False),  # where a leap second might be
        (datetime(2038, 1, 19, 3, 14, 8, tzinfo=UTC), False),
        (datetime(2106, 2, 7, tzinfo=UTC), True),
    ],
)
def test_a_clock_without_a_battery_is_doubted_and_2038_is_not(moment: datetime, doubted: bool) -> None:
    assert (doubt(moment) is not None) is doubted
