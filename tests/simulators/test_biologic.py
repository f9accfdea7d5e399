"""The simulated Bio-Logic as EClib shows it: refusals and their codes, loops, memory, live changes."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TypeVar

import numpy as np
import pytest

from drivers.eclib import Block, Eclib
from drivers.eclib_technique import Parameter, Technique
from drivers.errors import InstrumentError
from drivers.links.eclib import EclibLink
from drivers.links.opening import open_link
from simulators.biologic import BioLogic, BioLogicSP300
from simulators.biologic.rows import INFOS, Memory, Source
from tests.simulators.linear_cell import LinearCell

T = TypeVar("T")

REST = Technique.of("ocv", Rest_time_T=10.0, Record_every_dE=0.0, Record_every_dT=1.0, E_Range=2)


def current(amperes: float, seconds: float, *tests: Parameter) -> Technique:
    return Technique(
        "cplimit" if tests else "cp",
        (
            Parameter("Current_step", amperes),
            Parameter("vs_initial", False),
            Parameter("Duration_step", seconds),
            Parameter("Step_number", 0),
            Parameter("Record_every_dT", seconds),
            Parameter("I_Range", 9),
            Parameter("E_Range", 2),
            Parameter("Bandwidth", 5),
            *tests,
        ),
    )


def loop(times: int, target: int) -> Technique:
    return Technique.of("loop", loop_N_times=times, protocol_number=target)


class Bench:
    """Calls made on channel 0, the only one there is; the cell is 3.7 V, 1000 F and 2 ohm."""

    def __init__(self, link: EclibLink, cell: LinearCell) -> None:
        self.cell = cell
        self._link = link

    async def call(self, work: Callable[[Eclib], T]) -> T:
        return await self._link.perform(work)

    async def start(self, *techniques: Technique, suffix: str = "") -> None:
        def work(eclib: Eclib) -> None:
            eclib.load_firmware(0, "", "")
            eclib.load(0, techniques, suffix)
            eclib.start(0)

        await self.call(work)

    async def all_data(self) -> list[Block]:
        """Return every block with rows, until the channel stands and its memory is empty."""
        blocks: list[Block] = []
        while True:
            block = await self.call(lambda eclib: eclib.data(0))
            if block.infos.NbRows:
                blocks.append(block)
            elif block.values.State == 0:
                return blocks


@asynccontextmanager
async def bench(family: type[BioLogic] = BioLogic, speed: float = float("inf")) -> AsyncIterator[Bench]:
    cell = LinearCell()
    async with family.serve(cell=cell, speed=speed, seed=1, bays=[{}]) as served:
        link = await open_link(served.address)
        assert isinstance(link, EclibLink)
        try:
            yield Bench(link, cell)
        finally:
            await link.aclose()


def columns(blocks: Sequence[Block], column: int) -> list[float]:
    """Return one column of rows of floats."""
    found: list[float] = []
    for block in blocks:
        rows = block.words.reshape(block.infos.NbRows, block.infos.NbCols)
        found += rows.copy().view(np.float32)[:, column].tolist()
    return found


def changed(technique: Technique, label: str, value: float) -> Technique:
    parameters = (replace(p, value=value) if p.label == label else p for p in technique.parameters)
    return replace(technique, parameters=tuple(parameters))


@pytest.mark.parametrize(
    ("technique", "suffix", "code"),
    [
        (REST, "4", -401),  # a file of the other family's boards
        (replace(REST, name="swv"), "", -400),
        (changed(REST, "E_Range", 7), "", -4),
        (changed(REST, "Rest_time_T", 10), "", -4),  # an integer where a single is wanted
        (replace(REST, parameters=(*REST.parameters, Parameter("Rest_time", 1.0))), "", -4),
        (replace(REST, parameters=REST.parameters[1:]), "", -4),
        (current(0.5, 1.0), "", -4),  # amperes a VMP3 has not
        (changed(current(0.1, 1.0), "I_Range", 12), "", -4),  # automatic, where the current is controlled
        (changed(current(0.1, 1.0), "Bandwidth", 8), "", -4),
        (loop(1, 0), "", -4),  # back to itself
    ],
)
async def test_what_is_refused_when_it_is_loaded(technique: Technique, suffix: str, code: int) -> None:
    async with bench() as at:
        with pytest.raises(InstrumentError, match=f"BL_LoadTechnique answered {code}:"):
            await at.start(technique, suffix=suffix)


async def test_an_sp300_wants_the_files_of_its_own_boards() -> None:
    async with bench(BioLogicSP300) as at:
        with pytest.raises(InstrumentError, match="answered -401"):
            await at.start(REST)
        await at.start(REST, suffix="4")
        assert {block.infos.NbCols for block in await at.all_data()} == {3}


async def test_without_firmware_without_techniques_and_twice_are_refused() -> None:
    async with bench(speed=1.0) as at:
        for work, code in (
            (lambda eclib: eclib.load(0, [REST], ""), -308),
            (lambda eclib: eclib.start(0), -308),
            (lambda eclib: eclib.load_firmware(0, "", ""), 0),
            (lambda eclib: eclib.start(0), -6),
            (lambda eclib: eclib.load(0, [REST], ""), 0),
            (lambda eclib: eclib.start(0), 0),
            (lambda eclib: eclib.start(0), -13),
            (lambda eclib: eclib.load(0, [REST], ""), -13),
            (lambda eclib: eclib.stop(0), 0),
            (lambda eclib: eclib.stop(0), 0),
            (lambda eclib: eclib.start(1), -3),
        ):
            assert await answered(at, work) == code


async def answered(at: Bench, work: Callable[[Eclib], None]) -> int:
    try:
        await at.call(work)
    except InstrumentError as error:
        return int(str(error).split(" answered ")[1].partition(":")[0])
    return 0


async def test_a_loop_goes_back_so_many_times_and_counts_them() -> None:
    """(+10 mA 100 s, -10 mA 50 s) once and twice more: 1.5 C."""
    async with bench() as at:
        await at.start(current(0.01, 100.0), current(-0.01, 50.0), loop(2, 0))
        blocks = await at.all_data()
        order = [(block.infos.loop, block.infos.TechniqueIndex) for block in blocks]
        assert sorted(set(order)) == [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1)]
        assert order == sorted(order)
        starts = sorted({block.infos.StartTime for block in blocks})
        assert starts == pytest.approx([0.0, 100.0, 150.0, 250.0, 300.0, 400.0])
        assert at.cell.charge == pytest.approx(1.5)


async def test_tests_joined_by_and_wait_for_both() -> None:
    """3.72 V at 10 mA, then 10 uV/s: above 3.73 V after 1000 s; above 5 mA all along."""
    above_voltage, above_current, both = 0b101, 0b101 | 3 << 5, 0b10
    async with bench() as at:
        for join, seconds in ((both, 1000.0), (0, 0.0)):
            tests = (
                Parameter("Test1_Config", above_current | join),
                Parameter("Test1_Value", 0.005),
                Parameter("Test2_Config", above_voltage),
                Parameter("Test2_Value", 3.73),
                Parameter("Exit_Cond", 2),
            )
            at.cell.charge = 0.0
            await at.start(current(0.01, 5000.0, *tests), REST)
            blocks = await at.all_data()
            assert {block.infos.TechniqueIndex for block in blocks} == {0}  # 2 stops the experiment
            assert at.cell.charge == pytest.approx(0.01 * seconds, abs=0.06)


async def test_a_step_made_shorter_while_it_runs_ends() -> None:
    shorter = changed(current(0.01, 1e6), "Duration_step", 1.0)
    async with bench(speed=100.0) as at:
        await at.start(current(0.01, 1e6))
        await at.call(lambda eclib: eclib.update(0, 0, shorter, ""))
        await at.all_data()
        assert at.cell.charge < 100.0


def test_rows_beyond_the_memory_are_lost_and_counted_and_others_kept_until_they_have_arrived() -> None:
    """Two rows of sixteen bytes fit into forty; of five the last three are lost."""
    memory, source = Memory(40), Source(0, 100, 0, 0, 0.0, 4)
    for row in range(5):
        memory.add(source, [bytes((row,)) * 16])
    first, second = memory.next(), memory.next()
    assert first == second  # nobody said that it arrived
    assert first[1] == b"\0" * 16 + b"\1" * 16
    memory.taken()
    memory.add(source, [b"\6" * 16])
    infos, words = memory.next()
    assert words == b"\6" * 16
    assert INFOS.unpack(infos)[:2] == (3, 1)  # IRQskipped, NbRows


async def test_a_voltage_is_resolved_as_finely_as_its_range_allows() -> None:
    async with bench() as at:
        for number, volts in ((1, 5.0), (2, 10.0)):
            await at.start(changed(REST, "E_Range", number))
            step = volts / 2**19
            found = columns(await at.all_data(), 2)
            assert all(abs(v / step - round(v / step)) < 0.1 for v in found)
            assert found[0] == pytest.approx(3.7, abs=1e-3)
