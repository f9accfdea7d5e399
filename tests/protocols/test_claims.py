"""What a source says of a figure, as it is written in a study."""

import pytest

from protocols.claims import (
    Claim,
    ClaimedBound,
    ClaimedCourse,
    ClaimedRates,
    ClaimedValue,
    ClaimedWords,
    read_claim,
)
from protocols.errors import Place, ProtocolError
from protocols.nodes import Scalar

HERE = Place("study.yaml", 3, 5)


@pytest.mark.parametrize(
    ("text", "claim"),
    [
        ("0.305 +- 0.015 mS/cm", ClaimedValue("0.305 +- 0.015 mS/cm", 0.305, 0.015, "mS/cm")),
        ("0.36 ± 0.03", ClaimedValue("0.36 ± 0.03", 0.36, 0.03, "")),
        ("98.8 %", ClaimedValue("98.8 %", 98.8, None, "%")),
        ("585 mAh/g at cycle 5000", ClaimedValue("585 mAh/g at cycle 5000", 585.0, None, "mAh/g", 5000)),
        ("> 96.5 %", ClaimedBound("> 96.5 %", True, 96.5, "%")),
        ("< 91 % at cycle 150", ClaimedBound("< 91 % at cycle 150", False, 91.0, "%", 150)),
        (
            "980 -> 345 mAh/g in 500 cycles",
            ClaimedCourse("980 -> 345 mAh/g in 500 cycles", 980.0, 345.0, "mAh/g", 500),
        ),
        ("-> 450 mAh/g", ClaimedCourse("-> 450 mAh/g", None, 450.0, "mAh/g")),
        (
            "950 at 0.2 C, 260 at 2 C",
            ClaimedRates("950 at 0.2 C, 260 at 2 C", ((950.0, 0.2), (260.0, 2.0)), "mAh/g"),
        ),
        ("stable over 300 h", ClaimedWords("stable over 300 h")),
    ],
)
def test_every_way_to_say_it(text: str, claim: Claim) -> None:
    assert read_claim(Scalar(text, HERE)) == claim


@pytest.mark.parametrize(
    "text", ["0.305 +- mS/cm", "0.305 mS/cmm", "> high", "980 -> mAh/g", "950 at 0.2 C, 260"]
)
def test_what_begins_like_a_number_and_is_none_is_refused(text: str) -> None:
    with pytest.raises(ProtocolError, match=r"study\.yaml:3:5: .*; wanted a value such as"):
        read_claim(Scalar(text, HERE))
