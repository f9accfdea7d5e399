"""The Neware driver and the simulated Neware written beside it, over a real socket."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from math import inf

import pytest

from drivers.base import Program, ProgramState, Record
from drivers.errors import RefusedError
from drivers.links.opening import open_link
from drivers.neware import Neware
from drivers.neware_channel import NewareChannel
from drivers.neware_holding import refusal, unheld
from drivers.rehearsal import RehearsalClock
from drivers.whole import Stretch, Taken, WholeProgram
from protocols.limits import Bound, Limits, Range
from protocols.plan import Plan
from protocols.reading import Reading
from simulators.neware import Neware as SimulatedNeware
from tests.protocols.plans import plan_of

WINDOW = Limits(
    voltage=Range(Bound(1.0, "cell"), Bound(4.5, "cell")),
    current=Range(Bound(-0.01, "protocol"), Bound(0.01, "protocol")),
)


@asynccontextmanager
async def channels(*cells: str) -> AsyncIterator[list[NewareChannel]]:
    bays = [{"cell": cell} for cell in cells]
    async with SimulatedNeware.serve(speed=inf, bays=bays) as served:
        link = await open_link(served.address, Neware.link_options)
        clocks = [await RehearsalClock.connect(bay.rehearsal) for bay in served.bays]
        try:
            opened = await Neware.open(link)
            yield [found for found in opened.channels.values() if isinstance(found, NewareChannel)]
        finally:
            await link.aclose()
            for clock in clocks:
                await clock.aclose()


async def followed(channel: NewareChannel) -> list[Stretch]:
    stretches: list[Stretch] = []
    while True:
        status, new = await channel.follow()
        stretches += new
        if status.state is not ProgramState.RUNNING and not new:
            return stretches


def cycles(plan: Plan) -> WholeProgram:
    return WholeProgram(plan, sample=10.0)


LI_ION = plan_of(
    """[rest: 60 s, {repeat: 2, steps: [
    {discharge: 1 mA, until: time >= 10 min or voltage <= 2.5 V},
    {charge: 1 mA, until: voltage >= 4.4 V or capacity >= 100 % of discharge}]}, rest: 30 s]""",
    top="record: every 10 s\n",
    channel=WINDOW,
)
"""Ten minutes of 1 mA are 0.6 C; given back, they take as long: rest, 2 × (600 s + 600 s), rest."""


async def test_a_whole_protocol_is_run_with_its_loops_and_told_step_by_step() -> None:
    async with channels("li_ion") as [channel]:
        await channel.start_whole("run-1/1", cycles(LI_ION))
        stretches = await followed(channel)
    ended = [stretch for stretch in stretches if stretch.over]
    assert [(s.visit, s.path) for s in ended] == [
        (1, "1"),
        (2, "2.1"),
        (3, "2.2"),
        (4, "2.1"),
        (5, "2.2"),
        (6, "3"),
    ]
    assert [s.began for s in ended] == pytest.approx([0, 60, 660, 1260, 1860, 2460], abs=0.5)
    records = [record for stretch in stretches for record in stretch.records]
    assert [record.number for record in records] == list(range(1, len(records) + 1))
    last = {s.visit: s.records[-1] for s in stretches if s.records}
    assert [last[v].coulombs for v in (1, 2, 3, 4, 5, 6)] == pytest.approx(
        [0, -0.6, 0.6, -0.6, 0.6, 0], abs=1e-3
    )
    assert isinstance(last[2].point, Reading)
    assert last[2].point.current == pytest.approx(-1e-3, rel=1e-3)


async def test_it_is_found_again_by_its_tag_and_told_from_the_last_record_taken() -> None:
    async with channels("li_ion") as [channel]:
        await channel.start_whole("run-1/1", cycles(LI_ION))
        whole = [record for stretch in await followed(channel) for record in stretch.records]
        for number, visit, time, step_time in ((5, 1, 40.0, 40.0), (100, 3, 970.0, 310.0)):
            taken = Taken(number, visit, time, step_time)
            assert await channel.attach_whole("run-1/1", cycles(LI_ION), taken)
            again = await followed(channel)
            rest = [record for stretch in again for record in stretch.records]
            assert [record.number for record in rest] == list(range(number + 1, len(whole) + 1))
            assert again[-1].visit == 6
            assert rest[-1].point.time == pytest.approx(whole[-1].point.time, abs=1.0)
        assert not await channel.attach_whole("run-2/1", cycles(LI_ION), Taken())


async def test_stopped_it_opens_the_circuit_and_still_tells_what_there_was() -> None:
    async with channels("li_ion", "li_ion") as [channel, other]:
        await channel.start_whole("run-1/1", cycles(LI_ION))
        first = await channel.follow()
        await channel.off()
        await channel.off()
        status, _ = await channel.follow()
        assert status.state is ProgramState.IDLE
        assert first.stretches
        await other.off()
        assert (await other.look()).voltage > 3.0


LONG_REST = plan_of("[rest: 2500 s]", top="record: every 1 s\n", channel=WINDOW)
"""2 501 records: two full pages, and one that is not."""


async def test_full_pages_are_read_ahead_and_every_record_is_told_once() -> None:
    async with channels("li_ion") as [channel]:
        await channel.start_whole("run-1/1", cycles(LONG_REST))
        records = [record for stretch in await followed(channel) for record in stretch.records]
    assert [record.number for record in records] == list(range(1, 2502))
    assert records[-1].point.time == 2500.0


async def test_a_circuit_is_opened_while_the_next_page_is_on_its_way() -> None:
    async with channels("li_ion") as [channel]:
        await channel.start_whole("run-1/1", cycles(LONG_REST))
        told = (await channel.follow()).stretches
        assert len(told[-1].records) == 1000
        assert "next page" in {task.get_name() for task in asyncio.all_tasks()}
        await channel.off()
        assert "next page" not in {task.get_name() for task in asyncio.all_tasks()}
        while (after := await channel.follow()).status.state is ProgramState.RUNNING:
            told = [*told, *after.stretches]
        assert after.status.state is ProgramState.IDLE
        numbers = [record.number for stretch in [*told, *after.stretches] for record in stretch.records]
        assert numbers == list(range(1, len(numbers) + 1))
        assert (await channel.look()).current == 0.0
        await channel.start_whole("run-2/1", cycles(LI_ION))
        [first, *_] = (await channel.follow()).stretches
        assert (first.visit, first.path, first.records[0].number) == (1, "1", 1)


async def test_a_step_at_a_time_is_ended_where_the_core_judges_it() -> None:
    """A slope only the core can judge: record by record, and none after the one at which it said so."""
    plan = plan_of("[{rest: 1 h, until: voltage_slope <= 1 mV/h, record: every 10 s}]", channel=WINDOW)
    [step] = plan.each_step()
    async with channels("li_ion") as [channel]:
        origin = await channel.start("run-1/1", Program(step, plan.limits, 1.0))
        records: list[Record] = []
        while len(records) < 5:
            assert (await channel.state()).state is ProgramState.RUNNING
            records += await channel.records(after=len(records))
        await channel.finish()
        assert (await channel.state()).state is ProgramState.FINISHED
        assert await channel.records(after=len(records)) == []
        assert [r.point.time - origin for r in records] == pytest.approx([0, 10, 20, 30, 40], abs=0.01)


async def test_what_is_left_of_a_step_is_what_is_given() -> None:
    """Of 600 s at 1 mA, 200 s and 0.2 C are done: 400 s are left."""
    [_, _, step, *_] = plan_of(
        "[rest: 1 s, rest: 1 s, {discharge: 1 mA, until: time >= 10 min}]", channel=WINDOW
    ).each_step()
    async with channels("li_ion") as [channel]:
        origin = await channel.start(
            "t/1", Program(step, WINDOW, 10.0, seconds_done=200.0, coulombs_done=0.2)
        )
        records: list[Record] = []
        while (await channel.state()).state is ProgramState.RUNNING:
            records += await channel.records(after=len(records))
    assert records[-1].point.time - origin == pytest.approx(400.0, abs=0.2)


async def test_somebody_elses_test_is_left_alone_and_not_taken_for_ours() -> None:
    async with channels("li_ion") as [channel]:
        await channel.start_whole("run-1/1", cycles(LI_ION))
        stranger = NewareChannel(channel._session, channel._place, channel._folder)
        with pytest.raises(RefusedError, match="answered by 'false'"):
            await stranger.start_whole("run-2/1", cycles(LI_ION))
        await stranger.off()
        await stranger.start_whole("run-2/1", cycles(LI_ION))
        with pytest.raises(RefusedError, match="test 2 runs there, ours is 1"):
            await channel.follow()


def lines(text: str) -> list[tuple[int, str]]:
    return [(found.line, found.reason) for found in unheld(plan_of(text, channel=WINDOW))]


def test_what_it_cannot_hold_is_named_with_its_line() -> None:
    assert lines("[rest: 1 h]") == []
    [(line, reason)] = lines("[{impedance: 5 mV, from: 1 kHz, to: 1 Hz, points_per_decade: 5}]")
    assert (line, reason) == (2, "a Neware measures no impedance")
    [(_, reason)] = lines("[{hold: 4 V, until: time >= 1 h}]")
    assert "charges or discharges" in reason
    assert lines("[{charge: 1 mA, until: voltage >= 4 V}, {hold: 4 V, until: current <= 0.1 mA}]") == []
    [(_, reason)] = lines(
        "[{repeat: 9, until: retention < 80 %, steps: [{discharge: 1 mA, until: voltage <= 2 V}]}]"
    )
    assert "its loops only count" in reason
    [(_, reason)] = lines("[{rest: 1 h, until: voltage_slope <= 1 mV/h}]")
    assert "by itself" in reason
    assert len(lines("[" + ", ".join(["rest: 1 s"] * 255) + "]")) == 1


def test_an_end_that_only_the_core_can_judge_needs_a_time_beside_it() -> None:
    [endless] = plan_of("[{charge: 1 mA, until: temperature >= 40 degC or capacity >= 1 mAh}]").each_step()
    assert "no time ends the step" in (refusal(endless) or "")
