"""Everything that can be set and is neither a buffer nor a trigger."""

import math
import re
from collections.abc import Callable, Iterable
from typing import Protocol

from simulators.keithley2450.models import Model, Scale
from simulators.keithley2450.ranges import Range
from simulators.scpi import Boolean, Choice, Integer, Number, QuotedChoice, ScpiError, Setting

NO_PROTECTION = "NONE"

OHMS = Scale((2.0, 20.0, 200.0, 2e3, 20e3, 200e3, 2e6, 20e6, 200e6), 210e6)

Check = Callable[[float], None]


class _Resettable(Protocol):
    def reset(self) -> None: ...


def _reset(settings: Iterable[_Resettable]) -> None:
    for one in settings:
        one.reset()


class SourceFunction:
    """Sourcing one quantity and limiting the other."""

    def __init__(self, scale: Scale, limit: Number, check: Check, check_limit: Check) -> None:
        self._check = check
        self.level = Setting(
            Number(-scale.most, scale.most, 0.0),
            0.0,
            self._check_level,
            lambda value: self.range.follow(value),
        )
        self.range = Range(scale, lambda: self.level.value)
        self.limit = Setting(limit, limit.default, check_limit)
        self.autodelay = Setting(Boolean(), True)
        self.delay = Setting(Number(0.0, 10e3, 0.0), 0.0, changed=self._end_autodelay)
        self.high_capacitance = Setting(Boolean(), False)
        self.read_back = Setting(Boolean(), True)
        self.off_mode = Setting(Choice("NORMal", "HIMPedance", "ZERO", "GUARd"), "NORM")

    def reset(self) -> None:
        _reset((self.level, self.range, self.limit, self.autodelay, self.delay))
        _reset((self.high_capacitance, self.read_back, self.off_mode))

    def _check_level(self, value: float) -> None:
        if not self.range.holds(value):
            raise ScpiError(-222)
        self._check(value)

    def _end_autodelay(self, value: float) -> None:
        self.autodelay.value = False


class SenseFunction:
    """Measuring one quantity."""

    def __init__(self, scale: Scale) -> None:
        self.range = Range(scale)
        self.cycles = Setting(Number(0.01, 10.0, 1.0), 1.0)
        self.remote = Setting(Boolean(), False)
        self.autozero = Setting(Boolean(), True)
        self.averaging = Setting(Boolean(), False)
        self.average_count = Setting(Integer(1, 100, 10), 10)
        self.average_type = Setting(Choice("REPeat", "MOVing"), "REP")

    @property
    def readings_averaged(self) -> int:
        return self.average_count.value if self.averaging.value else 1

    def reset(self) -> None:
        _reset((self.range, self.cycles, self.remote, self.autozero))
        _reset((self.averaging, self.average_count, self.average_type))


class MeasureFunction(QuotedChoice):
    """A function to measure; `:DC` may follow and says nothing new."""

    def parse(self, text: str) -> str:
        return super().parse(re.sub(r"(?i):DC(?=.$)", "", text))


class Settings:
    """One instrument's settings. `function_changed` is called when another quantity is to be sourced."""

    def __init__(self, model: Model, function_changed: Callable[[str], None]) -> None:
        volts = Number(model.least_voltage_limit, model.voltage.most, model.voltage_limit)
        amperes = Number(model.least_current_limit, model.current.most, model.current_limit)
        self.sources = {
            "CURR": SourceFunction(model.current, volts, _anything, self._check_protection),
            "VOLT": SourceFunction(model.voltage, amperes, self._check_protection, _anything),
        }
        self.senses = {
            "CURR": SenseFunction(model.current),
            "VOLT": SenseFunction(model.voltage),
            "RES": SenseFunction(OHMS),
        }
        self.source_function = Setting(Choice("CURRent", "VOLTage"), "VOLT", changed=function_changed)
        self.sense_function = Setting(MeasureFunction("CURRent", "VOLTage", "RESistance"), "CURR")
        self.count = Setting(Integer(1, 300_000, 1), 1)
        self.protection = Setting(
            Choice(*(f"PROT{volts}" for volts in model.protections), NO_PROTECTION), NO_PROTECTION
        )
        self.output = Setting(Boolean(), False)
        self.terminals = Setting(Choice("FRONt", "REAR"), "FRON")
        self.precision = Setting(Integer(0, 16, 0), 0)
        self.format = Setting(Choice("ASCii"), "ASC")

    @property
    def source(self) -> SourceFunction:
        """What is sourced now."""
        return self.sources[self.source_function.value]

    @property
    def sense(self) -> SenseFunction:
        """What is measured now."""
        return self.senses[self.sense_function.value]

    @property
    def protection_volts(self) -> float:
        name = self.protection.value
        return math.inf if name == NO_PROTECTION else float(name.removeprefix("PROT"))

    @property
    def current_range(self) -> float:
        """The present current range: the source's if it sources current, else the measured one."""
        quantity = self.sources if self.source_function.value == "CURR" else self.senses
        return quantity["CURR"].range.value

    @property
    def voltage_range(self) -> float:
        """The present voltage range, likewise."""
        quantity = self.sources if self.source_function.value == "VOLT" else self.senses
        return quantity["VOLT"].range.value

    def reset(self) -> None:
        """Put everything back as `*RST` does."""
        _reset((*self.sources.values(), *self.senses.values()))
        _reset((self.source_function, self.sense_function, self.count, self.protection))
        _reset((self.output, self.terminals, self.precision, self.format))

    def _check_protection(self, volts: float) -> None:
        """A voltage above the protection is not taken (manual, :SOURce:<function>:<x>LIMit)."""
        if abs(volts) > self.protection_volts:
            raise ScpiError(-222)


def _anything(value: float) -> None:
    """Its own bounds are all there is to mind."""
