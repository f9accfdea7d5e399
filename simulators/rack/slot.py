"""One slot of a rack: a source with its clamp, a relay, and two things that open it by themselves."""

import math
from collections.abc import Callable
from random import Random
from typing import NamedTuple

from simulators.cells.base import Cell
from simulators.regimes import DISCONNECTED, Regimes, Source, current_source, voltage_source

AMPERES = 5.0
VOLTS = 10.0

_VOLTAGE_NOISE = 20e-6  # V
_CURRENT_NOISE = 1e-5  # of the level, at least of 1 mA
_LONGEST = 1.0  # s lived at once while the relay is closed: the window is looked at no more seldom


class Setting(NamedTuple):
    """What a slot is to do when its relay closes: REST (a voltmeter), CURR or VOLT, and the clamp."""

    function: str = "REST"
    level: float = 0.0
    clamp: float = VOLTS

    @property
    def regimes(self) -> Regimes:
        match self.function:
            case "CURR":
                return current_source(self.level, self.clamp, AMPERES)
            case "VOLT":
                return voltage_source(self.level, self.clamp)
        return DISCONNECTED


class Window(NamedTuple):
    """What opens the relay at once: volts below or above, amperes of either sign beyond."""

    low: float = -VOLTS
    high: float = VOLTS
    amperes: float = AMPERES


class Slot:
    """Its letter says how it stands: N closed, C closed and clamped, O open, P opened by its window,
    W opened because nobody measured it for `watchdog` seconds."""

    def __init__(self, cell: Cell, now: Callable[[], float], seed: int) -> None:
        self.cell = cell
        self.window = Window()
        self.setting = Setting()
        self.watchdog = math.inf
        self._now = now
        self._source = Source(cell)
        self.lived = now()
        """Up to when its cell has lived, in seconds of its own time."""
        self._heard = self.lived
        self._opened = "O"
        self._closed = False
        self._seen: tuple[float, float] | None = None  # at its terminals, as of `lived`
        self._gauss = Random(seed).gauss

    @property
    def letter(self) -> str:
        if not self._closed:
            return self._opened
        return "C" if self._source.regime.limited else "N"

    def set(self, setting: Setting) -> None:
        """Follow another setting; a closed relay stays closed."""
        self.live()
        self.setting = setting
        if self._closed:
            self._apply(setting.regimes)

    def close(self) -> None:
        """Close the relay; what opened it before is forgotten."""
        self.live()
        self._closed, self._heard = True, self.lived
        self._apply(self.setting.regimes)

    def open(self, why: str = "O") -> None:
        """Open the relay."""
        self.live()
        self._open(why)

    def measure(self) -> tuple[float, float]:
        """Return volts and amperes, noisy; the watchdog begins anew."""
        self.live()
        self.heard()
        return self._converted()

    def measured(self, ago: float) -> tuple[float, float]:
        """Return what is measured at a moment so many seconds ago, to which it has not lived yet."""
        self._live(self._now() - ago)
        return self._converted()

    def heard(self) -> None:
        """Somebody looks after the cell: the watchdog begins anew."""
        self._heard = self.lived

    def _converted(self) -> tuple[float, float]:
        volts, amperes = self._look()
        if amperes:
            amperes += self._gauss(0.0, _CURRENT_NOISE) * max(1e-3, abs(amperes))
        return volts + self._gauss(0.0, _VOLTAGE_NOISE), amperes

    def live(self) -> None:
        """Let everything that should have happened by now have happened."""
        self._live(self._now())

    def _live(self, now: float) -> None:
        while self._closed and self.lived < now:
            due = self._heard + self.watchdog
            self._live_until(min(now, due, self.lived + _LONGEST))
            if self.lived >= due:
                self._open("W")
            elif not self._is_inside():
                self._open("P")
        if self.lived < now:
            self._live_until(now)

    def _live_until(self, moment: float) -> None:
        self._source.live(moment - self.lived)
        self.lived, self._seen = moment, None

    def _apply(self, regimes: Regimes) -> None:
        self._source.apply(self.cell, regimes)
        self._seen = None

    def _look(self) -> tuple[float, float]:
        if self._seen is None:
            self._seen = self._source.look()
        return self._seen

    def _is_inside(self) -> bool:
        volts, amperes = self._look()
        low, high, most = self.window
        return low <= volts <= high and abs(amperes) <= most

    def _open(self, why: str) -> None:
        if self._closed or why == "O":
            self._opened = why
        self._closed = False
        self._apply(DISCONNECTED)
