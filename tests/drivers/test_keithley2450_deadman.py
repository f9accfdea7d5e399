"""The Keithley's own program: it opens the circuit when nobody looks any more, or at either edge."""

import pytest

from drivers.deadman import Deadman, DeadmanKind
from drivers.emstat4 import EmStat4
from drivers.errors import RefusedError
from drivers.keithley2450 import Keithley2450
from drivers.keithley2450_deadman import CUT_OFF, UNRENEWED, Edges, trigger_model
from drivers.keithley2450_models import MODELS
from drivers.keithley2450_output import Output
from drivers.keithley2450_source import Source
from drivers.links.transcript import TranscriptLink
from protocols.errors import LimitError
from protocols.limits import Bound, Limits, Range
from protocols.setpoint import AtRest, Current
from protocols.techniques import Rest
from tests.drivers.test_pairs import program, source_meter, watched

CLOSED = """
    > :ABOR;:OUTP OFF;:OUTP?
    < 0
    > :SOUR:FUNC CURR
    > :SOUR:CURR 0
    > :SOUR:CURR:RANG 1.000000E-03
    > :SOUR:CURR:VLIM 4.320000E+00
    > :SOUR:CURR 1.000000E-03
    > :SENS:FUNC "VOLT"
    > :SENS:VOLT:RANG:AUTO ON
    > :SOUR:CURR?;:SOUR:CURR:VLIM?;:SYST:ERR:COUN?
    < 1.000000E-03;4.320000E+00;0
    > :TRIG:LOAD "Empty"
    > :TRIG:BLOC:BUFF:CLE 1, "defbuffer2"
    > :TRIG:BLOC:DEL:CONS 2, 0.380
    > :TRIG:BLOC:MEAS 3, "defbuffer2"
    > :TRIG:BLOC:BRAN:COUN 4, 9, 2
    > :TRIG:BLOC:SOUR:STAT 5, OFF
    > :TRIG:BLOC:LOG:EVEN 6, ERR1, "galvanod: nobody renewed the dead-man, output off"
    > :TRIG:BLOC:BRAN:ALW 7, 10
    > :TRIG:BLOC:SOUR:STAT 8, OFF
    > :TRIG:BLOC:LOG:EVEN 9, ERR1, "galvanod: beyond the window, output off"
    > :TRIG:BLOC:NOP 10
    > :OUTP ON;:INIT;:OUTP?;:SYST:ERR:COUN?
    < 1;0
"""

LOOK = ':OUTP?;:ABOR;*WAI;:SENS:VOLT:NPLC 1;:READ? "defbuffer1", SOUR, READ, REL;:INIT'


def output(link: TranscriptLink) -> Output:
    return Output(link, MODELS["2450"], Deadman(DeadmanKind.INSTRUMENT, 5.0))


@pytest.mark.parametrize(("seconds", "delay"), [(5.0, "0.380"), (90.0, "8.880")])
def test_nine_looks_and_the_reading_before_them_fit_into_the_time(seconds: float, delay: str) -> None:
    """5 s: a look every 0.5 s, 0.12 s of it the reading; 0.12 + 9 × 0.5 = 4.62 s at the latest."""
    blocks = trigger_model(seconds, Edges())
    assert blocks[2] == f":TRIG:BLOC:DEL:CONS 2, {delay}"
    assert blocks[4] == ":TRIG:BLOC:BRAN:COUN 4, 9, 2"


def test_both_edges_are_cut_offs_of_a_current_source() -> None:
    """20 mV outside -1 V .. 1.5 V; the source's own clamp would let a discharge reach -1.52 V."""
    limits = Limits(voltage=Range(Bound(-1.0, "cell"), Bound(1.5, "cell")))
    edges = Edges.of(Source.of(Current(1e-3, 1.52)), limits)
    assert edges == Edges(-1.02, 1.52)
    blocks = trigger_model(5.0, edges)
    assert blocks[4:7] == (
        ":TRIG:BLOC:BRAN:LIM:CONS 4, BEL, -1.020000E+00, 0, 10",
        ":TRIG:BLOC:BRAN:LIM:CONS 5, ABOV, 0, 1.520000E+00, 10",
        ":TRIG:BLOC:BRAN:COUN 6, 9, 2",
    )
    assert blocks[10] == ":TRIG:BLOC:SOUR:STAT 10, OFF"


def test_a_voltage_source_is_cut_off_by_its_current_outside_its_clamp() -> None:
    """5 % of 10 mA is 0.5 mA; the clamp stands at 10.2 mA."""
    limits = Limits(current=Range(Bound(-0.01, "cell"), Bound(0.002, "protocol")))
    edges = Edges.of(Source("VOLT", 4.2, 0.0102), limits)
    assert (edges.low, edges.high) == pytest.approx((-0.0105, 0.0025))


async def test_closing_the_output_starts_the_program_in_the_same_message() -> None:
    with TranscriptLink(CLOSED) as link:
        await output(link).apply(Current(1e-3, 4.32))


