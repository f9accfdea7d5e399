"""Everything that can go wrong with a simulated instrument, one thing per run, for days of its time."""

import asyncio
import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from daemon.client import AnswerError
from daemon.reading.results import Results
from daemon.requests import Clear, Runs
from simulators.faults import FaultKind
from tests.system.laboratory import Laboratory, Place
from tests.system.watched import Extremes

LOW, HIGH = 2.5, 4.3  # V, the protocol's window
MARGIN = 0.05  # V; what a clamp or a cut-off of the instrument may overshoot
SAMPLE = 10.0
BENCH = (
    Place("smu1", "keithley2450", "li_ion/generic", speed=float("inf"), seed=81, sample="10 s"),
    Place("pstat1", "emstat4", "li_ion/generic", speed=float("inf"), seed=82, sample="10 s"),
)

# It begins by bringing the cell back to where it was, and takes about two hours.
PROTOCOL = f"""
protocol: adversity
limits: {{voltage: {LOW} V .. {HIGH} V, current: 5 mA}}
record: every 10 s or 1 nV
steps:
  - discharge: 0.3 mA
    until: voltage <= 3.74 V or time >= 15 min
  - charge: 0.3 mA
    until: voltage >= 3.76 V or time >= 15 min
  - repeat: 2
    steps:
      - charge: 0.3 mA
        until: time >= 20 min
      - rest: 5 min
      - discharge: 0.3 mA
        until: time >= 20 min
      - rest: 5 min
"""
EARLIEST, LATEST = 60.0, 5000.0  # seconds of the run between which something goes wrong
LONGEST_STEP = 1200.0


@dataclass(frozen=True, slots=True)
class Adversity:
    """One thing that goes wrong. `opens` names the drivers under which it must end the run.

    The others may live through it; what became of it is told either way.
    """

    kind: FaultKind
    more: str = ""
    opens: tuple[str, ...] = ()

    def after(self, seconds: float) -> str:
        """Return it in the simulator's words, that many seconds from now."""
        by, _, rest = self.more.partition(";")
        return " ".join(f"{self.kind} {by} after {seconds:.0f} s {rest}".split())

    def __str__(self) -> str:
        return f"{self.kind} {self.more.replace(';', ' ')}".strip()


BOTH = ("keithley2450", "emstat4")
SMU = ("keithley2450",)
ADVERSITIES = (
    Adversity(FaultKind.MUTE, opens=SMU),
    Adversity(FaultKind.MUTE, ";1 times"),
    Adversity(FaultKind.DEAF, opens=SMU),
    Adversity(FaultKind.SLOW, "by 0.2 s;3 times"),
    Adversity(FaultKind.GARBLED, opens=SMU),
    Adversity(FaultKind.GARBLED, ";1 times"),
    Adversity(FaultKind.SHORT, ";1 times"),
    Adversity(FaultKind.LATE, "by 0.1 s;2 times"),
    Adversity(FaultKind.BEHIND, ";2 times"),
    Adversity(FaultKind.RESET),
    Adversity(FaultKind.GONE, opens=SMU),
    Adversity(FaultKind.POWER, opens=SMU),
    Adversity(FaultKind.DEFAULTS, opens=SMU),
    Adversity(FaultKind.OPEN, opens=BOTH),
    Adversity(FaultKind.REVERSED, opens=BOTH),
    Adversity(FaultKind.CONTACT, "by 50 Ohm"),
    Adversity(FaultKind.SHUNT, "by 50 Ohm"),
    Adversity(FaultKind.DRIFTING, "by 1 K/min"),
    Adversity(FaultKind.IGNORED, opens=SMU),
    Adversity(FaultKind.STUCK, opens=BOTH),
    Adversity(FaultKind.FROZEN, opens=SMU),
    Adversity(FaultKind.OFFSET, "by 500 mV"),  # between readings of 5 s a cell may relax by as much
    Adversity(FaultKind.OFFSET, "by 20 mV"),
    Adversity(FaultKind.OVERLOAD, opens=BOTH),
    Adversity(FaultKind.INVERTED, opens=BOTH),
)


@dataclass(frozen=True, slots=True)
class Episode:
    """One run and what went wrong in it; `seen` are the notes that came after it did."""

    channel: str
    adversity: Adversity
    at: float
    run: str
    state: str
    reason: str
    ended: float
    seen: tuple[str, ...]
    extremes: Extremes
    """How far the cell went in this run, in volts."""

    @property
    def opened(self) -> bool:
        return self.state in ("tripped", "failed")

    @property
    def delay(self) -> float:
        """Seconds of the cell's life from the fault to the end of the run."""
        return max(0.0, self.ended - self.at)


