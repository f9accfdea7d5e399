"""A cell whose leads go wrong: E = 3.7 V + Q / 1000 F behind 2 ohm, reckoned by hand."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.cells.base import Cell
from simulators.faults import Faults
from simulators.faults.cell import FaultyCell
from simulators.regimes import Source, current_source
from tests.simulators.linear_cell import LinearCell


def faulty(*faults: str) -> tuple[FaultyCell, LinearCell]:
    inside = LinearCell()
    return FaultyCell(inside, Faults(faults)), inside


def test_without_faults_it_is_the_cell() -> None:
    cell, inside = faulty()
    assert cell.drive_current(0.1, 100.0) == pytest.approx(3.7 + 0.01 + 0.2)
    assert (cell.lived, inside.charge) == (100.0, 10.0)


def test_an_open_lead_passes_nothing_from_its_moment_to_its_moment() -> None:
    cell, inside = faulty("open at 10 s for 20 s")
    assert cell.drive_current(0.1, 100.0) == pytest.approx(3.7 + 0.008 + 0.2)
    assert inside.charge == pytest.approx(8.0)


def test_an_open_lead_takes_a_current_source_to_its_clamp_and_lets_it_come_back() -> None:
    # 0.1 A clamped at 4.0 V; the lead is off from 10 s to 20 s: 8 C by 90 s.
    cell, inside = faulty("open at 10 s for 10 s")
    source = Source(cell)
    source.apply(cell, current_source(0.1, 4.0, 1.05))
    source.live(15.0)
    assert source.look() == pytest.approx((4.0, 0.0), abs=1e-9)
    assert inside.charge == pytest.approx(1.0, abs=1e-5)
    source.live(75.0)
    assert source.look() == pytest.approx((3.908, 0.1), abs=1e-6)
    assert inside.charge == pytest.approx(8.0, abs=1e-5)


def test_a_reversed_cell_is_discharged_by_what_is_meant_to_charge_it() -> None:
    cell, inside = faulty("reversed")
    assert cell.drive_current(0.1, 100.0) == pytest.approx(-(3.7 - 0.01 - 0.2))
    assert inside.charge == pytest.approx(-10.0)
    # Held at its own (reversed) 3.69 V nothing flows; at 0 V, 3.69 V over 2 ohm.
    assert cell.drive_voltage(-3.69, 0.0) == pytest.approx(0.0, abs=1e-12)
    assert cell.drive_voltage(0.0, 0.0) == pytest.approx(3.69 / 2.0)


def test_a_bad_contact_is_in_series() -> None:
    cell, inside = faulty("contact by 3 Ohm at 50 s")
    assert cell.drive_current(0.1, 40.0) == pytest.approx(3.704 + 0.2)
    assert cell.drive_current(0.1, 60.0) == pytest.approx(3.71 + 0.5)
    assert cell.drive_voltage(4.21, 0.0) == pytest.approx(0.1)
    assert inside.charge == pytest.approx(10.0)


def test_a_shunt_takes_its_share() -> None:
    # 37 ohm across 3.7 V behind 2 ohm: at rest 3.7/39 A leave the cell, and 3.7 * 37/39 V are seen.
    cell, inside = faulty("shunt by 37 Ohm")
    assert cell.drive_current(0.0, 0.0) == pytest.approx(3.7 * 37 / 39)
    assert cell.drive_voltage(3.7, 0.0) == pytest.approx(0.1)  # a hold never tapers below this
    cell.drive_current(0.0, 1000.0)  # 39 kohm farad: 1000 s are e^(-1/39)
    assert inside.charge == pytest.approx(-3700.0 * (1 - math.exp(-1 / 39)), rel=1e-4)


def test_the_surroundings_drift() -> None:
    cell, _ = faulty("drifting by 36 K/h at 100 s for 1000 s")
    cell.drive_current(0.0, 100.0)
    assert cell.temperature == pytest.approx(25.0)
    cell.drive_current(0.0, 500.0)
    assert cell.temperature == pytest.approx(30.0)


def test_time_is_part_of_what_it_remembers() -> None:
    cell, inside = faulty("open at 10 s for 10 s")
    before = cell.state()
    once = cell.drive_current(0.1, 15.0)
    cell.restore(before)
    assert (cell.lived, inside.charge) == (0.0, 0.0)
    assert cell.drive_current(0.1, 15.0) == once


def test_resting_until_a_moment_that_was_does_nothing() -> None:
    cell, _ = faulty()
    cell.rest_until(10.0)
    cell.rest_until(5.0)
    assert cell.lived == 10.0


@given(
    cuts=st.lists(st.floats(0.0, 40.0), max_size=6),
    begin=st.floats(0.0, 50.0),
    lasts=st.floats(0.0, 50.0),
    kind=st.sampled_from(["open", "reversed", "contact by 3 Ohm"]),
)
def test_the_charge_does_not_depend_on_how_the_time_is_cut(
    cuts: list[float], begin: float, lasts: float, kind: str
) -> None:
    words = f"{kind} at {begin:.6f} s for {lasts:.6f} s"
    whole, inside_whole = faulty(words)
    pieces, inside_pieces = faulty(words)
    total = math.fsum(cuts)
    seen = whole.drive_current(0.1, total)
    for seconds in cuts:
        pieces.drive_current(0.1, seconds)
    assert pieces.drive_current(0.1, max(0.0, whole.lived - pieces.lived)) == pytest.approx(
        seen, rel=1e-6, abs=1e-6
    )
    assert inside_pieces.charge == pytest.approx(inside_whole.charge, abs=1e-6)


def test_it_is_a_cell_like_any_other() -> None:
    cell: Cell = faulty()[0]
    assert cell.charge_passed() == 0.0
    assert cell.impedance(1.0) == LinearCell().impedance(1.0)
    assert cell.truth() == {"charge": 0.0}
