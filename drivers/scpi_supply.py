"""Bidirectional supplies that speak SCPI, each in words of its own: the bench file says which.

    psu1:
      driver: scpi-supply
      address: tcp://192.168.1.20:30000
      unattended: true
      settings: {volts: 60, amperes: 30, current_step: 0.01, set_current: "CURR {amperes}"}

The usual words are those of an ITECH M3400; what differs is named under `settings`, a key for each
command of `Commands`. Current is positive out of the plus terminal and negative where it sinks. No
dead-man: no such supply is known to open its output when nobody asks any more. It sets voltage and
current in steps of some millivolts and milliamperes, `voltage_step` and `current_step`: not for coin
cells. A set value between two steps is refused. One channel, "1".
"""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import ClassVar, Self

from drivers.base import Driver, SteppedChannel
from drivers.errors import InstrumentError, LinkError, RefusedError
from drivers.links import Link, LinkOptions
from drivers.scpi import Scpi, identify
from drivers.timeline import Timeline
from protocols.limits import Bound, Limits, Range
from protocols.plan import PlannedStep
from protocols.reading import Flags, Reading
from protocols.setpoint import AtRest, Current, Setpoint, Voltage
from protocols.techniques import ChamberTemperature, ConstantCurrent, ConstantVoltage, Impedance, Level

NEAR = 0.99
"""Of a clamp: what is measured beyond that is held by it."""

SAME = 1e-3
"""Of a set value: two that differ by less are one, to a supply that is no more accurate than that."""


@dataclass(frozen=True, slots=True)
class Scale:
    """The set values there are of one quantity: up to `most`, in whole steps."""

    most: float
    step: float
    unit: str

    def nearest(self, value: float) -> float:
        """Return the set value that comes closest."""
        return self.step * round(value / self.step)

    def refusal(self, value: float) -> str | None:
        """Return why no set value is this one, and which comes closest; None where one is."""
        if abs(self.nearest(value) - value) <= SAME * abs(value):
            return None
        closest = self.nearest(value) or math.copysign(self.step, value)
        return (
            f"{value:.6g} {self.unit} lies between two set values of this supply, which sets steps of "
            f"{self.step:g} {self.unit}; the nearest is {closest:.6g} {self.unit}"
        )


@dataclass(frozen=True, slots=True)
class Commands:
    """What to say for what; `{volts}` and `{amperes}` stand for numbers. An empty command is left out."""

    remote: str = "SYST:REM"
    on: str = "OUTP ON"
    off: str = "OUTP OFF"
    output: str = "OUTP?"
    current_mode: str = "FUNC CURR"
    voltage_mode: str = "FUNC VOLT"
    set_current: str = "CURR {amperes}"
    current: str = "CURR?"
    set_voltage: str = "VOLT {volts}"
    voltage: str = "VOLT?"
    voltage_limit: str = "VOLT:LIM {volts}"
    positive_limit: str = "CURR:LIM:POS {amperes}"
    negative_limit: str = "CURR:LIM:NEG {amperes}"
    protection: str = "VOLT:PROT {volts}"
    measure_voltage: str = "MEAS:VOLT?"
    measure_current: str = "MEAS:CURR?"
    uptime: str = "SYST:UPT?"
    """The supply's own seconds; one that does not know it is timed by the host's clock."""

    def said(self, name: str, number: float = 0.0) -> str:
        """Return a command with its number filled in."""
        text: str = getattr(self, name)
        return text.replace("{volts}", f"{number:.6g}").replace("{amperes}", f"{number:.6g}")


NUMBERED = {
    "set_current": "{amperes}",
    "set_voltage": "{volts}",
    "voltage_limit": "{volts}",
    "positive_limit": "{amperes}",
    "negative_limit": "{amperes}",
    "protection": "{volts}",
}
"""The commands that carry a number, and how it is written."""

SCALES = ("volts", "amperes", "voltage_step", "current_step")
"""The settings that are numbers."""


