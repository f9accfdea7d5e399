"""An instrument's own time, made continuous where the instrument begins anew."""


class Timeline:
    """Seconds that only ever grow, from a clock that may be set back to nought.

    The instrument's clock is the authority for every interval. Only where it went backwards (its
    buffer was cleared, it was switched on again) does the host's clock bridge the gap.
    """

    def __init__(self) -> None:
        self._offset = 0.0
        self._last_own: float | None = None
        self._last_host = 0.0

    def at(self, own: float, host: float) -> float:
        """Return the moment at which the instrument's clock read `own` and the host's `host`."""
        if self._last_own is not None and own < self._last_own:
            self._offset += self._last_own + max(0.0, host - self._last_host) - own
        self._last_own, self._last_host = own, host
        return self._offset + own

    def of(self, own: float) -> float:
        """Return the moment of something the instrument measured at `own` and tells of only now."""
        return self._offset + own
