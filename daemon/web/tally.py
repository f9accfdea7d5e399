"""How many runs were seen to end, by how they did."""

from collections import Counter

from daemon.web.seen import Seen


class Tally:
    """Counts what the live state tells of."""

    def __init__(self) -> None:
        self.ends: Counter[tuple[str, str]] = Counter()

    def hear(self, before: Seen | None, now: Seen) -> None:
        """Count a run that was in hand and is now over; a latch says that it tripped."""
        if before is None or before.facts.run is None or before.facts.run == now.facts.run:
            return
        tripped = now.facts.latch is not None and before.facts.latch is None
        self.ends[now.core, "tripped" if tripped else "ended"] += 1
