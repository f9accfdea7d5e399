"""All guards of one run, and how often each may object."""

from collections.abc import Iterator, Sequence

from daemon.guards.contacts import Contacts
from daemon.guards.frozen import Frozen, Late, StandingClock
from daemon.guards.guard import Guard, Look
from daemon.guards.heating import Heating
from daemon.guards.interlock import Interlock, Interlocked
from daemon.guards.jump import Jump
from daemon.guards.obedience import REST_SHARE, Disobedience, WrongSign
from daemon.guards.open_lead import Clamped, CurrentCollapsed, NoCurrentAtFirst, OpenUnderCurrent
from daemon.guards.quiet import QuietBounds, quiet_bounds
from daemon.guards.rising import Rising
from daemon.guards.second_voltage import Disagreement, SecondVoltage
from daemon.guards.thresholds import Thresholds
from protocols.errors import GuardError
from protocols.limits import Limits, Range
from protocols.setpoint import Setpoint

SHORTEST_PATIENCE = 1.0
"""Seconds; the system the core runs on may make it wait for some tenths."""


class Guards:
    """Judges every reading of one channel with readings wished for every `sample` seconds."""

    def __init__(
        self,
        thresholds: Thresholds,
        limits: Limits,
        sample: float,
        interlocks: Sequence[Interlock] = (),
        second_voltage: SecondVoltage | None = None,
    ) -> None:
        self.stale = thresholds.stale
        self.patience = min(thresholds.stale, max(SHORTEST_PATIENCE, 3.0 * sample))
        """Seconds within which a reading that is due must be there."""
        self.contacts = Contacts(thresholds.resistance)
        self._thresholds = thresholds
        self._rest_band = rest_band = REST_SHARE * _largest(limits.current)
        self._second_voltage = second_voltage
        self._interlocked = Interlocked(interlocks)
        self._guards = (
            self._interlocked,
            *_at_leads(thresholds),
            WrongSign(),
            Disobedience(thresholds.settle, thresholds.current_band, thresholds.voltage_band, rest_band),
            *_of_life(thresholds, self.patience),
            *_of_trends(thresholds),
            *([] if second_voltage is None else [Disagreement(second_voltage, thresholds.second_voltage)]),
        )
        self._objections = [0] * len(self._guards)

    def judge(self, look: Look) -> None:
        """Raise `GuardError` once a guard has objected to as many readings in a row as it must."""
        for index, guard in enumerate(self._guards):
            objection = guard.objection(look)
            self._objections[index] = 0 if objection is None else self._objections[index] + 1
            if objection is not None and self._objections[index] >= guard.readings:
                raise GuardError(objection)

    def check_interlocks(self) -> None:
        """Raise `GuardError` where an interlock objects, reading or not."""
        objection = self._interlocked.any_objection()
        if objection is not None:
            raise GuardError(objection)

    def quiet(self, setpoint: Setpoint) -> QuietBounds | None:
        """Return the bounds within which none objects but `remembering` ones; None where there are none."""
        if self._second_voltage is not None:
            return None
        return quiet_bounds(self._thresholds, self._rest_band, self.patience, setpoint)

    def remembering(self, setpoint: Setpoint) -> Sequence[Guard]:
        """Return the guards that have to be asked at every reading, however quiet it looks."""
        asked = [self._interlocked] if self._interlocked.interlocks else []
        return [
            *asked,
            *(guard for guard in self._guards if isinstance(guard, Rising) and guard.minds(setpoint)),
        ]

    def begin(self) -> None:
        """Forget what was objected to: other set values are to be judged from now on."""
        self._objections = [0] * len(self._guards)


def _at_leads(thresholds: Thresholds) -> Iterator[Guard]:
    yield Clamped()
    yield OpenUnderCurrent()
    if thresholds.lead_current is not None:
        yield NoCurrentAtFirst(thresholds.lead_current, thresholds.settle)
        yield CurrentCollapsed(thresholds.lead_current, thresholds.settle)


def _of_life(thresholds: Thresholds, patience: float) -> Iterator[Guard]:
    if thresholds.frozen is not None:
        yield Frozen(thresholds.frozen - 1)  # the first of them repeats nothing
    if thresholds.jump is not None:
        yield Jump(thresholds.jump)
    yield StandingClock(patience)
    yield Late(patience)


def _of_trends(thresholds: Thresholds) -> Iterator[Guard]:
    if thresholds.heating is not None:
        yield Heating(thresholds.heating)
    if thresholds.rising is not None:
        yield Rising(thresholds.rising, thresholds.settle)


def _largest(window: Range) -> float:
    return max((abs(edge.value) for edge in (window.low, window.high) if edge is not None), default=0.0)
