"""Conducts a study: puts cells on channels as these come free, and follows their runs to the end."""

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from daemon.client import AnswerError, ask
from daemon.errors import ServiceError, UnavailableError, UnknownError
from daemon.places import Places
from daemon.reading.results import Results, RunRecord
from daemon.requests import Channels, Check, Runs, Status, Submit
from daemon.studies.files import check_files, files_of
from drivers.errors import InstrumentError
from drivers.rehearsal import RehearsalClock
from protocols.errors import ProtocolError
from protocols.study import Study, Task

_log = logging.getLogger(__name__)

LOOK_SECONDS = 0.25
"""Between looks at the runs."""

Confirm = Callable[[Task, str], Awaitable[bool]]
"""Asks a person to put a cell on a channel; false where it cannot be done now."""


@dataclass(slots=True)
class Measurement:
    """One cell of a study and its run, once it has one; `truth` is what was put into a simulated cell."""

    task: Task
    seed: int
    run: str | None = None
    channel: str | None = None
    state: str = "waiting"
    reason: str = ""
    kept: int = 0
    truth: Mapping[str, Any] = field(default_factory=dict)

    @property
    def over(self) -> bool:
        return self.state not in ("waiting", "running", "paused", "interrupted")


class Progress(NamedTuple):
    """How far a study is: cells measured, of how many, readings kept, and batches nobody has recorded yet."""

    over: int
    runs: int
    kept: int
    backlog: int


