"""Every estimator on seeded measurements whose answer is known: what it says, and what is true."""

from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import NamedTuple, TypeAlias

import numpy as np

from protocols.accuracy import WITHIN_LIMITS, Accuracy
from protocols.figures import cycling, decay, plating, transference
from protocols.figures.circuit_string import circuit_parameters, read_circuit
from protocols.figures.differential import differential_capacity_peaks, plateau_capacities
from protocols.figures.estimate import Array, Estimate
from protocols.figures.figure import Figure
from protocols.figures.impedance import (
    SpectrumAnalysis,
    analyse,
    bulk_resistance,
    interfacial_resistance,
    ionic_conductivity,
    macmullin_number,
    resistance_drift,
)
from protocols.figures.kramers_kronig import Verdict, kramers_kronig
from protocols.figures.polarisation import Polarisation
from protocols.figures.pulses import pulse_resistance
from protocols.figures.rate import rate_capability
from protocols.figures.run import CycleSummary, StepSummary
from protocols.figures.titration import diffusion
from protocols.figures.voltammetry import voltammetry_peaks
from tests.protocols.figures.synthetic import (
    blocking,
    frequencies,
    lithium,
    logarithmic_times,
    measured,
    step_response,
)
from tests.protocols.figures.test_differential import two_plateaus


class Answer(NamedTuple):
    """What an estimator said of one measurement, and what is true of it."""

    said: Estimate
    truth: float


Case: TypeAlias = Callable[[int], Answer]


def _answer(figure: Figure, truth: float) -> Answer:
    assert figure.uncertainty is not None, f"{figure.name} has no uncertainty"
    return Answer(Estimate(figure.value, figure.uncertainty), truth)


@lru_cache(maxsize=512)
def _blocking_resistance(seed: int) -> Figure:
    f = frequencies(10.0)
    return bulk_resistance(analyse(measured(f, blocking(f), seed)))


@lru_cache(maxsize=1024)
def _lithium_spectrum(seed: int, bulk: float = 4.08, interface: float = 30.0) -> SpectrumAnalysis:
    f = frequencies(0.1)
    return analyse(measured(f, lithium(f, bulk=bulk, interface=interface), seed))


def _blocking(seed: int) -> Answer:
    return _answer(_blocking_resistance(seed), 4.08)


def _conductivity(seed: int) -> Answer:
    """Thickness and area as they truly are scatter about what the cell file says of them."""
    random = np.random.default_rng(seed)
    thickness, area = 25e-6 + 0.5e-6 * random.standard_normal(), 2.011e-4 + 1e-6 * random.standard_normal()
    said = ionic_conductivity(_blocking_resistance(seed), Estimate(25e-6, 0.5e-6), Estimate(2.011e-4, 1e-6))
    return _answer(said, thickness / (4.08 * area))


def _macmullin(seed: int) -> Answer:
    free = 1.1 + 0.02 * np.random.default_rng(seed).standard_normal()
    soaked = ionic_conductivity(_blocking_resistance(seed), Estimate(25e-6, 0.0), Estimate(2.011e-4, 0.0))
    return _answer(macmullin_number(soaked, Estimate(1.1, 0.02)), free / (25e-6 / (4.08 * 2.011e-4)))


def _interface(seed: int) -> Answer:
    return _answer(interfacial_resistance(_lithium_spectrum(seed)), 30.0)


def _drift(seed: int) -> Answer:
    """An interface that grew from 30 to 31 ohm in an hour."""
    early = interfacial_resistance(_lithium_spectrum(seed))
    late = interfacial_resistance(_lithium_spectrum(1000 + seed, interface=31.0))
    return _answer(resistance_drift(early, late, 3600.0), 1 / 30 / 3600)


def _circuit(name: str, truth: float, seed: int) -> Answer:
    f = frequencies(0.1)
    spectrum = measured(f, lithium(f, diffusion=0.0), seed)
    figures = circuit_parameters(read_circuit("R0-p(R1,C1)"), spectrum)
    return _answer(next(figure for figure in figures if figure.name == name), truth)


