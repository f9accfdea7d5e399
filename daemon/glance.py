"""What one look at a channel shows: small, because a page may look at a thousand every second."""

import msgspec


class Facts(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What changes with a step or a person's wish; `patience` (seconds) is how old a value may be.

    `state` is idle, unreachable, or the state of the run in hand; `latch` is why the channel is
    latched. `revision` changes whenever the run's state does. `expected` is how many seconds of its
    own time the run is thought to take, and `speed` how many of those pass in one of ours (None where
    nobody can tell). `acknowledged` is who has seen the channel's trouble or latch.
    """

    channel: str
    driver: str
    simulated: bool
    state: str
    trouble: str | None
    latch: str | None
    run: str | None
    last_run: str | None
    cell: str | None
    protocol: str | None
    started: str | None
    path: str | None
    verb: str | None
    setting: str | None
    revision: str
    queued: int
    patience: float
    instrument: str = ""
    chamber: str | None = None
    study: str | None = None
    expected: float | None = None
    speed: float | None = 1.0
    why: str | None = None
    """Why the run in hand waits."""
    since: float | None = None
    """Since when the channel is latched, UTC seconds."""
    acknowledged: str | None = None
    wanted: str | None = None
    """What a study asks somebody to put on it."""


class Values(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The last reading, kept or not, SI; `read_at` is the UTC second it was read, `time` that of the run."""

    read_at: float | None = None
    time: float | None = None
    voltage: float | None = None
    current: float | None = None
    capacity: float | None = None
    energy: float | None = None
    temperature: float | None = None
    step: int | None = None
    cycle: int | None = None


class Glance(msgspec.Struct, frozen=True, array_like=True):
    """One channel: what it is doing, and its last reading."""

    facts: Facts
    values: Values


AT_A_TIME = 64
"""Channels told before anything else has its turn: a look at a thousand delays nobody."""
