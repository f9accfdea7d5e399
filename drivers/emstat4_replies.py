"""What a script says while it runs, line by line, made into records and an outcome."""

import re
from collections import deque
from collections.abc import Sequence

from drivers.base import Program, Record
from drivers.emstat4_errors import error_report
from drivers.emstat4_packages import Variable, decode
from drivers.errors import LinkError
from protocols.reading import Flags, ImpedancePoint, Reading
from protocols.techniques import Impedance, Sweep

_FRAME = re.compile(r"[MC][0-9A-Fa-f]{4}|[*L+-]")
"""Starts and ends of loops and scans; the digits are a technique's number."""

_SAMPLE_TYPES = (("eb",), ("ab", "da"), ("ba", "db"), ("ja",), ("jb",))
"""Time, potential, current, coulombs, joules: measured, or applied where the loop reports that."""

_SPECTRUM_TYPES = (("eb",), ("dc", "cg"), ("cc",), ("cd",))


class Replies:
    """Follows one script: hand it every line, ask it what became of it.

    `offset` is the channel's time at which the script's own time was nought.
    """

    def __init__(self, tag: str, program: Program, script: str, offset: float) -> None:
        self.tag = tag
        self.script = script
        self.ended = False
        self.reason: str | None = None
        self.limit = False
        self.fault: str | None = None
        self.finishing = False
        self.last_time = offset
        self.technique = program.step.technique
        self._program = program
        self._offset = offset
        self._number = 0
        self._records: deque[Record] = deque()

    def take(self, line: str) -> None:
        """Follow one line. Raises `LinkError` for a garbled one, which is then lost."""
        if line == "":
            self._end()
        elif line.startswith("P"):
            self._package(line)
        elif line.startswith("T"):
            self._text(line[1:])
        elif (report := error_report(line)) is not None:
            self.fault = report.sentence(self.script)
            self.ended = True  # an error is the last line of its script
        elif not _FRAME.fullmatch(line):
            raise LinkError(f"the script said {line[:60]!r}; wanted a package, a text or a loop's frame")

    def records(self, after: int) -> Sequence[Record]:
        """Return the records above `after` and forget the others: they are kept elsewhere now."""
        while self._records and self._records[0].number <= after:
            self._records.popleft()
        return list(self._records)

    def _end(self) -> None:
        self.ended = True
        if self.reason is None and self.finishing:
            self.reason = "finished"
        elif self.reason is None and self.fault is None:
            self.fault = "the script ended without saying why"

    def _text(self, text: str) -> None:
        kind, _, rest = text.partition(" ")
        if kind == "tag" and rest == self.tag:
            return
        if kind == "end":
            self.reason = self._end_text(rest, text)
        elif kind == "limit":
            self.limit = True
            self.reason = self._limit_text(rest)
        else:
            raise LinkError(f"the script said {text[:60]!r}; wanted its tag, an end or a limit")

    def _end_text(self, index: str, text: str) -> str:
        step = self._program.step
        comparisons = [] if step.until is None else list(step.until.comparisons())
        if index.isdigit() and len(index) <= 4 and int(index) < len(comparisons):
            return comparisons[int(index)].text
        if index:
            raise LinkError(f"the script said {text[:60]!r}; the step has {len(comparisons)} ends")
        if self.finishing or not isinstance(step.technique, Sweep | Impedance):
            return "finished"
        return f"{step.verb} complete"

    def _limit_text(self, what: str) -> str:
        last = self._records[-1].point if self._records else None
        limits = self._program.limits
        if isinstance(last, Reading) and what == "voltage":
            return f"voltage {last.voltage:g} V is outside {limits.voltage} V"
        if isinstance(last, Reading) and what == "current":
            return f"current {last.current:g} A is outside {limits.current} A"
        return f"{what} is outside its limit"

    def _package(self, line: str) -> None:
        variables = decode(line)
        # a spectrum that was never begun sends the voltage that forbade it, as a sample
        spectrum = isinstance(self._program.step.technique, Impedance) and len(variables) == 4
        _check_types(variables, _SPECTRUM_TYPES if spectrum else _SAMPLE_TYPES, line)
        flags = Flags(0)
        for variable in variables:
            flags |= variable.flags
        moment, *values = (variable.value for variable in variables)
        self.last_time = max(self.last_time, self._offset + moment)
        self._number += 1
        self._records.append(self._record(self._offset + moment, values, int(flags), spectrum))

    def _record(self, moment: float, values: Sequence[float], flags: int, spectrum: bool) -> Record:
        if spectrum:
            frequency, real, imaginary = values
            return Record(self._number, ImpedancePoint(moment, frequency, real, imaginary, flags))
        voltage, current, coulombs, joules = values
        return Record(self._number, Reading(moment, voltage, current, None, flags), coulombs, joules)


def _check_types(variables: Sequence[Variable], wanted: Sequence[tuple[str, ...]], line: str) -> None:
    fits = len(variables) == len(wanted) and all(
        variable.kind in kinds for variable, kinds in zip(variables, wanted, strict=True)
    )
    if not fits:
        seen = " ".join(variable.kind for variable in variables)
        raise LinkError(f"package {line[:60]!r} holds {seen}; wanted {' '.join('|'.join(w) for w in wanted)}")
