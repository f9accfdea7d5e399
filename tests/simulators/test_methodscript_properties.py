"""What holds for every script: it ends, it says nothing strange, and its clean-up opens the circuit."""

import asyncio
import re

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.simulators.emstat4_bench import JumpClock, bench

HEAD = """var a
var b
var c
var n
store_var n 0i ja
array x 3i
"""

MODES = st.sampled_from(["set_pgstat_mode 2\nset_e 3", "set_pgstat_mode 6\nset_i 0"])

NAMES = st.sampled_from(["a", "b", "c", "n", "x[n]", "x[1i]"])
NUMBERS = st.sampled_from(["0", "1", "-3", "5m", "100m", "2i", "-1i", "1E"])
VALUES = st.one_of(NAMES, NUMBERS)
SIGNS = st.sampled_from(["==", "!=", ">=", "<=", ">", "<", "&", "|"])
ACTIONS = st.sampled_from(
    [
        *("cell_on", "cell_off", "cell_on ocp(a)", "pck_start", "pck_add a", "pck_end", "abort", "breakloop"),
        *("set_pgstat_mode 6", "set_pgstat_mode 3", "set_i 1m", "set_e 2900m", "wait 10m", "timer_get b"),
        *("set_int 10m", "await_int", "meas 10m c ab", "add_var n 1i", 'send_string f"{a} {x[0i]}"'),
        *("set_range db 1m", "set_autoranging ba 1u 1m", "array_set x n a", "float_to_int a"),
    ]
)
ARITHMETIC = st.builds(
    "{}_var {} {}".format,
    st.sampled_from(["add", "sub", "mul", "div", "mod", "pow", "log"]),
    st.sampled_from(["a", "b", "c", "n"]),
    VALUES,
)
TESTS = st.builds("{} {} {}".format, VALUES, SIGNS, VALUES)
LOOPS = st.one_of(
    st.builds("loop {}".format, TESTS),
    st.builds("meas_loop_ocp a {} 50m".format, VALUES),
    st.builds("meas_loop_ca a b {} 10m 50m".format, VALUES),
    st.builds("meas_loop_cp a b {} 10m 50m".format, VALUES),
    st.builds("meas_loop_cv a b 3 {} 2900m 20m 1 nscans(2)".format, VALUES),
    st.builds("meas_loop_eis a b c 10m {} 1k 3i 3".format, VALUES),
)


def indented(body: list[str], before: str, after: str) -> list[str]:
    return [before, *body, after]


BODIES = st.recursive(
    st.lists(st.one_of(ACTIONS, ARITHMETIC), max_size=4),
    lambda body: st.one_of(
        st.builds(lambda first, second: first + second, body, body),
        st.builds(indented, body, LOOPS, st.just("endloop")),
        st.builds(indented, body, TESTS.map("if {}".format), st.just("endif")),
    ),
    max_leaves=6,
)

LINE = re.compile(
    r"|[eZL*+-]|Z!0006|[MC][0-9A-F]{4}|T[ -~]*"
    r"|P([a-z]{2}([0-9A-F]{7}[afpnum kMGTPEi]|     nan)(,[0-9A-F]+)*;?)*"
    r"|e![0-9A-F]{4}: Line \d+, Col \d+|![0-9A-F]{4}: Line \d+"
)


@settings(max_examples=200, deadline=None)
@given(MODES, BODIES)
def test_every_script_can_be_ended_and_leaves_the_cell_off(mode: str, body: list[str]) -> None:
    async def conversation() -> list[str]:
        async with bench(clock=JumpClock()) as one:
            one.send_script("\n".join([HEAD + mode, *body, "on_finished:", "cell_off"]))
            for _ in range(100):
                await asyncio.sleep(0)
            lines = await one.stream.synchronised()
            assert not one.instrument.cell_is_on
            assert one.cell.seconds <= one.clock.now() + 1e-9
            return lines

    assert [line for line in asyncio.run(conversation()) if not LINE.fullmatch(line)] == []
