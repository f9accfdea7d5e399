"""A core's studies: nothing is done twice, whenever the core is killed; what people want of them."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from daemon.errors import BusyError, ServiceError, StaleError, UnknownError
from daemon.requests import (
    CancelStudy,
    ConductStudy,
    ContinueStudy,
    LeaveOutCell,
    MountCell,
    PauseStudy,
    RetryCell,
    Study,
    StudyDraft,
    StudyText,
)
from daemon.requests import (
    Studies as Listed,
)
from daemon.studies.schedule import finishes
from daemon.studies.studies import Studies
from protocols.errors import ProtocolError
from tests.daemon.studies.floor import Dead, Fate, MortalJournal, TwoInstruments, World, journal_at

PROTOCOL = "protocol: rest\nlimits: {voltage: 0 V .. 4.5 V, current: 100 mA}\nsteps:\n  - rest: 2 min\n"
CELL = "cell: Li-S\narea: 1 cm2\n"
STUDY = """study: rests
replicates: 2
runs:
  - protocol: rest
    cell: mine
    on: sim
    variants:
      PP: {simulated: li_s/pp}
      GO/PP: {simulated: li_s/go}
  - protocol: rest
    cell: mine
    on: real
    replicates: 1
    variants:
      PP: {}
"""
PROTOCOLS = {"rest": StudyText(PROTOCOL, "protocols/rest")}
CELLS = {"mine.yaml": StudyText(CELL, "cells/mine.yaml")}


def order(study: str = STUDY, anew: bool = False) -> ConductStudy:
    return ConductStudy(study=study, study_file="study", protocols=PROTOCOLS, cells=CELLS, anew=anew)


LOOK = 1e-3
"""Seconds between looks: whoever looks without a pause keeps the journal's own thread from its work."""


def patiently() -> Iterator[None]:
    """Let look again and again, for as long as a slow disk may take to keep a handful of cells."""
    end = time.monotonic() + 90.0
    while time.monotonic() < end:
        yield


class Lab:
    """One core's studies over a world that outlives it."""

    def __init__(self, journal: MortalJournal, floor: TwoInstruments) -> None:
        self.floor = floor
        self.studies = Studies("lab", journal, floor, clock=lambda: 1000.0)

    async def ask(self, request: Any) -> Any:
        found = await self.studies.answer(request, "anna")
        self.studies.wake()
        return found

    async def until(self, *states: str, study: str = "lab-s1") -> Mapping[int, Mapping[str, Any]]:
        """Return the cells by their numbers once they are so, in their order."""
        for _ in patiently():
            cells = (await self.studies.answer(Study(study), "anna"))["each"]
            if tuple(cell["state"] for cell in cells) == states:
                return {cell["number"]: cell for cell in cells}
            await asyncio.sleep(LOOK)
        raise AssertionError([cell["state"] for cell in cells])

    async def until_over(self, study: str = "lab-s1") -> Mapping[str, Any]:
        for _ in patiently():
            found: Mapping[str, Any] = await self.studies.answer(Study(study), "anna")
            if found["ended"] is not None:
                return found
            for cell in found["each"]:
                if cell["state"] == "asked":
                    await self.ask(MountCell(study=study, cell=cell["number"], channel=cell["channel"]))
            await asyncio.sleep(LOOK)
        raise AssertionError(found)


@asynccontextmanager
async def lab(path: Path, floor: TwoInstruments | None = None) -> AsyncIterator[Lab]:
    """Run a core's studies while inside; a killed one leaves its journal as it is."""
    floor = floor or TwoInstruments(World())
    journal = await journal_at(path, floor.fate)
    found = Lab(journal, floor)
    try:
        async with asyncio.TaskGroup() as group:
            found.studies.conducted_in(group)
            yield found
            for task in found.studies.tasks():
                task.cancel()
    finally:
        journal.fate = Fate()
        await journal.aclose()


async def killed_at(fate: Fate, path: Path, world: World) -> bool:
    """Conduct the study until the core dies as it is fated to; return whether it did."""
    floor = TwoInstruments(world, fate)
    with contextlib.suppress(Dead):
        try:
            async with lab(path, floor) as found:
                await found.ask(order())
                await found.until_over()
            return False
        except BaseExceptionGroup as error:
            raise Dead from error
    return True


