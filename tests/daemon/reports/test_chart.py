"""A chart: what it shows survives thinning, its ticks are round, and text in it stays text."""

from pathlib import Path

import numpy as np
import pytest

from daemon.reports.chart import Axis, Chart, Mark, Series, thinned
from daemon.reports.markup import tag
from daemon.reports.paper import write_figures
from daemon.reports.svg import HEIGHT, WIDTH, draw
from daemon.reports.ticks import decade_ticks, linear_ticks, written


def test_a_single_outlier_survives_thinning() -> None:
    x, y = np.arange(100_000.0), np.zeros(100_000)
    y[43_217] = 1.0
    across, up = thinned(x, y, 900)
    assert len(across) <= 902
    assert across[np.argmax(up)] == 43_217
    assert np.all(np.diff(across) > 0)
    assert (across[0], across[-1]) == (0, 99_999)


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (1.66, 2.84, ["1.8", "2.0", "2.2", "2.4", "2.6", "2.8"]),
        (
            -30_500,
            21_000,
            ["−30\u2009000", "−20\u2009000", "−10\u2009000", "0", "10\u2009000", "20\u2009000"],
        ),
        (0.0, 1.0, ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
    ],
)
def test_ticks_are_round_and_written_alike(low: float, high: float, ticks: list[str]) -> None:
    assert written(linear_ticks(low, high)) == ticks


def test_decades_are_powers_of_ten() -> None:
    assert written(decade_ticks(8e-4, 2e5), logarithmic=True) == ["10⁻³", "0.1", "10", "1000", "10⁵"]


def test_text_never_becomes_markup() -> None:
    assert tag("td", '<script>"', title="a&b") == '<td title="a&amp;b">&lt;script&gt;&quot;</td>'


def test_a_half_circle_is_drawn_as_one() -> None:
    angle = np.linspace(0, np.pi, 91)
    circle = Series("", 20 + 15 * np.cos(angle), 15 * np.sin(angle))
    drawn = draw(Chart("nyquist", "Nyquist", Axis("Z′", "Ω"), Axis("−Z″", "Ω"), [circle], equal=True))
    points = drawn.split('points="')[1].split('"')[0].split()
    x, y = np.array([[float(number) for number in point.split(",")] for point in points]).T
    assert np.ptp(x) == pytest.approx(2 * np.ptp(y), rel=0.01)
    assert 0 <= x.min() < x.max() <= WIDTH
    assert 0 <= y.min() < y.max() <= HEIGHT


def test_what_a_logarithmic_axis_cannot_show_is_left_out() -> None:
    series = Series("", np.array([0.0, 1.0, 10.0]), np.array([1.0, 2.0, np.nan]), Mark.POINTS)
    drawn = draw(Chart("x", "x", Axis("Time", "s", logarithmic=True), Axis("I", "mA"), [series]))
    assert drawn.count("h0") == 1
    assert "nan" not in drawn


def test_a_chart_for_a_paper_keeps_its_letters(tmp_path: Path) -> None:
    line = Series("cycle 1", np.arange(5.0), np.arange(5.0))
    chart = Chart("voltage", "Voltage", Axis("Time", "h"), Axis("Voltage", "V"), [line])
    first, second = write_figures([chart, chart], tmp_path / "paper")
    assert (first.name, second.name) == ("voltage.svg", "voltage-2.svg")
    assert ">Voltage / V</text>" in first.read_text()
