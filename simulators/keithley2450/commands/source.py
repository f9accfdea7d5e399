"""The SOURce and OUTPut subsystems."""

from collections.abc import Iterator

from simulators.keithley2450.settings import Settings
from simulators.keithley2450.sourcemeter import SourceMeter
from simulators.scpi import Command, setting


def source_commands(smu: SourceMeter) -> Iterator[Command]:
    settings = smu.settings
    yield setting(":SOURce[1]:FUNCtion[:MODE]", settings.source_function)
    yield from _function_commands(settings, ":SOURce[1]:CURRent", "CURR")
    yield from _function_commands(settings, ":SOURce[1]:VOLTage", "VOLT")
    yield setting(":SOURce[1]:CURRent:VLIMit[:LEVel]", settings.sources["CURR"].limit)
    yield setting(":SOURce[1]:VOLTage:ILIMit[:LEVel]", settings.sources["VOLT"].limit)
    yield Command(":SOURce[1]:CURRent:VLIMit[:LEVel]:TRIPped", query=lambda _: _tripped(smu, "CURR"))
    yield Command(":SOURce[1]:VOLTage:ILIMit[:LEVel]:TRIPped", query=lambda _: _tripped(smu, "VOLT"))
    yield setting(":OUTPut[1][:STATe]", settings.output)
    yield Command(":OUTPut[1]:INTerlock:TRIPped", query=lambda _: "1")  # the bench's lid is closed


def _function_commands(settings: Settings, header: str, function: str) -> Iterator[Command]:
    source = settings.sources[function]
    yield setting(f"{header}[:LEVel][:IMMediate][:AMPLitude]", source.level)
    yield Command(f"{header}:RANGe", source.range.write, source.range.query)
    yield setting(f"{header}:RANGe:AUTO", source.range.auto)
    yield setting(f"{header}:DELay", source.delay)
    yield setting(f"{header}:DELay:AUTO", source.autodelay)
    yield setting(f"{header}:HIGH:CAPacitance", source.high_capacitance)
    yield setting(f"{header}:READ:BACK", source.read_back)
    yield setting(f":OUTPut[1]:{header.rpartition(':')[2]}:SMODe", source.off_mode)


def protection_commands(smu: SourceMeter) -> Iterator[Command]:
    """One protection for both functions, reachable under either."""
    for function in ("CURRent", "VOLTage"):
        header = f":SOURce[1]:{function}:PROTection[:LEVel]"
        yield setting(header, smu.settings.protection)
        yield Command(f"{header}:TRIPped", query=lambda _: f"{smu.protected():d}")


def _tripped(smu: SourceMeter, function: str) -> str:
    return f"{smu.settings.source_function.value == function and smu.limited():d}"
