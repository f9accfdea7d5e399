"""The live stream: what of a look at the cores is told, and to whom."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec

from daemon.control import listening
from daemon.glance import Glance, Values
from daemon.requests import Request
from daemon.web.cores import Cores
from daemon.web.live import Live, Watcher
from daemon.web.seen import row
from tests.web.cores import LATER, READ, Core, there


async def told(live: Live, watcher: Watcher | None) -> dict[str, Any]:
    """Look once, and return what a watcher is told of it."""
    assert watcher is not None
    await live.look()
    message: dict[str, Any] = json.loads(await watcher.next())
    return message


def test_a_row_is_the_channels_place_and_its_reading_as_the_core_wrote_it() -> None:
    assert row(7, b"[1764102345.678,12.5,2.1,-0.0001,4.5,null,null,3,12]") == (
        b"[7,1764102345.678,12.5,2.1,-0.0001,4.5,null,null,3,12]"
    )
    assert json.loads(row(0, msgspec.json.encode(Values()))) == [0, *[None] * 9]


async def test_first_everything_is_told_and_then_only_what_changed(tmp_path: Path) -> None:
    core = Core(tmp_path / "lab", smu1=READ, smu2=READ)
    live = Live(Cores({"lab": core.path}))
    async with there(core):
        with live.watched() as watcher:
            first = await told(live, watcher)
            core.says("idle", smu1=READ, smu2=LATER)
            second = await told(live, watcher)
            core.says("paused", smu1=READ, smu2=LATER)
            third = await told(live, watcher)
    assert (first["kind"], [each["channel"] for each in first["channels"]]) == ("snapshot", ["smu1", "smu2"])
    assert [values[0] for values in first["values"]] == [0, 1]
    assert (second["kind"], second["channels"]) == ("change", [])
    assert second["values"] == [[1, 1001.0, 1, 2.1, 0.1, None, None, None, 1, 1]]
    assert [(each["index"], each["state"]) for each in third["channels"]] == [(0, "paused"), (1, "paused")]
    assert third["values"] == []
    assert [each["number"] for each in (first, second, third)] == [1, 2, 3]


async def test_channels_in_another_order_are_told_anew(tmp_path: Path) -> None:
    core = Core(tmp_path / "lab", smu1=READ, smu2=LATER)
    live = Live(Cores({"lab": core.path}))
    async with there(core):
        with live.watched() as watcher:
            await told(live, watcher)
            core.says("idle", smu2=LATER, smu1=READ)
            message = await told(live, watcher)
    assert message["kind"] == "snapshot"
    assert [each["channel"] for each in message["channels"]] == ["smu2", "smu1"]


async def test_a_core_that_goes_and_comes_back_hides_none_of_another_with_the_same_channels(
    tmp_path: Path,
) -> None:
    north, south = Core(tmp_path / "north", smu1=READ), Core(tmp_path / "south", smu1=READ)
    live = Live(Cores({"north": north.path, "south": south.path}))
    async with there(north):
        with live.watched() as watcher:
            async with there(south):
                both = await told(live, watcher)
            north.says("idle", smu1=LATER)
            alone = await told(live, watcher)
            south.says("paused", smu1=LATER)
            async with there(south):
                again = await told(live, watcher)
    assert [(each["core"], each["channel"]) for each in both["channels"]] == [
        ("north", "smu1"),
        ("south", "smu1"),
    ]
    assert {each["core"]: each["trouble"] is None for each in alone["cores"]} == {
        "north": True,
        "south": False,
    }
    assert [values[0] for values in alone["values"]] == [0]
    assert [each["trouble"] for each in again["cores"]] == [None, None]
    assert [(each["core"], each["state"]) for each in again["channels"]] == [("south", "paused")]
    assert [values[0] for values in again["values"]] == [1]


async def test_what_a_core_says_that_cannot_be_read_is_said_and_ends_nothing(tmp_path: Path) -> None:
    async def nonsense(request: Request, who: str) -> AsyncIterator[list[str]]:
        async def pieces() -> AsyncIterator[list[str]]:
            yield ["nonsense"]

        return pieces()

    live = Live(Cores({"lab": tmp_path / "lab"}))
    async with listening(tmp_path / "lab", nonsense):
        with live.watched() as watcher:
            message = await told(live, watcher)
    assert "cannot be read" in message["cores"][0]["trouble"]


async def test_a_core_that_hangs_holds_up_none_of_the_others(tmp_path: Path) -> None:
    goes_on = asyncio.Event()

    async def hangs(request: Request, who: str) -> AsyncIterator[list[Glance]]:
        await goes_on.wait()
        return await south.answer(request, who)

    north, south = Core(tmp_path / "north", smu1=READ), Core(tmp_path / "south", smu1=READ)
    live = Live(Cores({"north": north.path, "south": south.path}))
    async with there(north), listening(south.path, hangs):
        with live.watched() as watcher:
            first = await told(live, watcher)
            north.says("idle", smu1=LATER)
            second = await told(live, watcher)
            goes_on.set()
            third = await told(live, watcher)
        await live.aclose()
    assert [each["core"] for each in first["channels"]] == ["north"]
    assert second["values"][0][3] == 2.1
    assert (third["kind"], [each["core"] for each in third["channels"]]) == ("snapshot", ["north", "south"])
