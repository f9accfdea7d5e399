"""The output of a classic Keithley 2400.

Its output-off state is high impedance from the first moment on: the default, "normal", is a 0 V
source that would discharge the cell. The instrument drops its output when the source function
changes; within a function the output stays closed. One reading measures voltage and current both.
"""

import time
from typing import NoReturn

from drivers.errors import LinkError, RefusedError
from drivers.keithley2450_models import Model
from drivers.keithley2450_source import Source
from drivers.keithley_output import KeithleyOutput
from drivers.links import Link
from protocols.reading import Flags, Reading

COMPLIANCE = 8
"""Bit of the status element: the compliance holds the output (manual, FORMat:ELEMents)."""


class Output(KeithleyOutput):
    """One that is told so in the older words."""

    def __init__(self, link: Link, model: Model) -> None:
        super().__init__(link, model)
        self._cycles = 0.0

    async def make_safe(self) -> None:
        """Make opening harmless, open the circuit, and set what never changes; the driver's first act."""
        await self._scpi.tell(":OUTP:SMOD HIMP")
        state = await self._scpi.ask(":OUTP:SMOD?")
        if state != "HIMP":
            raise RefusedError(f"{self._scpi.who}: output-off state is {state!r}; wanted HIMP")
        await self.off()
        await self._scpi.tell(
            "*CLS",
            ":SYST:RSEN ON",  # four-wire: lead drop is not cell voltage
            ":SOUR:CLE:AUTO OFF",  # the output stays closed between readings
            ":SENS:FUNC:CONC ON",
            ':SENS:FUNC "VOLT","CURR"',
            ":FORM:ELEM VOLT,CURR,TIME,STAT",
            ":ARM:COUN 1",
            ":TRIG:COUN 1",
            ":ARM:SOUR IMM",
            ":TRIG:SOUR IMM",
        )
        self._cycles = 0.0
        await self._raise_on_errors()

    async def measure(self, within: float) -> Reading:
        if self._source is None:
            raise RefusedError(f"{self._scpi.who}: the output is open; apply a rest to read the voltage")
        question = f":OUTP?;{self._aperture(within)}:READ?"
        state, _, answer = (await self._scpi.ask(question, within + 1.0)).partition(";")
        if state == "0":  # READ? is then refused, and not answered
            await self._raise_opened()
        if state != "1":
            raise LinkError(f"{self._scpi.who}: OUTP? answered {state!r}; wanted 0 or 1")
        volts, amperes, relative, status = self._scpi.numbers(4, "READ?", answer, measured=2)
        flags = int(Flags.CLAMPED) if int(status) & COMPLIANCE else 0
        return Reading(self._timeline.at(relative, time.monotonic()), volts, amperes, None, flags)

    async def _close(self, source: Source) -> None:
        """Set everything with the output open, read it back, then close."""
        await self.off()
        function, span = source.function, source.range(self._model)
        await self._scpi.tell(
            f":SOUR:FUNC {function}",
            f":SOUR:{function}:MODE FIX",
            f":SOUR:{function} 0",  # the level left from last time may not fit the new range
            f":SOUR:{function}:RANG {span:.6E}",
            f"{_compliance(source)} {source.clamp:.6E}",
            f":SOUR:{function} {source.level:.6E}",
            f":SENS:{source.measures}:RANG:AUTO ON",
        )
        await self._read_back(source)
        state = await self._scpi.ask(":OUTP ON;:OUTP?")
        await self._raise_on_errors()
        if state != "1":
            raise RefusedError(f"{self._scpi.who}: told to close the output, OUTP? says {state!r}; wanted 1")
        self._range = span

    async def _move(self, source: Source) -> None:
        """Go to another level with the output closed: a wider range first, a narrower one last."""
        wanted = self._range if source.level == 0.0 else source.range(self._model)
        level = f":SOUR:{source.function} {source.level:.6E}"
        span = f":SOUR:{source.function}:RANG {wanted:.6E}"
        clamp = f"{_compliance(source)} {source.clamp:.6E}"
        if wanted > self._range:
            await self._scpi.tell(f"{clamp};{span};{level}")
        elif wanted < self._range:
            await self._scpi.tell(f"{clamp};{level};{span}")
        else:
            await self._scpi.tell(f"{clamp};{level}")
        await self._read_back(source)
        self._range = wanted

    async def _read_back(self, source: Source) -> None:
        """Compare the level and the clamp the instrument holds with those wanted."""
        level, clamp = f":SOUR:{source.function}?", f"{_compliance(source)}?"
        seen_level, seen_clamp = await self._scpi.ask_all(2, f"{level};{clamp}")
        await self._raise_on_errors()
        self._compare(level, seen_level, source.level)
        self._compare(clamp, seen_clamp, source.clamp)

    def _aperture(self, within: float) -> str:
        """Integrate over as many power-line cycles as the time allows; said only when that changes."""
        cycles = 1.0 if within >= 0.1 else 0.1 if within >= 0.02 else 0.01
        if self._cycles == cycles:
            return ""
        self._cycles = cycles
        return f":SENS:CURR:NPLC {cycles:g};"

    async def _raise_on_errors(self) -> None:
        """Raise what is in the error queue; unlike its successors it does not count it in one word."""
        errors = await self._scpi.errors()
        if errors:
            raise RefusedError(f"{self._scpi.who} reports {' and '.join(errors)}")

    async def _raise_opened(self) -> NoReturn:
        told = " and ".join(await self._scpi.errors()) or "no error"
        raise RefusedError(f"{self._scpi.who}: the output is open in the middle of a step, and {told}")


def _compliance(source: Source) -> str:
    """The command of the clamp: what is measured beside the source is what is limited."""
    return f":SENS:{source.measures}:PROT"
