"""The output of a Keithley 2450, 2460 or 2461.

The output-off state is high impedance for both functions from the first moment on: the default,
"normal", is a 0 V source that would discharge the cell. The instrument drops its output when the
source function changes, so going from a current (or a rest) to a voltage or back takes the cell
through high impedance for some ten milliseconds; within a function the output stays closed.
Whenever it is closed, the instrument's own program stands behind it: see `keithley2450_deadman`.
"""

import time
from typing import NoReturn

from drivers.deadman import Deadman
from drivers.errors import RefusedError
from drivers.finding import Finding
from drivers.keithley2450_deadman import CUT_OFF, START, STOP, UNRENEWED, Edges, trigger_model
from drivers.keithley2450_models import Model, overvoltage_step
from drivers.keithley2450_source import Source
from drivers.keithley_output import KeithleyOutput
from drivers.links import Link
from protocols.errors import LimitError
from protocols.limits import Limits
from protocols.reading import Flags, Reading


class Output(KeithleyOutput):
    """One with the instrument's own program behind it."""

    def __init__(self, link: Link, model: Model, deadman: Deadman) -> None:
        super().__init__(link, model)
        self.deadman = deadman
        self._stop, self._start = ("", "") if deadman.seconds is None else (STOP, START)
        self._limits = Limits()
        self._apertures: dict[str, float] = {}

    async def make_safe(self) -> None:
        """Make opening harmless, open the circuit, and set what never changes; the driver's first act."""
        await self._scpi.tell(":OUTP:CURR:SMOD HIMP", ":OUTP:VOLT:SMOD HIMP")
        states = await self._scpi.ask_all(2, ":OUTP:CURR:SMOD?;:OUTP:VOLT:SMOD?")
        if states != ["HIMP", "HIMP"]:
            raise RefusedError(f"{self._scpi.who}: output-off states are {states}; wanted HIMP for both")
        await self.off()
        await self._scpi.tell(
            ":SYST:CLE",
            ":SENS:VOLT:RSEN ON",  # four-wire: lead drop is not cell voltage
            ":SENS:CURR:RSEN ON",
            ":SOUR:VOLT:READ:BACK ON",  # the source is measured, not believed
            ":SOUR:CURR:READ:BACK ON",
            ":SENS:COUN 1",
            ":FORM:ASC:PREC 16",  # by default times beyond a million seconds come in whole seconds
            ':TRAC:FILL:MODE CONT, "defbuffer1"',  # old readings make room while the relative time goes on
        )
        await self._scpi.raise_on_errors(await self._scpi.ask(":SYST:ERR:COUN?"))

    async def prepare(self, limits: Limits) -> None:
        await super().prepare(limits)
        step = f"PROT{overvoltage_step(limits.voltage, self._model.volts)}"
        protection, errors = await self._scpi.ask_all(
            2, f":SOUR:VOLT:PROT {step};:SOUR:VOLT:PROT?;:SYST:ERR:COUN?"
        )
        await self._scpi.raise_on_errors(errors)
        if protection != step:
            raise RefusedError(f"{self._scpi.who}: overvoltage protection is {protection!r}; wanted {step}")
        self._limits = limits

    async def measure(self, within: float) -> Reading:
        source = self._source
        if source is None:
            raise RefusedError(f"{self._scpi.who}: the output is open; apply a rest to read the voltage")
        question = _message(
            ":OUTP?",
            self._stop,
            self._aperture(source.measures, within),
            ':READ? "defbuffer1", SOUR, READ, REL',
            self._start,
        )
        state, answer = await self._scpi.ask_all(2, question, within + 1.0)
        if state != "1":
            await self._raise_opened(state)
        sourced, measured, relative = self._scpi.numbers(3, "READ?", answer, measured=2)
        flags = await self._clamped(source, measured)
        moment = self._timeline.at(relative, time.monotonic())
        voltage, current = (measured, sourced) if source.function == "CURR" else (sourced, measured)
        return Reading(moment, voltage, current, None, flags)

    async def findings(self) -> list[Finding]:
        """Ask what can be asked with the output as it is."""
        terminals, interlock, current_off, voltage_off, output = await self._scpi.ask_all(
            5, ":ROUT:TERM?;:OUTP:INT:TRIP?;:OUTP:CURR:SMOD?;:OUTP:VOLT:SMOD?;:OUTP?"
        )
        found = [Finding(f"{'rear' if terminals.startswith('REAR') else 'front'} terminals")]
        if interlock == "0":
            found.append(Finding("its interlock is open: no range above 42 V"))
        if (current_off, voltage_off) != ("HIMP", "HIMP"):
            found.append(Finding("its off state is a source that would discharge the cell", wrong=True))
        if output != "0" and self._source is None:
            found.append(Finding(f"OUTP? says {output!r} although nobody closed it", wrong=True))
        return found

    async def verify(self) -> None:
        source = self._source
        if source is None:
            return
        settings = f":OUTP:{source.function}:SMOD?;:SENS:{source.measures}:RSEN?;:SOUR:FUNC?"
        found = await self._scpi.ask_all(3, _message(self._stop, settings, self._start))
        if found != ["HIMP", "1", source.function]:
            raise RefusedError(
                f"{self._scpi.who}: off state, four wires and function are {', '.join(found)}; "
                f"wanted HIMP, 1, {source.function}: somebody else has set them"
            )
        await self._read_back(source, self._stop, self._start)

    async def _close(self, source: Source) -> None:
        """Set everything with the output open, read it back, then close."""
        await self.off()
        function, span = source.function, source.range(self._model)
        await self._scpi.tell(
            f":SOUR:FUNC {function}",
            f":SOUR:{function} 0",  # the level left from last time may not fit the new range
            f":SOUR:{function}:RANG {span:.6E}",
            f":SOUR:{function}:{source.clamps} {source.clamp:.6E}",
            f":SOUR:{function} {source.level:.6E}",
            f':SENS:FUNC "{source.measures}"',
            f":SENS:{source.measures}:RANG:AUTO ON",
        )
        await self._read_back(source)
        if self.deadman.seconds is not None:
            await self._scpi.tell(*trigger_model(self.deadman.seconds, Edges.of(source, self._limits)))
        state, errors = await self._scpi.ask_all(
            2, _message(":OUTP ON", self._start, ":OUTP?;:SYST:ERR:COUN?")
        )
        await self._scpi.raise_on_errors(errors)
        if state != "1":
            raise RefusedError(f"{self._scpi.who}: told to close the output, OUTP? says {state!r}; wanted 1")
        self._range = span

    async def _move(self, source: Source) -> None:
        """Go to another level with the output closed: no relay moves.

        A wider range is set before the level, a narrower one after it; no current keeps the range.
        """
        level = f":SOUR:{source.function} {source.level:.6E}"
        wanted = self._range if source.level == 0.0 else source.range(self._model)
        span = f":SOUR:{source.function}:RANG {wanted:.6E}"
        clamp = ""
        if self._source is None or self._source.clamp != source.clamp:
            clamp = f":SOUR:{source.function}:{source.clamps} {source.clamp:.6E}"
        if wanted > self._range:
            settings = _message(clamp, span, level)
        elif wanted < self._range:
            settings = _message(clamp, level, span)
        else:
            settings = _message(clamp, level)
        await self._read_back(source, _message(self._stop, settings), self._start)
        self._range = wanted

    async def _read_back(self, source: Source, before: str = "", after: str = "") -> None:
        """Compare the level and the clamp the instrument holds with those wanted, all in one message."""
        prefix = f":SOUR:{source.function}"
        question = _message(before, f"{prefix}?;{prefix}:{source.clamps}?", after, ":SYST:ERR:COUN?")
        level, clamp, errors = await self._scpi.ask_all(3, question)
        await self._scpi.raise_on_errors(errors)
        self._compare(f"{prefix}?", level, source.level)
        self._compare(f"{prefix}:{source.clamps}?", clamp, source.clamp)

    def _aperture(self, function: str, within: float) -> str:
        """Integrate over as many power-line cycles as the time allows; said only when that changes."""
        cycles = 1.0 if within >= 0.1 else 0.1 if within >= 0.02 else 0.01
        if self._apertures.get(function) == cycles:
            return ""
        self._apertures[function] = cycles
        return f":SENS:{function}:NPLC {cycles:g}"

    async def _raise_opened(self, state: str) -> NoReturn:
        """Tell why the output is open although nobody here opened it: the instrument's log knows."""
        errors = await self._scpi.errors()
        if any(CUT_OFF in error for error in errors):
            raise LimitError(f"{self._scpi.who} saw the window left and opened the circuit")
        if any(UNRENEWED in error for error in errors):
            raise RefusedError(
                f"{self._scpi.who} opened the circuit: its dead-man, {self.deadman}, was not renewed"
            )
        told = " and ".join(errors) or "no error"
        raise RefusedError(
            f"{self._scpi.who}: OUTP? says {state!r} in the middle of a step, and {told}; wanted 1"
        )

    async def _clamped(self, source: Source, measured: float) -> int:
        """Ask whether the clamp holds the output, only where the reading makes that possible."""
        if not abs(measured) >= 0.99 * source.clamp:  # NaN is no clamp: it trips by itself
            return 0
        tripped = await self._scpi.ask(f":SOUR:{source.function}:{source.clamps}:TRIP?")
        return int(Flags.CLAMPED) if tripped == "1" else 0


def _message(*parts: str) -> str:
    """Return one message of all parts that say something; whoever hears it hears all of it."""
    return ";".join(filter(None, parts))
