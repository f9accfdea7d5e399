"""Simulated instruments on real sockets and pseudo-terminals, spoken to by the real client libraries."""

import asyncio
import math
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from operator import methodcaller
from typing import Any, ClassVar, Literal, TypeVar

import pytest
import pyvisa
import serial
from pyvisa.resources import MessageBasedResource

from simulators.instrument import Served, SimulatedInstrument, Stream
from simulators.keithley2450 import Keithley2450
from simulators.lines import Lines
from simulators.streams import pseudo_terminal
from tests.simulators.json_port import JsonPort, json_port
from tests.simulators.linear_cell import LinearCell

T = TypeVar("T")

SET_UP = (
    ":OUTP:CURR:SMOD HIMP;:OUTP:VOLT:SMOD HIMP",
    ":SOUR:FUNC CURR;:SOUR:CURR:VLIM 4.0;:SENS:FUNC 'VOLT';:SENS:VOLT:RSEN ON;:SOUR:CURR 0.1",
    ":OUTP ON",
)


def in_visa(served: Served, talk: Callable[[MessageBasedResource], T]) -> T:
    """Talk to an instrument through PyVISA as any script would."""
    manager = pyvisa.ResourceManager("@py")
    try:
        resource = manager.open_resource(served.address, read_termination="\n", write_termination="\n")
        assert isinstance(resource, MessageBasedResource)
        with resource:
            return talk(resource)
    finally:
        manager.close()


@asynccontextmanager
async def held(cell: LinearCell, seed: int = 1) -> AsyncIterator[tuple[Served, JsonPort]]:
    async with (
        Keithley2450.serve(cell=cell, speed=math.inf, seed=seed) as served,
        json_port(served.rehearsal) as port,
    ):
        await port.ask({"hold": True})
        yield served, port


async def test_pyvisa_sources_a_current_reads_the_cell_and_the_errors() -> None:
    def talk(smu: MessageBasedResource) -> tuple[str, str, str]:
        assert smu.query("*IDN?").startswith("KEITHLEY INSTRUMENTS,MODEL 2450,")
        for line in SET_UP:
            smu.write(line)
        reading = smu.query('READ? "defbuffer1", SOUR, READ, REL')
        smu.write(":SOUR:CURR 5")
        error = smu.query("SYST:ERR?")
        smu.write("OUTP OFF")
        return reading, error, smu.query("OUTP?;:SOUR:CURR?")

    async with held(LinearCell()) as (served, _):
        reading, error, left = await asyncio.to_thread(in_visa, served, talk)
    amperes, volts, relative = map(float, reading.split(","))
    assert amperes == pytest.approx(0.1, rel=3e-4)
    assert volts == pytest.approx(3.9, rel=3e-4)
    assert relative == 0.0
    assert error.startswith('-222,"Parameter data out of range;1;2026/01/01 00:00:00.')
    assert left == "0;1.000000E-01"


async def test_a_rehearsal_over_both_ports_meets_the_clamp_where_it_must() -> None:
    # 0.1 A: 4.0 V after 1000 s; see test_regimes. 3000 s: 226.424 C.
    cell = LinearCell()

    def set_up(smu: MessageBasedResource) -> None:
        for line in SET_UP:
            smu.write(line)
        smu.query("*OPC?")

    async with held(cell) as (served, port):
        await asyncio.to_thread(in_visa, served, set_up)
        await port.ask({"until": 999.0})
        assert await asyncio.to_thread(in_visa, served, lambda smu: smu.query("SOUR:CURR:VLIM:TRIP?")) == "0"
        await port.ask({"until": 3000.0})
        assert await asyncio.to_thread(in_visa, served, lambda smu: smu.query("SOUR:CURR:VLIM:TRIP?")) == "1"
        truth = (await port.ask({"truth": None}))["truth"]
    assert truth["charge"] == pytest.approx(226.424, abs=1e-3)


