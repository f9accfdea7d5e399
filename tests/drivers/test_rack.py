"""The driver of a rack and the simulated one, over a real socket."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
import pytest

from drivers.base import SteppedChannel
from drivers.errors import LinkError, RefusedError
from drivers.links import Link
from drivers.links.opening import open_link
from drivers.links.transcript import TranscriptLink
from drivers.rack import Rack
from drivers.rack_wire import Wire, listed
from drivers.rehearsal import RehearsalClock
from protocols.errors import LimitError
from protocols.limits import Bound, Limits, Range
from protocols.reading import Flags
from protocols.setpoint import AtRest, Current, Voltage
from simulators.rack import Rack as SimulatedRack

LIMITS = Limits(
    voltage=Range(Bound(0.5, "cell"), Bound(2.5, "cell")),
    current=Range(Bound(-1.0, "protocol"), Bound(1.0, "protocol")),
)
CELL = "supercapacitor/3f"  # 1.5 V, 3 F, 0.08 ohm
NOISE = 2e-4  # volts; ten times the channel's


class Bench:
    """The time of its first channel is held, that of the others runs by itself."""

    def __init__(self, driver: Rack, clock: RehearsalClock, link: Link) -> None:
        self.driver = driver
        self.clock = clock
        self.link = link
        channel = driver.channels["1"]
        assert isinstance(channel, SteppedChannel)
        self.channel = channel

    async def pass_(self, seconds: float) -> None:
        await self.clock.sleep_until(await self.clock.now() + seconds)


@asynccontextmanager
async def rack(count: int = 2, speed: float = 1e6) -> AsyncIterator[Bench]:
    async with SimulatedRack.serve(cell=CELL, speed=speed, seed=1, bays=[{}] * count) as served:
        link = await open_link(f"visa://{served.address}", Rack.link_options)
        clock = await RehearsalClock.connect(served.bays[0].rehearsal)
        try:
            yield Bench(await Rack.open(link), clock, link)
        finally:
            await clock.aclose()
            await link.aclose()


async def test_a_current_charges_a_capacitor_by_hand_arithmetic() -> None:
    async with rack() as bench:
        await bench.channel.prepare(LIMITS)
        await bench.channel.apply(Current(0.3, 3.0))
        await bench.pass_(2.0)
        reading = await bench.channel.measure(within=1.0)
        # 1.5 V, 0.3 A through 0.08 ohm, 0.6 C into 3 F
        assert reading.voltage == pytest.approx(1.5 + 0.024 + 0.2, abs=NOISE)
        assert reading.current == pytest.approx(0.3, rel=1e-4)
        await bench.channel.apply(AtRest(3.0))
        reading = await bench.channel.measure(within=1.0)
        assert reading.voltage == pytest.approx(1.7, abs=NOISE)
        assert reading.current == 0.0


async def test_a_held_voltage_takes_the_current_that_is_left() -> None:
    async with rack() as bench:
        await bench.channel.prepare(LIMITS)
        await bench.channel.apply(Voltage(1.54, 1.0))
        await bench.pass_(0.24)  # one time constant of 3 F behind 0.08 ohm
        reading = await bench.channel.measure(within=1.0)
        assert reading.current == pytest.approx(0.04 / 0.08 * np.exp(-1.0), rel=1e-3)


async def test_a_channel_nobody_measures_opens_its_circuit() -> None:
    async with rack() as bench:
        await bench.channel.prepare(LIMITS)
        await bench.channel.apply(Current(0.01, 3.0))
        await bench.pass_(3.0)
        await bench.channel.measure(within=1.0)
        await bench.pass_(5.5)
        with pytest.raises(RefusedError, match="its watchdog opened it"):
            await bench.channel.measure(within=1.0)


async def test_the_window_in_the_rack_opens_the_circuit_beyond_the_core_s_own() -> None:
    async with rack() as bench:
        await bench.channel.prepare(LIMITS)
        await bench.channel.apply(Current(1.0, 9.0))
        await bench.pass_(2.9)  # 1.5 + 0.08 + 2.9 / 3 = 2.547 V: the core would have acted at 2.5
        await bench.channel.measure(within=1.0)
        await bench.pass_(0.1)  # 2.58 V is beyond 2.5 + 0.05
        with pytest.raises(LimitError, match="its window opened it"):
            await bench.channel.measure(within=1.0)


async def test_the_clamp_is_told_with_the_reading() -> None:
    async with rack() as bench:
        await bench.channel.prepare(LIMITS)
        await bench.channel.apply(Current(1.0, 1.6))
        await bench.pass_(1.0)  # 1.58 V at once: 1.6 V after 0.06 C
        reading = await bench.channel.measure(within=1.0)
        assert reading.flags == Flags.CLAMPED
        assert reading.voltage == pytest.approx(1.6, abs=NOISE)


async def test_a_scan_reads_every_channel_and_says_which_is_not_as_it_was_set() -> None:
    async with rack(count=4, speed=1.0) as bench:
        for place, amperes in (("1", 0.1), ("2", 0.2), ("4", -0.1)):
            channel = bench.driver.channels[place]
            assert isinstance(channel, SteppedChannel)
            await channel.prepare(LIMITS)
            await channel.apply(Current(amperes, 3.0))
        await bench.link.query(":OUTP OFF,(@2);:OUTP? (@2)")  # somebody else's hand
        scan = await bench.driver.scan(["1", "2", "3", "4"])
        assert scan.current == pytest.approx([0.1, 0.0, 0.0, -0.1], rel=1e-4)
        assert scan.voltage[2] == pytest.approx(1.5, abs=NOISE)
        assert scan.plain.tolist() == [True, False, True, True]


async def test_opening_a_rack_touches_no_circuit() -> None:
    async with rack() as bench:
        await bench.channel.prepare(LIMITS)
        await bench.channel.apply(Current(0.1, 3.0))
        again = await Rack.open(bench.link)
        assert again.identity == bench.driver.identity
        assert (await bench.channel.measure(within=1.0)).current == pytest.approx(0.1, rel=1e-4)


async def test_what_a_rack_cannot_read_it_refuses_and_goes_on() -> None:
    async with rack() as bench:
        wire = Wire(bench.link, "rack")
        with pytest.raises(RefusedError, match="-222"):
            await wire.set(":APPL CURR,0.1,3,(@7)", ":OUTP? (@1)")
        assert await wire.set(":OUTP OFF,(@2)", ":OUTP? (@2)") == "O"


@pytest.mark.parametrize(
    "answer",
    [
        "1.0",
        "1.0;1.5,1.6;0,0",
        "1.0;1.5;0,0;NN",
        "1.0;1.5,x;0,0;NN",
        "1.0;1.5,9.9e37;0,0;NN",
        "1.0;1.5,1.6;0,0;N?",
    ],
)
async def test_a_scan_that_is_not_whole_is_a_lost_answer(answer: str) -> None:
    with pytest.raises(LinkError, match="answered"):
        await Wire(TranscriptLink(f"> :MEAS? (@1:2)\n< {answer}"), "rack").measure(["1", "2"])


def test_neighbours_are_asked_for_as_ranges() -> None:
    assert listed(("1", "2", "3", "7", "9", "10")) == "(@1:3,7,9:10)"
