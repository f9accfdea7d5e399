"""SCPI without an instrument: messages, spellings, parameters, errors."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.scpi import (
    Boolean,
    Choice,
    Command,
    EventQueue,
    Front,
    Integer,
    Kind,
    Name,
    Number,
    QuotedChoice,
    ScpiError,
    Setting,
    Tree,
    setting,
)
from simulators.scpi.errors import Event
from simulators.scpi.message import message
from simulators.scpi.tree import Act


class Bench:
    """A small instrument: a level, a mode, and a list of what was refused."""

    def __init__(self) -> None:
        self.level = Setting(Number(-1.0, 1.0, 0.0), 0.0)
        self.mode = Setting(Choice("NORMal", "HIMPedance"), "NORM")
        self.refused: list[int] = []
        self.lived = 0
        commands = (
            setting(":SOURce[1]:CURRent[:LEVel][:IMMediate][:AMPLitude]", self.level),
            setting(":OUTPut[1]:SMODe", self.mode),
            Command("*IDN", query=lambda _: "ME"),
            Command(":SOURce[1]:FAIL", write=self._fail),
        )
        self.front = Front(Tree(commands), self._live, lambda error: self.refused.append(error.code))

    async def say(self, line: str) -> str | None:
        return await self.front.answer(line)

    def _live(self) -> None:
        self.lived += 1

    def _fail(self, parameters: tuple[str, ...]) -> None:
        raise ScpiError(-221)


def nothing(parameters: tuple[str, ...]) -> None:
    return None


@pytest.mark.parametrize(
    "spelling",
    [
        "SOUR:CURR",
        ":sour:curr",
        ":SOURCE1:CURRENT:LEV",
        "source:current:level:immediate:amplitude",
        "Sour1:Curr:Ampl",
    ],
)
async def test_every_spelling_of_a_header_is_the_same_command(spelling: str) -> None:
    bench = Bench()
    await bench.say(f"{spelling} 0.25")
    assert await bench.say(f"{spelling}?") == "2.500000E-01"
    assert bench.refused == []


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("SOURC:CURR 1", -113),  # neither short nor long
        ("SOUR:CURR:FOO 1", -113),
        ("SOUR", -113),  # no command by itself
        ("*IDN", -113),  # only a query
        ("SOUR2:CURR 1", -114),
        ("SOUR:CURR", -109),
        ("SOUR:CURR 1,2", -108),
        ("SOUR:CURR 'a'", -104),
        ("SOUR:CURR 1.2.3", -104),
        ("SOUR:CURR nan", -104),
        ("SOUR:CURR inf", -104),
        ("SOUR:CURR 1e999", -104),
        ("SOUR:CURR 1.01", -222),
        ("OUTP:SMOD ZERO", -224),
        ("SOUR::CURR 1", -102),
        ("SOUR:CURR 'a", -151),
        ("SOUR:CURR 1,", -102),
        ("µ?", -101),
    ],
)
async def test_what_is_wrong_is_named_and_changes_nothing(line: str, code: int) -> None:
    bench = Bench()
    assert await bench.say(line) is None
    assert bench.refused == [code]
    assert (bench.level.value, bench.mode.value) == (0.0, "NORM")


async def test_a_header_without_a_colon_goes_on_where_the_last_one_was() -> None:
    bench = Bench()
    assert await bench.say(":SOUR:CURR:LEV 0.5;IMM?;:OUTP:SMOD HIMP;SMOD?") == "5.000000E-01;HIMP"
    assert await bench.say(":SOUR:CURR 0.5;LEV?") is None  # SOUR:LEV there is not
    assert bench.refused == [-113]


async def test_common_commands_leave_the_path_alone() -> None:
    bench = Bench()
    assert await bench.say(":OUTP:SMOD HIMP;*IDN?;SMOD?") == "ME;HIMP"


async def test_a_command_error_voids_the_rest_of_the_line_and_an_execution_error_does_not() -> None:
    bench = Bench()
    assert await bench.say(":SOUR:FAIL;:SOUR:CURR 0.5;:FOO;:SOUR:CURR 0.7") is None
    assert bench.refused == [-221, -113]
    assert bench.level.value == 0.5


async def test_every_unit_is_preceded_by_time() -> None:
    bench = Bench()
    await bench.say("SOUR:CURR 0.5;CURR 0.6;CURR?")
    assert bench.lived == 3


@pytest.mark.parametrize(("word", "value"), [("MIN", -1.0), ("maximum", 1.0), ("DEF", 0.0), ("+.5E-1", 0.05)])
async def test_numbers_may_be_words(word: str, value: float) -> None:
    bench = Bench()
    await bench.say(f"SOUR:CURR {word}")
    assert bench.level.value == value
    assert float(await bench.say(f"SOUR:CURR? {word}") or "nan") == value


def test_separators_inside_quotes_separate_nothing() -> None:
    [unit] = message(':A:B "x;y,z", \'it"s\'').units
    assert unit.parameters == ('"x;y,z"', "'it\"s'")


@pytest.mark.parametrize(("text", "value"), [("ON", True), ("0", False), ("off", False), ("1", True)])
def test_booleans_have_four_spellings(text: str, value: bool) -> None:
    assert Boolean().parse(text) is value


def test_strings_need_quotes_and_whole_numbers_no_fraction() -> None:
    assert QuotedChoice("VOLTage").parse("'volt'") == "VOLT"
    assert Name().parse('"b"') == "b"
    for refusing, text in ((QuotedChoice("VOLTage"), "VOLT"), (Name(), "b"), (Integer(1, 9, 1), "1.5")):
        with pytest.raises(ScpiError, match="-104"):
            refusing.parse(text)


def test_two_commands_may_not_share_a_spelling() -> None:
    act: Act = nothing
    with pytest.raises(ValueError, match="share a spelling"):
        Tree([Command(":A[:B]", act), Command(":A", act)])


def test_a_full_queue_says_so_in_its_last_place() -> None:
    queue = EventQueue()
    for number in range(1001):
        queue.add(Event(-113, str(number), Kind.ERROR, "t"))
    assert queue.count() == 1000
    events = [queue.next() for _ in range(1000)]
    assert events[0] == Event(-113, "0", Kind.ERROR, "t")
    assert events[-1] == Event(-350, "Queue overflow", Kind.ERROR, "t")
    assert queue.next() is None


def test_the_queue_can_be_asked_for_one_kind() -> None:
    queue = EventQueue()
    queue.add(Event(1, "told", Kind.INFORMATION, "t"))
    queue.add(Event(-113, "wrong", Kind.ERROR, "t"))
    assert str(queue.next(Kind.ERROR)) == '-113,"wrong;1;t"'
    assert queue.count(Kind.INFORMATION) == 1


@given(line=st.text(alphabet=string.printable + "µ\0", max_size=80))
async def test_no_line_does_more_than_be_refused(line: str) -> None:
    bench = Bench()
    await bench.say(line)
    assert all(code in range(-300, -99) for code in bench.refused)
    assert await bench.say("*IDN?") == "ME"
