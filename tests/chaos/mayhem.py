"""Processes of a laboratory are killed at random instants; then everything on record is held to account."""

import asyncio
import math
import sqlite3
import time
from bisect import bisect
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from daemon.client import AnswerError
from daemon.reading.results import Results
from daemon.requests import Channels, Resume, Runs, Stop
from daemon.running.order import ResumePolicy
from tests.system.laboratory import Laboratory, Place
from tests.system.ledger import Row, Rows, assert_gapless, assert_kept, committed, missing, recorded, unkept
from tests.system.watched import Said

BENCH = (
    Place("smu1", "keithley2450", "li_cu/pp", speed=1.0, seed=61),
    Place("pstat1", "emstat4", "li_cu/ti087o2", speed=1.0, seed=62),
)
LOW, HIGH = -1.0, 1.5  # V, the protocol's window
CLAMP = 0.01  # V; a clamp set at the window's edge holds it no better

# A nanovolt is less than the noise: a reading that differs from the one before is on record.
PROTOCOL = f"""
protocol: mayhem
variables:
  interval: {{default: 20 ms, unit: s}}
limits: {{voltage: {LOW} V .. {HIGH} V, current: 5 mA}}
record: every $interval or 1 nV
steps:
  - rest: 0.2 s
  - repeat: 1000
    steps:
      - plate: 1 mA/cm2
        until: time >= 0.7 s
      - rest: 0.3 s
"""
POLICIES = (ResumePolicy.AUTO, ResumePolicy.AUTO, ResumePolicy.CONFIRM, ResumePolicy.NEVER)

LOOKS = 3
"""Answers per start of a run that are no readings of it: looks at the cell before anything is done."""


@dataclass(slots=True)
class Mayhem:
    """One laboratory and what was done to it. The same seed kills after the same waits."""

    lab: Laboratory
    folder: Path
    random: Random
    kills: dict[str, int] = field(default_factory=dict)
    core_killed_at: list[float] = field(default_factory=list)
    seen: Rows = field(default_factory=dict)
    """What was committed right after the latest kill of the core."""
    starts: int = 0

    async def occupy(self) -> None:
        """See to it that every channel runs: what was interrupted goes on, or ends, or was over."""
        async with asyncio.timeout(60):
            while any([not await self._occupied(facts) for facts in await self.lab.ask(Channels())]):
                await asyncio.sleep(0.02)

    async def _occupied(self, channel: Mapping[str, Any]) -> bool:
        if channel["run"] is None:
            await self._submit(channel["channel"])
        elif channel["state"] == "interrupted":
            asked = Resume(channel["run"]) if self.random.random() < 0.7 else Stop(channel["run"])
            with suppress(AnswerError):  # it is still being looked after, or has gone on meanwhile
                await self.lab.ask(asked)
        return bool(channel["state"] == "running")

    async def _submit(self, channel: str) -> None:
        file = self.folder / "mayhem.yaml"
        file.write_text(PROTOCOL)
        policy = self.random.choice(POLICIES)
        await self.lab.submit(channel, str(file), "li_cu_pp", None, policy)
        self.starts += 1

    async def strike(self, victim: str) -> None:
        """Kill the victim at a random instant and bring it back; three in ten die once more in starting."""
        await self.occupy()
        await asyncio.sleep(self.random.uniform(0.02, 1.0))
        await self._kill(victim)
        if self.random.random() < 0.3:
            await self._kill_in_starting(victim)
        await self.lab.start(victim)

    async def settle(self) -> None:
        """End every run in order and wait until everything is recorded."""
        for run in await self.lab.ask(Runs()):
            if run["state"] in ("running", "interrupted"):
                await self.lab.ask(Stop(run["run"]))
        await self.lab.delivered()

    async def _kill(self, victim: str) -> None:
        await self.lab.kill(victim)
        self.kills[victim] = self.kills.get(victim, 0) + 1
        if victim == "core":
            self.core_killed_at.append(time.monotonic())
            await asyncio.to_thread(self._hold_to_account)

    def _hold_to_account(self) -> None:
        """What was committed at the kill before must still be there, unchanged."""
        now = committed(self.lab.database, self.lab.places.spool)
        assert_kept(self.seen, now)
        self.seen = now

    async def _kill_in_starting(self, victim: str) -> None:
        child = self.lab.children[victim]
        dead = child.pid
        starting = asyncio.create_task(child.start())
        while child.pid == dead:  # before that there is nobody to kill
            await asyncio.sleep(0.001)
        await asyncio.sleep(self.random.uniform(0.0, 0.7))
        await self._kill(victim)
        await asyncio.wait({starting})
        starting.exception()  # it did not become ready, or it did


