"""A whole protocol on the simulated Bio-Logic, as one list of linked techniques."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from drivers.base import ProgramState, ProgramStatus
from drivers.biologic import Biologic
from drivers.biologic_channel import EclibChannel
from drivers.links.opening import open_link
from drivers.whole import Stretch, Taken, WholeProgram
from protocols.cell import Cell
from protocols.plan import Plan
from protocols.reading import ImpedancePoint, Reading
from simulators.biologic import BioLogic
from tests.drivers.test_pairs import Capacitor
from tests.protocols.plans import plan_of
from tests.simulators.linear_cell import LinearCell

CELL = Cell.parse(
    "cell: c\nnominal_capacity: 10 mAh\nwindow: {voltage: 0.2 V .. 1.8 V, current: 50 mA}\n", "c"
)
"""Ten farads behind ten ohms, at 1 V; 10 mA are 1 mV/s and 0.1 V at once."""

CYCLES = """[{rest: 20 s}, {repeat: 3, steps: [
  {charge: 10 mA, until: voltage >= 1.4 V},
  {rest: 30 s},
  {discharge: 10 mA, until: capacity >= 0.5555555556 mAh or voltage <= 0.3 V}]}]"""


def plan(steps: str) -> Plan:
    return plan_of(steps, top="record: every 10 s\n", cell=CELL)


@asynccontextmanager
async def served(
    speed: float = float("inf"), cell: Capacitor | LinearCell | None = None
) -> AsyncIterator[tuple[str, Capacitor | LinearCell]]:
    cell = cell or Capacitor()
    async with BioLogic.serve(cell=cell, speed=speed, seed=1, bays=[{}]) as where:
        yield where.address, cell


@asynccontextmanager
async def channel_at(address: str) -> AsyncIterator[EclibChannel]:
    link = await open_link(address, Biologic.link_options)
    try:
        channel = (await Biologic.open(link)).channels["1"]
        assert isinstance(channel, EclibChannel)
        yield channel
    finally:
        await link.aclose()


async def followed(channel: EclibChannel, most: int = 1_000_000) -> tuple[ProgramStatus, list[Stretch]]:
    """Follow to the end, or until so many stretches were told."""
    stretches: list[Stretch] = []
    while True:
        status, new = await channel.follow()
        stretches += new
        if len(stretches) >= most or (status.state is not ProgramState.RUNNING and not new):
            return status, stretches


def ends(stretches: Sequence[Stretch]) -> list[tuple[int, str, float, str | None]]:
    """Return each step that is over: its visit, path and the moment it began, and why it ended."""
    return [(s.visit, s.path, round(s.began, 1), s.reason) for s in stretches if s.over]


async def test_cycles_run_alone_step_by_step_in_order_with_their_reasons() -> None:
    """Charge: from 1.0 V, 0.1 V at once, 0.3 V in 300 s, 3 C; the later ones 200 s for the 2 C taken out."""
    async with served() as (address, cell), channel_at(address) as channel:
        whole = plan(CYCLES)
        assert channel.unheld(whole) == []
        await channel.start_whole("run/1", WholeProgram(whole, 1.0))
        status, stretches = await followed(channel)
        assert status == ProgramStatus(ProgramState.FINISHED, "run/1")
        charged, discharged = "voltage >= 1.4 V", "capacity >= 0.5555555556 mAh"
        rested = "time >= 30 s"
        assert ends(stretches) == [
            (1, "1", 0.0, "time >= 20 s"),
            (2, "2.1", 20.0, charged),
            (3, "2.2", pytest.approx(320.0, abs=0.5), rested),
            (4, "2.3", pytest.approx(350.0, abs=0.5), discharged),
            (5, "2.1", pytest.approx(550.0, abs=0.5), charged),
            (6, "2.2", pytest.approx(750.0, abs=0.5), rested),
            (7, "2.3", pytest.approx(780.0, abs=0.5), discharged),
            (8, "2.1", pytest.approx(980.0, abs=0.5), charged),
            (9, "2.2", pytest.approx(1180.0, abs=0.5), rested),
            (10, "2.3", pytest.approx(1210.0, abs=0.5), discharged),
        ]
        assert cell.charge == pytest.approx(1.0, abs=0.01)
        numbers = [record.number for stretch in stretches for record in stretch.records]
        assert numbers == list(range(1, len(numbers) + 1))
        await channel.off()


async def test_a_hold_straight_after_its_charge_has_no_open_circuit_between() -> None:
    """1.4 V held after 10 mA: the current begins at 10 mA and falls with 100 s; 1 mA after 230 s."""
    async with served() as (address, _), channel_at(address) as channel:
        whole = plan(
            "[{charge: 10 mA, until: voltage >= 1.4 V}, {hold: 1.4 V, until: current <= 1 mA or time >= 1 h}]"
        )
        assert channel.unheld(whole) == []
        await channel.start_whole("run/1", WholeProgram(whole, 1.0))
        status, stretches = await followed(channel)
        assert status.state is ProgramState.FINISHED
        assert [s.reason for s in stretches if s.over] == ["voltage >= 1.4 V", "current <= 1 mA"]
        held = [r.point for s in stretches if s.path == "2" for r in s.records]
        first, last = held[0], held[-1]
        assert isinstance(first, Reading)
        assert isinstance(last, Reading)
        assert first.current == pytest.approx(0.01, rel=0.01)
        assert last.time - first.time == pytest.approx(230.3, abs=2.0)


async def test_a_hold_that_is_resumed_is_approached_from_open_circuit() -> None:
    """1.4 V from 1 V over ten ohm, 100 s of an hour behind it; what is left of the hour is held."""
    hold = "{hold: 1.4 V, until: time >= 1 h}"
    charge = "{charge: 10 mA, until: voltage >= 1.4 V}"
    async with served() as (address, _), channel_at(address) as channel:
        rest_of_it = plan(f"[{charge}, {hold}, {charge}]")
        rest_of_it = replace(rest_of_it, steps=rest_of_it.steps[1:])
        await channel.start_whole("run/1", WholeProgram(rest_of_it, 1.0, seconds_done=100.0))
        _, stretches = await followed(channel)
        held = [r.point for s in stretches if s.visit == 1 for r in s.records]
        assert ends(stretches)[0][3] == "time >= 1 h"
        assert held[-1].time == pytest.approx(3500.0, abs=0.1)
        early = [p.current for p in held if isinstance(p, Reading) and p.time < 0.2]
        assert max(early) < 0.025


async def test_a_limit_opens_the_circuit_though_an_end_would_go_on() -> None:
    """The discharge may not go below 0.2 V; told to take out all it has, it trips before it is done."""
    async with served() as (address, cell), channel_at(address) as channel:
        whole = plan(
            "[{discharge: 10 mA, until: capacity >= 3 mAh}, {charge: 10 mA, until: voltage >= 1.4 V}]"
        )
        await channel.start_whole("run/1", WholeProgram(whole, 1.0))
        status, stretches = await followed(channel)
        assert status.limit
        assert "is outside 0.2 to 1.8 V" in (status.reason or "")
        assert ends(stretches) == []
        assert cell.charge == pytest.approx(-7.0, abs=0.05)  # 1 V - 0.1 V at once - 0.7 V


async def test_a_ceiling_is_no_end_either() -> None:
    """A thousand farads rise by 43 mV with the 43.2 C that a cell of 10 mAh may take at most."""
    steps = "[{charge: 10 mA, until: voltage >= 1.5 V}, {discharge: 10 mA, until: voltage <= 0.5 V}]"
    cell = LinearCell(rest=1.0, farads=1000.0)
    async with served(cell=cell) as (address, _), channel_at(address) as channel:
        await channel.start_whole("run/1", WholeProgram(plan(steps), 1.0))
        status, stretches = await followed(channel)
        assert (status.limit, status.reason) == (True, "step capacity is outside its limit")
        assert ends(stretches) == []
        assert cell.charge == pytest.approx(43.2, rel=1e-3)


async def test_a_list_somebody_else_stopped_is_not_over() -> None:
    async with (
        served() as (address, _),
        channel_at(address) as channel,
        channel_at(address) as other,
    ):
        await channel.start_whole("run/1", WholeProgram(plan("[{charge: 10 mA, until: time >= 1 h}]"), 1.0))
        await followed(channel, most=1)
        await other.off()
        status, stretches = await followed(channel)
        assert status.state is ProgramState.FAULT
        assert "stopped in the middle" in (status.reason or "")
        assert ends(stretches) == []


async def test_another_core_goes_on_where_one_left_off() -> None:
    """Each record once, each step once, and the visits go on counting."""
    async with served() as (address, cell):
        program = WholeProgram(plan(CYCLES), 1.0)
        async with channel_at(address) as first:
            await first.start_whole("run/1", program)
            _, before = await followed(first, most=9)
        records = [record for stretch in before for record in stretch.records]
        latest = next(s for s in reversed(before) if s.records)
        time = latest.records[-1].point.time
        taken = Taken(records[-1].number, latest.visit, time, time - latest.began)
        async with channel_at(address) as second:
            assert not await second.attach_whole("run/1", WholeProgram(plan("[rest: 20 s]"), 1.0), taken)
            assert await second.attach_whole("run/1", program, taken)
            status, after = await followed(second)
            assert status.state is ProgramState.FINISHED
            await second.off()
        told = [record for stretch in (*before, *after) for record in stretch.records]
        assert [record.number for record in told] == list(range(1, len(told) + 1))
        times = [record.point.time for record in told]
        assert times == sorted(times)
        over = [visit for visit, *_ in ends([*before, *after])]
        assert over == list(range(1, 11))
        assert cell.charge == pytest.approx(1.0, abs=0.01)


async def test_a_step_that_is_skipped_is_itself_again_in_the_next_cycle() -> None:
    """Two rests of fifty minutes; the first is ended early, and long before the second one begins."""
    steps = "[{repeat: 2, steps: [{rest: 50 min}, {charge: 1 mA, until: time >= 10 min}]}]"
    async with served() as (address, _), channel_at(address) as channel:
        await channel.start_whole("run/1", WholeProgram(plan(steps), 1.0))
        _, first = await followed(channel, most=1)
        await channel.skip()
        _, rest = await followed(channel)
        began = [s.began for s in (*first, *rest) if s.over]
        assert began[1] < 2900.0
        assert began[3] - began[2] == pytest.approx(3000.0, abs=1.0)


async def test_a_rest_and_a_spectrum_at_open_circuit_are_one_program() -> None:
    async with served() as (address, _), channel_at(address) as channel:
        spectrum = "{impedance: 5 mV, versus: open circuit, from: 1 kHz, to: 1 Hz, points_per_decade: 5}"
        whole = plan(f"[{{rest: 10 s}}, {spectrum}]")
        assert channel.unheld(whole) == []
        await channel.start_whole("run/1", WholeProgram(whole, 1.0))
        _, stretches = await followed(channel)
        points = [r.point for s in stretches for r in s.records if isinstance(r.point, ImpedancePoint)]
        assert all(point.real == pytest.approx(10.0, rel=0.02) for point in points)
        assert [visit for visit, *_ in ends(stretches)] == [1, 2]


@pytest.mark.parametrize(
    ("steps", "reason"),
    [
        (
            "[{polarise: 10 mV, versus: open circuit, until: time >= 1 h}]",
            "an open circuit",
        ),
        ("[{rest: 1 h, until: voltage_slope <= 1 mV/h}]", "the instrument cannot judge"),
        ("[{rest: 1 h}, {hold: 1.2 V, until: time >= 1 h}]", "without a peak of current"),
        (
            "[{repeat: 3, until: retention < 80 %, steps: [{discharge: 1 mA, until: voltage <= 0.5 V}]}]",
            "its loops only count",
        ),
        ("[{repeat: 2, steps: [{repeat: 2, steps: [{rest: 1 h}]}]}]", "nested is not known"),
        (f"[{', '.join(['{rest: 1 h}'] * 21)}]", "a channel has room for 20"),
        (
            "[{charge: 1 mA, until: time >= 1 h}, {repeat: 2, steps: "
            "[{hold: 1.2 V, until: time >= 1 h}, {discharge: 1 mA, until: time >= 1 h}]}]",
            "without a peak of current",
        ),
    ],
)
async def test_what_cannot_be_left_to_it_is_named(steps: str, reason: str) -> None:
    async with served() as (address, _), channel_at(address) as channel:
        [found] = channel.unheld(plan(steps))
        assert reason in found.reason
