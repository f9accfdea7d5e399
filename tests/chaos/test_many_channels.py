"""Many channels on one instrument: a core dies, each is found as it was, and nobody else's is touched."""

import signal
from pathlib import Path

import pytest

from daemon.channels.safe import left, make_all_safe
from daemon.requests import Submit
from daemon.running.order import ResumePolicy
from drivers.links.opening import open_link
from drivers.neware import Neware
from drivers.neware_channel import NewareChannel
from simulators.cells.library import make_cell
from tests.chaos.many_channels import ManyChannels, many_channels
from tests.drivers.test_neware import LI_ION, cycles
from tests.system.watched import WatchedCell

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]

SPEED = 20.0
LOW, HIGH = 2.5, 4.3
CELL = "cell: {name}\narea: 1 cm2\nnominal_capacity: 3 mAh\nwindow: {{voltage: {window}, current: 10 mA}}\n"
PROTOCOL = """protocol: both ways
record: every 1 s
steps:
  - repeat: 100
    steps:
      - charge: 0.3 mA
        until: time >= 60 s
      - discharge: 0.3 mA
        until: time >= 60 s
"""


def order(channel: str, window: str = f"{LOW} V .. {HIGH} V") -> Submit:
    cell = CELL.format(name=f"cell of {channel}", window=window)
    return Submit(PROTOCOL, "p", cell, "c", channel, {}, resume=ResumePolicy.CONFIRM)


async def occupied_by_a_colleague(bench: ManyChannels) -> str:
    """Somebody else's program runs at the place that is not ours; return the place."""
    link = await open_link(bench.served.address, Neware.link_options)
    try:
        [place, channel] = list((await Neware.open(link)).channels.items())[3]
        assert isinstance(channel, NewareChannel)
        await channel.start_whole("theirs/1", cycles(LI_ION))
        return place
    finally:
        await link.aclose()


async def test_each_channel_is_found_as_it_was_and_a_colleagues_is_left_alone(tmp_path: Path) -> None:
    cells = [WatchedCell(make_cell("li_ion/generic", seed)) for seed in range(4)]
    async with many_channels(tmp_path, cells, SPEED) as bench:
        theirs = await occupied_by_a_colleague(bench)
        await bench.start()
        names = {name: (await bench.ask(order(name)))["run"] for name in ("n1", "n2")}
        await bench.ask(order("n3", "3.0 V .. 3.747 V"))  # 3.738 V at rest, 30 ohm: a charge soon leaves that
        await bench.until(n3="tripped")
        await bench.have_read(20, "n1", "n2")
        await bench.end(signal.SIGKILL)

        await bench.start()
        await bench.until(n1="running", n2="running")
        before = {name: (await bench.runs())[name]["readings"] for name in names}
        for name, run in names.items():
            await bench.have_read(before[name] + 20, name)
            assert bench.notes(run).count("reattached") == 1
            assert bench.numbers(run) == list(range(1, len(bench.numbers(run)) + 1))
        found = await bench.channels()
        assert found["n3"]["latch"] is not None
        assert [found[name]["latch"] for name in names] == [None, None]
        assert found["n1"]["cell"] == "cell of n1"
        assert (await bench.working())[theirs] == "working"

        await bench.end(signal.SIGKILL)
        outcomes = await make_all_safe(left(bench.places.instruments))
        assert {outcome.channel: outcome.off for outcome in outcomes} == {"n1": True, "n2": True, "n3": True}
        working = await bench.working()
        assert [place for place, word in working.items() if word == "working"] == [theirs]

        await bench.start()
        await bench.until(n1="failed", n2="failed")
        runs = await bench.runs()
        assert all("'stop' at the cycler itself" in runs[name]["reason"] for name in names)
    for cell in cells:
        assert LOW <= cell.extremes.low <= cell.extremes.high <= HIGH