def assert_in_order(mayhem: Mayhem, in_flight: float = math.inf) -> None:
    """Nothing is lost, doubled, unexplained or harmed; an answer is committed after `in_flight` seconds."""
    assert_nothing_lost(mayhem)
    assert_delivered_is_kept(mayhem, in_flight)
    assert_stop_records(mayhem)
    assert_no_act_without_intent(mayhem)
    assert_cells_unharmed(mayhem)


def assert_nothing_lost(mayhem: Mayhem) -> None:
    """What was committed at the last kill, as at every kill before, is recorded, once, without gaps."""
    rows = recorded(mayhem.lab.database)
    assert_kept(mayhem.seen, rows)
    assert_gapless(rows)


def assert_stop_records(mayhem: Mayhem) -> None:
    """Every run has its stop record, and it counts what is stored."""
    results = Results.open(mayhem.lab.database)
    for run in results.runs():
        assert run.ended is not None, f"{run.name} has no stop record"
        counts = results.counts(run.name)
        assert counts.missing == 0, f"{run.name} says {counts.expected} readings, {counts.stored} are stored"
    results.close()


def assert_delivered_is_kept(mayhem: Mayhem, within: float) -> None:
    """Each answer of the stepped instrument is on record, but for looks and what was in flight at a kill.

    Looks are taken before a run begins or goes on: between two readings of one run, and no kill between
    them, no answer is left out. What was in flight had come `within` so many seconds of the kill.
    """
    owned, said = in_order(recorded(mayhem.lab.database), mayhem), mayhem.lab.cells["smu1"].said
    rows = [row for _, row in owned]
    without = {answer.at for answer in unkept(rows, said)}
    kept = [answer.at for answer in said if answer.at not in without]
    lost: list[Said] = []
    early: list[Said] = []
    for answer in missing(rows, said):
        after = bisect(kept, answer.at)
        before, end = kept[after - 1] if after else 0.0, kept[after] if after < len(kept) else math.inf
        kills = [at for at in mayhem.core_killed_at if before < at < end]
        if 0 < after < len(kept) and not kills and owned[after - 1][0] == owned[after][0]:
            lost.append(answer)
        if any(answer.at < kill - within for kill in kills):
            early.append(answer)
    assert not lost, f"{len(lost)} answers are not on record, the first {lost[0]}"
    assert len(early) <= LOOKS * (mayhem.starts + len(mayhem.core_killed_at)), early


def assert_no_act_without_intent(mayhem: Mayhem) -> None:
    """Whatever drove the cell was written down before: the action under way was one that may."""
    connection = sqlite3.connect(mayhem.lab.places.state / "journal.db")
    try:
        query = "SELECT intended, kind FROM action WHERE channel = ? AND intended IS NOT NULL ORDER BY number"
        intents = connection.execute(query, ("smu1",)).fetchall()
    finally:
        connection.close()
    for act in mayhem.lab.cells["smu1"].acts:
        before = [kind for intended, kind in intents if intended <= act]
        assert before, "the cell was driven before any intent"
        assert before[-1] == "apply", f"the last intent before the cell was driven was to {before[-1]}"


def in_order(rows: Rows, mayhem: Mayhem) -> Sequence[tuple[str, Row]]:
    """Return the stepped channel's readings, each with its run, as they were taken: no two runs overlap."""
    results = Results.open(mayhem.lab.database)
    runs = [run.name for run in reversed(results.runs()) if run.channel == "smu1"]
    results.close()
    return [(run, rows[run][number]) for run in runs if run in rows for number in sorted(rows[run])]


def assert_cells_unharmed(mayhem: Mayhem) -> None:
    """No cell has left its window, whoever was dead when."""
    for channel, cell in mayhem.lab.cells.items():
        low, high = cell.extremes
        assert LOW - CLAMP <= low <= high <= HIGH + CLAMP, f"the cell in {channel}: {low:.3f} to {high:.3f} V"
