"""Commands that measure point by point: every `meas_loop_…`."""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf

from simulators.methodscript.compiler import Block, Check, Compiler, count
from simulators.methodscript.errors import Code, ScriptError, number, positive, whole
from simulators.methodscript.machine import Instruction, Machine, Measurement, OpenLoop
from simulators.methodscript.order import Extra, Order
from simulators.methodscript.spectrum import GalvanostaticSpectrum, PotentiostaticSpectrum
from simulators.methodscript.staircase import CyclicVoltammetry, LinearCurrentSweep, LinearSweep
from simulators.methodscript.steady import Chronoamperometry, Chronopotentiometry, OpenCircuit
from simulators.methodscript.words import Word

UNSUPPORTED_OPTIONS = ("eis_tdd", "eis_opt", "eis_acdc", "poly_we", "meta_msk")


@dataclass(frozen=True, slots=True)
class Form:
    """The arguments of one loop: how many variables, then a check for each number."""

    outputs: int
    checks: tuple[Check, ...]
    begin: Callable[[Machine, Order], Measurement]
    scans: bool = False


FORMS = {
    "meas_loop_ocp": Form(1, (positive, positive), OpenCircuit),
    "meas_loop_ca": Form(2, (number, positive, positive), Chronoamperometry),
    "meas_loop_cp": Form(2, (number, positive, positive), Chronopotentiometry),
    "meas_loop_lsv": Form(2, (number, number, positive, positive), LinearSweep),
    "meas_loop_lsp": Form(2, (number, number, positive, positive), LinearCurrentSweep),
    "meas_loop_cv": Form(2, (number, number, number, positive, positive), CyclicVoltammetry, scans=True),
    "meas_loop_eis": Form(3, (positive, positive, positive, whole, number), PotentiostaticSpectrum),
    "meas_loop_geis": Form(3, (positive, positive, positive, whole, number), GalvanostaticSpectrum),
}


def measurement_loop(script: Compiler, words: list[Word]) -> None:
    """`meas_loop_… outputs arguments [optional(…) …]`"""
    form = FORMS[words[0].text]
    if script.in_measurement:
        raise words[0].error(Code.NESTED_MEASUREMENT)
    options = [word for word in words if word.option()]
    words = [word for word in words if word not in options]
    count(words, form.outputs + len(form.checks))
    outputs = tuple(script.variable(word) for word in words[1 : form.outputs + 1])
    arguments = tuple(
        script.operand(word, check)
        for word, check in zip(words[form.outputs + 1 :], form.checks, strict=True)
    )
    extras, scans = _options(script, form, options)
    block = Block("measurement")
    script.open_block(block)
    order = Order(outputs, (), extras, scans)
    block.exits.append(script.later(_begin(form, arguments, order, script.here + 1)))
    block.head = script.here
    block.exits.append(script.later(_point(script.here)))


def _options(script: Compiler, form: Form, words: list[Word]) -> tuple[tuple[Extra, ...], int]:
    extras: list[Extra] = []
    scans = 1
    for word in words:
        match word.option():
            case "nscans", [number_of] if form.scans:
                scans = script.integer(number_of)
                if scans < 1:
                    raise number_of.error(Code.NOT_POSITIVE)
            case "add_meas", [flags, vartype, name]:
                script.integer(flags)
                extras.append(Extra(_measurable(script, vartype), script.variable(name)))
            case name, _ if name in UNSUPPORTED_OPTIONS:
                raise word.error(Code.NOT_SUPPORTED)
            case _:
                raise word.error(Code.OPTION)
    return tuple(extras), scans


def _measurable(script: Compiler, word: Word) -> str:
    vartype = script.vartype(word)
    if vartype not in ("ab", "ba", "da", "db", "ed"):
        raise word.error(Code.VARTYPE_UNSUPPORTED)
    return vartype


def _begin(form: Form, arguments: tuple[int, ...], order: Order, head: int) -> Callable[[int], Instruction]:
    """Return what starts the loop once its end is known."""

    def make(end: int) -> Instruction:
        def instruction(machine: Machine) -> int:
            values = tuple(machine.values[slot] for slot in arguments)
            for check, value in zip(form.checks, values, strict=True):
                check(value)
                number(value)
            measurement = form.begin(machine, Order(order.outputs, values, order.extras, order.scans))
            machine.measurement = measurement
            machine.open.append(OpenLoop(end, "*"))
            machine.say(f"{measurement.technique}\n")
            return head

        return instruction

    return make


def _point(here: int) -> Callable[[int], Instruction]:
    """Return what takes the next point, or waits for it, or ends the loop."""
    body = here + 1

    def make(end: int) -> Instruction:
        def instruction(machine: Machine) -> int:
            measurement = machine.measurement
            if measurement is None:
                raise ScriptError(Code.SCOPE)
            due = measurement.due
            if due > machine.deadline or machine.turns <= 0:
                if due == inf:
                    return end
                machine.target = due
                return ~here
            machine.turns -= 1
            measurement.take(machine)
            return body

        return instruction

    return make
