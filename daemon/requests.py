"""What the core can be asked over its control socket: one JSON object per line, one answer each.

A request names what to do and carries its arguments; the answer is `{"ok": …}` or
`{"error": {…}}`. `watch` answers with `{"event": …}` lines until the run is over, then `{"ok": null}`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from daemon.order import ResumePolicy

LARGEST = 512 * 1024
"""Bytes a request may have: two files of 64 KiB with every character escaped fit."""


class _Request(msgspec.Struct, tag_field="do", forbid_unknown_fields=True):
    pass


class Status(_Request, tag="status"):
    """How the core is: version, epoch, spool, broker, channels, runs."""


class Channels(_Request, tag="channels"):
    """Every channel: its instrument, cell, run and last reading."""


class Check(_Request, tag="check"):
    """Plan a protocol for a cell on a channel; nothing runs."""

    protocol: str
    protocol_file: str
    cell: str
    cell_file: str
    channel: str
    variables: Mapping[str, str] = {}


class Submit(_Request, tag="submit"):
    """Plan a protocol and start it; answers with the run."""

    protocol: str
    protocol_file: str
    cell: str
    cell_file: str
    channel: str
    variables: Mapping[str, str] = {}
    resume: ResumePolicy = ResumePolicy.CONFIRM
    labels: Mapping[str, str] = {}


class Runs(_Request, tag="runs"):
    """The runs this core has in hand."""


class Watch(_Request, tag="watch"):
    """Follow a run live, at most `per_second` events a second."""

    run: str
    per_second: float = 5.0


class Pause(_Request, tag="pause"):
    """Open the circuit before the next reading and wait."""

    run: str


class Resume(_Request, tag="resume"):
    """Go on with a paused or an interrupted run."""

    run: str


class Stop(_Request, tag="stop"):
    """End a run now, the cell disconnected."""

    run: str
    reason: str = "stopped by a person"


class Clear(_Request, tag="clear"):
    """Undo a channel's latch, having looked at its cell; answers with what it was latched for."""

    channel: str
    reason: str


class Safe(_Request, tag="safe"):
    """Open every circuit that needs somebody, or `everything`; runs there end as stopped."""

    everything: bool = False
    deadline: float = 15.0


Request = Status | Channels | Check | Submit | Runs | Watch | Pause | Resume | Stop | Clear | Safe


class Trouble(msgspec.Struct, frozen=True):
    """An error as the socket carries it."""

    kind: str
    message: str
    exit_status: int
    problems: Sequence[Mapping[str, Any]] = ()
