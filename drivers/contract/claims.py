"""The claims. Each is tried on an instrument of its own; the numbers are those of a capacitor."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from math import isfinite

from drivers.base import ProgrammedChannel, ProgramState, Record, SteppedChannel
from drivers.contract.trial import REST, NotApplicable, Trial, must, trial
from drivers.errors import InstrumentError, LinkError, RefusedError
from protocols.errors import LimitError
from protocols.reading import Flags, Reading
from protocols.setpoint import AtRest, Current, Setpoint
from protocols.techniques import ChamberTemperature, ConstantCurrent

Claim = Callable[[str], Awaitable[None]]
"""Takes the name a driver is registered under."""

SECONDS = 60.0
"""How long is charged."""

CLOSE = 0.03
"""Of a current or a charge: an instrument's error at a hundredth of its rating, and a look's lateness."""

FAULTS = ("mute 1 times", "garbled 1 times", "late by 0.6 1 times")
"""What happens to one answer."""

LONG = 150.0
"""Seconds of a program that somebody comes back to."""

AWAY = 1.5
"""Seconds that a program takes which nobody looks after: time enough to come back to it."""

TRIES = 5
"""In how many questions in a row one lost answer may be felt."""


async def opens(name: str) -> None:
    """Opening identifies the instrument, lists its channels and its rating, and passes nothing."""
    async with trial(name) as t:
        maker, model, _, _ = t.driver.identity
        must(bool(maker and model), f"the identity is {t.driver.identity}; wanted a maker and a model")
        must(bool(t.driver.channels), "it has no channels; wanted one at least")
        for quantity, _, window in t.driver.rating.named():
            one_sided = (window.low is None) != (window.high is None)
            must(not one_sided, f"its {quantity} is {window}; wanted both edges, or none where it tells none")
        if not t.driver_class.many_channels:
            await t.nothing_flows("just opened")
        again = await t.driver_class.open(t.link)
        must(again.identity == t.driver.identity, f"opened again it is {again.identity}")


async def is_off_however_often(name: str) -> None:
    """`off` works at once, again, and in the middle of a charge; what is off is off."""
    async with trial(name) as t:
        await t.channel.off()
        await t.channel.off()
        await t.nothing_flows("off, and off again")
        await _charge_a_little(t)
        await t.channel.off()
        await t.channel.off()
        await t.nothing_flows("off in the middle of a charge")


async def holds_a_set_point(name: str) -> None:
    """A stepped channel makes the set current flow, in the right direction, and counts its time."""
    async with trial(name) as t:
        channel = t.stepped()
        await channel.prepare(t.limits())
        for amperes in (t.amperes, -t.amperes):
            before = await t.clock.charge()
            await channel.apply(Current(amperes, voltage_clamp=2.62))
            first = await channel.measure(within=0.1)
            last = await _watched(t, channel, SECONDS)
            passed = await t.clock.charge() - before
            seconds = last.time - first.time
            _close("current", last.current, amperes, "A")
            _close("charge", passed, amperes * seconds, "C")
            must(abs(seconds - SECONDS) < 3.0, f"{SECONDS:g} s were {seconds:g} s by its clock")
        await channel.apply(AtRest(voltage_clamp=2.62))
        rest = await channel.measure(within=0.1)
        must(abs(rest.current) < 0.05 * t.amperes, f"at rest {rest.current:g} A are measured; wanted none")
        volts = REST + (await t.clock.charge()) / t.farads
        must(abs(rest.voltage - volts) < 0.02, f"at rest {rest.voltage:g} V are measured; wanted {volts:g} V")


async def runs_a_program(name: str) -> None:
    """A programmed channel runs its step alone, tells every record once, and ends disconnected."""
    async with trial(name) as t:
        channel = t.programmed()
        before = await t.clock.charge()
        origin = await channel.start("contract/1", t.charging(SECONDS))
        records = await _to_its_end(channel, [])
        status = await channel.state()
        must(
            status.state is ProgramState.FINISHED and status.tag == "contract/1" and not status.limit,
            f"at its end the program is {status}; wanted it finished, under its tag",
        )
        _check_records(t, records, origin)
        passed = await t.clock.charge() - before
        _close("charge", passed, t.amperes * SECONDS, "C")
        await t.nothing_flows("after its program")


async def clamps(name: str) -> None:
    """A stepped channel's clamp holds the voltage of a current that would go beyond it, and says so."""
    async with trial(name) as t:
        channel = t.stepped()
        await channel.prepare(t.limits())
        await channel.apply(Current(t.amperes, voltage_clamp=1.7))
        seconds = 0.3 * t.farads / t.amperes  # to 1.8 V, were it not for the clamp
        reading = await _watched(t, channel, seconds)
        must(
            reading.voltage < 1.72 and bool(reading.flags & Flags.CLAMPED),
            f"{reading.voltage:g} V, flags {reading.flags}, where 1.7 V clamp; wanted them held and flagged",
        )
        for level in (float("nan"), 1e3):
            await _refused(channel, Current(level, voltage_clamp=1.7))


