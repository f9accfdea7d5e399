"""A Bio-Logic in trouble: a core that died, a cable that fails, EC-Lab in the way, unknown firmware."""

import asyncio
import io
import itertools
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from drivers.base import Program, ProgramState, Record
from drivers.biologic import Biologic
from drivers.biologic_channel import EclibChannel
from drivers.errors import LinkError, RefusedError
from drivers.links.eclib import EclibLink
from drivers.links.opening import open_link
from drivers.links.transcript import RecordingLink, TranscriptLink
from protocols.conditions import Condition, Quantity, Relation
from protocols.reading import ImpedancePoint, Reading
from protocols.techniques import ConstantCurrent, ConstantVoltage, Impedance, Level, Rest, Sweep, Technique
from simulators.biologic import BioLogic, library
from simulators.biologic.channel import Channel, Firmware
from simulators.biologic.models import VMP3, Manners
from simulators.faults import Faults
from simulators.instrument import Served
from tests.drivers.test_pairs import Capacitor, program, when

LATER = when(Quantity.TIME, Relation.AT_LEAST, 3000.0)


@asynccontextmanager
async def simulated(
    speed: float = float("inf"), faults: Faults | tuple[str, ...] = ()
) -> AsyncIterator[tuple[Served, Capacitor]]:
    cell = Capacitor()
    async with BioLogic.serve(cell=cell, speed=speed, seed=1, bays=[{}], faults=faults) as served:
        yield served, cell


@asynccontextmanager
async def driven(address: str, deadline: float = 5.0) -> AsyncIterator[EclibChannel]:
    link = await open_link(address, replace(Biologic.link_options, deadline=deadline))
    try:
        channel = (await Biologic.open(link)).channels["1"]
        assert isinstance(channel, EclibChannel)
        yield channel
    finally:
        await link.aclose()


async def rest_of(channel: EclibChannel, taken: Sequence[Record] = ()) -> list[Record]:
    """Follow to the end; return all records, those `taken` before among them."""
    records = list(taken)
    while True:
        state = (await channel.state()).state
        new = await channel.records(after=len(records))
        records += new
        if state is not ProgramState.RUNNING and not new:
            return records


async def test_a_charge_goes_on_without_its_core_and_another_core_follows_it_from_the_next_row() -> None:
    """400 s to 1.5 V, a reading at least every ten, each once, whichever core took it.

    A row comes every five seconds, too. One that the first core had not made a reading yet goes with it.
    """
    end = when(Quantity.VOLTAGE, Relation.AT_LEAST, 1.5)
    what = program(ConstantCurrent(0.01), end)
    async with simulated() as (served, cell):
        async with driven(served.address) as first:
            origin = await first.start("run/1", what)
            before = list(await first.records(after=0))
        async with driven(served.address) as second:
            other = program(ConstantCurrent(0.02), end)
            assert await second.attach("run/1", other) is None  # that is not what it runs
            found = await second.attach("run/1", what)
            assert found is not None
            after = await rest_of(second)
            assert (await second.state()).reason == end.text
            await second.off()
        times = [r.point.time - origin for r in before] + [r.point.time - found for r in after]
        assert all(0.0 < later - sooner < 15.1 for sooner, later in itertools.pairwise(times))
        assert times[-1] == pytest.approx(400.0, abs=1.0)
        assert cell.charge == pytest.approx(4.0, rel=5e-3)


async def test_nothing_is_attached_to_once_it_is_over_and_taken() -> None:
    what = program(Rest(), when(Quantity.TIME, Relation.AT_LEAST, 20.0))
    async with simulated() as (served, _):
        async with driven(served.address) as first:
            await first.start("run/1", what)
            await rest_of(first)
        async with driven(served.address) as second:
            assert await second.attach("run/1", what) is None


@pytest.mark.parametrize("fault", ["mute", "garbled", "short", "behind"])
async def test_rows_whose_answer_was_lost_come_with_the_next_one(fault: str) -> None:
    """A row every ten seconds, whatever one answer in the middle looked like."""
    faults = Faults()
    async with simulated(faults=faults) as (served, _), driven(served.address, deadline=1.0) as channel:
        origin = await channel.start("run/1", program(Rest(), LATER))
        before = list(await channel.records(after=0))
        faults.inject(f"{fault} 1 times")
        with pytest.raises(LinkError):
            await rest_of(channel, before)
        # an answer may have brought rows before the one that was lost
        records = await rest_of(channel, before)
        times = [record.point.time - origin for record in records]
        assert times == pytest.approx([10.0 * k for k in range(301)], abs=1e-2)


