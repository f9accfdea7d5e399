"""ESPEC chambers with a P-300 or SCP-220 controller (ES-102 and SH-641 alike), serial or TCP.

ASCII lines of the maker's own open library: `TEMP?` and the like, answered by data, `OK:` and an
echo, or `NA:` and a reason. Set points are in tenths of a degree.
"""

import re
from typing import ClassVar, Self

from drivers.base import Identity
from drivers.chamber import Chamber, ChamberMode, ChamberState
from drivers.errors import LinkError, RefusedError
from drivers.links import Link, LinkOptions
from protocols.limits import Bound, Range

REASONS = {
    "CMD ERR": "it does not know the command",
    "ADDR ERR": "its number on the line is another",
    "CONT NOT READY-1": "it has no such equipment",
    "CONT NOT READY-2": "it runs no program",
    "CONT NOT READY-3": "its controller does not have the command",
    "CONT NOT READY-4": "its controller is off",
    "CONT NOT READY-5": "the time signal is not enabled",
    "DATA NOT READY": "the program does not exist",
    "PARA ERR": "it does not understand the parameter",
    "DATA OUT OF RANGE": "the value is outside its limits",
    "PROTECT ON": "it is protected against changes; switch that off at its panel",
    "INVALID REQ": "it does not have the function",
    "CHB NOT READY": "it cannot do that now; look for an alarm at its panel",
}
"""What `NA:` is followed by, in words."""

MODES = {
    "OFF": ChamberMode.OFF,
    "STANDBY": ChamberMode.OFF,
    "CONSTANT": ChamberMode.CONSTANT,
    "RUN": ChamberMode.PROGRAM,
}
"""`MODE?` without its detail."""

RESOLUTION = 0.1
"""Degrees Celsius."""

_NUMBER = re.compile(r"\s*[+-]?\d+(\.\d+)?\s*", re.ASCII)


class Espec(Chamber):
    """One chamber, alone on its cable."""

    # The line end is a line feed with a carriage return before it: some forwarders leave one out.
    link_options: ClassVar[LinkOptions] = LinkOptions(deadline=3.0, baud_rate=19_200, terminator="\n")

    def __init__(self, link: Link, identity: Identity, rating: Range) -> None:
        self._link = link
        self.identity = identity
        self.rating = rating

    @classmethod
    async def open(cls, link: Link) -> Self:
        kind = await _ask(link, "TYPE?")
        parts = kind.split(",")
        if len(parts) not in (3, 4) or not _NUMBER.fullmatch(parts[-1]):
            raise LinkError(
                f"{link.address}: TYPE? answered {kind!r}; wanted sensors, controller and temperature"
            )
        identity = Identity("ESPEC", f"chamber {parts[-2]}", "", await _ask(link, "ROM?"))
        _, _, high, low = await _temperatures(link)
        return cls(link, identity, Range(Bound(low, "chamber"), Bound(high, "chamber")))

    async def state(self) -> ChamberState:
        answer = await _ask(self._link, "MON?")
        parts = [part.strip() for part in answer.split(",")]
        if len(parts) != 4 or not _NUMBER.fullmatch(parts[0]) or not parts[3].isdecimal():
            raise LinkError(
                f"{self._link.address}: MON? answered {answer!r}; wanted temperature, humidity, mode, alarms"
            )
        mode = _mode(self._link, "MON?", parts[2])
        alarms = await self._alarms() if parts[3] != "0" else ()
        _, set_point, _, _ = await _temperatures(self._link)
        return ChamberState(float(parts[0]), set_point, mode, alarms)

    async def hold(self, celsius: float) -> None:
        await self._refuse_unless_it_can(celsius)
        await self._tell(f"TEMP, S{celsius:.1f}")
        await self._tell("MODE,CONSTANT")
        _, set_point, _, _ = await _temperatures(self._link)
        mode = _mode(self._link, "MODE?", await _ask(self._link, "MODE?"))
        if abs(set_point - celsius) > RESOLUTION / 2 or mode is not ChamberMode.CONSTANT:
            raise RefusedError(
                f"{self._link.address}: told to keep {celsius:g} degC, it is in mode {mode} at "
                f"{set_point:g} degC"
            )

    async def stop(self) -> None:
        await self._tell("MODE,STANDBY")

    async def _refuse_unless_it_can(self, celsius: float) -> None:
        """Its limits are asked for each time: a person may have moved them at its panel."""
        where = f"{self._link.address}: {celsius:g} degC"
        _, _, high, low = await _temperatures(self._link)
        if not low <= celsius <= high:  # written so that NaN is refused
            raise RefusedError(f"{where} is outside the chamber's limits, {low:g} to {high:g} degC")
        if abs(celsius / RESOLUTION - round(celsius / RESOLUTION)) > 1e-6:
            raise RefusedError(f"{where} is finer than the chamber's set point, {RESOLUTION:g} degC")
        if _mode(self._link, "MODE?", await _ask(self._link, "MODE?")) is ChamberMode.PROGRAM:
            raise RefusedError(f"{where}: the chamber follows a program; end that at its panel")

    async def _alarms(self) -> tuple[str, ...]:
        answer = await _ask(self._link, "ALARM?")
        count, *codes = (part.strip() for part in answer.split(","))
        if not count.isdecimal() or int(count) != len(codes):
            raise LinkError(
                f"{self._link.address}: ALARM? answered {answer!r}; wanted a count and as many codes"
            )
        return tuple(f"alarm {code}" for code in codes)

    async def _tell(self, command: str) -> None:
        answer = await _ask(self._link, command)
        if not answer.startswith("OK:"):
            raise LinkError(f"{self._link.address}: {command} answered {answer!r}; wanted OK:")


async def _ask(link: Link, message: str) -> str:
    """Return the answer to one line. Raises `RefusedError` for a refusal, in words."""
    answer = (await link.query(f"{message}\r")).strip()
    if answer.startswith("NA:"):
        reason = answer.removeprefix("NA:").strip()
        raise RefusedError(f"{link.address}: {message}: {REASONS.get(reason, 'it says no')} ({reason})")
    return answer


async def _temperatures(link: Link) -> tuple[float, float, float, float]:
    """Return what is measured, the set point, and the limits it may be set to, highest first."""
    answer = await _ask(link, "TEMP?")
    parts = answer.split(",")
    if len(parts) != 4 or not all(map(_NUMBER.fullmatch, parts)):
        raise LinkError(f"{link.address}: TEMP? answered {answer!r}; wanted four temperatures")
    measured, set_point, high, low = map(float, parts)
    return measured, set_point, high, low


def _mode(link: Link, question: str, text: str) -> ChamberMode:
    mode = MODES.get(text)
    if mode is None:
        raise LinkError(f"{link.address}: {question} answered {text!r}; wanted one of {', '.join(MODES)}")
    return mode