def _transference(name: str, seed: int) -> Answer:
    """Rb 4.08, Rint 30, Rd 60 ohm, 10 mV: Is/I0 is 34.08/94.08; of the electrolyte alone 4.08/64.08."""
    time, random = logarithmic_times(last=7200.0), np.random.default_rng(seed)
    current = 0.01 * step_response(time, 34.08, 60.0, 100.0)
    current = current + 2e-8 * random.standard_normal(len(time))
    rest = 2e-6 * random.standard_normal()
    voltage = 0.01 + 2e-6 * random.standard_normal(len(time))
    polarisation = Polarisation.of(time, current, voltage, rest)
    if name == "transference_number_extrapolated":
        data = transference.transference_data(polarisation)
        return _answer(transference.transference_number_extrapolated(data), 34.08 / 94.08)
    spectra = _lithium_spectrum(seed), _lithium_spectrum(2000 + seed)
    data = transference.transference_data(polarisation, *spectra)
    if name == "transference_number":
        return _answer(transference.transference_number(data), 34.08 / 94.08)
    return _answer(transference.evans_vincent_bruce(data), 4.08 / 64.08)


def _nucleation(name: str, seed: int) -> Answer:
    """A dip of 60 mV that dies out over 0.03 of the charge, on a plateau of -50 mV."""
    share = np.linspace(0.0, 1.0, 600)
    noise = 3e-4 * np.random.default_rng(seed).standard_normal(600)
    dip = 0.06 * np.exp(-(((share - 0.05) / 0.03) ** 2))
    voltage = -0.05 - dip + noise
    if name == "steady_overpotential":
        return _answer(plating.steady_overpotential(voltage, -share), 0.05)
    return _answer(plating.nucleation_overpotential(voltage, -share), 0.06)


def _overpotential(seed: int) -> Answer:
    share, random = np.linspace(0.0, 1.0, 200), np.random.default_rng(seed)
    positive = 0.05 + 1e-3 * share + 2e-4 * random.standard_normal(200)
    negative = -0.05 - 1e-3 * share + 2e-4 * random.standard_normal(200)
    return _answer(plating.overpotential((positive, share), (negative, -share)), 0.0505)


def _cycles(seed: int) -> list[CycleSummary]:
    """A hundred cycles from 6 C, 0.1 % lost a cycle, each capacity 0.05 % uncertain, CE 99 %."""
    random = np.random.default_rng(seed)
    return [
        CycleSummary(
            n,
            charge_capacity=6.0 / 0.99 * (1 - 1e-3 * (n - 1)) * (1 + 5e-4 * random.standard_normal()),
            discharge_capacity=6.0 * (1 - 1e-3 * (n - 1)) * (1 + 5e-4 * random.standard_normal()),
            charge_energy=6.0 * 2.3,
            discharge_energy=6.0 * 2.1 * (1 + 5e-4 * random.standard_normal()),
            charge_voltage=2.3 + 2e-4 * random.standard_normal(),
            discharge_voltage=2.1 + 2e-4 * random.standard_normal(),
            discharge_current=1e-3,
        )
        for n in range(1, 101)
    ]


ACCURACY = Accuracy(voltage_gain=1e-4, voltage_offset=1e-4, current_gain=2e-4, current_of_range=1e-4)


def _off(stated: float, random: np.random.Generator) -> float:
    return float(stated * WITHIN_LIMITS * random.standard_normal())


def _capacity(seed: int) -> Answer:
    """6 C in 3600 s, 1.667 mA on the 10 mA range, per (1.7 ± 0.0005) mg."""
    random = np.random.default_rng(seed)
    counted = 6.0 * (1 + _off(2e-4, random)) + 3600 * 0.01 * _off(1e-4, random)
    cycle = CycleSummary(1, discharge_capacity=counted, discharge_time=3600.0)
    mass = 1.7e-6 + 5e-10 * random.standard_normal()
    figures = cycling.capacity(cycle, Estimate(1.7e-6, 5e-10), None, ACCURACY)
    return _answer(figures[1], 6.0 / mass)


def _efficiency_of_an_instrument(seed: int) -> Answer:
    """CE 99 % at 1 mA, an hour each way, every cycle with the same offset."""
    random = np.random.default_rng(seed)
    offset = 1e-3 * _off(1e-4, random)
    cycles = [
        CycleSummary(
            n,
            charge_capacity=3.6 + 3600 * offset + 3e-4 * random.standard_normal(),
            discharge_capacity=0.99 * 3.6 - 0.99 * 3600 * offset + 3e-4 * random.standard_normal(),
            charge_time=3600.0,
            discharge_time=0.99 * 3600.0,
        )
        for n in range(1, 31)
    ]
    pairing = cycling.Pairing.DISCHARGE_OVER_CHARGE
    return _answer(cycling.coulombic_efficiency(cycles, pairing, ACCURACY), 0.99)


