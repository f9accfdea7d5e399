"""Commands that send something to the host."""

import re
from collections.abc import Callable

from simulators.methodscript.compiler import Compiler, count
from simulators.methodscript.errors import Code, ScriptError
from simulators.methodscript.machine import Machine
from simulators.methodscript.numerals import encode
from simulators.methodscript.words import Word

LONGEST_LINE = 1000
"""Characters in one package line."""

_PLACE = re.compile(r"\{([^{}]*)\}")


def pck_start(script: Compiler, words: list[Word]) -> None:
    """`pck_start`"""
    count(words, 0)
    following = script.here + 1

    def instruction(machine: Machine) -> int:
        if machine.package is not None:
            raise ScriptError(Code.PACKAGE_SEQUENCE)
        machine.package = []
        return following

    script.emit(instruction)


def pck_add(script: Compiler, words: list[Word]) -> None:
    """`pck_add name`"""
    count(words, 1)
    slot = script.operand(words[1])
    following = script.here + 1

    def instruction(machine: Machine) -> int:
        if machine.package is None:
            raise ScriptError(Code.PACKAGE_SEQUENCE)
        value = encode(machine.values[slot])
        machine.package.append(machine.types[slot] + value + machine.metadata[slot])
        return following

    script.emit(instruction)


def pck_end(script: Compiler, words: list[Word]) -> None:
    """`pck_end`"""
    count(words, 0)
    following = script.here + 1

    def instruction(machine: Machine) -> int:
        if machine.package is None:
            raise ScriptError(Code.PACKAGE_SEQUENCE)
        line = "P" + ";".join(machine.package) + "\n"
        machine.package = None
        if len(line) > LONGEST_LINE:
            raise ScriptError(Code.PACKAGE_TOO_LONG)
        if machine.sends:
            machine.say(line)
        return following

    script.emit(instruction)


def set_script_output(script: Compiler, words: list[Word]) -> None:
    """`set_script_output 0` silences packages and texts, `1` lets them be heard; there is no file"""
    count(words, 1)
    setting = script.integer(words[1])
    if setting in (2, 3):
        raise words[1].error(Code.NOT_SUPPORTED)
    if setting not in (0, 1):
        raise words[1].error(Code.OUT_OF_BOUNDS)

    def set_output(machine: Machine) -> None:
        machine.sends = setting == 1

    script.do(set_output)


def send_string(script: Compiler, words: list[Word]) -> None:
    """`send_string "text"`, or with values in it: `send_string f"E = {e}"`"""
    count(words, 1)
    text = _text(script, words[1])

    def send(machine: Machine) -> None:
        if machine.sends:
            machine.say(f"T{text(machine)}\n")

    script.do(send)


def _text(script: Compiler, word: Word) -> Callable[[Machine], str]:
    if word.text.startswith('"'):
        return lambda machine: word.text[1:-1]
    if word.text.startswith('f"'):
        return _formatted(script, word)
    if script.is_string(word):
        return lambda machine: ""
    raise word.error(Code.DATATYPE)


def _formatted(script: Compiler, word: Word) -> Callable[[Machine], str]:
    body = word.text[2:-1]
    slots = [
        script.operand(Word(place[1].strip(), word.column + 2 + place.start(1)))
        for place in _PLACE.finditer(body)
    ]
    between = _PLACE.sub("\0", body).split("\0")

    def text(machine: Machine) -> str:
        values = [f"{machine.values[slot]:.7g}" for slot in slots]
        return between[0] + "".join(value + piece for value, piece in zip(values, between[1:], strict=True))

    return text
