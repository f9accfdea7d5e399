"""The import: a result file becomes a run in the results database, as if we had made it."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from daemon.delivery.messages import (
    Batch,
    ImpedancePoints,
    Item,
    Noted,
    Readings,
    RunEnded,
    RunStarted,
    StepEnded,
    StepStarted,
)
from daemon.errors import BusyError, UnavailableError
from daemon.imports.formats import read
from daemon.imports.joining import joined
from daemon.imports.recording import Recording, Source
from daemon.imports.silences import Silence, silences
from daemon.imports.steps import Step
from daemon.reading.results import Results, RunRecord
from daemon.recording.figuring import make_figures
from daemon.recording.ingest import Ending
from daemon.recording.store import Store
from daemon.recording.summaries import Pairing, pairing_of
from protocols.cell import Cell
from protocols.lab import lasting

DRIVER = "import"
DISAGREEMENT = 0.01
"""Where our integral of the current and the instrument's counter differ by more, the run says so."""
_ROWS = 20_000  # in one transaction
_MOST_GAPS = 200  # told, the longest
_PLATING = {"charge": "strip", "discharge": "plate"}


@dataclass(frozen=True, slots=True)
class Imported:
    """A file that is in the database now; `again` where it was there already."""

    file: Path
    run: str
    format: str
    readings: int
    points: int
    cycles: int
    again: bool = False
    remarks: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is not in the file: the cell, the run's name, the zone its moments are in."""

    cell: Cell | None = None
    name: str | None = None
    zone: tzinfo | None = None
    figures: Sequence[str] = ()


def import_file(store: Store, path: Path, wishes: Wishes | None = None) -> Imported:
    """Bring a result file into the database; the same file a second time changes nothing.

    It is read whole before anything is written. Where the writing is interrupted, importing
    it again completes it. Raises `UnreadableError` for a file that cannot be read, `BusyError`
    where another run has the name.
    """
    return import_joined(store, [path], wishes)


def import_joined(store: Store, paths: Sequence[Path], wishes: Wishes | None = None) -> Imported:
    """Bring several files into the database as one run, e.g. the techniques of one experiment.

    Each follows the one before: by its own moment where that is later, else at once. Cycles that
    begin anew with a file are counted on. For the rest it is as `import_file`.
    """
    wishes = wishes or Wishes()
    files = [_File.of(path) for path in paths]
    digest = files[0].digest if len(files) == 1 else _digest_of([file.digest for file in files])
    name = wishes.name or f"{_slug(paths[0])}-{digest[:8]}"
    found = _earlier(store.url, digest, name)
    steps = joined([file.recording for file in files])
    run = _Run(found.name if found is not None else name, files, digest, steps, wishes)
    if found is None or found.ended is None:
        run.write(store)
    return run.imported(again=found is not None and found.ended is not None)


@dataclass(frozen=True, slots=True)
class _File:
    """One file of a run, read."""

    path: Path
    digest: str
    recording: Recording

    @classmethod
    def of(cls, path: Path) -> "_File":
        recording = read(path)
        with path.open("rb") as file:
            return cls(path, hashlib.file_digest(file, "sha256").hexdigest(), recording)


