"""The Keithley driver's dialogue is its specification: what is sent, in which order, and what is refused."""

import math

import pytest

from drivers.deadman import Deadman
from drivers.errors import LinkError, RefusedError
from drivers.keithley2450 import Keithley2450
from drivers.keithley2450_models import MODELS
from drivers.keithley2450_output import Output
from drivers.links.transcript import TranscriptLink
from protocols.limits import Bound, Limits, Range
from protocols.plan import Ceiling, PlannedStep
from protocols.reading import Flags
from protocols.recording import Recording
from protocols.setpoint import AtRest, Current, Voltage
from protocols.techniques import ConstantCurrent, Impedance, Level

IDENTITY = "KEITHLEY INSTRUMENTS,MODEL 2450,04412345,1.7.12b"

MAKING_SAFE = """
    > :OUTP:CURR:SMOD HIMP
    > :OUTP:VOLT:SMOD HIMP
    > :OUTP:CURR:SMOD?;:OUTP:VOLT:SMOD?
    < HIMP;HIMP
    > :ABOR;:OUTP OFF;:OUTP?
    < 0
    > :SYST:CLE
    > :SENS:VOLT:RSEN ON
    > :SENS:CURR:RSEN ON
    > :SOUR:VOLT:READ:BACK ON
    > :SOUR:CURR:READ:BACK ON
    > :SENS:COUN 1
    > :FORM:ASC:PREC 16
    > :TRAC:FILL:MODE CONT, "defbuffer1"
    > :SYST:ERR:COUN?
    < 0
"""

OPENING = f"""
    > *IDN?
    < {IDENTITY}
    > *LANG?
    < SCPI
{MAKING_SAFE}"""

CHARGING = """
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
    > :OUTP ON;:OUTP?;:SYST:ERR:COUN?
    < 1;0
"""


def output(link: TranscriptLink) -> Output:
    """The output without its dead-man, which has dialogues of its own."""
    return Output(link, MODELS["2450"], Deadman())


def window(low: float, high: float) -> Limits:
    return Limits(voltage=Range(Bound(low, "cell"), Bound(high, "cell")))


def step(technique: ConstantCurrent | Impedance) -> PlannedStep:
    return PlannedStep("1", 1, "charge", technique, "", None, Recording(), Ceiling(1.0, 1.0))


async def test_high_impedance_comes_before_anything_else() -> None:
    with TranscriptLink(OPENING) as link:
        smu = await Keithley2450.open(link)
    assert smu.identity.model == "2450"
    assert smu.identity.serial == "04412345"
    assert smu.rating.voltage.high == Bound(20.0, "channel")


async def test_high_impedance_that_was_not_taken_is_refused_before_the_output_is_touched() -> None:
    dialogue = OPENING.split("< HIMP;HIMP", maxsplit=1)[0] + "< NORM;HIMP"
    with TranscriptLink(dialogue) as link, pytest.raises(RefusedError, match=r"NORM.*wanted HIMP for both"):
        await Keithley2450.open(link)


@pytest.mark.parametrize(
    ("identity", "seen"),
    [
        ("KEITHLEY INSTRUMENTS,MODEL 2400,1,C30", "2400"),
        ("Keysight Technologies,2450,1,1", "Keysight"),
    ],
)
async def test_another_instrument_is_refused_by_name(identity: str, seen: str) -> None:
    with TranscriptLink(f"> *IDN?\n< {identity}") as link, pytest.raises(RefusedError, match=seen):
        await Keithley2450.open(link)


async def test_another_command_set_is_refused() -> None:
    dialogue = f"> *IDN?\n< {IDENTITY}\n> *LANG?\n< TSP"
    with TranscriptLink(dialogue) as link, pytest.raises(RefusedError, match=r"'TSP'; wanted SCPI"):
        await Keithley2450.open(link)


async def test_the_clamp_is_read_back_before_the_output_closes() -> None:
    with TranscriptLink(CHARGING) as link:
        await output(link).apply(Current(1e-3, voltage_clamp=4.32))


async def test_a_clipped_level_is_refused_and_the_output_stays_open() -> None:
    dialogue = CHARGING.split("< 1.0", maxsplit=1)[0] + "< 1.000000E-03;2.000000E+00;0"
    with (
        TranscriptLink(dialogue) as link,
        pytest.raises(RefusedError, match=r"VLIM\? says 2.000000E\+00; want"),
    ):
        await output(link).apply(Current(1e-3, voltage_clamp=4.32))


async def test_errors_of_the_instrument_are_told_in_its_words() -> None:
    dialogue = (
        CHARGING.split("< 1.0", maxsplit=1)[0]
        + """< 1.000000E-03;4.320000E+00;1
    > :SYST:ERR?
    < -222,"Parameter data out of range;1;2026/11/23 12:00:00.000"
    > :SYST:ERR?
    < 0,"No error;0;0 0"
    """
    )
    with TranscriptLink(dialogue) as link, pytest.raises(RefusedError, match='-222,"Parameter data out'):
        await output(link).apply(Current(1e-3, voltage_clamp=4.32))


