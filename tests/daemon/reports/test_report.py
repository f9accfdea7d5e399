"""A report holds what a reader asks of a run, in one file, whatever the run is called."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from daemon.cli import app
from daemon.errors import UnknownError
from daemon.reading.results import Results
from daemon.recording.store import Store
from daemon.reports.form import Form
from daemon.reports.report import Report
from tests.daemon.reports.recorded import keep_run


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store.open(str(tmp_path / "results.db"))
    yield store
    store.close()


def reported(store: Store, *runs: str, form: Form = Form.HTML, chosen: tuple[int, ...] = ()) -> str:
    results = Results.open(store.url)
    try:
        return Report.of(results, runs, chosen).written(form, lambda name: {"run": name})
    finally:
        results.close()


def test_the_page_has_every_plot_the_run_can_show_and_asks_nothing_of_a_network(store: Store) -> None:
    keep_run(store, "lab-1")
    page = reported(store, "lab-1")
    titles = re.findall(r"<figcaption><h3>([^<]*)", page)
    assert titles == [
        "Capacity and Coulombic efficiency",
        "Voltage hysteresis",
        "Voltage and capacity",
        "Voltage in a cycle",
        "Differential capacity",
        "Nyquist",
        "Bode, magnitude",
        "Bode, phase",
        "Current of the voltage step",
        "Voltammogram",
        "Voltage over the run",
    ]
    assert not re.findall(r"""(?:src|href)\s*=\s*["'](?!#)|url\(|@import|<script""", page)


def test_figures_stand_with_uncertainty_method_and_what_refused_them(store: Store) -> None:
    keep_run(store, "lab-1")
    page = reported(store, "lab-1")
    assert "1.000 ± 0.010\N{NO-BREAK SPACE}mAh" in page  # 3.6 C ± 0.036 C
    assert "discharge capacity of cycle 1" in page
    assert "no step is marked `pulse`" in page
    # the stop record numbers two readings more than came
    assert "2 missing" in page


def test_names_and_notes_are_text(store: Store) -> None:
    keep_run(store, "lab-1")
    page = reported(store, "lab-1")
    assert "<script>" not in page
    assert "Li-S, &lt;b&gt;PP&lt;/b&gt;" in page


def test_replicates_of_a_study_are_compared_by_variant(store: Store) -> None:
    for ordinal, variant in enumerate(("PP", "PP", "Ti", "Ti"), start=1):
        keep_run(store, f"lab-{ordinal}", study="separators", variant=variant)
    found = json.loads(reported(store, "lab-1", "lab-2", "lab-3", "lab-4", form=Form.JSON))
    (comparison,) = found["comparisons"]
    (capacity,) = comparison["figures"]
    assert capacity["variants"]["PP"]["count"] == 2
    assert capacity["variants"]["Ti"]["mean"] == pytest.approx(3.6)
    assert capacity["comparisons"][0]["verdict"] == "it cannot be said"  # the cells gave one and the same


def test_a_cycle_that_never_was_is_named(store: Store) -> None:
    keep_run(store, "lab-1")
    with pytest.raises(UnknownError, match="no cycle 7; it has cycles 1 to 3"):
        reported(store, "lab-1", chosen=(7,))


def test_the_command_writes_what_its_file_is_called(store: Store, tmp_path: Path) -> None:
    for ordinal in (1, 2):
        keep_run(store, f"lab-{ordinal}", study="separators")
    options = ["--database", store.url, "-o", str(tmp_path / "both.md")]
    done = CliRunner().invoke(app, ["report", "separators", *options])
    assert done.exit_code == 0, done.output
    text = (tmp_path / "both.md").read_text()
    assert text.startswith("# separators\n")
    assert "| Capacity | cycle 1 | 1.000 ± 0.010" in text