async def test_the_same_seed_gives_the_same_bytes() -> None:
    def talk(smu: MessageBasedResource) -> list[str]:
        for line in SET_UP:
            smu.write(line)
        return [smu.query('READ? "defbuffer1", SOUR, READ, REL, TST') for _ in range(20)]

    async def said(seed: int) -> list[str]:
        async with held(LinearCell(), seed) as (served, _):
            return await asyncio.to_thread(in_visa, served, talk)

    assert await said(3) == await said(3)
    assert await said(3) != await said(4)


async def test_running_free_gives_the_charge_a_held_clock_gives() -> None:
    # A trigger model makes both last exactly as long: 20 readings, each after 10 s. Free, at 2000 x,
    # it takes 0.1 s. What flows after the last is switched off by the model itself.
    blocks = (
        ":TRIG:BLOC:SOUR:STAT 1, ON",
        ":TRIG:BLOC:DEL:CONS 2, 10",
        ':TRIG:BLOC:MEAS 3, "defbuffer1"',
        ":TRIG:BLOC:BRAN:COUN 4, 20, 2",
        ":TRIG:BLOC:SOUR:STAT 5, OFF",
        ":INIT;*WAI",
    )

    def talk(smu: MessageBasedResource) -> str:
        for line in (*SET_UP[:-1], *blocks):
            smu.write(line)
        return smu.query("TRIG:STAT?;*OPC?")

    charges = []
    for speed in (2000.0, math.inf):
        cell = LinearCell()
        async with Keithley2450.serve(cell=cell, speed=speed, seed=1) as served:
            assert await asyncio.to_thread(in_visa, served, talk) == "IDLE;IDLE;5;1"
        charges.append(cell.charge)
    # 20 x (10 + 0.081) s + 1 ms for the fresh source + 10 us for each branch and the switching.
    assert charges[0] == pytest.approx(0.1 * (20 * 10.081 + 0.001), abs=1e-4)
    # Free time is the wall clock times 2000, which a double resolves to some 4 ns; at 0.1 A each of
    # the hundred moments at which the model acts may cost that much: 4e-8 C.
    assert charges[1] == pytest.approx(charges[0], abs=4e-8)


async def test_clients_come_and_go_and_the_instrument_stays_as_it_was_left() -> None:
    async with held(LinearCell()) as (served, _):
        for line in SET_UP:
            await asyncio.to_thread(in_visa, served, methodcaller("write", line))
            await asyncio.to_thread(hang_up_rudely, served)
        assert await asyncio.to_thread(in_visa, served, lambda smu: smu.query("OUTP?;:SOUR:CURR?")) == (
            "1;1.000000E-01"
        )


def hang_up_rudely(served: Served) -> None:
    """Ask, leave half a line, and reset the connection without reading the answer."""
    port = int(served.address.split("::")[2])
    client = socket.create_connection(("127.0.0.1", port))
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    client.sendall(b"*IDN?\n*IDN?\n:OUTP")
    client.close()


async def test_leaving_hangs_up_on_a_client_in_the_middle_of_a_question() -> None:
    async with Keithley2450.serve(cell=LinearCell(), speed=1e-3, seed=1) as served:
        port = int(served.address.split("::")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"READ?\n")  # would take 82 s
        await writer.drain()
        await asyncio.sleep(0.01)
    assert await reader.read() == b""
    writer.close()
    await writer.wait_closed()


async def test_what_is_served_is_told() -> None:
    async with Keithley2450.serve(cell="li_cu/ti087o2", speed=1000.0, seed=5) as served:
        assert served.instrument == "keithley2450"
        assert served.address.startswith("TCPIP0::127.0.0.1::")
        assert served.address.endswith("::SOCKET")
        assert served.rehearsal.startswith("tcp://127.0.0.1:")
        assert (served.cell, served.speed, served.seed) == ("li_cu/ti087o2", 1000.0, 5)
        assert served.truth["kind"] == "li_cu"


