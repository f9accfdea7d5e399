"""An imported file is a run like any other, once, or nothing at all."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from daemon.errors import BusyError, UnknownError, UnreadableError
from daemon.imports.importing import Wishes, import_file, import_joined
from daemon.reading.results import Results
from daemon.recording.store import Store
from protocols.cell import Cell
from protocols.library import cell_path
from tests.daemon.deliveries import batched, whole_run
from tests.daemon.imports.files import DATA, ECLAB, MACCOR


def test_the_same_file_again_changes_nothing(store: Store, results: Results) -> None:
    first = import_file(store, DATA / "neware_layers.csv")
    figures = results.figures(first.run)
    again = import_file(store, DATA / "neware_layers.csv", Wishes(name="another"))
    assert (again.run, again.again, len(results.runs())) == (first.run, True, 1)
    assert results.counts(first.run).missing == 0
    assert {figure.name for figure in figures} >= {"capacity", "hysteresis", "coulombic_efficiency"}
    assert results.figures(first.run) == figures


def test_an_import_that_was_interrupted_is_completed(store: Store, results: Results) -> None:
    whole = import_file(store, DATA / "neware_layers.csv")
    expected = results.readings(whole.run)
    with closing(sqlite3.connect(store.url)) as database:  # as a power cut in the middle leaves it
        database.execute("DELETE FROM readings WHERE number > 500")
        database.execute("UPDATE runs SET ended = NULL, state = 'running', readings = NULL")
        database.commit()
    mended = import_file(store, DATA / "neware_layers.csv")
    assert (mended.run, mended.again) == (whole.run, False)
    assert results.readings(whole.run) == expected


def test_where_it_came_from_is_kept(store: Store, results: Results) -> None:
    run = import_file(store, DATA / "eclab_peis.mpt", Wishes(zone=ZoneInfo("Europe/Berlin"))).run
    imported, zone = results.events(run)
    assert imported.detail["sha256"].startswith("cfe550c6693ca5cf")
    assert imported.detail["said"]["File"] == "EIS OCV after.mpr"
    assert "Europe/Berlin" in zone.text
    assert results.run(run).started == "2018-02-04T09:02:46+00:00"  # 10:02:46 there, in winter


def test_on_copper_charge_is_strip_and_mass_and_area_are_used(
    store: Store, results: Results, tmp_path: Path
) -> None:
    path = tmp_path / "maccor.txt"
    path.write_text(MACCOR)
    cell = Cell.load(cell_path("li_cu_pp"))
    run = import_file(store, path, Wishes(cell=cell)).run
    assert [step.verb for step in results.steps(run)] == ["rest", "plate", "strip"]
    (cycle,) = (cycle for cycle in results.cycles(run) if cycle.cycle == 1)
    assert cycle.pairing == "strip/plate"
    assert cycle.coulombic_efficiency == pytest.approx(1.04)


def test_a_name_of_another_run_is_refused(store: Store) -> None:
    store.add(batched(whole_run("one")))
    with pytest.raises(BusyError, match="there is a run one already, of another origin"):
        import_file(store, DATA / "spectrum.csv", Wishes(name="one"))


def test_techniques_of_one_experiment_are_one_run(store: Store, results: Results, tmp_path: Path) -> None:
    # as EC-Lab writes them: a cycling file, a spectrum that says nothing of time, the same cycling again
    first, spectrum, second = tmp_path / "1.mpt", tmp_path / "2.csv", tmp_path / "3.mpt"
    first.write_text(ECLAB, encoding="latin-1")
    spectrum.write_text("1000,1,-1\n100,2,-1\n10,3,-1\n")
    second.write_text(ECLAB.replace("12:00:00.500", "13:00:00.500"), encoding="latin-1")
    found = import_joined(store, [first, spectrum, second])
    steps = results.steps(found.run)
    assert [step.verb for step in steps] == [
        *("rest", "charge", "hold", "discharge"),
        "impedance",
        *("rest", "charge", "hold", "discharge"),
    ]
    assert [step.cycle for step in steps] == [1, 1, 1, 1, 1, 2, 2, 2, 2]
    # the first ends at 1090 s, three points of a spectrum follow, the last file began an hour later
    assert [steps[n].started for n in (0, 4, 5)] == [0.0, 1090.0, 3600.0]
    assert [event.kind for event in results.events(found.run)][:3] == ["imported"] * 3
    assert import_joined(store, [first, spectrum, second]).again
    assert not import_file(store, first).again  # alone it is another run


def test_a_workbook_is_read_like_text(store: Store, results: Results, tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.append(["a sheet that says nothing"])
    sheet = book.create_sheet("Record")
    titles = [
        "Record",
        "Cycle-Index",
        "Step-Index",
        "Step-State",
        "TestTime/Sec",
        "Voltage/V",
        "Current/mA",
        "Capacity/mAh",
    ]
    for row in (
        titles,
        [1, 1, 1, "discharge CC", 0, 2.4, 1, 0],
        [2, 1, 1, "discharge CC", 3600, 1.7, 1, 0.99],
    ):
        sheet.append(row)
    book.save(tmp_path / "land.xlsx")
    (step,) = results.steps(import_file(store, tmp_path / "land.xlsx").run)
    assert step.capacity == pytest.approx(-0.99 * 3.6)
    assert results.readings(results.runs()[0].name)[0].current == -1e-3


def cut(text: str) -> str:
    return text[: text.rindex("\t3,0\t-3,6")]


BROKEN: dict[str, tuple[str, Callable[[], str | bytes], str]] = {
    "empty": ("a.csv", lambda: "", "an empty file; wanted Neware"),
    "foreign": ("a.csv", lambda: "hello,world\n1,2\n", "a.csv:1: 'hello,world'; wanted Neware"),
    "binary": ("a.txt", lambda: bytes(range(256)) * 20, "a binary file; wanted text"),
    "cut in a row": ("a.mpt", lambda: cut(ECLAB), r"a.mpt:19: a row of 3 cells where the headings have 7"),
    "cut in the header": ("a.mpt", lambda: ECLAB[:120], "at least the 11 header lines it announces"),
    "headings only": ("a.mpt", lambda: "\n".join(ECLAB.splitlines()[:11]), "no row below the headings"),
    "a word for a number": ("a.mpt", lambda: ECLAB.replace("3,4\t1,0", "3,4\tmuch"), "a.mpt:17: 'much' in"),
    "a voltage missing": ("a.txt", lambda: MACCOR.replace("3.00000", ""), "a.txt:8: '' in the column Volts"),
    "time running back": (
        "a.txt",
        lambda: MACCOR.replace("  1d 01", "  0d 00"),
        "a.txt:10: the time goes back",
    ),
    "a cut layer": (
        "a.csv",
        lambda: "\n".join((DATA / "neware_layers.csv").read_text().splitlines()[:200])[:-60],
        "a.csv:200: a record of 1. cells where the headings have 22",
    ),
    "a broken archive": ("a.ndax", lambda: (DATA / "neware_rest.ndax").read_bytes()[:5000], "fastnda says"),
    "a broken workbook": ("a.xlsx", lambda: b"PK\x03\x04 no workbook", "wanted an Excel workbook"),
    "broken Parquet": ("a.parquet", lambda: b"PAR1 and nothing", "wanted a Parquet file"),
    "a Gamry file without data": ("a.DTA", lambda: "EXPLAIN\nTAG\tEISPOT\n", "no table CURVE"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_cannot_be_read_is_refused_whole(
    store: Store, results: Results, tmp_path: Path, case: str
) -> None:
    name, content, said = BROKEN[case]
    written = content()
    path = tmp_path / name
    path.write_bytes(written if isinstance(written, bytes) else written.encode("latin-1"))
    with pytest.raises(UnreadableError, match=said):
        import_file(store, path)
    assert results.runs() == []


def test_a_file_that_is_not_there_is_named(store: Store, tmp_path: Path) -> None:
    with pytest.raises(UnknownError, match=r"cannot read .*nowhere.csv: No such file"):
        import_file(store, tmp_path / "nowhere.csv")
