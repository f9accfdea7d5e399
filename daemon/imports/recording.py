"""What a result file says, SI, whichever maker wrote it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from daemon.imports.counters import Counter
from protocols.figures.estimate import Array

Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Source:
    """Where a recording comes from. `began` is as the maker's software wrote it: mostly local time.

    `said` are things the file says that a person may want to know, by their names there.
    """

    format: str
    instrument: Mapping[str, str] = field(default_factory=dict)
    technique: str = ""
    channel: str = ""
    began: datetime | None = None
    said: Mapping[str, str] = field(default_factory=dict)
    remarks: Sequence[str] = ()
    readers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Recording:
    """A file's rows as columns, seconds, volts, amperes (positive on charge), degrees Celsius.

    `step` is the number of the program's step at each row and `kind` its verb: rows of one step
    stand together and differ in one of them, in `cycle` or in that `step_time` begins anew.
    `kind` is "" where the file does not say and the current has to. `charge` and `energy` are the
    instrument's own counters, None where it has none. A row of a spectrum has a frequency.
    """

    source: Source
    time: Array
    voltage: Array
    current: Array
    step: Integers
    kind: Sequence[str]
    cycle: Integers | None = None
    step_time: Array | None = None
    charge: Counter | None = None
    energy: Counter | None = None
    temperature: Array | None = None
    frequency: Array | None = None
    real: Array | None = None
    imaginary: Array | None = None
    labels: Sequence[str] = ()

    def __len__(self) -> int:
        return len(self.time)

    def with_cycles_from_one(self) -> "Recording":
        """Return it with the first cycle called 1 where its maker calls it 0: here 0 is before the first."""
        if self.cycle is None or self.cycle.min() != 0:
            return self
        remark = "its cycles are numbered from 0; here the first is 1"
        source = replace(self.source, remarks=[*self.source.remarks, remark])
        return replace(self, source=source, cycle=self.cycle + 1)
