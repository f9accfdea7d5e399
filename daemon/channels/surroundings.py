"""Where the cell of a run is: in a chamber of the bench, or nowhere in particular."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from daemon.channels.chamber import BenchChamber
from daemon.guards.chamber import Drift
from drivers.base import Record
from drivers.errors import RefusedError
from protocols.conditions import Comparison, Quantity, Relation
from protocols.plan import PlannedStep
from protocols.reading import Reading
from protocols.techniques import ChamberTemperature, Rest

FOLLOWED_SECONDS = 10.0
"""How far a rehearsed chamber may lag behind the channel while nothing is waited for."""


class Surroundings:
    """Nowhere in particular: nobody can set a temperature here, and none is known."""

    def begin(self, step: PlannedStep) -> PlannedStep:
        """Return the step as its channel is to run it.

        A step that waits for a chamber is a rest meanwhile. Raises `RefusedError` where there is none.
        """
        if isinstance(step.technique, ChamberTemperature):
            raise RefusedError(f"line {step.line}: this channel is in no chamber of the bench")
        return step

    def kept(self, celsius: float) -> None:
        """An earlier step of the run asked for this temperature; nothing waits for it again."""

    def arrived(self) -> str | None:
        """Return the end of a step that waits for the chamber, or None. Does not wait."""
        return None

    async def follow(self, moment: float) -> None:
        """Let whatever is around the cell live as far as its channel, whose time is `moment`."""

    def around(self, reading: Reading) -> Reading:
        """Return the reading with the temperature around the cell, where its channel measured none."""
        return reading

    async def around_all(self, records: Sequence[Record]) -> Sequence[Record]:
        """Do the same for what a channel recorded, after following it there."""
        return records

    def occupied(self, run: "Held") -> None:
        """The run is conducted from now on."""

    def left(self) -> None:
        """The run is conducted no more."""


class Held(Protocol):
    """A run as far as a chamber is concerned."""

    @property
    def running(self) -> bool: ...

    @property
    def paused(self) -> bool: ...

    def pause(self, reason: str = "") -> None: ...

    def resume(self) -> None: ...

    def give_up(self, reason: str) -> None: ...


class InChamber(Surroundings):
    """One run in one chamber. Holds the run through its gate while the chamber is not where it should be."""

    def __init__(self, chamber: BenchChamber, name: str, note: Callable[[str, str], None]) -> None:
        """`name` is the run's; `note` puts a kind and a text on its record."""
        self._chamber = chamber
        self._interlock = chamber.interlock
        self._name = name
        self._note = note
        self._run: Held | None = None
        self._noted = False
        self._held_since: float | None = None
        self._awaited: float | None = None
        self._origin: float | None = None  # the chamber's time where the channel's is nought
        self._before: tuple[float, float] | None = None  # a rehearsed channel's time and its temperature,
        self._followed: tuple[float, float] | None = None  # the last two times the chamber followed it

    def begin(self, step: PlannedStep) -> PlannedStep:
        if not isinstance(step.technique, ChamberTemperature):
            self._awaited = None
            return step
        self._awaited = step.technique.celsius
        self._chamber.ask(self._name, self._awaited)
        # the ceiling trips before this end is met: a chamber that never arrives is no end of a step
        late = 2.0 * step.ceiling.seconds
        never = Comparison(Quantity.TIME, Relation.AT_LEAST, late, f"time >= {late:g} s")
        return replace(step, technique=Rest(), until=never)

    def kept(self, celsius: float) -> None:
        self._chamber.ask(self._name, celsius)

    def arrived(self) -> str | None:
        if self._awaited is None:
            return None
        if self._interlock.refused is not None:
            raise RefusedError(f"chamber {self._interlock.name}: {self._interlock.refused}")
        band = self._interlock.tolerance.band
        return f"within {band:g} K of {self._awaited:g} degC" if self._interlock.there else None

    async def follow(self, moment: float) -> None:
        if not self._chamber.rehearsed:
            return
        if self._origin is None:
            self._origin = await self._chamber.now() - moment
            await self._chamber.look()
        elif self._awaited is None and self._followed and moment - self._followed[0] < FOLLOWED_SECONDS:
            return
        else:
            await self._chamber.live_until(self._origin + moment)
        celsius = self._interlock.temperature()
        self._before = self._followed
        self._followed = None if celsius is None else (moment, celsius)

    async def around_all(self, records: Sequence[Record]) -> Sequence[Record]:
        if records:
            await self.follow(records[-1].point.time)
        return [
            record._replace(point=self.around(record.point)) if isinstance(record.point, Reading) else record
            for record in records
        ]

    def around(self, reading: Reading) -> Reading:
        if reading.temperature is not None:
            return reading
        return reading._replace(temperature=self._temperature(reading.time))

    def _temperature(self, moment: float) -> float | None:
        """Return the air's; of a rehearsed chamber as it was then, its channel having run ahead of it."""
        if self._before is None or self._followed is None:
            return self._interlock.temperature()
        (then, celsius), (now, celsius_now) = self._before, self._followed
        if not then < moment < now:
            return self._interlock.temperature()
        return celsius + (celsius_now - celsius) * (moment - then) / (now - then)

    def occupied(self, run: Held) -> None:
        self._run = run
        self._chamber.enter(self._looked)

    def left(self) -> None:
        if self._run is not None:
            self._go_on()
            self._run = None
            self._chamber.leave(self._name, self._looked)

    def _looked(self) -> None:
        """Judge what was seen: hold the run, let it go on, or give it up."""
        complaint = self._interlock.complaint
        if self._held_since is not None:
            self._judge_hold()
        elif complaint is not None and not self._noted:
            self._noted = True
            self._note("chamber", f"chamber {self._interlock.name}: {complaint}")
            self._hold(complaint)
        elif self._noted and self._interlock.back:
            self._noted = False
            self._note("chamber", f"chamber {self._interlock.name} is back")

    def _hold(self, complaint: str) -> None:
        run = self._run
        if run is None or not run.running or self._interlock.tolerance.drift is not Drift.HOLD:
            return
        self._held_since = self._interlock.moment
        self._chamber.holding(+1)
        run.pause(f"held: chamber {self._interlock.name}: {complaint}")

    def _judge_hold(self) -> None:
        run, since = self._run, self._held_since
        if run is None or since is None:
            return
        held = self._interlock.moment - since
        if not run.paused:  # a person let it go on, or it is over
            self._go_on()
        elif self._interlock.back:
            self._noted = False
            self._note("chamber", f"chamber {self._interlock.name} is back after {held:.0f} s")
            self._go_on()
            run.resume()
        elif held >= self._interlock.tolerance.give_up:
            complaint = self._interlock.complaint or "it is not back"
            self._go_on()
            run.give_up(f"chamber {self._interlock.name}, held for {held:.0f} s: {complaint}")

    def _go_on(self) -> None:
        if self._held_since is not None:
            self._held_since = None
            self._chamber.holding(-1)
