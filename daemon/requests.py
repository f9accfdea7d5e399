"""What the core can be asked over its control socket: one JSON object per line, one answer each.

A request names what to do and carries its arguments; the answer is `{"ok": …}` or
`{"error": {…}}`. `watch` answers with `{"event": …}` lines until the run is over, then `{"ok": null}`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from daemon.running.order import ResumePolicy

LARGEST_STUDY = 256 * 1024
"""Bytes that a study and its own files may have together."""

LARGEST = 2 * LARGEST_STUDY + 128 * 1024
"""Bytes a request may have: a study with every character escaped, and the names of its files, fit."""


class _Request(msgspec.Struct, tag_field="do", forbid_unknown_fields=True, kw_only=True):
    """`by` is the person on whose behalf a process such as the page asks; the audit names both."""

    by: str = ""


class StudyText(msgspec.Struct, frozen=True):
    """A file of a study, and what messages call it."""

    text: str
    file: str


class Status(_Request, tag="status"):
    """How the core is: version, epoch, spool, broker, channels, runs."""


class Channels(_Request, tag="channels"):
    """Every channel, or one: its instrument, cell, run and last reading; of one also what it may hold."""

    channel: str | None = None


class Instruments(_Request, tag="instruments"):
    """Every instrument and chamber: where and who it is, whether it answers, and its channels."""


class Glances(_Request, tag="glances"):
    """What a page shows of every channel; a list of `Glance` at a time, so that nothing else waits long."""


class Audit(_Request, tag="audit"):
    """Who did what, the latest first: up to `limit` entries before the one numbered `before`."""

    before: int | None = None
    limit: int = 100


class Queue(_Request, tag="queue"):
    """What waits on a channel, and why it does not go on where it does not."""

    channel: str


class Unqueue(_Request, tag="unqueue"):
    """Take a submission out of a channel's queue."""

    channel: str
    number: int


class Reorder(_Request, tag="reorder"):
    """Put the submissions that wait on a channel in another order: their numbers, the next first.

    Refused where other ones wait by now than those named.
    """

    channel: str
    order: Sequence[int]


class Hold(_Request, tag="hold"):
    """Let a queue begin nothing until somebody lets it go on."""

    channel: str
    reason: str = ""


class GoOn(_Request, tag="go on"):
    """Let a queue go on that is held; answers with the run that began."""

    channel: str


class Check(_Request, tag="check"):
    """Plan a protocol for a cell on a channel; nothing runs."""

    protocol: str
    protocol_file: str
    cell: str
    cell_file: str
    channel: str
    variables: Mapping[str, str] = {}


class Submit(_Request, tag="submit"):
    """Plan a protocol and start it; answers with the run.

    A repeat with the same `key` answers with the run that the first began. With `queue` it waits
    where the channel is busy, and begins when the run before it has finished.
    """

    protocol: str
    protocol_file: str
    cell: str
    cell_file: str
    channel: str
    variables: Mapping[str, str] = {}
    resume: ResumePolicy = ResumePolicy.CONFIRM
    labels: Mapping[str, str] = {}
    key: str = ""
    queue: bool = False


class Runs(_Request, tag="runs"):
    """The runs this core has in hand."""


class Watch(_Request, tag="watch"):
    """Follow a run live, at most `per_second` events a second."""

    run: str
    per_second: float = 5.0


class Pause(_Request, tag="pause"):
    """Open the circuit before the next reading and wait.

    Like every request that steers a run it answers with the run's new revision, and is refused
    where a `revision` is given and the run has changed since.
    """

    run: str
    revision: str | None = None


class Resume(_Request, tag="resume"):
    """Go on with a paused or an interrupted run."""

    run: str
    revision: str | None = None


class Stop(_Request, tag="stop"):
    """End a run now, the cell disconnected; refused where a `cell` is named and it is another's."""

    run: str
    reason: str = "stopped by a person"
    revision: str | None = None
    cell: str | None = None


