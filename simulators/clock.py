"""The instrument's own clock, which may live many seconds in one."""

from abc import ABC, abstractmethod


class Clock(ABC):
    """Simulated seconds since the instrument was switched on.

    Left alone the clock runs by itself at `speed` simulated seconds per second. While a rehearsal
    holds it, time stands still unless the instrument itself takes some (`reach`) or the rehearsal
    lets it pass; `speed` is then only how fast it may go, and results do not depend on it.
    """

    speed: float

    @abstractmethod
    def now(self) -> float:
        """Return the simulated time in seconds."""

    @abstractmethod
    async def reach(self, moment: float) -> None:
        """Return once it is `moment`, at the pace of `speed`; at once (but yielding) if it has been."""
