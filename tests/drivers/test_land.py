"""LAND result files, followed as they grow: a simulated cabinet's, and a real one's export."""

import asyncio
import struct
from functools import partial
from itertools import groupby
from math import inf
from pathlib import Path
from threading import Thread

import pytest

from drivers.base import ProgramState
from drivers.errors import InstrumentError, LinkError, RefusedError
from drivers.land import Land
from drivers.land_ccs import CcsFile
from drivers.land_channel import LandChannel
from drivers.land_record import Point
from drivers.land_table import TextFile, Workbook
from drivers.links.opening import open_link
from drivers.whole import Stretch, Taken, WholeProgram
from protocols.plan import Plan
from simulators.land import Land as SimulatedLand
from simulators.land.ccs import CcsWriter
from simulators.land.instrument import cycles
from tests.protocols.plans import plan_of

EXPORT = Path(__file__).parents[1] / "data" / "land.csv"

PROTOCOL = plan_of(
    """[rest: 1 min, {repeat: 2, steps: [
    {discharge: 1 mA, until: voltage <= 3.0 V}, {charge: 1 mA, until: voltage >= 4.2 V or time >= 10 h}]}]"""
)


async def channel_of(address: str) -> LandChannel:
    driver = await Land.open(await open_link(address))
    channel = driver.channels["1"]
    assert isinstance(channel, LandChannel)
    return channel


async def followed(channel: LandChannel, plan: Plan) -> list[Stretch]:
    await channel.start_whole("run-1/1", WholeProgram(plan, 1.0))
    return await to_the_end(channel)


async def to_the_end(channel: LandChannel) -> list[Stretch]:
    stretches: list[Stretch] = []
    async with asyncio.timeout(90.0):
        while True:
            status, new = await channel.follow()
            stretches += new
            if status.state is ProgramState.FINISHED and not new:
                return stretches


async def test_a_growing_file_is_told_as_the_steps_of_the_protocol() -> None:
    schedule = cycles(1e-3, 3.0, 4.2, count=2)
    async with SimulatedLand.serve(cell="li_ion", speed=inf, schedule=schedule) as served:
        stretches = await followed(await channel_of(served.address), PROTOCOL)
    over = [(s.visit, s.path) for s in stretches if s.over]
    assert over == [(1, "1"), (2, "2.1"), (3, "2.2"), (4, "2.1"), (5, "2.2")]
    records = [record for stretch in stretches for record in stretch.records]
    assert [record.number for record in records] == list(range(1, len(records) + 1))
    last = {s.visit: s.records[-1] for s in stretches if s.records}
    charge, discharge = last[3].coulombs, last[4].coulombs
    assert charge is not None
    assert discharge is not None
    assert charge == pytest.approx(-discharge, rel=0.03)  # between the same voltages
    assert next(s.began for s in stretches if s.visit == 2) == pytest.approx(60.0)


async def test_after_a_restart_it_goes_on_with_the_record_after_the_last_one_kept() -> None:
    schedule = cycles(1e-3, 3.0, 4.2, count=2)
    async with SimulatedLand.serve(cell="li_ion", speed=inf, schedule=schedule) as served:
        whole = [r for s in await followed(await channel_of(served.address), PROTOCOL) for r in s.records]
        for number in (1, 50, len(whole) - 1):
            again = await channel_of(served.address)
            assert await again.attach_whole("run-1/1", WholeProgram(PROTOCOL, 1.0), Taken(number))
            assert [r.number for s in await to_the_end(again) for r in s.records] == list(
                range(number + 1, len(whole) + 1)
            )


def charged(path: Path, *volts: float) -> CcsWriter:
    """Write a charge with 1 mA, a record each 10 s."""
    writer = CcsWriter(path, 1, 0, "t")
    writer.step()
    for each in volts:
        writer.record(each, 1e-3, 1e-2, each * 1e-2, 10.0)
    return writer


TO_4_2_VOLTS = WholeProgram(plan_of("[{charge: 1 mA, until: voltage >= 4.2 V or time >= 10 h}]"), 1.0)


