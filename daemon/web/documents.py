"""The documents of the API that are answered and are no records of the database."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from daemon.web.problem import ProblemDocument
from daemon.web.tokens import Scope
from protocols.vocabulary import Word


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
