"""The documents of the API that are no records of the database: what is sent, and what is answered."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from daemon.running.order import ResumePolicy
from daemon.web.problem import ProblemDocument
from daemon.web.tokens import Scope
from protocols.vocabulary import Word

_FILE = 64 * 1024 + 1  # one more than may be: the checker says what is wrong, with its place

PLAIN = r"^[^\x00-\x08\x0b-\x1f\x7f-\x9f]*$"
"""A control character in what people write would steer a screen, or stop a database."""

Words = Annotated[str, Field(max_length=500, pattern=PLAIN)]
"""What people write for people."""


class Sent(BaseModel):
    """What a client sends: unknown keys are mistakes, not ignored."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Draft(Sent):
    """A protocol for a cell, to be checked; with a channel, against what the channel allows."""

    protocol: str = Field(max_length=_FILE, description="YAML")
    cell: str = Field(max_length=_FILE, description="YAML")
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

    protocol: str = Field(max_length=_FILE, description="YAML")
    cell: str = Field(max_length=_FILE, description="YAML")
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


class Resubmission(BaseModel):
    """What a run was asked, as it would be asked again."""

    protocol: str
    cell: str
    variables: Mapping[str, str]
    core: str
    channel: str | None


class Submitted(BaseModel):
    """A run that has begun, or that waits in its channel's queue (then `run` is None)."""

    run: str | None
    core: str
    channel: str
    queued: int | None = Field(default=None, description="its place in the queue, from 1")
    warnings: list[str] = []
    seconds: float | None = Field(default=None, description="how long it is expected to take")


class Done(BaseModel):
    """A person's wish was carried out; `revision` is the run's from now on."""

    run: str
    done: str
    revision: str | None = None


class Cleared(BaseModel):
    """A latch that was undone."""

    channel: str
    cleared_by: str
    reason: str


class Opened(BaseModel):
    """A channel and whether its circuit was confirmed open."""

    core: str
    channel: str
    off: bool
    told: str


class Safe(BaseModel):
    """Every channel; `safe` only if each confirmed."""

    safe: bool
    channels: list[Opened]


class LibraryText(Sent):
    """A file to be kept in the library."""

    text: str = Field(max_length=_FILE, description="YAML, kept as it is")


class NewName(Sent):
    """What a file is to be called."""

    name: str = Field(max_length=48, pattern=r"^[a-z0-9][a-z0-9_-]{0,47}$")


class ListedFile(BaseModel):
    """A file of the library by its name and what it calls itself; `changed` is UTC seconds, of own ones."""

    name: str
    title: str
    own: bool
    changed: float | None


class WholeFile(BaseModel):
    """A file of the library; `own` where the lab may change it."""

    name: str
    text: str
    own: bool
    changed: float | None


class SavedVersion(BaseModel):
    """A version of a file that was saved once; `saved` is UTC seconds."""

    number: int
    who: str
    saved: float


class Use(BaseModel):
    """A run of what a file of the library describes."""

    run: str
    state: str
    started: str | None


class Audited(BaseModel):
    """Who did what to what."""

    core: str
    number: int
    time: float = Field(description="UTC seconds")
    who: str
    what: str
    subject: str
    detail: str


class AuditPage(BaseModel):
    """The latest first; `next` is the cursor of what came before."""

    entries: Sequence[Audited]
    next: str | None


class Asked(BaseModel):
    """A request that would change something: by whom, from where, and how it was answered."""

    number: int
    time: float = Field(description="UTC seconds")
    who: str | None = Field(description="the token's name; None for somebody unknown")
    address: str
    method: str
    path: str
    status: int = Field(description="of HTTP: 2xx was done, everything else was not")


class LedgerPage(BaseModel):
    """The latest first; `next` is the cursor of what came before."""

    entries: Sequence[Asked]
    next: str | None


class Visitor(BaseModel):
    """Who is logged in; nobody where there is no name."""

    name: str | None
    scope: Scope | None


class TokenFacts(BaseModel):
    """A token without its secret."""

    name: str
    scope: Scope
    created: str
    expires: str | None
    last_used: str | None


class MadeToken(BaseModel):
    """A new token; its secret is shown this once."""

    name: str
    scope: Scope
    token: str


class Health(BaseModel):
    """Whether the process lives."""

    status: str


class Readiness(BaseModel):
    """Whether everything behind it answers; what does not is named."""

    ready: bool
    trouble: Mapping[str, str]


class Channel(BaseModel):
    """A channel and its last reading, SI; `read_at` is UTC seconds."""

    core: str
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
    instrument: str = Field(description="the instrument it is on")
    chamber: str | None
    study: str | None
    expected: float | None = Field(description="seconds of its own time the run is thought to take")
    speed: float | None = Field(description="seconds of the run's time in one of ours; null: not known")
    why: str | None = Field(description="why the run in hand waits")
    since: float | None = Field(description="since when it is latched, UTC seconds")
    acknowledged: str | None = Field(description="who has seen what is wrong with it")
    wanted: str | None = Field(description="what a study asks somebody to put on it")
    latest: Mapping[str, float | int | None]


class Plan(BaseModel):
    """What a protocol would do; see `galvanod check`. `preview` is a sketch; `basis` there says of what."""

    model_config = ConfigDict(extra="allow")

    protocol: str
    digest: str
    limits: Mapping[str, Any]
    steps: Sequence[Mapping[str, Any]]
    forecast: Mapping[str, float | str]
    figures: Sequence[str]
    warnings: Sequence[str]
    table: Sequence[Sequence[str]]
    window: Sequence[Any]
    preview: Mapping[str, Sequence[float | None] | str]


class QueuedRun(BaseModel):
    """A submission that waits; `since` is UTC seconds."""

    number: int
    who: str
    since: float
    protocol: str
    cell: str


class ChannelQueue(BaseModel):
    """What waits on a channel, the next first; `held` is why it does not go on."""

    held: str | None
    waiting: Sequence[QueuedRun]


class QueueOrder(Sent):
    """What waits on a channel in its new order, by number, the next first."""

    order: list[Annotated[int, Field(ge=1, le=2**62)]] = Field(max_length=1000)


class Holding(Sent):
    """Why a queue is held."""

    reason: str = Field(default="", max_length=200, pattern=PLAIN)


class WentOn(BaseModel):
    """The run that began; None where the channel is still busy."""

    run: str | None


class Vocabulary(BaseModel):
    """The words of protocol and cell files, each with its place, meaning, example, units and verbs."""

    protocol: Sequence[Word]
    cell: Sequence[Word]


class Verdict(BaseModel):
    """What the checker says: the plan of a protocol that can be run, or what is to be mended."""

    plan: Plan | None
    problem: ProblemDocument | None


class Rehearsal(BaseModel):
    """A rehearsal: waiting, running, done, refused or ended; `found` is what is known so far.

    In `found`: `model` says which simulated cell stood in, `curve` (at most 2 000 rows), `cycles`,
    `impedance`, `figures`, `steps` (how each went and how often it is to come), `totals`, `trip` (when
    a limit would open the circuit), and `expected` (the whole of it, the part that was not gone
    through carried on from the last round). SI; current positive on charge.
    """

    rehearsal: str
    state: str
    before: int = Field(description="how many others are before it while it waits")
    family: str
    problem: ProblemDocument | None
    found: Mapping[str, Any] | None
