"""What the simulated 2450 says and does, line by line, on a cell that can be worked out by hand.

The cell: 3.7 V + charge / 1000 F behind 2 ohm. Readings carry the meter's own errors (50 ppm of
gain, 5e-6 of range, standard deviations), hence tolerances of 3e-4 where a reading is compared;
charge is the cell's own and exact. A reading takes, at 1 NPLC, 50 Hz, with autozero and source
read-back, 4 x 20 ms + 1 ms, and 1 ms more after a change of the source.
"""

import math
import statistics

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.keithley2450 import Keithley2450, Keithley2461
from tests.simulators.jump_clock import JumpClock
from tests.simulators.linear_cell import LinearCell

SAFE = ":OUTP:CURR:SMOD HIMP;:OUTP:VOLT:SMOD HIMP"
CHARGING = f"{SAFE};:SOUR:FUNC CURR;:SOUR:CURR:VLIM 4;:SENS:FUNC 'VOLT';:SENS:VOLT:RSEN ON;:SOUR:CURR 0.1"
NO_ERROR = '0,"No error;0,0,0"'


class Bench:
    def __init__(self, seed: int = 1, kind: type[Keithley2450] = Keithley2450) -> None:
        self.cell = LinearCell()
        self.clock = JumpClock()
        self.smu = kind(self.cell, self.clock, seed)

    async def say(self, *lines: str) -> None:
        for line in lines:
            assert await self.smu.answer(line) is None

    async def ask(self, line: str) -> str:
        answer = await self.smu.answer(line)
        assert answer is not None, f"{line} was not answered"
        return answer

    async def numbers(self, line: str) -> list[float]:
        return [float(part) for part in (await self.ask(line)).split(",")]

    async def errors(self) -> list[int]:
        codes = []
        while code := int(await self.ask("SYST:ERR:CODE?")):
            codes.append(code)
        return codes

    async def charge_after(self, seconds: float) -> float:
        """Let time pass and return the charge the cell has by then."""
        self.clock.moment += seconds
        await self.ask("OUTP?")
        return self.cell.charge


async def test_who_it_is() -> None:
    maker, model, serial, firmware = (await Bench().ask("*IDN?")).split(",")
    assert (maker, model) == ("KEITHLEY INSTRUMENTS", "MODEL 2450")
    assert len(serial) == 8
    assert firmware
    assert ",MODEL 2461," in await Bench(kind=Keithley2461).ask("*IDN?")
    assert await Bench().ask("*LANG?") == "SCPI"


async def test_off_in_normal_mode_discharges_the_cell() -> None:
    # A 0 V source with 10 % of the 100 mA range: -10 mA for 1000 s.
    bench = Bench()
    await bench.say(":SOUR:FUNC CURR;:SOUR:CURR:RANG 0.1")
    assert await bench.charge_after(1000.0) == pytest.approx(-10.0)


async def test_off_in_high_impedance_leaves_the_cell_alone_and_sees_nothing() -> None:
    bench = Bench()
    await bench.say(SAFE, ":SOUR:FUNC CURR;:SOUR:CURR:RANG 0.1;:SENS:FUNC 'VOLT'")
    assert await bench.charge_after(1000.0) == 0.0
    assert float(await bench.ask("READ?")) == pytest.approx(0.0, abs=1e-3)


async def test_off_as_zero_takes_the_whole_range_and_as_guard_none_until_its_limit() -> None:
    bench = Bench()
    await bench.say(":OUTP:CURR:SMOD ZERO;:SOUR:FUNC CURR;:SOUR:CURR:RANG 0.1")
    assert await bench.charge_after(1000.0) == pytest.approx(-100.0)
    await bench.say(":OUTP:CURR:SMOD GUAR;:SENS:VOLT:RANG 200")  # 10 % of 200 V is above the cell
    assert await bench.charge_after(1000.0) == pytest.approx(-100.0)


