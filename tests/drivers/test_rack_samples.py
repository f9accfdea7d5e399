"""What a rack measures by its own timer is told once and in order; real driver, a clock moved by hand."""

from collections.abc import Sequence

import pytest

from drivers.errors import LinkError
from drivers.links import Link
from drivers.links.transcript import TranscriptLink
from drivers.rack import Rack
from drivers.rack_channel import RackChannel
from drivers.rack_wire import Wire
from drivers.scan import Scan
from simulators.cells.library import make_cell
from simulators.cycler import Bay
from simulators.faults import Faults
from simulators.faults.cell import FaultyCell
from simulators.instrument import Stream
from simulators.rack import Rack as SimulatedRack
from tests.simulators.jump_clock import JumpClock

NOISE = 2e-4  # volts; ten times the channel's
PLACES = ["1", "2"]


class OneLine(Stream):
    """A client that says one line and leaves."""

    def __init__(self, line: str) -> None:
        self._said = [line.encode() + b"\n"]
        self.heard = b""

    async def read(self) -> bytes:
        return self._said.pop() if self._said else b""

    async def write(self, data: bytes) -> None:
        self.heard += data


class RackLink(Link):
    """The wire to a simulated rack whose time the test moves."""

    def __init__(self) -> None:
        self.address = "rack"
        self.clock = JumpClock()
        cells = [FaultyCell(make_cell("supercapacitor/3f", place), Faults(())) for place in (1, 2)]
        bays = [Bay(place, cell, self.clock, int(place)) for place, cell in zip(PLACES, cells, strict=True)]
        self._rack = SimulatedRack(bays, self.clock)

    async def query(self, message: str, deadline: float | None = None) -> str:
        stream = OneLine(message)
        await self._rack.converse(stream)
        return stream.heard.decode().removesuffix("\n")

    async def write(self, message: str) -> None:
        await self.query(message)

    async def read(self, deadline: float | None = None) -> str:
        raise NotImplementedError

    async def read_lines(self, deadline: float) -> list[str]:
        raise NotImplementedError

    async def aclose(self) -> None:
        return


async def charging(link: RackLink) -> Rack:
    """0.3 A into the first of two capacitors of 3 F behind 0.08 ohm, at 1.5 V; the other rests."""
    rack = await Rack.open(link)
    await link.query(":APPL CURR,0.3,3,(@1);:OUTP ON,(@1);:OUTP? (@1)")
    channel = rack.channels["1"]
    assert isinstance(channel, RackChannel)
    channel.letter = "N"
    return rack


def times(scans: Sequence[Scan]) -> list[float]:
    return [scan.time for scan in scans]


async def test_each_sample_is_told_once_with_what_was_there_at_its_moment() -> None:
    """0.3 A move 3 F by 0.1 V/s: 1 mV from one hundredth of a second to the next."""
    link = RackLink()
    rack = await charging(link)
    await rack.samples(PLACES, 0.01)
    link.clock.moment = 0.055
    first = await rack.samples(PLACES, 0.01)
    assert times(first) == pytest.approx([0.01, 0.02, 0.03, 0.04, 0.05])
    assert [scan.voltage[0] for scan in first] == pytest.approx(
        [1.525, 1.526, 1.527, 1.528, 1.529], abs=NOISE
    )
    assert [scan.current[1] for scan in first] == [0.0] * 5
    assert all(scan.plain.all() for scan in first)
    assert await rack.samples(PLACES, 0.01) == []
    link.clock.moment = 0.07
    assert times(await rack.samples(["1"], 0.01)) == pytest.approx([0.06, 0.07])


async def test_a_sample_taken_before_the_circuit_was_opened_shows_it_closed() -> None:
    link = RackLink()
    rack = await charging(link)
    await rack.samples(PLACES, 0.01)
    link.clock.moment = 0.025
    await link.query(":OUTP OFF,(@1);:OUTP? (@1)")
    link.clock.moment = 0.04
    scans = await rack.samples(PLACES, 0.01)
    assert [scan.current[0] > 0.2 for scan in scans] == [True, True, False, False]
    assert [bool(scan.plain[0]) for scan in scans] == [True, True, False, False]


async def test_a_reading_between_two_questions_does_not_disturb_the_time_of_samples() -> None:
    link = RackLink()
    rack = await charging(link)
    await rack.samples(PLACES, 0.01)
    link.clock.moment = 0.035
    between = await rack.scan(PLACES)
    assert between.time == pytest.approx(0.035)
    assert times(await rack.samples(PLACES, 0.01)) == pytest.approx([0.01, 0.02, 0.03])


async def test_a_timer_that_stands_otherwise_is_set_anew() -> None:
    """As after its mains came back: what it took before is gone, and numbers begin with 1."""
    link = RackLink()
    rack = await charging(link)
    await rack.samples(PLACES, 0.01)
    link.clock.moment = 0.05
    await rack.samples(PLACES, 0.01)
    await link.query(":SAMP:TIM 0;:SAMP:TIM?")
    link.clock.moment = 0.1
    assert times(await rack.samples(PLACES, 0.01)) == pytest.approx([0.1])
    link.clock.moment = 0.125
    assert times(await rack.samples(PLACES, 0.01)) == pytest.approx([0.11, 0.12])


async def test_what_nobody_asked_for_in_time_makes_room_and_a_hundred_are_told_at_once() -> None:
    link = RackLink()
    rack = await charging(link)
    await rack.samples(PLACES, 0.01)
    link.clock.moment = 12.005  # 1 200 samples, of which the last thousand are remembered
    scans = await rack.samples(PLACES, 0.01)
    assert len(scans) == 100
    assert [scans[0].time, scans[-1].time] == pytest.approx([2.01, 3.0])
    assert (await rack.samples(PLACES, 0.01))[0].time == pytest.approx(3.01)


@pytest.mark.parametrize(
    "answer",
    ["0.01;1;0.01;1.5;0", "0.01;1;0.01;1.5,1.6;0,0;N", "0.01;1;0.01;1.5;0,0;NN", "0.01;x;;;;"],
)
async def test_samples_that_are_not_whole_are_a_lost_answer(answer: str) -> None:
    link = TranscriptLink(f"> :SAMP:TIM?;:SAMP:DATA? 0,(@1:2)\n< {answer}")
    with pytest.raises(LinkError, match="answered"):
        await Wire(link, "rack").sampled(0, PLACES)
