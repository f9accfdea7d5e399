"""The documents of the API that clients send."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from daemon.running.order import ResumePolicy
from daemon.web.tokens import Scope
from protocols.source import MOST_BYTES

FILE = MOST_BYTES + 1
"""Letters: one more than may be, since the checker says what is wrong with its place."""

PLAIN = r"^[^\x00-\x08\x0b-\x1f\x7f-\x9f]*$"
"""A control character in what people write would steer a screen, or stop a database."""

Words = Annotated[str, Field(max_length=500, pattern=PLAIN)]
"""What people write for people."""


class Sent(BaseModel):
    """What a client sends: unknown keys are mistakes, not ignored."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Draft(Sent):
    """A protocol for a cell, to be checked; with a channel, against what the channel allows."""

    protocol: str = Field(max_length=FILE, description="YAML")
    cell: str = Field(max_length=FILE, description="YAML")
    core: str | None = Field(default=None, max_length=64)
    channel: str | None = Field(default=None, max_length=64)
    variables: dict[str, str] = Field(default={}, max_length=64)


class RehearsalWanted(Draft):
    """A protocol for a cell, to be rehearsed on a simulated instrument of the channel's family."""

    on: str | None = Field(
        default=None, max_length=32, description="another family, or where no channel is named"
    )
    seconds: float = Field(
        default=20.0, ge=1.0, le=120.0, description="its run may take; what is not reached is extrapolated"
    )


class Submission(Sent):
    """A protocol for the cell that is in a channel, to be run."""

    protocol: str = Field(max_length=FILE, description="YAML")
    cell: str = Field(max_length=FILE, description="YAML")
    core: str = Field(max_length=64)
    channel: str = Field(max_length=64)
    variables: dict[str, str] = Field(default={}, max_length=64)
    resume: ResumePolicy = Field(default=ResumePolicy.CONFIRM, strict=False)
    labels: dict[Words, Words] = Field(default={}, max_length=32, description="kept with the run")
    queue: bool = Field(default=False, description="wait in the channel's queue where it is busy")


class Stopping(Sent):
    """A run to be ended; whoever stops it names the cell, so that it is the right one."""

    cell: str = Field(max_length=256, description="the name of the run's cell, as the run says it")
    reason: Words = Field(default="stopped by a person", min_length=1)


class Clearing(Sent):
    """A latch to be undone by somebody who has looked at the cell."""

    reason: Words = Field(min_length=3, description="what was found and done; kept")
    latch: str | None = Field(
        default=None,
        max_length=2_000,
        description="what it was seen to be latched for; 412 where it is for something else by now",
    )


class Everything(Sent):
    """Every circuit to be opened: `everything` also where an instrument would end its step by itself."""

    everything: bool = True


class LogIn(Sent):
    """A token, for a session."""

    token: str = Field(max_length=200)


class NewToken(Sent):
    """A token to be made."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,31}$", description="the audit shows it")
    scope: Scope = Field(strict=False)
    days: int | None = Field(default=None, ge=1, le=3650, description="after which it expires")


class LibraryText(Sent):
    """A file to be kept in the library."""

    text: str = Field(max_length=FILE, description="YAML, kept as it is")


class NewName(Sent):
    """What a file is to be called."""

    name: str = Field(max_length=48, pattern=r"^[a-z0-9][a-z0-9_-]{0,47}$")


class QueueOrder(Sent):
    """What waits on a channel in its new order, by number, the next first."""

    order: list[Annotated[int, Field(ge=1, le=2**62)]] = Field(max_length=1000)


class Holding(Sent):
    """Why a queue is held."""

    reason: str = Field(default="", max_length=200, pattern=PLAIN)
