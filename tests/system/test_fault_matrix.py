"""The table of faults is whole, and each test it names is one we have."""

import ast
import re
from collections.abc import Iterator

from tests.system.conftest import ROOT

MATRIX = (ROOT / "docs" / "fault-matrix.md").read_text()
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
ROW = re.compile(r"^\| (\d+) \|(.*)\|$", re.MULTILINE)

AWAITED = {
    "tests/daemon/test_guarded_runs.py",
    "tests/daemon/test_guards.py",
    "tests/daemon/test_recovery.py",
}
"""Files that may be missing for now: their features are being written."""


def test_every_row_of_the_matrix_is_there_once_and_says_something() -> None:
    rows = ROW.findall(MATRIX)
    assert [int(number) for number, _ in rows] == list(range(1, 63))
    for number, text in rows:
        fault, behaviour, shown = (cell.strip() for cell in text.split(" | "))
        assert all((fault, behaviour, shown)), f"row {number} has an empty cell"
        assert NAMED.search(shown) or "not" in shown, f"row {number} neither names a test nor says why not"


def test_each_named_test_exists() -> None:
    unknown = [f"{file}::{test}" for file, test in NAMED.findall(MATRIX) if not exists(file, test)]
    assert unknown == []


def exists(file: str, test: str) -> bool:
    """Whether the file has that test, or is one of those awaited."""
    path = ROOT / file
    if not path.exists():
        return file in AWAITED
    return test in set(defined_in(path.read_text()))


def defined_in(source: str) -> Iterator[str]:
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name
