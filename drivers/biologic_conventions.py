"""What is not settled about EClib without hardware: one named setting each, given in the address.

eclib://192.168.0.5?scan_rate=mV/s&phase=negative; docs/biologic.md tells how to find out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from drivers.errors import RefusedError

SCAN_RATE_UNITS = {"V/s": 1.0, "mV/s": 1e-3}

PHASE_SIGNS = {"positive": 1.0, "negative": -1.0}


@dataclass(frozen=True, slots=True)
class Conventions:
    """`scan_rate_unit` is what one unit of the label `Scan_Rate` is, in V/s.

    Sources disagree on it. Taken for V/s where it is mV/s, a sweep is a thousand times too slow, which
    harms no cell and is told at once; the other way round would be a thousand times too fast.
    `phase_sign` is -1 where the recorded phase of a capacitive cell is positive.
    """

    scan_rate_unit: float = 1.0
    phase_sign: float = 1.0

    @classmethod
    def of(cls, settings: Mapping[str, str]) -> Self:
        """Read the settings of an address. Raises `RefusedError` naming what is known."""
        known = {"scan_rate": SCAN_RATE_UNITS, "phase": PHASE_SIGNS}
        for name, value in settings.items():
            if name not in known:
                raise RefusedError(f"setting {name!r} of the address: wanted library, {' or '.join(known)}")
            if value not in known[name]:
                raise RefusedError(f"setting {name}={value}: wanted {' or '.join(known[name])}")
        return cls(
            SCAN_RATE_UNITS[settings.get("scan_rate", "V/s")],
            PHASE_SIGNS[settings.get("phase", "positive")],
        )
