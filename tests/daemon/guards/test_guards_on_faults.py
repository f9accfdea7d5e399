"""Faults of simulated instruments and cells, seen through the real drivers, and what stops them."""

import asyncio

import pytest

from daemon.engines.stepped import VERIFIED
from daemon.running.run import RunState
from drivers.links.opening import open_link
from protocols.conditions import Quantity
from protocols.limits import Bound, Limits, Range
from protocols.techniques import ConstantCurrent, ConstantVoltage, Level, Rest
from tests.daemon.deliveries import until
from tests.daemon.guard_bench import bench
from tests.daemon.plans import end, plan, step

WINDOW = Limits(
    voltage=Range(Bound(2.5, "cell"), Bound(4.3, "cell")),
    current=Range(Bound(-0.05, "cell"), Bound(0.05, "cell")),
)
STEPS = (
    step("charge", ConstantCurrent(0.0003), end(Quantity.TIME, ">=", 100.0)),
    step("discharge", ConstantCurrent(-0.001), end(Quantity.TIME, ">=", 100.0)),
    step("rest", Rest(), end(Quantity.TIME, ">=", 60.0)),
)
HOLD = (step("hold", ConstantVoltage(Level(3.9)), end(Quantity.TIME, ">=", 200.0)),)


@pytest.mark.parametrize("instrument", ["keithley2450", "emstat4"])
async def test_without_a_fault_the_steps_are_done(instrument: str) -> None:
    async with bench(instrument, "li_ion/generic") as found:
        run = found.run(plan(WINDOW, *STEPS, *HOLD), sample=1.0)
        await run.conduct()
        assert (run.state, run.reason) == (RunState.FINISHED, "every step is done")


@pytest.mark.parametrize(
    ("instrument", "fault", "hold", "reason"),
    [
        # a source-measure unit sees the window left by itself, before anybody asks for a reading
        ("keithley2450", "open at 50 s", False, "saw the window left and opened the circuit"),
        ("emstat4", "open at 50 s", False, "open lead: "),
        ("keithley2450", "open at 50 s", True, "open lead: "),
        ("emstat4", "open at 50 s", True, "open lead: "),
        ("keithley2450", "reversed", False, "the wrong way round"),
        ("emstat4", "reversed", False, "the wrong way round"),
        ("keithley2450", "reversed at 50 s", False, "saw the window left and opened the circuit"),
        ("keithley2450", "frozen at 50 s", False, "frozen readings: "),
        # 3.9 V over 500 ohm: 8 mA beside the 3 mA the cell had come down to
        ("keithley2450", "shunt by 500 Ohm at 150 s", True, "rising current: "),
        ("emstat4", "shunt by 500 Ohm at 150 s", True, "rising current: "),
        # the second step's current is not taken: the first one's goes on
        ("keithley2450", "ignored at 50 s", False, "wrong sign of current: 0.0003 A flows, -0.001 A was set"),
        ("keithley2450", "inverted at 50 s", False, "wrong sign of current: -0.0003 A flows"),
        ("emstat4", "inverted at 50 s", False, "wrong sign of current: "),
        ("keithley2450", "offset by 500 mV at 50 s", False, "implausible jump: voltage 3.749"),
    ],
)
async def test_a_fault_opens_the_circuit_and_says_what_was_seen(
    instrument: str, fault: str, hold: bool, reason: str
) -> None:
    async with bench(instrument, "li_ion/generic", faults=(fault,)) as found:
        run = found.run(plan(WINDOW, *(HOLD if hold else STEPS)), sample=1.0)
        await run.conduct()
        assert run.state is RunState.TRIPPED
        assert reason in run.reason


@pytest.mark.parametrize(
    ("meddling", "said"),
    [
        (":SOUR:CURR:VLIM 4.4", "VLIM? says"),
        (":SENS:VOLT:RSEN OFF", "wanted HIMP, 1, CURR: somebody else has set them"),
        (":OUTP:CURR:SMOD NORM", "wanted HIMP, 1, CURR: somebody else has set them"),
    ],
)
async def test_settings_that_somebody_changed_are_found_within_a_hundred_readings(
    meddling: str, said: str
) -> None:
    async with bench("keithley2450", "li_ion/generic") as found:
        steps = (step("charge", ConstantCurrent(0.0003), end(Quantity.TIME, ">=", 1e5)),)
        run = found.run(plan(WINDOW, *steps), sample=1.0)
        knob = await open_link(f"visa://{found.served.address}")
        running = asyncio.create_task(run.conduct())
        await until(lambda: found.rows >= 20)
        await knob.write(meddling)
        assert await knob.query(":OUTP?") == "1"
        known = found.rows  # however many it has read meanwhile: from here on it is set
        await running
        await knob.aclose()
        assert run.state is RunState.FAILED
        assert said in run.reason
        assert run.verified_open
        assert found.rows <= known + VERIFIED