def _average_efficiency_of_an_instrument(seed: int) -> Answer:
    """A reservoir of 5 C, ten cycles of 1 C, 4.85 C back, all at 1 mA: 14.85 C of 15 C, 99 %."""
    random = np.random.default_rng(seed)
    offset, gain = 1e-3 * _off(1e-4, random), 1 + _off(2e-4, random)
    passed = [-5.0, *(10 * [1.0, -1.0]), 4.85]
    steps = [
        StepSummary(
            ordinal=n,
            verb="strip" if coulombs > 0 else "plate",
            cycle=n // 2,
            capacity=gain * coulombs + offset * abs(coulombs) / 1e-3,
            energy=0.0,
            duration=abs(coulombs) / 1e-3,
        )
        for n, coulombs in enumerate(passed, start=2)
    ]
    said = cycling.average_coulombic_efficiency(steps[0], steps[1:-1], steps[-1], ACCURACY)
    return _answer(said, 14.85 / 15.0)


def _transference_of_an_instrument(seed: int) -> Answer:
    """Is/I0 34.08/94.08 where the voltage reads with an offset and either gain is wrong."""
    time, random = logarithmic_times(last=7200.0), np.random.default_rng(seed)
    current = 0.01 * step_response(time, 34.08, 60.0, 100.0) * (1 + _off(2e-4, random))
    current = current + 1e-3 * _off(1e-4, random) + 2e-8 * random.standard_normal(len(time))
    voltage = 0.01 * (1 + _off(1e-4, random)) + _off(1e-4, random) + 2e-6 * random.standard_normal(len(time))
    polarisation = Polarisation.of(time, current, voltage, Estimate(0.0, 0.0))
    data = transference.transference_data(polarisation, _lithium_spectrum(seed), None, ACCURACY)
    return _answer(transference.transference_number(data), 34.08 / 94.08)


def _decay(index: int, truth: float, seed: int) -> Answer:
    series = decay.discharge_capacities(_cycles(seed))
    return _answer(decay.capacity_decay(series)[index], truth)


def _retention(seed: int) -> Answer:
    cycles = _cycles(seed)
    noise = decay.noise_of(decay.discharge_capacities(cycles))
    return _answer(cycling.retention(cycles[0], cycles[-1], noise), 1 - 1e-3 * 99)


def _efficiency(seed: int) -> Answer:
    pairing = cycling.Pairing.DISCHARGE_OVER_CHARGE
    return _answer(cycling.coulombic_efficiency(_cycles(seed)[:30], pairing), 0.99)


def _energy_efficiency(seed: int) -> Answer:
    return _answer(cycling.energy_efficiency(_cycles(seed)[:30]), 2.1 / 2.3)


def _hysteresis(seed: int) -> Answer:
    return _answer(cycling.hysteresis(_cycles(seed)[:30]), 0.2)


def _rate(seed: int) -> Answer:
    random = np.random.default_rng(seed)
    cycles = [
        CycleSummary(n, discharge_capacity=q + 0.01 * random.standard_normal(), discharge_current=amperes)
        for block, (q, amperes) in enumerate([(6.0, 1e-3), (3.0, 1e-2)])
        for n in range(1 + 20 * block, 21 + 20 * block)
    ]
    return _answer(rate_capability(cycles)[1], 3.0)


def _voltammetry(index: int, truth: float, seed: int) -> Answer:
    """One couple: 50 mV wide at 2.40 V going up and 2.28 V going down, 0.1 mV/s."""
    up = np.linspace(2.0, 2.8, 801)
    volts: Array = np.r_[up, up[-2::-1]]
    anodic, cathodic = np.exp(-(((up - 2.40) / 0.05) ** 2)), -np.exp(-(((up - 2.28) / 0.05) ** 2))
    current: Array = 1e-3 * np.r_[anodic, cathodic[-2::-1]]
    noisy = np.asarray(current + 2e-6 * np.random.default_rng(seed).standard_normal(len(volts)), dtype=float)
    return _answer(voltammetry_peaks(10.0 * np.arange(len(volts), dtype=float), volts, noisy)[index], truth)


def _pulse(seed: int) -> Answer:
    """5 mA through 20 ohm."""
    random = np.random.default_rng(seed)
    before = [(3.7 + 1e-4 * random.standard_normal(), 1e-8 * random.standard_normal()) for _ in range(10)]
    time = np.linspace(0.1, 10.0, 100)
    voltage = 3.7 - 0.1 + 1e-4 * random.standard_normal(100)
    current = -5e-3 + 1e-7 * random.standard_normal(100)
    return _answer(pulse_resistance(before, time, voltage, current), 20.0)


