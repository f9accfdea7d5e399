"""Who has seen a channel's trouble: it is told of no louder than once, and ended by nobody thereby."""

from collections.abc import Mapping
from typing import NamedTuple

from daemon.channels.latches import Latch


class Acknowledgement(NamedTuple):
    """Somebody has seen what was wrong, at a moment (UTC seconds)."""

    who: str
    time: float
    trouble: str


class Acknowledgements:
    """By channel. Trouble that goes and comes again has to be seen again."""

    def __init__(self, earlier: Mapping[str, Acknowledgement]) -> None:
        """`earlier` is what an earlier core was told: it holds for latches, which outlive one."""
        self._earlier = earlier
        self._said: dict[str, Acknowledgement] = {}

    def add(self, channel: str, said: Acknowledgement) -> None:
        """Note that somebody has seen it."""
        self._said[channel] = said

    def of(self, channel: str, trouble: str | None, latch: Latch | None) -> str | None:
        """Return who has seen what is wrong with a channel now; None where nobody has."""
        said = self._said.get(channel)
        if said is not None and said.trouble != trouble:
            del self._said[channel]
            said = None
        if said is None and latch is not None:
            said = self._earlier.get(channel)
        if said is None or (latch is not None and said.time < latch.time):
            return None
        return said.who
