"""The revision of a run: what a person must have seen who wants something of it."""

import time
from collections.abc import Callable
from typing import NamedTuple

from daemon.errors import StaleError
from daemon.running.parked import Parked
from daemon.running.run import Run


class Wish(NamedTuple):
    """The last thing a person did to a run, numbered from 1."""

    number: int
    who: str
    what: str
    time: float


NONE = Wish(0, "", "", 0.0)


class Revisions:
    """Changes whenever a person steers a run or its state changes, and never comes back to an earlier one."""

    def __init__(self, epoch: int, now: Callable[[], float] = time.monotonic) -> None:
        self._epoch = epoch
        self._now = now
        self._wishes: dict[str, Wish] = {}

    def of(self, run: Run | Parked) -> str:
        """Return the revision of a run as it stands."""
        return f"{self._epoch}-{self._last(run).number}-{run.state.value}"

    def steered(self, run: Run | Parked, who: str, what: str) -> None:
        """A person's wish (`what`: paused, resumed, stopped) is carried out."""
        self._wishes[run.name] = Wish(self._last(run).number + 1, who, what, self._now())

    def require(self, run: Run | Parked, seen: str | None) -> None:
        """Raise `StaleError` where `seen` is not how the run stands; None is whoever does not care."""
        if seen is not None and seen != self.of(run):
            raise StaleError(f"run {run.name} is {run.state.value} now: {self._story(run)}; look again")

    def _last(self, run: Run | Parked) -> Wish:
        return self._wishes.get(run.name, NONE)

    def _story(self, run: Run | Parked) -> str:
        wish = self._last(run)
        if not wish.number:
            return "it has changed by itself since you looked"
        return f"{wish.who.partition(' by ')[0]} {wish.what} it {self._now() - wish.time:.0f} s ago"
