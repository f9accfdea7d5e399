"""When the cells of a study will be done, if each takes the first channel that is free."""

from collections.abc import Mapping, Sequence


def finishes(waiting: Sequence[tuple[float, Sequence[str]]], busy: Mapping[str, float]) -> list[float]:
    """Return for each waiting cell, in order, the seconds from now until it is done.

    Each is the seconds it takes and the channels it may have; `busy` is the seconds until a channel is
    free that is not free now.
    """
    free = dict(busy)
    done: list[float] = []
    for seconds, channels in waiting:
        first = min(channels, key=lambda channel: free.get(channel, 0.0), default=None)
        if first is None:
            continue
        free[first] = free.get(first, 0.0) + seconds
        done.append(free[first])
    return done
