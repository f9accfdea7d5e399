"""EC-Lab's and BT-Lab's text export (.mpt): every technique, impedance included."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from daemon.imports.counters import Counter, NetCounter
from daemon.imports.recording import Integers, Recording, Source
from daemon.imports.spectra import spectra
from daemon.imports.table import Table, moment
from daemon.imports.text import TextFile
from protocols.figures.estimate import Array

VOLTAGE = ("Ewe", "<Ewe>", "Ecell", "<Ecell>", "Ewe-Ece", "<Ewe-Ece>")
CURRENT = ("I", "<I>")
CHARGE = ("(Q-Qo)",)
ENERGY = ("Energy",)
TEMPERATURE = ("Temperature",)
SPECTRUM = (("freq",), ("Re(Z)",), ("-Im(Z)",))

_MOST = 2**31 - 1  # what a database counts to
_FIRST = re.compile(r"^(EC|BT)-Lab ASCII FILE", re.IGNORECASE)
_HEADER = re.compile(r"^Nb header lines\s*:\s*(\d+)\s*$", re.IGNORECASE)
_MODES = {1: "", 2: "hold", 3: "rest"}  # the column `mode`: galvanostatic, potentiostatic, relaxing
_BY_CURRENT = re.compile(r"chronopotentiometry|constant current|^CP$", re.IGNORECASE)
_TECHNIQUES = (
    (r"impedance|^P?EIS|^GEIS", "impedance"),
    (r"open circuit|^OCV", "rest"),
    (r"cyclic voltammetry|linear sweep|^CVA?$|^LSV$", "sweep"),
    (r"chronoamperometry|^CA$", "polarise"),
)
_SAID = ("Acquisition started on", "File", "Electrode material", "Electrolyte", "Comments", "Device", "User")

Column = Callable[[Sequence[str]], Array | None]
"""A column by its names, in SI; None where the file has none."""


class Technique(NamedTuple):
    """What one technique of EC-Lab was, the verb of all its rows if it has one, and whether `mode` tells."""

    name: str
    verb: str
    has_modes: bool = True

    @classmethod
    def called(cls, name: str) -> "Technique":
        found = (verb for pattern, verb in _TECHNIQUES if re.search(pattern, name, re.IGNORECASE))
        return cls(name, next(found, ""), has_modes=_BY_CURRENT.search(name) is None)


def is_eclab(text: TextFile) -> bool:
    """Whether the first line is that of EC-Lab's or BT-Lab's text export."""
    return any(_FIRST.match(line) for line in text.lines(1))


def read(text: TextFile) -> Recording:
    """Read the export; `UnreadableError` where its header or a row is not whole."""
    lines = text.lines()
    count = _header_lines(text, lines)
    if count > len(lines):
        raise text.refused(
            f"{len(lines)} lines", f"at least the {count} header lines it announces", len(lines)
        )
    header, titles = lines[: count - 1], lines[count - 1].rstrip("\r\n\t").split("\t")
    table = Table.of(text.name, titles, list(text.rows("\t", after=count)), _has_commas(lines, count))
    facts = _facts(header)
    technique = Technique.called(header[3].strip() if len(header) > 3 else "")
    source = Source(
        "EC-Lab text export",
        _instrument(facts),
        technique=technique.name,
        channel=facts.get("Run on channel", ""),
        began=moment(facts.get("Acquisition started on", "")),
        said={name: facts[name] for name in _SAID if facts.get(name)},
    )
    return recording(source, technique, _time(table), table.numbers, len(table))


def recording(source: Source, technique: Technique, time: Array, column: Column, rows: int) -> Recording:
    """Make the recording of a technique from its columns, by whichever reader they came.

    Oxidation at the working electrode is positive in EC-Lab: charge, where that is the positive one.
    """
    frequency, real, minus_imaginary = (column(names) for names in SPECTRUM)
    modes, sequence, halves = (_integers(column((name,)), rows) for name in ("mode", "Ns", "half cycle"))
    cycle = column(("cycle number",))
    spectrum = np.zeros(rows, dtype=bool) if frequency is None else frequency > 0
    kinds = [
        "impedance" if point else technique.verb or (_MODES.get(int(mode), "") if technique.has_modes else "")
        for point, mode in zip(spectrum, modes, strict=True)
    ]
    voltage = _first(column, VOLTAGE)
    found = Recording(
        source=source,
        time=time,
        voltage=np.full(rows, np.nan) if voltage is None else voltage,
        current=_current(column, time, modes, rows),
        step=_steps(sequence if sequence.any() else halves, modes, _spectra(frequency, spectrum)),
        kind=kinds,
        cycle=None if cycle is None or spectrum.all() else _integers(cycle, rows),
        charge=_counter(column(CHARGE)),
        energy=_counter(column(ENERGY)),
        temperature=_first(column, TEMPERATURE),
        frequency=frequency,
        real=real,
        imaginary=None if minus_imaginary is None else -minus_imaginary,
    )
    return found if spectrum.all() else found.with_cycles_from_one()


def _header_lines(text: TextFile, lines: Sequence[str]) -> int:
    found = _HEADER.match(lines[1].strip()) if len(lines) > 1 else None
    if found is None or int(found[1]) < 3:
        seen = repr(lines[1][:60]) if len(lines) > 1 else "the end of the file"
        raise text.refused(seen, "`Nb header lines : N`", 2)
    return int(found[1])


def _has_commas(lines: Sequence[str], count: int) -> bool:
    return any("," in line for line in lines[count : count + 5])


def _facts(header: Sequence[str]) -> Mapping[str, str]:
    pairs = (line.strip().partition(" : ") for line in header)
    return {name.strip(): value.strip() for name, sign, value in pairs if sign}


def _instrument(facts: Mapping[str, str]) -> Mapping[str, str]:
    device = facts.get("Device", "")
    model, _, serial = device.partition(" (SN ")
    said = {"maker": "Bio-Logic", "model": model, "serial": serial.rstrip(")")}
    return {name: value for name, value in said.items() if value}


def _time(table: Table) -> Array:
    """Return the time; some exports write moments where others write seconds."""
    texts = table.texts(("time",)) or []
    first = moment(texts[0]) if texts else None
    if first is None:
        return table.needed("time", ("time",))
    moments = [moment(text) or first for text in texts]
    return np.array([(each - first).total_seconds() for each in moments])


def _spectra(frequency: Array | None, points: NDArray[np.bool_]) -> Integers:
    """Number the spectra, 0 where there is none: the same numbers do not stand side by side for two."""
    numbers = np.zeros(len(points), dtype=np.int64)
    if frequency is not None:
        numbers[points] = spectra(frequency[points])
    return numbers


def _first(column: Column, names: Sequence[str]) -> Array | None:
    """Return the first of these columns there is, in the order of the names."""
    return next((found for name in names if (found := column((name,))) is not None), None)


def _integers(values: Array | None, rows: int) -> Integers:
    known = np.zeros(rows) if values is None else np.nan_to_num(values)
    return np.rint(np.clip(known, 0, _MOST)).astype(np.int64)


def _current(column: Column, time: Array, modes: Integers, rows: int) -> Array:
    """Return the current; where none was exported, the one that was set, else charge over time."""
    found = _first(column, CURRENT)
    if found is not None:
        return found
    charge, control = column(CHARGE), column(("control_I",))
    flowing = np.zeros(rows)
    if charge is not None and rows > 1:
        elapsed, passed = np.diff(time), np.diff(charge)
        flowing[1:] = np.divide(passed, elapsed, out=np.zeros(rows - 1), where=elapsed > 0)
    return flowing if control is None else np.where(modes == 1, control, flowing)


def _counter(values: Array | None) -> Counter | None:
    return None if values is None else NetCounter(np.nan_to_num(values))


def _steps(*changing: Integers) -> Integers:
    """Number the stretches in which none of these changes."""
    changes = np.zeros(len(changing[0]), dtype=bool)
    for values in changing:
        changes[1:] |= values[1:] != values[:-1]
    return 1 + np.cumsum(changes).astype(np.int64)
