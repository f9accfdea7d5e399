"""The loader's desk: where instructions, names and open blocks lie while a script is read."""

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from simulators.methodscript.errors import Code, ScriptError
from simulators.methodscript.machine import Instruction, Machine
from simulators.methodscript.numerals import literal
from simulators.methodscript.vartypes import VARTYPES
from simulators.methodscript.words import Word

DEEPEST = 32

Check = Callable[[float], None]
Condition = Callable[[float, float], bool]


def _both(first: float, second: float) -> bool:
    return bool(_integer(first) & _integer(second))


def _either(first: float, second: float) -> bool:
    return bool(_integer(first) | _integer(second))


def _integer(value: float) -> int:
    if not isinstance(value, int):
        raise ScriptError(Code.DATATYPE)
    return value


RELATIONS: dict[str, Condition] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "&": _both,
    "|": _either,
}

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_ELEMENT = re.compile(r"([a-z][a-z0-9_]*)\[([^\[\]]+)\]")


@dataclass(slots=True)
class Patch:
    """An instruction that jumps to a place not yet known."""

    index: int
    make: Callable[[int], Instruction]


@dataclass(slots=True)
class Block:
    """An `if`, `loop` or measurement loop that is still open."""

    kind: str
    head: int = 0
    exits: list[Patch] = field(default_factory=list)
    otherwise: Patch | None = None


class Compiler:
    """Collects one program. Errors carry a column; whoever reads the lines adds the line."""

    def __init__(self) -> None:
        self.code: list[Instruction] = []
        self.lines: list[int] = []
        self.line = 1
        self.values: list[float] = []
        self.arrays: list[int] = []
        self.blocks: list[Block] = []
        self.clean_up: int | None = None
        self._variables: dict[str, int] = {}
        self._arrays: dict[str, int] = {}
        self._strings: set[str] = set()
        self._literals: dict[tuple[bool, float], int] = {}

    @property
    def here(self) -> int:
        """The index the next instruction will get."""
        return len(self.code)

    def emit(self, instruction: Instruction) -> None:
        self.code.append(instruction)
        self.lines.append(self.line)

    def do(self, action: Callable[[Machine], None]) -> None:
        """Emit an instruction that acts and goes on with the next one."""
        following = self.here + 1

        def instruction(machine: Machine) -> int:
            action(machine)
            return following

        self.emit(instruction)

    def later(self, make: Callable[[int], Instruction]) -> Patch:
        """Reserve an instruction whose jump is set by `resolve`."""
        patch = Patch(self.here, make)
        self.emit(jump(self.here))
        return patch

    def resolve(self, patch: Patch, target: int) -> None:
        self.code[patch.index] = patch.make(target)

    def open_block(self, block: Block) -> None:
        if len(self.blocks) >= DEEPEST:
            raise ScriptError(Code.TOO_DEEP, column=1)
        self.blocks.append(block)

    def innermost(self, *kinds: str) -> Block:
        """Return the block last opened, which must be one of `kinds`."""
        if not self.blocks or self.blocks[-1].kind not in kinds:
            raise ScriptError(Code.SCOPE, column=1)
        return self.blocks[-1]

    @property
    def in_measurement(self) -> bool:
        return any(block.kind == "measurement" for block in self.blocks)

    def declare(self, name: Word) -> int:
        """Return the slot of a new variable."""
        slot = self.slot(0.0)
        self._new_name(name)
        self._variables[name.text] = slot
        return slot

    def declare_array(self, name: Word, size: int) -> None:
        self._new_name(name)
        self._arrays[name.text] = len(self.arrays)
        self.arrays.append(size)

    def declare_string(self, name: Word) -> None:
        self._new_name(name)
        self._strings.add(name.text)

    def _new_name(self, name: Word) -> None:
        if not _NAME.fullmatch(name.text):
            raise name.error(Code.BAD_NAME)
        if name.text in self._variables or name.text in self._arrays or name.text in self._strings:
            raise name.error(Code.NAME_TAKEN)

    def slot(self, value: float) -> int:
        """Return a new place in memory that starts as `value`."""
        self.values.append(value)
        return len(self.values) - 1

    def constant(self, value: float) -> int:
        """Return the place of a literal; equal ones share it."""
        key = (isinstance(value, int), value)
        if key not in self._literals:
            self._literals[key] = self.slot(value)
        return self._literals[key]

    def variable(self, word: Word) -> int:
        """Return the slot of a declared variable."""
        if word.text in self._variables:
            return self._variables[word.text]
        if literal(word.text) is not None:
            raise word.error(Code.LITERAL_NOT_ALLOWED)
        if word.text in self._arrays or _ELEMENT.fullmatch(word.text):
            raise word.error(Code.ARRAY_NOT_ALLOWED)
        raise word.error(Code.UNDECLARED)

    def array(self, word: Word) -> int:
        if word.text not in self._arrays:
            raise word.error(Code.UNDECLARED)
        return self._arrays[word.text]

    def is_string(self, word: Word) -> bool:
        return word.text in self._strings

    def operand(self, word: Word, check: Check | None = None) -> int:
        """Return the slot of a variable, a literal, or an element that is fetched here.

        A literal is checked now; a variable has to be checked when it is used.
        """
        value = literal(word.text)
        if value is not None:
            return self._checked(word, value, check)
        if found := _ELEMENT.fullmatch(word.text):
            return self._fetched(word, found[1], found[2])
        return self.variable(word)

    def _checked(self, word: Word, value: float, check: Check | None) -> int:
        try:
            if check is not None:
                check(value)
        except ScriptError as error:
            raise word.error(error.code) from error
        return self.constant(value)

    def _fetched(self, word: Word, name: str, index: str) -> int:
        slot = self.slot(0.0)
        array = self.array(Word(name, word.column))
        position = self.operand(Word(index, word.column + len(name) + 1))
        self.do(lambda machine: fetch(machine, array, position, slot))
        return slot

    def integer(self, word: Word) -> int:
        """Return a whole literal; `3` will do for `3i`."""
        value = literal(word.text)
        if value is None:
            raise word.error(Code.VARIABLE_NOT_ALLOWED)
        if value != int(value):
            raise word.error(Code.DATATYPE)
        return int(value)

    def vartype(self, word: Word) -> str:
        if word.text not in VARTYPES:
            raise word.error(Code.VARTYPE)
        return word.text

    def condition(self, words: list[Word]) -> tuple[Condition, int, int]:
        """Return a comparison and the slots it looks at."""
        if words[1].text not in RELATIONS:
            raise words[1].error(Code.BAD_ARGUMENT)
        return RELATIONS[words[1].text], self.operand(words[0]), self.operand(words[2])


def jump(target: int) -> Instruction:
    return lambda machine: target


def element(machine: Machine, array: int, position: int) -> tuple[list[float], int]:
    """Return an array and a valid index into it."""
    numbers = machine.arrays[array]
    index = _integer(machine.values[position])
    if not 0 <= index < len(numbers):
        raise ScriptError(Code.ARRAY_INDEX)
    return numbers, index


def fetch(machine: Machine, array: int, position: int, slot: int) -> None:
    numbers, index = element(machine, array, position)
    machine.values[slot] = numbers[index]


def count(words: list[Word], least: int, most: int | None = None) -> None:
    """Refuse a statement with too few or too many arguments; the first word is the command."""
    most = least if most is None else most
    if len(words) - 1 < least:
        end = words[-1].column + len(words[-1].text)
        raise ScriptError(Code.BAD_ARGUMENT, column=end)
    if len(words) - 1 > most:
        raise words[most + 1].error(Code.TOO_MANY_ARGUMENTS)
