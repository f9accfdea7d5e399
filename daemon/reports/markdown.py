"""A report as Markdown: the same facts and tables as the page, without its charts."""

from collections.abc import Iterator, Sequence

from daemon.reports import words
from daemon.reports.comparison import Comparison
from daemon.reports.dossier import Dossier


def markdown(title: str, dossiers: Sequence[Dossier], comparisons: Sequence[Comparison], made: str) -> str:
    """Return the report as Markdown with tables."""
    lines = [f"# {title}", ""] if len(dossiers) > 1 else []
    for comparison in comparisons:
        lines += _comparison(comparison)
    for dossier in dossiers:
        lines += _run(dossier)
    return "\n".join([*lines, f"*{made}*", ""])


def _comparison(comparison: Comparison) -> Iterator[str]:
    yield from (f"## {comparison.protocol}: mean ± standard deviation of the cells", "")
    head = ["figure", *comparison.variants, "difference from the first"]
    rows = [[row.title, *row.cells, "; ".join([*row.verdicts, *row.silence])] for row in comparison.rows]
    yield from _table(head, rows)


def _run(dossier: Dossier) -> Iterator[str]:
    run = dossier.run
    yield from (f"## {run.protocol or run.name}", "")
    yield f"Run {run.name} on {run.cell}: **{run.state}**, {run.reason}; {words.span(run.duration)}."
    facts = [*words.cell_facts(run), *((f"{name} limits", value) for name, value in words.limits(run))]
    counts = dossier.counts
    facts += [
        ("Channel", str(run.channel)),
        ("Instrument", " ".join(run.instrument.get(k, "") for k in ("maker", "model", "serial")).strip()),
        ("Started", words.when(run.started)),
        ("Ended", words.when(run.ended)),
        ("Readings", f"{counts.stored}, {counts.missing} missing"),
        ("Protocol SHA-256", str(run.protocol_digest)),
        *((f"Label {name}", value) for name, value in run.labels.items()),
    ]
    yield ""
    yield from _table(["", ""], [[name, value] for name, value in facts if value])
    yield from ("### Figures of merit", "")
    figures = [
        [
            words.figure_name(figure.name),
            words.figure_place(figure),
            words.figure_value(figure),
            " ".join(
                filter(None, (words.method(figure), *(f"**{warning}**" for warning in figure.warnings)))
            ),
        ]
        for group in words.grouped(dossier.figures)
        for figure in group
    ]
    yield from _table(["figure", "found in", "value ± standard uncertainty", "method"], figures)
    yield from ("### Events and gaps", "")
    events = [[words.span(event.time), event.kind, event.text] for event in dossier.events]
    yield from _table(["after", "event", "what"], events) if events else ("None was noted.", "")
    yield from (f"- Readings {first} to {last} are missing." for first, last in dossier.gaps)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    for row in (head, ["---"] * len(head), *rows):
        yield "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) + " |"
    yield ""
