"""`galvanod safe` opens circuits without a core: what it knows, whom it asks, what it says."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from daemon.channels.attendance import require_deadman
from daemon.channels.bench_file import BenchFile
from daemon.channels.instrument import Instrument
from daemon.channels.safe import Circuit, circuits, leave, left, make_all_safe, make_stations_safe
from daemon.channels.station import Station
from daemon.cli import app
from daemon.errors import ConfigurationError
from drivers.base import SteppedChannel
from drivers.deadman import Deadman, DeadmanKind
from drivers.emstat4 import EmStat4
from drivers.emstat4_channel import ScriptChannel
from drivers.keithley2450 import Keithley2450
from drivers.links import Link, LinkOptions
from drivers.links.opening import open_link
from protocols.conditions import Quantity, Relation
from protocols.errors import ProtocolError
from protocols.setpoint import Current
from protocols.techniques import ConstantCurrent
from simulators.emstat4 import EmStat4 as SimulatedEmStat4
from simulators.keithley2450 import Keithley2450 as SimulatedKeithley2450
from simulators.server import serve
from tests.drivers.test_pairs import Capacitor, program, when

SMU = Circuit("smu1", "keithley2450", "visa://TCPIP0::192.0.2.7::5025::SOCKET")


@asynccontextmanager
async def source_meter() -> AsyncIterator[tuple[Circuit, Link, str]]:
    """A simulated instrument, a second cable to it, and the port where its faults are asked for."""
    async with serve(SimulatedKeithley2450, cell=Capacitor(), speed=1.0, seed=1) as served:
        port = served.address.split("::")[2]
        cable = await open_link(f"tcp://127.0.0.1:{port}", LinkOptions())
        try:
            yield Circuit("smu1", "keithley2450", f"visa://{served.address}"), cable, served.rehearsal
        finally:
            await cable.aclose()


async def ask_for(fault: dict[str, Any], rehearsal: str) -> None:
    assert "error" not in await asked({"fault": fault}, rehearsal)


async def asked(request: dict[str, Any], rehearsal: str) -> dict[str, Any]:
    host, port = rehearsal.removeprefix("tcp://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(json.dumps(request).encode() + b"\n")
    answer: dict[str, Any] = json.loads(await reader.readline())
    writer.close()
    await writer.wait_closed()
    return answer


def test_what_a_core_leaves_is_found_again(tmp_path: Path) -> None:
    leave(tmp_path / "instruments.json", [SMU])
    assert left(tmp_path / "instruments.json") == [SMU]
    assert [path.name for path in tmp_path.iterdir()] == ["instruments.json"]


def test_half_a_file_is_told_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "instruments.json").write_text('[{"channel": "smu1", "dri')
    with pytest.raises(ConfigurationError, match=r"instruments\.json: wanted the instruments"):
        left(tmp_path / "instruments.json")


def test_without_core_and_bench_file_one_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="--bench"):
        circuits(tmp_path / "instruments.json", None)


def test_a_bench_file_names_instruments_and_the_core_knew_where_the_simulated_ones_are(
    tmp_path: Path,
) -> None:
    text = """
bench: here
instruments:
  smu1: {driver: keithley2450, simulate: {cell: li_cu/pp}}
  smu2: {driver: keithley2450, address: "visa://TCPIP0::192.0.2.8::5025::SOCKET"}
  pstat1: {driver: emstat4, simulate: {cell: li_s/pp}}
