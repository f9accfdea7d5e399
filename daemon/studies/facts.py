"""What people are told of a study: cell by cell, what it waits for, how far it is, and when it will end."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from daemon.studies.floor import Floor, RunNow
from daemon.studies.record import Record
from daemon.studies.schedule import finishes
from daemon.studies.standing import HOLDING, OPEN, WRONG, CellState, StudyCell
from protocols.study import Row, Task


def summary(record: Record, core: str) -> dict[str, Any]:
    """Return a study in a line."""
    counts = Counter(cell.state.value for cell in record.cells)
    return {
        "study": record.name,
        "core": core,
        "title": record.study.name,
        "state": record.standing.state.value,
        "reason": record.standing.reason,
        "who": record.order.who,
        "submitted": record.order.submitted,
        "ended": record.standing.ended,
        "revision": record.standing.revision,
        "full": record.order.full,
        "cells": len(record.cells),
        "counts": dict(counts),
        "over": sum(cell.state not in OPEN for cell in record.cells),
        "asks": counts[CellState.ASKED],
        "wrong": 0 if record.over else sum(cell.state in WRONG for cell in record.cells),
    }


def facts(record: Record, core: str, floor: Floor, now: float, trouble: str | None) -> dict[str, Any]:
    """Return everything of a study but its files, as plain data."""
    rows = record.study.rows_of(record.order.full)
    runs = [None if cell.run is None else floor.run(cell.run) for cell in record.cells]
    cells = [
        {"row": _index(rows, task.row), **_cell(number, task, cell, run, floor)}
        for number, (task, cell, run) in enumerate(
            zip(record.tasks, record.cells, runs, strict=True), start=1
        )
    ]
    ends = None if record.over else now + max(_forecast(record, runs, floor), default=0.0)
    return summary(record, core) | {
        "trouble": trouble,
        "ends": ends,
        "rows": [
            {
                "row": number,
                "protocol": row.protocol,
                "cell": row.cell,
                "on": row.on,
                "replicates": row.replicates,
                "variants": [variant.name for variant in row.variants],
                "variables": dict(row.variables),
            }
            for number, row in enumerate(rows, start=1)
        ],
        "each": cells,
    }


def _index(rows: Sequence[Row], row: Row) -> int:
    return next(number for number, each in enumerate(rows, start=1) if each is row)


def _cell(number: int, task: Task, cell: StudyCell, run: RunNow | None, floor: Floor) -> Mapping[str, Any]:
    going = run is not None and cell.state is CellState.RUNNING
    return {
        "number": number,
        "protocol": task.row.protocol,
        "variant": task.variant.name,
        "replicate": task.replicate,
        "label": task.label,
        "cell": task.variant.cell or task.row.cell,
        "state": run.state if run is not None and going else cell.state.value,
        "reason": run.reason if run is not None and going else cell.reason,
        "since": cell.since,
        "channel": cell.channel,
        "channels": [s.channel for s in floor.seats(task.row.on)] if cell.state is CellState.ASKED else [],
        "run": cell.run,
        "earlier": list(cell.earlier),
        "readings": run.readings if run is not None and going else cell.readings,
    }


def _forecast(record: Record, runs: Sequence[RunNow | None], floor: Floor) -> list[float]:
    """Return the seconds from now until each cell that is left will be done."""
    busy: dict[str, float] = {}
    waiting: list[tuple[float, Sequence[str]]] = []
    for task, cell, run, seconds in zip(record.tasks, record.cells, runs, record.order.expected, strict=True):
        if cell.state is CellState.RUNNING and cell.channel is not None:
            left = max(0.0, seconds - (run.seconds if run is not None else 0.0))
            busy[cell.channel] = left / floor.speed(cell.channel)
        elif cell.state in (*HOLDING, CellState.WAITING):
            channels = [seat.channel for seat in floor.seats(task.row.on)]
            if channels:
                waiting.append((seconds / min(map(floor.speed, channels)), channels))
    return [*busy.values(), *finishes(waiting, busy)]
