"""One channel as it was last seen, and as it is told."""

from functools import lru_cache
from typing import NamedTuple

import msgspec

from daemon.glance import Facts, Values


class Seen(NamedTuple):
    """One channel as it was last seen."""

    core: str
    facts: Facts
    values: Values


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


def row(index: int, values: Values) -> str:
    """Return a reading as the live stream carries it, in JSON: the channel's place, then `Values`.

    Six digits are more than a screen shows, and a third of the bytes.
    """
    fields = msgspec.structs.astuple(values)
    return _pattern(tuple([field is None for field in fields])) % (index, *fields)


_FORMATS = {"read_at": "%.1f", "step": "%d", "cycle": "%d"}
_NULL = "null%.0s"  # takes what is not there, and writes none of it


@lru_cache
def _pattern(missing: tuple[bool, ...]) -> str:
    """Return how readings are written in which these fields are missing; a bench has few such patterns."""
    named = zip(Values.__struct_fields__, missing, strict=True)
    fields = [_NULL if none else _FORMATS.get(name, "%.6g") for name, none in named]
    return f"[%d,{','.join(fields)}]"
