"""What a run was asked to do, frozen when it was submitted, so that it can be planned again."""

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from daemon.delivery.messages import RunStarted
from protocols.limits import Limits


class ResumePolicy(StrEnum):
    """What becomes of a run that was interrupted with its circuit found open."""

    CONFIRM = "confirm"  # it waits for a person
    AUTO = "auto"  # it goes on by itself where nothing speaks against it
    NEVER = "never"  # it is over


class Order(msgspec.Struct, frozen=True):
    """The source of a run: what it was planned from, and the digest the plan must have again.

    `window` is what the channel allowed. `started` is its start record, kept because the spool may
    be lost.
    """

    run: str
    channel: str
    protocol: str
    protocol_file: str
    cell_source: str
    cell_file: str
    variables: Mapping[str, str]
    window: Limits
    resume: ResumePolicy
    started: RunStarted
    key: str = ""
    """What whoever submitted it gave, so that a repeat begins nothing; empty where nothing was."""

    @property
    def cell(self) -> str:
        """The name of the cell."""
        return self.started.cell

    def encoded(self) -> bytes:
        """Return it as the journal keeps it."""
        return msgspec.msgpack.encode(self)


def decoded(blob: bytes) -> Order:
    """Return an order from the journal. Raises `ValueError` for one that cannot be read."""
    return _decoder.decode(blob)


_decoder = msgspec.msgpack.Decoder(Order)
