"""No byte stream yields a number from a bad frame, or an exception outside the error tree."""

import json
import math
import re

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from drivers.base import Program, SteppedChannel
from drivers.emstat4 import EmStat4
from drivers.emstat4_channel import ScriptChannel
from drivers.emstat4_errors import error_report
from drivers.emstat4_models import MODELS as EMSTAT_MODELS
from drivers.emstat4_packages import decode
from drivers.emstat4_replies import Replies
from drivers.errors import InstrumentError, LinkError
from drivers.keithley2450 import Keithley2450
from drivers.links.lines import LineBuffer
from drivers.rehearsal import RehearsalClock
from drivers.scpi import OVERFLOW, Scpi
from protocols.conditions import Comparison, Quantity, Relation
from protocols.errors import GalvanodError
from protocols.limits import Bound, Limits, Range
from protocols.plan import Ceiling, PlannedStep
from protocols.reading import ImpedancePoint
from protocols.recording import Recording
from protocols.setpoint import Current, Voltage
from protocols.techniques import ConstantCurrent, Impedance, Level, Technique
from simulators.keithley2450 import Keithley2450 as SimulatedKeithley2450
from tests.drivers.fuzz import ANYTHING, HITS, Babble, Damaged, Hit, damaged
from tests.drivers.servers import tcp_server
from tests.simulators.jump_clock import JumpClock
from tests.simulators.linear_cell import LinearCell

# A number as IEEE 488.2 §8.7.2-4 has an instrument write it: NR1, NR2 or NR3, and nothing else.
RESPONSE_NUMBER = re.compile(rb"\s*[+-]?(\d+|\d+\.\d+|\d+\.\d*[eE][+-]?\d+|\d+[eE][+-]?\d+)\s*", re.ASCII)

NUMBERS = st.sampled_from([b"1.000000E-03", b"3.712345E+00", b"-2.500000E-06", b"0", b"12.5", b"9.9E+37"])
WINDOW = Limits(voltage=Range(Bound(0.0, "cell"), Bound(5.0, "cell")))
ANSWERS = st.lists(NUMBERS, min_size=3, max_size=3).map(b",".join)


@example(b"1.0,1_0,3.7")
@example(b"1.0,2.0,.7")
@example(b"1.0,2.0,3.")
@example(b"1.0,inf,3.7")
@example(b"1.0,nan,3.7")
@example(b"1.0,9.9E+37,3.7")
@example(b"1.0,1e99999,3.7")
@example(b"1.0,2.0," + b"1" * 5000)
@settings(deadline=None)
@given(ANYTHING | damaged(ANSWERS))
def test_scpi_numbers_are_numbers_as_the_standard_writes_them(answer: bytes) -> None:
    text = answer.decode("ascii", "backslashreplace")
    try:
        numbers = Scpi(Babble(b""), "it").numbers(3, "READ?", text)
    except LinkError:
        return
    parts = text.encode().split(b",")
    assert len(parts) == len(numbers) == 3
    assert all(RESPONSE_NUMBER.fullmatch(part) for part in parts)
    assert numbers == [float(part) for part in parts]
    assert all(abs(number) < OVERFLOW for number in numbers)


async def source_meter(damages: list[Hit | None]) -> tuple[Damaged, SteppedChannel]:
    """Return a driver with its output closed at 1 mA on 3.7 V, and its link, whose answers now suffer."""
    instrument = SimulatedKeithley2450(LinearCell(), JumpClock(), seed=1)
    link = Damaged(instrument.answer, [])
    channel = (await Keithley2450.open(link)).channels["1"]
    assert isinstance(channel, SteppedChannel)
    await channel.prepare(WINDOW)
    await channel.apply(Current(1e-3, voltage_clamp=5.0))
    link.suffer(damages)
    return link, channel