async def test_a_reading_and_a_new_level_renew_the_program_in_their_own_message() -> None:
    dialogue = f"""{CLOSED}
    > {LOOK}
    < 1;1.000001E-03,3.700123E+00,1.234567E+00
    > :ABOR;*WAI;:SOUR:CURR -5.000000E-04;:SOUR:CURR?;:SOUR:CURR:VLIM?;:INIT;:SYST:ERR:COUN?
    < -5.000000E-04;4.320000E+00;0
    """
    with TranscriptLink(dialogue) as link:
        smu = output(link)
        await smu.apply(Current(1e-3, 4.32))
        await smu.measure(within=1.0)
        await smu.apply(Current(-5e-4, 4.32))


@pytest.mark.parametrize(
    ("told", "error", "message"),
    [
        (f'2742,"{UNRENEWED};1;…"', RefusedError, r"its dead-man, instrument, 5 s, was not renewed"),
        (f'2742,"{CUT_OFF};1;…"', LimitError, r"saw the window left and opened the circuit"),
        ('701,"Interlock;1;…"', RefusedError, r"OUTP\? says '0' in the middle .*Interlock"),
    ],
)
async def test_an_output_that_opened_by_itself_is_told_by_its_cause(
    told: str, error: type[Exception], message: str
) -> None:
    dialogue = f"""{CLOSED}
    > {LOOK}
    < 0;0.0,3.7,1.0
    > :SYST:ERR?
    < {told}
    > :SYST:ERR?
    < 0,"No error;0,0,0"
    """
    with TranscriptLink(dialogue) as link:
        smu = output(link)
        await smu.apply(Current(1e-3, 4.32))
        with pytest.raises(error, match=message):
            await smu.measure(within=1.0)


async def test_a_program_that_does_not_start_is_refused() -> None:
    dialogue = (
        CLOSED.removesuffix("< 1;0\n") + '< 1;1\n> :SYST:ERR?\n< -213,"Init ignored"\n> :SYST:ERR?\n< 0,"No"'
    )
    with TranscriptLink(dialogue) as link, pytest.raises(RefusedError, match="Init ignored"):
        await output(link).apply(Current(1e-3, 4.32))


async def test_renewing_leaves_no_gap_in_the_current() -> None:
    """10 mA for 60 s of readings is 0.6 C, short of one message's time at most."""
    async with source_meter() as (channel, clock, cell):
        await channel.prepare(program(Rest(), None).limits)
        before = cell.charge
        await channel.apply(Current(0.01, voltage_clamp=2.02))
        began = await clock.now()
        await watched(channel, clock, 60.0)
        passed = await clock.now() - began
        assert cell.charge - before == pytest.approx(0.01 * passed, abs=1e-4)


async def test_nobody_looking_any_more_opens_the_circuit_within_five_seconds() -> None:
    """Nine looks of 0.461 s at 10 mA: 41.5 mC; 50 mC were five seconds."""
    async with source_meter() as (channel, clock, cell):
        await channel.prepare(program(Rest(), None).limits)
        await channel.apply(Current(0.01, voltage_clamp=2.02))
        await channel.measure(within=1.0)
        before = cell.charge
        await clock.sleep_until(await clock.now() + 3600.0)
        with pytest.raises(RefusedError, match="dead-man, instrument, 5 s, was not renewed"):
            await channel.measure(within=1.0)
        assert 0.03 < cell.charge - before < 0.05


async def test_a_discharge_below_the_window_is_cut_off_by_the_instrument_alone() -> None:
    """-50 mA: 0.5 V, falling 5 mV/s; 20 mV under the window's 0.51 V after 2 s, seen at 2.31 s: 115 mC."""
    limits = Limits(voltage=Range(Bound(0.51, "cell"), Bound(2.0, "cell")))
    async with source_meter() as (channel, clock, cell):
        await channel.prepare(limits)
        await channel.apply(Current(-0.05, voltage_clamp=2.02))
        await channel.measure(within=1.0)
        level = cell.charge
        await clock.sleep_until(await clock.now() + 3600.0)
        with pytest.raises(LimitError, match="saw the window left"):
            await channel.measure(within=1.0)
        assert level - cell.charge == pytest.approx(0.115, abs=0.01)


async def test_a_rest_is_renewed_as_well() -> None:
    async with source_meter() as (channel, clock, _):
        await channel.prepare(program(Rest(), None).limits)
        await channel.apply(AtRest(voltage_clamp=2.02))
        rested = await watched(channel, clock, 10.0)
        assert rested.voltage == pytest.approx(1.0, abs=0.01)


def test_what_each_family_declares() -> None:
    assert Keithley2450.deadman == Deadman(DeadmanKind.INSTRUMENT, 5.0)
    assert Keithley2450.deadman.longest_interval == pytest.approx(5.0 / 3.0)
    assert EmStat4.deadman.kind is DeadmanKind.AUTONOMOUS
    assert EmStat4.deadman.longest_interval is None
    assert Deadman() == Deadman(DeadmanKind.NONE, None)