async def stops_at_the_window(name: str) -> None:
    """A programmed channel opens the circuit by itself when the cell leaves its window, and says so."""
    async with trial(name) as t:
        channel = t.programmed()
        high = REST + 0.05
        seconds = 0.2 * t.farads / t.amperes  # to 1.7 V, were it not for the window
        await channel.start("contract/1", t.charging(seconds, high=high))
        await _to_its_end(channel, [])
        status = await channel.state()
        must(status.limit, f"beyond {high:g} V the program is {status}; wanted a limit")
        volts = REST + await t.clock.charge() / t.farads
        must(volts < high + 0.02, f"the cell was charged to {volts:g} V; wanted {high:g} V at most")
        await t.nothing_flows("after a limit")


async def survives_a_lost_answer(name: str) -> None:
    """An answer that is lost, late, short or garbled is an error or made good, never a lie."""
    async with trial(name) as t:
        if isinstance(t.channel, SteppedChannel):
            await _stepped_survives(t)
        else:
            await _programmed_survives(t)


async def refuses_what_it_cannot_do(name: str) -> None:
    """What is beyond the rating is refused before anything is sent, as is what no channel can do."""
    async with trial(name) as t:
        most = t.driver.rating.current.high
        rest = t.step(ConstantCurrent(0.0), SECONDS)
        wanted = [("a chamber's temperature", replace(rest, technique=ChamberTemperature(25.0), until=None))]
        if most is not None:  # where the instrument tells no rating, the bench file's window is the only one
            wanted.append(("three times its current", t.step(ConstantCurrent(3.0 * most.value), SECONDS)))
        for what, step in wanted:
            refusal = t.driver_class.refusal(step) or t.channel.refusal(step)
            must(bool(refusal), f"{what} is not refused; wanted a sentence that says why")
        if not t.driver_class.many_channels:
            await t.nothing_flows("after refusing")


async def re_attaches(name: str) -> None:
    """Somebody who comes back finds a program running, undisturbed, and takes all of its record over.

    A stepped channel that is opened again is off.
    """
    async with trial(name, speed=LONG / AWAY) as t:
        await _charge_a_little(t)
        identity, was = t.driver.identity, t.channel
        await t.reopened()
        if isinstance(was, SteppedChannel):
            t.driver = await t.driver_class.open(t.link)
            await t.channel.off()
            await t.nothing_flows("opened again", LONG / 3.0)
            return
        program = t.charging(LONG)
        if t.driver_class.many_channels:
            t.driver = await t.driver_class.open(t.link)
            origin = await t.programmed().attach("contract/1", program)
        else:
            found = await t.driver_class.attach(t.link, identity, "contract/1", program)
            t.driver, origin = found if found is not None else (await t.driver_class.open(t.link), None)
        if origin is None:
            raise NotApplicable("it takes no program over")
        records = await _to_its_end(t.programmed(), [])
        status = await t.programmed().state()
        must(status.state is ProgramState.FINISHED, f"the program that was taken over is {status}")
        last = records[-1].point.time - origin
        must(abs(last - LONG) < 3.0, f"its last record is of {last:g} s; wanted {LONG:g} s")
        _close("charge", await t.clock.charge(), t.amperes * LONG, "C")


async def leaves_the_circuit_open(name: str) -> None:
    """Whoever finds the instrument in whatever state can open its circuit, and hears who did."""
    async with trial(name) as t:
        await _charge_a_little(t)
        await t.reopened()
        identity = await t.driver_class.disconnect(t.link, [(None, 0)])
        must(identity[:2] == t.driver.identity[:2], f"{identity} confirmed it; wanted {t.driver.identity}")
        await t.nothing_flows("disconnected by somebody else")


