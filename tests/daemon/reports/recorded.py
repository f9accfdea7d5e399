"""A recorded run for reports: a cell that cycles, took a spectrum, was polarised and swept."""

import math
from collections.abc import Iterator

import msgspec
import numpy as np

from daemon.delivery.messages import (
    ImpedancePoints,
    ImpedanceRow,
    Item,
    Noted,
    ReadingRow,
    Readings,
    RunEnded,
    StepEnded,
    StepStarted,
)
from daemon.recording.store import FigureRow, Store
from tests.daemon.deliveries import batched, run_started

PER_STEP = 60


def keep_run(store: Store, run: str, cycles: int = 3, cell: str = "Li-S, <b>PP</b>", **labels: str) -> None:
    """Record a run of so many cycles of 3.6 C (1 mAh) with figures, an event and one gap."""
    items = list(_items(run, cycles, cell, labels))
    store.add(batched(items))
    store.set_figures(
        run,
        [
            FigureRow("capacity", 3.6, "C", 0.036, "discharge capacity of cycle 1", cycle=1),
            FigureRow("pulse_resistance", None, "", None, "", warnings=("no step is marked `pulse`",)),
        ],
    )


def _items(run: str, cycles: int, cell: str, labels: dict[str, str]) -> Iterator[Item]:
    yield msgspec.structs.replace(run_started(run, cell), labels=labels)
    number, ordinal = 1, 1
    for cycle in range(1, cycles + 1):
        for verb, sign in (("discharge", -1.0), ("charge", 1.0)):
            yield StepStarted(
                run, ordinal, 3600.0 * ordinal, "1.1", 7, verb, "1 mA", sign * 1e-3, cycle, [], [], None
            )
            yield Readings(run, ordinal, cycle, number, _half_cycle(3600.0 * ordinal, sign))
            last = number + PER_STEP - 1
            ended, coulombs = 3600.0 * (ordinal + 1), sign * 3.6
            passed = (3600.0, coulombs, coulombs * (2.1 + 0.1 * sign))
            yield StepEnded(run, ordinal, ended, "voltage", *passed, number, last, 2.0, 2.2, 2.1)
            number, ordinal = last + 1, ordinal + 1
    for verb, rows in (("polarise", _polarisation()), ("sweep", _sweep())):
        began = 3600.0 * ordinal
        yield StepStarted(run, ordinal, began, "2", 9, verb, "10 mV", 0.01, 0, [], [], 0.0)
        yield Readings(run, ordinal, 0, number, [row._replace(time=row.time + began) for row in rows])
        last = number + len(rows) - 1
        yield StepEnded(run, ordinal, began + 100, "time", 100.0, 0.0, 0.0, number, last, 0.0, 0.0, 0.0)
        number, ordinal = last + 1, ordinal + 1
    yield StepStarted(
        run, ordinal, 3600.0 * ordinal, "3", 11, "impedance", "5 mV", None, 0, [], ["before"], None
    )
    yield ImpedancePoints(run, ordinal, 0, 1, _spectrum())
    yield StepEnded(run, ordinal, 3600.0 * ordinal + 60, "done", 60.0, 0.0, 0.0, None, None, None, None, None)
    yield Noted(run, 1, 90.0, "paused", "by a person <script>alert(1)</script>")
    yield RunEnded(run, "2026-01-31T14:00:00+00:00", 7200.0, "finished", "end of protocol", number + 1, 25)


def _half_cycle(began: float, sign: float) -> list[ReadingRow]:
    share = np.linspace(0, 1, PER_STEP)
    volts = 2.1 + sign * (0.1 + 0.3 * (share - 0.5) ** 3)
    rows = zip((began + 3600 * share).tolist(), volts.tolist(), (sign * 3.6 * share).tolist(), strict=True)
    return [
        ReadingRow(time, volt, sign * 1e-3, coulombs, coulombs * volt, 25.0, 0)
        for time, volt, coulombs in rows
    ]


def _polarisation() -> list[ReadingRow]:
    times = np.geomspace(1e-3, 100.0, 40).tolist()
    return [ReadingRow(t, 0.01, 1e-4 * (1 + math.exp(-t)), 0.0, 0.0, None, 0) for t in times]


def _sweep() -> list[ReadingRow]:
    turn = [*range(50), *range(50, 0, -1)]
    return [
        ReadingRow(float(i), 1.7 + v / 50, 1e-3 * math.sin(v / 8), 0.0, 0.0, None, 0)
        for i, v in enumerate(turn)
    ]


def _spectrum() -> list[ImpedanceRow]:
    hertz = np.geomspace(1e5, 1.0, 25)
    ohms = 4 + 30 / (1 + 2j * np.pi * hertz * 30 * 5e-6)
    return [
        ImpedanceRow(0.0, f, z.real, z.imag, 0) for f, z in zip(hertz.tolist(), ohms.tolist(), strict=True)
    ]
