"""What a script does at every sample: count, judge, thin, send.

Script variables, all SI: `t` step time, `e` potential, `i` current, `q` coulomb, `w` joule; `u p j` are
t, e, i of the sample before, `tk ek ik` of the one sent last; `n` the next moment of a logarithmic
record; `d` the interval in use, `h` when it grows; `k` 0 or the code of the end that was met; `m` 1
while another measurement loop is to follow; `s` 1 to send this sample; `x y` scratch.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from drivers.emstat4_conditions import Alternative
from drivers.methodscript import Script, literal
from protocols.limits import Range
from protocols.recording import Recording

TYPES = {
    "t": "eb",
    "e": "ab",
    "i": "ba",
    "q": "ja",
    "w": "jb",
    "k": "jc",
    "m": "jd",
    "s": "jd",
    "d": "eb",
    "h": "eb",
    "n": "eb",
    "u": "eb",
    "tk": "eb",
    "p": "ab",
    "ek": "ab",
    "o": "ab",
    "v": "ab",
    "j": "ba",
    "ik": "ba",
    "x": "ja",
    "y": "ja",
}

VOLTAGE_LIMIT, CURRENT_LIMIT, TIME_CEILING, CAPACITY_CEILING = 101, 102, 103, 104

LIMITS = {
    VOLTAGE_LIMIT: "limit voltage",
    CURRENT_LIMIT: "limit current",
    TIME_CEILING: "limit step time",
    CAPACITY_CEILING: "limit step capacity",
}
"""Codes of `k` above those of the step's own ends, and what the script says of them."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What ends a step at a sample: its own ends, the windows, the ceilings (seconds, coulombs)."""

    ends: Sequence[Alternative]
    voltage: Range
    current: Range
    seconds: float
    coulombs: float

    @property
    def codes(self) -> list[int]:
        """Every value `k` may take at the end of a step."""
        return list(dict.fromkeys([end.index + 1 for end in self.ends])) + list(LIMITS)


def count(script: Script, measures_current: bool) -> None:
    """Add this sample to the charge and energy counters, by trapezoids over the timer's own intervals."""
    with script.when("s > 0"):  # nothing sent yet: the first sample has none before it
        script.add("copy_var i j", "copy_var e p")
    if not measures_current:
        return
    script.add("copy_var t x", "sub_var x u", "copy_var t u")
    script.add("copy_var i y", "add_var y j", "div_var y 2", "mul_var x y", "add_var q x", "copy_var i j")
    script.add("copy_var e y", "add_var y p", "div_var y 2", "mul_var x y", "add_var w x")


def judge(script: Script, judgement: Judgement, measures_current: bool) -> None:
    """Leave in `k` the code of the first end that is met; a limit outranks every end."""
    for end in reversed(judgement.ends):
        with script.when(*end.tests):
            script.set("k", end.index + 1, "jc")
    if measures_current:
        _require(script, ("q", -judgement.coulombs, judgement.coulombs), CAPACITY_CEILING)
    _require(script, ("t", None, judgement.seconds), TIME_CEILING)
    if measures_current:
        _require(script, ("i", *_edges(judgement.current)), CURRENT_LIMIT)
    check_voltage(script, "e", judgement.voltage)


def judge_time(script: Script, judgement: Judgement) -> None:
    """The same where nothing but time is known, in a spectrum."""
    for end in reversed(judgement.ends):
        with script.when(*end.tests):
            script.set("k", end.index + 1, "jc")
    _require(script, ("t", None, judgement.seconds), TIME_CEILING)


def check_voltage(script: Script, variable: str, window: Range) -> None:
    """Leave the code of the voltage limit in `k` unless the variable is inside the window."""
    _require(script, (variable, *_edges(window)), VOLTAGE_LIMIT)


def _edges(window: Range) -> tuple[float | None, float | None]:
    low, high = window.low, window.high
    return None if low is None else low.value, None if high is None else high.value


def _require(script: Script, window: tuple[str, float | None, float | None], code: int) -> None:
    """Write it as `inside, else`: what is no number is inside of nothing."""
    name, low, high = window
    for relation, edge in ((">=", low), ("<=", high)):
        if edge is not None:
            script.add(f"if {name} {relation} {literal(edge)}", "else")
            script.set("k", code, "jc")
            script.add("endif")


def thin(script: Script, record: Recording, interval: float) -> None:
    """Leave 1 in `s` if this sample is to be sent; a tenth of the interval is forgiven for jitter."""
    if record.every is not None:
        script.add("copy_var t x", "sub_var x tk")
        _send_when(script, f"x >= {literal(max(record.every - 0.1 * interval, 0.0))}")
    if record.voltage_step is not None:
        script.add("copy_var e x", "sub_var x ek")
        _send_when(script, f"x >= {literal(record.voltage_step)}", f"x <= {literal(-record.voltage_step)}")
    if record.current_step is not None:
        _thin_by_current(script, record.current_step)
    if record.per_decade is not None:
        _send_when(script, "t >= n")


def _thin_by_current(script: Script, fraction: float) -> None:
    script.add("copy_var i x", "sub_var x ik", "copy_var ik y", f"mul_var y {literal(fraction)}")
    with script.when("y < 0"):
        script.add("mul_var y -1")
    with script.when("x < 0"):
        script.add("mul_var x -1")
    _send_when(script, "x >= y")


def _send_when(script: Script, *tests: str) -> None:
    for test in tests:
        with script.when(test):
            script.set("s", 1.0, "jd")


def send(script: Script, record: Recording) -> None:
    """Send the sample if `s` says so, and remember it as the last one sent."""
    with script.when("s > 0"):
        script.package("t", "e", "i", "q", "w")
        script.add("copy_var t tk", "copy_var e ek", "copy_var i ik")
        script.set("s", 0.0, "jd")
        if record.per_decade is not None:
            script.add("copy_var t n", f"mul_var n {literal(10.0 ** (1.0 / record.per_decade))}")
            first = literal(record.from_time or 1e-3)
            with script.when(f"n < {first}"):
                script.add(f"store_var n {first} eb")


def send_last(script: Script) -> None:
    """Send the last sample of the step unless it was sent already."""
    with script.when("t > tk"):
        script.set("s", 1.0, "jd")
    with script.when("s > 0"):
        script.package("t", "e", "i", "q", "w")


def say_why(script: Script, codes: Iterable[int]) -> None:
    """Say which end was met: "end 0" for the step's first, "limit voltage", or plain "end" for none."""
    for code in codes:
        with script.when(f"k == {code}"):
            script.add(f'send_string "{LIMITS.get(code, f"end {code - 1}")}"')
    with script.when("k == 0"):
        script.add('send_string "end"')
