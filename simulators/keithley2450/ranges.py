"""The range at work on one quantity, fixed by hand or following what it must hold."""

from collections.abc import Callable

from simulators.keithley2450.models import OVERRANGE, Scale
from simulators.scpi import Boolean, Number, ScpiError, Setting
from simulators.scpi.setting import only


class Range:
    """`:RANGe <n>` picks the smallest range that holds n and ends autoranging."""

    def __init__(self, scale: Scale, held: Callable[[], float] = lambda: 0.0) -> None:
        """`held` is what a fixed range must be able to hold (the source level)."""
        self.value = scale.ranges[0]
        self.auto = Setting(Boolean(), True, changed=lambda auto: self.follow(held()))
        self._scale = scale
        self._held = held
        self._parameter = Number(-scale.most, scale.most, scale.ranges[0])

    def follow(self, value: float) -> None:
        """Move to the range that holds `value`, if autoranging."""
        if self.auto.value:
            self.value = self._scale.range_for(value)

    def holds(self, value: float) -> bool:
        """Whether `value` could be sourced or measured here; anything goes while autoranging."""
        return self.auto.value or abs(value) <= self.value * OVERRANGE * (1 + 1e-9)

    def write(self, parameters: tuple[str, ...]) -> None:
        wanted = self._scale.range_for(self._parameter.parse(only(parameters)))
        if abs(self._held()) > wanted * OVERRANGE * (1 + 1e-9):
            raise ScpiError(-221)
        self.auto.value = False
        self.value = wanted

    def query(self, parameters: tuple[str, ...]) -> str:
        if parameters:
            return self._parameter.show(self._parameter.parse(only(parameters)))
        return self._parameter.show(self.value)

    def reset(self) -> None:
        self.auto.reset()
        self.value = self._scale.ranges[0]