async def test_the_next_level_of_the_same_function_moves_no_relay() -> None:
    dialogue = (
        CHARGING
        + """
    > :SOUR:CURR -5.000000E-04;:SOUR:CURR?;:SOUR:CURR:VLIM?;:SYST:ERR:COUN?
    < -5.000000E-04;4.320000E+00;0
    > :SOUR:CURR 0.000000E+00;:SOUR:CURR?;:SOUR:CURR:VLIM?;:SYST:ERR:COUN?
    < 0.000000E+00;4.320000E+00;0
    > :SOUR:CURR:RANG 1.000000E-02;:SOUR:CURR 5.000000E-03;:SOUR:CURR?;:SOUR:CURR:VLIM?;:SYST:ERR:COUN?
    < 5.000000E-03;4.320000E+00;0
    > :SOUR:CURR 5.000000E-05;:SOUR:CURR:RANG 1.000000E-04;:SOUR:CURR?;:SOUR:CURR:VLIM?;:SYST:ERR:COUN?
    < 5.000000E-05;4.320000E+00;0
    """
    )
    with TranscriptLink(dialogue) as link:
        smu = output(link)
        await smu.apply(Current(1e-3, 4.32))
        await smu.apply(Current(-5e-4, 4.32))
        await smu.apply(AtRest(4.32))
        await smu.apply(Current(5e-3, 4.32))
        await smu.apply(Current(5e-5, 4.32))


async def test_another_function_goes_through_the_open_circuit() -> None:
    dialogue = (
        CHARGING
        + """
    > :ABOR;:OUTP OFF;:OUTP?
    < 0
    > :SOUR:FUNC VOLT
    > :SOUR:VOLT 0
    > :SOUR:VOLT:RANG 2.000000E+01
    > :SOUR:VOLT:ILIM 5.000000E-03
    > :SOUR:VOLT 4.200000E+00
    > :SENS:FUNC "CURR"
    > :SENS:CURR:RANG:AUTO ON
    > :SOUR:VOLT?;:SOUR:VOLT:ILIM?;:SYST:ERR:COUN?
    < 4.200000E+00;5.000000E-03;0
    > :OUTP ON;:OUTP?;:SYST:ERR:COUN?
    < 1;0
    > :OUTP?;:SENS:CURR:NPLC 0.1;:READ? "defbuffer1", SOUR, READ, REL
    < 1;4.200012E+00,9.100000E-04,2.500000E+00
    """
    )
    with TranscriptLink(dialogue) as link:
        smu = output(link)
        await smu.apply(Current(1e-3, 4.32))
        await smu.apply(Voltage(4.2, current_clamp=5e-3))
        reading = await smu.measure(within=0.02)
    assert (reading.time, reading.voltage, reading.current, reading.flags) == (2.5, 4.200012, 9.1e-4, 0)


async def test_the_aperture_is_sent_only_when_it_changes() -> None:
    dialogue = (
        CHARGING
        + """
    > :OUTP?;:SENS:VOLT:NPLC 1;:READ? "defbuffer1", SOUR, READ, REL
    < 1;1.000001E-03,3.700123E+00,1.234567E+00
    > :OUTP?;:READ? "defbuffer1", SOUR, READ, REL
    < 1;1.000001E-03,3.700124E+00,2.234567E+00
    > :OUTP?;:SENS:VOLT:NPLC 0.01;:READ? "defbuffer1", SOUR, READ, REL
    < 1;1.000001E-03,3.700125E+00,2.254567E+00
    """
    )
    with TranscriptLink(dialogue) as link:
        smu = output(link)
        await smu.apply(Current(1e-3, 4.32))
        first = await smu.measure(within=1.0)
        await smu.measure(within=0.1)
        await smu.measure(within=0.01)
    assert first == (1.234567, 3.700123, 1.000001e-3, None, 0)


async def test_the_clamp_is_asked_about_only_near_it() -> None:
    dialogue = (
        CHARGING
        + """
    > :OUTP?;:SENS:VOLT:NPLC 1;:READ? "defbuffer1", SOUR, READ, REL
    < 1;2.000000E-04,4.319900E+00,1.0
    > :SOUR:CURR:VLIM:TRIP?
    < 1
    """
    )
    with TranscriptLink(dialogue) as link:
        smu = output(link)
        await smu.apply(Current(1e-3, 4.32))
        assert (await smu.measure(within=1.0)).flags == Flags.CLAMPED