class Clear(_Request, tag="clear"):
    """Undo a channel's latch, having looked at its cell; answers with what it was latched for.

    Refused where `latch` is what somebody saw it latched for, and it is for something else by now.
    """

    channel: str
    reason: str
    latch: str | None = None


class Acknowledge(_Request, tag="acknowledge"):
    """Note that somebody has seen what is wrong with a channel; nothing is undone by it."""

    channel: str


class Safe(_Request, tag="safe"):
    """Open every circuit that needs somebody, or `everything`; runs there end as stopped."""

    everything: bool = False
    deadline: float = 15.0


class Doctor(_Request, tag="doctor"):
    """Say what is attached to a channel, or to all, and what is wrong with it; closes no circuit."""

    channel: str | None = None


class StudyRequest(_Request):
    """What studies are asked."""


class StudyDraft(StudyRequest, tag="check study", kw_only=True):
    """Check a study with the files it names that are not ready ones; nothing is kept or runs.

    `protocols` and `cells` are texts by the names the study calls them; `full` has the rows that are
    left out of the short study.
    """

    study: str
    study_file: str
    protocols: Mapping[str, StudyText] = {}
    cells: Mapping[str, StudyText] = {}
    full: bool = False


class ConductStudy(StudyRequest, tag="conduct study", kw_only=True):
    """Check a study and conduct it; answers with how it stands.

    A repeat with the same `key` answers with the study that the first began. A study of the same title
    is taken over: what it has measured, and what runs, is not done again, unless it is wanted `anew`.
    """

    study: str
    study_file: str
    protocols: Mapping[str, StudyText] = {}
    cells: Mapping[str, StudyText] = {}
    full: bool = False
    resume: ResumePolicy = ResumePolicy.CONFIRM
    anew: bool = False
    key: str = ""


class Studies(StudyRequest, tag="studies"):
    """Up to `limit` studies, the latest submitted first: those before a moment, or then and
    numbered below.
    """

    before: float | None = None
    number: int = 0
    limit: int = 50


class Study(StudyRequest, tag="study"):
    """How a study stands, cell by cell; with `whole` also its files and what was put into its cells."""

    study: str
    whole: bool = False


class SteerStudy(StudyRequest, kw_only=True):
    """What a person wants of a study; refused where a `revision` is given and it has changed since."""

    study: str
    revision: str | None = None


class MountCell(SteerStudy, tag="mount cell", kw_only=True):
    """A cell that was asked for is on a channel now: its run may begin."""

    cell: int
    channel: str


class RetryCell(SteerStudy, tag="retry cell", kw_only=True):
    """Try a cell again that went wrong, was refused or was left out."""

    cell: int


class LeaveOutCell(SteerStudy, tag="leave out cell", kw_only=True):
    """Do not measure a cell."""

    cell: int
    reason: str


class PauseStudy(SteerStudy, tag="pause study"):
    """Begin nothing more of a study; what runs goes on."""


class ContinueStudy(SteerStudy, tag="continue study"):
    """Let a study go on that was paused."""


class CancelStudy(SteerStudy, tag="cancel study", kw_only=True):
    """Begin nothing more of a study, for good; what runs goes on to its end."""

    reason: str


Request = (
    Status
    | Channels
    | Instruments
    | Glances
    | Audit
    | Queue
    | Unqueue
    | Reorder
    | Hold
    | GoOn
    | Check
    | Submit
    | Runs
    | Watch
    | Pause
    | Resume
    | Stop
    | Clear
    | Acknowledge
    | Safe
    | Doctor
    | StudyDraft
    | ConductStudy
    | Studies
    | Study
    | MountCell
    | RetryCell
    | LeaveOutCell
    | PauseStudy
    | ContinueStudy
    | CancelStudy
)


class Trouble(msgspec.Struct, frozen=True):
    """An error as the socket carries it."""

    kind: str
    message: str
    exit_status: int
    problems: Sequence[Mapping[str, Any]] = ()
