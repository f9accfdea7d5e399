"""The SENSe subsystem."""

from collections.abc import Iterator

from simulators.keithley2450.settings import SenseFunction, Settings
from simulators.scpi import Command, setting


def sense_commands(settings: Settings) -> Iterator[Command]:
    yield setting("[:SENSe[1]]:FUNCtion[:ON]", settings.sense_function)
    yield setting("[:SENSe[1]]:COUNt", settings.count)
    yield Command("[:SENSe[1]]:AZERo:ONCE", write=lambda _: None)  # zero and reference are ideal here
    for word, function in (("CURRent[:DC]", "CURR"), ("VOLTage[:DC]", "VOLT"), ("RESistance", "RES")):
        yield from _function_commands(f"[:SENSe[1]]:{word}", settings.senses[function])


def _function_commands(header: str, sense: SenseFunction) -> Iterator[Command]:
    yield Command(f"{header}:RANGe[:UPPer]", sense.range.write, sense.range.query)
    yield setting(f"{header}:RANGe:AUTO", sense.range.auto)
    yield setting(f"{header}:NPLCycles", sense.cycles)
    yield setting(f"{header}:RSENse", sense.remote)
    yield setting(f"{header}:AZERo[:STATe]", sense.autozero)
    yield setting(f"{header}:AVERage[:STATe]", sense.averaging)
    yield setting(f"{header}:AVERage:COUNt", sense.average_count)
    yield setting(f"{header}:AVERage:TCONtrol", sense.average_type)
