"""The EmStat4 driver's dialogue: how a script is started, followed, left and stopped."""

import pytest

from drivers.base import Program, ProgramState, Record
from drivers.emstat4 import EmStat4
from drivers.emstat4_channel import ScriptChannel
from drivers.emstat4_models import MODELS
from drivers.errors import LinkError, RefusedError
from drivers.links.transcript import TranscriptLink
from protocols.conditions import AnyOf, Comparison, Quantity, Relation
from protocols.limits import Bound, Limits, Range
from protocols.plan import Ceiling, PlannedStep
from protocols.reading import Flags, ImpedancePoint, Reading
from protocols.recording import Recording
from protocols.techniques import ConstantCurrent, Impedance, Level, Technique

OFF = """
    > e
    > cell_off
    > on_finished:
    > cell_off
    >
    < e
    <
"""

IDLE = """
    >
    > Z
    < Z!0006
"""

OPENING = f"""
    >
    > Z
    < P garbage of a script nobody remembers
    <
    < Z!0006
    > t
    < tes4_hr1500#Nov 23 2026 12:00:00
    < R*
    > i
    < iES4HR0042
    > v
    < v0105
    {IDLE}
    {OFF}
"""


class Impatient(EmStat4):
    """The same driver for an instrument that needs no rest after an error."""

    pause_after_error = 0.0


def program(technique: Technique, until: AnyOf | None = None) -> Program:
    step = PlannedStep("2.1", 7, "charge", technique, "", until, Recording(every=1.0), Ceiling(7200.0, 20.0))
    limits = Limits(
        voltage=Range(Bound(2.5, "cell"), Bound(4.3, "cell")),
        current=Range(Bound(-5e-3, "protocol"), Bound(5e-3, "protocol")),
    )
    return Program(step, limits, sample=1.0)


CHARGE = program(
    ConstantCurrent(1e-3),
    AnyOf(
        (
            Comparison(Quantity.VOLTAGE, Relation.AT_LEAST, 4.2, "voltage >= 4.2 V"),
            Comparison(Quantity.TIME, Relation.AT_LEAST, 3600.0, "time >= 1 h"),
        )
    ),
)

SPECTRUM = program(Impedance(5e-3, False, Level(0.0, True), 1e5, 1.0, 10))


def channel(link: TranscriptLink) -> ScriptChannel:
    return ScriptChannel(link, MODELS["es4_hr"], pause_after_error=0.0)


def upload(what: Program) -> str:
    """The dialogue of a script going out: its lines, and the empty one that ends it."""
    script = channel(TranscriptLink("")).program("run 1/1", what)
    return "".join(f"> {line}\n" for line in ["e", *script.splitlines(), ""])


def running(output: str, what: Program = CHARGE, taken: str = "< e\n") -> str:
    return upload(what) + taken + output


async def followed(dialogue: str, what: Program = CHARGE) -> tuple[ScriptChannel, list[Record]]:
    with TranscriptLink(dialogue) as link:
        potentiostat = channel(link)
        await potentiostat.start("run 1/1", what)
        return potentiostat, list(await potentiostat.records(after=0))


async def test_opening_aborts_identifies_and_opens_the_circuit() -> None:
    with TranscriptLink(OPENING) as link:
        instrument = await Impatient.open(link)
    assert instrument.identity.model == "EmStat4 HR"
    assert instrument.identity.serial == "ES4HR0042"
    assert instrument.identity.firmware == "1500#Nov 23 2026 12:00:00 R MethodSCRIPT 0105"
    assert instrument.rating.voltage.high == Bound(6.0, "channel")


async def test_a_script_that_still_runs_is_aborted_and_its_end_awaited() -> None:
    dialogue = "> \n> Z\n< Pda8000000 \n< Z\n< Pda8000000 \n< *\n<\n> Z\n< Z!0006"
    with TranscriptLink(dialogue) as link:
        await channel(link).abort()


async def test_another_device_is_refused_by_name() -> None:
    dialogue = IDLE + "> t\n< tespico1234#Nov 23 2026\n< R*\n"
    with (
        TranscriptLink(dialogue) as link,
        pytest.raises(RefusedError, match=r"'espico' answered; wanted es4_lr"),
    ):
        await Impatient.open(link)


async def test_a_run_to_its_end() -> None:
    """eb 3600 s = 0x8000E10; ab 4.2 V = 4200 m = 0x8001068; ba 1 mA = 0x8000001 m; 3.6 C = 0x8000E10 m."""
    output = """
    < Ttag run 1/1
    < L
    < M0009
    < Peb8000001 ;ab8000E74m,10,206;ba8000001m,10,215;ja8000001m;jb8000004m
    < *
    < +
    < Peb8000E10 ;ab8001068m;ba8000001m;ja8000E10m;jb8003138m
    < Tend 0
    <
    """
    potentiostat, records = await followed(running(output))
    start = records[0].point.time - 1.0
    assert records == [
        Record(1, Reading(start + 1.0, 3.7, 1e-3), 1e-3, 4e-3),
        Record(2, Reading(start + 3600.0, 4.2, 1e-3), 3.6, 12.6),
    ]
    status = await potentiostat.state()
    assert status == (ProgramState.FINISHED, "run 1/1", "voltage >= 4.2 V", False)
    assert [record.number for record in await potentiostat.records(after=1)] == [2]
    assert await potentiostat.records(after=2) == []


async def test_the_joined_framing_is_accepted_too() -> None:
    _, records = await followed(
        running("< Peb8000001 ;da8000E74m;db8000001m;ja8000000 ;jb8000000 \n", taken="< eM0009\n")
    )
    assert len(records) == 1