async def test_killed_at_any_step_it_does_nothing_twice_and_leaves_nothing_undone(tmp_path: Path) -> None:
    """Four simulated cells and a real one: five runs, each of its own cell, whenever the core dies."""
    point, died = 0, True
    while died:
        point += 1
        fate, world, path = Fate(point), World(), tmp_path / f"{point}.db"
        died = await killed_at(fate, path, world)
        async with lab(path, TwoInstruments(world)) as found:
            await found.ask(order())  # whoever got no answer asks again
            over = await found.until_over()
            [listed] = await found.ask(Listed())
        assert (over["state"], listed["study"]) == ("finished", "lab-s1"), point
        cells = [request.cell.split("\n")[0] for request in world.begun.values()]
        assert Counter(cells) == {
            "cell: Li-S · PP · no. 1": 2,  # the second is that of the real instrument
            "cell: Li-S · PP · no. 2": 1,
            "cell: Li-S · GO/PP · no. 1": 1,
            "cell: Li-S · GO/PP · no. 2": 1,
        }, point
        simulated = [
            world.held[cell["run"]] for cell in over["each"] if (cell["channel"] or "").startswith("sim")
        ]
        assert simulated == ["li_s/pp 1", "li_s/go 2", "li_s/pp 3", "li_s/go 4"], point
        assert [cell["readings"] for cell in over["each"]] == [7] * 5
    # it was begun and ended, and five cells began, ran and ended; four were put in and looked into, and
    # a run's beginning has a point before and one after it, as a commit has
    assert fate.commits >= 2 + 3 * 5
    points = 2 * fate.commits + 2 * 4 + 2 * 5
    assert points - 1 <= fate.passed <= points  # the last commit is seen before whoever made it goes on


async def test_what_was_put_into_a_simulated_cell_is_kept_with_it(tmp_path: Path) -> None:
    async with lab(tmp_path / "j.db") as found:
        await found.ask(order())
        await found.until_over()
        whole = await found.ask(Study("s1", whole=True))
    assert whole["truths"]["3"] == {"cell": "li_s/pp 3"}
    assert "5" not in whole["truths"]


async def test_no_cell_is_put_where_one_was_until_it_is_known_what_was_put_in(tmp_path: Path) -> None:
    floor = TwoInstruments(World(), ends_at_once=False)
    async with lab(tmp_path / "j.db", floor) as found:
        await found.ask(order())
        cells = await found.until("running", "waiting", "waiting", "waiting", "asked")
        floor.finish(cells[1]["run"], closed=False)
        for _ in range(20):
            await found.ask(Listed())  # each goes through the journal's thread, as whatever is done does
        assert floor.world.inserted == {"sim-1": "li_s/pp 1"}
        floor.unclosed.clear()
        found.studies.wake()
        await found.until("finished", "running", "waiting", "waiting", "asked")
        whole = await found.ask(Study("s1", whole=True))
        assert whole["truths"] == {"1": {"cell": "li_s/pp 1"}}


async def test_a_channel_somebody_has_queued_for_is_left_to_them_and_one_asked_for_is_kept(
    tmp_path: Path,
) -> None:
    floor = TwoInstruments(World(), occupied={"sim-1", "real-1"})
    async with lab(tmp_path / "j.db", floor) as found:
        await found.ask(order())
        await found.until("waiting", "waiting", "waiting", "waiting", "asked")
        assert "cell 5 of study lab-s1" in str(found.studies.kept_from("real-2", "somebody's"))
        assert found.studies.kept_from("real-1", "") is None
        assert found.studies.wanted("real-2") == "lab-s1: put rest, PP here"
        with pytest.raises(BusyError, match="real-1 is not free"):
            await found.ask(MountCell(study="s1", cell=5, channel="real-1"))
        with pytest.raises(ServiceError, match="real-1, real-2 are"):
            await found.ask(MountCell(study="s1", cell=5, channel="sim-1"))
        floor.occupied.clear()
        await found.ask(MountCell(study="s1", cell=5, channel="real-1"))  # he took another holder
        await found.until_over()
    assert [request.channel for request in floor.world.begun.values()].count("real-1") == 1


