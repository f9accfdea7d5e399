"""What one cycle amounts to, folded from its steps."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

CHARGING = frozenset({"charge", "strip"})
DISCHARGING = frozenset({"discharge", "plate"})
EITHER_WAY = frozenset({"hold", "power", "resistance", "polarise"})  # by the sign of what passed


class Pairing(StrEnum):
    """Which capacity over which a Coulombic efficiency is; both of the same cycle."""

    STRIP_PER_PLATE = "strip/plate"
    DISCHARGE_PER_CHARGE = "discharge/charge"
    SYMMETRIC = "none: symmetric cell"


@dataclass(frozen=True, slots=True)
class StepTotals:
    """What a step of the cycle passed: coulomb and joule, signed like the current.

    `ended` is False while it runs; its totals are then still to come. `own_capacity` is the integral of
    the readings where `capacity` is the instrument's counter.
    """

    verb: str | None
    ended: bool
    duration: float | None
    capacity: float | None
    energy: float | None
    first_reading: int | None
    last_reading: int | None
    end_voltage: float | None = None
    own_capacity: float | None = None


@dataclass(frozen=True, slots=True)
class CycleSummary:
    """One cycle. Capacities in coulomb and energies in joule, positive: what went in, what came out.

    The discharge energy is negative where plating cost energy. Efficiencies are fractions, given
    once every step of the cycle that began has ended. Hysteresis is the mean charge voltage less
    the mean discharge voltage, each being energy over charge. `disagreement` is the largest share by which
    the integral of a step's readings differs from the instrument's counter.
    """

    first_reading: int | None
    last_reading: int | None
    duration: float
    charge_capacity: float
    discharge_capacity: float
    charge_energy: float
    discharge_energy: float
    mean_charge_voltage: float | None
    mean_discharge_voltage: float | None
    hysteresis: float | None
    coulombic_efficiency: float | None
    energy_efficiency: float | None
    pairing: str | None
    charge_time: float | None = None
    discharge_time: float | None = None
    charge_end_voltage: float | None = None
    discharge_end_voltage: float | None = None
    disagreement: float | None = None


def pairing_of(cell: str, facts: Mapping[str, object]) -> Pairing:
    """Return how the cell's efficiency is defined, by its name (`Li||Cu`, `Li||Li`) and electrode."""
    working = str(facts.get("working_electrode", "")).strip().lower()
    left, right = _sides(cell)
    if working in {"cu", "copper"} or right == "Cu":
        return Pairing.STRIP_PER_PLATE
    if left is not None and left == right:
        return Pairing.SYMMETRIC
    return Pairing.DISCHARGE_PER_CHARGE


def summarise(steps: Sequence[StepTotals], pairing: Pairing | None) -> CycleSummary:
    """Fold the steps of one cycle; `pairing` is None while the cell is not known yet."""
    charged = [step for step in steps if _direction(step) > 0]
    discharged = [step for step in steps if _direction(step) < 0]
    charge, charge_energy = _totals(charged)
    discharge, discharge_energy = (-total + 0.0 for total in _totals(discharged))
    mean_charge = _ratio(charge_energy, charge)
    mean_discharge = _ratio(discharge_energy, discharge)
    whole = bool(charged and discharged) and all(step.ended for step in steps)
    gap = mean_charge - mean_discharge if mean_charge is not None and mean_discharge is not None else None
    return CycleSummary(
        first_reading=min((n for step in steps if (n := step.first_reading) is not None), default=None),
        last_reading=max((n for step in steps if (n := step.last_reading) is not None), default=None),
        duration=sum(step.duration or 0.0 for step in steps),
        charge_capacity=charge,
        discharge_capacity=discharge,
        charge_energy=charge_energy,
        discharge_energy=discharge_energy,
        mean_charge_voltage=mean_charge,
        mean_discharge_voltage=mean_discharge,
        hysteresis=gap if whole else None,
        coulombic_efficiency=_coulombic(charge, discharge, pairing) if whole else None,
        energy_efficiency=_energetic(charge_energy, discharge_energy, pairing) if whole else None,
        pairing=pairing.value if pairing is not None else None,
        charge_time=_time(charged),
        discharge_time=_time(discharged),
        charge_end_voltage=charged[-1].end_voltage if charged else None,
        discharge_end_voltage=discharged[-1].end_voltage if discharged else None,
        disagreement=max(_disagreements(steps), default=None),
    )


def _time(steps: Sequence[StepTotals]) -> float | None:
    return sum(step.duration or 0.0 for step in steps) if steps else None


def _disagreements(steps: Sequence[StepTotals]) -> Iterator[float]:
    for step in steps:
        if step.own_capacity is not None and step.capacity:
            yield abs(step.own_capacity / step.capacity - 1)


def _sides(cell: str) -> tuple[str | None, str | None]:
    match = re.match(r"\s*(\w+)\s*\|.*\|\s*(\w+)", cell)
    return (match.group(1), match.group(2)) if match else (None, None)


def _direction(step: StepTotals) -> int:
    if not step.ended or not step.capacity:
        return 0
    if step.verb in CHARGING:
        return 1
    if step.verb in DISCHARGING:
        return -1
    return (1 if step.capacity > 0 else -1) if step.verb in EITHER_WAY else 0


def _totals(steps: Sequence[StepTotals]) -> tuple[float, float]:
    return sum(step.capacity or 0.0 for step in steps), sum(step.energy or 0.0 for step in steps)


def _ratio(numerator: float, denominator: float) -> float | None:
    return numerator / denominator if denominator else None


def _coulombic(charge: float, discharge: float, pairing: Pairing | None) -> float | None:
    match pairing:
        case Pairing.STRIP_PER_PLATE:
            return _ratio(charge, discharge)
        case Pairing.DISCHARGE_PER_CHARGE:
            return _ratio(discharge, charge)
        case _:
            return None


def _energetic(charged: float, discharged: float, pairing: Pairing | None) -> float | None:
    if pairing is not Pairing.DISCHARGE_PER_CHARGE:
        return None
    return _ratio(abs(discharged), charged)
