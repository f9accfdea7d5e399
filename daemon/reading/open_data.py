"""The folder: a run as somebody can use it who has nothing of ours."""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from shutil import rmtree
from typing import Any

from daemon.errors import BusyError
from daemon.reading.export import export
from daemon.reading.results import Results, RunRecord

SUMS = "SHA256SUMS"
ABOUT = "README.md"
Report = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Leaf:
    """One file of the folder: what it is, for people and for programs."""

    name: str
    what: str
    media_type: str


def leaves(results: Results, run: str) -> list[Leaf]:
    """Return what the folder of this run holds; there is no file of what the run has none of."""
    record = results.run(run)
    named = {
        f"{run}.bdf.csv": ("every reading, in Battery Data Format columns", results.readings(run, limit=1)),
        "impedance.csv": ("every point of every spectrum", results.impedance(run)[:1]),
        "cycles.csv": ("capacities, energies and efficiencies of each cycle", results.cycles(run)),
        "steps.csv": ("what each step did, and why it ended", results.steps(run)),
        "figures.csv": ("figures of merit with uncertainty and method", results.figures(run)),
        "events.csv": ("what happened during the run", results.events(run)),
    }
    tables = [Leaf(name, what, "text/csv") for name, (what, rows) in named.items() if rows]
    texts = [
        Leaf("cell.json", "the facts of the cell, SI", "application/json"),
        Leaf("run.json", "what was run on what, under which limits, by which versions", "application/json"),
    ]
    if record.protocol_source:
        texts.append(Leaf("protocol.yaml", "the protocol as it was submitted", "application/yaml"))
    return [*tables, *texts]


def write_folder(results: Results, run: str, folder: Path, report: Report = lambda rows: None) -> int:
    """Write the run into a new folder, with checksums (`sha256sum -c`); return how many files.

    It appears under its name when it is whole. Raises `BusyError` where something is there already.
    """
    with_parts = [*leaves(results, run)]

    def fill(into: Path) -> None:
        for leaf in with_parts:
            _write(results, run, leaf, into / leaf.name, report)
        (into / ABOUT).write_text(about(results.run(run), with_parts), encoding="utf-8")

    return whole(folder, fill)


def whole(folder: Path, fill: Callable[[Path], None]) -> int:
    """Let a folder be filled beside its place, add the checksums, and put it there; return its files."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BusyError(f"{folder} is there already and not empty; nothing is written over")
    partial = folder.with_name(folder.name + ".part")
    rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    fill(partial)
    lines = [f"{digest(path)}  {path.name}\n" for path in sorted(partial.iterdir())]
    (partial / SUMS).write_text("".join(lines), encoding="utf-8")
    partial.replace(folder)
    return len(lines) + 1


def digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def metadata(record: RunRecord) -> dict[str, Any]:
    """Return what the run froze when it began and how it ended, as plain data."""
    apart = ("cell_facts", "protocol_canonical", "protocol_source")
    return {name: value for name, value in asdict(record).items() if name not in apart}


_TABLES = {
    "impedance.csv": "spectra",
    "cycles.csv": "cycles",
    "steps.csv": "steps",
    "figures.csv": "figures",
    "events.csv": "events",
}


def _write(results: Results, run: str, leaf: Leaf, path: Path, report: Report) -> None:
    record = results.run(run)
    match leaf.name:
        case "cell.json":
            _json(path, {"cell": record.cell, **record.cell_facts})
        case "run.json":
            _json(path, metadata(record))
        case "protocol.yaml":
            path.write_text(record.protocol_source or "", encoding="utf-8")
        case name:
            format_ = _TABLES.get(name, "bdf")
            with path.open("w", encoding="utf-8", newline="") as file:
                export(results, run, file, format_, report=report if format_ == "bdf" else lambda rows: None)


def _json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")


def about(record: RunRecord, parts: list[Leaf]) -> str:
    """Return the folder's own explanation."""
    lines: Iterator[str] = (f"| `{leaf.name}` | {leaf.what} |\n" for leaf in parts)
    return (
        f"# {record.name}: {record.protocol} on {record.cell}\n\n"
        f"Began {record.started}, {record.state}: {record.reason}. "
        f"{'A simulated cell.' if record.simulated else ''}\n\n"
        "Units stand in the headings; where there are none, SI. Current is positive when it charges "
        "the cell. Moments are UTC. `sha256sum -c SHA256SUMS` tells whether a file was changed.\n\n"
        f"| file | what |\n| --- | --- |\n{''.join(lines)}"
    )
