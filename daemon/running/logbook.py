"""What a run writes down: every event and every kept reading, numbered, handed on without waiting."""

import time as wall
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from daemon.delivery.messages import (
    ImpedancePoints,
    ImpedanceRow,
    Item,
    Noted,
    ReadingRow,
    Readings,
    StepEnded,
    StepStarted,
)
from daemon.engines.counts import Count
from daemon.engines.progress import Tally
from daemon.host.uptime import uptime
from daemon.running.position import Position, StepPosition
from protocols.reading import ImpedancePoint, Reading
from protocols.techniques import (
    ConstantCurrent,
    ConstantPower,
    ConstantResistance,
    ConstantVoltage,
    Technique,
)
from protocols.walk import Visit

RECENT = 20
"""Readings, kept or not, that are at hand to explain a trip."""

Emit = Callable[[Item], None]
"""Hands an item over without waiting: no broker and no disk can stall a control loop."""


class Logbook:
    """The numbering of one run. Times are seconds since the run began.

    `latest` is what a person watching wants to see: the last reading, kept or not.
    """

    def __init__(self, run: str, emit: Emit) -> None:
        self.run = run
        self.readings = 0
        self.impedance_points = 0
        self.steps = 0
        self.notes = 0
        self.latest: Mapping[str, Any] = {}
        self.read_at = wall.time()
        """The UTC moment of the last reading, in seconds since 1970."""
        self.read_up = uptime()
        """The same moment by the machine's own clock."""
        self.recent: deque[Reading] = deque(maxlen=RECENT)
        self._open_circuit: float | None = None
        self._emit = emit
        self._visit: Visit | None = None
        self._first_reading: int | None = None
        self._kept: tuple[float, Reading] | None = None
        self._pending: ReadingRow | None = None
        self._tally = Tally(None)

    def continued(self, position: Position) -> None:
        """Go on with the numbering where an earlier core committed it."""
        self.readings, self.impedance_points = position.readings, position.impedance_points
        self.steps, self.notes = position.steps, position.notes

    def step_continued(self, visit: Visit, step: StepPosition, tally: Tally) -> None:
        """The step that an earlier core was in the middle of goes on, or is ended where it stood."""
        self._visit, self._tally = visit, tally
        self._first_reading, self._open_circuit = step.first_reading, step.open_circuit
        self._kept = self._pending = None

    def step_position(self) -> StepPosition | None:
        """How far the open step is; None between steps."""
        if self._visit is None:
            return None
        tally = self._tally
        return StepPosition(
            tally.seconds,
            tally.coulombs,
            tally.joules,
            self._first_reading,
            self._open_circuit,
            tally.first,
            tally.last,
        )

    def step_started(self, time: float, visit: Visit, open_circuit_voltage: float | None) -> None:
        """A step takes over the channel."""
        self.steps += 1
        self._visit = visit
        self._first_reading = None
        self._kept = self._pending = None
        self._tally = Tally(None)
        self._open_circuit = open_circuit_voltage
        step = visit.step
        self._emit(
            StepStarted(
                run=self.run,
                ordinal=self.steps,
                time=time,
                path=step.path,
                line=step.line,
                verb=step.verb,
                setting=step.setting,
                set_value=_set_value(step.technique),
                cycle=visit.cycle,
                rounds=visit.rounds,
                marks=step.marks,
                open_circuit_voltage=open_circuit_voltage,
            )
        )

    def looked(self, reading: Reading) -> None:
        """Remember a reading that belongs to no step, such as the first look at the cell; it is not kept."""
        self.recent.append(reading)

    def reading(
        self,
        time: float,
        step_time: float,
        reading: Reading,
        tally: Tally,
        *,
        thinned: bool,
        early: float = 0.0,
    ) -> None:
        """Note a reading; keep it if the step's rule says so, or if the instrument `thinned` already.

        `early` is by how many seconds it may come too soon and still be the one that was due.
        """
        visit = self._open_visit()
        self._saw(tally)
        self.recent.append(reading)
        row = ReadingRow(
            time,
            reading.voltage,
            reading.current,
            tally.coulombs,
            tally.joules,
            reading.temperature,
            reading.flags,
        )
        self.latest = self._told(visit, row)
        if self._kept is None or thinned or visit.step.record.keeps(*self._kept, step_time, reading, early):
            self._keep(visit, (row,))
            self._kept = (step_time, reading)
            self._pending = None
        else:
            self._pending = row

    @property
    def kept(self) -> tuple[float, Reading] | None:
        """The last reading kept of the open step and its step time; None before the first."""
        return self._kept

    def went_on(self, count: Count, recent: Sequence[Reading], tally: Tally) -> None:
        """Take over what was recorded elsewhere of the open step; `recent` are the last of those readings."""
        visit = self._open_visit()
        self._tally = tally
        self.read_at = wall.time()
        self.recent.extend(recent)
        self.readings = int(count.number)
        kept_at = count.kept_time + count.step_zero
        self._kept = count.kept_time, Reading(kept_at, count.kept_voltage, count.kept_current)
        time = count.time - count.run_zero
        row = ReadingRow(time, count.voltage, count.current, count.capacity, count.energy, None, 0)
        self.latest = self._told(visit, row)
        self._pending = None if count.kept_time == count.time - count.step_zero else row

    def stretch(self, rows: Sequence[ReadingRow], tally: Tally) -> None:
        """Note consecutive readings of the open step, at least one, that an instrument thinned already."""
        visit, last = self._open_visit(), rows[-1]
        self._saw(tally)
        self.recent.extend(
            Reading(row.time, row.voltage, row.current, row.temperature, row.flags) for row in rows[-RECENT:]
        )
        self._keep(visit, rows)
        self.latest = self._told(visit, last)

    def impedance_point(self, time: float, point: ImpedancePoint, tally: Tally) -> None:
        """Note one frequency of a spectrum; all are kept."""
        visit = self._open_visit()
        self._saw(tally)
        row = ImpedanceRow(time, point.frequency, point.real, point.imaginary, point.flags)
        self._emit(
            ImpedancePoints(self.run, self.steps, visit.cycle, first=self.impedance_points + 1, rows=(row,))
        )
        self.impedance_points += 1
        self.latest = {
            "time": time,
            "step": self.steps,
            "path": visit.step.path,
            "verb": visit.step.verb,
            "setting": visit.step.setting,
            "cycle": visit.cycle,
            "frequency": point.frequency,
            "real": point.real,
            "imaginary": point.imaginary,
        }

    def step_ended(self, time: float, reason: str) -> None:
        """The step is over; its last reading is kept whatever the rule said."""
        visit, tally = self._open_visit(), self._tally
        if self._pending is not None:
            self._keep(visit, (self._pending,))
            self._pending = None
        self._emit(
            StepEnded(
                run=self.run,
                ordinal=self.steps,
                time=time,
                reason=reason,
                duration=tally.seconds,
                capacity=tally.coulombs,
                energy=tally.joules,
                first_reading=self._first_reading,
                last_reading=self.readings if self._first_reading is not None else None,
                start_voltage=tally.first.voltage if tally.first is not None else None,
                end_voltage=tally.last.voltage if tally.last is not None else None,
                mean_voltage=tally.mean_voltage,
                own_capacity=tally.own_coulombs,
            )
        )
        self._visit = None

    def note(self, time: float, kind: str, text: str, detail: Mapping[str, Any] | None = None) -> None:
        """Something a person reading the run should know."""
        self.notes += 1
        self._emit(Noted(self.run, self.notes, time, kind, text, detail or {}, wall.time()))

    @property
    def cycle(self) -> int:
        """The cycle the open step belongs to."""
        return self._open_visit().cycle

    @property
    def in_step(self) -> bool:
        """Whether a step has started and not ended."""
        return self._visit is not None

    def _keep(self, visit: Visit, rows: Sequence[ReadingRow]) -> None:
        number = self.readings + 1
        self._emit(Readings(self.run, self.steps, visit.cycle, first=number, rows=rows))
        self.readings += len(rows)  # only once they were taken: refused readings must leave no gap
        if self._first_reading is None:
            self._first_reading = number

    def _told(self, visit: Visit, row: ReadingRow) -> Mapping[str, Any]:
        return {
            "time": row.time,
            "step": self.steps,
            "path": visit.step.path,
            "verb": visit.step.verb,
            "setting": visit.step.setting,
            "cycle": visit.cycle,
            "voltage": row.voltage,
            "current": row.current,
            "capacity": row.capacity,
            "energy": row.energy,
            "temperature": row.temperature,
            "flags": row.flags,
        }

    def _saw(self, tally: Tally) -> None:
        self._tally = tally
        self.read_at, self.read_up = wall.time(), uptime()

    def _open_visit(self) -> Visit:
        if self._visit is None:
            raise ValueError("no step is open")
        return self._visit


def _set_value(technique: Technique) -> float | None:
    match technique:
        case ConstantCurrent(amperes):
            return amperes
        case ConstantVoltage(level):
            return level.volts
        case ConstantPower(watts):
            return watts
        case ConstantResistance(ohms):
            return ohms
        case _:
            return None