async def test_a_cable_pulled_is_told_and_the_channel_found_again_when_it_is_back() -> None:
    faults = Faults()
    async with simulated(speed=1000.0, faults=faults) as (served, cell), driven(served.address) as channel:
        await channel.start("run/1", program(ConstantCurrent(0.01), LATER, high=5.0))
        faults.inject("reset")
        with pytest.raises(LinkError, match="communication with the instrument failed"):
            await rest_of(channel)
        assert (await channel.state()).state is ProgramState.RUNNING
        await channel.off()
        assert cell.charge > 0.0


async def test_a_channel_ec_lab_holds_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def held_by_eclab(self: Channel) -> bytes:
        self.firmware = Firmware.ECLAB
        return infos(self)

    infos = Channel.infos
    monkeypatch.setattr(Channel, "infos", held_by_eclab)
    async with simulated() as (served, _), driven(served.address) as channel:
        with pytest.raises(RefusedError, match="EC-Lab holds the channel"):
            await channel.start("run/1", program(Rest(), LATER))
        with pytest.raises(RefusedError, match="EC-Lab holds the channel"):
            await channel.off()


@pytest.mark.parametrize(
    ("technique", "until"),
    [
        (ConstantCurrent(0.01), LATER),
        (Sweep(Level(1.0), (Level(1.2), Level(0.9)), 1e-4, 1), None),
        (Impedance(5e-3, False, Level(0.0, True), 1.0, 0.01, 10), None),
    ],
)
async def test_a_channel_somebody_else_stopped_is_no_end(
    technique: Technique, until: Condition | None
) -> None:
    async with (
        simulated() as (served, _),
        driven(served.address) as channel,
        driven(served.address) as somebody,
    ):
        await channel.start("run/1", program(technique, until, high=5.0))
        await channel.records(after=0)
        await somebody.off()
        await rest_of(channel)
        status = await channel.state()
        assert status.state is ProgramState.FAULT
        assert "and no end was met" in (status.reason or "")


async def test_columns_nobody_knows_are_refused_and_never_realigned(monkeypatch: pytest.MonkeyPatch) -> None:
    """A VMP3 whose rows are those of the other family."""
    monkeypatch.setattr(BioLogic, "manners", Manners(model=replace(VMP3, records_auxiliary=False)))
    async with simulated() as (served, _), driven(served.address) as channel:
        with pytest.raises(RefusedError, match="have 3 columns; wanted 4"):
            await channel.start("run/1", program(ConstantCurrent(0.01), LATER))


