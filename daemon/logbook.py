"""What a run writes down: every event and every kept reading, numbered, handed on without waiting."""

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from daemon.messages import (
    ImpedancePoints,
    ImpedanceRow,
    Item,
    Noted,
    ReadingRow,
    Readings,
    StepEnded,
    StepStarted,
)
from daemon.progress import Tally
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
"""Readings remembered whether they are kept or not: what a trip is explained with."""

Emit = Callable[[Item], None]
"""Hands an item over without waiting: no broker and no disk can stall a control loop."""


class Logbook:
    """The numbering of one run. Times are seconds since the run began.

    `latest` is what a person watching wants to see: the last reading, kept or not. `recent` are the last
    readings, the one that tripped among them. A run that is taken up again sets the four counters and
    `first_reading` to where they stood before its step is resumed.
    """

    def __init__(self, run: str, emit: Emit) -> None:
        self.run = run
        self.readings = 0
        self.impedance_points = 0
        self.steps = 0
        self.notes = 0
        self.latest: Mapping[str, Any] = {}
        self.recent: deque[ReadingRow] = deque(maxlen=RECENT)
        self.first_reading: int | None = None
        """Number of the first reading kept of the open step."""
        self._emit = emit
        self._visit: Visit | None = None
        self._kept: tuple[float, Reading] | None = None
        self._pending: ReadingRow | None = None
        self._tally = Tally(None)

    def step_started(self, time: float, visit: Visit, open_circuit_voltage: float | None) -> None:
        """A step takes over the channel."""
        self.steps += 1
        self._visit = visit
        self.first_reading = None
        self._kept = self._pending = None
        self._tally = Tally(None)
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

    def step_resumed(self, visit: Visit, tally: Tally) -> None:
        """The step numbered `steps`, on record already, goes on; `tally` knows what it has behind it."""
        self._visit = visit
        self._kept = self._pending = None
        self._tally = tally

    def looked(self, time: float, reading: Reading) -> None:
        """Note a reading that belongs to no step, such as the first look at the cell: it is not kept."""
        self.recent.append(_row(time, reading, Tally(None)))

    def reading(
        self, time: float, step_time: float, reading: Reading, tally: Tally, *, thinned: bool
    ) -> None:
        """Note a reading; keep it if the step's rule says so, or if the instrument `thinned` already."""
        visit = self._open_visit()
        self._tally = tally
        row = _row(time, reading, tally)
        self.recent.append(row)
        self.latest = {
            "time": time,
            "step": self.steps,
            "path": visit.step.path,
            "verb": visit.step.verb,
            "setting": visit.step.setting,
            "cycle": visit.cycle,
            "voltage": reading.voltage,
            "current": reading.current,
            "capacity": tally.coulombs,
            "energy": tally.joules,
            "temperature": reading.temperature,
            "flags": reading.flags,
        }
        if self._kept is None or thinned or visit.step.record.keeps(*self._kept, step_time, reading):
            self._keep(visit, row)
            self._kept = (step_time, reading)
            self._pending = None
        else:
            self._pending = row

    def impedance_point(self, time: float, point: ImpedancePoint, tally: Tally) -> None:
        """Note one frequency of a spectrum; all are kept."""
        visit = self._open_visit()
        self._tally = tally
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
            self._keep(visit, self._pending)
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
                first_reading=self.first_reading,
                last_reading=self.readings if self.first_reading is not None else None,
                start_voltage=tally.first.voltage if tally.first is not None else None,
                end_voltage=tally.last.voltage if tally.last is not None else None,
                mean_voltage=tally.mean_voltage,
            )
        )
        self._visit = None

    def note(self, time: float, kind: str, text: str, detail: Mapping[str, Any] | None = None) -> None:
        """Something a person reading the run should know."""
        self.notes += 1
        self._emit(Noted(self.run, self.notes, time, kind, text, detail or {}))

    @property
    def in_step(self) -> bool:
        """Whether a step has started and not ended."""
        return self._visit is not None

    def _keep(self, visit: Visit, row: ReadingRow) -> None:
        self.readings += 1
        if self.first_reading is None:
            self.first_reading = self.readings
        self._emit(Readings(self.run, self.steps, visit.cycle, first=self.readings, rows=(row,)))

    def _open_visit(self) -> Visit:
        if self._visit is None:
            raise ValueError("no step is open")
        return self._visit


def _row(time: float, reading: Reading, tally: Tally) -> ReadingRow:
    voltage, current = reading.voltage, reading.current
    return ReadingRow(
        time, voltage, current, tally.coulombs, tally.joules, reading.temperature, reading.flags
    )


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
