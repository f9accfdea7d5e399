"""The words of protocol and cell files, each explained: for whoever writes one, and for editors.

Which words there are is the checker's to say (`protocol`, `steps`, `cell`, `conditions`); here is only
what they mean. A test holds one against the other.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from protocols.chemistry import KNOWN
from protocols.conditions import Quantity
from protocols.protocol import FIGURES

_CURRENTS = ("C", "mA/cm2", "mA/g", "mA", "uA", "A", "mW")
_VOLTS = ("V", "mV")
_TIMES = ("h", "min", "s", "d", "ms")
_CAPACITIES = ("mAh/cm2", "mAh/g", "mAh", "Ah")


@dataclass(frozen=True, slots=True)
class Word:
    """A word, where it may stand, what it means, how it is written, and the units of its value.

    `place` is "file" (its first level), "verb" (begins a step), "step" (belongs to one), "variable",
    "limit", "quantity" (of a condition), "figure" or "chemistry". `of` are the verbs it goes with; none
    means all of them.
    """

    name: str
    place: str
    meaning: str
    example: str = ""
    units: Sequence[str] = ()
    of: Sequence[str] = ()


_FILE = (
    Word(
        "protocol", "file", "What the protocol is called; the first line.", "protocol: Li-S cycling at 0.2 C"
    ),
    Word("note", "file", "Anything people should know of it.", "note: after Xiong et al. 2021"),
    Word(
        "variables",
        "file",
        "Values to be set at submission, used as $name.",
        "variables:\n  low: {unit: V, default: 1.7 V}",
    ),
    Word(
        "limits",
        "file",
        "What may never be left: the circuit opens and the channel latches.",
        "limits: {voltage: 1.5 V .. 3.0 V, current: 5 mA}",
    ),
    Word(
        "record",
        "file",
        "What of the readings is kept; first and last of a step always.",
        "record: every 60 s or 5 mV",
    ),
    Word("steps", "file", "What is done, one after the other.", "steps:\n  - rest: 1 h"),
    Word(
        "figures",
        "file",
        "Figures of merit to be made, besides those a technique always yields.",
        "figures: [capacity, coulombic_efficiency]",
    ),
)
_VERBS = (
    Word("rest", "verb", "No current for a time.", "rest: 10 min", _TIMES),
    Word("charge", "verb", "A current (or power) into the cell; positive.", "charge: 0.2 C", _CURRENTS),
    Word(
        "discharge",
        "verb",
        "A current (or power) out of the cell, written without a sign.",
        "discharge: 1675 mA/g",
        _CURRENTS,
    ),
    Word(
        "plate",
        "verb",
        "Metal onto the working electrode: the same as discharge.",
        "plate: 1 mA/cm2",
        _CURRENTS,
    ),
    Word(
        "strip", "verb", "Metal off the working electrode: the same as charge.", "strip: 1 mA/cm2", _CURRENTS
    ),
    Word(
        "hold",
        "verb",
        "A voltage, or `open circuit`, until the current falls or time passes.",
        "hold: 4.2 V",
        _VOLTS,
    ),
    Word("power", "verb", "A constant power; positive into the cell.", "power: -2 mW", ("mW", "W")),
    Word(
        "resistance",
        "verb",
        "The cell discharges into a constant resistance.",
        "resistance: 100 ohm",
        ("ohm", "kohm"),
    ),
    Word(
        "polarise",
        "verb",
        "A small voltage, added to what `versus` names (chronoamperometry).",
        "polarise: 10 mV",
        _VOLTS,
    ),
    Word(
        "sweep",
        "verb",
        "From level to level at a rate (linear and cyclic voltammetry).",
        "sweep: [open circuit, 1.7 V, 2.8 V]",
        _VOLTS,
    ),
    Word(
        "impedance",
        "verb",
        "A spectrum; the amplitude is a peak unless it says rms, a current makes it galvanostatic.",
        "impedance: 5 mV",
        ("mV", "V", "mA", "uA"),
    ),
    Word(
        "chamber",
        "verb",
        "Set the temperature of the chamber and wait for it.",
        "chamber: 25 degC",
        ("degC", "K"),
    ),
    Word("repeat", "verb", "Do the steps under it so often.", "repeat: 100"),
    Word(
        "for",
        "verb",
        "Do the steps under it once for every value of `in`.",
        "for: rate\n    in: [0.2 C, 1 C, 2 C]",
    ),
)
_STEP = (
    Word(
        "until",
        "step",
        "When the step is over; conditions joined by `or` and `and`. Of a repeat: `retention < 80 %`.",
        "until: voltage <= 1.7 V or time >= 12 h",
    ),
    Word("record", "step", "What of this step is kept.", "record: every 1 s or 2 mV"),
    Word("mark", "step", "A name, so that figures and reports find it.", "mark: formation"),
    Word(
        "steps", "step", "The steps that are repeated.", "steps:\n      - rest: 10 min", of=("repeat", "for")
    ),
    Word("in", "step", "The values `for` goes through.", "in: [0.2 C, 1 C]", of=("for",)),
    Word(
        "versus",
        "step",
        "What a voltage is counted from: `open circuit`, measured first, or a voltage.",
        "versus: open circuit",
        _VOLTS,
        ("polarise", "impedance"),
    ),
    Word("rate", "step", "How fast a sweep goes.", "rate: 0.1 mV/s", ("mV/s", "V/s"), ("sweep",)),
    Word("cycles", "step", "How often a sweep goes round.", "cycles: 3", of=("sweep",)),
    Word(
        "from",
        "step",
        "The highest frequency of a spectrum.",
        "from: 100 kHz",
        ("kHz", "Hz", "MHz"),
        ("impedance",),
    ),
    Word("to", "step", "The lowest frequency of a spectrum.", "to: 10 mHz", ("mHz", "Hz"), ("impedance",)),
    Word(
        "points_per_decade",
        "step",
        "How close the frequencies lie.",
        "points_per_decade: 10",
        of=("impedance",),
    ),
)
_VARIABLE = (
    Word("unit", "variable", "What the variable is measured in.", "unit: V"),
    Word("default", "variable", "What it is unless somebody says otherwise.", "default: 1.7 V"),
    Word("required", "variable", "That it has to be given.", "required: true"),
    Word("note", "variable", "What it is for.", "note: rate of the formation"),
)
_LIMIT = (
    Word("voltage", "limit", "Both edges.", "voltage: 1.5 V .. 3.0 V", _VOLTS),
    Word("current", "limit", "The most in either direction.", "current: 5 mA", _CURRENTS),
    Word(
        "temperature", "limit", "The most, or both edges.", "temperature: 15 degC .. 45 degC", ("degC", "K")
    ),
)
_QUANTITIES: Mapping[Quantity, tuple[str, str, Sequence[str]]] = {
    Quantity.TIME: ("Since the step began.", "time >= 12 h", _TIMES),
    Quantity.VOLTAGE: ("Of the cell.", "voltage <= 1.7 V", _VOLTS),
    Quantity.CURRENT: ("Without its sign.", "current <= 0.05 C", _CURRENTS),
    Quantity.CAPACITY: (
        "Passed since the step began, without its sign.",
        "capacity >= 1 mAh/cm2",
        (*_CAPACITIES, "% of discharge"),
    ),
    Quantity.ENERGY: (
        "Passed since the step began, without its sign.",
        "energy >= 5 mWh",
        ("mWh", "Wh", "J"),
    ),
    Quantity.TEMPERATURE: ("Of the cell, where it is measured.", "temperature >= 40 degC", ("degC", "K")),
    Quantity.VOLTAGE_SLOPE: (
        "How fast the voltage still changes, over ten minutes.",
        "voltage_slope <= 1 mV/h",
        ("mV/h", "mV/s"),
    ),
    Quantity.CURRENT_DRIFT: (
        "How much the current still changes, over a time.",
        "current_drift <= 1 % over 10 min",
        ("%",),
    ),
}
_CELL = (
    Word("cell", "file", "What the cell is called; the first line.", "cell: LS-042"),
    Word("chemistry", "file", "What kind it is, for forecasts and rehearsals.", "chemistry: Li-S"),
    Word(
        "area",
        "file",
        "Of the working electrode, for mA/cm2; may have an uncertainty.",
        "area: 1.131 cm2 +- 0.5 %",
        ("cm2", "mm2"),
    ),
    Word(
        "active_mass",
        "file",
        "Of the active material alone, for mA/g and C.",
        "active_mass: 1.70 mg",
        ("mg", "g", "ug"),
    ),
    Word(
        "theoretical_capacity",
        "file",
        "What a C is counted from, times the active mass.",
        "theoretical_capacity: 1675 mAh/g",
        ("mAh/g",),
    ),
    Word(
        "nominal_capacity",
        "file",
        "What a C is counted from; before the theoretical one.",
        "nominal_capacity: 3 mAh",
        _CAPACITIES,
    ),
    Word(
        "expected_capacity",
        "file",
        "What the cell is thought to deliver: for forecasts alone.",
        "expected_capacity: 950 mAh/g",
        _CAPACITIES,
    ),
    Word(
        "electrolyte_conductivity",
        "file",
        "Of the free electrolyte, for the MacMullin number.",
        "electrolyte_conductivity: 10 mS/cm",
        ("mS/cm", "S/m"),
    ),
    Word(
        "diffusion_length",
        "file",
        "How far an ion diffuses in the active material: a third of a particle's radius.",
        "diffusion_length: 2 um",
        ("um", "mm"),
    ),
    Word(
        "window",
        "file",
        "What the cell may never leave, whatever the protocol says.",
        "window: {voltage: 1.4 V .. 3.1 V, current: 10 mA}",
    ),
    Word("separator", "file", "Its name and thickness.", "separator: {name: PP, thickness: 25 um}"),
    Word("working_electrode", "file", "What it is made of.", "working_electrode: copper"),
    Word("counter_electrode", "file", "What it is made of.", "counter_electrode: lithium"),
    Word("electrolyte", "file", "What it is.", "electrolyte: 1 M LiTFSI in DOL:DME 1:1"),
    Word("note", "file", "Anything people should know of it.", "note: from batch 7"),
)


def protocol_words() -> Iterator[Word]:
    """Yield the words of protocol files."""
    yield from (*_FILE, *_VERBS, *_STEP, *_VARIABLE, *_LIMIT)
    for quantity, (meaning, example, units) in _QUANTITIES.items():
        yield Word(quantity.value, "quantity", meaning, example, units)
    yield Word(
        "retention",
        "quantity",
        "Capacity relative to the first of a repeat.",
        "retention < 80 %",
        ("%",),
        ("repeat",),
    )
    for name in FIGURES:
        yield Word(name, "figure", "A figure of merit.")


def cell_words() -> Iterator[Word]:
    """Yield the words of cell files."""
    yield from (*_CELL, *_LIMIT)
    for name in KNOWN:
        yield Word(name, "chemistry", "A kind of cell whose curves and stand-ins are known.")
