"""The front end: rounding by hand, clipping, ranges, and noise that is the seed's."""

from cmath import phase
from math import degrees
from statistics import mean, stdev

import pytest

from simulators.front_end import FrontEnd


def test_an_exact_converter_rounds_to_its_step() -> None:
    # 18 bits over +-5 V: a step of 5/131072 V = 38.147 uV; 1 V is step 26214.4, so 26214 of them
    assert FrontEnd(1, exact=True).voltage(1.0) == pytest.approx(0.99998474, abs=1e-8)
    # 16 bits over +-1 mA: 1/32768 mA; 0.5001 mA is step 16387.3
    measured = FrontEnd(1, bits=16, exact=True).current(5.001e-4, 1e-3)
    assert measured.value == pytest.approx(16387 / 32768 * 1e-3, rel=1e-12)


def test_what_does_not_fit_clips_and_says_so() -> None:
    front = FrontEnd(1, exact=True)
    high, low = front.current(2e-3, 1e-3), front.current(-2e-3, 1e-3)
    assert high.value == pytest.approx(1.02e-3, rel=1e-4)
    assert low.value == pytest.approx(-1.02e-3, rel=1e-4)
    assert high.overload
    assert low.overload
    assert not front.current(1.01e-3, 1e-3).overload
    assert front.measured_voltage(7.0).overload
    assert front.voltage(float("inf")) == pytest.approx(5.1, rel=1e-4)
    assert front.measured_voltage(float("nan")).overload


def test_a_small_current_asks_for_a_lower_range() -> None:
    front = FrontEnd(1, exact=True)
    assert front.current(7.9e-5, 1e-3).underload
    assert not front.current(8.1e-5, 1e-3).underload


@pytest.mark.parametrize(("amperes", "full"), [(0.0, 1e-6), (1e-3, 1e-3), (-1.1e-3, 1e-2), (9.0, 1.0)])
def test_the_range_for_a_current(amperes: float, full: float) -> None:
    assert FrontEnd(1).range_for(amperes) == full


def test_the_same_seed_gives_the_same_numbers() -> None:
    def readings(seed: int) -> list[float]:
        front = FrontEnd(seed)
        return [
            front.voltage(1.0),
            front.current(1e-4, 1e-3).value,
            abs(front.impedance(4 - 3j)),
            front.voltage(2.0),
        ]

    assert readings(3) == readings(3)
    assert readings(3) != readings(4)


def test_noise_has_the_stated_size() -> None:
    front = FrontEnd(2, bits=24)
    volts = [front.voltage(1.0) for _ in range(2000)]
    amperes = [front.current(1e-4, 1e-3).value for _ in range(2000)]
    assert stdev(volts) == pytest.approx(30e-6, rel=0.06)  # of 2000 draws good to 1.6 %
    assert stdev(amperes) == pytest.approx(2e-5 * 1e-3, rel=0.06)


def test_gain_and_offset_errors_have_the_stated_size() -> None:
    # at 4 V: 4 x 50 ppm = 200 uV beside an offset of 50 uV: 206 uV; 400 seeds tell it to 3.5 %
    seen = [FrontEnd(seed, bits=24, voltage_noise=0.0).voltage(4.0) - 4.0 for seed in range(400)]
    assert stdev(seen) == pytest.approx(206e-6, rel=0.12)
    assert mean(seen) == pytest.approx(0.0, abs=4 * 206e-6 / 20)
    # at no current only the offset: 1e-5 of the range
    seen = [FrontEnd(seed, bits=24, current_noise=0.0).current(0.0, 1e-2).value for seed in range(400)]
    assert stdev(seen) == pytest.approx(1e-7, rel=0.12)


def test_impedance_noise_is_in_modulus_and_phase() -> None:
    front = FrontEnd(5)
    ratios = [front.impedance(30 - 40j) / (30 - 40j) for _ in range(2000)]
    assert stdev(abs(ratio) for ratio in ratios) == pytest.approx(1.5e-3, rel=0.06)
    assert stdev(degrees(phase(ratio)) for ratio in ratios) == pytest.approx(0.1, rel=0.06)
    assert FrontEnd(5, exact=True).impedance(30 - 40j) == 30 - 40j
