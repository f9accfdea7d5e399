"""What an instrument counted is what its imported run says."""

import csv
import struct
from pathlib import Path

import pytest

from daemon.imports.importing import import_file
from daemon.reading.results import CycleRecord, Results
from daemon.recording.store import Store
from tests.daemon.imports.files import DATA, ECLAB, MACCOR

AMPERE_HOUR = WATT_HOUR = 3600.0
SHARED = Path(__file__).parents[4] / "shared" / "data"


def imported(store: Store, results: Results, path: Path) -> list[CycleRecord]:
    return [cycle for cycle in results.cycles(import_file(store, path).run) if cycle.cycle > 0]


def neware_cycles(path: Path) -> list[list[str]]:
    """The export's own rows of cycles: number, charge, discharge (Ah), efficiency, energies (Wh)."""
    rows = list(csv.reader(path.read_text().splitlines()))
    return [row for row in rows[3:] if row[0]]


@pytest.mark.parametrize(
    "path",
    [
        DATA / "neware_layers.csv",
        pytest.param(
            SHARED / "neware" / "nw_regular_export_ife_example.csv",
            marks=pytest.mark.skipif(not SHARED.exists(), reason="the whole file is not here"),
        ),
    ],
    ids=["three cycles", "all twenty"],
)
def test_neware_cycles_are_those_of_the_vendor_rows(store: Store, results: Results, path: Path) -> None:
    vendor = neware_cycles(path)
    cycles = imported(store, results, path)
    assert [cycle.cycle for cycle in cycles] == [int(row[0]) for row in vendor]
    for cycle, row in zip(cycles, vendor, strict=True):
        assert cycle.charge_capacity == pytest.approx(float(row[1]) * AMPERE_HOUR, rel=5e-4)
        assert cycle.discharge_capacity == pytest.approx(float(row[2]) * AMPERE_HOUR, rel=5e-4)
        assert cycle.charge_energy == pytest.approx(float(row[4]) * WATT_HOUR, rel=1e-3)
        assert cycle.discharge_energy == pytest.approx(float(row[5]) * WATT_HOUR, rel=1e-3)
        # the vendor's efficiency is discharge / charge of the same row, in per cent to two digits
        assert cycle.coulombic_efficiency == pytest.approx(float(row[3]) / 100, rel=5e-4)


def test_land_counters_win_over_its_rounded_current(store: Store, results: Results) -> None:
    # The last rows of its steps say 0.0063 Ah out, 0.0032 Ah in, 0.0013 Ah out; the current, shown as
    # 0.0002 A, would make it 0.00714 Ah.
    found = import_file(store, DATA / "land.csv")
    first, second = (cycle for cycle in results.cycles(found.run) if cycle.cycle > 0)
    assert first.discharge_capacity == pytest.approx(0.0063 * AMPERE_HOUR, rel=1e-9)
    assert first.charge_capacity == pytest.approx(0.0032 * AMPERE_HOUR, rel=1e-9)
    assert second.discharge_capacity == pytest.approx(0.0013 * AMPERE_HOUR, rel=1e-9)
    assert any("differs from the instrument's counters by 1" in remark for remark in found.remarks)
    assert results.run(found.run).started == "2024-04-30T14:33:18.980000+00:00"


def test_land_result_files_are_read_page_by_page(store: Store, results: Results, tmp_path: Path) -> None:
    # six records of 600 s at -1 mA, each 1/6 mAh more: 1 mAh out; then another step, 0.5 mAh in
    def page(microamperes: float, microampere_hours: float, count: int) -> bytes:
        record = struct.pack("<ffffi", 2.1, microamperes, microampere_hours, 2.1 * microampere_hours, 600_000)
        return struct.pack("<II", 0x0603, 1) + record * count + bytes(20 * (6 - count))

    other = struct.pack("<II", 0x0602, 1) + bytes(120)
    path = tmp_path / "test.ccs"
    path.write_bytes(bytes(0xA80) + other + page(-1000.0, 1000 / 6, 6) + other + page(1000.0, 1000 / 6, 3))
    discharge, charge = results.steps(import_file(store, path).run)
    assert (discharge.verb, charge.verb) == ("discharge", "charge")
    assert discharge.capacity == pytest.approx(-3.6, rel=1e-6)
    assert charge.capacity == pytest.approx(1.8, rel=1e-6)


def test_arbin_counters_go_on_from_step_to_step(store: Store, results: Results) -> None:
    # Charge_Capacity ends at 4.835149e-4 Ah in cycle 1 and begins anew in cycle 2, which ends at 4.767506e-4.
    first, second = imported(store, results, DATA / "arbin.csv")
    assert first.charge_capacity == pytest.approx(4.835149e-4 * AMPERE_HOUR, rel=1e-6)
    assert second.charge_capacity == pytest.approx(4.767506e-4 * AMPERE_HOUR, rel=1e-6)
    # and so do the discharges, 0.475 and 0.474 mAh
    assert first.discharge_capacity == pytest.approx(0.475156e-3 * AMPERE_HOUR, rel=1e-5)