async def test_a_current_acts_from_the_moment_it_is_set_and_at_its_new_value_at_once() -> None:
    # 0.1 A for 1000 s less 900 s, i.e. 10 C in the first 100 s; then -0.05 A for 60 s.
    bench = Bench()
    await bench.say(CHARGING, "OUTP ON")
    assert await bench.charge_after(100.0) == pytest.approx(10.0)
    await bench.say(":SOUR:CURR -0.05")
    assert await bench.charge_after(60.0) == pytest.approx(7.0)
    await bench.say("OUTP OFF")
    assert await bench.charge_after(60.0) == pytest.approx(7.0)


async def test_a_reading_is_the_cell_at_the_end_of_its_aperture() -> None:
    bench = Bench()
    await bench.say(CHARGING, "OUTP ON")
    source, volts, relative = await bench.numbers('READ? "defbuffer1", SOUR, READ, REL')
    assert bench.clock.moment == pytest.approx(0.082)
    assert source == pytest.approx(0.1, rel=3e-4)
    assert volts == pytest.approx(3.9, rel=3e-4)
    assert relative == 0.0
    [relative] = await bench.numbers('READ? "defbuffer1", REL')
    assert relative == pytest.approx(0.081)


@pytest.mark.parametrize(
    ("setup", "seconds"),
    [
        (":SENS:VOLT:NPLC 10", 4 * 0.2 + 1e-3),
        (":SENS:VOLT:AZER OFF", 2 * 0.02 + 1e-3),
        (":SENS:VOLT:AZER OFF;:SOUR:CURR:READ:BACK OFF", 0.02 + 1e-3),
        (":SENS:VOLT:AVER:COUN 5;:SENS:VOLT:AVER ON", 5 * 4 * 0.02 + 1e-3),
        (":SENS:COUN 3", 3 * (4 * 0.02 + 1e-3)),
        (":SOUR:CURR:DEL 2", 4 * 0.02 + 1e-3),  # no change of the source since
    ],
)
async def test_a_reading_takes_its_time(setup: str, seconds: float) -> None:
    bench = Bench()
    await bench.say(CHARGING, "OUTP ON")
    await bench.ask("READ?")
    await bench.say(setup)
    before = bench.clock.moment
    await bench.ask("READ?")
    assert bench.clock.moment - before == pytest.approx(seconds)


async def test_a_source_delay_is_kept_after_each_change() -> None:
    bench = Bench()
    await bench.say(CHARGING, ":SOUR:CURR:DEL 2", "OUTP ON")
    await bench.ask("READ?")
    assert bench.clock.moment == pytest.approx(2.081)
    assert await bench.ask(":SOUR:CURR:DEL:AUTO?") == "0"


async def test_noise_falls_with_the_aperture() -> None:
    async def noise(cycles: float) -> float:
        bench = Bench()
        await bench.say(CHARGING, ":SOUR:CURR 0", f":SENS:VOLT:RANG 200;NPLC {cycles}", "OUTP ON")
        return statistics.stdev([float(await bench.ask("READ?")) for _ in range(60)])

    assert await noise(0.01) > 5 * await noise(1.0)  # ten times, but for the spread of an estimate


async def test_the_limit_clamps_and_says_so() -> None:
    # 4.0 V are reached after 100 C, 1000 s; see test_regimes for the numbers beyond.
    bench = Bench()
    await bench.say(CHARGING, "OUTP ON")
    assert await bench.ask(":SOUR:CURR:VLIM:TRIP?") == "0"
    assert await bench.charge_after(3000.0) == pytest.approx(226.424, abs=1e-3)
    assert await bench.ask(":SOUR:CURR:VLIM:TRIP?") == "1"
    amperes, volts, flags = await bench.numbers('READ? "defbuffer1", SOUR, READ, SOURSTAT')
    assert amperes == pytest.approx(0.1 / math.e, rel=1e-3)
    assert volts == pytest.approx(4.0, rel=3e-4)
    assert flags == 8 + 32 + 64 + 128  # read back, limited, four wires, on


