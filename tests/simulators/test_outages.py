"""Ports that go and come back and power that fails, for PyVISA and pyserial as clients."""

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import pytest
import pyvisa
import serial
from pyvisa.resources import MessageBasedResource

from simulators.emstat4 import EmStat4
from simulators.faults import Faults
from simulators.instrument import Served
from simulators.keithley2450 import Keithley2450
from tests.simulators.json_port import JsonPort, json_port
from tests.simulators.linear_cell import LinearCell

T = TypeVar("T")


@asynccontextmanager
async def source_meter(
    *faults: str, cell: LinearCell | None = None
) -> AsyncIterator[tuple[Served, JsonPort]]:
    async with (
        Keithley2450.serve(cell=cell or LinearCell(), speed=math.inf, seed=1, faults=faults) as served,
        json_port(served.rehearsal) as port,
    ):
        yield served, port


@asynccontextmanager
async def potentiostat(
    *faults: str, cell: LinearCell | None = None
) -> AsyncIterator[tuple[Served, JsonPort]]:
    async with (
        EmStat4.serve(cell=cell or LinearCell(), speed=math.inf, seed=1, faults=faults) as served,
        json_port(served.rehearsal) as port,
    ):
        yield served, port


async def in_visa(served: Served, talk: Callable[[MessageBasedResource], T]) -> T:
    def run() -> T:
        manager = pyvisa.ResourceManager("@py")
        try:
            resource = manager.open_resource(served.address, read_termination="\n", write_termination="\n")
            assert isinstance(resource, MessageBasedResource)
            with resource:
                return talk(resource)
        finally:
            manager.close()

    return await asyncio.to_thread(run)


def in_serial(served: Served, question: bytes) -> bytes:
    with serial.Serial(served.address, timeout=1.0, exclusive=True) as port:
        port.write(question)
        return bytes(port.readline())


async def asked(served: Served, line: str) -> str:
    return await in_visa(served, lambda smu: smu.query(line))


async def test_a_port_that_is_gone_refuses_and_comes_back_with_everything_as_it_was() -> None:
    async with source_meter() as (served, port):
        assert await asked(served, ":SOUR:CURR 0.5;CURR?") == "5.000000E-01"
        await port.ask({"fault": "gone for 5 s"})
        with pytest.raises(Exception, match=r"refused|CONN|RSRC"):
            await asked(served, "*IDN?")
        await port.ask({"until": 4.9})
        with pytest.raises(Exception, match=r"refused|CONN|RSRC"):
            await asked(served, "*IDN?")
        await port.ask({"until": 5.0})
        assert await asked(served, ":SOUR:CURR?") == "5.000000E-01"


async def test_a_serial_device_that_is_gone_does_not_exist_and_comes_back_where_it_was() -> None:
    async with potentiostat() as (served, port):
        assert (await asyncio.to_thread(in_serial, served, b"t\n")).startswith(b"tes4")
        before = Path(served.address).readlink()
        with serial.Serial(served.address, timeout=1.0) as client:
            await port.ask({"fault": "gone for 5 s"})
            with pytest.raises(serial.SerialException):
                await asyncio.to_thread(client.read, 1)
        with pytest.raises(serial.SerialException, match="No such file"):
            await asyncio.to_thread(in_serial, served, b"t\n")
        await port.ask({"until": 5.0})
        assert (await asyncio.to_thread(in_serial, served, b"t\n")).startswith(b"tes4")
        assert before.parent == Path("/dev/pts")
    assert not Path(served.address).parent.exists()


async def test_a_reset_of_a_serial_line_is_the_plug_pulled_and_put_back() -> None:
    async with potentiostat() as (served, port):
        with serial.Serial(served.address, timeout=1.0) as client:
            await port.ask({"fault": {"reset": 1}})
            with pytest.raises(serial.SerialException):
                await asyncio.to_thread(client.read, 1)
        assert (await asyncio.to_thread(in_serial, served, b"t\n")).startswith(b"tes4")


async def test_a_script_goes_on_while_its_port_is_gone() -> None:
    # 10 mA for 100 s are 1 C, whoever listens.
    script = b"e\nvar p\nvar c\nset_pgstat_chan 0\nset_pgstat_mode 6\nset_range ba 100m\ncell_on\n"
    script += b"meas_loop_cp p c 10m 10 100\nendloop\non_finished:\ncell_off\n\n"
    cell = LinearCell()
    async with EmStat4.serve(cell=cell, speed=1000.0, seed=1) as served, json_port(served.rehearsal) as port:
        assert await asyncio.to_thread(in_serial, served, script) == b"e\n"
        await port.ask({"hold": True})
        await port.ask({"fault": "gone for 10 s"})
        await port.ask({"until": await port.now() + 200.0})
        assert cell.charge == pytest.approx(1.0, rel=1e-6)
        assert await asyncio.to_thread(in_serial, served, b"\n") == b"\n"


