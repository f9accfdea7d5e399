"""Which simulated cell stands for a cell file."""

import pytest

from daemon.errors import ServiceError
from daemon.rehearsals.stand_in import stand_in
from protocols.cell import Cell
from protocols.library import cell_names, cell_path
from simulators.cells.library import make_cell


@pytest.mark.parametrize("name", cell_names())
def test_every_ready_cell_has_a_stand_in_that_can_be_made(name: str) -> None:
    found = stand_in(Cell.load(cell_path(name)))
    cell = make_cell(found.cell)
    separator = name.rpartition("_")[2]
    expected = {"ion": "generic", "loading": "ti087o2", "pouch": "ti087o2"}.get(separator, separator)
    assert cell.truth()["variant"] == expected


def test_a_cell_is_scaled_to_its_own_mass_and_area() -> None:
    """3.4 mg on 2.262 cm2 take twice the current of 1.7 mg on 1.131 cm2 at the same voltage."""
    text = "cell: Li-S no. 7\narea: 2.262 cm2\nactive_mass: 3.4 mg\nseparator: {name: Ti0.87O2/PP}\n"
    large, small = make_cell(stand_in(Cell.parse(text)).cell), make_cell("li_s/ti087o2")
    for _ in range(10):
        volts = small.drive_current(-1e-3, 60.0)
        assert large.drive_current(-2e-3, 60.0) == pytest.approx(volts, abs=1e-9)


def test_what_is_assumed_is_said() -> None:
    found = stand_in(Cell.parse("cell: Li-S no. 8\nseparator: {name: MXene/PP}\nactive_mass: 2 mg\n"))
    assert found.cell == "li_s/pp active_mass=2e-06"
    assert "nothing is known of MXene/PP" in found.words
    assert "2 mg" in found.words


def test_of_a_kind_nobody_knows_nothing_is_made_up() -> None:
    with pytest.raises(ServiceError, match=r"no simulated cell is like 'LFP no\. 1'.*Li-S"):
        stand_in(Cell.parse("cell: LFP no. 1\nnominal_capacity: 3 mAh\n"))
