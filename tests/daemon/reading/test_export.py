"""An export says in the field's columns what was recorded."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon.delivery.messages import ImpedancePoints, ImpedanceRow, Item, Noted, ReadingRow, Readings
from daemon.errors import UnknownError
from daemon.reading.export import READINGS, export
from daemon.reading.results import Results
from daemon.recording.store import FigureRow, Store
from tests.daemon.deliveries import batched, run_started, whole_run


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store.open(str(tmp_path / "results.db"))
    yield store
    store.close()


def exported(store: Store, format: str, step: int | None = None) -> list[list[str]]:
    out = io.StringIO()
    export(Results.open(store.url), "one", out=out, format=format, step=step)
    return list(csv.reader(io.StringIO(out.getvalue())))


def test_readings_are_in_the_columns_of_the_battery_data_format(store: Store) -> None:
    row = ReadingRow(90.0, 2.1, -1e-3, -0.36, -0.72, 25.0, 0)
    items: list[Item] = [run_started("one"), Readings("one", 3, 2, 1, [row])]
    store.add(batched(items))
    header, only = exported(store, "csv")
    assert tuple(header) == READINGS
    assert header[:4] == ["Test Time / s", "Voltage / V", "Current / A", "Unix Time / s"]
    # 2026-01-31 12:00:00 UTC is 1769860800 s; -0.36 C / 3600 = -1e-4 Ah; -0.72 J / 3600 = -2e-4 Wh.
    wanted = [90.0, 2.1, -1e-3, 1769860890.0, 2, 3, 25.0, 1, -1e-4, -2e-4]
    assert [float(cell) for cell in only] == pytest.approx(wanted, rel=1e-12)


def test_cycles_are_in_ampere_hours(store: Store) -> None:
    store.add(batched(whole_run("one")))
    header, first, _ = exported(store, "cycles")
    row = dict(zip(header, first, strict=True))
    assert float(row["Cycle Charging Capacity / Ah"]) == pytest.approx(10 / 3600)
    assert float(row["Cycle Discharging Energy / Wh"]) == pytest.approx(18.9 / 3600)
    assert (float(row["Coulombic Efficiency / 1"]), row["Pairing"]) == (0.9, "discharge/charge")


def test_a_spectrum_has_three_columns(store: Store) -> None:
    rows = [ImpedanceRow(0.0, 1e5, 1.5, -0.25, 0)]
    store.add(batched([ImpedancePoints("one", 2, 0, 1, rows), ImpedancePoints("one", 4, 0, 2, rows)]))
    header, *points = exported(store, "impedance", step=4)
    assert header == ["Frequency / Hz", "Real Impedance / ohm", "Imaginary Impedance / ohm"]
    assert points == [["100000.0", "1.5", "-0.25"]]


def test_text_is_never_a_formula(store: Store) -> None:
    store.add(
        batched(
            [Noted("one", 1, 0.0, "note", '=HYPERLINK("http://evil")'), Noted("one", 2, 0.0, "note", "fine")]
        )
    )
    store.set_figures("one", [FigureRow("@sum", -1.5, "V", None, "+method", warnings=("-1",))])
    assert [row[2] for row in exported(store, "events")[1:]] == ['\'=HYPERLINK("http://evil")', "fine"]
    figure = exported(store, "figures")[1]
    assert (figure[0], figure[4], figure[7], figure[8]) == ("'@sum", "-1.5", "'+method", "'-1")


def test_a_long_run_is_written_page_by_page(store: Store) -> None:
    row = ReadingRow(0.0, 2.0, 0.0, 0.0, 0.0, None, 0)
    store.add(batched([Readings("one", 1, 0, 1, [row] * 12_000)]))
    rows = exported(store, "csv")[1:]
    assert [int(cells[7]) for cells in rows] == list(range(1, 12_001))
    assert rows[0][3] == ""  # the run's start has not come: its moment is not known


def test_a_format_there_is_not_is_named(store: Store) -> None:
    with pytest.raises(UnknownError, match="no export is called 'xlsx'; there are csv, cycles, impedance"):
        exported(store, "xlsx")