async def test_a_power_cut_forgets_every_setting_opens_the_output_and_begins_time_anew() -> None:
    # 0.1 A until 100 s are 10 C; then nothing, but for the 1 nA of the output-off state NORMal.
    cell = LinearCell()
    async with source_meter(cell=cell) as (served, port):
        await asked(served, ":SOUR:FUNC CURR;:SOUR:CURR 0.1;:SOUR:CURR:VLIM 10;:OUTP ON;*OPC?")
        assert await port.now() == 0.0
        await port.ask({"fault": {"fault": "power", "at": 100, "for": 50}})
        await port.ask({"until": 120})
        with pytest.raises(Exception, match=r"refused|CONN|RSRC"):
            await asked(served, "*IDN?")
        assert (await port.ask({"truth": None}))["truth"]["charge"] == pytest.approx(10.0)
        await port.ask({"until": 160})
        assert (
            await asked(served, ":OUTP?;:SOUR:FUNC?;:OUTP:VOLT:SMOD?;:SOUR:CURR?")
            == "0;VOLT;NORM;0.000000E+00"
        )
        assert await asked(served, "*ESR?;:SYST:TIME?") == "128;2026/01/01 00:00:10.000"  # ten seconds up
        assert (await port.ask({"truth": None}))["truth"]["charge"] == pytest.approx(10.0, abs=1e-6)


async def test_a_power_cut_without_duration_is_over_at_once() -> None:
    async with source_meter() as (served, port):
        await asked(served, ":SOUR:CURR 0.5;CURR?")
        await port.ask({"fault": "power"})
        assert await asked_once_it_is_back(served, port, ":SOUR:CURR?") == "0.000000E+00"


async def asked_once_it_is_back(served: Served, port: JsonPort, line: str) -> str:
    """Ask as often as it takes: a power cut that is over at once still takes some turns of the loop."""
    for _ in range(100):
        try:
            return await asked(served, line)
        except OSError:
            await port.now()
    raise AssertionError("it never came back")


async def test_after_a_power_cut_the_script_is_gone_and_the_cell_left_alone() -> None:
    script = b"e\nvar p\nvar c\nset_pgstat_chan 0\nset_pgstat_mode 6\nset_range ba 100m\ncell_on\n"
    script += b"meas_loop_cp p c 10m 10 1000\nendloop\non_finished:\ncell_off\n\n"
    cell = LinearCell()
    async with EmStat4.serve(cell=cell, speed=1000.0, seed=1) as served, json_port(served.rehearsal) as port:
        assert await asyncio.to_thread(in_serial, served, script) == b"e\n"
        await port.ask({"hold": True})
        began = await port.now()
        await port.ask({"fault": {"fault": "power", "at": began + 100, "for": 100}})
        await port.ask({"until": began + 1000})
        # The script began at most `began` ago, runs at most 5 s ahead and lives point by point.
        assert 0.01 * 90 <= cell.charge <= 0.01 * (began + 106)
        assert await asyncio.to_thread(in_serial, served, b"Z\n") == b"Z!0006\n"  # nothing is running
        assert await asyncio.to_thread(in_serial, served, b"r\n") == b"r!000C\n"  # nor is a script kept


async def test_an_instrument_that_resets_itself_keeps_the_connection() -> None:
    async with source_meter() as (served, port):

        def before(smu: MessageBasedResource) -> str:
            return str(smu.query(":SOUR:CURR 0.5;:OUTP ON;:SOUR:CURR?;:OUTP?"))

        manager = pyvisa.ResourceManager("@py")
        smu = await asyncio.to_thread(
            lambda: manager.open_resource(served.address, read_termination="\n", write_termination="\n")
        )
        assert isinstance(smu, MessageBasedResource)
        assert await asyncio.to_thread(before, smu) == "5.000000E-01;1"
        await port.ask({"fault": "defaults"})
        assert await asyncio.to_thread(smu.query, ":SOUR:CURR?;:OUTP?") == "0.000000E+00;0"
        await asyncio.to_thread(smu.close)
        manager.close()


async def test_clearing_brings_back_what_is_gone_and_calls_off_what_was_to_come() -> None:
    async with source_meter("gone", "power after 100 s for 5 s") as (served, port):
        with pytest.raises(Exception, match=r"refused|CONN|RSRC"):
            await asked(served, "*IDN?")
        await port.ask({"fault": {"clear": True}})
        assert await asked(served, ":SOUR:CURR 0.5;CURR?") == "5.000000E-01"
        await port.ask({"until": 200})
        assert await asked(served, ":SOUR:CURR?") == "5.000000E-01"


async def test_two_outages_are_over_when_both_are() -> None:
    async with source_meter("gone at 10 s for 20 s", "power at 20 s for 20 s") as (served, port):
        for moment, there in ((5, True), (15, False), (35, False), (45, True)):
            await port.ask({"until": moment})
            if there:
                assert (await asked(served, "*IDN?")).startswith("KEITHLEY")
            else:
                with pytest.raises(Exception, match=r"refused|CONN|RSRC"):
                    await asked(served, "*IDN?")


async def test_faults_can_be_injected_from_python() -> None:
    faults = Faults()
    async with Keithley2450.serve(cell=LinearCell(), speed=math.inf, seed=1, faults=faults) as served:
        await asked(served, ":SOUR:CURR 0.5;CURR?")
        faults.inject("power")
        async with json_port(served.rehearsal) as port:
            assert await asked_once_it_is_back(served, port, ":SOUR:CURR?") == "0.000000E+00"


async def test_a_fault_that_is_not_is_refused_before_anything_is_served() -> None:
    with pytest.raises(ValueError, match="wanted KIND"):
        async with source_meter("fire"):
            raise AssertionError("it must not be served")
