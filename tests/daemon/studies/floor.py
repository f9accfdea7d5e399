"""A bench whose runs outlive the cores that begin them, and which can be the death of one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from daemon.errors import BusyError, KeyReusedError
from daemon.requests import Check, Submit
from daemon.running.journal import Journal
from daemon.running.journal_file import Ending, Statement
from daemon.running.planning import planned
from daemon.studies.floor import Floor, RunNow, Seat
from protocols.forecast import forecast


class Dead(BaseException):
    """The core was killed here."""


@dataclass
class Fate:
    """Kills at one of the points that are passed; nothing happens any more afterwards."""

    kill_at: int | None = None
    passed: int = 0
    commits: int = 0
    """How many of the journal there were, each with a point before and one after it."""

    def pass_(self) -> None:
        self.passed += 1
        if self.kill_at is not None and self.passed >= self.kill_at:
            raise Dead


@dataclass
class World:
    """What a killed core leaves behind: runs by their keys, and which simulated cell each channel holds."""

    begun: dict[str, Submit] = field(default_factory=dict)
    endings: dict[str, Ending] = field(default_factory=dict)
    inserted: dict[str, str] = field(default_factory=dict)
    held: dict[str, str] = field(default_factory=dict)
    """The simulated cell that was in the channel of a run when it began, by the run."""

    def run_of(self, key: str) -> str:
        return f"lab-{list(self.begun).index(key) + 1}"


class MortalJournal(Journal):
    """The real journal of a core that may be killed just before and just after a commit."""

    fate: Fate

    async def commit(self, *statements: Statement) -> None:
        self.fate.commits += 1
        self.fate.pass_()
        await super().commit(*statements)
        self.fate.pass_()


async def journal_at(path: Path, fate: Fate) -> MortalJournal:
    journal = await MortalJournal.open(path)
    journal.fate = fate
    return journal


@dataclass
class TwoInstruments(Floor):
    """A simulated instrument `sim` with one channel, a real one `real` with two; runs end by `finish`."""

    world: World
    fate: Fate = field(default_factory=Fate)
    ends_at_once: bool = True
    occupied: set[str] = field(default_factory=set)
    refuses: str | None = None
    off: set[str] = field(default_factory=set)
    """Channels whose instrument is off; it is on again when somebody knocks."""
    unclosed: set[str] = field(default_factory=set)
    left: list[str] = field(default_factory=list)
    """Channels the studies have let go of."""
    channels: Mapping[str, Sequence[Seat]] = field(
        default_factory=lambda: {
            "sim": [Seat("sim-1", "tcp://nowhere:1")],
            "real": [Seat("real-1", None), Seat("real-2", None)],
        }
    )

    def seats(self, on: str) -> Sequence[Seat]:
        return self.channels.get(on, [s for each in self.channels.values() for s in each if s.channel == on])

    def free(self, channel: str) -> bool:
        return channel not in (self.occupied | self.off) and channel not in self._running()

    async def let_go(self, channel: str) -> None:
        self.left.append(channel)

    def silent(self, channel: str) -> bool:
        return channel in self.off

    async def knock(self, channel: str) -> None:
        self.off.discard(channel)

    def _running(self) -> set[str]:
        runs = self.world.begun.items()
        return {request.channel for key, request in runs if self.world.run_of(key) not in self.world.endings}

    def speed(self, channel: str) -> float:
        return 1.0

    def names(self) -> Sequence[str]:
        return ["real", "sim"]

    async def planned(self, request: Check) -> float:
        found = planned(
            request.protocol,
            request.protocol_file,
            request.cell,
            request.cell_file,
            None,
            request.variables,
        )
        return forecast(found.plan, found.cell).seconds

    async def insert(self, seat: Seat, cell: str, seed: int, alike: bool) -> None:
        assert self.free(seat.channel), "another cell is put in while one is measured"
        self.fate.pass_()
        self.world.inserted[seat.channel] = f"{cell} {seed}"

    async def truth(self, seat: Seat) -> Mapping[str, Any]:
        self.fate.pass_()
        return {"cell": self.world.inserted[seat.channel]}

    async def begin(self, request: Submit, who: str) -> str:
        self.fate.pass_()
        if request.key in self.world.begun:
            if self.world.begun[request.key] != request:
                raise KeyReusedError(request.key)
            return self.world.run_of(request.key)
        if self.refuses is not None:
            raise BusyError(self.refuses)
        if request.channel in self._running():
            raise BusyError(f"{request.channel} is busy")
        self.world.begun[request.key] = request
        run = self.world.run_of(request.key)
        self.world.held[run] = self.world.inserted.get(request.channel, "")
        if self.ends_at_once:
            self.finish(run)
        self.fate.pass_()
        return run

    def finish(
        self, run: str, state: str = "finished", reason: str = "every step is done", closed: bool = True
    ) -> None:
        """End a run; one that is not `closed` has left its channel, but its end is not on the disk yet."""
        self.world.endings[run] = Ending(state, reason, 7)
        if not closed:
            self.unclosed.add(run)

    async def begun(self, key: str) -> str | None:
        return self.world.run_of(key) if key in self.world.begun else None

    def run(self, name: str) -> RunNow | None:
        return RunNow("running", "", 3, 60.0)

    async def ending(self, run: str) -> Ending | None:
        return None if run in self.unclosed else self.world.endings.get(run)
