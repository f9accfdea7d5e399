"""Gamry's data files (.DTA): the curves and the spectrum they hold."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from daemon.imports.recording import Recording, Source
from daemon.imports.table import Table, moment
from daemon.imports.text import Row, TextFile
from protocols.figures.estimate import Array

_VERBS = {"OCVCURVE": "rest", "ZCURVE": "impedance"}
_KNOWN = ("ZCURVE", "OCVCURVE", "CURVE")


class _Curve(NamedTuple):
    """One table of the file and the verb of its rows."""

    verb: str
    table: Table


def is_gamry(text: TextFile) -> bool:
    """Whether the first line is that of a Gamry data file."""
    return any(line.strip() == "EXPLAIN" for line in text.lines(1))


def read(text: TextFile) -> Recording:
    """Read every curve of the file, one after the other; anodic current is positive, as Gamry has it."""
    facts = _facts(text)
    curves = list(_curves(text, "sweep" if facts.get("TAG") in {"CV", "LSV"} else ""))
    if not curves:
        raise text.refused("no table CURVE, OCVCURVE or ZCURVE with rows", "a Gamry file with data")
    parts = [_part(curve) for curve in curves]
    offsets = np.cumsum([0.0, *(part["time"][-1] for part in parts)])
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    columns["time"] = np.concatenate(
        [part["time"] + offset for part, offset in zip(parts, offsets, strict=False)]
    )
    sizes = [len(curve.table) for curve in curves]
    spectrum = any(curve.verb == "impedance" for curve in curves)
    return Recording(
        source=_source(facts),
        time=columns["time"],
        voltage=columns["voltage"],
        current=columns["current"],
        step=np.repeat(np.arange(1, len(sizes) + 1), sizes),
        kind=[curve.verb for curve in curves for _ in range(len(curve.table))],
        frequency=columns["frequency"] if spectrum else None,
        real=columns["real"] if spectrum else None,
        imaginary=columns["imaginary"] if spectrum else None,
    )


def _facts(text: TextFile) -> Mapping[str, str]:
    cells = (line.split("\t") for line in text.lines(40))
    return {row[0]: row[2] if len(row) > 3 else row[1] for row in cells if len(row) > 1 and row[0].strip()}


def _source(facts: Mapping[str, str]) -> Source:
    return Source(
        "Gamry data file",
        {"maker": "Gamry", "serial": facts.get("PSTAT", "")},
        technique=facts.get("TITLE", facts.get("TAG", "Gamry experiment")),
        began=moment(f"{facts.get('DATE', '')} {facts.get('TIME', '')}"),
    )


def _curves(text: TextFile, verb: str) -> Iterator[_Curve]:
    """Yield each table: its name, a line of headings, one of units, then rows that begin with a tab."""
    lines = text.lines()
    for number, line in enumerate(lines):
        name = line.split("\t")[0].strip()
        kind = next((known for known in _KNOWN if name == known or name.startswith("CURVE")), None)
        if kind is None or "TABLE" not in line:
            continue
        titles = lines[number + 1].strip("\r\n").split("\t") if number + 1 < len(lines) else []
        rows = list(_rows(lines, number + 3))
        if rows:
            yield _Curve(_VERBS.get(name, verb), Table.of(text.name, titles, rows))


def _rows(lines: Sequence[str], start: int) -> Iterator[Row]:
    for number, line in enumerate(lines[start:], start + 1):
        if not line.startswith("\t"):
            return
        yield Row(number, line.split("\t"))


def _part(curve: _Curve) -> Mapping[str, Array]:
    table, none = curve.table, np.full(len(curve.table), np.nan)
    names = {
        "time": ("Time", "T"),
        "voltage": ("Vdc", "Vf"),
        "current": ("Idc", "Im"),
        "frequency": ("Freq",),
        "real": ("Zreal",),
        "imaginary": ("Zimag",),
    }
    found = {name: table.numbers(titles) for name, titles in names.items()}
    found["time"] = table.needed("time", names["time"])
    if curve.verb == "rest":
        found["current"] = np.zeros(len(table))
    return {name: none if values is None else values for name, values in found.items()}
