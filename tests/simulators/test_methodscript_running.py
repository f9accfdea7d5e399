"""What a running script reckons and says, with no cell in play."""

import pytest

from tests.simulators.emstat4_bench import Bench, JumpClock, bench, packages


async def told(script: str) -> list[str]:
    """Return the texts a script sends."""
    async with bench() as one:
        return [line[1:] for line in await one.run(script) if line.startswith("T")]


async def reckoned(*operations: str) -> str:
    """Return `a` after some operations on a = 7, b = 2 (integers) and x = 7, y = 2 (floats)."""
    lines = ["var a", "var b", "var x", "var y", "store_var a 7i ja", "store_var b 2i ja"]
    lines += ["store_var x 7 ja", "store_var y 2 ja", *operations, 'send_string f"{a} {x}"']
    (answer,) = await told("\n".join(lines))
    return answer


@pytest.mark.parametrize(
    ("operation", "answer"),
    [
        ("add_var x 500m", "7 7.5"),
        ("sub_var a b", "5 7"),
        ("mul_var x -2", "7 -14"),
        ("div_var a b", "3 7"),  # integers stay integers
        ("div_var x y", "7 3.5"),
        ("mod_var a b", "1 7"),
        ("mod_var x 4", "7 3"),
        ("pow_var x y", "7 49"),
        ("log_var x 7", "7 1"),
        ("copy_var b x", "7 2"),
        ("div_var x y\nfloat_to_int x\ncopy_var x a", "3 3"),
        ("int_to_float a\ndiv_var a b", "3.5 7"),
    ],
)
async def test_arithmetic(operation: str, answer: str) -> None:
    assert await reckoned(operation) == answer


async def test_branches_take_the_first_that_holds() -> None:
    script = """
        var n
        store_var n 0i ja
        loop n < 4i
            add_var n 1i
            if n == 1i
                send_string "one"
            elseif n <= 2i
                send_string "two"
            elseif n == 2i
                send_string "never"
            else
                if n & 1i
                    send_string "odd"
                endif
            endif
        endloop
        send_string f"n = {n}"
    """
    assert await told(script) == ["one", "two", "odd", "n = 4"]


async def test_loops_nest_and_break_one_at_a_time() -> None:
    script = """
        var i
        var j
        store_var i 0i ja
        loop i < 3i
            store_var j 0i ja
            loop 1i == 1i
                add_var j 1i
                if j == 2i
                    breakloop
                endif
            endloop
            add_var i j
        endloop
        pck_start
        pck_add i
        pck_end
    """
    async with bench() as one:
        lines = await one.run(script)
    # i: 0 -> 2 -> 4; each turn opens and closes the inner loop
    assert lines == ["L", "L", "+", "L", "+", "+", "Pja8000004i"]


async def test_arrays_are_read_by_element_and_written_by_command() -> None:
    script = """
        var v
        array a 3i
        store_var v 2i ja
        array_set a 1i 40m
        array_set a v a[1i]
        add_var v 0i
        array_get a 2i v
        add_var v a[1i]
        send_string f"{v} {a[0i]}"
    """
    assert await told(script) == ["0.08 0"]


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("array_get a 3i v", "!400F: Line 5"),
        ("array_get a -1i v", "!400F: Line 5"),
        ("array_get a f v", "!4207: Line 5"),
        ("div_var f 0", "!0028: Line 5"),
        ("mod_var n 0i", "!0028: Line 5"),
        ("log_var f -1", "!0010: Line 5"),
        ("pck_add v", "!401B: Line 5"),
        ("pck_end", "!401B: Line 5"),
        ("pck_start\npck_start", "!401B: Line 6"),
        ("if f & 1i\nendif", "!4207: Line 5"),
        # 10^19 squared five times would be 10^608
        ("store_var f 10E ja\n" + "mul_var f f\n" * 5 + "wait f", "!0010: Line 11"),
    ],
)
async def test_a_failing_line_is_named(line: str, error: str) -> None:
    async with bench() as one:
        script = f'var v\nvar f\nvar n\narray a 3i\n{line}\non_finished:\nsend_string "cleaned"'
        assert await one.error(script) == error


async def test_clean_up_runs_at_the_end_on_abort_and_on_error() -> None:
    ending = 'on_finished:\nsend_string "cleaned"'
    assert await told(f'send_string "work"\n{ending}') == ["work", "cleaned"]
    assert await told(f'abort\nsend_string "never"\n{ending}') == ["cleaned"]
    async with bench() as one:
        one.send_script(f"pck_end\n{ending}")
        assert await one.stream.until(b"!401B: Line 1\n") == "e\nTcleaned\n!401B: Line 1\n"


async def test_an_abort_closes_what_is_open() -> None:
    script = """
        var e
        set_pgstat_mode 2
        loop 1i == 1i
            meas_loop_ocp e 1 10
                abort
            endloop
        endloop
    """
    async with bench() as one:
        assert await one.run(script) == ["L", "M000B", "*", "+"]


async def test_an_abort_in_the_clean_up_ends_it() -> None:
    assert await told('on_finished:\nsend_string "once"\nabort\nsend_string "never"') == ["once"]


async def test_time_is_the_scripts_own() -> None:
    script = """
        var t
        var s
        wait 2
        timer_start
        set_int 500m
        await_int
        await_int
        timer_get t
        wait 4
        await_int
        get_time s
        pck_start
        pck_add t
        pck_add s
        pck_end
    """
    async with bench() as one:
        lines = await one.run(script)
        # 2 s; two intervals of 0.5 s; 4 s; the third interval is long past and not waited for: 7 s
        assert packages(lines) == [[pytest.approx(1.0), pytest.approx(7.0)]]
        assert lines[-1].startswith("Peb")
        assert one.clock.now() == pytest.approx(7.0)


async def test_silenced_output_is_not_sent() -> None:
    script = """
        var n
        set_script_output 0
        send_string "quiet"
        pck_start
        pck_add n
        pck_end
        set_script_output 1
        send_string "loud"
    """
    async with bench() as one:
        assert await one.run(script) == ["Tloud"]


async def test_a_package_longer_than_a_line_is_an_error() -> None:
    adds = "\n".join(["pck_add n"] * 100)  # 100 * 11 characters > 1000
    async with bench() as one:
        assert await one.error(f"var n\npck_start\n{adds}\npck_end") == "!401C: Line 103"


async def aborted(one: Bench) -> str:
    one.stream.say("Z\n")
    return await one.stream.until(b"\n\n")


async def test_an_endless_loop_still_hears_its_host() -> None:
    async with bench(clock=JumpClock()) as one:
        one.send_script("loop 1i == 1i\nendloop")
        await one.stream.until(b"L\n")
        assert await aborted(one) == "Z\n+\n\n"
        assert await one.ask("i") == "iES4HR00000007\n"