async def test_a_limit_is_told_as_a_limit_with_what_was_seen() -> None:
    """4.31 V = 4310 m = 0x80010D6."""
    output = """
    < Peb8000002 ;ab80010D6m;ba8000001m,12;ja8000000 ;jb8000000m
    < Tlimit voltage
    <
    """
    potentiostat, records = await followed(running(output))
    point = records[0].point
    assert isinstance(point, Reading)
    assert point.flags == Flags.OVERLOAD
    status = await potentiostat.state()
    assert status.limit
    assert status.reason == "voltage 4.31 V is outside 2.5 to 4.3 V"


async def test_a_spectrum() -> None:
    """100 kHz = 0x8000064 k; 4.08 ohm = 4080 m = 0x8000FF0; -0.5 ohm = -500 m = 0x7FFFE0C."""
    output = "< M000D\n< Peb8000001 ;dc8000064k;cc8000FF0m,10;cd7FFFE0Cm,10\n< *\n< Tend\n<\n"
    potentiostat, records = await followed(running(output, SPECTRUM), SPECTRUM)
    point = records[0].point
    assert isinstance(point, ImpedancePoint)
    assert point[1:] == (100e3, 4.08, -0.5, 0)
    assert (await potentiostat.state()).reason == "charge complete"


async def test_a_script_that_is_refused_names_its_line() -> None:
    dialogue = upload(CHARGE) + "< e!4001: Line 2, Col 1"
    with TranscriptLink(dialogue) as link:
        potentiostat = channel(link)
        with pytest.raises(RefusedError, match=r"unknown script command \(!4001.*at 'var t'"):
            await potentiostat.start("run 1/1", CHARGE)
        assert (await potentiostat.state()).state is ProgramState.FAULT


async def test_an_error_while_running_is_a_fault_in_words() -> None:
    potentiostat, _ = await followed(running("< !0032: Line 40\n"))
    status = await potentiostat.state()
    assert status.state is ProgramState.FAULT
    assert "critical overload of the cell" in (status.reason or "")


async def test_a_script_that_ends_without_a_reason_is_a_fault() -> None:
    potentiostat, _ = await followed(running("< *\n<\n"))
    assert (await potentiostat.state()).state is ProgramState.FAULT


async def test_a_garbled_package_is_an_error_and_the_next_one_is_not() -> None:
    good = "< Peb8000001 ;ab8000E74m;ba8000001m;ja8000001m;jb8000004m\n"
    dialogue = running("< Peb80000!1 ;ab8000E74m\n" + good)
    with TranscriptLink(dialogue) as link:
        potentiostat = channel(link)
        await potentiostat.start("run 1/1", CHARGE)
        with pytest.raises(LinkError, match="no variable"):
            await potentiostat.records(after=0)
        assert len(await potentiostat.records(after=0)) == 1


async def test_finishing_leaves_the_loop_and_keeps_the_last_package() -> None:
    package = "< Peb8000001 ;ab8000E74m;ba8000001m;ja8000001m;jb8000004m\n"
    dialogue = running("> Y\n< Y\n< *\n" + package + "< Tend\n<\n")
    with TranscriptLink(dialogue) as link:
        potentiostat = channel(link)
        await potentiostat.start("run 1/1", CHARGE)
        await potentiostat.finish()
        assert len(await potentiostat.records(after=0)) == 1
        assert await potentiostat.state() == (ProgramState.FINISHED, "run 1/1", "finished", False)


async def test_off_aborts_waits_and_opens_the_circuit_and_keeps_what_came() -> None:
    package = "< Peb8000001 ;ab8000E74m;ba8000001m;ja8000001m;jb8000004m\n"
    dialogue = running("> \n> Z\n" + package + "< Z\n" + package + "< *\n<\n> Z\n< Z!0006\n" + OFF)
    with TranscriptLink(dialogue) as link:
        potentiostat = channel(link)
        await potentiostat.start("run 1/1", CHARGE)
        await potentiostat.off()
        assert (await potentiostat.state()).state is ProgramState.IDLE
        assert [record.number for record in await potentiostat.records(after=0)] == [1, 2]


async def test_off_works_from_idle_any_number_of_times_and_after_a_lost_port() -> None:
    with TranscriptLink("> \n> Z\n! gone\n" + IDLE + OFF + IDLE + OFF) as link:
        potentiostat = channel(link)
        await potentiostat.off()
        await potentiostat.off()


async def test_a_second_script_is_refused_while_one_runs() -> None:
    with TranscriptLink(running("")) as link:
        potentiostat = channel(link)
        await potentiostat.start("run 1/1", CHARGE)
        with pytest.raises(RefusedError, match="run 1/1 is running"):
            await potentiostat.start("run 1/2", CHARGE)


async def test_time_never_goes_back_between_scripts() -> None:
    """The first script reached 3600 s of its own; the host has lived milliseconds."""
    package = "< Peb8000E10 ;ab8000E74m;ba8000001m;ja8000001m;jb8000004m\n< Tend 1\n<\n"
    again = "< Peb8000001 ;ab8000E74m;ba8000001m;ja8000001m;jb8000004m\n"
    with TranscriptLink(running(package) + running(again)) as link:
        potentiostat = channel(link)
        await potentiostat.start("run 1/1", CHARGE)
        first = (await potentiostat.records(after=0))[0].point.time
        await potentiostat.start("run 1/1", CHARGE)
        second = (await potentiostat.records(after=0))[0].point.time
    assert first >= 3600.0
    assert second == first + 1.0