"""
    leave(tmp_path / "instruments.json", [SMU])
    found = circuits(tmp_path / "instruments.json", BenchFile.parse(text, "bench.yaml"))
    assert found == [SMU, Circuit("smu2", "keithley2450", "visa://TCPIP0::192.0.2.8::5025::SOCKET")]


def test_only_what_cannot_be_trusted_alone_is_concerned() -> None:
    assert not SMU.autonomous
    assert Circuit("pstat1", "emstat4", "serial:///dev/null").autonomous


async def test_an_output_somebody_left_closed_is_opened_at_high_impedance() -> None:
    async with source_meter() as (instrument, cable, _):
        await cable.write(":SOUR:FUNC CURR;:SOUR:CURR 0.01;:SOUR:CURR:VLIM 2;:OUTP ON")
        assert await cable.query(":OUTP?;:OUTP:CURR:SMOD?") == "1;NORM"
        [outcome] = await make_all_safe([instrument])
        assert outcome.off
        assert "KEITHLEY INSTRUMENTS 2450" in outcome.told
        assert await cable.query(":OUTP?;:OUTP:CURR:SMOD?;:OUTP:VOLT:SMOD?") == "0;HIMP;HIMP"


async def test_one_garbled_answer_does_not_keep_a_circuit_closed() -> None:
    async with source_meter() as (instrument, cable, rehearsal):
        await cable.write(":OUTP ON")
        await ask_for({"garbled": 1}, rehearsal)
        assert (await make_all_safe([instrument]))[0].off
        assert await cable.query(":OUTP?") == "0"


async def test_a_mute_instrument_is_not_called_off_and_holds_up_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def heard() -> bool:  # its time begins with the first byte
        return bool((await asked({"now": None}, rehearsal))["now"] > 0.0)

    async with source_meter() as (mute, _, rehearsal), source_meter() as (well, cable, _):
        await ask_for({"mute": 100}, rehearsal)
        await cable.write(":OUTP ON")
        monkeypatch.setattr(Keithley2450, "link_options", LinkOptions(deadline=120.0))
        making = asyncio.create_task(make_all_safe([mute, well], deadline=120.0))
        async with asyncio.timeout(60.0):  # the mute one is waited for twice as long
            while await cable.query(":OUTP?") == "1" or not await heard():
                await asyncio.sleep(0.01)
        monkeypatch.undo()
        making.cancel()
        await ask_for({"reset": 1}, rehearsal)  # nobody need wait for its answer any longer
        await asyncio.wait({making})
        [outcome] = await make_all_safe([mute], deadline=0.5)
        assert not outcome.off


async def test_nobody_at_the_address_is_not_called_off() -> None:
    [outcome] = await make_all_safe(
        [Circuit("smu1", "keithley2450", "visa://TCPIP0::127.0.0.1::9::SOCKET")], 3.0
    )
    assert not outcome.off
    assert outcome.told


async def test_all_opens_a_potentiostat_in_the_middle_of_its_script() -> None:
    """10 mA into ten farads would go on for 3000 s."""
    cell = Capacitor()
    async with serve(SimulatedEmStat4, cell=cell, speed=100.0, seed=1) as served:
        link = await open_link(f"serial://{served.address}", EmStat4.link_options)
        channel = (await EmStat4.open(link)).channels["1"]
        assert isinstance(channel, ScriptChannel)
        end = when(Quantity.TIME, Relation.AT_LEAST, 3000.0)
        await channel.start("lab-1/1", program(ConstantCurrent(0.01), end, high=5.0))
        await channel.records(after=0)
        await link.aclose()  # the core is no more; the script goes on
        [outcome] = await make_all_safe([Circuit("pstat1", "emstat4", f"serial://{served.address}")])
        assert outcome.off
        assert 0.0 < cell.charge < 30.0
        charge = cell.charge
        await asyncio.sleep(0.02)  # two seconds of the cell's time
        assert cell.charge == charge


def test_a_potentiostat_is_left_alone_without_all(tmp_path: Path) -> None:
    leave(tmp_path / "instruments.json", [Circuit("pstat1", "emstat4", "serial:///dev/null")])
    done = CliRunner().invoke(app, ["safe", "--state", str(tmp_path)])
    assert done.exit_code == 0
    assert done.stdout == "pstat1: left alone, it ends its step by itself; --all opens it too\n"


def test_a_disk_that_takes_no_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"cannot write .*instruments\.json: No such file"):
        leave(tmp_path / "nowhere" / "instruments.json", [SMU])


async def test_the_core_opens_its_own_circuits() -> None:
    async with source_meter() as (instrument, cable, _):
        bench = f'bench: b\ninstruments:\n  smu1: {{driver: keithley2450, address: "{instrument.address}"}}\n'
        station = _station(bench, instrument.address)
        channel = await station.channel()
        assert isinstance(channel, SteppedChannel)
        await channel.apply(Current(0.01, voltage_clamp=2.0))
        assert await cable.query(":OUTP?") == "1"
        [outcome] = await make_stations_safe([station], everything=False)
        assert outcome.off
        assert await cable.query(":OUTP?") == "0"
        await station.aclose()


def test_a_channel_without_dead_man_runs_only_where_the_bench_file_says_so() -> None:
    with pytest.raises(ConfigurationError, match="`unattended: true` for psu1"):
        require_deadman("psu1", "supply", Deadman(), unattended=False)
    require_deadman("psu1", "supply", Deadman(), unattended=True)
    require_deadman("smu1", "keithley2450", Deadman(DeadmanKind.INSTRUMENT, 5.0), unattended=False)


@pytest.mark.parametrize(("written", "meant"), [("true", True), ("false", False)])
def test_the_bench_file_says_unattended(written: str, meant: bool) -> None:
    text = f"bench: b\ninstruments:\n  a: {{driver: emstat4, address: tcp://x:1, unattended: {written}}}\n"
    assert BenchFile.parse(text, "b.yaml").instruments["a"].channels[0].unattended is meant


def test_anything_else_is_refused_with_its_place() -> None:
    text = "bench: b\ninstruments:\n  a: {driver: emstat4, address: tcp://x:1, unattended: yes}\n"
    with pytest.raises(ProtocolError, match="true or false") as caught:
        BenchFile.parse(text, "b.yaml")
    assert caught.value.problems[0].place.line == 3


async def test_readings_of_a_channel_come_often_enough_for_its_dead_man() -> None:
    """A third of 5 s, whatever the bench file wishes; a shorter wish stands."""
    text = "bench: b\ninstruments:\n  a: {driver: keithley2450, address: tcp://x:1, sample: 10 s}\n"
    assert _station(text).sample == pytest.approx(5.0 / 3.0)
    assert _station(text.replace("10 s", "0.5 s")).sample == 0.5


def test_a_rehearsal_is_not_looked_at_more_often_than_wished() -> None:
    """Three samples of 30 s; one of 1 s leaves the driver's own 5 s."""
    text = "bench: b\ninstruments:\n  a: {driver: keithley2450, simulate: {cell: li_cu/pp}, sample: 30 s}\n"
    station = _station(text)
    assert (station.deadman.seconds, station.sample) == (90.0, 30.0)
    assert _station(text.replace("30 s", "1 s")).deadman.seconds == 5.0


def _station(bench: str, address: str = "tcp://x:1") -> Station:
    """Return the one channel of a bench."""
    [entry] = BenchFile.parse(bench, "b.yaml").instruments.values()
    return Station(entry.channels[0], Instrument(entry, address))
