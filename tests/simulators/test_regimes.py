"""A source with limits on a cell that can be worked out by hand.

The cell: 3.7 V + charge / 1000 F behind 2 ohm, so its time constant at a held voltage is 2000 s.
"""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.leads import Leads
from simulators.regimes import Source, current_source, voltage_source
from tests.simulators.linear_cell import LinearCell


def test_a_charging_current_is_clamped_when_the_cell_reaches_the_limit() -> None:
    # 0.1 A: 3.9 V at once, 4.0 V after 100 C, which is 1000 s. Then 4.0 V are held for one time
    # constant: the current falls to 0.1 A / e, and 200 C x (1 - 1/e) = 126.424 C more flow.
    cell = LinearCell()
    source = Source(cell)
    source.apply(cell, current_source(0.1, voltage_limit=4.0, current_ceiling=0.105))
    source.live(999.0)
    assert not source.regime.limited
    source.live(2001.0)
    assert source.regime.limited
    assert source.look() == pytest.approx((4.0, 0.1 / math.e), rel=1e-6)
    assert cell.charge == pytest.approx(226.424, abs=1e-3)


def test_a_discharge_never_meets_the_clamp_of_a_positive_cell() -> None:
    # The clamp is symmetric: -0.1 A pulls the cell from 3.5 V down to 0 V and on, to -4 V:
    # 3.7 - 0.2 - 0.0001 t = -4 at t = 75 000 s.
    cell = LinearCell()
    source = Source(cell)
    source.apply(cell, current_source(-0.1, voltage_limit=4.0, current_ceiling=0.105))
    source.live(74_000.0)
    assert source.look() == pytest.approx((3.5 - 7.4, -0.1))
    source.live(2_000.0)
    assert source.regime.limited
    assert source.look()[0] == -4.0


def test_a_cell_beyond_the_clamp_is_discharged_with_all_the_range_has() -> None:
    # 0 A wanted but no more than 1 V: -0.105 A flow until 3.7 V - 0.21 V + q/1000 = 1 V: -2490 C.
    cell = LinearCell()
    source = Source(cell)
    source.apply(cell, current_source(0.0, voltage_limit=1.0, current_ceiling=0.105))
    source.live(1000.0)
    assert cell.charge == pytest.approx(-105.0)
    source.live(2490.0 / 0.105 - 1000.0 + 60.0)
    assert source.regime.value == 1.0


def test_a_voltage_source_is_a_current_source_until_its_level_is_reached() -> None:
    # 4.2 V with at most 0.1 A: 0.1 A until 3.9 V + q/1000 = 4.2 V, 300 C, 3000 s.
    cell = LinearCell()
    source = Source(cell)
    source.apply(cell, voltage_source(4.2, current_limit=0.1))
    assert source.regime.limited
    source.live(2999.0)
    assert source.look()[1] == 0.1
    source.live(2.0)
    assert source.look() == pytest.approx((4.2, 0.1 * math.exp(-1.0 / 2000.0)), rel=1e-6)


def test_two_wires_add_their_drop_and_take_it_from_the_cell() -> None:
    cell = LinearCell()
    source = Source(cell)
    source.apply(Leads(cell, 0.1), current_source(0.1, voltage_limit=4.2, current_ceiling=0.105))
    assert source.look()[0] == pytest.approx(3.7 + 0.1 * (2.0 + 0.1))
    source.apply(Leads(cell, 0.1), voltage_source(4.12, current_limit=1.0))
    assert source.look()[1] == pytest.approx((4.12 - 3.7) / (2.0 + 0.1))


def test_a_voltage_held_through_leads_decays_with_the_longer_time_constant() -> None:
    # (2 + 0.1) ohm x 1000 F = 2100 s: after as long, the 0.21 V between them are down to 0.21 V / e.
    cell = LinearCell()
    source = Source(cell)
    source.apply(Leads(cell, 0.1), voltage_source(3.91, current_limit=1.0))
    source.live(2100.0)
    assert source.look()[1] == pytest.approx(0.1 / math.e, rel=1e-3)


@given(cuts=st.lists(st.floats(0.001, 900.0), min_size=1, max_size=20))
@settings(max_examples=50, deadline=None)
def test_how_time_is_cut_up_does_not_matter(cuts: list[float]) -> None:
    whole, cut = LinearCell(), LinearCell()
    one = Source(whole)
    one.apply(whole, current_source(0.1, voltage_limit=4.0, current_ceiling=0.105))
    one.live(sum(cuts))
    other = Source(cut)
    other.apply(cut, current_source(0.1, voltage_limit=4.0, current_ceiling=0.105))
    for seconds in cuts:
        other.live(seconds)
    assert cut.charge == pytest.approx(whole.charge, rel=1e-6)


class Restless(LinearCell):
    """Its voltage at a current is always too high, its current at a voltage always too large."""

    drives = 0

    def drive_current(self, amperes: float, seconds: float) -> float:
        self.drives += 1
        return 100.0

    def drive_voltage(self, volts: float, seconds: float) -> float:
        self.drives += 1
        return 100.0


def test_a_cell_no_regime_suits_does_not_hold_time_up() -> None:
    # Each turn is at least twice as long as the one before, from 1 us: about 37 of them fill a day.
    cell = Restless()
    source = Source(cell)
    source.apply(cell, voltage_source(4.0, current_limit=0.1))
    source.live(86_400.0)
    assert cell.drives < 10_000
