"""Everything a classic 2400 can be set to, less its trigger model and its memory."""

import math
from collections.abc import Callable, Iterable
from typing import Protocol

from simulators.keithley2450.models import Scale
from simulators.keithley2450.ranges import Range
from simulators.scpi import Boolean, Choice, Integer, Number, ScpiError, Setting

CURRENT = Scale((1e-6, 10e-6, 100e-6, 1e-3, 10e-3, 100e-3, 1.0), 1.05)
VOLTAGE = Scale((0.2, 2.0, 20.0, 200.0), 210.0)
OHMS = Scale((2.0, 20.0, 200.0, 2e3, 20e3, 200e3, 2e6, 20e6, 200e6), 210e6)

MOST_AMPERES_ABOVE = 21.0, 0.105
"""Above so many volts it sources no more than so many amperes: 22 W [M]."""

PROTECTIONS = (20, 40, 60, 80, 100, 120, 160)
"""Volts of :SOURce:VOLTage:PROTection [M]."""

FUNCTIONS = ("VOLT", "CURR", "RES")

ELEMENTS = ("VOLT", "CURR", "RES", "TIME", "STAT")


class _Resettable(Protocol):
    def reset(self) -> None: ...


def reset(settings: Iterable[_Resettable]) -> None:
    """Put each of them back to its default."""
    for one in settings:
        one.reset()


class SourceSettings:
    """Sourcing one quantity."""

    def __init__(self, scale: Scale, check: Callable[[float], None]) -> None:
        self._check = check
        self.level = Setting(
            Number(-scale.most, scale.most, 0.0),
            0.0,
            self._check_level,
            lambda value: self.range.follow(value),
        )
        self.range = Range(scale, lambda: self.level.value)
        self.mode = Setting(Choice("FIXed"), "FIX")

    def reset(self) -> None:
        reset((self.level, self.range, self.mode))

    def _check_level(self, value: float) -> None:
        if not self.range.holds(value):
            raise ScpiError(-222)
        self._check(value)


class SenseSettings:
    """Measuring one quantity; `compliance` is the most of it the source may cause."""

    def __init__(self, scale: Scale, compliance: float) -> None:
        self.range = Range(scale)
        self.compliance = Setting(Number(-scale.most, scale.most, compliance), compliance)

    def reset(self) -> None:
        reset((self.range, self.compliance))


class Settings:
    """`function_changed` is called when another quantity is to be sourced."""

    def __init__(self, function_changed: Callable[[str], None]) -> None:
        self.sources = {
            "CURR": SourceSettings(CURRENT, lambda _: None),
            "VOLT": SourceSettings(VOLTAGE, self._check_protection),
        }
        self.senses = {"CURR": SenseSettings(CURRENT, 105e-6), "VOLT": SenseSettings(VOLTAGE, 21.0)}
        self.ohms_range = Range(OHMS)
        self.ohms_mode = Setting(Choice("MANual", "AUTO"), "AUTO")
        self.function = Setting(Choice("VOLTage", "CURRent"), "VOLT", changed=function_changed)
        self.measured: set[str] = {"CURR"}
        self.concurrent = Setting(Boolean(), True, changed=self._leave_one)
        self.cycles = Setting(Number(0.01, 10.0, 1.0), 1.0)
        self.averaging = Setting(Boolean(), False)
        self.average_count = Setting(Integer(1, 100, 10), 10)
        self.average_type = Setting(Choice("REPeat", "MOVing"), "REP")
        self.delay = Setting(Number(0.0, 999.9999, 0.0), 0.0, changed=lambda _: self._end_autodelay())
        self.autodelay = Setting(Boolean(), True)
        self.protection = Setting(Protection(), math.inf)
        self.clear_auto = Setting(Boolean(), False)
        self.output = Setting(Boolean(), False)
        self.off_mode = Setting(Choice("HIMPedance", "NORMal", "ZERO", "GUARd"), "NORM")
        self.remote = Setting(Boolean(), False)
        self.autozero = Setting(AutoZero(), True)
        self.terminals = Setting(Choice("FRONt", "REAR"), "FRON")
        self.elements: tuple[str, ...] = ELEMENTS
        self.format = Setting(Choice("ASCii"), "ASC")

    @property
    def source(self) -> SourceSettings:
        """What is sourced now."""
        return self.sources[self.function.value]

    @property
    def compliance(self) -> float:
        """The most of the other quantity, absolute."""
        other = "CURR" if self.function.value == "VOLT" else "VOLT"
        return abs(self.senses[other].compliance.value)

    @property
    def readings_averaged(self) -> int:
        return self.average_count.value if self.averaging.value else 1

    def range(self, quantity: str) -> float:
        """The present range of volts or amperes: the source's if it sources them, else the measured one's."""
        if self.function.value == quantity:
            return self.sources[quantity].range.value
        return self.senses[quantity].range.value

    def measure(self, functions: Iterable[str]) -> None:
        """Measure these too; without concurrency the last of them alone."""
        wanted = list(functions)
        self.measured = self.measured | set(wanted) if self.concurrent.value else {wanted[-1]}

    def reset(self) -> None:
        reset((*self.sources.values(), *self.senses.values(), self.ohms_range, self.ohms_mode))
        reset((self.function, self.concurrent, self.cycles, self.averaging, self.average_count))
        reset((self.average_type, self.delay, self.autodelay, self.protection, self.clear_auto))
        reset((self.output, self.off_mode, self.remote, self.autozero, self.terminals, self.format))
        self.measured = {"CURR"}
        self.elements = ELEMENTS

    def _leave_one(self, concurrent: bool) -> None:
        if not concurrent:
            self.measured = {"CURR" if "CURR" in self.measured else next(iter(self.measured or {"CURR"}))}

    def _end_autodelay(self) -> None:
        self.autodelay.value = False

    def _check_protection(self, volts: float) -> None:
        if abs(volts) > self.protection.value:
            raise ScpiError(-222)


class Protection(Number):
    """A step of the overvoltage protection, the next one up of what is asked for; NONE for none."""

    def __init__(self) -> None:
        super().__init__(0.0, math.inf, math.inf)

    def parse(self, text: str) -> float:
        if text.upper() == "NONE":
            return math.inf
        wanted = super().parse(text)
        return next((float(step) for step in PROTECTIONS if wanted <= step), math.inf)

    def show(self, value: float) -> str:
        return "NONE" if math.isinf(value) else f"{value:.0f}"


class AutoZero(Boolean):
    """ON, OFF, or ONCE, which leaves it off."""

    def parse(self, text: str) -> bool:
        return False if text.upper() == "ONCE" else super().parse(text)
