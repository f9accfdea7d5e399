"""The simulated EmStat4 as its host sees it: commands, framing, and who is heard when."""

import asyncio
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.emstat4 import Manners
from tests.simulators.emstat4_bench import JumpClock, LinearCell, MemoryStream, bench, packages

CHARGE = """
    var e
    var i
    set_pgstat_mode 6
    set_range db 100m
    cell_on
    meas_loop_cp e i 10m 10 100
        pck_start
        pck_add e
        pck_end
    endloop
    send_string "after"
    on_finished:
    cell_off
"""


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("", "\n"),
        ("i", "iES4HR00000007\n"),
        ("v", "v1.9\n"),
        ("fail", "f!0003\n"),
        ("t ", "t!0003\n"),
        ("S01FF", "S!0004\n"),
        ("G01", "G!0004\n"),
        ("Z", "Z!0006\n"),
        ("Y", "Y!0006\n"),
        ("R", "R!0006\n"),
        ("h", "h!0006\n"),
        ("H", "H!0006\n"),
        ("r", "r!000C\n"),
        ("i\r", "i!0003\n"),
        ("\xff", "?!0003\n"),
        ("x" * 1001, "x!0008\n"),
        # flow control is no part of what is said
        ("\x11i\x13", "iES4HR00000007\n"),
        # bits 1, 32..38, 48, 49, 96..99, 101: 2 + 0x7F * 2^32 + 3 * 2^48 + (15 + 32) * 2^96
        ("CC", "C2F000000000003007F00000002\n"),
    ],
)
async def test_an_idle_instrument_answers(command: str, answer: str) -> None:
    async with bench() as one:
        assert await one.ask(command) == answer


async def test_the_firmware_takes_two_lines() -> None:
    async with bench(manners=Manners(model="lr")) as one:
        one.stream.say("t\n")
        text = await one.stream.until(b"*\n")
    assert re.fullmatch(r"tes4_lr1500#\w{3} \d{2} \d{4} \d{2}:\d{2}:\d{2}\nR\*\n", text)


async def test_commands_may_come_in_pieces_or_together() -> None:
    async with bench() as one:
        for piece in ("i\nv", "\n", "", "i", "\n"):
            if piece:
                one.stream.say(piece)
        assert await one.stream.until(b"v1.9\niES4HR00000007\n") == "iES4HR00000007\nv1.9\niES4HR00000007\n"


async def test_a_script_is_framed_by_its_echo_and_an_empty_line() -> None:
    async with bench() as one:
        one.stream.say('e\nsend_string "x"\n\n')
        assert await one.stream.until(b"\n\n") == "e\nTx\n\n"
        one.stream.say("e\n\n")
        assert await one.stream.until(b"\n\n") == "e\n\n"


async def test_some_firmware_joins_the_echo_to_the_first_line() -> None:
    async with bench(manners=Manners(joined_echo=True)) as one:
        one.stream.say("e\nvar e\nset_pgstat_mode 2\nmeas_loop_ocp e 1 1\nendloop\n\n")
        assert await one.stream.until(b"\n\n") == "eM000B\n*\n\n"


async def test_a_loaded_script_runs_as_often_as_it_is_told_to() -> None:
    async with bench() as one:
        one.stream.say('l\nvar n\nadd_var n 1i\nsend_string f"{n}"\n\n')
        assert await one.stream.until(b"\n") == "l\n"
        for _ in range(2):  # its memory starts afresh
            one.stream.say("r\n")
            assert await one.stream.until(b"\n\n") == "r\nT1\n\n"


async def test_a_refused_script_does_not_run() -> None:
    async with bench() as one:
        one.stream.say("e\nset_pgstat_mode 2\ncell_on\ncell_onn\n\n")
        assert await one.stream.until(b"\n") == "e!4001: Line 3, Col 1\n"
        assert not one.instrument.cell_is_on
        assert await one.ask("Z") == "Z!0006\n"


async def test_a_script_larger_than_the_memory_is_refused() -> None:
    # each line is 6 characters with its end: 3 fit into 20
    async with bench(manners=Manners(script_size=20)) as one:
        one.stream.say("e\nvar a\nvar b\nvar c\n\n")
        assert await one.stream.until(b"\n\n") == "e\n\n"
        one.stream.say("e\nvar a\nvar b\nvar c\nvar d\n\n")
        assert await one.stream.until(b"\n") == "e!4005: Line 4, Col 1\n"


