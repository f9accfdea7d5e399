"""Broken protocol files: each is refused at its line, saying what was seen and what was wanted."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.cell import Cell
from protocols.errors import Place, ProtocolError
from protocols.protocol import Protocol
from protocols.resolve import resolve

HEAD = "protocol: p\nlimits: {voltage: 1.5 V .. 3.0 V, current: 5 mA}\nsteps:\n"
CELL = Cell.parse(
    "cell: c\narea: 1 cm2\nnominal_capacity: 3 mAh\nwindow: {voltage: 1.4 V .. 3.1 V, current: 10 mA}\n"
)


def step(text: str) -> str:
    return f"{HEAD}  - {text}\n"


def declaring(line: str) -> str:
    return f"protocol: p\n{line}\nsteps: [rest: $a]\n"


def limiting(line: str) -> str:
    return f"protocol: p\n{line}\nsteps: [rest: 1 h]\n"


# The file, with § before the character the first problem is about; words of what was seen and wanted.
BROKEN = {
    "a list": ("§- a\n", "a list", "protocol: <name>"),
    "a word": ("§rest\n", "'rest'", "protocol: <name>"),
    "no name": ("§steps:\n  - rest: 1 h\n", "no `protocol`", "protocol: <name>"),
    "no steps": ("§protocol: p\n", "no `steps`", "steps"),
    "empty steps": ("protocol: p\nsteps: §[]\n", "a list", "a list of steps"),
    "steps no list": ("protocol: p\nsteps: §rest\n", "'rest'", "a list of steps"),
    "unknown key": (limiting("§limit: {}"), "'limit'", "did you mean 'limits'"),
    "unknown verb": (step("§{dischrge: 1 mA}"), "dischrge", "did you mean 'discharge'"),
    "two verbs": (step("§{charge: 1 mA, rest: 1 h}"), "charge and rest", "one verb"),
    "unknown step key": (step("{rest: 1 h, §untill: time >= 2 h}"), "'untill'", "did you mean 'until'"),
    "key of another verb": (step("{rest: 1 h, §versus: open circuit}"), "'versus'", "a key of `rest`"),
    "number as step": (step("§5"), "'5'", "a step"),
    "odd sentence": (step('"§Discharge quickly"'), "'Discharge quickly'", "Discharge at C/5 until 1.7 V"),
    "sentence without value": (step('"Rest for §ages"'), "'ages'", "a time"),
    "sentence with wrong end": (step('"Hold at 2 V until §1.7 V"'), "'1.7 V'", "a current"),
    "missing unit": (step("{rest: §10}"), "'10', which has no unit", "ms, s, min"),
    "unknown unit": (step("{rest: 10 §mins}"), "'mins'", "did you mean 'min'"),
    "wrong dimension": (step("{rest: §10 mV}"), "which is a voltage", "a time"),
    "negative current": (step("{charge: §-1 mA, until: time >= 1 h}"), "-1 mA", "above zero"),
    "no current": (step("{charge: §0 mA, until: time >= 1 h}"), "0 mA", "above zero"),
    "zero power": (step("{power: §0 W, until: time >= 1 h}"), "0 W", "other than zero"),
    "nothing": (step("{charge: §, until: time >= 1 h}"), "nothing", "a current"),
    "list as value": (step("{charge: §[1 mA], until: time >= 1 h}"), "a list", "a current"),
    "unknown quantity": (
        step("{charge: 1 mA, until: §volts >= 2 V}"),
        "'volts'",
        "a quantity: time, voltage",
    ),
    "equals": (step("{charge: 1 mA, until: voltage §= 2 V}"), "'='", ">=, <=, > and <"),
    "no relation": (step("{charge: 1 mA, until: §voltage 2 V}"), "'voltage 2 V'", "voltage >= 4.2 V"),
    "dangling or": (step("{charge: 1 mA, until: time >= 1 h or§}"), "nothing", "a comparison"),
    "unit in second part": (step("{charge: 1 mA, until: time >= 1 h or voltage >= §2}"), "'2'", "V or mV"),
    "drift without window": (step("{hold: 2 V, until: current_drift <= §1 %}"), "'1 %'", "1 % per 10 min"),
    "percent of a noun": (step("{charge: 1 mA, until: capacity >= 150 % of §life}"), "'life'", "a verb"),
    "no verb before": (
        step("{charge: 1 mA, until: §capacity >= 150 % of discharge}"),
        "150 %",
        "an earlier `discharge`",
    ),
    "negative time": (step("{charge: 1 mA, until: §time >= -1 h}"), "-1 h", "not negative"),
    "absurd time": (step("{charge: 1 mA, until: §time >= 500 d}"), "500 d", "at most 400 d"),
    "absurd rest": (step("{rest: §9999 h}"), "9999 h", "at most 400 d"),
    "endless charge": (step("§{charge: 1 mA}"), "`charge: 1 mA` could run for ever", "`voltage >= …`"),
    "wrong way": (step("§{charge: 1 mA, until: voltage <= 2 V}"), "could run for ever", "`voltage >= …`"),
    "endless discharge": (step("§{discharge: 1 mA, until: voltage >= 2 V}"), "for ever", "`voltage <= …`"),
    "endless and": (step("§{charge: 1 mA, until: time >= 1 h and voltage <= 2 V}"), "for ever", "time >="),
    "endless hold": (
        step("§{hold: 2 V, until: current >= 1 mA}"),
        "for ever",
        "current <= 0.05 C or time >= 4 h",
    ),
    "endless polarise": (
        step("§{polarise: 10 mV, versus: open circuit, until: current_drift <= 1 % per 10 min}"),
        "for ever",
        "time >= 6 h",
    ),
    "endless slope": (step("§{discharge: 1 mA, until: voltage_slope <= 1 mV/h}"), "for ever", "time >="),
    "polarise against what": (
        step("§{polarise: 10 mV, until: time >= 1 h}"),
        "no `versus`",
        "versus: open circuit",
    ),
    "current outside": (
        step("{charge: §2 C, until: voltage >= 2.8 V}"),
        "6 mA is outside",
        "at most 5 mA, the edge of the protocol's",
    ),
    "discharge outside": (
        step("{discharge: §6 mA, until: voltage <= 2 V}"),
        "-6 mA is outside",
        "at least -5 mA",
    ),
    "end outside": (
        step("{charge: 1 mA, until: §voltage >= 3.05 V}"),
        "3.05 V is outside",
        "at most 3 V, the edge of the protocol's",
    ),
    "hold outside": (step("{hold: §4.2 V, until: time >= 1 h}"), "4.2 V is outside", "at most 3 V"),
    "sweep outside": (step("{sweep: [§2 V, 1 V], rate: 1 mV/s}"), "1 V is outside", "at least 1.5 V"),
    "amplitude outside": (
        step("{impedance: §50 mV, versus: 1.51 V, from: 1 kHz, to: 1 Hz, points_per_decade: 5}"),
        "1.46 V is outside",
        "at least 1.5 V",
    ),
    "power outside": (step("{power: §20 mW, until: time >= 1 h}"), "6.66667 mA is outside", "at most 5 mA"),
    "sweep without rate": (step("§{sweep: [2 V, 2.5 V]}"), "no `rate`", "mV/s"),
    "sweep of one": (step("{sweep: [§2 V], rate: 1 mV/s}"), "only 2 V", "at least one vertex"),
    "sweep at no rate": (step("{sweep: [2 V, 2.5 V], rate: §0 mV/s}"), "0 mV/s", "above zero"),
    "impedance without span": (
        step("§{impedance: 5 mV, to: 1 Hz, points_per_decade: 5}"),
        "no `from`",
        "100 kHz",
    ),
    "impedance upside down": (
        step("{impedance: 5 mV, from: 1 Hz, to: §1 kHz, points_per_decade: 5}"),
        "1 Hz to 1000 Hz",
        "the highest frequency",
    ),
    "too dense": (
        step("{impedance: 5 mV, from: 1 kHz, to: 1 Hz, points_per_decade: §1000}"),
        "1000",
        "1 to 100",
    ),
    "chamber with an end": (step("{chamber: 25 degC, until: §time >= 1 h}"), "time >= 1 h", "no `until`"),
    "energy of a verb": (
        step("{discharge: 1 mA, until: energy >= §90 % of charge}"),
        "90 % of charge",
        "only a capacity",
    ),
    "odd record": (step("{rest: 1 h, record: §often}"), "'often'", "a step"),
    "record every what": (step("{rest: 1 h, record: §every}"), "'every'", "every 10 s"),
    "record twice": (step("{rest: 1 h, record: every 1 s or §every 2 s}"), "every 2 s", "once"),
    "record too often": (step("{rest: 1 h, record: every §1 us}"), "1 us", "at least 1 ms"),
    "record no step": (step("{rest: 1 h, record: §0 mV}"), "0 mV", "above zero"),
    "repeat no number": (step("{repeat: §often, steps: [rest: 1 h]}"), "'often'", "whole number"),
    "repeat for ages": (step("{repeat: §10000000000, steps: [rest: 1 h]}"), "'10000000000'", "nine digits"),
    "repeat never": (step("{repeat: §0, steps: [rest: 1 h]}"), "'0'", "1 to 10000000"),
    "repeat nothing": (step("§{repeat: 5}"), "no `steps`", "steps"),
    "repeat until what": (
        step("{repeat: 5, until: §voltage >= 2 V, steps: [rest: 1 h]}"),
        "voltage >= 2 V",
        "retention < 80 %",
    ),
    "retention of rest": (
        step("{repeat: 5, until: §retention < 80 %, steps: [rest: 1 h]}"),
        "retention of nothing",
        "charges or discharges",
    ),
    "retention of no mark": (
        step("{repeat: 5, until: §retention < 80 % of formation, steps: [{plate: 1 C, until: time >= 1 h}]}"),
        "formation",
        "an earlier mark",
    ),
    "too many steps": (
        step("{repeat: 10000, steps: [{repeat: 10000, steps: [§rest: 1 s]}]}"),
        "100000000 steps",
        "at most 10000000",
    ),
    "for without list": (step("§{for: rate, steps: [rest: 1 h]}"), "no `in`", "[0.2 C, 1 C]"),
    "for with a taken name": (
        step("{for: rate, in: [1 h], steps: [{for: §rate, in: [2 h], steps: [rest: $rate]}]}"),
        "'rate'",
        "not in use",
    ),
    "wrong in the list": (
        step("{for: rate, in: [1 V], steps: [{rest: §$rate}]}"),
        "'1 V', which is a voltage",
        "a time",
    ),
    "unknown variable": (step("{rest: §$rst}"), "unknown variable $rst", "none is declared"),
    "variable in a unit": (step("{rest: §$rest h}"), "'$rest h'", "a variable alone"),
    "unknown figure": (
        HEAD + "  - rest: 1 h\nfigures: [capacity, §capacty_decay]\n",
        "'capacty_decay'",
        "did you mean 'capacity_decay'",
    ),
    "unknown limit": (limiting("limits: {§volts: 1 V .. 2 V}"), "'volts'", "a quantity of `limits`"),
    "one-sided voltage": (limiting("limits: {voltage: §3 V}"), "'3 V'", "1.5 V .. 3.0 V"),
    "upside down limits": (limiting("limits: {voltage: §3 V .. 2 V}"), "3 V .. 2 V", "the lower value first"),
    "windows apart": (
        limiting("§limits: {voltage: 4 V .. 5 V}"),
        "from 4 (protocol) to 3.1 (cell)",
        "overlap",
    ),
    "default and required": (
        declaring("variables: {a: §{default: 1 h, required: true}}"),
        "`a` with both",
        "either",
    ),
    "neither": (declaring("variables: {a: §{unit: h}}"), "neither", "either"),
    "default of another unit": (
        declaring("variables: {a: {unit: h, default: §1 V}}"),
        "'1 V', which is a voltage",
        "a time",
    ),
    "unit unknown": (declaring("variables: {a: {unit: §hrs, default: 1 h}}"), "'hrs'", "a unit such as"),
    "required": (declaring("variables: {§a: {required: true}}"), "no value for `a`", "required"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_protocol_is_refused_where_it_is_broken(name: str) -> None:
    marked, seen, wanted = BROKEN[name]
    before = marked.split("§")[0]
    place = Place("file", before.count("\n") + 1, len(before.rsplit("\n", 1)[-1]) + 1)
    with pytest.raises(ProtocolError) as caught:
        resolve(Protocol.parse(marked.replace("§", ""), "file"), CELL)
    problem = caught.value.problems[0]
    assert problem.place == place
    assert seen in problem.seen
    assert wanted in problem.wanted


def test_all_problems_of_a_file_are_told_at_once_in_its_order() -> None:
    text = """\
