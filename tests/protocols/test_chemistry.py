"""Which kind of cell a file describes."""

import pytest

from protocols.cell import Cell
from protocols.chemistry import LITHIUM_SULFUR, chemistry_of
from protocols.library import cell_names, cell_path

KINDS = {
    "li_cu": "Li||Cu",
    "na_cu": "Na||Cu",
    "li_li": "Li||Li",
    "li_sep": "Li|separator|Li",
    "ss_sep": "steel|separator|steel",
    "li_se": "Li-Se",
    "na_se": "Na-Se",
    "li_s": "Li-S",
    "li_ion": "Li-ion",
}


@pytest.mark.parametrize("name", cell_names())
def test_every_ready_cell_is_known(name: str) -> None:
    kind = next(known for prefix, known in KINDS.items() if name.startswith(f"{prefix}_") or name == prefix)
    found = chemistry_of(Cell.load(cell_path(name)))
    assert found is not None
    assert found.name == kind


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (
            "cell: AB-042\ncounter_electrode: lithium\nactive_mass: 1 mg\ntheoretical_capacity: 1672 mAh/g",
            "Li-S",
        ),
        ("cell: AB-043\nworking_electrode: copper foil\ncounter_electrode: sodium", "Na||Cu"),
        ("cell: AB-044\nchemistry: lithium-ion", "Li-ion"),
        ("cell: Li-S, but not really\nchemistry: lithium-oxygen", None),
        ("cell: AB-045\nnominal_capacity: 3 mAh", None),
        ("cell: Lisa's cell no. 3", None),
    ],
)
def test_a_cell_of_ones_own_is_told_by_its_words_and_its_capacity(text: str, kind: str | None) -> None:
    found = chemistry_of(Cell.parse(text))
    assert (None if found is None else found.name) == kind


def test_what_sulfur_delivers_falls_with_the_rate_and_is_no_more_than_at_the_lowest() -> None:
    """Half way in the logarithm from 0.2 to 1 C is 0.447 C, half way between their shares."""
    share = LITHIUM_SULFUR.share(0.2**0.5)
    assert share is not None
    assert (share.low, share.high) == pytest.approx((0.35, 0.525))
    slow, slowest = LITHIUM_SULFUR.share(1e-6), LITHIUM_SULFUR.share(0.05)
    assert slow is not None
    assert slowest is not None
    assert (slow.low, slow.high) == pytest.approx((slowest.low, slowest.high))
