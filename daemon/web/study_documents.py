"""What is sent and answered about studies."""

from collections.abc import Mapping, Sequence

from pydantic import BaseModel, Field

from daemon.requests import StudyText
from daemon.running.order import ResumePolicy
from daemon.web.problem import ProblemDocument
from daemon.web.sent import FILE, Sent, Words

Texts = dict[str, str]


class StudySent(Sent):
    """A study and the files it names that are no ready ones, by the names it calls them."""

    core: str | None = Field(default=None, max_length=64, description="the first one where there is none")
    study: str = Field(max_length=FILE, description="YAML")
    protocols: Texts = Field(default={}, max_length=64, description="texts by the names the study uses")
    cells: Texts = Field(default={}, max_length=256, description="texts by the names the study uses")
    full: bool = Field(default=False, description="also the rows marked `only: full`")


class StudySubmission(StudySent):
    """A study to be conducted."""

    resume: ResumePolicy = Field(
        default=ResumePolicy.CONFIRM, strict=False, description="what becomes of its runs after a crash"
    )
    anew: bool = Field(
        default=False, description="measure again what an earlier study of this title has measured"
    )


class Mounted(Sent):
    """A cell is on a channel now."""

    channel: str = Field(max_length=64)


class Because(Sent):
    """Why; it is kept with who did it."""

    reason: Words = Field(min_length=1)


class StudyRow(BaseModel):
    """A row of a study: one protocol on its variants."""

    row: int
    protocol: str
    cell: str
    on: str
    replicates: int
    variants: Sequence[str]
    variables: Mapping[str, str]


class CellOfStudy(BaseModel):
    """One cell of a study; `state` is that of its run while it has one. `since` is UTC seconds."""

    number: int
    row: int
    protocol: str
    variant: str
    replicate: int
    label: str
    cell: str
    state: str = Field(
        description="waiting, asked, beginning, running, paused, interrupted, finished, stopped, tripped, "
        "failed, refused or left out"
    )
    reason: str
    since: float
    channel: str | None
    channels: Sequence[str] = Field(description="where it may be put, while it is asked for")
    run: str | None
    earlier: Sequence[str] = Field(description="runs of it that went wrong")
    readings: int


class StudySummary(BaseModel):
    """A study in a line; moments are UTC seconds."""

    study: str
    core: str
    title: str
    state: str = Field(description="running, paused, finished, cancelled or replaced")
    reason: str
    who: str
    submitted: float
    ended: float | None
    revision: str
    full: bool
    cells: int
    counts: Mapping[str, int]
    over: int = Field(description="cells nothing more is done for")
    asks: int = Field(description="cells that somebody is asked to put on a channel")
    wrong: int = Field(description="cells that went wrong, to be tried again or left out")


class StudyPage(BaseModel):
    """Studies, the latest first; `next` is the cursor of the following page. `trouble` names silent cores."""

    studies: Sequence[StudySummary]
    next: str | None
    trouble: Mapping[str, str]


class StudyStanding(StudySummary):
    """A study, cell by cell; `ends` is when it is expected to be done (UTC seconds)."""

    trouble: str | None = Field(description="why it does not get on, where that is no cell's fault")
    ends: float | None
    rows: Sequence[StudyRow]
    each: Sequence[CellOfStudy]


class StudyFile(BaseModel):
    """A file of a study."""

    text: str
    file: str
    ready: bool


class StudyFiles(BaseModel):
    """A study as it was submitted."""

    study: str
    text: str
    file: str
    full: bool
    protocols: Mapping[str, StudyFile]
    cells: Mapping[str, StudyFile]


class DraftRow(BaseModel):
    """What a row would do; `real` are channels that people put cells on, `seconds` what a cell takes."""

    protocol: str
    cell: str
    on: str
    replicates: int
    variants: Sequence[str]
    channels: Sequence[str]
    real: int
    seconds: float


class DraftFile(BaseModel):
    """A file a study needs, and whether it is a ready one."""

    kind: str
    name: str
    file: str
    ready: bool


class StudyPlan(BaseModel):
    """What a study would do; `seconds` is how long it will take on its channels as they are free."""

    title: str
    cells: int
    seconds: float
    rows: Sequence[DraftRow]
    files: Sequence[DraftFile]


class StudyVerdict(BaseModel):
    """What the checker says of a study: what it would do, or what is to be mended."""

    plan: StudyPlan | None
    problem: ProblemDocument | None


class ReplicatesOf(BaseModel):
    """Replicate cells together: mean, standard deviation (n - 1), its error, 95 % confidence interval."""

    count: int
    mean: float
    deviation: float | None
    error: float | None
    low: float | None
    high: float | None


class OutcomeLine(BaseModel):
    """One number of one variant, in lab units."""

    protocol: str
    variant: str
    figure: str
    what: str
    unit: str
    source: str | None = Field(description="what the source says, in its words")
    claimed: float | None
    measured: ReplicatesOf
    uncertainty: float | None
    put_in: float | None = Field(description="what was put into the simulated cells")
    difference: float | None = Field(description="measured less claimed")
    agrees: bool | None
    values: Sequence[float]
    runs: Sequence[str]


class Difference(BaseModel):
    """Whether two variants differ in a number (Welch's t test)."""

    protocol: str
    what: str
    variants: Sequence[str]
    verdict: str
    reason: str
    difference: float
    unit: str


class StudyOutcome(BaseModel):
    """What came of a study so far."""

    study: str
    title: str
    lines: Sequence[OutcomeLine]
    differences: Sequence[Difference]


class CourseOfVariant(BaseModel):
    """A variant over its cycles: means of its replicates, and the standard deviations between them."""

    row: int
    protocol: str
    variant: str
    unit: str
    cells: int
    cycles: Sequence[int]
    replicates: Sequence[int] = Field(description="cells that have come to each cycle")
    capacity: Sequence[float | None]
    capacity_deviation: Sequence[float | None]
    efficiency: Sequence[float | None]
    efficiency_deviation: Sequence[float | None]


def texts(sent: Texts, kind: str) -> dict[str, StudyText]:
    """Return files as the core takes them; messages call them by kind and name."""
    return {name: StudyText(text, f"{kind}/{name}") for name, text in sent.items()}
