"""What a chamber does to the cells in it, judged from what was last seen of it."""

from dataclasses import dataclass
from enum import StrEnum

from daemon.guards.interlock import Interlock
from drivers.chamber import ChamberMode, ChamberState

SAME = 0.05
"""Degrees Celsius; set points closer than this are the same."""


class Drift(StrEnum):
    """What becomes of the runs in a chamber that does not keep its temperature."""

    HOLD = "hold"  # their circuits are opened until it is back
    STOP = "stop"  # they trip
    IGNORE = "ignore"  # the record tells


@dataclass(frozen=True, slots=True)
class Tolerance:
    """What is forgiven a chamber; kelvins and seconds.

    It is *there* once it was within `band` of its set point for `settle`. Objected to is what lasts
    for `after`, silence too; a run that was held for `give_up` is stopped.
    """

    band: float = 1.0
    settle: float = 300.0
    after: float = 60.0
    give_up: float = 7200.0
    drift: Drift = Drift.HOLD


DEFAULT = Tolerance()


class ChamberInterlock(Interlock):
    """Remembers a chamber. All moments are of one clock, whoever's it is."""

    def __init__(self, name: str, tolerance: Tolerance = DEFAULT) -> None:
        self.name = name
        self.tolerance = tolerance
        self.latest: ChamberState | None = None
        self.wanted: float | None = None
        """What runs asked for; None while none did."""
        self.refused: str | None = None
        """Why the chamber did not take what was asked for."""
        self.told = True
        """Whether it was told what is wanted."""
        self.moment = 0.0
        """When it was last looked at, in vain or not."""
        self._seen_at: float | None = None
        self._near_since: float | None = None
        self._bad_since: float | None = None
        self._there = False
        self._judged_set_point: float | None = None
        self._complaint: str | None = None

    def ask(self, celsius: float) -> None:
        """Want another temperature; until it is there, nothing but alarms and silence is objected to."""
        self.wanted, self.refused, self.told = celsius, None, False
        self._leave()

    def seen(self, state: ChamberState, now: float) -> None:
        """Take one look at the chamber."""
        self.latest, self._seen_at, self.moment = state, now, now
        target = self._target(state)
        if target != self._judged_set_point:
            self._judged_set_point = target
            self._leave()
        near = target is not None and abs(state.temperature - target) <= self.tolerance.band
        if not near:
            self._near_since = None
        elif self._near_since is None:
            self._near_since = now
        if self._near_since is not None and now - self._near_since >= self.tolerance.settle:
            self._there = True
        self._note(self._wrong(state, target), now)

    def lost(self, why: str, now: float) -> None:
        """Nothing was seen; counted from when something last was."""
        self.moment = now
        self._note(f"silent: {why}", now if self._seen_at is None else self._seen_at)

    @property
    def there(self) -> bool:
        """Whether it has arrived at what was asked for, and nothing is wrong with it now."""
        return self._there and self.told and self._complaint is None

    @property
    def back(self) -> bool:
        """Whether what was objected to is over: near its set point for as long as it had to be away."""
        near = self._near_since
        return self._complaint is None and near is not None and self.moment - near >= self.tolerance.after

    @property
    def complaint(self) -> str | None:
        """What is wrong with it and has been for long enough, whatever is to become of it."""
        if self._complaint is None or self._bad_since is None:
            return None
        return self._complaint if self.moment - self._bad_since >= self.tolerance.after else None

    def objection(self) -> str | None:
        return self.complaint if self.tolerance.drift is Drift.STOP else None

    def temperature(self) -> float | None:
        """The air around the cells in degrees Celsius; None if it has not been seen lately."""
        if self.latest is None or self._seen_at is None or self.moment - self._seen_at > self.tolerance.after:
            return None
        return self.latest.temperature

    def _target(self, state: ChamberState) -> float | None:
        if self.wanted is not None:
            return self.wanted
        return state.set_point if state.mode is ChamberMode.CONSTANT else None

    def _wrong(self, state: ChamberState, target: float | None) -> str | None:
        if state.alarms:
            return ", ".join(state.alarms)
        if self.wanted is not None and self.told:
            if state.mode is not ChamberMode.CONSTANT:
                return f"it is {state.mode}, {self.wanted:g} degC was wanted"
            if abs(state.set_point - self.wanted) > SAME:
                return f"somebody set it to {state.set_point:g} degC, {self.wanted:g} degC was wanted"
        if self._there and target is not None and self._near_since is None:
            return f"{state.temperature:g} degC, {target:g} ± {self.tolerance.band:g} degC was set"
        return None

    def _note(self, complaint: str | None, since: float) -> None:
        if complaint is None:
            self._bad_since = None
        elif self._complaint is None:
            self._bad_since = since
        self._complaint = complaint

    def _leave(self) -> None:
        """Forget that it was where it is no longer wanted."""
        self._there, self._near_since = False, None
