"""One channel as it was last seen, and as it is told."""

from typing import NamedTuple

import msgspec

from daemon.glance import Facts, Values


class Seen(NamedTuple):
    """One channel as it was last seen."""

    core: str
    facts: Facts
    values: Values
    reading: bytes
    """`values` as the core wrote them, in JSON."""


class CoreState(msgspec.Struct, frozen=True):
    """Whether a core answers; `trouble` says why not."""

    core: str
    trouble: str | None = None


def told(seen: Seen) -> dict[str, object]:
    """Return what a channel is doing, by name."""
    return {"core": seen.core} | msgspec.structs.asdict(seen.facts)


def latest(values: Values) -> dict[str, float | int | None]:
    """Return a reading by name."""
    return msgspec.structs.asdict(values)


def row(index: int, reading: bytes) -> bytes:
    """Return a reading as the live stream carries it, in JSON: the channel's place, then `Values`.

    It is passed on as the core wrote it: writing a thousand readings anew each second would be most
    of what the page does.
    """
    return b"[%d,%b" % (index, reading[1:])