def test_eclab_counts_from_one_step_to_the_next(store: Store, results: Results, tmp_path: Path) -> None:
    path = tmp_path / "gcpl.mpt"
    path.write_text(ECLAB, encoding="latin-1")
    run = import_file(store, path).run
    steps = results.steps(run)
    assert [step.verb for step in steps] == ["rest", "charge", "hold", "discharge"]
    # (Q-Qo) at the ends of the steps: 0, 0.36, 0.5, 0.14 mAh; 1 mAh is 3.6 C
    assert [step.capacity for step in steps] == pytest.approx([0.0, 0.36 * 3.6, 0.14 * 3.6, -0.36 * 3.6])
    (cycle,) = (cycle for cycle in results.cycles(run) if cycle.cycle == 1)
    assert cycle.coulombic_efficiency == pytest.approx(0.36 / 0.5)
    record = results.run(run)
    assert record.instrument == {"maker": "Bio-Logic", "model": "VMP3", "serial": "0042"}
    assert (record.driver, record.simulated, record.channel) == ("import", False, "3 (SN 12345)")


def test_every_spectrum_of_a_column_is_a_step_of_its_own(
    store: Store, results: Results, tmp_path: Path
) -> None:
    # two spectra downwards; the second ends with its first frequency again, to see drift
    lines = [f"{hertz},{ohm},-1" for ohm, row in ((1, (100, 10, 1)), (2, (100, 10, 1, 100))) for hertz in row]
    path = tmp_path / "two.csv"
    path.write_text("\n".join(lines))
    run = import_file(store, path).run
    assert [step.verb for step in results.steps(run)] == ["impedance", "impedance"]
    assert [len(results.impedance(run, step)) for step in (1, 2)] == [3, 4]


def test_pulses_both_ways_are_integrated_as_no_counter_tells_them_apart(
    store: Store, results: Results, tmp_path: Path
) -> None:
    # 1 mA in for an hour, 0.5 mA out for another: 1.8 C in all, whatever a counter without a sign says
    titles = "DataPoint,Cycle Index,Step Index,Step Type,Time,Total Time,Current(mA),Voltage(V),Capacity(mAh)"
    rows = [(0, 1), (3600, 1), (3600, -0.5), (7200, -0.5)]
    path = tmp_path / "pulses.csv"
    lines = [f"{n},1,1,SIM,{t},{t},{i},3.5,{t / 3600}" for n, (t, i) in enumerate(rows, 1)]
    path.write_text("\n".join([titles, *lines]))
    (step,) = results.steps(import_file(store, path).run)
    assert step.verb == "charge"
    assert step.capacity == pytest.approx(3.6 - 1.8)


def test_maccor_currents_get_their_sign_from_the_state(
    store: Store, results: Results, tmp_path: Path
) -> None:
    path = tmp_path / "maccor.txt"
    path.write_text(MACCOR)
    run = import_file(store, path).run
    rest, discharge, charge = results.steps(run)
    assert (rest.verb, discharge.verb, charge.verb) == ("rest", "discharge", "charge")
    assert (discharge.capacity, discharge.energy) == pytest.approx((-0.5 * 3600, -1.6 * 3600))
    assert (charge.capacity, charge.energy) == pytest.approx((0.52 * 3600, 1.8 * 3600))
    last = results.readings(run)[-1]
    assert (last.time, last.current, last.temperature) == pytest.approx((90_005.0, 0.5, 25.3))
    assert results.run(run).protocol == "three steps.000"


def test_neware_binary_files_are_read(store: Store, results: Results) -> None:
    found = import_file(store, DATA / "neware_rest.ndax")  # 333 records of half an hour's rest
    assert (found.readings, [step.verb for step in results.steps(found.run)]) == (333, ["rest"])
    assert results.run(found.run).channel == "21-0-80"  # device, unit and channel of its TestInfo


def test_spectra_have_a_negative_imaginary_part_where_they_are_capacitive(
    store: Store, results: Results
) -> None:
    # EC-Lab writes -Im(Z): its third point has -4.92e-1 there. Gamry and the three columns write Im(Z).
    eclab = results.impedance(import_file(store, DATA / "eclab_peis.mpt").run)
    assert (len(eclab), eclab[2].frequency, eclab[2].imaginary) == (43, 5.9291284e2, 4.9220982e-1)
    plain = results.impedance(import_file(store, DATA / "spectrum.csv").run)
    assert (len(plain), plain[0].real, plain[0].imaginary) == (
        66,
        0.0494998977640506016,
        -0.020438698544418925,
    )
    gamry = import_file(store, DATA / "gamry_eis.DTA")
    assert (gamry.readings, gamry.points) == (387, 72)
