"""A report of one run or several, in the form asked for."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version

from daemon.reading.results import Results
from daemon.reports.chart import Chart
from daemon.reports.comparison import Comparison, comparisons
from daemon.reports.cycling import cycling_charts
from daemon.reports.dossier import Dossier
from daemon.reports.form import Form
from daemon.reports.markdown import markdown
from daemon.reports.page import page
from daemon.reports.techniques import technique_charts, whole_run

ALL_CHARTS = 12
"""Of more runs than this only the comparison is plotted: nobody scrolls through a hundred."""


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """Everything of a report, before it is written."""

    title: str
    dossiers: Sequence[Dossier]
    charts: Sequence[Sequence[Chart]]
    comparisons: Sequence[Comparison]
    made: str

    @classmethod
    def of(
        cls,
        results: Results,
        runs: Sequence[str],
        chosen: Sequence[int] = (),
        title: str | None = None,
        plotted: bool = True,
    ) -> "Report":
        """Read the runs; charts only where `plotted`. Raises `UnknownError` for a run or cycle not there."""
        dossiers = [Dossier(results, run, chosen) for run in runs]
        every = plotted and len(dossiers) <= ALL_CHARTS
        charts = [charts_of(dossier) if every else [] for dossier in dossiers]
        now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
        made = f"Made by galvanod {version('galvanod')} on {now}. SI inside; current positive on charge."
        title = title or (", ".join(runs) if len(runs) < 5 else f"{runs[0]} to {runs[-1]}")
        return cls(title, dossiers, charts, list(comparisons(dossiers)), made)

    def written(self, form: Form, plain: Callable[[str], object]) -> str:
        """Return the report as text; `plain` gives the whole of a run as plain data."""
        match form:
            case Form.HTML | Form.PDF_READY:
                pairs = list(zip(self.dossiers, self.charts, strict=True))
                return page(self.title, pairs, self.comparisons, self.made, form is Form.PDF_READY)
            case Form.MARKDOWN:
                return markdown(self.title, self.dossiers, self.comparisons, self.made)
            case Form.JSON:
                compared = [
                    {"protocol": c.protocol, "figures": [row.data for row in c.rows]}
                    for c in self.comparisons
                ]
                runs = [plain(dossier.name) for dossier in self.dossiers]
                return json.dumps({"title": self.title, "runs": runs, "comparisons": compared}) + "\n"


def charts_of(dossier: Dossier) -> list[Chart]:
    """Return every chart a run yields, in the order a reader expects them."""
    return [*cycling_charts(dossier), *technique_charts(dossier), *whole_run(dossier)]
