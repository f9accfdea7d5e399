"""Faults in words and as objects."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.faults import Fault, FaultError, FaultKind, Faults, fault_in_words
from simulators.faults.wording import asked_fault


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("mute", Fault(FaultKind.MUTE)),
        ("mute after 30 s for 5 s", Fault(FaultKind.MUTE, 130.0, 135.0)),
        ("mute at 30 s for 5 s", Fault(FaultKind.MUTE, 30.0, 35.0)),
        ("late by 500 ms 2 times", Fault(FaultKind.LATE, 100.0, math.inf, 0.5, 2)),
        ("slow by .25 for 1 min", Fault(FaultKind.SLOW, 100.0, 160.0, 0.25)),
        ("offset by -100 mV after 1 h", Fault(FaultKind.OFFSET, 3700.0, math.inf, -0.1)),
        ("contact by 5 Ohm", Fault(FaultKind.CONTACT, 100.0, math.inf, 5.0)),
        ("drifting by 36 K/h", Fault(FaultKind.DRIFTING, 100.0, math.inf, 0.01)),
        ("power after 60s for 2s", Fault(FaultKind.POWER, 160.0, 162.0)),
        ("power", Fault(FaultKind.POWER, 100.0, 100.0)),
    ],
)
def test_a_sentence_means_a_fault(text: str, fault: Fault) -> None:
    now = 0.0 if fault == Fault(FaultKind.MUTE) else 100.0
    meant = fault_in_words(text, now)
    assert (meant.kind, meant.times) == (fault.kind, fault.times)
    assert (meant.begin, meant.end, meant.amount) == pytest.approx((fault.begin, fault.end, fault.amount))


@pytest.mark.parametrize(
    ("wanted", "fault"),
    [
        ({"mute": 2}, Fault(FaultKind.MUTE, 100.0, times=2)),
        ({"late": 0.5}, Fault(FaultKind.LATE, 100.0, amount=0.5, times=1)),
        ({"reset": 1}, Fault(FaultKind.RESET, 100.0)),
        ({"fault": "mute", "at": 30, "for": 5}, Fault(FaultKind.MUTE, 30.0, 35.0)),
        ({"fault": "mute", "at": "30 s", "for": "5 s"}, Fault(FaultKind.MUTE, 30.0, 35.0)),
        ({"fault": "contact", "by": 2.5, "after": 1}, Fault(FaultKind.CONTACT, 101.0, amount=2.5)),
        ("mute for 5 s", Fault(FaultKind.MUTE, 100.0, 105.0)),
    ],
)
def test_an_object_means_a_fault(wanted: object, fault: Fault) -> None:
    assert asked_fault(wanted, 100.0) == fault


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "wanted KIND"),
        ("fire", "wanted KIND"),
        ("mute for 5 kg", "5 kg"),
        ("mute for -5 s", "its end after it"),
        ("mute at -5 s", "0 s or later"),
        ("mute by 3 s", "wanted none"),
        ("slow", "wanted by an amount"),
        ("late by 2 h", "up to 3600 s"),
        ("shunt by -5 Ohm", "up to"),
        ("offset by 3 s", "3 s"),
        ("open 3 times", "wanted none"),
        ("mute 0 times", "1 to 1000"),
        ("mute 1001 times", "1 to 1000"),
        ("reset for 5 s", "at once"),
        ("mute after 1e99 s", "0 s or later"),
        ("mute " * 100, "wanted KIND"),
    ],
)
def test_what_cannot_be_is_refused_with_what_was_wanted(text: str, why: str) -> None:
    with pytest.raises(FaultError, match=f"fault.*(seen|:).*{why}"):
        fault_in_words(text)


@given(
    st.one_of(
        st.text(max_size=250), st.from_regex(r"(mute|open|late)( (by|at|for) [-+.\d]+ ?\w*)*", fullmatch=True)
    )
)
def test_any_text_is_a_fault_or_refused(text: str) -> None:
    try:
        fault = fault_in_words(text)
    except FaultError:
        return
    assert 0.0 <= fault.begin <= fault.end


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=8), inside, max_size=3),
    max_leaves=6,
)
FIELDS = st.fixed_dictionaries(
    {"fault": st.sampled_from(FaultKind) | JSON},
    optional=dict.fromkeys(("by", "at", "after", "for", "times"), JSON),
)


@given(JSON | FIELDS)
def test_any_request_is_a_fault_or_refused(wanted: object) -> None:
    try:
        fault = asked_fault(wanted, 0.0)
    except FaultError:
        return
    assert 0.0 <= fault.begin <= fault.end


def test_clearing_ends_what_acts_and_forgets_what_was_to_come() -> None:
    now = 0.0
    faults = Faults(["open after 10 s", "reversed after 50 s", "mute", "gone after 50 s"])
    faults.serve(lambda: now, lambda fault: None, lambda: None)
    now = 20.0
    faults.ask({"clear": True})
    assert faults.lasting == (Fault(FaultKind.OPEN, 10.0, 20.0),)
    assert faults.on_answer() is None
    assert faults.acting(FaultKind.OPEN, 15.0)  # what was is not undone
    assert not faults.acting(FaultKind.OPEN, 20.0)


def test_there_is_an_end_to_faults() -> None:
    faults = Faults(["mute"] * 1000)
    with pytest.raises(FaultError, match="1000 faults seen"):
        faults.inject("mute")


def test_answers_are_spoilt_one_by_one_and_only_in_time() -> None:
    now = 0.0
    faults = Faults(["short 1 times", "garbled 2 times", "mute at 10 s for 5 s"])
    faults.serve(lambda: now, lambda fault: None, lambda: None)
    kinds = [fault.kind.value if (fault := faults.on_answer()) else None for _ in range(4)]
    assert kinds == ["short", "garbled", "garbled", None]
    now = 10.0
    assert faults.on_answer() is not None
    now = 15.0
    assert faults.on_answer() is None
