"""INITiate, ABORt and the TRIGger subsystem."""

from collections.abc import Callable, Iterator, Sequence

from simulators.keithley2450.blocks import (
    Block,
    BranchAlways,
    BranchCounter,
    BranchLimit,
    ClearBuffer,
    LogEvent,
    Measure,
    Nothing,
    SetOutput,
    Side,
    Wait,
)
from simulators.keithley2450.buffers import Buffers
from simulators.keithley2450.sourcemeter import SourceMeter
from simulators.keithley2450.trigger import MOST_BLOCKS, TriggerModel, duration_loop, simple_loop
from simulators.scpi import Boolean, Choice, Command, Integer, Kind, Name, Number, ScpiError
from simulators.scpi.setting import exactly, only
from simulators.scpi.tree import Act

TEMPLATES = ("Empty", "SimpleLoop", "DurationLoop")

COUNT = Integer(1, 268_435_455, 1)
DELAY = Number(0.0, 10e3, 0.0)
DURATION = Number(500e-9, 100e3, 1.0)
NUMBER = Integer(1, MOST_BLOCKS, 1)
LIMIT = Number(-9.9e37, 9.9e37, 0.0)
SIDE = Choice("ABOVe", "BELow", "INside", "OUTside")

LOG_KINDS = {
    **{f"INFO{n}": Kind.INFORMATION for n in range(1, 5)},
    **{f"WARN{n}": Kind.WARNING for n in range(1, 5)},
    **{f"ERR{n}": Kind.ERROR for n in range(1, 5)},
}


class Triggering:
    """Builds the trigger model and sets it going."""

    def __init__(self, smu: SourceMeter, trigger: TriggerModel) -> None:
        self._smu = smu
        self._trigger = trigger
        self._buffer = _Buffer(smu.buffers)

    def commands(self) -> Iterator[Command]:
        trigger = self._trigger
        yield Command(":INITiate[:IMMediate]", write=lambda _: trigger.start(self._smu.lived))
        yield Command(":ABORt", write=lambda _: trigger.abort())
        yield Command(":TRIGger:STATe", query=lambda _: f"{trigger.state};{trigger.state};{trigger.position}")
        yield Command(":TRIGger:LOAD", write=self._load)
        blocks: dict[str, Callable[[tuple[str, ...]], Block]] = {
            "NOP": lambda p: Nothing(*exactly(0, p)),
            "BUFFer:CLEar": lambda p: ClearBuffer(self._buffer.named(p)),
            "SOURce:STATe": lambda p: SetOutput(Boolean().parse(only(p))),
            "DELay:CONStant": lambda p: Wait(DELAY.parse(only(p))),
            "MEASure": self._measure,
            "BRANch:COUNter": lambda p: BranchCounter(*map(COUNT.parse, exactly(2, p))),
            "BRANch:ALWays": lambda p: BranchAlways(NUMBER.parse(only(p))),
            "BRANch:LIMit:CONStant": _branch_limit,
            "LOG:EVENt": _log_event,
        }
        for words, build in blocks.items():
            yield Command(f":TRIGger:BLOCk:{words}", write=self._placing(build))

    def _placing(self, build: Callable[[tuple[str, ...]], Block]) -> Act:
        """Return a command whose first parameter is the number of the block it builds."""

        def place(parameters: tuple[str, ...]) -> None:
            if not parameters:
                raise ScpiError(-109)
            self._trigger.put(NUMBER.parse(parameters[0]), build(parameters[1:]))

        return place

    def _load(self, parameters: tuple[str, ...]) -> None:
        if not parameters:
            raise ScpiError(-109)
        template = Name(lambda name: name in TEMPLATES).parse(parameters[0])
        self._trigger.load(self._template(template, parameters[1:]))

    def _template(self, name: str, parameters: tuple[str, ...]) -> Sequence[Block]:
        if name == "Empty":
            exactly(0, parameters)
            return ()
        if not parameters:
            raise ScpiError(-109)
        delay = DELAY.parse(parameters[1]) if len(parameters) > 1 else 0.0
        buffer = self._buffer.named(parameters[2:])
        if name == "SimpleLoop":
            return simple_loop(COUNT.parse(parameters[0]), delay, buffer)
        return duration_loop(DURATION.parse(parameters[0]), delay, buffer)

    def _measure(self, parameters: tuple[str, ...]) -> Block:
        buffer = self._buffer.named(parameters[:1])
        match parameters[1:]:
            case ():
                return Measure(buffer)
            case (count,) if count.upper() == "INF":
                return Measure(buffer, COUNT.parse("MAX"))
            case (count,):
                return Measure(buffer, COUNT.parse(count))
            case _:
                raise ScpiError(-108)


class _Buffer:
    """The optional name of a buffer at the end of a command."""

    def __init__(self, buffers: Buffers) -> None:
        self._name = Name(lambda name: name in buffers)

    def named(self, parameters: tuple[str, ...]) -> str:
        return self._name.parse(only(parameters)) if parameters else "defbuffer1"


def _branch_limit(parameters: tuple[str, ...]) -> Block:
    """Side, limit A, limit B, target and, optionally, the measure block looked at (the last one here)."""
    side, a, b, target = exactly(4, parameters[:4])
    exactly(min(len(parameters), 5), parameters)
    return BranchLimit(Side(SIDE.parse(side)), LIMIT.parse(a), LIMIT.parse(b), NUMBER.parse(target))


def _log_event(parameters: tuple[str, ...]) -> Block:
    kind, text = exactly(2, parameters)
    try:
        return LogEvent(Name().parse(text), LOG_KINDS[kind.upper()])
    except KeyError:
        raise ScpiError(-224) from None
