"""The studies of one core: submitted once, each conducted by its own task, found again after a restart."""

import asyncio
import json
import logging
import time
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from daemon import requests
from daemon.errors import KeyReusedError, ServiceError, StaleError, UnknownError
from daemon.running.journal import Journal
from daemon.running.journal_file import StudyRow
from daemon.studies.checking import Checked, checked
from daemon.studies.conductor import Clock, Conductor
from daemon.studies.facts import facts, summary
from daemon.studies.floor import Floor
from daemon.studies.order import StudyOrder
from daemon.studies.record import Record, study_name, study_number
from daemon.studies.standing import StudyState
from daemon.studies.takeover import TakeOver
from protocols.errors import ProtocolError

_log = logging.getLogger(__name__)

MOST_LISTED = 500

AGAIN_SECONDS = 1.0
"""Before a study that a fault of ours ended is taken up again."""


class Studies:
    """Every study of a core; those that go on are conducted as tasks of the group it is given."""

    def __init__(self, core: str, journal: Journal, floor: Floor, clock: Clock = time.time) -> None:
        self._core = core
        self._journal = journal
        self._floor = floor
        self._clock = clock
        self._conductors: dict[str, Conductor] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._group: asyncio.TaskGroup | None = None
        self._submitting = asyncio.Lock()
        for row in reversed(journal.studies):
            record = self._readable(row)
            if record is not None:
                self._take(record)

    def conducted_in(self, group: asyncio.TaskGroup) -> None:
        """Conduct as tasks of this group from now on, what was begun before first."""
        self._group = group
        for conductor in list(self._conductors.values()):
            self._conduct(conductor)

    def tasks(self) -> list[asyncio.Task[None]]:
        """Return the tasks that conduct."""
        return list(self._tasks.values())

    def wake(self) -> None:
        """Something has happened on the bench."""
        for conductor in self._conductors.values():
            conductor.wake()

    def holder(self, channel: str) -> tuple[Record, int] | None:
        """Return the study and the number of the cell that a channel is kept for."""
        for conductor in self._conductors.values():
            number = conductor.holds(channel)
            if number is not None:
                return conductor.record, number
        return None

    def kept_from(self, channel: str, key: str) -> str | None:
        """Say for what a channel is kept from a submission with this key; None where it is not."""
        held = self.holder(channel)
        if held is None or held[0].cells[held[1] - 1].key == key != "":
            return None
        record, number = held
        return f"cell {number} of study {record.name} ({record.tasks[number - 1].label})"

    def wanted(self, channel: str) -> str | None:
        """Say what a person is asked to put on a channel."""
        held = self.holder(channel)
        if held is None or held[0].cells[held[1] - 1].key:
            return None
        return f"{held[0].name}: put {held[0].tasks[held[1] - 1].label} here"

    async def answer(self, request: requests.StudyRequest, who: str) -> Any:
        """Answer what people ask of studies."""
        match request:
            case requests.StudyDraft():
                return (await checked(request, self._floor)).facts(self._floor)
            case requests.ConductStudy():
                return await self._submitted(request, who)
            case requests.Studies(before, number, limit):
                return await self._listed(before, number, min(limit, MOST_LISTED))
            case requests.Study(study, whole):
                record = await self._record(study)
                return await self._facts(record) | (await self._whole(record) if whole else {})
            case requests.SteerStudy():
                return await self._steer(request, who)

    async def _submitted(self, request: requests.ConductStudy, who: str) -> Mapping[str, Any]:
        async with self._submitting:
            earlier = await self._journal.study_of_key(request.key) if request.key else None
            found = await checked(request, self._floor)
            if earlier is not None:
                record = Record.of(self._core, earlier)
                if not record.order.same(self._order(request, found, 0, who)):
                    raise KeyReusedError(
                        f"key {request.key[:40]!r} began study {record.name}, which is another one"
                    )
                return await self._facts(await self._record(record.name))
            return await self._begun(request, found, who)

    async def _begun(self, request: requests.ConductStudy, found: Checked, who: str) -> Mapping[str, Any]:
        before = None if request.anew else await self._latest(found.study.name)
        if before is not None and self._is_this(before, request, found):
            return await self._facts(before)
        number = await self._journal.next_study()
        record = Record(study_name(self._core, number), self._order(request, found, number, who))
        if before is None:
            await record.add(self._journal)
        else:
            await self._taken_over(before, record)
        self._conduct(self._take(record))
        return await self._facts(record)

    def _is_this(self, before: Record, request: requests.ConductStudy, found: Checked) -> bool:
        going_on = before.standing.state not in (StudyState.CANCELLED, StudyState.REPLACED)
        return going_on and before.order.same(self._order(request, found, 0, ""))

    async def _taken_over(self, earlier: Record, record: Record) -> None:
        """Keep a study with what an earlier version has measured; nobody begins anything meanwhile."""
        conductor = self._conductors.get(earlier.name)
        if conductor is not None:
            await conductor.retire()
        try:
            takeover = TakeOver.of(earlier, record, self._clock())
            for number, cell in takeover.cells().items():
                record.cells[number - 1] = cell
            await record.add(self._journal, takeover.statements(record.order.number))
        finally:
            if conductor is not None:
                conductor.go_on()
        takeover.done()
        if conductor is not None:
            conductor.wake()

    def _order(self, request: requests.ConductStudy, found: Checked, number: int, who: str) -> StudyOrder:
        return StudyOrder(
            number=number,
            text=request.study,
            file=request.study_file,
            full=request.full,
            files=found.files,
            who=who,
            submitted=self._clock(),
            expected=found.seconds,
            key=request.key,
            resume=request.resume,
        )

    async def _latest(self, title: str) -> Record | None:
        row = await self._journal.latest_study(title)
        return None if row is None else await self._record(study_name(self._core, row.number))

    async def _steer(self, request: requests.SteerStudy, who: str) -> Mapping[str, Any]:
        """Do what a person wants of a study, and answer how it stands then."""
        record = await self._record(request.study)
        self._require(record, request.revision)
        if record.name not in self._conductors:
            return await self._taken_up(record.name, request, who)
        conductor = self._conductors[record.name]
        match request:
            case requests.MountCell(cell=cell, channel=channel):
                await conductor.mounted(_of(record, cell), channel, who)
            case requests.RetryCell(cell=cell):
                await conductor.again(_of(record, cell), who)
            case requests.LeaveOutCell(cell=cell, reason=reason):
                await conductor.left_out(_of(record, cell), _said(reason), who)
            case requests.PauseStudy():
                _require_state(record, StudyState.RUNNING)
                await conductor.steered(StudyState.PAUSED, "", who)
            case requests.ContinueStudy():
                _require_state(record, StudyState.PAUSED)
                await conductor.steered(StudyState.RUNNING, "", who)
            case requests.CancelStudy(reason=reason):
                _require_state(record, StudyState.RUNNING, StudyState.PAUSED)
                await conductor.steered(StudyState.CANCELLED, _said(reason), who)
        return await self._facts(record)

    async def _taken_up(self, name: str, request: requests.SteerStudy, who: str) -> Mapping[str, Any]:
        """Of a study that is over a cell can be tried again; then it goes on, with one conductor."""
        async with self._submitting:
            if name not in self._conductors:
                record = await self._record(name)
                self._require(record, request.revision)
                if not isinstance(request, requests.RetryCell):
                    raise ServiceError(f"study {record.name} is over: {record.standing.state.value}")
                conductor = self._conductor(record)
                await conductor.again(_of(record, request.cell), who)
                self._conductors[record.name] = conductor
                self._conduct(conductor)
                return await self._facts(record)
        return await self._steer(request, who)  # somebody took it up a moment ago

    def _require(self, record: Record, seen: str | None) -> None:
        if seen is not None and seen != record.standing.revision:
            raise StaleError(
                f"study {record.name} is {record.standing.state.value} now, and somebody has acted since you "
                "looked; look again"
            )

    async def _listed(self, before: float | None, number: int, limit: int) -> list[Mapping[str, Any]]:
        rows = await self._journal.studies_before(before if before is not None else 1e15, number, limit)
        records = filter(None, map(self._readable, rows))
        return [summary(self._in_hand(record), self._core) for record in records]

    def _readable(self, row: StudyRow) -> Record | None:
        """Return a study that is kept; one of an earlier version that cannot be read stays on the disk."""
        try:
            return Record.of(self._core, row)
        except (ProtocolError, msgspec.MsgspecError) as error:
            _log.error("study %s cannot be read: %s", study_name(self._core, row.number), error)
            return None

    def _in_hand(self, record: Record) -> Record:
        conductor = self._conductors.get(record.name)
        return record if conductor is None else conductor.record

    async def _record(self, name: str) -> Record:
        number = study_number(self._core, name)
        known = None if number is None else study_name(self._core, number)
        if known in self._conductors:
            return self._conductors[known].record
        row = None if number is None else await self._journal.study(number)
        if row is None:
            raise UnknownError(f"this core has no study {name[:80]!r}; `galvanod studies` lists all")
        return Record.of(self._core, row)

    async def _facts(self, record: Record) -> dict[str, Any]:
        conductor = self._conductors.get(record.name)
        trouble = None if conductor is None else conductor.trouble
        return facts(record, self._core, self._floor, self._clock(), trouble)

    async def _whole(self, record: Record) -> dict[str, Any]:
        truths = await self._journal.truths(record.order.number)
        order = record.order
        return {
            "text": order.text,
            "file": order.file,
            "protocols": dict(_plain(order.files.protocols)),
            "cell_files": dict(_plain(order.files.cells)),
            "truths": {str(number): json.loads(blob) for number, blob in truths},
        }

    def _take(self, record: Record) -> Conductor:
        conductor = self._conductors[record.name] = self._conductor(record)
        return conductor

    def _conductor(self, record: Record) -> Conductor:
        return Conductor(record, self._journal, self._floor, self._is_kept, self._clock)

    def _is_kept(self, channel: str) -> bool:
        return any(conductor.uses(channel) for conductor in self._conductors.values())

    def _conduct(self, conductor: Conductor) -> None:
        if self._group is not None:
            name = conductor.record.name
            self._tasks[name] = self._group.create_task(self._conducted(conductor), name=f"study {name}")

    async def _conducted(self, conductor: Conductor) -> None:
        """Conduct a study to its end; then it is on the disk only."""
        name = conductor.record.name
        try:
            while name in self._conductors:
                try:
                    await conductor.conduct()
                    if conductor.record.over:  # nobody has tried a cell again while it came to its end
                        del self._conductors[name]
                except Exception:  # a fault of ours in one study must not end the core's runs
                    _log.exception("study %s is taken up again", name)
                    await asyncio.sleep(AGAIN_SECONDS)
        finally:
            del self._tasks[name]


def _of(record: Record, cell: int) -> int:
    if not 1 <= cell <= len(record.cells):
        raise UnknownError(f"study {record.name} has no cell {cell}; its cells are 1 to {len(record.cells)}")
    return cell


def _said(reason: str) -> str:
    if not reason.strip():
        raise ServiceError("this is done for a reason, which is kept; none was given")
    return reason.strip()


def _require_state(record: Record, *states: StudyState) -> None:
    if record.standing.state not in states:
        wanted = " or ".join(state.value for state in states)
        raise ServiceError(f"study {record.name} is {record.standing.state.value}, not {wanted}")


def _plain(files: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, file in files.items():
        yield name, {"text": file.text, "file": file.file, "ready": file.ready}
