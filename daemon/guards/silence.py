"""An instrument that runs a step by itself and says nothing."""

import time
from collections.abc import Callable

from protocols.errors import GuardError

PERIODS = 3.0
"""How many records may be missing: two can be lost on the wire."""


class Silence:
    """Judges how long nothing came, where the step's rule lets a record be expected `every` seconds.

    Counted in real time: a rehearsed instrument lives faster than that, never slower.
    """

    def __init__(
        self, every: float | None, patience: float, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._longest = None if every is None else PERIODS * every + patience
        self._now = now
        self._heard = now()

    def check(self, heard: bool) -> None:
        """Raise `GuardError` after too long a silence; `heard` says that something came just now."""
        if heard:
            self._heard = self._now()
        elif self._longest is not None and self._now() - self._heard > self._longest:
            raise GuardError(
                f"stale: no record for {self._now() - self._heard:.3g} s, one every "
                f"{(self._longest):.3g} s at most was wanted"
            )
