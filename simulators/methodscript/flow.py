"""Commands that decide what comes next."""

from collections.abc import Callable

from simulators.methodscript.compiler import Block, Compiler, Condition, count, jump
from simulators.methodscript.errors import Code, ScriptError
from simulators.methodscript.machine import Instruction, Machine, OpenLoop
from simulators.methodscript.words import Word


def branch(compare: Condition, first: int, second: int, then: int, otherwise: int) -> Instruction:
    def instruction(machine: Machine) -> int:
        values = machine.values
        return then if compare(values[first], values[second]) else otherwise

    return instruction


def _test(script: Compiler, block: Block, words: list[Word]) -> None:
    compare, first, second = script.condition(words)
    then = script.here + 1
    block.otherwise = script.later(lambda otherwise: branch(compare, first, second, then, otherwise))


def begin_if(script: Compiler, words: list[Word]) -> None:
    """`if a >= b`"""
    count(words, 3)
    block = Block("if")
    script.open_block(block)
    _test(script, block, words[1:])


def elseif(script: Compiler, words: list[Word]) -> None:
    """`elseif a >= b`"""
    count(words, 3)
    _test(script, _next_branch(script), words[1:])


def begin_else(script: Compiler, words: list[Word]) -> None:
    """`else`"""
    count(words, 0)
    _next_branch(script)


def _next_branch(script: Compiler) -> Block:
    block = script.innermost("if")
    if block.otherwise is None:
        raise ScriptError(Code.SCOPE, column=1)
    block.exits.append(script.later(jump))
    script.resolve(block.otherwise, script.here)
    block.otherwise = None
    return block


def endif(script: Compiler, words: list[Word]) -> None:
    """`endif`"""
    count(words, 0)
    block = script.innermost("if")
    if block.otherwise is not None:
        script.resolve(block.otherwise, script.here)
    _close(script, block)


def _close(script: Compiler, block: Block) -> None:
    for patch in block.exits:
        script.resolve(patch, script.here)
    script.blocks.pop()


def loop(script: Compiler, words: list[Word]) -> None:
    """`loop a < b`"""
    count(words, 3)
    block = Block("loop")
    script.open_block(block)
    block.exits.append(script.later(enter(script.here + 1)))
    block.head = script.here
    _test(script, block, words[1:])


def enter(head: int) -> Callable[[int], Instruction]:
    """Return what begins a plain loop once its end is known."""

    def make(end: int) -> Instruction:
        opened = OpenLoop(end, "+")

        def instruction(machine: Machine) -> int:
            machine.open.append(opened)
            machine.say("L\n")
            return head

        return instruction

    return make


def breakloop(script: Compiler, words: list[Word]) -> None:
    """`breakloop`: leave the innermost loop, be it a measurement loop"""
    count(words, 0)
    for block in reversed(script.blocks):
        if block.kind != "if":
            block.exits.append(script.later(jump))
            return
    raise words[0].error(Code.SCOPE)


def endloop(script: Compiler, words: list[Word]) -> None:
    """`endloop`"""
    count(words, 0)
    block = script.innermost("loop", "measurement")
    if block.kind == "loop":
        script.emit(_turn(script.here, block.head))
    else:
        script.emit(jump(block.head))
    if block.otherwise is not None:
        script.resolve(block.otherwise, script.here)
    _close(script, block)
    script.do(Machine.leave)


def _turn(here: int, head: int) -> Instruction:
    def instruction(machine: Machine) -> int:
        if machine.turns <= 0:
            machine.target = machine.potentiostat.time
            return ~here
        machine.turns -= 1
        return head

    return instruction


def abort(script: Compiler, words: list[Word]) -> None:
    """`abort`: go to the clean-up block"""
    count(words, 0)
    script.emit(Machine.abort)


def on_finished(script: Compiler, words: list[Word]) -> None:
    """`on_finished:`: the rest runs whenever and however the script ends"""
    count(words, 0)
    if script.blocks or script.clean_up is not None:
        raise words[0].error(Code.SCOPE)
    script.clean_up = script.here
    script.do(Machine.clean_up)
