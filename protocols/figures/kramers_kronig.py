"""The Kramers-Kronig test: could any linear, causal, steady cell have given this spectrum?

Linear form: a chain of RC elements with fixed time constants, which obeys the relations by itself,
is fitted by one weighted linear solution (Boukamp, J. Electrochem. Soc. 142 (1995) 1885; Schönleber,
Klotz and Ivers-Tiffée, Electrochim. Acta 131 (2014) 20). Three per decade, one of them slower than
the slowest point: the usual rule that stops at mu < 0.85 stops too early on full-cell spectra.
Such a chain follows a single RC element to 0.15 % and anything broader more closely.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from protocols.errors import FigureError
from protocols.figures.estimate import Array
from protocols.figures.figure import Plain
from protocols.figures.spectrum import ComplexArray, Spectrum

PER_DECADE = 3
CONSISTENT_BELOW = 0.005
INCONSISTENT_ABOVE = 0.01
DRIFT_RATIO = 2.0
CHAIN_ERROR = 0.0015


class Verdict(StrEnum):
    """What the size of the residuals says: below 0.5 %, up to 1 %, above."""

    CONSISTENT = "consistent"
    DOUBTFUL = "doubtful"
    INCONSISTENT = "inconsistent"


@dataclass(frozen=True, slots=True)
class KramersKronig:
    """Residuals relative to |Z|: rms of all, of the fastest and of the slowest third of the points."""

    residual: float
    high_frequency: float
    low_frequency: float
    elements: int

    @property
    def verdict(self) -> Verdict:
        if self.residual < CONSISTENT_BELOW:
            return Verdict.CONSISTENT
        return Verdict.DOUBTFUL if self.residual <= INCONSISTENT_ABOVE else Verdict.INCONSISTENT

    @property
    def drifting(self) -> bool:
        """Whether the slow points fit twice as badly as the fast ones: the cell changed meanwhile."""
        return self.low_frequency > DRIFT_RATIO * max(self.high_frequency, CHAIN_ERROR)

    def as_mapping(self) -> dict[str, Plain]:
        """Return it as plain data."""
        return {
            "residual": self.residual,
            "high_frequency": self.high_frequency,
            "low_frequency": self.low_frequency,
            "elements": self.elements,
            "verdict": self.verdict.value,
            "drifting": self.drifting,
        }

    def warnings(self) -> tuple[str, ...]:
        """Return what a reader of figures from this spectrum should know."""
        found = []
        if self.verdict is not Verdict.CONSISTENT:
            found.append(
                f"Kramers-Kronig residual {100 * self.residual:.2f} %: the spectrum is {self.verdict.value}"
            )
        if self.drifting:
            low, high = 100 * self.low_frequency, 100 * self.high_frequency
            found.append(
                f"Kramers-Kronig residual {low:.2f} % at low against {high:.2f} % at high frequency: "
                "the cell drifted"
            )
        return tuple(found)


def kramers_kronig(spectrum: Spectrum) -> KramersKronig:
    """Test a spectrum. `FigureError` if it has too few points to be tested."""
    elements = round(spectrum.decades * PER_DECADE) + 2
    if elements + 3 > 1.5 * len(spectrum.frequency):
        raise FigureError(
            f"{len(spectrum.frequency)} points over {spectrum.decades:.1f} decades; the Kramers-Kronig test "
            f"needs {PER_DECADE} a decade and some to spare"
        )
    weight = 1 / np.abs(spectrum.impedance)
    columns = _columns(spectrum.angular, elements) * weight[:, None]
    wanted = spectrum.impedance * weight
    # by the columns' own size, or the solver takes jωL and 1/jωC for noise
    stacked = np.vstack([columns.real, columns.imag])
    norms = np.linalg.norm(stacked, axis=0)
    solution = np.linalg.lstsq(stacked / norms, np.r_[wanted.real, wanted.imag], rcond=None)[0]
    error = columns @ (solution / norms) - wanted
    third = max(1, len(error) // 3)
    return KramersKronig(_rms(error), _rms(error[:third]), _rms(error[-third:]), elements)


def _columns(angular: Array, elements: int) -> ComplexArray:
    times = np.geomspace(1 / angular[0], 10 ** (1 / PER_DECADE) / angular[-1], elements)
    series = [np.ones_like(angular) + 0j, 1j * angular, 1 / (1j * angular)]
    return np.stack(series + [1 / (1 + 1j * angular * time) for time in times], axis=1)


def _rms(error: ComplexArray) -> float:
    return float(np.sqrt(np.mean(np.abs(error) ** 2)))
