"""A tally prefers the instrument's counters, and keeps what the readings say beside them."""

import pytest

from daemon.engines.progress import Tally
from protocols.reading import Reading


def test_the_counter_is_taken_and_the_integral_kept() -> None:
    tally = Tally(None)
    tally.take(0.0, Reading(0.0, 2.0, 1e-3), (0.0, 0.0))
    tally.take(10.0, Reading(10.0, 2.0, 1e-3), (0.0101, 0.0202))
    assert tally.coulombs == 0.0101
    assert tally.own_coulombs == pytest.approx(0.010)  # 1 mA for 10 s


def test_without_a_counter_there_is_nothing_beside() -> None:
    tally = Tally(None)
    tally.take(10.0, Reading(10.0, 2.0, 1e-3))
    assert tally.coulombs == pytest.approx(0.010)
    assert tally.own_coulombs is None
