"""The cation transference number of a symmetric cell, from a polarisation between two spectra.

t+ = Is / I0 is the reference experiment's formula. What I0 is decides the result: the first reading
depends on how fast the instrument samples, so where there is a spectrum I0 = dV / (Rb + Rint) is the
default. Evans, Vincent and Bruce (Polymer 28 (1987) 2324) take the interfaces out:
t+ = Is (dV - I0 R0) / (I0 (dV - Is Rss)). For concentrated electrolytes the result is the current
fraction rather than the transference number.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from protocols.accuracy import Accuracy
from protocols.errors import FigureError
from protocols.figures.estimate import Array, Estimate, joined, propagated_jointly
from protocols.figures.figure import NOWHERE, Figure, Plain, RunPlace
from protocols.figures.impedance import SpectrumAnalysis
from protocols.figures.polarisation import (
    Polarisation,
    SteadyCurrent,
    extrapolated_current,
    first_current,
    steady_current,
)


@dataclass(frozen=True, slots=True, eq=False)
class TransferenceData:
    """All that goes into a transference number; spectra are None where none was taken."""

    polarisation: Polarisation
    step: Estimate
    steady: SteadyCurrent
    before: SpectrumAnalysis | None
    after: SpectrumAnalysis | None

    @property
    def warnings(self) -> tuple[str, ...]:
        return self.polarisation.warnings() + self.steady.warnings()


def transference_data(
    polarisation: Polarisation,
    before: SpectrumAnalysis | None = None,
    after: SpectrumAnalysis | None = None,
    accuracy: Accuracy | None = None,
) -> TransferenceData:
    """Read dV and Is off the polarisation; `FigureError` where they are not there to be read.

    What the maker states of the instrument widens both: the offsets, and in dV the gains of voltage
    and current, whose ratio is what is compared with the resistances.
    """
    step, steady = polarisation.voltage_step(), steady_current(polarisation)
    if accuracy is not None:
        gain = float(np.hypot(accuracy.of_voltage, accuracy.of_current))
        step = _widened(step, gain * step.value, accuracy.volts)
        steady = replace(steady, current=_widened(steady.current, accuracy.amperes(steady.current.value)))
    if step.value * steady.current.value < 0:
        raise FigureError(
            f"dV is {1e3 * step.value:.3g} mV and Is {1e3 * steady.current.value:.3g} mA: "
            "their signs differ, the cell drove the current itself"
        )
    return TransferenceData(polarisation, step, steady, before, after)


def _widened(estimate: Estimate, *more: float) -> Estimate:
    return Estimate(estimate.value, float(np.sqrt(estimate.uncertainty**2 + sum(one**2 for one in more))))


def transference_number(data: TransferenceData, place: RunPlace = NOWHERE) -> Figure:
    """Is / I0 with I0 = dV / (Rb + Rint) of the spectrum before; with the first reading if there is none."""
    if data.before is None:
        first = _first_reading(data, "transference_number")
        return _figure(first, data, place, ("no spectrum before the step: I0 is the first reading",))
    bulk, interface, covariance = data.before.bulk_and_interface()
    initial = data.step.value / (bulk + interface)
    form = _Form(
        "transference_number",
        lambda current, volts, rb, rint: current * (rb + rint) / volts,
        [data.steady.current.value, data.step.value, bulk, interface],
        joined(_variances(data.steady.current, data.step), covariance),
        f"Is / I0, I0 = dV / (Rb + Rint) = {1e3 * initial:.4g} mA "
        f"from the spectrum before ({data.before.circuit.name})",
        {"initial_current": initial, "bulk": bulk, "interface": interface},
    )
    return _figure(form, data, place)


def evans_vincent_bruce(data: TransferenceData, place: RunPlace = NOWHERE) -> Figure:
    """t+ with the interfaces taken out; needs a spectrum before and one after."""
    if data.before is None or data.after is None:
        raise FigureError("Evans-Vincent-Bruce needs a spectrum before the polarisation and one after it")
    bulk, interface, covariance = data.before.bulk_and_interface()
    after = data.after.interface
    _must_leave_voltage(data, bulk, interface, after.value)
    form = _Form(
        "transference_number_evans_vincent_bruce",
        _evans_vincent_bruce,
        [data.steady.current.value, data.step.value, bulk, interface, after.value],
        joined(_variances(data.steady.current, data.step), covariance, _variances(after)),
        "Evans-Vincent-Bruce, Is (dV - I0 R0) / (I0 (dV - Is Rss)), I0 = dV / (Rb + R0), R0 "
        f"{interface:.4g} ohm before and Rss {after.value:.4g} ohm after",
        {"interface_before": interface, "interface_after": after.value, "bulk": bulk},
    )
    return _figure(form, data, place)


def _evans_vincent_bruce(steady: float, volts: float, bulk: float, before: float, after: float) -> float:
    initial = volts / (bulk + before)
    return steady * (volts - initial * before) / (initial * (volts - steady * after))


def _must_leave_voltage(data: TransferenceData, bulk: float, before: float, after: float) -> None:
    left = 1 - data.steady.current.value * after / data.step.value
    if not (left > 0 and bulk > 0):
        raise FigureError(
            f"Is Rss is {100 * (1 - left):.0f} % of dV: the interfaces of {before:.4g} ohm before and "
            f"{after:.4g} ohm after leave no voltage to the electrolyte"
        )


def transference_number_first_reading(data: TransferenceData, place: RunPlace = NOWHERE) -> Figure:
    """Is / I0 with I0 the first reading, as a reader of the raw curve would do it."""
    return _figure(_first_reading(data, "transference_number_first_reading"), data, place)


def transference_number_extrapolated(data: TransferenceData, place: RunPlace = NOWHERE) -> Figure:
    """Is / I0 with I0 back-extrapolated to the start of the step."""
    initial = extrapolated_current(data.polarisation, data.steady)
    origin = "back-extrapolated with erfcx(a √t)"
    return _figure(_over("transference_number_extrapolated", data, initial, origin), data, place)


@dataclass(frozen=True, slots=True, eq=False)
class _Form:
    """One formula of t+ with what goes into it and where its I0 came from."""

    name: str
    formula: Callable[..., float]
    inputs: list[float]
    covariance: Array
    words: str
    detail: Mapping[str, Plain]


def _first_reading(data: TransferenceData, name: str) -> _Form:
    when = f"the first reading, {1e3 * data.polarisation.time[0]:.3g} ms after the step"
    return _over(name, data, first_current(data.polarisation), when)


def _over(name: str, data: TransferenceData, initial: Estimate, origin: str) -> _Form:
    steady = data.steady.current
    if initial.value * steady.value <= 0:
        raise FigureError(f"I0 is {initial.value:.3g} A and Is {steady.value:.3g} A: signs differ")
    return _Form(
        name,
        lambda current, start: current / start,
        [steady.value, initial.value],
        _variances(steady, initial),
        f"Is / I0, I0 = {1e3 * initial.value:.4g} mA, {origin}",
        {"initial_current": initial.value, "initial_current_uncertainty": initial.uncertainty},
    )


def _figure(form: _Form, data: TransferenceData, place: RunPlace, warnings: tuple[str, ...] = ()) -> Figure:
    value, uncertainty = propagated_jointly(form.formula, form.inputs, form.covariance)
    if not 0 < value < 1:
        warnings = (*warnings, f"{value:.3g} is no possible transference number (0 to 1)")
    return Figure(
        name=form.name,
        value=value,
        unit="1",
        uncertainty=uncertainty,
        method=f"{form.words}; {_steady_words(data)}",
        warnings=warnings + data.warnings,
        detail={
            **form.detail,
            "steady_current": data.steady.current.value,
            "steady_current_uncertainty": data.steady.current.uncertainty,
            "drift": data.steady.drift.value,
            "voltage_step": data.step.value,
        },
        place=place,
    )


def _variances(*independent: Estimate) -> Array:
    return np.diag([one.uncertainty**2 for one in independent])


def _steady_words(data: TransferenceData) -> str:
    steady = data.steady
    return (
        f"Is = {1e3 * steady.current.value:.4g} mA, mean of the last {steady.readings} readings "
        f"({steady.window:.3g} s); dV = {1e3 * data.step.value:.4g} mV above open circuit"
    )


OTHERS = {
    "transference_number_evans_vincent_bruce": evans_vincent_bruce,
    "transference_number_extrapolated": transference_number_extrapolated,
    "transference_number_first_reading": transference_number_first_reading,
}
"""What else can be read off the same data, to stand beside the number."""
