"""A run as one plain structure, for `show` and for scripts."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from daemon.errors import UnavailableError, UnknownError
from daemon.reading.results import Results


def run_report(database: str, run: str, live: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return everything of a run but its readings: SI, plain data.

    `live` is what the core has in hand, which the database may be a tick behind of.
    """
    try:
        results = Results.open(database)
        name = full_name(results, run)
    except (UnavailableError, UnknownError):
        name = next((name for name in live if run in (name, name.rpartition("-")[2])), None)  # type: ignore[assignment]
        if name is None:
            raise
        return {"run": name, "steps": [], "cycles": [], "figures": [], "events": []} | dict(live[name])
    record = asdict(results.run(name))
    counts = results.counts(name)
    report = {"run": name} | {key: value for key, value in record.items() if key != "name"}
    report |= {
        "figures_asked_for": report.pop("figures"),
        "readings": counts.stored,
        "missing": counts.missing,
        "steps": [asdict(step) for step in results.steps(name)],
        "cycles": [asdict(cycle) for cycle in results.cycles(name)],
        "figures": [asdict(figure) for figure in results.figures(name)],
        "events": [asdict(event) for event in results.events(name)],
        "impedance_points": len(results.impedance(name)),
    }
    if name in live:
        report |= {key: live[name][key] for key in ("state", "reason", "latest")}
    return report


def runs_named(results: Results, name: str) -> list[str]:
    """Return the runs of the study of that name, the first started first, or else the one run."""
    labelled = [record.name for record in reversed(results.runs()) if record.labels.get("study") == name]
    return labelled or [full_name(results, name)]


def full_name(results: Results, run: str) -> str:
    """Return the run's whole name for what a person typed: `lab-12`, or `12` where that is only one."""
    names = [record.name for record in results.runs()]
    if run in names:
        return run
    ending = [name for name in names if name.rpartition("-")[2] == run]
    if len(ending) > 1:
        raise UnknownError(f"{run!r} could be {' or '.join(ending)}: give the whole name")
    if not ending:
        raise UnknownError(f"no run {run!r} has been recorded; `galvanod runs` lists them")
    return ending[0]
