"""`report`: what runs were and what they gave, as one file to read, print or keep."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from daemon.commands.options import Database, Json, State, database_of
from daemon.reports.form import Form

if TYPE_CHECKING:
    from daemon.reports.report import Report

Runs = Annotated[
    list[str],
    typer.Argument(metavar="RUN|STUDY…", help="Runs, e.g. lab-12 or 12, or a study; several are compared."),
]


def report(
    run: Runs,
    state: State,
    database: Database = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="File to write; by default RUN-report.html here. - is the terminal."
        ),
    ] = None,
    format_: Annotated[
        Form | None,
        typer.Option(
            "--format", help="By default what the name of the file says, else html.", show_default=False
        ),
    ] = None,
    cycles: Annotated[
        str | None,
        typer.Option(help="Cycles whose curves are shown, e.g. 1,50,500; by default six over the run."),
    ] = None,
    title: Annotated[str | None, typer.Option(help="Heading of a report of several runs.")] = None,
    figures: Annotated[
        Path | None,
        typer.Option(help="Also write every chart into this folder, for a paper; needs the extra `paper`."),
    ] = None,
    png: Annotated[bool, typer.Option("--png", help="Write those charts as PNG (600 dpi), not SVG.")] = False,
    json_: Json = False,
) -> None:
    """Write a report of one run or several: one file, no network, for screen and paper.

    What was run on what, under which limits, events and gaps, the figures of merit with uncertainty
    and method, and the plots of every technique used. Several runs of one protocol are compared:
    mean, standard deviation and n over the cells of a variant, and whether variants differ.
    """
    from daemon.commands.report import run_report, runs_named
    from daemon.reading.results import Results
    from daemon.reports.report import Report

    where = database_of(state, database)
    results = Results.open(where)
    try:
        names = list(dict.fromkeys(name for one in run for name in runs_named(results, one)))
        title = title or (run[0] if len(run) == 1 and len(names) > 1 else None)
        file = output or Path(f"{names[0]}-report.{_ending(format_)}")
        form = format_ or _form_of(file)
        drawn = form in (Form.HTML, Form.PDF_READY) or figures is not None
        made = Report.of(results, names, _cycles(cycles), title, drawn)
        text = made.written(form, lambda name: run_report(where, name, {}))
        drawings = _drawn(made, figures, "png" if png else "svg") if figures is not None else []
    finally:
        results.close()
    if str(file) == "-":
        typer.echo(text, nl=False)
        return
    partial = file.with_name(file.name + ".part")
    partial.write_text(text, encoding="utf-8")
    partial.replace(file)
    facts = {
        "runs": names,
        "format": form.value,
        "file": str(file),
        "figures": [str(path) for path in drawings],
    }
    if json_:
        print(json.dumps(facts))
        return
    typer.echo(f"{file}: {', '.join(names)}")
    if drawings:
        typer.echo(f"{figures}: {len(drawings)} charts")


def _ending(form: Form | None) -> str:
    return "html" if form in (None, Form.HTML, Form.PDF_READY) else form.value


def _form_of(file: Path) -> Form:
    return {".md": Form.MARKDOWN, ".json": Form.JSON}.get(file.suffix.lower(), Form.HTML)


def _cycles(text: str | None) -> list[int]:
    try:
        return [int(part) for part in (text or "").split(",") if part.strip()]
    except ValueError as error:
        raise typer.BadParameter(f"--cycles {text!r}: wanted whole numbers such as 1,50,500") from error


def _drawn(made: "Report", folder: Path, kind: str) -> list[Path]:
    from daemon.reports.paper import write_figures

    charts = [chart for comparison in made.comparisons for chart in comparison.charts]
    if len(made.dossiers) == 1:
        return write_figures([*charts, *made.charts[0]], folder, kind)
    written = write_figures(charts, folder, kind)
    for dossier, own in zip(made.dossiers, made.charts, strict=True):
        written += write_figures(own, folder / dossier.name, kind)
    return written