@pytest.mark.parametrize(("unit", "setting"), [(1.0, "mV/s"), (1e-3, "V/s")])
async def test_a_sweep_at_another_rate_than_it_was_told_is_stopped(
    unit: float, setting: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten millivolts per second, sent in the wrong unit: a thousand times too fast, and too slow."""
    monkeypatch.setattr(BioLogic, "manners", Manners(model=VMP3, scan_rate_unit=unit))
    async with simulated() as (served, _), driven(f"{served.address}&scan_rate={setting}") as channel:
        sweep = Sweep(Level(1.0), (Level(1.2), Level(0.9)), 0.01, 1)
        await channel.start("run/1", program(sweep, None, every=0.1))
        await rest_of(channel)
        status = await channel.state()
        assert status.state is ProgramState.FAULT
        assert "the unit of Scan_Rate is another" in (status.reason or "")
        await channel.off()


async def test_a_phase_of_the_other_sign_is_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    """One farad-ohm more visible: 10 F at 1 mHz has -15.9 ohm."""
    monkeypatch.setattr(BioLogic, "manners", Manners(model=VMP3, phase_sign=-1.0))
    async with simulated() as (served, _), driven(f"{served.address}&phase=negative") as channel:
        await channel.start("run/1", program(Impedance(5e-3, False, Level(0.0, True), 0.01, 0.001, 1), None))
        points = [record.point for record in await rest_of(channel)]
        assert isinstance(points[-1], ImpedancePoint)
        assert points[-1].imaginary == pytest.approx(-15.9, rel=0.02)


async def test_a_hold_draws_no_peak_when_the_circuit_is_closed_again() -> None:
    """0.4 V over 10 ohm at once would be 40 mA; over half a second it is the same, but not before."""
    async with simulated() as (served, _), driven(served.address) as channel:
        end = when(Quantity.CURRENT, Relation.AT_MOST, 5e-3)
        what = program(ConstantVoltage(Level(1.4)), end, every=0.02)
        held = replace(what, step=replace(what.step, verb="hold"))
        origin = await channel.start("run/1", held)
        readings = [r.point for r in await rest_of(channel) if isinstance(r.point, Reading)]
        early = [reading.current for reading in readings if reading.time - origin < 0.2]
        assert max(early) < 0.025
        assert max(reading.current for reading in readings) == pytest.approx(0.04, rel=0.02)
        assert (await channel.state()).reason == "current <= 0.005"


async def test_the_python_twin_does_what_the_shim_does() -> None:
    """The same charge, the same seed: the same rows to the last bit."""
    end = when(Quantity.VOLTAGE, Relation.AT_LEAST, 1.5)
    rows = []
    for name in (library.library(), library.TWIN):
        async with simulated() as (served, _):
            address = served.address.partition("?")[0]
            async with driven(f"{address}?library={name}") as channel:
                origin = await channel.start("run/1", program(ConstantCurrent(0.01), end))
                points = [record.point for record in await rest_of(channel)]
                await channel.off()
        rows.append([point._replace(time=round(point.time - origin, 6)) for point in points])
    assert rows[0] == rows[1]


def test_without_a_compiler_the_twin_is_chosen_and_it_is_said(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    library.library.cache_clear()
    try:
        assert library.library() == library.library() == library.TWIN
    finally:
        library.library.cache_clear()
    assert [record.message for record in caplog.records] == [
        "no C compiler (cc, gcc, clang): the simulated EClib is its Python twin"
    ]


def test_the_shim_is_compiled_once_and_without_a_warning(tmp_path: Path) -> None:
    compiler = next(filter(None, map(shutil.which, library.COMPILERS)), None)
    if compiler is None:
        pytest.skip("no C compiler here")
    built = library.built(compiler, tmp_path)
    age = built.stat().st_mtime_ns
    assert library.built(compiler, tmp_path) == built
    assert built.stat().st_mtime_ns == age


async def test_a_link_of_calls_carries_no_other_lines() -> None:
    async with simulated() as (served, _):
        link = await open_link(served.address)
        assert isinstance(link, EclibLink)
        with pytest.raises(LinkError, match="is no call of EClib"):
            await link.query("*IDN?")
        with pytest.raises(LinkError, match="no lines go over it but calls"):
            await link.read()
        await link.aclose()
        with pytest.raises(LinkError, match="the link is closed"):
            await link.perform(lambda eclib: None)


async def test_a_dialogue_is_recorded_as_calls_and_plays_back() -> None:
    """A charge driven through a link that writes everything down; its first lines identify a VMP3 again."""
    end = when(Quantity.VOLTAGE, Relation.AT_LEAST, 1.5)
    dialogue = io.StringIO()
    async with simulated() as (served, cell):
        link = await open_link(served.address)
        instrument = await Biologic.open(RecordingLink(link, dialogue, clock=lambda: 0.0))
        channel = instrument.channels["1"]
        assert isinstance(channel, EclibChannel)
        await channel.start("run/1", program(ConstantCurrent(0.01), end))
        assert len(await channel.records(after=0)) > 0
        assert await channel.attach("run/1", program(ConstantCurrent(0.01), end)) is not None
        await rest_of(channel)
        assert (await channel.state()).reason == end.text
        await channel.off()
        await link.aclose()
        assert cell.charge == pytest.approx(4.0, rel=5e-3)
    lines = dialogue.getvalue().splitlines()
    assert lines[0] == "0.000 > BL_Connect [5]"
    last = next(place for place, line in enumerate(lines) if "BL_GetChannelInfos" in line) + 1
    with TranscriptLink("\n".join(lines[: last + 1])) as played:
        assert (await Biologic.open(played)).identity == instrument.identity


async def test_sixteen_channels_are_one_instrument() -> None:
    async with BioLogic.serve(cell="blocking/pp", speed=float("inf"), seed=1) as served:
        link = await open_link(served.address)
        instrument = await Biologic.open(link)
        assert list(instrument.channels) == [str(place) for place in range(1, 17)]
        assert (instrument.identity.maker, instrument.identity.model) == ("Bio-Logic", "VMP3")
        spectrum = program(Impedance(5e-3, False, Level(0.0, True), 1e5, 10.0, 10), None)
        wide = Program(spectrum.step, replace(spectrum.limits, voltage=type(spectrum.limits.voltage)()), 1.0)

        async def measured(place: str) -> int:
            channel = instrument.channels[place]
            assert isinstance(channel, EclibChannel)
            await channel.start(f"run/{place}", wide)
            points = [record.point for record in await rest_of(channel)]
            await channel.off()
            return sum(isinstance(point, ImpedancePoint) for point in points)

        assert set(await asyncio.gather(*map(measured, instrument.channels))) == {41}
        await link.aclose()


async def test_the_doctor_is_told_of_a_channel_ec_lab_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    async with simulated() as (served, _):
        link = await open_link(served.address)
        instrument = await Biologic.open(link)
        assert await instrument.findings() == []
        infos = Channel.infos

        def held_by_eclab(self: Channel) -> bytes:
            self.firmware = Firmware.ECLAB
            return infos(self)

        monkeypatch.setattr(Channel, "infos", held_by_eclab)
        [finding] = await instrument.findings()
        assert finding.wrong
        assert "EC-Lab holds the channel" in finding.text
        await link.aclose()
