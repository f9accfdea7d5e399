"""A study checked before anything of it begins: every file, every plan, a channel for every cell."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from daemon import requests
from daemon.requests import LARGEST_STUDY, Check
from daemon.studies.files import File, Files, frozen, given
from daemon.studies.floor import Floor, Seat
from daemon.studies.schedule import finishes
from protocols.errors import Place, Problem, ProtocolError
from protocols.nodes import did_you_mean
from protocols.problems import MOST_PROBLEMS
from protocols.study import Row, Study, Task


@dataclass(frozen=True, slots=True)
class Checked:
    """A study that can be conducted: every file it needs, and the seconds each of its cells takes."""

    study: Study
    tasks: Sequence[Task]
    files: Files
    seconds: Sequence[float]
    full: bool

    def facts(self, floor: Floor) -> dict[str, Any]:
        """Return what a person wants to know before submitting it, as plain data."""
        waits = [
            (seconds / min(floor.speed(s.channel) for s in floor.seats(task.row.on)), _channels(task, floor))
            for task, seconds in zip(self.tasks, self.seconds, strict=True)
        ]
        return {
            "title": self.study.name,
            "cells": len(self.tasks),
            "seconds": max(finishes(waits, {}), default=0.0),
            "rows": [self._row(row, floor) for row in self.study.rows_of(self.full)],
            "files": [
                {"kind": kind, "name": name, "file": file.file, "ready": file.ready}
                for kind, files in (("protocol", self.files.protocols), ("cell", self.files.cells))
                for name, file in files.items()
            ],
        }

    def _row(self, row: Row, floor: Floor) -> Mapping[str, Any]:
        seconds = [s for task, s in zip(self.tasks, self.seconds, strict=True) if task.row is row]
        seats = floor.seats(row.on)
        return {
            "protocol": row.protocol,
            "cell": row.cell,
            "on": row.on,
            "replicates": row.replicates,
            "variants": [variant.name for variant in row.variants],
            "channels": [seat.channel for seat in seats],
            "real": sum(seat.real for seat in seats),
            "seconds": max(seconds),
        }


def _channels(task: Task, floor: Floor) -> Sequence[str]:
    return [seat.channel for seat in floor.seats(task.row.on)]


async def checked(request: requests.StudyDraft | requests.ConductStudy, floor: Floor) -> Checked:
    """Check a study; raises one `ProtocolError` with all that is wrong, each at its place.

    A mistake in a protocol is told once, at its place in the protocol; what speaks against one
    variant on its channel, too. Raises `InstrumentError` where the channel's instrument does not answer.
    """
    own = _own(request)
    _require_size(request, own)
    study = await asyncio.to_thread(Study.parse, request.study, request.study_file)  # it may be a large one
    problems = _without_channel(study, floor, request.full)
    try:
        files = await asyncio.to_thread(frozen, study, own, request.full)
    except ProtocolError as error:
        problems |= dict.fromkeys(error.problems)
    _settle(problems)
    tasks = list(study.tasks(request.full))
    seconds: dict[tuple[Place, str], float] = {}
    for task in tasks:
        if task.replicate == 1:
            try:
                seconds[_kind(task)] = await _planned(task, files, floor)
            except ProtocolError as error:
                problems |= dict.fromkeys(error.problems)
        if len(problems) >= MOST_PROBLEMS:
            break
    _settle(problems)
    return Checked(study, tasks, files, [seconds[_kind(task)] for task in tasks], request.full)


def _kind(task: Task) -> tuple[Place, str]:
    """Tell apart what is planned alike: replicates are."""
    return task.row.place, task.variant.name


def _own(request: requests.StudyDraft | requests.ConductStudy) -> Files:
    return Files(
        {name: File(each.text, each.file) for name, each in request.protocols.items()},
        {name: File(each.text, each.file) for name, each in request.cells.items()},
    )


def _require_size(request: requests.StudyDraft | requests.ConductStudy, own: Files) -> None:
    size = len(request.study.encode()) + own.bytes
    if size > LARGEST_STUDY:
        seen = f"a study and files of {size} bytes together"
        wanted = f"at most {LARGEST_STUDY} ({LARGEST_STUDY // 1024} KiB)"
        raise ProtocolError(Problem(Place(request.study_file, 1, 1), seen, wanted))


def _settle(problems: dict[Problem, None]) -> None:
    if problems:
        found = sorted(problems, key=lambda problem: (problem.place.line, problem.place.column))
        raise ProtocolError(*found[:MOST_PROBLEMS])


def _without_channel(study: Study, floor: Floor, full: bool) -> dict[Problem, None]:
    """Return the rows without a channel, and the variants that lack the simulated cell theirs has to hold."""
    problems: dict[Problem, None] = {}
    for task in study.tasks(full):
        seats = floor.seats(task.row.on)
        if not seats:
            problems[_no_channel(task.row, floor)] = None
        elif task.variant.simulated is None and not all(seat.real for seat in seats):
            problems[_not_simulated(task, seats)] = None
    return problems


def _no_channel(row: Row, floor: Floor) -> Problem:
    known = sorted(floor.names())
    wanted = f"an instrument or a channel of it: {', '.join(known)}{did_you_mean(row.on, known)}"
    return Problem(row.places["on"], f"the bench has no {row.on!r}", wanted)


def _not_simulated(task: Task, seats: Sequence[Seat]) -> Problem:
    channel = next(seat.channel for seat in seats if not seat.real)
    seen = f"{task.variant.name!r} without `simulated`, while channel {channel} is simulated"
    return Problem(task.variant.place, seen, "`simulated: <cell>`, e.g. li_s/pp")


async def _planned(task: Task, files: Files, floor: Floor) -> float:
    protocol, cell = given(files, task)
    seats = floor.seats(task.row.on)
    request = Check(
        protocol.text, protocol.file, cell.text, cell.file, seats[0].channel, dict(task.variables)
    )
    return await floor.planned(request)
