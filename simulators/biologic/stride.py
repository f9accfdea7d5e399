"""Living up to an event: the moment at which something about a cell that is held still becomes positive."""

from collections.abc import Callable, Iterator
from math import inf
from typing import NamedTuple

from simulators.biologic.potentiostat import Look, Moment, Potentiostat

RESOLUTION = 1e-3
"""Seconds to which an event is found: about as often as a channel looks."""

CLOSE = 1.0
"""How far beyond the event is no more than just after it, in the units of an `Excess`."""

MOST_LOOKS = 60

PATIENCE = 0.2
"""Seconds of everybody's time that a channel lives at once, so that what it tells is not old."""

GROWTH = 4.0

Excess = Callable[[Look], float]
"""How far beyond an event a look is: negative before it, and up to `CLOSE` just after it."""


class _Edge(NamedTuple):
    time: float
    excess: float


def lived(
    potentiostat: Potentiostat, until: Callable[[], float], excess: Excess, stride: float, speed: float
) -> Iterator[float]:
    """Live until a moment, or until just after `excess` became positive, whichever is first.

    The moment is asked for again and again, for it may change meanwhile.
    Yields each moment to which the clock must have come before it goes on. The first stride is
    `stride` seconds; they grow while nothing happens.
    """
    longest = PATIENCE * speed if speed < inf else inf
    while potentiostat.time < (end := until()):
        due = min(end, potentiostat.time + min(stride, longest))
        yield due
        before = potentiostat.remember()
        potentiostat.live_until(due)
        beyond = excess(potentiostat.look())
        if beyond >= 0.0:
            _go_to(potentiostat, excess, before, _Edge(before.time, excess(before.look)), _Edge(due, beyond))
            return
        stride *= GROWTH


def _go_to(potentiostat: Potentiostat, excess: Excess, before: Moment, inside: _Edge, outside: _Edge) -> None:
    """Go to just after the event between two edges, by secants and, every third time, by halves."""
    for turn in range(MOST_LOOKS):
        if outside.excess <= CLOSE or outside.time - inside.time <= RESOLUTION:
            break
        share = 0.5 if turn % 3 == 2 else _share(inside.excess, outside.excess)
        middle = inside.time + share * (outside.time - inside.time)
        potentiostat.go_back(before)
        potentiostat.live_until(middle)
        found = _Edge(middle, excess(potentiostat.look()))
        inside, outside = (found, outside) if found.excess < 0.0 else (inside, found)
    potentiostat.go_back(before)
    potentiostat.live_until(outside.time)


def _share(inside: float, outside: float) -> float:
    """Return where between two edges a straight line comes to the middle of what is close."""
    aim = 0.5 * CLOSE
    return min(0.95, max(0.05, (aim - inside) / (outside - inside)))