async def test_a_line_too_long_is_refused_not_cut() -> None:
    async with bench() as one:
        one.stream.say(f"e\nvar a\n{'#' * 1000}\n\n")
        assert await one.stream.until(b"\n\n") == "e\n\n"
        one.stream.say(f"e\nvar a\n{'#' * 600}")
        one.stream.say(f"{'#' * 401}\n\n")
        assert await one.stream.until(b"\n") == "e!0008: Line 2, Col 1001\n"


async def test_an_abort_stops_where_it_is_and_cleans_up() -> None:
    clock = JumpClock(speed=1)
    clock.open_until(25)
    async with bench(clock=clock) as one:
        one.send_script(CHARGE)
        await clock.at_the_gate()
        assert one.instrument.cell_is_on
        assert one.stream.heard.count(b"P") == 2  # after 10 s and 20 s
        one.stream.heard.clear()
        one.stream.say("Z\n")
        assert await one.stream.until(b"\n\n") == "Z\n*\n\n"
        assert not one.instrument.cell_is_on
        # 10 mA for the 25 s that had passed, not for the 30 s of the point it was waiting for
        assert one.cell.charge_passed() == pytest.approx(0.25)
        assert await one.ask("Z") == "Z!0006\n"


async def test_a_measurement_may_be_ended_and_the_script_goes_on() -> None:
    clock = JumpClock(speed=1)
    clock.open_until(25)
    async with bench(clock=clock) as one:
        one.send_script(CHARGE)
        await clock.at_the_gate()
        one.stream.say("Y\n")
        said = await one.stream.until(b"\n\n")
        assert said.splitlines()[-4:] == ["Y", "*", "Tafter", ""]


async def test_a_halted_script_stands_still_while_the_cell_does_not() -> None:
    clock = JumpClock(speed=1)
    clock.open_until(25)
    async with bench(clock=clock) as one:
        one.send_script(CHARGE)
        await clock.at_the_gate()
        one.stream.say("h\ni\n")
        assert (await one.stream.until(b"i!0006\n")).endswith("h\ni!0006\n")
        clock.time = 40.0
        clock.open_until(1000)
        one.stream.say("H\n")
        said = await one.stream.until(b"\n\n")
        assert said.startswith("H\n")
        # E = 3 V + 10 mA * t / 1000 F + 10 mA * 0.1 ohm: after 40 s 3.0014 V, at the end 3.002 V
        voltages = [voltage for (voltage,) in packages(said.splitlines())]
        assert voltages[0] == pytest.approx(3.0014)
        # the point of 30 s was missed (status 1), that of 40 s was not
        assert [line.split(",")[1] for line in said.splitlines() if line[:1] == "P"][:2] == ["11", "10"]
        assert voltages[-1] == pytest.approx(3.002)
        assert one.cell.charge_passed() == pytest.approx(1.0)


async def test_a_running_instrument_takes_only_its_five_letters() -> None:
    clock = JumpClock(speed=1)
    clock.open_until(25)
    async with bench(clock=clock) as one:
        one.send_script(CHARGE)
        await clock.at_the_gate()
        one.stream.say("\ni\ne\nR\nH\nfoo\n")
        said = await one.stream.until(b"f!0006\n")
        assert said.endswith("i!0006\ne!0006\nR!0006\nH!0006\nf!0006\n")
        clock.open_until(1000)
        said = await one.stream.until(b"\n\n")
        assert said.count("P") == 8  # ten points in all; two were said before


async def test_a_slow_reader_stops_the_script_and_loses_nothing() -> None:
    async with bench() as one:
        script = CHARGE.replace("10m 10 100", "10m 10m 100").replace("pck_add e", "pck_add e\npck_add i")
        one.stream.take.clear()
        one.send_script(script)
        for _ in range(2000):
            await asyncio.sleep(0)
        assert one.cell.seconds == 0.0  # not even the echo was taken
        one.stream.take.set()
        said = await one.stream.until(b"\n\n")
        assert len(packages(said.splitlines())) == 10_000
        assert one.cell.seconds == pytest.approx(100.0)


