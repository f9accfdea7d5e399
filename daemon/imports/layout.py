"""What the columns of one maker's table are called, and the recording they make."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from daemon.imports.counters import Counter, PairCounter, StepCounter
from daemon.imports.kinds import Kind, kind_of
from daemon.imports.recording import Integers, Recording, Source
from daemon.imports.table import Table
from daemon.imports.text import refused
from protocols.figures.estimate import Array

Names = Sequence[str]
AMPERE_HOUR = WATT_HOUR = 3600.0
_MOST = 2**31 - 1  # what a database counts to


@dataclass(frozen=True, slots=True)
class Layout:
    """The names of the columns of one kind of table; the unit in a heading wins over the default.

    `kind` is a column of step names. `capacity` and `energy` begin anew with every step and have
    no sign; `charged` and `discharged` (and those of energy) are pairs, `fresh` where they begin
    anew with every step. With `gaps` a cell of voltage or current may be empty: no number was read.
    """

    time: Names
    voltage: Names
    current: Names
    step: Names
    cycle: Names = ()
    step_time: Names = ()
    kind: Names = ()
    capacity: Names = ()
    energy: Names = ()
    charged: Names = ()
    discharged: Names = ()
    charged_energy: Names = ()
    discharged_energy: Names = ()
    temperature: Names = ()
    moment: Names = ()
    fresh: bool = False
    gaps: bool = False

    def read(self, table: Table, source: Source) -> Recording:
        """Make the recording; `UnreadableError` where a number is missing or time runs backwards."""
        labels = table.texts(self.kind) or []
        kinds = [kind_of(label) for label in labels]
        time = _increasing(table, self.time, table.needed("time", self.time))
        return Recording(
            source=replace(source, began=source.began or began(table, self.moment, time)),
            time=time,
            voltage=table.needed("voltage", self.voltage, gaps=self.gaps),
            current=with_sign(table.needed("current", self.current, gaps=self.gaps), kinds),
            step=_integers(table, "number of the step", self.step),
            kind=[kind.verb for kind in kinds] or [""] * len(table),
            cycle=_integers(table, "number of the cycle", self.cycle)
            if table.find(self.cycle) is not None
            else None,
            step_time=table.numbers(self.step_time),
            charge=counter(table, self.capacity, self.charged, self.discharged, self.fresh),
            energy=counter(table, self.energy, self.charged_energy, self.discharged_energy, self.fresh),
            temperature=table.numbers(self.temperature),
            labels=labels,
        )


def counter(table: Table, single: Names, charged: Names, discharged: Names, fresh: bool) -> Counter | None:
    """Return the instrument's counter, of a pair of columns if there is one, else of a single one."""
    into, out = table.numbers(charged, AMPERE_HOUR), table.numbers(discharged, AMPERE_HOUR)
    if into is not None and out is not None:
        return PairCounter(np.nan_to_num(into), np.nan_to_num(np.abs(out)), fresh)
    values = table.numbers(single, AMPERE_HOUR)
    return None if values is None else StepCounter(np.nan_to_num(values))


def with_sign(current: Array, kinds: Sequence[Kind]) -> Array:
    """Return the current, positive on charge, whatever the maker's sign, where the step's name tells."""
    if not kinds:
        return current
    directions = np.array([kind.direction for kind in kinds])
    return np.where(directions == 0, current, directions * np.abs(current))


def began(table: Table, names: Names, time: Array) -> datetime | None:
    """Return when the recording began, by the moment of its first row."""
    first = table.moment(names)
    return None if first is None else first - timedelta(seconds=float(time[0]))


def _integers(table: Table, what: str, names: Names) -> Integers:
    numbers = table.needed(what, names)
    bad = np.flatnonzero(np.abs(numbers) > _MOST)
    if bad.size:
        row = table.rows[bad[0]]
        raise refused(table.file, f"{numbers[bad[0]]:g} for the {what}", f"at most {_MOST}", row.line)
    return np.rint(numbers).astype(np.int64)


def _increasing(table: Table, names: Names, time: Array) -> Array:
    back = np.flatnonzero(np.diff(time) < 0)
    if back.size:
        row = table.rows[back[0] + 1]
        raise refused(
            table.file,
            f"the time goes back from {time[back[0]]:g} to {time[back[0] + 1]:g} s",
            "the rows of one test in the order they were recorded",
            row.line,
        )
    return time
