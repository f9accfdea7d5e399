"""What the loader refuses, and where it says the trouble is."""

import pytest

from simulators.methodscript.errors import ScriptError
from simulators.methodscript.loader import load

DECLARED = "var a\nvar b\nvar c\narray x 4i\n"  # four lines: what follows begins at line 5


def refusal(script: str) -> str:
    with pytest.raises(ScriptError) as caught:
        load(script.split("\n"))
    return caught.value.reply("e").rstrip("\n")


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("frobnicate 1", "e!4001: Line 5, Col 1"),
        ("  frobnicate 1", "e!4001: Line 5, Col 3"),
        ("store_var z 1 ja", "e!420B: Line 5, Col 11"),
        ("add_var a z", "e!420B: Line 5, Col 11"),
        ("add_var a 1 2", "e!420A: Line 5, Col 13"),
        ("add_var a", "e!0007: Line 5, Col 10"),
        ("store_var a 1 zz", "e!0002: Line 5, Col 15"),
        ("store_var a b ja", "e!420C: Line 5, Col 13"),
        ("store_var 1 1 ja", "e!420D: Line 5, Col 11"),
        ("add_var x 1", "e!420E: Line 5, Col 9"),
        ("var a", "e!4026: Line 5, Col 5"),
        ("var Big", "e!402B: Line 5, Col 5"),
        ("if a ~ b", "e!0007: Line 5, Col 6"),
        ("if a > 1\r", "e!4004: Line 5, Col 9"),
        ('send_string "open', "e!4004: Line 5, Col 13"),
        ("add_var a 1.5", "e!420B: Line 5, Col 11"),
        ("endif", "e!400E: Line 5, Col 1"),
        ("else", "e!400E: Line 5, Col 1"),
        ("endloop", "e!400E: Line 5, Col 1"),
        ("breakloop", "e!400E: Line 5, Col 1"),
        ("if a > b", "e!4018: Line 5, Col 9"),
        ("meas_loop_cp a b 1m 0 10", "e!4204: Line 5, Col 21"),
        ("meas_loop_ca a b 1 1 1 1", "e!420A: Line 5, Col 24"),
        ("meas_loop_eis a b c 10m 1k 1 5 0", "e!4207: Line 5, Col 30"),
        ("meas_loop_cv a b 0 1 0 1m 1 sidewise(3)", "e!4008: Line 5, Col 29"),
        ("meas_loop_ca a b 1 1 1 nscans(2)", "e!4008: Line 5, Col 24"),
        ("meas_loop_cv a b 0 1 0 1m 1 poly_we(1 a)", "e!001B: Line 5, Col 29"),
        ("meas_loop_ocp a 1 9 add_meas(0i cb b)", "e!4209: Line 5, Col 33"),
        ("meas_loop_ocp a 1 9\nmeas_loop_ocp b 1 9", "e!400B: Line 6, Col 1"),
        ("meas_loop_ocp a 1 9\nset_e 1", "e!4032: Line 6, Col 1"),
        ("meas_loop_ocp a 1 9\nset_i 1", "e!4033: Line 6, Col 1"),
        ("meas_loop_ocp a 1 9\nwait 1", "e!401A: Line 6, Col 1"),
        ("meas_loop_ocp a 1 9\nif a > b\nendloop", "e!400E: Line 7, Col 1"),
        ("if a > b\nelse\nelseif a < b", "e!400E: Line 7, Col 1"),
        ("if a > b\non_finished:", "e!400E: Line 6, Col 1"),
        ("\n".join(["if a > b"] * 33), "e!400D: Line 37, Col 1"),  # 32 may be open
        ("set_range cb 1", "e!4209: Line 5, Col 11"),
        ("set_pgstat_chan 1", "e!002F: Line 5, Col 17"),
        ("array y 1M", "e!000B: Line 5, Col 9"),
        ("set_script_output 2", "e!001B: Line 5, Col 19"),
        ('send_string f"{z}"', "e!420B: Line 5, Col 16"),
        ("cell_on fast(a)", "e!4008: Line 5, Col 9"),
        ("wait -1", "e!4200: Line 5, Col 6"),
    ],
)
def test_a_wrong_line_is_refused_where_it_is_wrong(line: str, answer: str) -> None:
    assert refusal(DECLARED + line) == answer


def test_comments_indentation_and_empty_scripts_are_fine() -> None:
    load([])
    load(["# nothing", "   var a # a variable", '\tsend_string "a # b"', "store_var a 0x1F ja"])
