"""A chart drawn as SVG for a page: colours and lettering come from the page's style."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from daemon.reports.chart import DENSE, Axis, Chart, Mark, Series
from daemon.reports.markup import Markup, tag
from daemon.reports.ticks import decade_ticks, linear_ticks, written
from protocols.figures.estimate import Array

WIDTH, HEIGHT = 440.0, 290.0
LEFT, RIGHT, TOP, BOTTOM = 50.0, 12.0, 22.0, 40.0
RIGHT_AXIS = 46.0


@dataclass(frozen=True, slots=True)
class Scale:
    """Where a value of an axis lies on the drawing."""

    low: float
    high: float
    start: float
    stop: float
    logarithmic: bool

    def place(self, values: Array) -> Array:
        """Return drawing coordinates; what a logarithmic axis cannot show becomes NaN."""
        low, high = self.low, self.high
        if self.logarithmic:
            with np.errstate(divide="ignore", invalid="ignore"):
                values = np.where(values > 0, np.log10(np.maximum(values, 1e-300)), np.nan)
            low, high = math.log10(low), math.log10(high)
        return self.start + (values - low) / (high - low) * (self.stop - self.start)

    def ticks(self, about: int) -> list[float]:
        if self.logarithmic:
            decades = decade_ticks(self.low, self.high)
            return decades if len(decades) > 1 else linear_ticks(self.low, self.high, 3)
        return linear_ticks(self.low, self.high, about)


def draw(chart: Chart) -> Markup:
    """Return the chart as one `svg` element that scales with the page."""
    plot_right = WIDTH - (RIGHT_AXIS if chart.right else RIGHT)
    left = [s for s in chart.series if not s.right]
    x = _scale(chart.x, [s.x for s in chart.series], LEFT, plot_right, margin=0.02)
    ceiling = TOP + (16.0 if chart.labels else 0.0)
    y = _scale(chart.y, _heights(left), HEIGHT - BOTTOM, ceiling)
    if chart.equal:
        x, y = _equalised(x, y)
    right = (
        _scale(chart.right, _heights([s for s in chart.series if s.right]), HEIGHT - BOTTOM, TOP)
        if (chart.right)
        else None
    )
    parts: list[Markup] = [*_grid(chart.x, x, chart.y, y, plot_right)]
    if chart.right and right:
        parts += _right_axis(chart.right, right, plot_right)
    parts += _labels(chart.labels, x, plot_right)
    for index, series in enumerate(chart.series):
        parts += _series(series, x, right if series.right and right else y, _colour(chart, series, index))
    return tag(
        "svg",
        tag("title", chart.title),
        parts,
        viewBox=f"0 0 {WIDTH:g} {HEIGHT:g}",
        role="img",
        aria_label=f"{chart.title}: {chart.y.title} against {chart.x.title}",
    )


def palette(chart: Chart, index: int) -> str:
    """Return the class that colours a series: by its place in a sequence, or simply the next one."""
    return _colour(chart, chart.series[index], index)


def _colour(chart: Chart, series: Series, index: int) -> str:
    place = series.colour if series.colour is not None else index
    if not chart.ordered:
        return f"c{place % 8}"
    last = max(1, max((s.colour if s.colour is not None else i) for i, s in enumerate(chart.series)))
    return f"r{round(7 * place / last)}"


def _heights(series: Sequence[Series]) -> list[Array]:
    return [s.y for s in series]


def _scale(axis: Axis, columns: Sequence[Array], start: float, stop: float, margin: float = 0.06) -> Scale:
    values = np.concatenate([*columns]) if columns else np.array([0.0, 1.0])
    values = values[np.isfinite(values) & ((values > 0) if axis.logarithmic else True)]
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.1, 1.0)
    if axis.logarithmic:
        spread = max(0.02, margin * math.log10(high / low)) if high > low else 0.3
        return Scale(low / 10**spread, high * 10**spread, start, stop, True)
    least = 1e-9 + 1e-3 * abs(high)
    if high - low < least:
        low, high = low - least, high + least
    room = margin * (high - low)
    floor = 0.0 if 0 <= low < 0.15 * high else low - room
    return Scale(floor, high + room, start, stop, False)


def _equalised(x: Scale, y: Scale) -> tuple[Scale, Scale]:
    """Return both scales with one unit equally long on either: a half circle must look like one."""
    per_x = (x.high - x.low) / abs(x.stop - x.start)
    per_y = (y.high - y.low) / abs(y.stop - y.start)
    per = max(per_x, per_y)
    wide, tall = per * abs(x.stop - x.start), per * abs(y.stop - y.start)
    return (
        Scale(x.low, x.low + wide, x.start, x.stop, False),
        Scale(y.low, y.low + tall, y.start, y.stop, False),
    )


def _grid(x_axis: Axis, x: Scale, y_axis: Axis, y: Scale, plot_right: float) -> Iterator[Markup]:
    floor = HEIGHT - BOTTOM
    for value, words, at in _ticks(y, 5):
        yield tag("line", x1=LEFT, x2=plot_right, y1=at, y2=at, class_="zero" if value == 0 else "grid")
        yield tag("text", words, x=LEFT - 6, y=_n(at + 3.8), class_="tick end")
    for _, words, at in _ticks(x, 6):
        yield tag("line", x1=at, x2=at, y1=floor, y2=floor + 4, class_="axis")
        yield tag("text", words, x=at, y=floor + 16, class_="tick middle")
    yield tag("line", x1=LEFT, x2=plot_right, y1=floor, y2=floor, class_="axis")
    yield tag("text", y_axis.title, x=LEFT - 42, y=TOP - 10, class_="axis-title")
    yield tag("text", x_axis.title, x=plot_right, y=HEIGHT - 6, class_="axis-title end")


def _right_axis(axis: Axis, scale: Scale, at_x: float) -> Iterator[Markup]:
    for _, words, at in _ticks(scale, 5):
        yield tag("line", x1=at_x, x2=at_x + 4, y1=at, y2=at, class_="axis")
        yield tag("text", words, x=at_x + 7, y=_n(at + 3.8), class_="tick")
    yield tag("text", axis.title, x=WIDTH - 2, y=TOP - 10, class_="axis-title end")


def _ticks(scale: Scale, about: int) -> Iterator[tuple[float, str, float]]:
    ticks = scale.ticks(about)
    decades = scale.logarithmic and len(decade_ticks(scale.low, scale.high)) > 1
    places = scale.place(np.array(ticks, dtype=float))
    for tick, words, at in zip(ticks, written(ticks, decades), places.tolist(), strict=True):
        yield tick, words, _n(at)


def _labels(labels: Sequence[tuple[float, str]], x: Scale, plot_right: float) -> Iterator[Markup]:
    for value, words in labels:
        at = float(x.place(np.array([value]))[0])
        yield tag("text", words, x=_n(min(at, plot_right)), y=TOP + 10, class_="label middle")


def _series(series: Series, x: Scale, y: Scale, colour: str) -> Iterator[Markup]:
    across, up = x.place(series.x), y.place(series.y)
    shown = np.isfinite(across) & np.isfinite(up)
    across, up = across[shown], up[shown]
    match series.mark:
        case Mark.LINE:
            kind = " fit" if series.dashed else " dense" if len(across) > DENSE else ""
            yield tag("polyline", points=_points(across, up), class_=f"s {colour}{kind}")
        case Mark.POINTS:
            radius = 2.6 if len(across) <= 60 else 1.7 if len(across) <= 400 else 1.1
            # one path of zero-length strokes with round ends: a tenth of as many circles
            dots = "".join(f"M{_n(a)} {_n(b)}h0" for a, b in zip(across.tolist(), up.tolist(), strict=True))
            yield tag("path", d=dots, class_=f"dots {colour}", stroke_width=_n(2 * radius))


def _points(across: Array, up: Array) -> str:
    return " ".join(f"{_n(a):g},{_n(b):g}" for a, b in zip(across.tolist(), up.tolist(), strict=True))


def _n(value: float) -> float:
    return round(value, 1)
