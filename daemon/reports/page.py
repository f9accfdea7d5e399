"""A report as one HTML file: no script, no network, light and dark, good on paper."""

from collections.abc import Iterable, Iterator, Sequence
from importlib.resources import files

from daemon.reading.results import CycleRecord, FigureRecord
from daemon.reports import words
from daemon.reports.chart import Chart
from daemon.reports.comparison import Comparison
from daemon.reports.dossier import Dossier
from daemon.reports.markup import Markup, joined, tag
from daemon.reports.scales import capacity_scale
from daemon.reports.svg import draw, palette

CYCLES_LISTED = 200


def page(
    title: str,
    dossiers: Sequence[tuple[Dossier, Sequence[Chart]]],
    comparisons: Sequence[Comparison],
    made: str,
    for_paper: bool = False,
) -> str:
    """Return the report as one HTML document; `for_paper` is light only and has everything unfolded."""
    style = (files("daemon") / "reports" / "style.css").read_text(encoding="utf-8")
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", title),
        tag("style", Markup(style)),
    )
    body = tag(
        "body",
        _overview(title, dossiers, comparisons) if len(dossiers) > 1 else None,
        tag("main", [_run(dossier, charts, for_paper) for dossier, charts in dossiers]),
        tag("footer", made),
    )
    return f"<!DOCTYPE html>\n{tag('html', head, body, lang='en', class_='light' if for_paper else None)}\n"


def _overview(
    title: str, dossiers: Sequence[tuple[Dossier, Sequence[Chart]]], comparisons: Sequence[Comparison]
) -> Markup:
    links = [tag("a", f"{d.name}: {d.run.cell}", href=f"#{d.name}") for d, _ in dossiers]
    return tag(
        "header",
        tag("h1", title),
        tag("p", f"{len(dossiers)} runs", class_="lead"),
        tag("nav", links),
        [_comparison(comparison) for comparison in comparisons],
    )


def _comparison(comparison: Comparison) -> Markup:
    several = len(comparison.variants) > 1
    head = ["Figure", *comparison.variants, *(["Difference from the first"] if several else [])]
    rows = [
        tag(
            "tr",
            tag("td", row.title, class_="name"),
            [tag("td", cell, class_="value") for cell in row.cells],
            tag("td", [tag("div", said) for said in row.verdicts] or "–", class_="method")
            if several
            else None,
        )
        for row in comparison.rows
    ]
    silence = sorted({reason for row in comparison.rows for reason in row.silence})
    charts = [_figure(chart) for chart in comparison.charts]
    return joined(
        [
            tag("h2", f"{comparison.protocol}: mean ± standard deviation of the cells"),
            _wide(_table(head, rows), "Comparison"),
            [tag("p", f"–: it cannot be said. {reason}.", class_="note") for reason in silence],
            tag("div", charts, class_="charts") if charts else None,
        ]
    )


def _run(dossier: Dossier, charts: Sequence[Chart], unfolded: bool) -> Markup:
    run = dossier.run
    return tag(
        "article",
        tag("p", f"Run {run.name}", class_="eyebrow"),
        tag("h1", run.protocol or run.name),
        tag("p", run.cell or "cell not known", " · ", tag("span", run.state, class_=f"state {run.state}"),
            f": {run.reason}" if run.reason else None, f" · {words.span(run.duration)}", class_="lead"),
        tag("div", list(_facts(dossier)), class_="facts"),
        _merit(dossier.figures),
        _charts(charts),
        _noted(dossier),
        _cycles(dossier, unfolded),
        _protocol(dossier, unfolded),
        id=run.name,
    )  # fmt: skip


def _charts(charts: Sequence[Chart]) -> Markup | None:
    if not charts:
        return None
    return _section("Charts", tag("div", [_figure(chart) for chart in charts], class_="charts"))


def _section(title: str, *content: Markup | str | None) -> Markup:
    return tag("section", tag("h2", title), list(content))


def _facts(dossier: Dossier) -> Iterator[Markup | None]:
    run = dossier.run
    found = run.instrument
    instrument = " ".join(filter(None, (found.get("maker"), found.get("model"), found.get("serial"))))
    yield _list("Cell", [("Name", run.cell), *words.cell_facts(run)])
    yield _list("Labels", [*run.labels.items()])
    yield _list("Limits", [*words.limits(run)])
    yield _list(
        "Instrument",
        [
            ("Channel", run.channel),
            ("Instrument", instrument or run.driver),
            ("Firmware", found.get("firmware")),
            ("Driver", f"{run.driver}, simulated" if run.simulated else run.driver),
        ],
    )
    counts = dossier.counts
    missing = f", {counts.missing} missing" if counts.missing else ", none missing"
    variables = [(name, value) for name, value in run.variables.items()]
    yield _list(
        "Run",
        [
            ("Started", words.when(run.started)),
            ("Ended", words.when(run.ended)),
            ("Readings", f"{counts.stored:,}".replace(",", "\N{THIN SPACE}") + missing),
            ("Steps", str(len(dossier.steps))),
            *variables,
        ],
    )


def _list(title: str, rows: Iterable[tuple[str, str | None]]) -> Markup | None:
    shown = [(name, value) for name, value in rows if value]
    if not shown:
        return None
    items = [joined([tag("dt", name), tag("dd", value)]) for name, value in shown]
    return tag("div", tag("h2", title), tag("dl", items))


