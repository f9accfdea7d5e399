"""Where a study and each of its cells stand, and what may become of them: plain values, no waiting."""

from collections.abc import Sequence
from enum import StrEnum

import msgspec

from daemon.errors import ServiceError
from daemon.running.journal_file import Ending
from daemon.running.run import RunState


class StudyState(StrEnum):
    """Where a study stands; those from `finished` on are final."""

    RUNNING = "running"
    PAUSED = "paused"  # begins nothing; what runs goes on
    FINISHED = "finished"  # every cell is measured or left out
    CANCELLED = "cancelled"  # by a person; what ran then went on to its end
    REPLACED = "replaced"  # by a later version of it, which took its cells over


class CellState(StrEnum):
    """Where a cell of a study stands."""

    WAITING = "waiting"  # for a channel
    ASKED = "asked"  # a person is to put it on its channel
    BEGINNING = "beginning"  # it is there, and its run is being submitted
    RUNNING = "running"  # paused and interrupted, too: its run says which
    FINISHED = "finished"
    STOPPED = "stopped"
    TRIPPED = "tripped"
    FAILED = "failed"
    REFUSED = "refused"  # its run could not begin
    LEFT_OUT = "left out"  # by a person


WRONG = (CellState.STOPPED, CellState.TRIPPED, CellState.FAILED, CellState.REFUSED)
"""What needs a person: it can be tried again, or left out."""

OPEN = (CellState.WAITING, CellState.ASKED, CellState.BEGINNING, CellState.RUNNING)

HOLDING = (CellState.ASKED, CellState.BEGINNING)
"""States in which a channel is kept for the cell, though it has no run of it."""


class StudyCell(msgspec.Struct, frozen=True):
    """One cell of a study; `since` is UTC seconds, `key` that of the submission of its run.

    `earlier` are its runs that went wrong and were tried again, `readings` what its run kept.
    """

    state: CellState = CellState.WAITING
    since: float = 0.0
    channel: str | None = None
    run: str | None = None
    reason: str = ""
    key: str = ""
    earlier: Sequence[str] = ()
    readings: int = 0

    def asked(self, channel: str, now: float) -> "StudyCell":
        """A person is to put it on a channel."""
        return self._moved(CellState.ASKED, now, channel=channel, reason="")

    def beginning(self, channel: str, key: str, now: float) -> "StudyCell":
        """It is on a channel, and its run is submitted under a key."""
        return self._moved(CellState.BEGINNING, now, channel=channel, key=key, reason="")

    def running(self, run: str, now: float) -> "StudyCell":
        """Its run has begun."""
        return self._moved(CellState.RUNNING, now, run=run)

    def waiting(self, now: float) -> "StudyCell":
        """It waits for a channel again."""
        return self._moved(CellState.WAITING, now, channel=None, key="")

    def refused(self, reason: str, now: float) -> "StudyCell":
        """Its run could not begin."""
        return self._moved(CellState.REFUSED, now, reason=reason, key="")

    def ended(self, ending: Ending, now: float) -> "StudyCell":
        """Its run is over."""
        state = CellState.FAILED if ending.state == RunState.INTERRUPTED else CellState(ending.state)
        return self._moved(state, now, reason=ending.reason, readings=ending.readings)

    def left_out(self, reason: str, now: float) -> "StudyCell":
        """Nobody is to measure it. Raises `ServiceError` while it is being measured, or has been."""
        if self.state in (CellState.BEGINNING, CellState.RUNNING):
            raise ServiceError(f"it is being measured on {self.channel}; stop its run first")
        if self.state in (CellState.FINISHED, CellState.LEFT_OUT):
            raise ServiceError(f"it is {self.state.value} already")
        return self._moved(CellState.LEFT_OUT, now, channel=None, reason=reason, key="")

    def again(self, now: float) -> "StudyCell":
        """It is to be tried once more. Raises `ServiceError` unless it went wrong or was left out."""
        if self.state not in (*WRONG, CellState.LEFT_OUT):
            raise ServiceError(
                f"it is {self.state.value}; only a cell that went wrong or was left out can be tried again"
            )
        earlier = self.earlier if self.run is None else (*self.earlier, self.run)
        return StudyCell(CellState.WAITING, now, earlier=earlier)

    def _moved(self, state: CellState, now: float, **changes: object) -> "StudyCell":
        return msgspec.structs.replace(self, state=state, since=now, **changes)


class Standing(msgspec.Struct, frozen=True):
    """Where a study stands; `acts` counts what people wanted of it, `ended` is UTC seconds."""

    state: StudyState = StudyState.RUNNING
    reason: str = ""
    acts: int = 0
    ended: float | None = None

    @property
    def revision(self) -> str:
        """What a person must have seen who wants something of it."""
        return f"{self.acts}-{self.state.value}"

    def acted(self) -> "Standing":
        """A person's wish was carried out."""
        return msgspec.structs.replace(self, acts=self.acts + 1)

    def steered(self, state: StudyState, reason: str = "") -> "Standing":
        """A person paused, let go on or cancelled it."""
        return msgspec.structs.replace(self, state=state, reason=reason, acts=self.acts + 1, ended=None)

    def over(self, state: StudyState, now: float) -> "Standing":
        """Nothing of it is left to be done."""
        return msgspec.structs.replace(self, state=state, ended=now)


def final(standing: Standing, cells: Sequence[StudyCell]) -> StudyState | None:
    """Return the state in which a study is over by itself, or None while something is left to be done."""
    states = {cell.state for cell in cells}
    if standing.state in (StudyState.CANCELLED, StudyState.REPLACED):
        return standing.state if states.isdisjoint(OPEN) else None
    settled = states <= {CellState.FINISHED, CellState.LEFT_OUT}
    return StudyState.FINISHED if settled else None


_cell_decoder = msgspec.msgpack.Decoder(StudyCell)
_standing_decoder = msgspec.msgpack.Decoder(Standing)


def cell_decoded(blob: bytes) -> StudyCell:
    """Return a cell from the journal."""
    return _cell_decoder.decode(blob)


def standing_decoded(blob: bytes) -> Standing:
    """Return from the journal where a study stands."""
    return _standing_decoder.decode(blob)
