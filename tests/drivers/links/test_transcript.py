"""What a transcript promises: this dialogue and no other, and one that was recorded plays back."""

import io

import pytest

from drivers.errors import LinkError, SilenceError
from drivers.links.transcript import RecordingLink, TranscriptError, TranscriptLink

DIALOGUE = """
    # who is there
    > *IDN?
    0.250 < KEITHLEY
    > e
    > cell_off
    >
    < e
    <
    > READ?
    ! silence
"""


async def hold(link: TranscriptLink | RecordingLink) -> None:
    assert await link.query("*IDN?") == "KEITHLEY"
    await link.write("e\ncell_off\n")
    assert await link.read_lines(1.0) == ["e", ""]
    with pytest.raises(SilenceError):
        await link.query("READ?")


async def test_the_dialogue_is_played() -> None:
    with TranscriptLink(DIALOGUE) as link:
        await hold(link)


async def test_what_was_recorded_plays_back_the_same() -> None:
    file = io.StringIO()
    moments = iter(range(100))
    with TranscriptLink(DIALOGUE) as link:
        await hold(RecordingLink(link, file, clock=lambda: next(moments)))
    assert file.getvalue().splitlines()[:2] == ["1.000 > *IDN?", "2.000 < KEITHLEY"]
    with TranscriptLink(file.getvalue()) as again:
        await hold(again)


async def test_anything_else_sent_fails() -> None:
    with pytest.raises(TranscriptError, match=r"sent 'OUTP ON'; wanted '> OUTP OFF'"):
        await TranscriptLink("> OUTP OFF").write("OUTP ON")


async def test_saying_too_little_fails() -> None:
    with pytest.raises(TranscriptError, match="stopped before '> OUTP OFF'"), TranscriptLink("> OUTP OFF"):
        pass


async def test_saying_too_much_fails() -> None:
    with pytest.raises(TranscriptError, match="wanted nothing more"):
        await TranscriptLink("").write("OUTP OFF")


async def test_a_port_can_be_gone() -> None:
    with pytest.raises(LinkError, match="gone"):
        await TranscriptLink("! gone").read()


def test_a_line_that_is_no_entry_is_named() -> None:
    with pytest.raises(ValueError, match="transcript line 2: 'hello'"):
        TranscriptLink("> *IDN?\nhello")