class Output(SteppedChannel):
    """A rest is an open output: its voltmeter is on the cell's side."""

    def __init__(self, scpi: Scpi, commands: Commands, volts: Scale, amperes: Scale, timed: bool) -> None:
        self._scpi = scpi
        self._commands = commands
        self._volts, self._amperes = volts, amperes
        self._timed = timed
        self._setpoint: Setpoint | None = None
        self._timeline = Timeline()

    def refusal(self, step: PlannedStep) -> str | None:
        match step.technique:
            case ConstantCurrent(amperes) if not abs(amperes) <= self._amperes.most:
                return f"{amperes:g} A is beyond the ±{self._amperes.most:g} A of this supply"
            case ConstantCurrent(amperes):
                return self._amperes.refusal(amperes)
            case ConstantVoltage(Level(volts, versus_open_circuit=False)):
                return self._volts.refusal(volts)
        return None

    async def prepare(self, limits: Limits) -> None:
        await self.off()
        high = limits.voltage.high
        await self._tell(
            "protection",
            self._volts.most if high is None else min(self._volts.most, 1.05 * high.value + 0.1),
        )
        await self._raise_on_errors()

    async def apply(self, setpoint: Setpoint) -> None:
        match setpoint:
            case AtRest():
                await self.off()
            case Current(amperes, clamp):
                self._refuse_beyond(amperes, clamp)
                level = self._amperes.nearest(amperes)
                await self._close("current", level, ("voltage_limit", clamp))
            case Voltage(volts, clamp):
                self._refuse_beyond(clamp, volts)
                level = self._volts.nearest(volts)
                await self._close("voltage", level, ("positive_limit", clamp), ("negative_limit", -clamp))
        self._setpoint = setpoint

    async def measure(self, within: float) -> Reading:
        if self._setpoint is None:
            raise RefusedError(f"{self._scpi.who}: nothing is set; apply a rest to read the voltage")
        await self._check_output("0" if isinstance(self._setpoint, AtRest) else "1")
        voltage = await self._number("measure_voltage")
        current = await self._number("measure_current")
        own = await self._number("uptime") if self._timed else time.monotonic()
        moment = self._timeline.at(own, time.monotonic())
        return Reading(moment, voltage, current, None, self._flags(voltage, current))

    async def off(self) -> None:
        self._setpoint = None
        try:
            await self._open()
        except LinkError:
            await self._open()

    async def make_safe(self) -> None:
        """Take control and open the output."""
        await self._tell("remote")
        await self.off()
        await self._scpi.errors()  # what was before is none of ours

    async def _open(self) -> None:
        await self._tell("off")
        await self._check_output("0")

    async def _close(self, mode: str, level: float, *limits: tuple[str, float]) -> None:
        """Set the limits, then the level, read it back, then close; another mode takes an open output."""
        same = type(self._setpoint) is (Current if mode == "current" else Voltage)
        if not same:
            await self.off()
            await self._tell(f"{mode}_mode")
        for name, value in limits:
            await self._tell(name, value)
        await self._tell(f"set_{mode}", level)
        await self._raise_on_errors()
        seen = await self._number(mode)
        if abs(seen - level) > 1e-3 + SAME * abs(level):
            raise RefusedError(f"{self._scpi.who}: told {level:g}, it says {seen:g}")
        await self._tell("on")
        await self._check_output("1")

    async def _check_output(self, wanted: str) -> None:
        state = await self._scpi.ask(self._commands.output)
        if state not in ("0", "1", "ON", "OFF"):
            raise LinkError(f"{self._scpi.who}: {self._commands.output} answered {state!r}; wanted 0 or 1")
        if ("1" if state in ("1", "ON") else "0") != wanted:
            told = " and ".join(await self._scpi.errors()) or "no error"
            raise RefusedError(f"{self._scpi.who}: the output is {state}, and {told}; wanted {wanted}")

    async def _tell(self, name: str, number: float = 0.0) -> None:
        command = self._commands.said(name, number)
        if command:
            await self._scpi.tell(command)

    async def _number(self, name: str) -> float:
        question = self._commands.said(name)
        [number] = self._scpi.numbers(1, question, await self._scpi.ask(question))
        return number

    async def _raise_on_errors(self) -> None:
        errors = await self._scpi.errors()
        if errors:
            raise RefusedError(f"{self._scpi.who} reports {' and '.join(errors)}")

    def _refuse_beyond(self, amperes: float, volts: float) -> None:
        most = self._amperes.most, self._volts.most
        if not abs(amperes) <= most[0] or not 0.0 <= volts <= most[1]:  # NaN is refused
            raise RefusedError(
                f"{self._scpi.who}: {amperes:g} A at {volts:g} V is beyond ±{most[0]:g} A, 0 to {most[1]:g} V"
            )

    def _flags(self, voltage: float, current: float) -> int:
        match self._setpoint:
            case Current(_, clamp) if voltage >= NEAR * clamp:
                return int(Flags.CLAMPED)
            case Voltage(_, clamp) if abs(current) >= NEAR * clamp:
                return int(Flags.CLAMPED)
        return 0


