"""Real links and drivers on wires that fail: the right answer or an error, never another question's."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drivers.base import Program, ProgramState, SteppedChannel
from drivers.emstat4 import EmStat4
from drivers.emstat4_channel import ScriptChannel
from drivers.errors import InstrumentError, LinkError
from drivers.keithley2450 import Keithley2450
from drivers.links import Link, LinkOptions
from drivers.links.opening import open_link
from protocols.conditions import Comparison, Quantity, Relation
from protocols.errors import GalvanodError
from protocols.limits import Bound, Limits, Range
from protocols.plan import Ceiling, PlannedStep
from protocols.reading import Reading
from protocols.recording import Recording
from protocols.setpoint import AtRest, Current
from protocols.techniques import ConstantCurrent
from simulators.emstat4 import EmStat4 as SimulatedEmStat4
from simulators.faults import Faults
from simulators.keithley2450 import Keithley2450 as SimulatedKeithley2450
from tests.simulators.linear_cell import LinearCell

IMPATIENT = LinkOptions(deadline=0.03)
WINDOW = Limits(voltage=Range(Bound(0.0, "cell"), Bound(5.0, "cell")))

WIRE_FAULTS = st.sampled_from(
    [
        "mute 1 times",
        "mute 2 times",
        "deaf",
        "short 1 times",
        "garbled 1 times",
        "late by 40 ms 1 times",
        "late by 5 ms 1 times",
        "slow by 60 ms 1 times",
        "behind 1 times",
        "behind 3 times",
        "reset",
        "gone",
        "power",
    ]
)
"""With what a link that waits 30 ms will and will not live through."""


def address(served: str, scheme: str) -> str:
    host, port = served.split("::")[1:3]
    return f"tcp://{host}:{port}" if scheme == "tcp" else f"{scheme}://{served}"


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@pytest.mark.parametrize("scheme", ["visa", "tcp"])
@given(plan=st.lists(st.none() | WIRE_FAULTS, min_size=4, max_size=8))
async def test_an_answer_is_that_of_its_question_whatever_the_wire_does(
    scheme: str, plan: list[str | None]
) -> None:
    """Each question sets a level nobody set before and asks for it: an answer can be of no other."""
    faults = Faults()
    async with SimulatedKeithley2450.serve(cell=LinearCell(), speed=1.0, seed=1, faults=faults) as served:
        link = await open_link(address(served.address, scheme), IMPATIENT)
        for number, fault in enumerate(plan, start=1):
            if fault is not None:
                faults.inject(fault)
                await asyncio.sleep(0)
            await ask_for_level(link, number / 1000.0)
            if fault in ("deaf", "gone"):
                faults.clear()
        faults.clear()
        await recovered(link)
        await link.aclose()
        await asyncio.sleep(0.01)  # the instrument hears every hang-up before it is taken away


async def ask_for_level(link: Link, amperes: float) -> None:
    try:
        answer = await link.query(f":SOUR:CURR {amperes:.6E};CURR?")
        assert float(answer) == amperes
    except (LinkError, ValueError):
        return  # told as missing, or garbled so that it is no number


async def recovered(link: Link) -> None:
    for attempt in range(3):
        try:
            assert float(await link.query(":SOUR:CURR 0.5;CURR?", 2.0)) == 0.5
        except LinkError:
            assert attempt < 2
        else:
            return


@asynccontextmanager
async def source_meter(faults: Faults) -> AsyncIterator[tuple[Link, SteppedChannel]]:
    """A driver with 0.1 A through 3.7 V behind 2 ohm and 1000 F: 3.9 V."""
    async with SimulatedKeithley2450.serve(cell=LinearCell(), speed=1.0, seed=1, faults=faults) as served:
        link = await open_link(f"visa://{served.address}", LinkOptions(deadline=0.5))
        channel = (await Keithley2450.open(link)).channels["1"]
        assert isinstance(channel, SteppedChannel)
        await channel.prepare(WINDOW)
        await channel.apply(Current(0.1, voltage_clamp=5.0))
        try:
            yield link, channel
        finally:
            faults.clear()
            await channel.off()
            await link.aclose()


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    plan=st.lists(
        st.none()
        | st.sampled_from(
            ["short 1 times", "garbled 1 times", "late by 50 ms 1 times", "reset", "slow by 20 ms 1 times"]
        ),
        min_size=2,
        max_size=3,
    )
)
async def test_a_source_meters_reading_is_true_or_missing(plan: list[str | None]) -> None:
    faults = Faults()
    async with source_meter(faults) as (_, channel):
        for fault in plan:
            if fault is not None:
                faults.inject(fault)
            try:
                reading = await channel.measure(within=0.02)
            except InstrumentError:
                continue
            assert reading.voltage == pytest.approx(3.9, abs=0.05)
            assert reading.current == pytest.approx(0.1, abs=1e-3)
        faults.clear()
        reading = await measured(channel)
        assert reading.voltage == pytest.approx(3.9, abs=0.05)


async def measured(channel: SteppedChannel) -> Reading:
    """Measure, asking twice more at most."""
    for _ in range(2):
        try:
            return await channel.measure(within=0.02)
        except LinkError:
            continue
    return await channel.measure(within=0.02)


async def test_a_power_cut_of_a_source_meter_shows_and_it_is_set_up_from_nothing() -> None:
    """From the box its output is open: nothing it can say is 0.1 A at 3.9 V, the reading before."""
    faults = Faults()
    async with source_meter(faults) as (link, channel):
        faults.inject("power")
        for _ in range(100):  # it takes some turns of the loop
            await asyncio.sleep(1e-4)
        seen: list[Reading] = []
        with suppress(GalvanodError):
            seen.append(await measured(channel))
        assert not any(reading.current == pytest.approx(0.1, abs=1e-3) for reading in seen)
        again = (await Keithley2450.open(link)).channels["1"]
        assert isinstance(again, SteppedChannel)
        assert await link.query(":OUTP:CURR:SMOD?;:OUTP:VOLT:SMOD?") == "HIMP;HIMP"
        await again.prepare(WINDOW)
        await again.apply(AtRest(voltage_clamp=5.0))
        assert (await measured(again)).voltage == pytest.approx(3.7, abs=0.05)
        await again.off()


class Impatient(EmStat4):
    """For an instrument that needs no rest after an error."""

    pause_after_error = 0.0


def charge(amperes: float, seconds: float) -> Program:
    until = Comparison(Quantity.TIME, Relation.AT_LEAST, seconds, f"time >= {seconds:g} s")
    technique = ConstantCurrent(amperes)
    step = PlannedStep("1", 1, "charge", technique, "", until, Recording(every=5.0), Ceiling(3600.0, 100.0))
    limits = Limits(
        voltage=Range(Bound(0.0, "cell"), Bound(5.0, "cell")),
        current=Range(Bound(-0.05, "cell"), Bound(0.05, "cell")),
    )
    return Program(step, limits, sample=1.0)


@pytest.fixture
def _short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drivers.emstat4_channel.ABORT_SECONDS", 0.5)
    monkeypatch.setattr("drivers.emstat4_channel.LOAD_SECONDS", 0.5)


@pytest.mark.usefixtures("_short_patience")
@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(plan=st.lists(WIRE_FAULTS, min_size=1, max_size=3))
async def test_a_potentiostat_is_opened_as_what_it_is_or_not_at_all(plan: list[str]) -> None:
    faults = Faults()
    async with SimulatedEmStat4.serve(cell=LinearCell(), speed=1.0, seed=7, faults=faults) as served:
        link = await open_link(f"serial://{served.address}", LinkOptions(deadline=0.2))
        for fault in plan:
            faults.inject(fault)
        await asyncio.sleep(0)
        for attempt in range(5):
            try:
                opened = await Impatient.open(link)
            except InstrumentError:
                faults.clear()
                assert attempt < 4
            else:
                break
        assert (opened.identity.model, opened.identity.serial) == ("EmStat4 HR", "ES4HR00000007")
        assert opened.identity.firmware.endswith("MethodSCRIPT 1.9")
        await link.aclose()


SCRIPT_FAULTS = st.sampled_from(
    [
        "mute 1 times",
        "short 1 times",
        "garbled 1 times",
        "late by 5 ms 1 times",
        "slow by 9 ms 1 times",
        "behind 1 times",
    ]
)


@pytest.mark.usefixtures("_short_patience")
@settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(plan=st.lists(SCRIPT_FAULTS, min_size=1, max_size=4))
async def test_what_a_potentiostat_records_is_true_whatever_is_lost(plan: list[str]) -> None:
    """10 mA: 3.72 V at once, then 10 uV a second, for 200 s."""
    faults = Faults()
    cell = LinearCell()
    async with SimulatedEmStat4.serve(cell=cell, speed=2000.0, seed=7, faults=faults) as served:
        link = await open_link(f"serial://{served.address}", LinkOptions(deadline=0.5))
        channel = (await Impatient.open(link)).channels["1"]
        assert isinstance(channel, ScriptChannel)
        origin = await channel.start("run/1", charge(0.01, 200.0))
        for fault in plan:
            faults.inject(fault)
        await followed(channel, origin)
        faults.clear()
        await channel.off()
        before = cell.charge
        await asyncio.sleep(0.005)  # ten seconds
        assert cell.charge == before
        await link.aclose()


async def followed(channel: ScriptChannel, origin: float) -> None:
    """Follow a script for at most a second of silence; every record of it is of the cell."""
    last = 0
    try:
        async with asyncio.timeout(1.5):
            while (await channel.state()).state is ProgramState.RUNNING:
                try:
                    records = await channel.records(after=last)
                except LinkError:
                    continue  # told; what follows is read on
                for record in records:
                    last += 1
                    assert record.number == last
                    assert isinstance(record.point, Reading)
                    elapsed = record.point.time - origin
                    assert -1.0 <= elapsed <= 201.0
                    assert record.point.current == pytest.approx(0.01, abs=1e-4)
                    assert record.point.voltage == pytest.approx(3.72 + 1e-5 * elapsed, abs=2e-3)
    except (TimeoutError, LinkError):
        return  # its end was lost on the wire: the core will see that nothing comes
