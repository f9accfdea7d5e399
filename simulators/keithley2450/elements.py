"""What a reading is answered with: the elements a client may ask for, in its order."""

from collections.abc import Callable
from datetime import datetime, timedelta

from simulators.keithley2450.buffers import Buffer, BufferedReading
from simulators.keithley2450.sourcemeter import SWITCHED_ON
from simulators.scpi import Choice, ScpiError

MOST_ELEMENTS = 14

WORDS = Choice(
    "READing", "SOURce", "RELative", "SEConds", "FRACtional", "TSTamp", "DATE", "TIME",
    "STATus", "SOURSTATus", "UNIT", "SOURUNIT", "FORMatted", "SOURFORMatted", "EXTRa",
)  # fmt: skip

UNIT_NAMES = ("Amp DC", "Volt DC", "Ohm")
UNIT_SYMBOLS = ("A", "V", "Ohm")

Element = Callable[[BufferedReading, Buffer, Callable[[float], str]], str]

ELEMENTS: dict[str, Element] = {
    "READ": lambda reading, buffer, number: number(reading.reading),
    "SOUR": lambda reading, buffer, number: number(reading.source),
    "REL": lambda reading, buffer, number: number(reading.time - buffer.first_time),
    "SEC": lambda reading, buffer, number: f"{int(_when(reading).timestamp())}",
    "FRAC": lambda reading, buffer, number: f"{_when(reading).microsecond * 1e-6:.6f}",
    "TST": lambda reading, buffer, number: _when(reading).strftime("%m/%d/%Y %H:%M:%S.%f"),
    "DATE": lambda reading, buffer, number: _when(reading).strftime("%m/%d/%Y"),
    "TIME": lambda reading, buffer, number: _when(reading).strftime("%H:%M:%S"),
    "STAT": lambda reading, buffer, number: f"{reading.status:.0f}",
    "SOURSTAT": lambda reading, buffer, number: f"{reading.source_status:.0f}",
    "UNIT": lambda reading, buffer, number: UNIT_NAMES[int(reading.unit)],
    "SOURUNIT": lambda reading, buffer, number: UNIT_NAMES[int(reading.source_unit)],
    "FORM": lambda reading, buffer, number: _with_symbol(reading.reading, reading.unit),
    "SOURFORM": lambda reading, buffer, number: _with_symbol(reading.source, reading.source_unit),
}


def wanted_elements(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return the elements asked for, READ if none. Raises `ScpiError` 1133 for one there is not."""
    if len(words) > MOST_ELEMENTS:
        raise ScpiError(-108)
    return tuple(_element(word) for word in words) or ("READ",)


def _element(word: str) -> str:
    try:
        element = WORDS.parse(word)
    except ScpiError:
        element = ""
    if element not in ELEMENTS:  # EXTRa is a digitizer's
        raise ScpiError(1133, f"Parameter 2, Syntax error, {word} is no buffer element")
    return element


def answer(reading: BufferedReading, buffer: Buffer, elements: tuple[str, ...], precision: int) -> str:
    """Return one reading, comma separated; numbers with `precision` digits (0: seven, as [M] by default)."""
    decimals = (precision or 7) - 1

    def number(value: float) -> str:
        return f"{value:.{decimals}E}"

    return ",".join(ELEMENTS[element](reading, buffer, number) for element in elements)


def _when(reading: BufferedReading) -> datetime:
    return SWITCHED_ON + timedelta(seconds=reading.time)


def _with_symbol(value: float, unit: float) -> str:
    return f"{value:+.6E} {UNIT_SYMBOLS[int(unit)]}"
