"""Trouble that somebody has seen is told of quietly, until it is other trouble."""

from daemon.channels.acknowledgements import Acknowledgement, Acknowledgements
from daemon.channels.latches import Latch

LATCH = Latch("smu1", 100.0, "lab-1", "voltage 4.31 V is outside", [])


def test_what_was_seen_stays_seen_until_it_changes_or_ends() -> None:
    seen = Acknowledgements({})
    seen.add("smu1", Acknowledgement("anna", 1.0, "no answer"))
    assert seen.of("smu1", "no answer", None) == "anna"
    assert seen.of("smu2", "no answer", None) is None
    assert seen.of("smu1", None, None) is None
    assert seen.of("smu1", "no answer", None) is None, "it came again"


def test_a_latch_seen_before_the_core_began_again_stays_seen() -> None:
    seen = Acknowledgements({"smu1": Acknowledgement("anna", 101.0, LATCH.reason)})
    assert seen.of("smu1", LATCH.reason, LATCH) == "anna"
    assert seen.of("smu1", LATCH.reason, LATCH._replace(time=102.0)) is None, "it is a later latch"
    assert seen.of("smu1", "no answer", None) is None, "it is no latch"
