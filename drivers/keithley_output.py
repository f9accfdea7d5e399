"""What the outputs of Keithley source-measure units have in common, classic or not."""

import math
from abc import abstractmethod
from collections.abc import Mapping

from drivers.base import Identity, SteppedChannel
from drivers.errors import LinkError, RefusedError
from drivers.keithley2450_models import Model
from drivers.keithley2450_source import Source
from drivers.links import Link
from drivers.scpi import Scpi, identify
from drivers.timeline import Timeline
from protocols.limits import Limits, Range
from protocols.plan import PlannedStep
from protocols.setpoint import Setpoint
from protocols.techniques import ChamberTemperature, ConstantCurrent, ConstantVoltage, Impedance, Level

OFF_SECONDS = 1.0
"""Deadline of switching off, asked twice; the instrument answers within milliseconds unless it is lost."""


class KeithleyOutput(SteppedChannel):
    """Current is positive out of HI, which charges a cell whose plus is at HI."""

    def __init__(self, link: Link, model: Model) -> None:
        self._scpi = Scpi(link, f"Keithley {model.name} at {link.address}")
        self._model = model
        self._source: Source | None = None  # what the closed output follows; None while it is open
        self._range = 0.0
        self._timeline = Timeline()

    @abstractmethod
    async def make_safe(self) -> None:
        """Make opening harmless, open the circuit, and set what never changes; the driver's first act."""

    @abstractmethod
    async def _close(self, source: Source) -> None:
        """Set everything with the output open, read it back, then close."""

    @abstractmethod
    async def _move(self, source: Source) -> None:
        """Go to another level with the output closed."""

    def refusal(self, step: PlannedStep) -> str | None:
        match step.technique:
            case ConstantCurrent(amperes) if not abs(amperes) <= self._model.amperes:
                return f"{amperes:g} A is beyond the ±{self._model.amperes:g} A of a {self._model.name}"
            case ConstantVoltage(Level(volts, False)) if not abs(volts) <= self._model.volts:
                return f"{volts:g} V is beyond the ±{self._model.volts:g} V of a {self._model.name}"
        return None

    async def prepare(self, limits: Limits) -> None:
        self._refuse_beyond("voltage", "V", limits.voltage, self._model.volts)
        self._refuse_beyond("current", "A", limits.current, self._model.amperes)
        await self.make_safe()  # a power cut since would have made "off" a 0 V source again

    async def apply(self, setpoint: Setpoint) -> None:
        source = Source.of(setpoint)
        refusal = source.refusal(self._model)
        if refusal is not None:
            raise RefusedError(f"{self._scpi.who}: {refusal}")
        if self._source is not None and self._source.function == source.function:
            await self._move(source)
        else:
            await self._close(source)
        self._source = source

    async def off(self) -> None:
        self._source = None
        try:
            state = await self._open()
        except LinkError:
            state = await self._open()
        if state != "0":
            raise RefusedError(f"{self._scpi.who}: told to open the output, OUTP? says {state!r}; wanted 0")

    async def _open(self) -> str:
        """Open the circuit and return what the instrument says of it: 0, or 1; anything else is no answer."""
        # a trigger model left running may hold on to the output
        state = await self._scpi.ask(":ABOR;:OUTP OFF;:OUTP?", OFF_SECONDS)
        if state not in ("0", "1"):
            raise LinkError(f"{self._scpi.who}: OUTP? answered {state!r}; wanted 0 or 1")
        return state

    def _compare(self, question: str, seen: str, wanted: float) -> None:
        [number] = self._scpi.numbers(1, question, seen)
        if not math.isclose(number, wanted, rel_tol=1e-4, abs_tol=1e-9):
            raise RefusedError(f"{self._scpi.who}: {question} says {seen}; wanted {wanted:.6E}")

    def _refuse_beyond(self, quantity: str, unit: str, wanted: Range, rating: float) -> None:
        for edge in (wanted.low, wanted.high):
            if edge is not None and not abs(edge.value) <= rating:
                raise RefusedError(
                    f"{self._scpi.who}: the {edge.origin}'s {quantity} limit {edge.value:g} {unit} "
                    f"is beyond the rating, ±{rating:g} {unit}"
                )


def technique_refusal(step: PlannedStep, family: str) -> str | None:
    """Return why no source-measure unit of the family runs the step, or None."""
    match step.technique:
        case Impedance():
            return f"a Keithley {family} source-measure unit measures no impedance spectra"
        case ChamberTemperature():
            return f"a Keithley {family} source-measure unit sets no chamber temperature"
    return None


async def identified(link: Link, models: Mapping[str, Model]) -> tuple[Identity, Model]:
    """Ask who is there; `RefusedError` where it is none of the models."""
    identity = await identify(link)
    model = models.get(identity.model)
    if model is None or "KEITHLEY" not in identity.maker.upper():
        raise RefusedError(
            f"{link.address}: a {identity.maker} {identity.model} answered; "
            f"wanted a Keithley {', '.join(models)}"
        )
    return identity, model