protocol: p
limits: {voltage: 3 V}
steps:
  - rest: 10
  - {charge: 1 mV, until: volts >= 2 V, record: never}
  - repeat: x
    steps:
      - chrge: 1 mA
figures: [beauty]
"""
    with pytest.raises(ProtocolError) as caught:
        Protocol.parse(text, "file")
    # One each in lines 2, 4, 6, 8 and 9; the step of line 5 has three.
    assert [problem.place.line for problem in caught.value.problems] == [2, 4, 5, 5, 5, 6, 8, 9]


def test_all_problems_of_the_values_are_told_at_once_too() -> None:
    text = (
        HEAD
        + "  - {charge: 1 A, until: time >= 1 h}\n  - {charge: 1 mA}\n  - {hold: 9 V, until: time >= 1 h}\n"
    )
    with pytest.raises(ProtocolError) as caught:
        resolve(Protocol.parse(text, "file"), CELL)
    assert [problem.place.line for problem in caught.value.problems] == [4, 5, 6]


def test_a_hostile_file_of_bad_steps_tells_twenty_problems() -> None:
    with pytest.raises(ProtocolError) as caught:
        Protocol.parse(HEAD + "  - bad: 1\n" * 1500, "file")
    assert len(caught.value.problems) == 20


def test_a_long_for_is_refused_before_it_is_unrolled_far() -> None:
    values = ", ".join(["1 s"] * 60)
    inner = f"{{for: b, in: [{values}], steps: [rest: $a]}}"
    text = step(f"{{for: a, in: [{values}], steps: [{inner}]}}")
    with pytest.raises(ProtocolError, match="more than 2000 steps once `for` is unrolled"):
        resolve(Protocol.parse(text, "file"), CELL)


def test_no_voltage_window_anywhere_is_refused() -> None:
    with pytest.raises(ProtocolError, match="no voltage window from protocol, cell or channel"):
        resolve(Protocol.parse("protocol: p\nsteps: [rest: 1 h]\n", "file"), Cell.parse("cell: c\n"))


_KEYS = st.sampled_from(
    (
        *("rest", "charge", "until", "repeat", "steps", "for", "in", "hold", "sweep", "rate", "impedance"),
        *("record", "mark", "from", "to", "points_per_decade", "versus", "chamber", "polarise", ""),
    )
)
_VALUES = st.sampled_from(
    (
        *("1 mA", "2 V", "1 h", "$a", "0.2 C", "open circuit", "time >= 1 h or voltage <= 2 V", "5 mV", "10"),
        *("1 kHz", "retention < 80 %", "every 10 s", "1.5 V .. 3 V", "150 % of charge", ""),
        "Charge at 1 C until 2.5 V",
    )
)
_TREES = st.recursive(
    _VALUES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=12,
)


def _flow(tree: object) -> str:
    match tree:
        case dict():
            return "{" + ", ".join(f'"{key}": {_flow(value)}' for key, value in tree.items()) + "}"
        case list():
            return "[" + ", ".join(map(_flow, tree)) + "]"
    return f'"{tree}"'


@settings(max_examples=300, deadline=None)
@given(st.lists(_TREES, min_size=1, max_size=3))
def test_no_tree_of_the_language_s_own_words_raises_anything_else(steps: list[object]) -> None:
    text = HEAD.replace("steps:\n", "steps: ") + _flow(steps)
    try:
        plan = resolve(Protocol.parse(text, "file"), CELL)
    except ProtocolError as error:
        outcome = len(error.problems)
    else:
        outcome = len(plan.steps)
    assert outcome > 0


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=120))
def test_no_text_as_a_step_raises_anything_but_a_protocol_error(text: str) -> None:
    quoted = '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
    with pytest.raises(ProtocolError):
        Protocol.parse(f"{HEAD}  - {{charge: {quoted}, until: {quoted}, record: {quoted}}}\n", "file")