@dataclass(slots=True)
class Story:
    """What one channel lives through. The same seed brings the same things at the same moments."""

    lab: Laboratory
    file: Path
    place: Place
    random: Random
    episodes: list[Episode] = field(default_factory=list)

    async def live(self, seconds: float) -> None:
        """Run after run, until the channel has lived that long and everything has gone wrong once."""
        for adversity in self._order():
            if self.hours * 3600.0 >= seconds and len(self.episodes) >= len(ADVERSITIES):
                return
            self.episodes.append(await self._episode(adversity))

    @property
    def hours(self) -> float:
        """Simulated hours of all runs."""
        return sum(episode.ended for episode in self.episodes) / 3600.0

    def _order(self) -> Iterator[Adversity]:
        while True:
            yield from self.random.sample(ADVERSITIES, len(ADVERSITIES))

    async def _episode(self, adversity: Adversity) -> Episode:
        faults, name, at = self.lab.faults[self.place.name], self.place.name, self._moment()
        faults.clear()
        with contextlib.suppress(AnswerError):  # it is not latched
            await self.lab.ask(Clear(name, "the next run of the soak"))
        cell = self.lab.cells[name]
        cell.extremes = Extremes()
        faults.inject(adversity.after(at))  # the instrument's time stands still until the run takes its data
        run = await self._submitted(name)
        while (found := await self._known(run))["state"] == "running":
            await asyncio.sleep(0.1)
        faults.clear()
        await self.lab.delivered()
        ended, seen = await asyncio.to_thread(_record, self.lab.database, run, at - SAMPLE)
        return Episode(name, adversity, at, run, found["state"], found["reason"], ended, seen, cell.extremes)

    async def _submitted(self, channel: str) -> str:
        """Start the run; an instrument that has just come back may need to be asked again."""
        async with asyncio.timeout(300):
            while True:
                try:
                    return await self.lab.submit(channel, str(self.file), "li_ion")
                except AnswerError:
                    await asyncio.sleep(0.5)

    async def _known(self, run: str) -> Mapping[str, Any]:
        return next(known for known in await self.lab.ask(Runs()) if known["run"] == run)

    def _moment(self) -> float:
        return self.random.uniform(EARLIEST, LATEST)


def _record(database: str, run: str, since: float) -> tuple[float, tuple[str, ...]]:
    """Return when the run ended, in seconds of the run, and the kinds of what was noted since a moment."""
    results = Results.open(database)
    try:
        events = [event.kind for event in results.events(run) if event.time >= since]
        return results.run(run).duration or 0.0, tuple(events)
    finally:
        results.close()


def unopened(episodes: Sequence[Episode], drivers: Mapping[str, str]) -> list[str]:
    """Return every episode that should have ended with an open circuit and did not."""
    return [
        f"{episode.run}: {episode.adversity} at {episode.at:.0f} s: {episode.state}, {episode.reason}"
        for episode in episodes
        if drivers[episode.channel] in episode.adversity.opens and not episode.opened
    ]


def harmed(episodes: Sequence[Episode]) -> list[str]:
    """Return every episode in which the cell left its window.

    With its leads exchanged under current no instrument knows what it does to a cell until it looks. A
    simulated potentiostat that meets an open lead drives the whole stretch of time in which it came off
    with its largest voltage, the beginning of it through the cell: that is the simulation's. And what is
    across a cell drains it whatever an instrument does.
    """
    return [
        f"{episode.run}: {episode.adversity}: {episode.extremes.low:.3f} to {episode.extremes.high:.3f} V"
        for episode in episodes
        if episode.adversity.kind not in (FaultKind.REVERSED, FaultKind.OPEN, FaultKind.SHUNT)
        and episode.extremes != Extremes()  # nothing was done to it
        and not LOW - MARGIN <= episode.extremes.low <= episode.extremes.high <= HIGH + MARGIN
    ]


def late(episodes: Sequence[Episode], drivers: Mapping[str, str]) -> list[str]:
    """Return every such episode that took longer than the set value may have stayed as it was."""
    longest = LONGEST_STEP + 30 * SAMPLE  # stuck shows at the next step, frozen after twenty readings of one
    return [
        f"{episode.run}: {episode.adversity} opened after {episode.delay:.0f} s"
        for episode in episodes
        if drivers[episode.channel] in episode.adversity.opens and episode.delay > longest
    ]
