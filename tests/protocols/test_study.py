"""Study files: rows, variants and replicates."""

from pathlib import Path

import pytest

from protocols import library
from protocols.errors import ProtocolError
from protocols.study import Study

STUDY = """study: s
replicates: 2
runs:
  - protocol: ionic_conductivity
    cell: ss_sep_ss
    on: vmp3
    variables: {lowest: 1 Hz}
    variants:
      PP: {simulated: blocking/pp, source: {ionic_conductivity: 0.305 +- 0.015 mS/cm}}
      GO/PP: {variables: {lowest: 2 Hz}}
  - {protocol: li_s_long_1c, cell: li_s, on: neware, replicates: 1, only: full, variants: {PP: {}}}
"""


def test_every_cell_is_a_task_and_variants_stand_side_by_side() -> None:
    tasks = list(Study.parse(STUDY).tasks())
    assert [(task.variant.name, task.replicate) for task in tasks] == [
        ("PP", 1),
        ("GO/PP", 1),
        ("PP", 2),
        ("GO/PP", 2),
    ]
    assert [task.variables["lowest"] for task in tasks] == ["1 Hz", "2 Hz", "1 Hz", "2 Hz"]


def test_the_long_rows_come_with_the_full_study_only() -> None:
    study = Study.parse(STUDY)
    assert [task.row.protocol for task in study.tasks(full=True)][-1] == "li_s_long_1c"
    assert len(list(study.tasks(full=True))) == 5


def test_the_ready_study_is_that_of_the_reference_experiment() -> None:
    """4 x 5 cells for conductivity, 2 x 5 for transference, then one for each of 2+2+2+1+4+2 variants."""
    study = Study.load(library.study_path("separators"))
    assert len(list(study.tasks())) == 20 + 10 + 13
    assert len(list(study.tasks(full=True))) == 20 + 10 + 13 + 2


@pytest.mark.parametrize(
    ("before", "after", "place", "wanted"),
    [
        ("replicates: 2", "replicates: 0", "2:13", "a number of cells from 1 to 1000"),
        ("on: vmp3", "onn: vmp3", "6:5", "did you mean 'on'"),
        ("{ionic_conductivity:", "{ionic_conductivty:", "9:45", "did you mean 'ionic_conductivity'"),
        ("0.015 mS/cm", "0.015 mS/cmm", "9:65", "a value such as"),
        ("only: full", "only: sometimes", "11:75", "when it runs: full"),
        ("{PP: {}}", "{}", "11:91", "one variant at least"),
        ("replicates: 2", "replicates: 1000", "1:1", "at most 2000 in one study"),
        ("study: s", "studdy: s", "1:1", "did you mean 'study'"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(before: str, after: str, place: str, wanted: str) -> None:
    assert before in STUDY
    with pytest.raises(ProtocolError) as refused:
        Study.parse(STUDY.replace(before, after), "s.yaml", Path())
    assert f"s.yaml:{place}: " in str(refused.value)
    assert wanted in str(refused.value)