class ScpiSupply(Driver):
    """A supply that also sinks, with its one output."""

    link_options: ClassVar[LinkOptions] = LinkOptions(deadline=2.0)

    commands: ClassVar[Commands] = Commands()
    volts: ClassVar[Scale] = Scale(60.0, 1e-3, "V")
    amperes: ClassVar[Scale] = Scale(10.0, 1e-3, "A")

    @classmethod
    def configured(cls, settings: Mapping[str, str]) -> type[Self]:
        rest = dict(settings)
        volts = _scale(cls.volts, "volts", "voltage_step", rest)
        amperes = _scale(cls.amperes, "amperes", "current_step", rest)
        known = {field.name for field in fields(Commands)}
        if unknown := sorted(set(rest) - known):
            wanted = ", ".join((*SCALES, *sorted(known)))
            raise InstrumentError(f"setting {unknown[0]!r}; wanted one of {wanted}")
        for name, text in rest.items():
            if text and NUMBERED.get(name, "") not in text:
                raise InstrumentError(f"setting {name}: {text!r}; wanted {NUMBERED[name]} in it")
        commands = replace(cls.commands, **rest)
        members = {"commands": commands, "volts": volts, "amperes": amperes}
        return type(cls.__name__, (cls,), members)

    @classmethod
    def refusal(cls, step: PlannedStep) -> str | None:
        match step.technique:
            case Impedance():
                return "a supply measures no impedance spectra"
            case ChamberTemperature():
                return "a supply sets no chamber temperature"
        return None

    @classmethod
    async def open(cls, link: Link) -> Self:
        driver = cls()
        driver.identity = await identify(link)
        driver.rating = Limits(
            voltage=Range(Bound(0.0, "channel"), Bound(cls.volts.most, "channel")),
            current=Range(Bound(-cls.amperes.most, "channel"), Bound(cls.amperes.most, "channel")),
        )
        scpi = Scpi(link, f"{driver.identity.model} at {link.address}")
        timed = bool(cls.commands.uptime) and await _is_timed(scpi, cls.commands.uptime)
        output = Output(scpi, cls.commands, cls.volts, cls.amperes, timed)
        await output.make_safe()
        driver.channels = {"1": output}
        return driver


async def _is_timed(scpi: Scpi, question: str) -> bool:
    """Whether the supply tells its own time; one that does not may say nothing at all."""
    try:
        scpi.numbers(1, question, await scpi.ask(question, 0.5))
    except LinkError:
        return False
    return True


def _scale(usual: Scale, most: str, step: str, settings: dict[str, str]) -> Scale:
    """Take the two settings of one quantity out of the others."""
    return replace(
        usual,
        most=_positive(most, settings.pop(most, f"{usual.most}")),
        step=_positive(step, settings.pop(step, f"{usual.step}")),
    )


def _positive(name: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0.0 < number < 1e4:
        raise InstrumentError(f"setting {name}: {text!r}; wanted a number above 0")
    return number