def _diffusion(seed: int) -> Answer:
    """4/π (1 µm · 20 mV / (1800 s · 1 mV/√s))² = 1.5719e-16 m²/s."""
    random, time = np.random.default_rng(seed), np.linspace(5.0, 1800.0, 360)

    def rest(volts: float) -> tuple[Array, Array]:
        return np.linspace(0, 7200, 200), volts + 5e-5 * random.standard_normal(200)

    pulse = 3.67 - 1e-3 * np.sqrt(time) + 5e-5 * random.standard_normal(360)
    truth = 4 / np.pi * (1e-6 * 0.02 / (1800 * 1e-3)) ** 2
    return _answer(diffusion(rest(3.70), (time, pulse), rest(3.68), Estimate(1e-6, 0.0)), truth)


def _plateau(seed: int) -> Answer:
    return _answer(plateau_capacities(*two_plateaus(3e-4, seed))[1], 4.0)


def _differential_peak(seed: int) -> Answer:
    return _answer(differential_capacity_peaks(*two_plateaus(3e-4, seed))[1], 2.1)


CASES: Mapping[str, Case] = {
    "bulk_resistance": _blocking,
    "ionic_conductivity": _conductivity,
    "macmullin_number": _macmullin,
    "interfacial_resistance": _interface,
    "resistance_drift": _drift,
    "circuit_R0": partial(_circuit, "circuit_R0", 4.08),
    "circuit_R1": partial(_circuit, "circuit_R1", 30.0),
    "circuit_C1": partial(_circuit, "circuit_C1", 5e-6),
    "transference_number": partial(_transference, "transference_number"),
    "evans_vincent_bruce": partial(_transference, "transference_number_evans_vincent_bruce"),
    "transference_extrapolated": partial(_transference, "transference_number_extrapolated"),
    "nucleation_overpotential": partial(_nucleation, "nucleation_overpotential"),
    "steady_overpotential": partial(_nucleation, "steady_overpotential"),
    "overpotential": _overpotential,
    "decay_linear": partial(_decay, 0, 1e-3),
    "decay_compound": partial(_decay, 1, 1 - (1 - 99e-3) ** (1 / 99)),
    "decay_theil_sen": partial(_decay, 2, 1e-3),
    "retention": _retention,
    "specific_capacity": _capacity,
    "efficiency_of_an_instrument": _efficiency_of_an_instrument,
    "average_efficiency_of_an_instrument": _average_efficiency_of_an_instrument,
    "transference_of_an_instrument": _transference_of_an_instrument,
    "coulombic_efficiency": _efficiency,
    "energy_efficiency": _energy_efficiency,
    "hysteresis": _hysteresis,
    "rate_capability": _rate,
    "voltammetry_peak": partial(_voltammetry, 0, 2.40),
    "voltammetry_separation": partial(_voltammetry, 2, 0.12),
    "pulse_resistance": _pulse,
    "diffusion_coefficient": _diffusion,
    "plateau_capacity": _plateau,
    "differential_capacity_peak": _differential_peak,
}


class Alarm(NamedTuple):
    """Whether a warning was given, and whether there was something to warn of."""

    given: bool
    due: bool


def _soft_short(seed: int) -> Alarm:
    """40 mV that smooth to 30 mV in a hundred cycles, each 5 % uncertain; a parallel path halves three."""
    random, due = np.random.default_rng(seed), seed % 2 == 1
    volts = np.linspace(0.040, 0.030, 100) * (1 + 0.05 * random.standard_normal(100))
    if due:
        volts[60:63] /= 2
    found = plating.soft_short([(n, float(each)) for n, each in enumerate(volts, start=1)])
    return Alarm(found.value > 0, due)


def _drifted(seed: int) -> Alarm:
    """A lithium cell with 0.2 % of noise; every second grows by a tenth while the slow points are taken."""
    f, due = frequencies(0.01), seed % 2 == 1
    grown = 1 + 0.1 * np.linspace(0, 1, len(f)) ** 6 if due else 1.0
    return Alarm(kramers_kronig(measured(f, lithium(f) * grown, seed)).drifting, due)


def _inconsistent(seed: int) -> Alarm:
    """Every second spectrum has 0.8 % of noise: √2 · 0.8 % · √(116 / 142) = 1.02 %, far from 0.5 %."""
    f, due = frequencies(0.01), seed % 2 == 1
    found = kramers_kronig(measured(f, lithium(f), seed, noise=0.008 if due else 0.002))
    return Alarm(found.verdict is not Verdict.CONSISTENT, due)


ALARMS: Mapping[str, Callable[[int], Alarm]] = {
    "soft_short": _soft_short,
    "kramers_kronig_drift": _drifted,
    "kramers_kronig_residual": _inconsistent,
}
"""Figures without an uncertainty: what they warn of, and what there is to warn of."""