async def test_overvoltage_protection_clamps_below_the_limit() -> None:
    # PROT5 with a limit of 21 V: 3.7 + 0.2 + 0.0001 t = 5 V after 11 000 s.
    bench = Bench()
    await bench.say(CHARGING, ":SOUR:CURR:VLIM 21;:SOUR:VOLT:PROT PROT5", "OUTP ON")
    await bench.charge_after(10_900.0)
    assert await bench.ask(":SOUR:VOLT:PROT:TRIP?") == "0"
    await bench.charge_after(200.0)
    assert await bench.ask(":SOUR:VOLT:PROT:TRIP?") == "1"
    await bench.say(":SOUR:CURR:VLIM 6")  # the protection does not let it be set
    assert await bench.errors() == [-222]


async def test_a_voltage_source_is_held_back_by_its_current_limit() -> None:
    bench = Bench()
    await bench.say(SAFE, ":SENS:CURR:RSEN ON;:SOUR:VOLT 4.2;:SOUR:VOLT:ILIM 0.1;:OUTP ON")
    assert await bench.ask(":SOUR:VOLT:ILIM:TRIP?") == "1"
    assert float(await bench.ask("READ?")) == pytest.approx(0.1, rel=3e-4)
    assert await bench.charge_after(2999.0) == pytest.approx(0.1 * bench.clock.moment)


async def test_another_function_turns_the_output_off() -> None:
    bench = Bench()
    await bench.say(CHARGING, "OUTP ON")
    assert await bench.ask("OUTP?") == "1"
    await bench.say(":SOUR:FUNC VOLT")
    assert await bench.ask("OUTP?") == "0"


async def test_two_wires_see_the_drop_of_the_leads() -> None:
    bench = Bench()
    await bench.say(CHARGING, ":SENS:VOLT:RSEN OFF", "OUTP ON")
    assert float(await bench.ask("READ?")) == pytest.approx(3.9 + 0.1 * 0.1, rel=3e-4)


@pytest.mark.parametrize(
    ("line", "query", "codes"),
    [
        (":SOUR:CURR 1.06", ":SOUR:CURR?", [-222]),
        (":SOUR:CURR:VLIM 0.01", ":SOUR:CURR:VLIM?", [-222]),
        (":SOUR:CURR:VLIM 211", ":SOUR:CURR:VLIM?", [-222]),
        (":SOUR:VOLT:ILIM -1", ":SOUR:VOLT:ILIM?", [-222]),
        (":SENS:VOLT:NPLC 11", ":SENS:VOLT:NPLC?", [-222]),
        (":SOUR:VOLT:PROT PROT7", ":SOUR:VOLT:PROT?", [-224]),
        (":SENS:FUNC VOLT", ":SENS:FUNC?", [-104]),
        (":SOUR:CURR:RANG 0.001;:SOUR:CURR 0.01", ":SOUR:CURR?", [-222]),
        (":SOUR:CURR 0.01;:SOUR:CURR:RANG 0.001", ":SOUR:CURR:RANG:AUTO?", [-221]),
    ],
)
async def test_what_is_refused_leaves_the_old_value(line: str, query: str, codes: list[int]) -> None:
    bench = Bench()
    if line.startswith(":SOUR:CURR 0.01;"):
        await bench.say(":SOUR:CURR 0.01")
    before = await bench.ask(query)
    await bench.say(line)
    assert await bench.ask(query) == before
    assert await bench.errors() == codes


async def test_ranges_hold_five_percent_more_than_they_say() -> None:
    bench = Bench()
    for amperes, picked in ((0.5e-3, 1e-3), (1.05e-3, 1e-3), (1.06e-3, 10e-3), (1.05, 1.0)):
        await bench.say(f":SOUR:CURR {amperes}")
        assert float(await bench.ask(":SOUR:CURR:RANG?")) == picked
    await bench.say(":SOUR:CURR 0;:SOUR:CURR:RANG 0.02")
    assert float(await bench.ask(":SOUR:CURR:RANG?")) == 0.1
    assert await bench.ask(":SOUR:CURR:RANG:AUTO?") == "0"


async def test_a_reading_above_its_range_is_an_overflow() -> None:
    bench = Bench()
    await bench.say(CHARGING, ":SENS:VOLT:RANG 2", "OUTP ON")
    assert await bench.ask("READ?") == "9.900000E+37"