async def test_a_record_just_short_of_the_end_is_not_the_last_one(tmp_path: Path) -> None:
    path = tmp_path / "t.ccs"
    writer = charged(path, 4.1980, 4.1999)  # 0.1 mV short, and another 10 s to go
    channel = LandChannel(path, lambda: CcsFile(path))
    await channel.start_whole("run-1/1", TO_4_2_VOLTS)
    followed = await channel.follow()
    assert [len(stretch.records) for stretch in followed.stretches] == [2]
    assert followed.status.state is ProgramState.RUNNING
    writer.record(4.2, 1e-3, 1e-2, 4.2e-2, 10.0)  # 4.19999981 in single precision
    followed = await channel.follow()
    assert [(len(stretch.records), stretch.over) for stretch in followed.stretches] == [(1, True)]
    assert followed.status.state is ProgramState.FINISHED


async def test_what_the_file_goes_on_with_after_the_protocol_is_none_of_it(tmp_path: Path) -> None:
    for volts, ends in ((4.1999, True), (4.19, False)):
        path = tmp_path / f"{volts}.ccs"
        writer = charged(path, 4.1980, volts)
        writer.step()
        writer.record(4.1, -1e-3, -1e-2, -4.1e-2, 10.0)
        channel = LandChannel(path, partial(CcsFile, path))
        await channel.start_whole("run-1/1", TO_4_2_VOLTS)
        if ends:
            stretches = await to_the_end(channel)
            assert [(len(stretch.records), stretch.over) for stretch in stretches] == [(2, True)]
        else:
            with pytest.raises(RefusedError, match="goes on after the protocol's last step"):
                await channel.follow()


async def test_an_end_that_was_nearly_met_is_one_once_no_record_comes(tmp_path: Path) -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    for volts, ends in ((4.1999, True), (4.19, False)):
        path = tmp_path / f"{volts}.ccs"
        charged(path, 4.1980, volts)
        channel = LandChannel(path, partial(CcsFile, path), sleep)
        await channel.start_whole("run-1/1", TO_4_2_VOLTS)
        waited.clear()
        states = [(await channel.follow()).status.state for _ in range(100)]
        assert (states[-1] is ProgramState.FINISHED) is ends
        assert sum(waited) == pytest.approx(60.0, abs=5.0) or not ends


async def test_another_protocol_in_the_file_is_told_with_the_line_it_differs_from() -> None:
    other = plan_of("[rest: 1 min, {charge: 1 mA, until: voltage >= 4.2 V}]")
    async with SimulatedLand.serve(cell="li_ion", speed=inf, schedule=cycles(1e-3, 3.0, 4.2)) as served:
        with pytest.raises(
            RefusedError, match=r"its step 2 discharges, but the protocol's charge in line 2 charges"
        ):
            await followed(await channel_of(served.address), other)


def test_a_last_page_half_written_is_read_when_it_is_whole(tmp_path: Path) -> None:
    """Seven records of 1 mA, 10 s apart: a page of six, and a seventh that comes byte by byte."""
    whole = tmp_path / "whole.ccs"
    writer = CcsWriter(whole, 1, 0, "t")
    writer.step()
    for _ in range(7):
        writer.record(3.7, 1e-3, 1e-2, 3.7e-2, 10.0)
    data = whole.read_bytes()
    grown = tmp_path / "grown.ccs"
    file = CcsFile(grown)
    points: list[Point] = []
    for size in (0, 100, 0xA80, 0xA80 + 200, 0xA80 + 256, 0xA80 + 256 + 20, len(data)):
        grown.write_bytes(data[:size])
        points += file.read()
    assert [round(p.time) for p in points] == [10, 20, 30, 40, 50, 60, 70]
    assert points[-1].coulombs == pytest.approx(7e-2)
    assert file.read() == []


def test_the_time_of_a_record_may_stand_before_its_floats(tmp_path: Path) -> None:
    file = tmp_path / "t.ccs"
    page = struct.pack("<II", 0x0603, 1) + struct.pack("<iffff", 10_000, 3.7, -1000.0, 2.7778, 10.278)
    file.write_bytes(bytes(0xA80) + page.ljust(128, b"\0"))
    [point] = CcsFile(file).read()
    assert (point.time, point.volts, point.amperes) == pytest.approx((10.0, 3.7, -1e-3))
    assert point.coulombs == pytest.approx(-1e-2, rel=1e-4)
    assert point.direction == -1


