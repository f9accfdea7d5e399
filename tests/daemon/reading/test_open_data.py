"""What leaves us can be used without us: columns others know, checksums, and back again the same."""

import csv
import hashlib
import io
import json
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon.errors import BusyError
from daemon.imports.importing import import_file
from daemon.reading.export import export
from daemon.reading.open_data import write_folder
from daemon.reading.parquet_export import write_parquet
from daemon.reading.results import Results
from daemon.reading.ro_crate import write_crate
from daemon.recording.store import Store
from tests.daemon.deliveries import batched, whole_run
from tests.daemon.imports.files import DATA, ECLAB


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store.open(str(tmp_path / "results.db"))
    yield store
    store.close()


@pytest.fixture
def results(store: Store) -> Iterator[Results]:
    results = Results.open(store.url)
    yield results
    results.close()


@pytest.fixture
def run(store: Store, tmp_path: Path) -> str:
    """A rest, a charge of 0.36 mAh, 0.14 mAh at constant voltage, and 0.36 mAh out again."""
    path = tmp_path / "gcpl.mpt"
    path.write_text(ECLAB, encoding="latin-1")
    return import_file(store, path).run


def written(results: Results, run: str, path: Path, format_: str, step: int | None = None) -> Path:
    if format_ == "parquet":
        write_parquet(results, run, path)
        return path
    with path.open("w", encoding="utf-8", newline="") as file:
        export(results, run, file, format_, step)
    return path


@pytest.mark.parametrize(
    ("format_", "name"), [("bdf", "x.bdf.csv"), ("csv", "x.csv"), ("parquet", "x.bdf.parquet")]
)
def test_what_is_exported_and_imported_again_is_the_same(
    results: Results, run: str, tmp_path: Path, format_: str, name: str
) -> None:
    other = Store.open(str(tmp_path / "other.db"))
    again = import_file(other, written(results, run, tmp_path / name, format_)).run
    theirs = Results.open(other.url)
    for ours, back in zip(results.readings(run), theirs.readings(again), strict=True):
        assert back[:8] == pytest.approx(ours[:8], rel=1e-12, abs=1e-15)
    if format_ != "csv":  # its ten columns name no step types
        assert [step.verb for step in theirs.steps(again)] == [step.verb for step in results.steps(run)]
    for before, after in zip(results.cycles(run), theirs.cycles(again), strict=True):
        assert after.charge_capacity == pytest.approx(before.charge_capacity)
        assert after.discharge_energy == pytest.approx(before.discharge_energy)
    assert theirs.run(again).started == results.run(run).started
    other.close()


def test_a_spectrum_is_the_same_again(store: Store, results: Results, tmp_path: Path) -> None:
    run = import_file(store, DATA / "spectrum.csv").run
    again = import_file(store, written(results, run, tmp_path / "eis.csv", "eis")).run
    points = [[p[4:] for p in results.impedance(name)] for name in (run, again)]
    assert points[0] == points[1]


def test_the_validator_of_the_battery_data_format_accepts_it(
    results: Results, run: str, tmp_path: Path
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its dependencies' own
        bdf = pytest.importorskip("bdf")
        for name, format_ in (("x.bdf.csv", "bdf"), ("x.bdf.parquet", "parquet")):
            found = bdf.validate(written(results, run, tmp_path / name, format_))
            assert (found["ok"], found["missing"], found["n_rows"]) == (True, [], 8)
            assert found["time_stats"]["monotonic"]


def test_charging_and_discharging_never_begin_anew(results: Results, run: str) -> None:
    out = io.StringIO()
    export(results, run, out, "bdf")
    last = list(csv.DictReader(io.StringIO(out.getvalue())))[-1]
    assert float(last["Charging Capacity / Ah"]) == pytest.approx(0.5e-3)
    assert float(last["Discharging Capacity / Ah"]) == pytest.approx(0.36e-3)
    assert float(last["Step Net Capacity / Ah"]) == pytest.approx(-0.36e-3)
    assert (last["Step Type"], last["Step Time / s"]) == ("CC_DCH", "359.0")


def test_a_folder_holds_all_of_a_run_under_checksums(store: Store, results: Results, tmp_path: Path) -> None:
    store.add(batched(whole_run("one")))
    folder = tmp_path / "one"
    count = write_folder(results, "one", folder)
    names = {path.name for path in folder.iterdir()}
    assert names == {
        *("one.bdf.csv", "cycles.csv", "steps.csv", "events.csv"),
        *("cell.json", "run.json", "protocol.yaml", "README.md", "SHA256SUMS"),
    }
    assert count == len(names)
    lines = (line.split("  ") for line in (folder / "SHA256SUMS").read_text().splitlines())
    sums = {name: digest for digest, name in lines}
    assert sums.keys() == names - {"SHA256SUMS"}
    for name, digest in sums.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    assert json.loads((folder / "cell.json").read_text())["active_mass"] == 1.7e-6
    assert (folder / "protocol.yaml").read_text() == "protocol: Li-S cycling"
    with pytest.raises(BusyError, match="is there already and not empty"):
        write_folder(results, "one", folder)


def test_a_crate_describes_every_file_it_holds(store: Store, results: Results, tmp_path: Path) -> None:
    store.add(batched(whole_run("one")))
    folder = tmp_path / "crate"
    write_crate(results, "one", folder, licence="CC-BY-4.0")
    crate = json.loads((folder / "ro-crate-metadata.json").read_text())
    entities = {entity["@id"]: entity for entity in crate["@graph"]}
    assert crate["@context"][0] == "https://w3id.org/ro/crate/1.1/context"
    descriptor = entities["ro-crate-metadata.json"]
    assert descriptor["conformsTo"] == {"@id": "https://w3id.org/ro/crate/1.1"}
    root = entities[descriptor["about"]["@id"]]
    assert root["@type"] == "Dataset"
    assert root["datePublished"] == "2026-01-31"
    assert root["license"] == {"@id": "https://spdx.org/licenses/CC-BY-4.0"}
    held = {path.name for path in folder.iterdir()} - {"ro-crate-metadata.json", "SHA256SUMS"}
    assert {part["@id"] for part in root["hasPart"]} == held
    for name in held:
        assert entities[name]["@type"] == "File"
        assert entities[name]["contentSize"] == str((folder / name).stat().st_size)
        assert entities[name]["sha256"] == hashlib.sha256((folder / name).read_bytes()).hexdigest()
    mentioned = [each for entity in crate["@graph"] for each in references(entity)]
    assert [each for each in mentioned if each not in entities and "://" not in each] == []
    assert entities["#measurement"]["startTime"] == "2026-01-31T12:00:00+00:00"


def references(value: object) -> Iterator[str]:
    """Every entity that is pointed to: an object with an @id and nothing else."""
    if isinstance(value, dict):
        if set(value) == {"@id"}:
            yield str(value["@id"])
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)
