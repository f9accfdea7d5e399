"""Commands that set the instrument up and switch the cell."""

from collections.abc import Callable

from simulators.methodscript.compiler import Check, Compiler, count
from simulators.methodscript.errors import Code, ScriptError, not_negative, number, positive
from simulators.methodscript.machine import Machine
from simulators.methodscript.ranges import Ranges
from simulators.methodscript.timing import outside_measurement, stay
from simulators.methodscript.vartypes import APPLIED_CURRENT, APPLIED_POTENTIAL, CURRENT, POTENTIAL
from simulators.methodscript.words import Word


def _with_value(script: Compiler, word: Word, check: Check, use: Callable[[Machine, float], None]) -> None:
    """Emit `use` of a number that passes `check`, now if it is a literal and when it runs in any case."""
    slot = script.operand(word, check)

    def act(machine: Machine) -> None:
        value = machine.values[slot]
        check(value)
        use(machine, value)

    script.do(act)


def set_pgstat_chan(script: Compiler, words: list[Word]) -> None:
    """`set_pgstat_chan 0`: there is one channel"""
    count(words, 1)
    outside_measurement(script, words)
    if script.integer(words[1]) != 0:
        raise words[1].error(Code.NO_CHANNEL)


def set_pgstat_mode(script: Compiler, words: list[Word]) -> None:
    """`set_pgstat_mode mode`: 0 off, 2 to 4 potentiostat, 6 galvanostat"""
    count(words, 1)
    outside_measurement(script, words)
    mode = script.integer(words[1])
    script.do(lambda machine: machine.potentiostat.set_mode(mode))


def set_max_bandwidth(script: Compiler, words: list[Word]) -> None:
    """`set_max_bandwidth hertz`: taken, without effect on a simulated cell"""
    count(words, 1)
    _with_value(script, words[1], positive, lambda machine, hertz: None)


def set_range(script: Compiler, words: list[Word]) -> None:
    """`set_range vartype largest`"""
    count(words, 2)
    vartype = script.vartype(words[1])
    _supported(words[1], vartype)

    _with_value(script, words[2], not_negative, lambda machine, largest: _fix(machine, vartype, largest))


def set_range_minmax(script: Compiler, words: list[Word]) -> None:
    """`set_range_minmax vartype lowest highest`: both must be within reach"""
    count(words, 3)
    vartype = script.vartype(words[1])
    _supported(words[1], vartype)
    lowest, highest = script.operand(words[2], number), script.operand(words[3], number)

    def fix(machine: Machine) -> None:
        ends = machine.values[lowest], machine.values[highest]
        largest = max(map(abs, ends))
        if ends[0] > ends[1]:
            raise ScriptError(Code.OUT_OF_BOUNDS)
        _fix(machine, vartype, largest)

    script.do(fix)


def _fix(machine: Machine, vartype: str, largest: float) -> None:
    """Set the range for values up to `largest`.

    Volts beyond the coarsest range are of the cell; an alternating potential on top of them is
    measured in a range of its own.
    """
    ranges = _ranges(machine, vartype)
    if ranges is None:
        machine.potentiostat.check_potential(largest)
    elif vartype == POTENTIAL:
        ranges.fix_or_free(largest)
    else:
        ranges.fix(largest)


def set_autoranging(script: Compiler, words: list[Word]) -> None:
    """`set_autoranging vartype smallest largest`"""
    count(words, 3)
    vartype = script.vartype(words[1])
    _supported(words[1], vartype)
    smallest, largest = script.operand(words[2], not_negative), script.operand(words[3], not_negative)

    def span(machine: Machine) -> None:
        ranges = _ranges(machine, vartype)
        if ranges is None:
            machine.potentiostat.check_potential(machine.values[largest])
        else:
            ranges.span(machine.values[smallest], machine.values[largest])

    script.do(span)


def _supported(word: Word, vartype: str) -> None:
    if vartype not in (POTENTIAL, CURRENT, APPLIED_POTENTIAL, APPLIED_CURRENT):
        raise word.error(Code.VARTYPE_UNSUPPORTED)


def _ranges(machine: Machine, vartype: str) -> Ranges | None:
    """Return the ranges of a vartype; an applied potential has none, only limits."""
    potentiostat = machine.potentiostat
    return {
        POTENTIAL: potentiostat.potentials,
        CURRENT: potentiostat.currents,
        APPLIED_CURRENT: potentiostat.applied_currents,
    }.get(vartype)


def set_e(script: Compiler, words: list[Word]) -> None:
    """`set_e volt`"""
    count(words, 1)
    if script.in_measurement:
        raise words[0].error(Code.POTENTIAL_IN_MEASUREMENT)
    _with_value(script, words[1], number, lambda machine, volts: machine.potentiostat.hold(volts))


def set_i(script: Compiler, words: list[Word]) -> None:
    """`set_i ampere`"""
    count(words, 1)
    if script.in_measurement:
        raise words[0].error(Code.CURRENT_IN_MEASUREMENT)
    _with_value(script, words[1], number, lambda machine, amperes: machine.potentiostat.drive(amperes))


def cell_on(script: Compiler, words: list[Word]) -> None:
    """`cell_on`, or `cell_on ocp(name)`: connect at the open-circuit potential and note it"""
    count(words, 0, 1)
    outside_measurement(script, words)
    if len(words) == 1:
        script.do(lambda machine: machine.potentiostat.connect())
        return
    option = words[1].option()
    if option is None or option[0] != "ocp":
        raise words[1].error(Code.OPTION)
    if len(option[1]) != 1:
        raise words[1].error(Code.BAD_ARGUMENT)
    slot = script.variable(option[1][0])

    def connect(machine: Machine) -> None:
        machine.values[slot] = machine.potentiostat.connect_at_rest()
        machine.types[slot] = POTENTIAL

    script.do(connect)


def cell_off(script: Compiler, words: list[Word]) -> None:
    """`cell_off`"""
    count(words, 0)
    outside_measurement(script, words)
    script.do(lambda machine: machine.potentiostat.disconnect())


def meas(script: Compiler, words: list[Word]) -> None:
    """`meas seconds name vartype`: one measurement at the end of that time"""
    count(words, 3)
    outside_measurement(script, words)
    seconds = script.operand(words[1], positive)
    slot, vartype = script.variable(words[2]), script.vartype(words[3])

    def begin(machine: Machine) -> None:
        positive(machine.values[seconds])
        number(machine.values[seconds])
        machine.wait_until = machine.potentiostat.time + machine.values[seconds]

    def read(machine: Machine) -> None:
        machine.values[slot], machine.metadata[slot] = machine.potentiostat.read(vartype)
        machine.types[slot] = vartype

    script.do(begin)
    stay(script)
    script.do(read)
