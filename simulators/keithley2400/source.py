"""The SOURce, OUTPut and SENSe subsystems."""

from collections.abc import Iterator

from simulators.keithley2400.settings import FUNCTIONS, Settings
from simulators.keithley2400.sourcemeter import SourceMeter
from simulators.scpi import Boolean, Choice, Command, Setting, setting
from simulators.scpi.parameters import unquoted
from simulators.scpi.tree import Act

FUNCTION = Choice("VOLTage", "CURRent", "RESistance")


def source_commands(settings: Settings, smu: SourceMeter) -> Iterator[Command]:
    """SOURce and OUTPut."""
    yield setting(":SOURce[1]:FUNCtion[:MODE]", settings.function)
    for word, function in (("CURRent", "CURR"), ("VOLTage", "VOLT")):
        source = settings.sources[function]
        header = f":SOURce[1]:{word}"
        yield setting(f"{header}[:LEVel][:IMMediate][:AMPLitude]", source.level)
        yield setting(f"{header}:MODE", source.mode)
        yield Command(f"{header}:RANGe", source.range.write, source.range.query)
        yield setting(f"{header}:RANGe:AUTO", source.range.auto)
    yield setting(":SOURce[1]:VOLTage:PROTection[:LEVel]", settings.protection)
    yield setting(":SOURce[1]:DELay", settings.delay)
    yield setting(":SOURce[1]:DELay:AUTO", settings.autodelay)
    yield Command(":SOURce[1]:CLEar[:IMMediate]", write=lambda _: settings.output.write(("OFF",)))
    yield setting(":SOURce[1]:CLEar:AUTO", settings.clear_auto)
    yield setting(":OUTPut[1][:STATe]", settings.output)
    yield setting(":OUTPut[1]:SMODe", settings.off_mode)
    yield setting(":OUTPut[1]:INTerlock:STATe", Setting(Boolean(), False))


def sense_commands(settings: Settings, smu: SourceMeter) -> Iterator[Command]:
    """SENSe."""
    yield Command(
        "[:SENSe[1]]:FUNCtion[:ON]",
        lambda p: settings.measure(map(_function, p)),
        lambda _: _measured(settings),
    )
    yield Command("[:SENSe[1]]:FUNCtion[:ON]:ALL", write=lambda _: settings.measure(FUNCTIONS))
    yield Command(
        "[:SENSe[1]]:FUNCtion:OFF", write=lambda p: settings.measured.difference_update(map(_function, p))
    )
    yield Command("[:SENSe[1]]:FUNCtion:OFF:ALL", write=lambda _: settings.measured.clear())
    yield setting("[:SENSe[1]]:FUNCtion:CONCurrent", settings.concurrent)
    for word, function in (("CURRent[:DC]", "CURR"), ("VOLTage[:DC]", "VOLT")):
        sense = settings.senses[function]
        header = f"[:SENSe[1]]:{word}"
        yield Command(f"{header}:RANGe[:UPPer]", sense.range.write, sense.range.query)
        yield setting(f"{header}:RANGe:AUTO", sense.range.auto)
        yield setting(f"{header}:NPLCycles", settings.cycles)  # one integration time for all functions
        yield setting(f"{header}:PROTection[:LEVel]", sense.compliance)
        yield Command(f"{header}:PROTection:TRIPped", query=_tripped(smu, function))
    ohms = settings.ohms_range
    yield Command("[:SENSe[1]]:RESistance:RANGe[:UPPer]", ohms.write, ohms.query)
    yield setting("[:SENSe[1]]:RESistance:RANGe:AUTO", ohms.auto)
    yield setting("[:SENSe[1]]:RESistance:NPLCycles", settings.cycles)
    yield setting("[:SENSe[1]]:RESistance:MODE", settings.ohms_mode)
    yield setting("[:SENSe[1]]:AVERage[:STATe]", settings.averaging)
    yield setting("[:SENSe[1]]:AVERage:COUNt", settings.average_count)
    yield setting("[:SENSe[1]]:AVERage:TCONtrol", settings.average_type)


def _function(text: str) -> str:
    return FUNCTION.parse(unquoted(text).removesuffix(":DC").removesuffix(":dc"))


def _measured(settings: Settings) -> str:
    names = {"VOLT": '"VOLT:DC"', "CURR": '"CURR:DC"', "RES": '"RES"'}
    return ",".join(names[one] for one in FUNCTIONS if one in settings.measured) or '""'


def _tripped(smu: SourceMeter, quantity: str) -> Act:
    return lambda _: f"{smu.in_compliance() and smu.settings.function.value != quantity:d}"