async def test_a_host_that_takes_nothing_is_talked_past() -> None:
    async with bench(manners=Manners(patience=0.01)) as one:
        one.stream.take.clear()
        one.send_script(CHARGE)
        async with asyncio.timeout(60):
            await one.clock.passed(100)
        assert not one.instrument.cell_is_on
        one.stream.take.set()
        assert await one.ask("i") == "iES4HR00000007\n"


async def test_a_script_outlives_its_host_and_talks_to_the_next() -> None:
    clock = JumpClock(speed=1)
    clock.open_until(25)
    async with bench(clock=clock) as one:
        one.send_script(CHARGE)
        await clock.at_the_gate()
        one.stream.hang_up()
        second = MemoryStream()
        async with asyncio.TaskGroup() as group:
            later = group.create_task(one.instrument.converse(second))
            second.say("i\n")
            assert await second.until(b"\n") == "i!0006\n"
            clock.open_until(1000)
            said = await second.until(b"\n\n")
            assert said.count("P") == 8
            later.cancel()
        assert one.conversation is not None
        await one.conversation  # over by itself once its script was
        assert not one.instrument.cell_is_on
        assert one.cell.charge_passed() == pytest.approx(1.0)


async def test_nobody_listening_changes_nothing() -> None:
    cell = LinearCell()
    async with bench(cell=cell) as one:
        one.send_script(CHARGE)
        one.stream.hang_up()
        assert one.conversation is not None
        await one.conversation
        assert cell.charge_passed() == pytest.approx(1.0)
        assert not one.instrument.cell_is_on


async def test_the_cell_rests_while_the_instrument_idles() -> None:
    clock = JumpClock()
    async with bench(clock=clock) as one:
        await one.ask("i")
        clock.time = 3600.0
        await one.run("wait 1")
        assert one.cell.seconds == pytest.approx(3601.0)
        assert one.cell.charge_passed() == 0.0


async def test_a_cell_left_on_goes_on_being_charged() -> None:
    clock = JumpClock()
    async with bench(clock=clock) as one:
        await one.run("set_pgstat_mode 6\nset_i 10m\ncell_on")
        clock.time = 3600.0
        await one.run("cell_off\nwait 100")
        assert one.cell.charge_passed() == pytest.approx(36.0)


REPLY = re.compile(
    r"|[lerhHZYRM]|t\w+#[\w :]+|R\*|iES4HR\d{8}|v1\.9|C[0-9A-F]+|[LC*+-]|M[0-9A-F]{4}|[PT][ -~]*"
    r"|[ -~]?![0-9A-F]{4}(: Line \d+(, Col \d+)?)?"
)

WORDS = [
    *("e", "l", "r", "h", "H", "Z", "Y", "R", "t", "i", "v", "var", "a", "b", "store_var", "add_var", "1"),
    *("2m", "3i", "ja", "ab", "if", "==", "<", "endif", "else", "loop", "endloop", "breakloop", "wait"),
    *("meas_loop_ocp", "meas_loop_ca", "meas_loop_cp", "set_pgstat_mode", "6", "2", "cell_on", "cell_off"),
    *("set_e", "set_i", "pck_start", "pck_add", "pck_end", "on_finished:", "abort", "nscans(2)", "ocp(a)"),
    *("#", '"', 'f"{a}"', "a[1i]", "send_string"),
]

CHATTER = st.lists(st.one_of(st.sampled_from([*WORDS, "\n", "\n", "\n\n"]), st.text(max_size=3)), max_size=60)


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.binary(min_size=1), CHATTER.map(lambda words: "\n" + " ".join(words))))
def test_no_bytes_break_it_or_get_anything_but_replies(data: bytes | str) -> None:
    async def conversation() -> None:
        async with bench() as one:
            one.stream.say(data)
            strange = [line for line in await one.stream.synchronised() if not REPLY.fullmatch(line)]
            assert not strange
            one.stream.say("i\n")
            assert (await one.stream.until(b"i")).replace("Z!0006\n", "").lstrip() == "i"
            assert await one.stream.until(b"\n") == "ES4HR00000007\n"

    asyncio.run(conversation())