async def test_a_channel_that_was_kept_for_a_cell_which_is_left_out_is_let_go(tmp_path: Path) -> None:
    floor = TwoInstruments(World(), ends_at_once=False)
    async with lab(tmp_path / "j.db", floor) as found:
        await found.ask(order(STUDY.replace("replicates: 2", "replicates: 1")))
        await found.until("running", "waiting", "asked")
        assert floor.left == []
        await found.ask(LeaveOutCell(study="s1", cell=3, reason="it was dropped"))
        for _ in patiently():
            if floor.left:
                break
            await asyncio.sleep(LOOK)
        assert floor.left == ["real-1"]


async def one_measured_two_left_out(found: Lab, floor: TwoInstruments) -> None:
    """A study `s1` that is over, two of whose cells can be tried again."""
    await found.ask(order(STUDY.replace("replicates: 2", "replicates: 1")))
    cells = await found.until("running", "waiting", "asked")
    for number in (2, 3):
        await found.ask(LeaveOutCell(study="s1", cell=number, reason="not today"))
    floor.finish(cells[1]["run"])
    found.studies.wake()
    await found.until_over()


async def test_two_who_try_again_at_once_what_was_over_have_one_study_conducted(tmp_path: Path) -> None:
    floor = TwoInstruments(World(), ends_at_once=False)
    async with lab(tmp_path / "j.db", floor) as found:
        await one_measured_two_left_out(found, floor)
        again = (found.ask(RetryCell(study="s1", cell=number)) for number in (2, 3))
        await asyncio.gather(*again)
        cells = await found.until("finished", "running", "asked")
        assert len(found.studies.tasks()) == 1
        floor.finish(cells[2]["run"])
        await found.ask(LeaveOutCell(study="s1", cell=3, reason="not today"))
        assert (await found.until_over())["state"] == "finished"
        assert len(floor.world.begun) == 2


@dataclass
class Slow(TwoInstruments):
    """A bench that takes a channel back when it likes."""

    taking: asyncio.Event = field(default_factory=asyncio.Event)

    async def let_go(self, channel: str) -> None:
        await self.taking.wait()
        await super().let_go(channel)


async def test_a_cell_tried_again_while_its_study_comes_to_its_end_is_measured(tmp_path: Path) -> None:
    floor = Slow(World(), ends_at_once=False)
    async with lab(tmp_path / "j.db", floor) as found:
        await one_measured_two_left_out(found, floor)
        await found.ask(RetryCell(study="s1", cell=3))
        floor.taking.set()
        await found.until("finished", "left out", "asked")


async def test_a_cell_that_went_wrong_is_tried_again_or_left_out(tmp_path: Path) -> None:
    floor = TwoInstruments(World(), ends_at_once=False)
    async with lab(tmp_path / "j.db", floor) as found:
        await found.ask(order(STUDY.replace("replicates: 2", "replicates: 1")))
        cells = await found.until("running", "waiting", "asked")
        floor.finish(cells[1]["run"], "tripped", "voltage 4.6 is outside 0 to 4.5")
        found.studies.wake()
        cells = await found.until("tripped", "running", "asked")
        with pytest.raises(ServiceError, match="stop its run first"):
            await found.ask(LeaveOutCell(study="s1", cell=2, reason="no"))
        with pytest.raises(ServiceError, match="none was given"):
            await found.ask(LeaveOutCell(study="s1", cell=3, reason=" "))
        await found.ask(LeaveOutCell(study="s1", cell=3, reason="it was dropped"))
        floor.finish(cells[2]["run"])
        await found.ask(RetryCell(study="s1", cell=1))
        cells = await found.until("running", "finished", "left out")
        assert cells[1]["earlier"] == ["lab-1"]
        floor.finish(cells[1]["run"])
        found.studies.wake()
        over = await found.until_over()
        assert (over["state"], over["each"][2]["reason"]) == ("finished", "it was dropped")
        await found.ask(RetryCell(study="s1", cell=3))  # another was made: it goes on
        await found.until("finished", "finished", "asked")


