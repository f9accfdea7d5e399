"""The revision of a run: what a person must have seen who wants something of it."""

from collections import Counter

from daemon.errors import StaleError
from daemon.running.parked import Parked
from daemon.running.run import Run


class Revisions:
    """Changes whenever a person steers a run or its state changes, and never comes back to an earlier one."""

    def __init__(self, epoch: int) -> None:
        self._epoch = epoch
        self._acts: Counter[str] = Counter()

    def of(self, run: Run | Parked) -> str:
        """Return the revision of a run as it stands."""
        return f"{self._epoch}-{self._acts[run.name]}-{run.state.value}"

    def steered(self, run: Run | Parked) -> None:
        """A person's wish was carried out."""
        self._acts[run.name] += 1

    def require(self, run: Run | Parked, seen: str | None) -> None:
        """Raise `StaleError` where `seen` is not how the run stands; None is whoever does not care."""
        if seen is not None and seen != self.of(run):
            raise StaleError(
                f"run {run.name} is {run.state.value} now, and has changed since you looked; look again"
            )
