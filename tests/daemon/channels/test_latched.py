"""A limit trip latches its channel until a person has cleared it."""

import signal
from pathlib import Path

import pytest

from daemon.client import AnswerError
from daemon.delivery.messages import RunEnded
from daemon.requests import Channels, Clear, Submit
from tests.daemon.survival import survival

NARROW = (
    "cell: one\narea: 1 cm2\nnominal_capacity: 3 mAh\nwindow: {voltage: 1 V .. 3.715 V, current: 10 mA}\n"
)
RISING = """protocol: too far
record: every 1 s
steps:
  - charge: {amperes}
    until: time >= 60 s
"""
# the cell rests at 3.7 V behind 2 ohm: at 10 mA it shows 3.72 V, at 5 mA 3.71 V


def order(amperes: str) -> Submit:
    return Submit(RISING.format(amperes=amperes), "p", NARROW, "c", "a1", {})


async def test_a_trip_latches_outlives_the_core_and_is_cleared_by_a_named_person(tmp_path: Path) -> None:
    async with survival(tmp_path) as bench:
        await bench.start()
        await bench.ask(order("10 mA"))
        await bench.run_is("tripped")
        latch = (await bench.ask(Channels()))[0]["latch"]
        assert "3.7" in latch["reason"]
        assert latch["readings"][-1]["voltage"] > 3.715
        await bench.end(signal.SIGKILL)
        await bench.start()
        with pytest.raises(AnswerError, match=r"a1 is latched: voltage 3.72") as refused:
            await bench.ask(order("5 mA"))
        assert refused.value.exit_status == 75
        with pytest.raises(AnswerError, match="for a reason"):
            await bench.ask(Clear("a1", "  "))
        before = len(bench.heard)
        with pytest.raises(AnswerError, match="something else by now"):
            await bench.ask(Clear("a1", "looked at it", "temperature 61 degC"))
        cleared = await bench.ask(Clear("a1", "another window"))
        assert cleared["cleared_by"]
        assert any(":OUTP OFF;:OUTP?" in text for _, text in bench.heard[before:])  # verified once more
        await bench.ask(order("5 mA"))
        await bench.run_is("finished")
        await bench.end(signal.SIGTERM)
        [tripped, finished] = [item for item in bench.items() if isinstance(item, RunEnded)]
        assert (tripped.state, finished.state) == ("tripped", "finished")
        outputs = [text for _, text in bench.heard if ":OUTP" in text]
        assert ":OUTP OFF" in outputs[-1]


async def test_another_cell_on_a_channel_is_said(tmp_path: Path) -> None:
    async with survival(tmp_path) as bench:
        await bench.start()
        assert (await bench.ask(order("5 mA")))["warnings"] == []
        await bench.run_is("finished")
        await bench.end(signal.SIGTERM)
        await bench.start()
        second = Submit(
            RISING.format(amperes="5 mA"), "p", NARROW.replace("cell: one", "cell: two"), "c", "a1", {}
        )
        said = (await bench.ask(second))["warnings"]
        assert said == ["channel a1 held one until now; from now on it holds two"]
