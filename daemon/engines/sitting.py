"""A stretch of one step that a channel spends among its neighbours, counted with them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from daemon.engines.counts import Count
from daemon.engines.gate import Gate
from daemon.engines.progress import Tally
from daemon.engines.quiet import Quiet
from daemon.engines.scans import Asked, Scans
from daemon.engines.seats import Sitter
from daemon.host.heartbeat import Heartbeat
from daemon.running.logbook import RECENT, Logbook
from protocols.reading import Reading


@dataclass(frozen=True, slots=True)
class Place:
    """Where a channel may sit, and what beats when its cell was looked at."""

    scans: Callable[[float], Scans]
    """Returns the scans of its instrument at an interval in seconds."""
    name: str
    heartbeat: Heartbeat


class Sitting:
    """Its step and its run were at nought at `step_zero` and `run_zero` of the instrument's time."""

    def __init__(
        self, place: Place, quiet: Quiet, logbook: Logbook, tally: Tally, step_zero: float, run_zero: float
    ) -> None:
        self._place = place
        self._scans = place.scans(quiet.sample)
        self._quiet = quiet
        self._logbook = logbook
        self._tally = tally
        self._zeros = step_zero, run_zero
        self.readings = 0
        """How many were counted here until it was last settled."""

    async def until_woken(self, gate: Gate, asked: Asked | None) -> Sequence[Reading]:
        """Sit until something happens; return the readings that are to be judged, oldest first."""
        return await self._scans.sit(self._sitter(), gate, asked, self._place.heartbeat)

    def settle(self) -> Reading | None:
        """Bring tally and logbook up to date; return the last reading if any was counted since."""
        count = self._scans.seats.count(self._place.name)
        new = int(count.readings) - self.readings
        if new <= 0:
            return None
        self.readings += new
        self._tally.went_on(count, new)
        self._logbook.went_on(count, self.recent(min(new, RECENT)), self._tally)
        return self._tally.last

    def recent(self, most: int) -> list[Reading]:
        """Return up to `most` of the last readings counted here, oldest first."""
        return self._scans.seats.recent(self._place.name, min(most, self.readings))

    def _sitter(self) -> Sitter:
        last, kept = self._tally.last, self._logbook.kept
        if last is None or kept is None:
            raise ValueError("a step is watched alone until its first reading is kept")
        kept_time, kept_reading = kept
        step_zero, run_zero = self._zeros
        volt_seconds, counted = self._tally.volt_seconds
        count = Count(
            time=last.time,
            voltage=last.voltage,
            current=last.current,
            step_zero=step_zero,
            run_zero=run_zero,
            capacity=self._tally.coulombs,
            energy=self._tally.joules,
            volt_seconds=volt_seconds,
            counted=counted,
            kept_time=kept_time,
            kept_voltage=kept_reading.voltage,
            kept_current=kept_reading.current,
            number=float(self._logbook.readings),
            readings=0.0,
        )
        where = self._logbook
        return Sitter(self._place.name, where.run, where.steps, where.cycle, self._quiet, count)
