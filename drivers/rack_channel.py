"""One channel of a rack."""

from typing import NoReturn

from drivers.base import SteppedChannel
from drivers.deadman import Deadman
from drivers.errors import LinkError, RefusedError
from drivers.rack_wire import AMPERES, VOLTS, Measured, Wire
from protocols.errors import LimitError
from protocols.limits import Limits, Range
from protocols.plan import PlannedStep
from protocols.reading import Flags, Reading
from protocols.setpoint import AtRest, Current, Setpoint, Voltage
from protocols.techniques import ConstantCurrent, ConstantVoltage, Level

OPENED = {"O": "it is open", "P": "its window opened it", "W": "its watchdog opened it: nobody had measured"}


class RackChannel(SteppedChannel):
    """At rest its relay is open and its voltmeter goes on; a set value closes it."""

    def __init__(self, wire: Wire, place: str, deadman: Deadman) -> None:
        self._wire = wire
        self._list = f"(@{place})"
        self._place = place
        self.deadman = deadman
        self.letter = "O"
        """How it stands as long as nothing is to be said of it."""
        self._who = f"channel {place} of {wire.scpi.who}"

    def refusal(self, step: PlannedStep) -> str | None:
        match step.technique:
            case ConstantCurrent(amperes) if not abs(amperes) <= AMPERES:
                return f"{amperes:g} A is beyond the ±{AMPERES:g} A of a rack"
            case ConstantVoltage(Level(volts, False)) if not abs(volts) <= VOLTS:
                return f"{volts:g} V is beyond the ±{VOLTS:g} V of a rack"
        return None

    async def prepare(self, limits: Limits) -> None:
        await self.off()
        low, high = _edges(limits.voltage, VOLTS)
        most = max(map(abs, _edges(limits.current, AMPERES)))
        window = [max(-VOLTS, low - 0.05), min(VOLTS, high + 0.05), min(AMPERES, 1.05 * most)]
        # beyond the core's own window: what it judges it also records
        seconds = self.deadman.seconds or 0.0
        told = ",".join(f"{edge:.6E}" for edge in window)
        answer = await self._wire.set(
            f":OUTP:WIND {told},{self._list};:OUTP:WATC {seconds:.3f},{self._list}",
            f":OUTP:WIND? {self._list}",
        )
        if answer != told:
            raise RefusedError(f"{self._who}: told the window {told}, it holds {answer}")

    async def apply(self, setpoint: Setpoint) -> None:
        match setpoint:
            case AtRest():
                await self.off()
            case Current(amperes, clamp):
                await self._close(f"CURR,{amperes:.6E},{min(clamp, VOLTS):.6E}")
            case Voltage(volts, clamp):
                await self._close(f"VOLT,{volts:.6E},{min(clamp, AMPERES):.6E}")

    async def measure(self, within: float) -> Reading:
        measured = await self._wire.measure([self._place])
        letter = measured.letters
        if letter not in (self.letter, "C"):
            self._raise_opened(measured)
        flags = Flags.CLAMPED if letter == "C" else 0
        return Reading(measured.time, float(measured.voltage[0]), float(measured.current[0]), None, flags)

    async def off(self) -> None:
        self.letter = "O"
        try:
            state = await self._open()
        except LinkError:
            state = await self._open()
        if state in ("N", "C"):
            raise RefusedError(f"{self._who}: told to open the circuit, it says {state!r}; wanted O")

    async def _open(self) -> str:
        return await self._wire.set(f":OUTP OFF,{self._list}", f":OUTP? {self._list}")

    async def _close(self, told: str) -> None:
        """Set, read back, then close; within a function the relay stays closed."""
        answer = await self._wire.set(f":APPL {told},{self._list}", f":APPL? {self._list}")
        if answer != told:
            raise RefusedError(f"{self._who}: told {told}, it holds {answer}")
        if self.letter == "N":
            return
        state = await self._wire.set(f":OUTP ON,{self._list}", f":OUTP? {self._list}")
        if state not in ("N", "C"):
            raise RefusedError(f"{self._who}: told to close the circuit, it says {state!r}; wanted N")
        self.letter = "N"

    def _raise_opened(self, measured: Measured) -> NoReturn:
        letter, self.letter = measured.letters, "O"
        seen = f"{self._who}: {OPENED.get(letter, f'it says {letter!r}')}"
        if letter == "P":
            raise LimitError(f"{seen} at {measured.voltage[0]:.6g} V")
        raise RefusedError(f"{seen}; wanted its circuit closed")


def _edges(window: Range, rating: float) -> tuple[float, float]:
    low = -rating if window.low is None else window.low.value
    high = rating if window.high is None else window.high.value
    return low, high