@settings(deadline=None)
@given(HITS)
async def test_a_reading_comes_of_numbers_as_the_standard_writes_them_or_not_at_all(
    damages: list[Hit | None],
) -> None:
    link, channel = await source_meter(damages)
    for _ in range(3):
        try:
            reading = await channel.measure(within=1.0)
        except GalvanodError:
            continue
        *_, answer = link.last.translate(None, b"\x11\x13").strip(b"\r").split(b";")
        if b"," not in answer:
            continue  # a voltage damaged to be at the clamp: it then asked whether that holds
        current, voltage, _ = answer.split(b",")
        assert RESPONSE_NUMBER.fullmatch(current)
        assert RESPONSE_NUMBER.fullmatch(voltage)
        said = [float(current), float(voltage)]
        kept = [math.nan if abs(number) >= OVERFLOW else number for number in said]
        assert [reading.current, reading.voltage] == pytest.approx(kept, rel=0.0, abs=0.0, nan_ok=True)


@settings(deadline=None)
@given(HITS)
async def test_whatever_a_source_meter_says_only_errors_of_the_tree_come_of_it(
    damages: list[Hit | None],
) -> None:
    link, channel = await source_meter(damages)
    for act in (
        lambda: channel.apply(Current(2e-3, voltage_clamp=5.0)),
        lambda: channel.apply(Voltage(3.8, current_clamp=0.1)),
        lambda: channel.measure(1.0),
        lambda: channel.prepare(WINDOW),
        lambda: channel.off(),
        lambda: Keithley2450.open(link),
    ):
        try:
            await act()
        except GalvanodError:
            continue
    link.suffer([])
    await channel.off()  # whatever was said before


@settings(deadline=None)
@given(st.lists(ANYTHING, max_size=12).map(lambda lines: b"\n".join(lines) + b"\n"))
async def test_whatever_answers_at_the_address_of_a_source_meter_it_is_refused(said: bytes) -> None:
    with pytest.raises(InstrumentError):
        await Keithley2450.open(Babble(said))


def program(technique: Technique) -> Program:
    until = Comparison(Quantity.TIME, Relation.AT_LEAST, 60.0, "time >= 60 s")
    step = PlannedStep("1", 1, "charge", technique, "", until, Recording(every=1.0), Ceiling(3600.0, 100.0))
    return Program(step, WINDOW, sample=1.0)


CHARGE = program(ConstantCurrent(1e-3))
SPECTRUM = program(Impedance(5e-3, False, Level(0.0, True), 1e3, 1.0, 5))

SCRIPT_LINES = st.sampled_from(
    [
        b"e",
        b"L",
        b"M0008",
        b"Peb8000001 ;da84E63DAn;ba82AB973f,14,284;ja8000003u;jb8000004u",
        b"Peb8000002 ;dc8000064i;cc8002710m;cd7FFFF9Cm",
        b"Peb8000001 ;ab     nan;ba8000001m;ja8000001u;jb8000001u",
        b"Ttag run/1",
        b"Tend 0",
        b"Tlimit voltage",
        b"*",
        b"+",
        b"",
        b"Z",
        b"Z!0006",
        b"e!4001: Line 3, Col 1",
        b"!4203: Line 12, Col 1",
        b"tes4_hr1500#Nov 23 2026 12:00:00",
        b"R*",
        b"iES4HR0042",
        b"v0105",
    ]
)

_PREFIXES = "afpnum ikMGTPE"


