"""Cell files."""

import pytest

from protocols.cell import Cell, Separator
from protocols.cell_text import cell_text
from protocols.errors import ProtocolError
from protocols.library import cell_names, cell_path
from protocols.limits import Bound, Limits, Range
from protocols.protocol import Protocol

FULL = """\
cell: Li-S
working_electrode: sulfur
area: 1.131 cm2 +- 1 %
active_mass: 1.70 mg
theoretical_capacity: 1675 mAh/g
window: {voltage: 1.4 V .. 3.1 V, current: 2 C, temperature: 45 degC}
separator: {name: PP, thickness: 25 um +- 0.5 um}
note: by hand
"""


def test_a_cell_is_read_in_si() -> None:
    cell = Cell.parse(FULL)
    assert cell.area == pytest.approx(1.131e-4)
    assert cell.active_mass == pytest.approx(1.7e-6)
    assert cell.theoretical_capacity == pytest.approx(1675 * 3600.0)  # mAh/g = 3.6 C / 1e-3 kg
    assert cell.capacity == pytest.approx(1.7e-3 * 1675 * 3.6)  # 2.8475 mAh
    assert cell.separator == Separator("PP", 25e-6)
    assert cell.uncertainties == {"area": pytest.approx(1.131e-6), "thickness": pytest.approx(0.5e-6)}


def test_its_window_may_use_its_own_facts() -> None:
    window = Cell.parse(FULL).window
    two_c = pytest.approx(2 * 2.8475e-3)
    assert window.voltage == Range(Bound(1.4, "cell"), Bound(3.1, "cell"))
    assert window.current.high is not None
    assert window.current.high.value == two_c
    assert window.temperature == Range(None, Bound(45.0, "cell"))


def test_its_facts_are_plain_data_without_what_is_unknown() -> None:
    assert Cell.parse("cell: c\nnominal_capacity: 3 mAh\nelectrolyte: none\n").facts() == {
        "name": "c",
        "nominal_capacity": 10.8,
        "electrolyte": "none",
    }
    facts = Cell.parse(FULL).facts()
    assert facts["separator"] == {"name": "PP", "thickness": 25e-6}
    assert facts["window"]["voltage"] == {"low": 1.4, "high": 3.1}
    assert facts["working_electrode"] == "sulfur"


def test_a_nominal_capacity_may_be_per_area() -> None:
    assert Cell.parse("cell: c\narea: 2 cm2\nnominal_capacity: 3 mAh/cm2\n").capacity == pytest.approx(21.6)


def test_a_bare_cell_has_no_window() -> None:
    assert Cell.parse("cell: c\n").window == Limits()


def test_all_that_is_wrong_with_a_cell_is_told_at_once() -> None:
    text = (
        "area: 1 cm\nactve_mass: 1 mg\nactive_mass: 0 mg\n"
        "window: {voltage: 1 V}\nseparator: {thickness: 1 um}\n"
    )
    with pytest.raises(ProtocolError) as caught:
        Cell.parse(text, "cell.yaml")
    told = [(problem.place.line, problem.seen) for problem in caught.value.problems]
    assert told == [
        (1, "no `cell` here"),
        (1, "'1 cm', which is a length"),
        (2, "unknown 'actve_mass'"),
        (3, "'0 mg'"),
        (4, "'1 V'"),
        (5, "no `name` here"),
    ]


def test_a_window_in_c_needs_a_capacity() -> None:
    with pytest.raises(ProtocolError, match=r"2:19: 2 C needs `nominal_capacity`, or"):
        Cell.parse("cell: c\nwindow: {current: 2 C}\n", "cell.yaml")


@pytest.mark.parametrize(
    ("written", "seen"),
    [
        ("x" * 201, "x" * 60),
        ('"a\\0b"', "U+0000"),
        ('"a\\nb"', "U+000A"),
        ('"\\e[31ma"', "U+001B"),
        ('"Li\\u202eCu"', "U+202E"),
        ("Li\u200bCu", "U+200B"),
        ("a\U000e0041b", "U+E0041"),
        ("a  b", "'a  b'"),
        ('" a"', "' a'"),
        ("e\u0301", "'e\u0301'"),
    ],
)
def test_a_name_is_what_a_person_can_see_and_type(written: str, seen: str) -> None:
    for text, read in ((f"cell: {written}\n", Cell.parse), (f"protocol: {written}\n", Protocol.parse)):
        with pytest.raises(ProtocolError) as refused:
            read(text)
        assert any(seen in each.seen and each.place.line == 1 for each in refused.value.problems)


@pytest.mark.parametrize(
    "name", ["Li||Cu, Ti0.87O2/PP", "x" * 200, "锂硫电池 3", "pile à 0,2 C", "🔋 7", "=1+1"]
)
def test_any_name_that_can_be_seen_is_one(name: str) -> None:
    assert Cell.parse(f"cell: '{name}'\n").name == name


@pytest.mark.parametrize("name", cell_names())
def test_a_cell_file_is_written_again_from_what_a_run_keeps_of_it(name: str) -> None:
    kept = Cell.load(cell_path(name)).facts()
    again = Cell.parse(cell_text(kept)).facts()
    assert again.keys() == kept.keys()
    for key, fact in kept.items():
        exact = isinstance(fact, str) or key in ("window", "separator")
        assert again[key] == (fact if exact else pytest.approx(fact, rel=1e-8))
