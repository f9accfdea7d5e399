"""What the error codes of a MethodSCRIPT instrument mean (PalmSens communication protocol, appendix)."""

import re
from typing import NamedTuple

_REPORT = re.compile(r"(?P<command>[A-Za-z_]{0,8})!(?P<code>[0-9A-Fa-f]{4})(?::(?P<place>.*))?")
_LINE = re.compile(r"Line (\d{1,6})(?!\d)")

NOT_IN_THIS_MODE = 0x0006
"""What an abort is answered with when nothing is running."""

_MEANINGS = {
    0x0001: "unspecified error",
    0x0002: "invalid variable type",
    0x0003: "command not recognised",
    0x0004: "unknown register",
    0x0005: "register is read-only",
    0x0006: "not possible in this mode",
    0x0007: "bad argument",
    0x0008: "command too long",
    0x0009: "command timed out",
    0x000B: "no memory left for a variable",
    0x000C: "no script loaded",
    0x000D: "invalid time",
    0x000E: "overflow while averaging",
    0x000F: "invalid potential",
    0x0010: "result is not a number",
    0x0011: "invalid frequency",
    0x0012: "invalid amplitude",
    0x0014: "open circuit potential measured with the cell on",
    0x0015: "checksum error",
    0x0016: "flash memory error",
    0x0017: "flash memory error",
    0x0018: "settings are corrupt",
    0x0019: "authentication error",
    0x001A: "calibration error",
    0x001B: "not supported by this device",
    0x001C: "potential step smaller than the converter can make",
    0x001D: "pulse smaller than the converter can make",
    0x001E: "amplitude smaller than the converter can make",
    0x001F: "not licensed",
    0x0020: "more than one channel in high-speed or max-range mode",
    0x0021: "unknown potentiostat mode",
    0x0022: "channel is not a poly-WE",
    0x0023: "not possible in this potentiostat mode",
    0x0024: "too many extra variables measured",
    0x0025: "unknown pulsed-amperometry mode",
    0x0026: "file error",
    0x0027: "file exists",
    0x0028: "division by zero",
    0x002F: "channel not available",
    0x0032: "critical overload of the cell, aborted",
    0x0058: "timing error in a fast measurement",
    0x005A: "timing cannot be met",
    0x005B: "variable type is measured already",
    0x0080: "counter electrode oscillates",
    0x0082: "system warnings are pending",
    0x4000: "syntax error",
    0x4001: "unknown script command",
    0x4002: "bad argument",
    0x4003: "argument out of range",
    0x4004: "unexpected character",
    0x4005: "script too large for the memory",
    0x4006: "unknown variable type",
    0x4007: "variable not declared",
    0x4008: "invalid optional argument",
    0x4009: "stored script is for older firmware",
    0x400B: "measurement loops cannot be nested",
    0x400C: "not supported in this situation",
    0x400D: "blocks nested too deeply",
    0x400E: "a command has no effect where it stands",
    0x400F: "array index out of bounds",
    0x4018: "script ended unexpectedly",
    0x401A: "only possible inside a measurement loop",
    0x401B: "package commands out of order",
    0x401C: "too many variables in a package",
    0x4020: "script command timed out",
    0x4026: "variable declared already",
    0x4027: "needs the cell on",
    0x4028: "needs the cell off",
    0x4029: "at least one step is needed",
    0x402A: "names do not fit",
    0x402B: "bad name",
    0x4032: "potential cannot be set in an active measurement loop",
    0x4033: "current cannot be set in an active measurement loop",
    0x4034: "not licensed",
    0x4036: "only possible in a measurement loop",
    0x4200: "argument must not be negative",
    0x4201: "argument must not be positive",
    0x4202: "argument must not be zero",
    0x4203: "argument must be negative",
    0x4204: "argument must be positive",
    0x4205: "argument out of bounds",
    0x4206: "argument not possible on this instrument",
    0x4207: "argument of the wrong type",
    0x4208: "invalid reference",
    0x4209: "variable type not supported",
    0x420A: "too many arguments",
    0x420B: "variable not declared",
    0x420C: "argument must not be a variable",
    0x420D: "argument must not be a literal",
    0x420E: "argument must not be an array",
    0x420F: "array too small",
    0x7FFF: "fatal error, the instrument needs a reset",
}


class ErrorReport(NamedTuple):
    """An error an instrument reported; `line` counts from 1 in the script, None where it named none."""

    code: int
    place: str
    line: int | None

    def sentence(self, script: str = "") -> str:
        """Return it in words, with the script's own line where that is known."""
        text = f"{_MEANINGS.get(self.code, 'unknown error')} (!{self.code:04X}"
        text += f": {self.place})" if self.place else ")"
        lines = script.splitlines()
        if self.line is not None and 0 < self.line <= len(lines):
            text += f" at {lines[self.line - 1]!r}"
        return text


def error_report(line: str) -> ErrorReport | None:
    """Return the error a reply reports ("!4001: Line 3, Col 1", a command's letter before it), or None."""
    match = _REPORT.fullmatch(line)
    if match is None:
        return None
    place = (match["place"] or "").strip()
    found = _LINE.match(place)
    return ErrorReport(int(match["code"], 16), place, int(found[1]) if found else None)
