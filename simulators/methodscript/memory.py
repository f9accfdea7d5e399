"""Commands that declare, store and reckon."""

import math
from collections.abc import Callable

from simulators.methodscript.compiler import Compiler, count, element
from simulators.methodscript.errors import Code, ScriptError
from simulators.methodscript.machine import Machine
from simulators.methodscript.numerals import literal
from simulators.methodscript.words import Word

LARGEST_ARRAY = 10_000

Arithmetic = Callable[[float, float], float]


def var(script: Compiler, words: list[Word]) -> None:
    """`var name`"""
    count(words, 1)
    script.declare(words[1])


def array(script: Compiler, words: list[Word]) -> None:
    """`array name size`"""
    count(words, 2)
    size = script.integer(words[2])
    if size < 1:
        raise words[2].error(Code.NOT_POSITIVE)
    if size + sum(script.arrays) > LARGEST_ARRAY:
        raise words[2].error(Code.NO_MEMORY)
    script.declare_array(words[1], size)


def string(script: Compiler, words: list[Word]) -> None:
    """`str name`"""
    count(words, 1)
    script.declare_string(words[1])


def store_var(script: Compiler, words: list[Word]) -> None:
    """`store_var name literal vartype`"""
    count(words, 3)
    slot, vartype = script.variable(words[1]), script.vartype(words[3])
    value = literal(words[2].text)
    if value is None:
        raise words[2].error(Code.VARIABLE_NOT_ALLOWED)
    following = script.here + 1

    def instruction(machine: Machine) -> int:
        machine.values[slot] = value
        machine.types[slot] = vartype
        machine.metadata[slot] = ""
        return following

    script.emit(instruction)


def copy_var(script: Compiler, words: list[Word]) -> None:
    """`copy_var source destination`"""
    count(words, 2)
    source, destination = script.operand(words[1]), script.variable(words[2])
    following = script.here + 1

    def instruction(machine: Machine) -> int:
        machine.values[destination] = machine.values[source]
        machine.types[destination] = machine.types[source]
        machine.metadata[destination] = machine.metadata[source]
        return following

    script.emit(instruction)


def alter_vartype(script: Compiler, words: list[Word]) -> None:
    """`alter_vartype name vartype`"""
    count(words, 2)
    slot, vartype = script.variable(words[1]), script.vartype(words[2])

    def alter(machine: Machine) -> None:
        machine.types[slot] = vartype

    script.do(alter)


def add_var(script: Compiler, words: list[Word]) -> None:
    """`add_var name value`"""
    count(words, 2)
    slot, value = script.variable(words[1]), script.operand(words[2])
    following = script.here + 1

    def instruction(machine: Machine) -> int:
        values = machine.values
        values[slot] += values[value]
        return following

    script.emit(instruction)


def sub_var(script: Compiler, words: list[Word]) -> None:
    """`sub_var name value`"""
    count(words, 2)
    slot, value = script.variable(words[1]), script.operand(words[2])
    following = script.here + 1

    def instruction(machine: Machine) -> int:
        values = machine.values
        values[slot] -= values[value]
        return following

    script.emit(instruction)


def mul_var(script: Compiler, words: list[Word]) -> None:
    """`mul_var name value`"""
    count(words, 2)
    slot, value = script.variable(words[1]), script.operand(words[2])
    following = script.here + 1

    def instruction(machine: Machine) -> int:
        values = machine.values
        values[slot] *= values[value]
        return following

    script.emit(instruction)


def div_var(script: Compiler, words: list[Word]) -> None:
    """`div_var name value`; integers stay integers."""
    _reckon(script, words, _divide)


def mod_var(script: Compiler, words: list[Word]) -> None:
    """`mod_var name value`; the sign is the dividend's."""
    _reckon(script, words, _remainder)


def pow_var(script: Compiler, words: list[Word]) -> None:
    """`pow_var name exponent`"""
    _reckon(script, words, math.pow)


def log_var(script: Compiler, words: list[Word]) -> None:
    """`log_var name base`"""
    _reckon(script, words, math.log)


def _reckon(script: Compiler, words: list[Word], arithmetic: Arithmetic) -> None:
    count(words, 2)
    slot, value = script.variable(words[1]), script.operand(words[2])

    def reckon(machine: Machine) -> None:
        values = machine.values
        try:
            values[slot] = arithmetic(values[slot], values[value])
        except ZeroDivisionError as error:
            raise ScriptError(Code.DIVIDE_BY_ZERO) from error
        except (ValueError, OverflowError) as error:
            raise ScriptError(Code.NOT_A_NUMBER) from error

    script.do(reckon)


def _divide(dividend: float, divisor: float) -> float:
    if isinstance(dividend, int) and isinstance(divisor, int):
        quotient = abs(dividend) // abs(divisor)
        return quotient if (dividend < 0) == (divisor < 0) else -quotient
    return dividend / divisor


def _remainder(dividend: float, divisor: float) -> float:
    if isinstance(dividend, int) and isinstance(divisor, int):
        return dividend - divisor * int(_divide(dividend, divisor))
    if divisor == 0.0:
        raise ZeroDivisionError
    return math.fmod(dividend, divisor)


def float_to_int(script: Compiler, words: list[Word]) -> None:
    """`float_to_int name`, towards zero"""
    _convert(script, words, int)


def int_to_float(script: Compiler, words: list[Word]) -> None:
    """`int_to_float name`"""
    _convert(script, words, float)


def _convert(script: Compiler, words: list[Word], conversion: Callable[[float], float]) -> None:
    count(words, 1)
    slot = script.variable(words[1])

    def convert(machine: Machine) -> None:
        try:
            machine.values[slot] = conversion(machine.values[slot])
        except (ValueError, OverflowError) as error:
            raise ScriptError(Code.NOT_A_NUMBER) from error

    script.do(convert)


def array_get(script: Compiler, words: list[Word]) -> None:
    """`array_get array index destination`"""
    count(words, 3)
    source, position = script.array(words[1]), script.operand(words[2])
    slot = script.variable(words[3])

    def get(machine: Machine) -> None:
        numbers, index = element(machine, source, position)
        machine.values[slot] = numbers[index]

    script.do(get)


def array_set(script: Compiler, words: list[Word]) -> None:
    """`array_set array index value`"""
    count(words, 3)
    target, position = script.array(words[1]), script.operand(words[2])
    value = script.operand(words[3])

    def put(machine: Machine) -> None:
        numbers, index = element(machine, target, position)
        numbers[index] = machine.values[value]

    script.do(put)
