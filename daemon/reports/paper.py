"""The charts of a report as files for a paper: one column wide, by Matplotlib (extra `paper`)."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from daemon.errors import ConfigurationError
from daemon.reports.chart import DENSE, Chart, Mark, Series

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.typing import RcKeyType

COLUMN = 3.35  # inches: 85 mm, one column of most journals
HEIGHT = 2.5
RESOLUTION = 600
CATEGORIES = ("#1f5fa8", "#d1690e", "#17805b", "#a3378f", "#6b54c6", "#8a6a12", "#1288a0", "#c23a4b")


def write_figures(charts: Sequence[Chart], folder: Path, kind: str = "svg") -> list[Path]:
    """Write each chart into the folder as KEY.svg or KEY.png, 85 mm wide; return the files.

    Raises `ConfigurationError` where Matplotlib is not installed.
    """
    try:
        import matplotlib
    except ImportError as error:
        raise ConfigurationError(
            "figures for a paper need Matplotlib, which is not installed: pip install 'galvanod[paper]'"
        ) from error
    folder.mkdir(parents=True, exist_ok=True)
    style: dict[RcKeyType, float | str | bool] = {
        "font.size": 8,
        "axes.linewidth": 0.6,
        "lines.linewidth": 1.0,
        "legend.frameon": False,
        "legend.fontsize": 7,
        "xtick.direction": "in",
        "ytick.direction": "in",
        "svg.fonttype": "none",  # letters stay letters, for whoever edits the figure
    }
    with matplotlib.rc_context(style):
        return [_write(chart, folder / f"{name}.{kind}") for name, chart in _named(charts)]


def _named(charts: Sequence[Chart]) -> Iterator[tuple[str, Chart]]:
    seen: dict[str, int] = {}
    for chart in charts:
        seen[chart.key] = seen.get(chart.key, 0) + 1
        yield (chart.key if seen[chart.key] == 1 else f"{chart.key}-{seen[chart.key]}"), chart


def _write(chart: Chart, path: Path) -> Path:
    from matplotlib.figure import Figure  # no pyplot: no window, no state left behind

    figure = Figure(figsize=(COLUMN, HEIGHT), layout="constrained")
    axes = figure.add_subplot()
    axes.set_xlabel(chart.x.title)
    axes.set_ylabel(chart.y.title)
    axes.set_xscale("log" if chart.x.logarithmic else "linear")
    axes.set_yscale("log" if chart.y.logarithmic else "linear")
    if chart.equal:
        axes.set_aspect("equal", adjustable="datalim")
    right = axes.twinx() if chart.right else None
    if chart.right and right is not None:
        right.set_ylabel(chart.right.title)
    for index, series in enumerate(chart.series):
        _draw(right if series.right and right is not None else axes, chart, series, index)
    for place, words in chart.labels:
        axes.annotate(words, (place, 0.97), xycoords=("data", "axes fraction"), ha="center", va="top", size=7)
    if sum(bool(series.name) for series in chart.series) > 1:
        figure.legend(loc="outside upper center", ncols=3)
    figure.savefig(path, dpi=RESOLUTION)
    return path


def _draw(axes: "Axes", chart: Chart, series: Series, index: int) -> None:
    colour = _colour(chart, series, index)
    label = series.name or None
    match series.mark:
        case Mark.LINE:
            width, style = (0.5 if len(series.x) > DENSE else 1.0), "--" if series.dashed else "-"
            axes.plot(series.x, series.y, color=colour, linestyle=style, linewidth=width, label=label)
        case Mark.POINTS:
            size = 3.0 if len(series.x) <= 60 else 1.5
            axes.plot(series.x, series.y, "o", color=colour, markersize=size, markeredgewidth=0, label=label)


def _colour(chart: Chart, series: Series, index: int) -> str | tuple[float, float, float, float]:
    place = series.colour if series.colour is not None else index
    if not chart.ordered:
        return CATEGORIES[place % len(CATEGORIES)]
    from matplotlib import colormaps

    last = max(1, max((s.colour or 0) for s in chart.series))
    red, green, blue, alpha = colormaps["viridis"](0.9 * place / last)
    return float(red), float(green), float(blue), float(alpha)