def _digest_of(digests: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()


def _earlier(url: str, digest: str, name: str) -> RunRecord | None:
    """Return the run this very file was imported as; `BusyError` where the name is another run's."""
    try:
        results = Results.open(url)
    except UnavailableError:
        return None
    try:
        runs = results.runs()
    finally:
        results.close()
    for run in runs:
        if run.driver == DRIVER and _was_made_of(run, digest):
            return run
    if any(run.name == name for run in runs):
        raise BusyError(f"there is a run {name} already, of another origin; choose a name with --name")
    return None


def _was_made_of(run: RunRecord, digest: str) -> bool:
    return (run.protocol_canonical or "").endswith(f'"sha256": "{digest}"}}')


def _slug(path: Path) -> str:
    return re.sub(r"[^A-Za-z0-9_]+", "-", path.name.split(".")[0]).strip("-")[:60] or "file"


@dataclass(frozen=True, slots=True)
class _Run:
    """Recordings under the name of a run, told as a core tells its runs."""

    name: str
    files: Sequence[_File]
    digest: str
    steps: Sequence[Step]
    wishes: Wishes

    def write(self, store: Store) -> None:
        """Write it all, its end last, then its figures."""
        pending: list[Item] = []
        rows = 0
        for item in self._items():
            pending.append(item)
            rows += len(item.rows) if isinstance(item, Readings | ImpedancePoints) else 1
            if rows >= _ROWS:
                store.add([self._batch(pending)])
                pending, rows = [], 0
        store.add([self._batch(pending)])
        make_figures(store, self.name, None)
        store.mark_figured(Ending(self.name, None))

    def imported(self, again: bool) -> Imported:
        cycles = {step.cycle for step in self.steps if step.cycle > 0}
        return Imported(
            self.files[0].path,
            self.name,
            self._source.format,
            sum(len(step.readings) for step in self.steps),
            sum(len(step.points) for step in self.steps),
            len(cycles),
            again,
            self._remarks(),
        )

    def _batch(self, items: Sequence[Item]) -> Batch:
        return Batch(DRIVER, 1, 1, DRIVER, list(items))

    def _items(self) -> Iterator[Item]:
        yield self._started()
        notes = [("imported", _origin(file), _provenance(file)) for file in self.files]
        notes += [("remark", remark, {}) for remark in self._remarks()]
        for ordinal, (kind, text, detail) in enumerate(notes, 1):
            yield Noted(self.name, ordinal, 0.0, kind, text, detail)
        longest = sorted(silences(self.steps), key=lambda each: each.seconds)[-_MOST_GAPS:]
        for ordinal, silence in enumerate(sorted(longest), len(notes) + 1):
            yield self._gap(ordinal, silence)
        reading, point = 1, 1
        for ordinal, step in enumerate(self.steps, 1):
            yield from self._step(ordinal, step, reading, point)
            reading, point = reading + len(step.readings), point + len(step.points)
        yield self._ended(reading - 1, point - 1)

    def _gap(self, ordinal: int, silence: Silence) -> Noted:
        text = (
            f"nothing is recorded for {lasting(silence.seconds)}; "
            f"before and after it something is at least every {lasting(silence.usual)}"
        )
        if self._is_integrated(silence):
            text += "; the charge of the step is counted as if its current had gone on meanwhile"
        detail = {"from": silence.since, "seconds": silence.seconds}
        return Noted(self.name, ordinal, silence.since + silence.seconds, "gap", text, detail)

    def _is_integrated(self, silence: Silence) -> bool:
        """Whether our integral goes across it: where the instrument did not count, inside a step."""
        ends = silence.since + silence.seconds
        inside = any(step.started <= silence.since and ends <= step.ended for step in self.steps)
        return inside and any(file.recording.charge is None for file in self.files)

    def _started(self) -> RunStarted:
        source, cell = self._source, self.wishes.cell
        files = [_provenance(file) for file in self.files]
        canonical = json.dumps({"sha256": self.digest, "imported": files}, sort_keys=True)
        return RunStarted(
            run=self.name,
            started=self._began().isoformat(),
            channel=source.channel or DRIVER,
            driver=DRIVER,
            instrument={name: text for name, text in source.instrument.items() if text},
            protocol=self._technique(),
            protocol_digest=hashlib.sha256(canonical.encode()).hexdigest(),
            protocol_canonical=canonical,
            protocol_source="",
            cell=cell.name if cell is not None else self.files[0].path.name,
            cell_facts=cell.facts() if cell is not None else {},
            variables={},
            limits={},
            figures=list(self.wishes.figures),
            versions={"galvanod": version("galvanod"), **source.readers},
            simulated=False,
        )

    def _step(self, ordinal: int, step: Step, reading: int, point: int) -> Iterator[Item]:
        verb = _PLATING.get(step.verb, step.verb) if self._plates() else step.verb
        yield StepStarted(
            run=self.name,
            ordinal=ordinal,
            time=step.started,
            path=step.path,
            line=0,
            verb=verb,
            setting=step.label,
            set_value=step.set_value,
            cycle=step.cycle,
            rounds=[],
            marks=[],
            open_circuit_voltage=None,
        )
        if step.readings:
            yield Readings(self.name, ordinal, step.cycle, reading, step.readings)
        if step.points:
            yield ImpedancePoints(self.name, ordinal, step.cycle, point, step.points)
        last = step.readings[-1:]
        yield StepEnded(
            run=self.name,
            ordinal=ordinal,
            time=step.ended,
            reason="the next step of the file, or its end",
            duration=step.ended - step.started,
            capacity=step.capacity,
            energy=step.energy,
            first_reading=reading if last else None,
            last_reading=reading + len(step.readings) - 1 if last else None,
            start_voltage=step.readings[0].voltage if last else None,
            end_voltage=last[0].voltage if last else None,
            mean_voltage=step.mean_voltage,
        )

    def _ended(self, readings: int, points: int) -> RunEnded:
        time = self.steps[-1].ended
        ended = (self._began() + timedelta(seconds=time)).isoformat()
        return RunEnded(self.name, ended, time, "finished", "imported", readings, points)

    def _plates(self) -> bool:
        cell = self.wishes.cell
        return cell is not None and pairing_of(cell.name, cell.facts()) is Pairing.STRIP_PER_PLATE

    @property
    def _source(self) -> Source:
        return self.files[0].recording.source

    def _technique(self) -> str:
        names = (file.recording.source.technique or file.recording.source.format for file in self.files)
        return ", ".join(dict.fromkeys(names))

    def _began(self) -> datetime:
        """Return the moment of the first row; where the file has none, that of the file less its length."""
        began = self._source.began
        if began is None:
            written = datetime.fromtimestamp(self.files[-1].path.stat().st_mtime, UTC)
            return written - timedelta(seconds=self.steps[-1].ended)
        if began.tzinfo is None and self.wishes.zone is not None:
            began = began.replace(tzinfo=self.wishes.zone)
        return began.astimezone(UTC)

    def _remarks(self) -> list[str]:
        """Return what whoever reads the run should know of how it came about."""
        own = [remark for file in self.files for remark in file.recording.source.remarks]
        return [*dict.fromkeys(own), *self._of_time(), *self._of_charge()]

    def _of_time(self) -> Iterator[str]:
        began = self._source.began
        if began is None:
            yield "the file does not say when it began; taken from when it was last modified"
        elif began.tzinfo is None:
            zone = self.wishes.zone or began.astimezone().tzinfo
            yield f"the file's moments name no time zone; they were taken as {zone}"

    def _of_charge(self) -> Iterator[str]:
        counted = np.array([step.capacity for step in self.steps])
        own = np.array([step.own_capacity for step in self.steps])
        total = float(np.abs(counted).sum())
        if total and all(file.recording.charge is None for file in self.files):
            yield "the file has no counter of charge: capacities are integrals of its current"
        elif total and (apart := float(np.abs(counted - own).sum()) / total) > DISAGREEMENT:
            yield (
                f"the integral of the current differs from the instrument's counters by {100 * apart:.2g} %; "
                "the counters are used"
            )


def _origin(file: _File) -> str:
    return f"{file.path.name}, {file.recording.source.format}, SHA-256 {file.digest}"


def _provenance(file: _File) -> Mapping[str, Any]:
    source = file.recording.source
    return {
        "file": file.path.name,
        "sha256": file.digest,
        "format": source.format,
        "said": dict(source.said),
    }