async def test_paused_it_begins_nothing_and_asks_nobody_and_cancelled_it_ends_with_its_runs(
    tmp_path: Path,
) -> None:
    floor = TwoInstruments(World(), ends_at_once=False)
    async with lab(tmp_path / "j.db", floor) as found:
        seen = (await found.ask(order()))["revision"]
        cells = await found.until("running", "waiting", "waiting", "waiting", "asked")
        await found.ask(PauseStudy(study="s1", revision=seen))
        with pytest.raises(StaleError, match="somebody has acted"):
            await found.ask(PauseStudy(study="s1", revision=seen))
        floor.finish(cells[1]["run"])
        found.studies.wake()
        await found.until("finished", "waiting", "waiting", "waiting", "waiting")
        await found.ask(ContinueStudy(study="s1"))
        cells = await found.until("finished", "running", "waiting", "waiting", "asked")
        await found.ask(CancelStudy(study="s1", reason="the chamber is broken"))
        await found.until("finished", "running", "left out", "left out", "left out")
        floor.finish(cells[2]["run"])
        found.studies.wake()
        assert (await found.until_over())["state"] == "cancelled"
        with pytest.raises(ServiceError, match="cancelled"):
            await found.ask(PauseStudy(study="s1"))


async def test_a_later_version_takes_over_what_is_measured_and_what_runs(tmp_path: Path) -> None:
    floor = TwoInstruments(World(), ends_at_once=False)
    async with lab(tmp_path / "j.db", floor) as found:
        await found.ask(order())
        cells = await found.until("running", "waiting", "waiting", "waiting", "asked")
        floor.finish(cells[1]["run"])
        found.studies.wake()
        cells = await found.until("finished", "running", "waiting", "waiting", "asked")
        larger = order(STUDY.replace("replicates: 2", "replicates: 3"))
        assert (await found.ask(larger))["study"] == "lab-s2"
        assert (await found.ask(larger))["study"] == "lab-s2", "the same text is the same study"
        later = await found.until(
            "finished", "running", "waiting", "waiting", "waiting", "waiting", "asked", study="lab-s2"
        )
        assert [later[n]["run"] for n in (1, 2)] == [cells[n]["run"] for n in (1, 2)]
        assert (await found.until_over("lab-s1"))["state"] == "replaced"
        assert (await found.ask(Study("s2", whole=True)))["truths"] == {"1": {"cell": "li_s/pp 1"}}
        assert (await found.ask(order(anew=True)))["study"] == "lab-s3"


async def test_an_instrument_that_was_off_is_tried_again(tmp_path: Path) -> None:
    floor = TwoInstruments(World(), off={"sim-1", "real-1", "real-2"})
    async with lab(tmp_path / "j.db", floor) as found:
        await found.ask(order())
        await found.until_over()
    assert len(floor.world.begun) == 5


async def test_a_channel_taken_at_the_last_moment_is_waited_for(tmp_path: Path) -> None:
    floor = TwoInstruments(World(), refuses="somebody was quicker")
    async with lab(tmp_path / "j.db", floor) as found:
        await found.ask(order())
        await found.until("waiting", "waiting", "waiting", "waiting", "asked")
        floor.refuses = None
        found.studies.wake()
        await found.until_over()
    assert len(floor.world.begun) == 5


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("on: sim", "on: smi", "study:6:9: the bench has no 'smi'; wanted an instrument or a channel of it"),
        (
            "cell: mine",
            "cell: yours",
            "study:5:11: the unknown cell 'yours'; wanted a cell file sent with the study",
        ),
        ("PP: {simulated: li_s/pp}", "PP: {}", "study:8:7: 'PP' without `simulated`, while channel sim-1"),
    ],
)
async def test_what_is_wrong_with_a_study_is_told_at_its_place_before_anything_is_kept(
    tmp_path: Path, before: str, after: str, said: str
) -> None:
    async with lab(tmp_path / "j.db") as found:
        with pytest.raises(ProtocolError) as refused:
            await found.ask(order(STUDY.replace(before, after)))
        assert said in str(refused.value)
        with pytest.raises(UnknownError):
            await found.ask(Study("s1"))


async def test_a_mistake_in_a_protocol_of_the_study_is_told_at_its_own_place(tmp_path: Path) -> None:
    wrong = {"rest": StudyText(PROTOCOL.replace("2 min", "2 mni"), "protocols/rest")}
    async with lab(tmp_path / "j.db") as found:
        with pytest.raises(ProtocolError, match="protocols/rest:4:13: "):
            await found.ask(StudyDraft(study=STUDY, study_file="study", protocols=wrong, cells=CELLS))


def test_the_end_is_foreseen_for_cells_that_take_the_first_free_channel() -> None:
    """a is free in 10 s, b now: b until 5, again until 10; then a and b take one each until 15."""
    waiting = [(5.0, ["a", "b"])] * 4
    assert finishes(waiting, {"a": 10.0}) == [5.0, 10.0, 15.0, 15.0]