def test_a_real_export_keeps_the_makers_own_capacities() -> None:
    """Its current is rounded to 0.1 mA: what counts is its own columns, per step and in ampere-hours."""
    points = list(TextFile(EXPORT).read())
    ends: dict[int, Point] = {point.step: point for point in points}
    steps = [(e.direction, e.coulombs) for e in ends.values()]
    assert steps[0] == (0, 0.0)
    lines = [line.split(",") for line in EXPORT.read_text().splitlines()[7:]]
    last = [list(rows)[-1] for _, rows in groupby(lines, key=lambda row: row[2])]
    for (direction, coulombs), row in zip(steps, last, strict=True):
        column = 9 if direction == 1 else 8
        assert abs(coulombs) == pytest.approx(3600.0 * float(row[column]) if direction else 0.0)
        assert (coulombs >= 0.0) == (direction != -1)


def test_an_export_that_is_being_written_is_read_to_its_last_whole_line(tmp_path: Path) -> None:
    text = EXPORT.read_bytes()
    grown = tmp_path / "grown.csv"
    file = TextFile(grown)
    count = 0
    for size in (50, 900, 901, 5000, len(text)):
        grown.write_bytes(text[:size])
        count += len(file.read())
    assert count == len(TextFile(EXPORT).read())


def test_a_workbook_is_read_again_when_it_was_exported_again(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl", reason="openpyxl is not installed")
    path = tmp_path / "t.xlsx"
    rows = [
        ["No", "Step", "TestTime/Sec", "StepTime/Sec", "Voltage/V", "Current/mA", "Capacity/mAh", "Mode"],
        [1, 1, 0, 0, 3.7, 0, 0, "Rest"],
        [2, 2, "00:01:00", 0, 3.6, -1, 0, "D_CC"],
        [3, 2, "00:02:00", 60, 3.5, -1, 1 / 60, "D_CC"],
    ]
    file = Workbook(path)
    seen: list[Point] = []
    for count in (3, 4):
        book = openpyxl.Workbook()
        for row in rows[:count]:
            book.active.append(row)
        book.save(path)
        file._changed = None  # two exports within the clock's resolution
        seen += file.read()
    assert [(p.step, p.time, p.direction) for p in seen] == [(1, 0.0, 0), (2, 60.0, -1), (2, 120.0, -1)]
    assert seen[-1].coulombs == pytest.approx(-0.06)
    assert seen[-1].amperes == pytest.approx(-1e-3)


async def test_nothing_here_claims_to_control_a_land(tmp_path: Path) -> None:
    link = await open_link(f"file://{tmp_path}/t.ccs")
    with pytest.raises(RefusedError, match="takes no orders from here"):
        await Land.disconnect(link)
    with pytest.raises(InstrumentError, match=r"ends in .ccs, .csv"):
        await Land.open(await open_link(f"file://{tmp_path}/t.doc"))
    channel = await channel_of(f"file://{tmp_path}/t.ccs")
    assert not channel.controls
    with pytest.raises(LinkError, match="No such file"):
        await channel.look()


def test_a_file_read_while_it_grows_gives_every_record(tmp_path: Path) -> None:
    """Five records to a step, so that no page is full: one read too early looks like one that is finished."""
    steps = 2_000
    writer = CcsWriter(tmp_path / "growing.ccs", 1, 0, "t")

    def write() -> None:
        for _ in range(steps):
            writer.step()
            for _ in range(5):
                writer.record(3.7, 1e-3, 0.01, 0.037, 10.0)
        writer.close()

    writing = Thread(target=write)
    file = CcsFile(tmp_path / "growing.ccs")
    times: list[float] = []
    writing.start()
    while writing.is_alive():
        times += [point.time for point in file.read()]
    writing.join()
    times += [point.time for point in file.read()]
    assert times == [pytest.approx(10.0 * number) for number in range(1, 5 * steps + 1)]
