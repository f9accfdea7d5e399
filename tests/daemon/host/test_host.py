"""The computer under the core: it sleeps, its disk fills up, its clock is wrong."""

import asyncio
import os
import stat
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from daemon.delivery.messages import Noted
from daemon.errors import UnavailableError
from daemon.host.disk import Room, Space
from daemon.host.machine import Host
from daemon.host.sleep import SleepClock, SleepLock
from daemon.running.run import RunState
from tests.daemon.guards.test_guarded_runs import Rig
from tests.daemon.stepped_bench import LinearCell

GB = 10**9
MB = 10**6


@pytest.mark.parametrize(
    ("total", "free", "room"),
    [
        # a small disk: 10, 5 and 2 % of 10 GB
        (10 * GB, 1001 * MB, Room.ENOUGH),
        (10 * GB, 999 * MB, Room.LITTLE),
        (10 * GB, 499 * MB, Room.NO_NEW_RUNS),
        (10 * GB, 199 * MB, Room.REST),
        # a large one: 4 GiB, 1 GiB and 256 MiB, whatever share of it that is
        (4000 * GB, 5 * GB, Room.ENOUGH),
        (4000 * GB, 4 * GB, Room.LITTLE),
        (4000 * GB, 1 * GB, Room.NO_NEW_RUNS),
        (4000 * GB, 268 * MB, Room.REST),
    ],
)
def test_how_much_room_is_left(total: int, free: int, room: Room) -> None:
    assert Space(total, free).room is room


class Rigged:
    """A run on a cell, and the computer under it as a test wants it."""

    def __init__(self, folder: Path) -> None:
        self.free = 5 * GB
        self.now = datetime(2026, 3, 1, tzinfo=UTC)
        self.up = 1000.0
        self.rig = Rig(LinearCell)
        self.host = Host(
            folder,
            [self.rig.run],
            awake=False,
            measured=lambda folder: Space(10 * GB, self.free),
            clock=lambda: self.now,
            sleep_clock=SleepClock(lambda: self.up, lambda: 0.0),
        )

    async def conducted(self, look_at: int, then: Callable[[], Awaitable[None]]) -> None:
        """Conduct the run; at that reading look at the computer, and do something then."""
        reached = asyncio.Event()
        self.rig.cell.before_reading = lambda number: reached.set() if number == look_at else None
        running = asyncio.create_task(self.rig.run.conduct())
        await reached.wait()
        await self.host.look()
        await then()
        await running

    def notes(self) -> list[tuple[str, str]]:
        return [(note.kind, note.text) for note in self.rig.notes]


async def test_a_full_disk_pauses_what_runs_and_refuses_what_comes(tmp_path: Path) -> None:
    rigged = Rigged(tmp_path)
    rigged.host.require()
    rigged.free = 150 * MB

    async def a_person_makes_room() -> None:
        while rigged.rig.cell.setpoint is not None:  # until the circuit is open
            await asyncio.sleep(0)
        assert rigged.rig.run.state is RunState.PAUSED
        with pytest.raises(UnavailableError, match="150 MB of 10 GB are left"):
            rigged.host.require()
        rigged.free = 6 * GB
        await rigged.host.look()
        rigged.host.require()
        rigged.rig.run.resume()

    await rigged.conducted(20, a_person_makes_room)
    assert rigged.rig.run.state is RunState.FINISHED
    assert rigged.notes()[0] == ("disk full", "paused, its circuit open: 150 MB of 10 GB are left")


async def test_a_sleep_is_noted_in_the_run_it_was_under(tmp_path: Path) -> None:
    rigged = Rigged(tmp_path)
    rigged.up += 3600.0

    async def nothing() -> None:
        await rigged.host.look()

    await rigged.conducted(20, nothing)
    [noted] = [item for item in rigged.rig.items if isinstance(item, Noted) and item.kind == "suspended"]
    assert (noted.text, noted.detail) == (
        "this computer slept for 3600 s",
        {"seconds": 3600.0},
    )


async def test_no_run_begins_by_a_clock_of_1970_unless_somebody_says_so(tmp_path: Path) -> None:
    rigged = Rigged(tmp_path)
    rigged.now = datetime(1970, 1, 1, 0, 5, tzinfo=UTC)
    with pytest.raises(UnavailableError, match="says 1970-01-01 00:05 UTC; is its battery empty"):
        rigged.host.require()
    lenient = Host(tmp_path, [], any_clock=True, clock=lambda: rigged.now)
    lenient.require()
    assert lenient.label() == "unsynced"


@pytest.fixture
def inhibitor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What stands for logind: a `systemd-inhibit` that says how it was called, and runs the command."""
    said = tmp_path / "said"
    script = tmp_path / "systemd-inhibit"
    script.write_text(
        f'#!/bin/sh\nprintf \'%s|\' "$@" >> {said}\nwhile [ "${{1#--}}" != "$1" ]; do shift; done\n'
        f'"$@"\necho released >> {said}\n'
    )
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return said


async def test_the_computer_is_kept_awake_exactly_as_long_as_wanted(inhibitor: Path) -> None:
    lock = SleepLock()
    await lock.hold(False)
    assert not inhibitor.exists()
    await lock.hold(True)
    await lock.hold(True)
    assert lock.held
    await lock.hold(False)
    assert not lock.held
    said = inhibitor.read_text()
    assert said == "--what=sleep|--mode=block|--who=galvanod|--why=cells are being cycled|cat|released\n"


async def test_without_logind_that_is_said_once_and_runs_go_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    lock = SleepLock()
    for _ in range(3):
        await lock.hold(True)
    assert not lock.held
    assert [record.getMessage() for record in caplog.records] == [
        "this computer may be suspended under running cells: there is no systemd-inhibit on this machine"
    ]