CLAIMS: tuple[Claim, ...] = (
    opens,
    is_off_however_often,
    holds_a_set_point,
    runs_a_program,
    clamps,
    stops_at_the_window,
    survives_a_lost_answer,
    refuses_what_it_cannot_do,
    re_attaches,
    leaves_the_circuit_open,
)


async def _charge_a_little(t: Trial) -> None:
    """Leave the channel in the middle of a charge."""
    if isinstance(t.channel, SteppedChannel):
        channel = t.stepped()
        await channel.prepare(t.limits())
        await channel.apply(Current(t.amperes, voltage_clamp=2.62))
        await channel.measure(within=0.1)
    else:
        await t.programmed().start("contract/1", t.charging(LONG))


async def _watched(t: Trial, channel: SteppedChannel, seconds: float) -> Reading:
    """Let time pass as an engine does, with looks that renew a dead-man; return the last."""
    longest = t.driver.deadman.longest_interval or seconds
    now = await t.clock.now()
    end = now + seconds
    while now < end:
        now = await t.clock.sleep_until(min(end, now + longest))
        reading = await channel.measure(within=0.1)
    return reading


async def _to_its_end(channel: ProgrammedChannel, records: list[Record]) -> list[Record]:
    """Take records until there are no more; an answer that was lost is asked for again."""
    lost = 0
    while True:
        try:
            state = (await channel.state()).state
            new = await channel.records(after=records[-1].number if records else 0)
        except LinkError:
            lost += 1
            if lost > TRIES:
                raise
            continue
        records += new
        if state is not ProgramState.RUNNING and not new:
            return records


def _check_records(t: Trial, records: Sequence[Record], origin: float) -> None:
    numbers = [record.number for record in records]
    must(numbers == list(range(1, len(numbers) + 1)), f"records are numbered {numbers}; wanted 1, 2, 3, …")
    must(len(numbers) >= 8, f"{len(numbers)} records came; wanted ten or so")
    points = [record.point for record in records if isinstance(record.point, Reading)]
    times = [point.time - origin for point in points]
    must(times == sorted(times), f"the times are {times}; wanted them in order")
    must(abs(times[-1] - SECONDS) < 3.0, f"the last record is of {times[-1]:g} s; wanted {SECONDS:g} s")
    must(all(isfinite(point.voltage) for point in points), "a voltage is no number")
    middle = points[len(points) // 2]
    _close("current", middle.current, t.amperes, "A")
    last = records[-1]
    if last.coulombs is not None:
        _close("its own counter", last.coulombs, t.amperes * SECONDS, "C")


async def _stepped_survives(t: Trial) -> None:
    channel = t.stepped()
    await channel.prepare(t.limits())
    await channel.apply(Current(t.amperes, voltage_clamp=2.62))
    for fault in FAULTS:
        await t.clock.fault(fault)
        for _ in range(TRIES):
            try:
                reading = await channel.measure(within=0.01)
            except LinkError:
                continue
            _close(f"after {fault!r} the current", reading.current, t.amperes, "A")
        reading = await channel.measure(within=0.01)
        _close(f"after {fault!r} the current", reading.current, t.amperes, "A")
    await t.clock.fault("mute 1 times")
    await channel.off()
    await t.nothing_flows("off with an answer lost")


async def _programmed_survives(t: Trial) -> None:
    channel = t.programmed()
    before = await t.clock.charge()
    origin = await channel.start("contract/1", t.charging(SECONDS))
    for fault in FAULTS[:2]:
        await t.clock.fault(fault)
    records = await _to_its_end(channel, [])
    numbers = [record.number for record in records]
    must(numbers == sorted(set(numbers)), f"records are numbered {numbers}; wanted none twice, in order")
    last = records[-1]
    seconds = last.point.time - origin
    must(abs(seconds - SECONDS) < 3.0, f"the last record is of {seconds:g} s; wanted {SECONDS:g} s")
    _close("charge", await t.clock.charge() - before, t.amperes * SECONDS, "C")
    await channel.off()
    await t.nothing_flows("off after answers were lost")


async def _refused(channel: SteppedChannel, setpoint: Setpoint) -> None:
    try:
        await channel.apply(setpoint)
    except (RefusedError, LimitError, InstrumentError):
        return
    must(False, f"{setpoint} was taken; wanted it refused")


def _close(what: str, seen: float, wanted: float, unit: str) -> None:
    must(abs(seen - wanted) <= CLOSE * abs(wanted), f"{what} is {seen:g} {unit}; wanted {wanted:g} {unit}")
