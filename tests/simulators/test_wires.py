"""Simulated SCPI instruments on HiSLIP, VXI-11 and a serial line, by PyVISA-py's own clients."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from pyvisa import ResourceManager
from pyvisa.errors import VisaIOError

from drivers.base import SteppedChannel
from drivers.errors import SilenceError
from drivers.keithley2450 import Keithley2450 as Driver
from drivers.links.opening import open_link
from protocols.setpoint import Current
from simulators.faults import Faults
from simulators.keithley2400 import Keithley2400
from simulators.keithley2450 import Keithley2450
from tests.drivers.test_pairs import Capacitor


async def talked(address: str, talk: Callable[[Any], object]) -> None:
    """Let a PyVISA resource be talked to in a thread of its own."""

    def work() -> None:
        name = f"ASRL{address}::INSTR" if address.startswith("/") else address
        resource = ResourceManager("@py").open_resource(name)
        resource.timeout = 5000
        try:
            talk(resource)
        finally:
            resource.close()

    await asyncio.to_thread(work)


@pytest.mark.parametrize("wire", ["hislip", "vxi11"])
async def test_a_query_a_status_poll_and_a_device_clear(wire: str) -> None:
    def talk(smu: Any) -> None:
        assert smu.query("*IDN?").startswith("KEITHLEY INSTRUMENTS,MODEL 2450")
        smu.write("SYST:CLE;:NONSENSE")
        assert smu.read_stb() & 4  # the error queue
        smu.write(":SENS:COUN 300000")
        smu.write(":READ?")  # hours of readings
        smu.timeout = 50
        with pytest.raises(VisaIOError, match="VI_ERROR_TMO"):
            smu.read()
        smu.timeout = 5000
        smu.clear()
        assert smu.query(":SENS:COUN?").strip() == "300000"

    async with Keithley2450.serve(cell=Capacitor(), speed=1.0, seed=1, wire=wire) as served:
        await talked(served.address, talk)


@pytest.mark.parametrize("wire", ["hislip", "vxi11"])
async def test_two_clients_have_each_its_own_answers(wire: str) -> None:
    async with Keithley2450.serve(cell=Capacitor(), speed=1.0, seed=1, wire=wire) as served:
        first = await open_link(f"visa://{served.address}", Driver.link_options)
        second = await open_link(f"visa://{served.address}", Driver.link_options)
        try:
            output, function = await asyncio.gather(first.query(":OUTP?"), second.query(":SOUR:FUNC?"))
            assert (output, function) == ("0", "VOLT")
        finally:
            await first.aclose()
            await second.aclose()


@pytest.mark.parametrize("wire", ["hislip", "vxi11"])
async def test_our_driver_works_over_it_and_survives_a_lost_answer(wire: str) -> None:
    faults = Faults()
    async with Keithley2450.serve(cell=Capacitor(), speed=1.0, seed=1, wire=wire, faults=faults) as served:
        link = await open_link(f"visa://{served.address}", Driver.link_options)
        try:
            driver = await Driver.open(link)
            channel = driver.channels["1"]
            assert isinstance(channel, SteppedChannel)
            await channel.apply(Current(0.01, 2.0))
            assert (await channel.measure(0.1)).current == pytest.approx(0.01, rel=1e-3)
            faults.inject("mute 1 times")
            with pytest.raises(SilenceError):
                await link.query(":SOUR:FUNC?", deadline=0.2)
            assert await link.query(":OUTP?") == "1"
            await channel.off()
        finally:
            await link.aclose()


async def test_a_classic_2400_on_its_serial_line_is_an_asrl_resource() -> None:
    def talk(smu: Any) -> None:
        smu.read_termination = smu.write_termination = "\n"
        smu.baud_rate = 57_600
        assert "MODEL 2400" in smu.query("*IDN?")

    async with Keithley2400.serve(cell=Capacitor(), speed=1.0, seed=1, wire="serial") as served:
        await talked(served.address, talk)
        link = await open_link(f"visa://ASRL{served.address}::INSTR")
        assert "MODEL 2400" in await link.query("*IDN?")
        await link.aclose()


def test_a_wire_it_does_not_have_is_refused() -> None:
    async def serve() -> None:
        async with Keithley2450.serve(cell=Capacitor(), speed=1.0, seed=1, wire="serial"):
            pass

    with pytest.raises(ValueError, match="wanted one of a keithley2450: socket, hislip, vxi11"):
        asyncio.run(serve())