async def test_errors_are_written_as_the_manual_shows_them() -> None:
    bench = Bench()
    bench.clock.moment = 61.25
    await bench.say("NONSENSE", ":SOUR:CURR")
    assert await bench.ask("SYST:ERR:COUN?") == "2"
    assert await bench.ask("*STB?") == "4"
    assert await bench.ask("SYST:ERR?") == '-113,"Undefined header;1;2026/01/01 00:01:01.250"'
    assert await bench.ask("SYST:EVEN:NEXT?") == '-109,"Missing parameter;1;2026/01/01 00:01:01.250"'
    assert await bench.ask(":SYSTem:ERRor:NEXT?") == NO_ERROR
    assert await bench.ask("*ESR?") == str(128 + 32)  # power on, command error
    assert await bench.ask("*ESR?") == "0"


async def test_reset_puts_everything_back_even_what_is_dangerous() -> None:
    bench = Bench()
    await bench.say(CHARGING, "OUTP ON", "*RST")
    assert await bench.ask("OUTP?") == "0"
    assert await bench.ask(":OUTP:CURR:SMOD?") == "NORM"
    assert await bench.ask(":SOUR:FUNC?;:SENS:FUNC?") == 'VOLT;"CURR"'
    assert float(await bench.ask(":SOUR:CURR:VLIM?")) == 21.0


async def test_buffers_keep_count_and_give_back() -> None:
    bench = Bench()
    await bench.say(CHARGING, "OUTP ON", ':TRAC:MAKE "mine", 10', ":SENS:COUN 10")
    last = await bench.ask('READ? "mine"')
    assert await bench.ask(':TRAC:ACT? "mine";:TRAC:ACT:STAR? "mine";:TRAC:ACT:END? "mine"') == "10;1;10"
    assert (await bench.ask(':TRAC:DATA? 10, 10, "mine"')) == last
    assert len(await bench.numbers(':TRAC:DATA? 1, 10, "mine", SOUR, READ, REL')) == 30
    mean = statistics.fmean(await bench.numbers(':TRAC:DATA? 1, 10, "mine"'))
    assert float(await bench.ask(':TRAC:STAT:AVER? "mine"')) == pytest.approx(mean, rel=1e-6)
    await bench.say(":SENS:COUN 1")
    assert await bench.smu.answer('READ? "mine"') is None  # it fills once
    assert await bench.errors() == [4915]
    await bench.say(':TRAC:FILL:MODE CONT, "mine"', ":SENS:COUN 12")
    await bench.ask('READ? "mine"')
    assert await bench.ask(':TRAC:ACT? "mine";:TRAC:ACT:STAR? "mine";:TRAC:ACT:END? "mine"') == "10;3;12"
    await bench.say(':TRAC:DEL "mine"', ':TRAC:CLE "mine"')
    assert await bench.errors() == [-224]


async def test_a_buffer_cleared_counts_its_time_anew() -> None:
    bench = Bench()
    await bench.say(CHARGING, "OUTP ON")
    await bench.ask("READ?")
    bench.clock.moment += 10.0
    assert await bench.numbers('READ? "defbuffer1", REL') == pytest.approx([10.081])
    await bench.say(":TRAC:CLE")
    assert await bench.numbers('READ? "defbuffer1", REL') == [0.0]


async def test_elements_there_are_not_are_refused() -> None:
    bench = Bench()
    assert await bench.smu.answer('READ? "defbuffer1", EXTR') is None
    assert await bench.smu.answer('READ? "nobuffer"') is None
    assert await bench.smu.answer("FETC?") is None
    assert await bench.errors() == [1133, -224, -230]
    assert bench.clock.moment == 0.0  # nothing was measured for it


async def test_precision_is_a_number_of_digits() -> None:
    bench = Bench()
    await bench.say(CHARGING, "OUTP ON", ":FORM:ASC:PREC 16")
    mantissa, _ = (await bench.ask("READ?")).split("E")
    assert len(mantissa) == 1 + 1 + 15