def variable_by_hand(text: str) -> float | None:
    """Return the number of one variable of a package, by the maker's words; None if it is none."""
    head, *metadata = text.split(",")
    if len(head) != 10 or not head[:2].isascii() or not (head[:2].isalpha() and head[:2].islower()):
        return None
    if any(not token or len(token) > 8 or set(token) - set("0123456789ABCDEF") for token in metadata):
        return None
    if head[2:] == "     nan":
        return math.nan
    if set(head[2:9]) - set("0123456789ABCDEF") or head[9] not in _PREFIXES:
        return None
    exponent = {"a": -18, "f": -15, "p": -12, "n": -9, "u": -6, "m": -3, " ": 0, "i": 0, "k": 3}
    exponent |= {"M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
    return (int(head[2:9], 16) - 0x8000000) * 10.0 ** exponent[head[9]]


@settings(deadline=None)
@given(ANYTHING | damaged(SCRIPT_LINES))
def test_a_package_is_a_package_by_the_makers_words_or_refused(said: bytes) -> None:
    line = said.decode("ascii", "backslashreplace")
    try:
        values = [variable.value for variable in decode(line)]
    except LinkError:
        return
    assert line[0] == "P"
    wanted = [variable_by_hand(part) for part in line[1:].split(";")]
    assert None not in wanted
    assert values == pytest.approx([value for value in wanted if value is not None], nan_ok=True)


@example([b"Tend " + b"0" * 5000], CHARGE)
@example([b"!4001: Line " + b"3" * 5000], CHARGE)
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(ANYTHING | damaged(SCRIPT_LINES), max_size=8), st.sampled_from([CHARGE, SPECTRUM]))
def test_records_come_of_whole_packages_and_nothing_else(said: list[bytes], what: Program) -> None:
    replies = Replies("run/1", what, "e\n", 0.0)
    packages = 0
    for line in said:
        before = len(replies.records(0))
        try:
            replies.take(line.decode("ascii", "backslashreplace"))
        except LinkError:
            assert len(replies.records(0)) == before
            continue
        packages += line.startswith(b"P")
    records = replies.records(0)
    assert [record.number for record in records] == list(range(1, packages + 1))
    for record in records:
        if isinstance(record.point, ImpedancePoint):
            assert what is SPECTRUM


@settings(deadline=None)
@given(ANYTHING | damaged(st.sampled_from([b"!4001: Line 3, Col 1", b"e!4001: Line 3", b"Z!0006"])))
def test_an_error_report_is_read_or_not_one(said: bytes) -> None:
    line = said.decode("ascii", "backslashreplace")
    report = error_report(line)
    assert (report is None) or (line[line.index("!") + 1 :][:4].upper() == f"{report.code:04X}")
    if report is not None:
        assert report.sentence("var a\nvar b\n")


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(damaged(SCRIPT_LINES) | ANYTHING, max_size=14).map(lambda lines: b"\n".join(lines) + b"\n"))
async def test_whatever_a_potentiostat_says_only_errors_of_the_tree_come_of_it(said: bytes) -> None:
    link = Babble(said)
    channel = ScriptChannel(link, EMSTAT_MODELS["es4_hr"], 0.0)
    for act in (
        lambda: Impatient.open(link),
        lambda: channel.start("run/1", CHARGE),
        lambda: channel.records(0),
        lambda: channel.state(),
        lambda: channel.finish(),
        lambda: channel.off(),
    ):
        try:
            await act()
        except InstrumentError:
            continue


class Impatient(EmStat4):
    """For an instrument that needs no rest after an error."""

    pause_after_error = 0.0


@settings(deadline=None)
@given(st.lists(ANYTHING, max_size=5), st.sampled_from([b"\n", b"\r\n"]))
def test_lines_do_not_depend_on_how_they_came(pieces: list[bytes], ending: bytes) -> None:
    data = ending.join(pieces) + ending
    whole, bytewise = LineBuffer("\n"), LineBuffer("\n")
    whole.feed(data)
    for place in range(len(data)):
        bytewise.feed(data[place : place + 1])
    lines = whole.take()
    assert lines == bytewise.take()
    assert all(line.isascii() and "\n" not in line for line in lines)


JSON_LIKE = st.sampled_from(
    [b'{"now": 1.0}', b'{"now": 1e999}', b'{"now": NaN}', b'{"error": "x"}', b"[" * 90_000]
)


@settings(max_examples=60, deadline=None)
@given(
    ANYTHING.map(lambda data: data.replace(b"\n", b""))
    | damaged(JSON_LIKE).map(lambda d: d.replace(b"\n", b""))
)
async def test_whatever_a_rehearsal_says_it_is_a_time_or_a_link_error(said: bytes) -> None:
    async with tcp_server(lambda line: said + b"\n") as server:
        try:
            clock = await RehearsalClock.connect(f"tcp://127.0.0.1:{server.port}")
        except LinkError:
            return
        moment = json.loads(said)["now"]
        assert math.isfinite(moment)
        assert await clock.now() == moment
        await clock.aclose()
