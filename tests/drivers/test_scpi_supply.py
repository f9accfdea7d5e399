"""The supply whose words the bench file says, on its simulated instrument."""

import pytest

from daemon.channels.bench_file import BenchFile
from drivers.base import SteppedChannel
from drivers.errors import InstrumentError, RefusedError
from drivers.links.opening import open_link
from drivers.links.transcript import TranscriptLink
from drivers.rehearsal import RehearsalClock
from drivers.scpi_supply import ScpiSupply
from protocols.errors import ProtocolError
from protocols.reading import Flags
from protocols.setpoint import AtRest, Current, Voltage
from simulators.cells.library import make_cell
from simulators.server import serve
from simulators.supply import Supply


async def test_it_charges_sinks_and_rests() -> None:
    """1 A into 100 F for 60 s is 0.6 V; out of it again for 30 s is 0.3 V; 12 mohm in series."""
    async with serve(Supply, cell=make_cell("supercapacitor/100f", 1), speed=1e6, seed=1) as served:
        link = await open_link(f"visa://{served.address}", ScpiSupply.link_options)
        supply = await ScpiSupply.open(link)
        clock = await RehearsalClock.connect(served.rehearsal)
        channel = supply.channels["1"]
        assert isinstance(channel, SteppedChannel)
        await channel.apply(Current(1.0, voltage_clamp=2.7))
        began = (await channel.measure(1.0)).time
        await clock.sleep_until(await clock.now() + 60.0)
        charged = await channel.measure(1.0)
        assert charged.time - began == pytest.approx(60.0, abs=0.1)
        assert charged.voltage == pytest.approx(1.5 + 0.6 + 0.012, abs=5e-3)
        await channel.apply(Current(-1.0, voltage_clamp=2.7))
        await clock.sleep_until(await clock.now() + 30.0)
        sunk = await channel.measure(1.0)
        assert sunk.current == pytest.approx(-1.0, abs=2e-3)
        assert sunk.voltage == pytest.approx(1.8 - 0.012, abs=5e-3)
        await channel.apply(AtRest(voltage_clamp=2.7))
        assert (await channel.measure(1.0)).voltage == pytest.approx(1.8, abs=5e-3)
        await channel.apply(Voltage(2.0, current_clamp=0.5))
        held = await channel.measure(1.0)
        assert held.current == pytest.approx(0.5, abs=2e-3)
        assert held.flags == Flags.CLAMPED
        await channel.off()
        await clock.aclose()
        await link.aclose()


async def test_it_says_what_the_bench_file_says() -> None:
    settings = {
        "volts": "30",
        "amperes": "5",
        "set_current": "SOUR:CURR {amperes}",
        "remote": "",
        "uptime": "",
    }
    with TranscriptLink(
        """
        > *IDN?
        < EA,PSB 9060,1,2
        > OUTP OFF
        > OUTP?
        < OFF
        > :SYST:ERR?
        < 0,"No error"
        > OUTP OFF
        > OUTP?
        < OFF
        > FUNC CURR
        > VOLT:LIM 4.2
        > SOUR:CURR 2.5
        > :SYST:ERR?
        < 0,"No error"
        > CURR?
        < 2.5
        > OUTP ON
        > OUTP?
        < ON
        """
    ) as link:
        supply = await ScpiSupply.configured(settings).open(link)
        channel = supply.channels["1"]
        assert isinstance(channel, SteppedChannel)
        await channel.apply(Current(2.5, voltage_clamp=4.2))
        with pytest.raises(RefusedError, match="beyond ±5 A, 0 to 30 V"):
            await channel.apply(Current(6.0, voltage_clamp=4.2))


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ("{volts: many}", "6:.*setting volts: 'many'; wanted a number above 0"),
        ("{set_current: CURR}", r"wanted \{amperes\} in it"),
        ("{set_curent: CURR}", "setting 'set_curent'; wanted one of volts, amperes, voltage_step, "),
    ],
)
def test_a_setting_it_does_not_have_is_told_where_it_is(settings: str, why: str) -> None:
    bench = "bench: B\ninstruments:\n  psu1:\n    driver: scpi-supply\n    address: tcp://h:1\n    settings: "
    with pytest.raises(ProtocolError, match=why):
        BenchFile.parse(bench + settings, "bench.yaml")


def test_other_drivers_take_no_settings() -> None:
    from drivers.keithley2450 import Keithley2450

    with pytest.raises(InstrumentError, match="this driver has no settings"):
        Keithley2450.configured({"volts": "5"})