async def test_a_simple_loop_runs_by_itself() -> None:
    # Five readings, each after 1 s: 5 x (1 + 0.081) s, 1 ms for the fresh source, and 10 us for
    # clearing and for each of the five branches.
    bench = Bench()
    await bench.say(CHARGING, "OUTP ON", ':TRIG:LOAD "SimpleLoop", 5, 1', ":INIT")
    assert await bench.ask(":TRIG:STAT?") == "RUNNING;RUNNING;1"
    bench.clock.moment += 3.0
    assert await bench.ask(":TRAC:ACT?") == "2"
    assert await bench.smu.answer("READ?") is None
    assert await bench.errors() == [-213]
    assert await bench.ask("*OPC?") == "1"
    assert bench.clock.moment == pytest.approx(5.406 + 6 * 10e-6)
    assert await bench.ask(":TRIG:STAT?;:TRAC:ACT?") == "IDLE;IDLE;4;5"


async def test_a_cut_off_in_the_instrument_needs_nobody() -> None:
    # Discharge at 0.1 A to 3.4 V: 3.5 V at once, and 0.1 V x 1000 F / 0.1 A = 1000 s. It looks
    # about every 1.08 s, and the meter may be 3e-4 x 3.4 V wrong, which is 10 s.
    bench = Bench()
    await bench.say(
        CHARGING,
        ":SOUR:CURR -0.1",
        ':TRIG:BLOC:BUFF:CLE 1, "defbuffer1"',
        ":TRIG:BLOC:SOUR:STAT 2, ON",
        ":TRIG:BLOC:DEL:CONS 3, 1",
        ':TRIG:BLOC:MEAS 4, "defbuffer1"',
        ":TRIG:BLOC:BRAN:LIM:CONS 5, BEL, 3.4, 0, 7",
        ":TRIG:BLOC:BRAN:ALW 6, 3",
        ":TRIG:BLOC:SOUR:STAT 7, OFF",
        ':TRIG:BLOC:LOG:EVEN 8, INFO1, "cut-off"',
        ":INIT",
    )
    assert await bench.charge_after(86_400.0) == pytest.approx(-100.0, abs=1.2)
    assert await bench.ask("OUTP?") == "0"
    assert ',"cut-off;4;' in await bench.ask("SYST:EVEN:NEXT?")
    assert await bench.ask(":TRIG:STAT?") == "IDLE;IDLE;8"


async def test_a_trigger_model_that_goes_round_and_round_holds_nothing_up() -> None:
    bench = Bench()
    await bench.say(":TRIG:BLOC:BRAN:ALW 1, 1", ":INIT")
    bench.clock.moment += 1e6
    assert (await bench.ask(":TRIG:STAT?")).startswith("RUNNING")
    assert await bench.smu.answer("*OPC?") is None
    assert await bench.errors() == [-365]
    await bench.say(":ABOR")
    assert (await bench.ask(":TRIG:STAT?")).startswith("ABORTED")


async def test_the_same_seed_says_the_same_and_another_does_not() -> None:
    async def said(seed: int) -> list[str]:
        bench = Bench(seed)
        await bench.say(CHARGING, "OUTP ON")
        return [await bench.ask('READ? "defbuffer1", SOUR, READ, REL') for _ in range(20)]

    assert await said(7) == await said(7)
    assert await said(7) != await said(8)


WORDS = """
    SOUR :SOUR:CURR VOLT OUTP ON TRIG BLOC MEAS READ? ? ; : , *RST *OPC SENS COUN RANG 1 -1e9 'VOLT'
    "defbuffer1" TRAC DATA? INIT SYST:ERR? é
"""
WORD = st.sampled_from(WORDS.split())


@given(lines=st.lists(st.lists(WORD | st.text(max_size=4), max_size=8).map(" ".join), max_size=6))
@settings(max_examples=150, deadline=None)
async def test_no_conversation_breaks_it(lines: list[str]) -> None:
    bench = Bench()
    for line in lines:
        await bench.smu.answer(line)
    await bench.smu.answer("*CLS")
    assert (await bench.ask("*IDN?")).startswith("KEITHLEY INSTRUMENTS,MODEL 2450,")
    assert math.isfinite(bench.cell.charge)
