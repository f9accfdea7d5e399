"""SI numbers as a lab writes them."""

import pytest

from protocols import lab


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (-0.001131, "A", "-1.131 mA"),
        (0.0, "V", "0 V"),
        (1.0, "V", "1 V"),
        (0.001, "V", "1 mV"),
        (0.9999999e-3, "A", "1 mA"),
        (999.0, "Hz", "999 Hz"),
        (1000.0, "Hz", "1 kHz"),
        (1e5, "Hz", "100 kHz"),
        (1e9, "Hz", "1000 MHz"),
        (5e-13, "A", "0.5 pA"),
        (2.5e-6, "m", "2.5 um"),
    ],
)
def test_a_number_gets_the_prefix_that_reads_best(value: float, unit: str, text: str) -> None:
    assert lab.with_prefix(value, unit) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.001, "1 ms"),
        (30.0, "30 s"),
        (90.0, "1.5 min"),
        (3600.0, "1 h"),
        (86400.0, "24 h"),
        (864000.0, "10 d"),
    ],
)
def test_a_time_gets_the_unit_a_person_would_choose(seconds: float, text: str) -> None:
    assert lab.duration(seconds) == text