def _merit(figures: Sequence[FigureRecord]) -> Markup | None:
    if not figures:
        return None
    rows = [
        _merit_row(figure, first=index == 0)
        for group in words.grouped(figures)
        for index, figure in enumerate(group)
    ]
    note = tag("p", "± is one standard uncertainty.", class_="note")
    return _section(
        "Figures of merit", _table(("Figure", "Found in", "Value", "Method"), rows, "merit"), note
    )


def _merit_row(figure: FigureRecord, first: bool) -> Markup:
    refused = figure.value is None
    warnings = [tag("span", warning, class_="warning") for warning in figure.warnings]
    return tag(
        "tr",
        tag("td", words.figure_name(figure.name) if first else None, class_="name"),
        tag("td", words.figure_place(figure), class_="place"),
        tag("td", words.figure_value(figure), class_="value refused" if refused else "value"),
        tag("td", words.method(figure), warnings, class_="method"),
    )


def _figure(chart: Chart) -> Markup:
    named = [(index, series.name) for index, series in enumerate(chart.series) if series.name]
    legend = [tag("li", tag("span", class_=palette(chart, index)), name) for index, name in named]
    return tag(
        "figure",
        tag(
            "figcaption",
            tag("h3", chart.title),
            tag("ul", legend, class_="legend") if len(named) > 1 or chart.right else None,
        ),
        draw(chart),
        tag("p", chart.note, class_="note") if chart.note else None,
    )


def _noted(dossier: Dossier) -> Markup | None:
    rows = [
        tag("tr", tag("td", words.span(event.time), class_="place"), tag("td", event.kind, class_="name"),
            tag("td", event.text, class_="method"))
        for event in dossier.events
    ]  # fmt: skip
    gaps = [
        tag("p", f"Readings {first} to {last} are missing.", class_="warning") for first, last in dossier.gaps
    ]
    if not rows and not gaps:
        return _section("Events and gaps", tag("p", "None: nothing was noted and every reading is there."))
    return _section("Events and gaps", *gaps, _table(("After", "Event", "What"), rows) if rows else None)


def _cycles(dossier: Dossier, unfolded: bool) -> Markup | None:
    cycles = dossier.complete
    if not cycles:
        return None
    listed = list(cycles)
    if len(listed) > CYCLES_LISTED:
        stride = -(-len(listed) // CYCLES_LISTED)
        listed = [*listed[::stride], *([] if (len(listed) - 1) % stride == 0 else [listed[-1]])]
    scale = capacity_scale(dossier)
    head = (
        "Cycle", f"Charge / {scale.unit}", f"Discharge / {scale.unit}", "CE / %", "EE / %", "Mean charge / V",
        "Mean discharge / V", "Hysteresis / mV", "Charge ends / V", "Discharge ends / V", "Duration",
    )  # fmt: skip
    rows = [_cycle(cycle, scale.factor) for cycle in listed]
    every = "" if len(listed) == len(cycles) else f", {len(listed)} of {len(cycles)} shown"
    return tag(
        "details",
        tag("summary", f"Cycles{every}"),
        _wide(_table(head, rows, numbers=True), "Cycles"),
        open="" if unfolded else None,
    )


def _cycle(cycle: CycleRecord, factor: float) -> Markup:
    values = (
        str(cycle.cycle),
        _number(cycle.charge_capacity, factor, 4),
        _number(cycle.discharge_capacity, factor, 4),
        _number(cycle.coulombic_efficiency, 100.0, 4),
        _number(cycle.energy_efficiency, 100.0, 4),
        _number(cycle.mean_charge_voltage, 1.0, 5),
        _number(cycle.mean_discharge_voltage, 1.0, 5),
        _number(cycle.hysteresis, 1e3, 4),
        _number(cycle.charge_end_voltage, 1.0, 5),
        _number(cycle.discharge_end_voltage, 1.0, 5),
        words.span(cycle.duration),
    )
    return tag("tr", [tag("td", value, class_="number") for value in values])


def _number(value: float | None, factor: float, digits: int) -> str:
    return "–" if value is None else f"{value * factor:.{digits}g}".replace("-", "\N{MINUS SIGN}")


def _protocol(dossier: Dossier, unfolded: bool) -> Markup | None:
    run = dossier.run
    if not run.protocol_source:
        return None
    return tag(
        "details",
        tag("summary", "Protocol as submitted"),
        tag("pre", run.protocol_source, tabindex=0),
        tag("p", "SHA-256 of its canonical form: ", tag("code", run.protocol_digest), class_="note"),
        open="" if unfolded else None,
    )


def _wide(table: Markup, label: str) -> Markup:
    """A table that may be wider than a telephone: scrolled by finger or by keyboard."""
    return tag("div", table, class_="scroll", tabindex=0, role="region", aria_label=label)


def _table(
    head: Sequence[str], rows: Sequence[Markup], kind: str | None = None, numbers: bool = False
) -> Markup:
    cells = [tag("th", name, class_="number" if numbers else None) for name in head]
    return tag("table", tag("thead", tag("tr", cells)), tag("tbody", list(rows)), class_=kind)