async def test_time_goes_on_when_the_buffer_begins_anew() -> None:
    dialogue = (
        CHARGING
        + """
    > :OUTP?;:SENS:VOLT:NPLC 1;:READ? "defbuffer1", SOUR, READ, REL
    < 1;1.0E-03,3.7,100.0
    > :OUTP?;:READ? "defbuffer1", SOUR, READ, REL
    < 1;1.0E-03,3.7,0.0
    > :OUTP?;:READ? "defbuffer1", SOUR, READ, REL
    < 1;1.0E-03,3.7,1.5
    """
    )
    with TranscriptLink(dialogue) as link:
        smu = output(link)
        await smu.apply(Current(1e-3, 4.32))
        times = [(await smu.measure(within=1.0)).time for _ in range(3)]
    assert times[0] == 100.0
    assert 100.0 <= times[1] < 101.0  # the host's clock bridges the gap
    assert times[2] - times[1] == pytest.approx(1.5)


@pytest.mark.parametrize(
    "answer", ["1.0E-03,3.7,9.9e+37", "1.0E-03,nan,1.0", "1.0E-03,3.7", "1.0E-03,3.7,x", ""]
)
async def test_what_is_no_reading_is_a_link_error(answer: str) -> None:
    dialogue = CHARGING + f'> :OUTP?;:SENS:VOLT:NPLC 1;:READ? "defbuffer1", SOUR, READ, REL\n< 1;{answer}'
    with TranscriptLink(dialogue) as link:
        smu = output(link)
        await smu.apply(Current(1e-3, 4.32))
        with pytest.raises(LinkError):
            await smu.measure(within=1.0)


async def test_a_reading_that_overflowed_is_outside_every_window() -> None:
    dialogue = CHARGING + (
        '> :OUTP?;:SENS:VOLT:NPLC 1;:READ? "defbuffer1", SOUR, READ, REL\n< 1;1.0E-03,9.9e+37,1.0'
    )
    with TranscriptLink(dialogue) as link:
        smu = output(link)
        await smu.apply(Current(1e-3, 4.32))
        assert math.isnan((await smu.measure(within=1.0)).voltage)


async def test_measuring_an_open_output_is_refused() -> None:
    with TranscriptLink("") as link, pytest.raises(RefusedError, match="apply a rest"):
        await output(link).measure(1.0)


async def test_off_asks_once_more_after_silence() -> None:
    with TranscriptLink("> :ABOR;:OUTP OFF;:OUTP?\n! silence\n> :ABOR;:OUTP OFF;:OUTP?\n< 0") as link:
        await output(link).off()


async def test_an_output_that_stays_closed_is_an_error() -> None:
    with (
        TranscriptLink("> :ABOR;:OUTP OFF;:OUTP?\n< 1") as link,
        pytest.raises(RefusedError, match="says '1'"),
    ):
        await output(link).off()


@pytest.mark.parametrize(
    ("low", "high", "step"), [(-1.0, 1.5, 2), (2.5, 4.3, 5), (0.0, 1.99, 5), (-7.0, 4.0, 10), (0.0, 12.0, 20)]
)
async def test_the_lowest_overvoltage_step_above_the_window_is_armed(
    low: float, high: float, step: int
) -> None:
    """1.99 V plus the 20 mV of the clamp is beyond the 2 V step."""
    dialogue = f"> :SOUR:VOLT:PROT PROT{step};:SOUR:VOLT:PROT?;:SYST:ERR:COUN?\n< PROT{step};0"
    with TranscriptLink(MAKING_SAFE + dialogue) as link:
        await output(link).prepare(window(low, high))


async def test_limits_beyond_the_rating_are_refused() -> None:
    with TranscriptLink("") as link:
        with pytest.raises(RefusedError, match=r"the cell's voltage limit 25 V is beyond the rating, ±20 V"):
            await output(link).prepare(window(0.0, 25.0))
        with pytest.raises(RefusedError, match=r"level 2 is beyond"):
            await output(link).apply(Current(2.0, 4.32))
        with pytest.raises(RefusedError, match="clamp"):
            await output(link).apply(Voltage(3.0, current_clamp=float("nan")))


async def test_overvoltage_protection_that_was_not_taken_is_refused() -> None:
    dialogue = "> :SOUR:VOLT:PROT PROT5;:SOUR:VOLT:PROT?;:SYST:ERR:COUN?\n< NONE;0"
    with (
        TranscriptLink(MAKING_SAFE + dialogue) as link,
        pytest.raises(RefusedError, match=r"'NONE'; wanted PROT5"),
    ):
        await output(link).prepare(window(2.5, 4.3))


def test_spectra_are_refused_and_currents_are_not() -> None:
    spectrum = Impedance(5e-3, False, Level(0.0, True), 1e5, 0.1, 10)
    assert "impedance" in (Keithley2450.refusal(step(spectrum)) or "")
    assert Keithley2450.refusal(step(ConstantCurrent(1e-3))) is None


def test_a_step_beyond_the_model_is_refused_before_anything_is_sent() -> None:
    smu = output(TranscriptLink(""))
    assert smu.refusal(step(ConstantCurrent(1.0))) is None
    assert smu.refusal(step(ConstantCurrent(-1.2))) == "-1.2 A is beyond the ±1.05 A of a 2450"
