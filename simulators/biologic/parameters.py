"""What a technique is given, as it came: labels, types and bits (EC-Lab Development Package, techniques)."""

import struct
from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import NamedTuple

from simulators.biologic.errors import Code, RefusalError

RAW = struct.Struct("<64siIi")
"""TEccParam: label, type, bits, index."""

MOST_STEPS = 20


class Kind(IntEnum):
    """`ParamType`."""

    INT = 0
    BOOL = 1
    SINGLE = 2


class Label(NamedTuple):
    """A parameter a technique has: its type, how many values, and the value where none is given."""

    kind: Kind
    most: int = 1
    default: float | None = None


_STEPS = {
    "Duration_step": Label(Kind.SINGLE, MOST_STEPS),
    "vs_initial": Label(Kind.BOOL, MOST_STEPS),
    "Step_number": Label(Kind.INT),
    "N_Cycles": Label(Kind.INT, default=0),
    "Record_every_dT": Label(Kind.SINGLE, default=0.0),
}
_RANGES = {
    "I_Range": Label(Kind.INT),
    "E_Range": Label(Kind.INT),
    "Bandwidth": Label(Kind.INT),
}
_TESTS = {
    **{f"Test{number}_Config": Label(Kind.INT, MOST_STEPS, 0) for number in (1, 2, 3)},
    **{f"Test{number}_Value": Label(Kind.SINGLE, MOST_STEPS, 0.0) for number in (1, 2, 3)},
    "Exit_Cond": Label(Kind.INT, MOST_STEPS, 0),
}
_CA = {
    **_STEPS,
    **_RANGES,
    "Voltage_step": Label(Kind.SINGLE, MOST_STEPS),
    "Record_every_dI": Label(Kind.SINGLE, default=0.0),
}
_CP = {
    **_STEPS,
    **_RANGES,
    "Current_step": Label(Kind.SINGLE, MOST_STEPS),
    "Record_every_dE": Label(Kind.SINGLE, default=0.0),
}
_SPECTRUM = {
    **_RANGES,
    "vs_initial": Label(Kind.BOOL),
    "vs_final": Label(Kind.BOOL),
    "Duration_step": Label(Kind.SINGLE),
    "Step_number": Label(Kind.INT, default=0),
    "Record_every_dT": Label(Kind.SINGLE, default=0.0),
    "Final_frequency": Label(Kind.SINGLE),
    "Initial_frequency": Label(Kind.SINGLE),
    "sweep": Label(Kind.BOOL),
    "Frequency_number": Label(Kind.INT),
    "Average_N_times": Label(Kind.INT, default=1),
    "Correction": Label(Kind.BOOL, default=0),
    "Wait_for_steady": Label(Kind.SINGLE, default=0.0),
}

LABELS: Mapping[str, Mapping[str, Label]] = {
    "ocv": {
        "Rest_time_T": Label(Kind.SINGLE),
        "Record_every_dE": Label(Kind.SINGLE, default=0.0),
        "Record_every_dT": Label(Kind.SINGLE, default=0.0),
        "E_Range": Label(Kind.INT),
    },
    "ca": _CA,
    "cp": _CP,
    "calimit": {**_CA, **_TESTS},
    "cplimit": {**_CP, **_TESTS},
    "cv": {
        **_RANGES,
        "vs_initial": Label(Kind.BOOL, 5),
        "Voltage_step": Label(Kind.SINGLE, 5),
        "Scan_Rate": Label(Kind.SINGLE, 5),
        "Scan_number": Label(Kind.INT),
        "Record_every_dE": Label(Kind.SINGLE),
        "Average_over_dE": Label(Kind.BOOL),
        "N_Cycles": Label(Kind.INT, default=0),
        "Begin_measuring_I": Label(Kind.SINGLE),
        "End_measuring_I": Label(Kind.SINGLE),
    },
    "peis": {
        **_SPECTRUM,
        "Initial_Voltage_step": Label(Kind.SINGLE),
        "Final_Voltage_step": Label(Kind.SINGLE),
        "Record_every_dI": Label(Kind.SINGLE, default=0.0),
        "Amplitude_Voltage": Label(Kind.SINGLE),
    },
    "geis": {
        **_SPECTRUM,
        "Initial_Current_step": Label(Kind.SINGLE),
        "Final_Current_step": Label(Kind.SINGLE),
        "Record_every_dE": Label(Kind.SINGLE, default=0.0),
        "Amplitude_Current": Label(Kind.SINGLE),
    },
    "loop": {"loop_N_times": Label(Kind.INT), "protocol_number": Label(Kind.INT)},
}
"""Every label of every technique that is simulated; spelt otherwise they are refused."""

IDENTIFIERS = {
    "ocv": 100,
    "ca": 101,
    "cp": 102,
    "cv": 103,
    "peis": 104,
    "geis": 107,
    "loop": 150,
    "cplimit": 155,
    "calimit": 157,
}


class Parameters:
    """The values of one technique, by label and index. What is missing and has no default is refused."""

    def __init__(self, technique: str, raw: bytes) -> None:
        """Read structures laid one after the other. Raises `RefusalError`."""
        self.technique = technique
        self.raw = raw
        self._labels = LABELS[technique]
        self._values: dict[tuple[str, int], float] = {}
        self.update(raw)

    def update(self, raw: bytes) -> None:
        """Take over what other structures say, or nothing of it. Raises `RefusalError`."""
        if len(raw) % RAW.size:
            raise RefusalError(Code.INVALID_PARAMETERS)
        self._values.update(self._read(*one) for one in RAW.iter_unpack(raw))

    def number(self, label: str, index: int = 0) -> float:
        """Return a value as a number. Raises `RefusalError`."""
        found = self._values.get((label, index))
        if found is None:
            found = self._labels[label].default
        if found is None:
            raise RefusalError(Code.INVALID_PARAMETERS)
        return found

    def integer(self, label: str, index: int = 0) -> int:
        """Return a value that is a whole number, or a truth as 0 or 1. Raises `RefusalError`."""
        return int(self.number(label, index))

    def _read(self, label: bytes, kind: int, bits: int, index: int) -> tuple[tuple[str, int], float]:
        name = label.split(b"\0", 1)[0].decode("latin-1")
        known = self._labels.get(name)
        if known is None or kind != known.kind or not 0 <= index < known.most:
            raise RefusalError(Code.INVALID_PARAMETERS)
        return (name, index), _value(known.kind, bits)


def _value(kind: Kind, bits: int) -> float:
    packed = struct.pack("<I", bits)
    match kind:
        case Kind.SINGLE:
            value: float = struct.unpack("<f", packed)[0]
            if not abs(value) < 1e30:  # written so that NaN is refused
                raise RefusalError(Code.INVALID_PARAMETERS)
            return value
        case Kind.BOOL:
            if bits > 1:
                raise RefusalError(Code.INVALID_PARAMETERS)
            return bits
        case Kind.INT:
            number: int = struct.unpack("<i", packed)[0]
            return number


def within(value: float, low: float, high: float) -> float:
    """Return the value if it is no less and no more. Raises `RefusalError`."""
    if not low <= value <= high:
        raise RefusalError(Code.INVALID_PARAMETERS)
    return value


def one_of(value: int, allowed: Sequence[int]) -> int:
    """Return the value if it is one of those. Raises `RefusalError`."""
    if value not in allowed:
        raise RefusalError(Code.INVALID_PARAMETERS)
    return value