class Conductor:
    """Conducts one study on the core of `places`; what an earlier call began is taken up, not begun again."""

    def __init__(self, places: Places, study: Study, full: bool, confirm: Confirm) -> None:
        self._places = places
        self._study = study
        self._full = full
        self._confirm = confirm
        self.measurements = [Measurement(task, seed) for seed, task in enumerate(study.tasks(full), start=1)]

    async def conduct(self, database: str) -> AsyncIterator[Progress]:
        """Yield how far it is until every cell is measured, recorded and figured.

        Raises `UnknownError` where the bench lacks an instrument the study names.
        """
        await self._check()
        self._take_up(await asyncio.to_thread(_recorded, database))
        while True:
            await self._look()
            await self._start_what_fits()
            status = await self._ask(Status())
            yield self._progress(status["spool"]["backlog"])
            if all(one.over for one in self.measurements) and await asyncio.to_thread(
                _is_settled, database, self._names()
            ):
                return
            await asyncio.sleep(LOOK_SECONDS)

    def _names(self) -> list[str]:
        return [one.run for one in self.measurements if one.run is not None]

    def _progress(self, backlog: int) -> Progress:
        over = sum(one.over for one in self.measurements)
        return Progress(over, len(self.measurements), sum(one.kept for one in self.measurements), backlog)

    async def _check(self) -> None:
        """Refuse what cannot be measured on this bench before anything runs."""
        check_files(self._study, self._full)
        channels = await self._ask(Channels())
        self._places_for(channels)
        for one in self.measurements:
            if one.task.replicate == 1:
                row, (protocol, cell) = one.task.row, files_of(self._study, one.task)
                channel = next(c["channel"] for c in channels if row.on in (c["channel"], c["on"]))
                variables = dict(one.task.variables)
                request = Check(protocol.text, protocol.file, cell.text, cell.file, channel, variables)
                try:
                    await self._ask(request)
                except AnswerError as error:
                    raise error.within(f"{row.place}: {row.protocol}, {one.task.variant.name}") from error

    def _places_for(self, channels: Sequence[Mapping[str, Any]]) -> None:
        known = {name for channel in channels for name in (channel["channel"], channel["on"])}
        for row in self._study.rows:
            if row.on not in known:
                raise UnknownError(
                    f"{row.place}: the bench has no {row.on!r} to run {row.protocol} on; it has "
                    f"{', '.join(sorted(known))}"
                )

    def _take_up(self, recorded: Iterable[RunRecord]) -> None:
        """Give every measurement the latest run that was begun for it and did not go wrong."""
        begun = {_key(run.labels): run for run in recorded if run.labels.get("study") == self._study.name}
        for one in self.measurements:
            run = begun.get(_key(self._labels(one)))
            if run is not None and run.state in ("running", "finished"):
                one.run, one.channel, one.state = run.name, run.channel, run.state

    async def _start_what_fits(self) -> None:
        occupied = {one.channel for one in self.measurements if not one.over}
        channels = [
            channel
            for channel in await self._ask(Channels())
            if channel["run"] is None and channel["latch"] is None and channel["trouble"] is None
            if channel["channel"] not in occupied
        ]
        starting = []
        for one in self.measurements:
            if one.state != "waiting":
                continue
            fitting = (c for c in channels if one.task.row.on in (c["channel"], c["on"]))
            channel = next(fitting, None)
            if channel is not None:
                channels.remove(channel)
                starting.append(self._start(one, channel))
        await asyncio.gather(*starting)

    async def _start(self, one: Measurement, channel: Mapping[str, Any]) -> None:
        """Put the cell on the channel and begin; what is refused ends the measurement with its reason."""
        try:
            if not await self._mounted(one, channel):
                return
            answer = await self._ask(self._request(one, channel["channel"]))
        except (AnswerError, ProtocolError, InstrumentError) as error:
            one.state, one.reason = "refused", str(error)
            _log.warning("%s on %s: %s", one.task.label, channel["channel"], error)
            return
        one.run, one.channel, one.state = answer["run"], channel["channel"], "running"

    async def _mounted(self, one: Measurement, channel: Mapping[str, Any]) -> bool:
        simulated = one.task.variant.simulated
        if channel["rehearsal"] is None:
            return await self._confirm(one.task, channel["channel"])
        if simulated is None:
            raise InstrumentError(
                f"channel {channel['channel']} is simulated; wanted `simulated: <cell>` for {one.task.label}"
            )
        alike = one.task.row.replicates > 1
        await RehearsalClock.insert(channel["rehearsal"], simulated, one.seed, alike)
        return True

    def _request(self, one: Measurement, channel: str) -> Submit:
        protocol, cell = files_of(self._study, one.task)
        return Submit(
            protocol.text,
            protocol.file,
            cell.text,
            cell.file,
            channel,
            dict(one.task.variables),
            labels=self._labels(one),
        )

    def _labels(self, one: Measurement) -> dict[str, str]:
        task = one.task
        return {
            "study": self._study.name,
            "protocol": task.row.protocol,
            "cell": task.row.cell,
            "on": task.row.on,
            "variant": task.variant.name,
            "replicate": str(task.replicate),
            "variables": _digest(task.variables),
        }

    async def _look(self) -> None:
        """See how the runs are; of one that has ended, ask at once what was put into its cell."""
        runs = {run["run"]: run for run in await self._ask(Runs())}
        ended: list[Measurement] = []
        for one in self.measurements:
            found = runs.get(one.run) if one.run is not None else None
            if found is None or one.over:
                continue
            one.state, one.reason = found["state"], found["reason"]
            one.kept = found["readings"] + found["impedance_points"]
            if one.over:
                ended.append(one)
        if ended:
            rehearsals = {c["channel"]: c["rehearsal"] for c in await self._ask(Channels())}
            await asyncio.gather(*(_learn(one, rehearsals.get(one.channel)) for one in ended))

    async def _ask(self, request: Any) -> Any:
        return await asyncio.to_thread(ask, self._places.socket, request)


async def _learn(one: Measurement, rehearsal: str | None) -> None:
    if rehearsal is not None:
        one.truth = await RehearsalClock.truth_at(rehearsal)


def _key(labels: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(
        labels.get(name, "")
        for name in ("study", "protocol", "cell", "on", "variant", "replicate", "variables")
    )


def _digest(variables: Mapping[str, str]) -> str:
    """Tell two rows apart that differ in their variables only."""
    text = "\n".join(f"{name}={value}" for name, value in sorted(variables.items()))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _recorded(database: str) -> list[RunRecord]:
    try:
        results = Results.open(database)
    except UnavailableError:
        return []  # nothing has been recorded yet
    try:
        return list(results.runs())
    finally:
        results.close()


def _is_settled(database: str, names: Sequence[str]) -> bool:
    """Whether every run's stop record has arrived and its figures cover it."""
    try:
        results = Results.open(database)
    except UnavailableError:
        return False
    try:
        return results.all_figured(list(names))
    finally:
        results.close()


def unfinished(measurements: Iterable[Measurement]) -> ServiceError | None:
    """Return the error that says which cells were not measured to their end, or None."""
    wrong = [f"{one.task.label} {one.state}: {one.reason}" for one in measurements if one.state != "finished"]
    return ServiceError("\n".join(wrong)) if wrong else None