async def test_a_taken_port_and_an_unknown_cell_are_refused() -> None:
    async with Keithley2450.serve(cell=LinearCell(), speed=1.0, seed=1) as served:
        port = int(served.address.split("::")[2])
        with pytest.raises(OSError, match="address already in use"):
            async with Keithley2450.serve(cell=LinearCell(), speed=1.0, seed=1, port=port):
                pass
    with pytest.raises(ValueError, match="no_such_cell"):
        async with Keithley2450.serve(cell="no_such_cell", speed=1.0, seed=1):
            pass


async def test_pymeasure_works_it() -> None:
    instruments: Any = pytest.importorskip(
        "pymeasure.instruments.keithley", reason="PyMeasure, a third-party client, is not installed"
    )

    def talk(address: str) -> tuple[float, float, float, list[Any]]:
        smu = instruments.Keithley2450(
            address, visa_library="@py", read_termination="\n", write_termination="\n"
        )
        try:
            smu.reset()
            smu.current_output_off_state = smu.voltage_output_off_state = "HIMP"
            smu.apply_current(current_range=0.1, compliance_voltage=4.0)
            smu.measure_voltage(nplc=0.1, voltage=20.0, auto_range=False)
            smu.write(":SENS:VOLT:RSEN ON")
            smu.source_current = 0.1
            smu.enable_source()
            volts = smu.voltage
            compliance = smu.compliance_voltage
            smu.buffer_points = 100
            smu.voltage  # noqa: B018 - reading is what puts it into the buffer
            mean = smu.means
            smu.source_current = 2.0  # beyond the 0.1 A range
            errors = [smu.check_errors()]
            smu.shutdown()
            errors.append(smu.check_errors())
            assert smu.source_enabled is False
            return volts, compliance, mean, errors
        finally:
            smu.adapter.close()

    async with held(LinearCell()) as (served, _):
        volts, compliance, mean, errors = await asyncio.to_thread(talk, served.address)
    assert volts == pytest.approx(3.9, rel=3e-4)
    assert mean == pytest.approx(3.9, rel=3e-4)
    assert compliance == 4.0
    assert [int(error[0]) for error in errors[0]] == [-222]
    assert errors[1] == []


class Echo(SimulatedInstrument):
    """Says every line back, twice."""

    name: ClassVar[str] = "echo"
    wire: ClassVar[Literal["tcp", "pty"]] = "pty"

    async def converse(self, stream: Stream) -> None:
        lines = Lines(stream)
        while (line := await lines.read()) is not None:
            await stream.write(2 * (line + b"\n"))


async def test_pyserial_talks_on_a_pseudo_terminal_and_may_come_back() -> None:
    def talk(path: str, said: bytes) -> bytes:
        with serial.Serial(path, 921600, timeout=60.0) as port:
            port.write(said)
            return port.read(2 * len(said))

    async with Echo.serve(cell=LinearCell(), speed=1.0, seed=1) as served:
        for said in (b"first\n", b"\x00\x03\x04\x11\x13\x1a second\r\r\n".replace(b"\r\r\n", b"\n")):
            assert await asyncio.to_thread(talk, served.address, said) == 2 * said


async def test_a_pseudo_terminal_waits_for_a_slow_reader_and_loses_nothing() -> None:
    sent = b"".join(b"%09d\n" % number for number in range(20_000))  # 200 kB, far more than it buffers

    def take(port: serial.Serial) -> bytes:
        return b"".join(port.read(min(7001, len(sent) - at)) for at in range(0, len(sent), 7001))

    with pseudo_terminal() as stream, serial.Serial(stream.path, timeout=60.0) as port:
        writing = asyncio.create_task(stream.write(sent))
        assert await asyncio.to_thread(take, port) == sent
        await writing


async def test_a_pseudo_terminal_nobody_listens_to_holds_nobody_up() -> None:
    with pseudo_terminal() as stream:
        async with asyncio.timeout(60.0):
            for _ in range(50):
                await stream.write(bytes(4096))


async def test_a_port_makes_no_sense_on_a_pseudo_terminal() -> None:
    with pytest.raises(ValueError, match="wanted none"):
        async with Echo.serve(cell=LinearCell(), speed=1.0, seed=1, port=7000):
            pass
