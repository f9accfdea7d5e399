"""Commands that wait and tell the time, all on the script's own time line."""

from simulators.methodscript.compiler import Compiler, count
from simulators.methodscript.errors import Code, not_negative, number, positive
from simulators.methodscript.machine import Machine
from simulators.methodscript.vartypes import TIME
from simulators.methodscript.words import Word


def outside_measurement(script: Compiler, words: list[Word]) -> None:
    """Refuse what would upset the timing of a measurement loop."""
    if script.in_measurement:
        raise words[0].error(Code.INSIDE_MEASUREMENT)


def wait(script: Compiler, words: list[Word]) -> None:
    """`wait seconds`"""
    count(words, 1)
    outside_measurement(script, words)
    slot = script.operand(words[1], not_negative)

    def begin(machine: Machine) -> None:
        seconds = machine.values[slot]
        not_negative(seconds)
        number(seconds)
        machine.wait_until = machine.potentiostat.time + seconds

    script.do(begin)
    stay(script)


def stay(script: Compiler) -> None:
    """Emit the wait for `wait_until`."""
    here = script.here
    following = here + 1

    def instruction(machine: Machine) -> int:
        if machine.wait_until > machine.deadline:
            machine.target = machine.wait_until
            return ~here
        machine.potentiostat.live_until(machine.wait_until)
        return following

    script.emit(instruction)


def set_int(script: Compiler, words: list[Word]) -> None:
    """`set_int seconds`: the pace of `await_int`, from now on"""
    count(words, 1)
    slot = script.operand(words[1], positive)

    def start(machine: Machine) -> None:
        seconds = machine.values[slot]
        positive(seconds)
        number(seconds)
        machine.interval = seconds
        machine.next_turn = machine.potentiostat.time + seconds

    script.do(start)


def await_int(script: Compiler, words: list[Word]) -> None:
    """`await_int`: wait for the next whole interval; one that is past is not waited for"""
    count(words, 0)
    outside_measurement(script, words)

    def begin(machine: Machine) -> None:
        machine.wait_until = max(machine.next_turn, machine.potentiostat.time)
        machine.next_turn += machine.interval

    script.do(begin)
    stay(script)


def timer_start(script: Compiler, words: list[Word]) -> None:
    """`timer_start`"""
    count(words, 0)

    def start(machine: Machine) -> None:
        machine.timer = machine.potentiostat.time

    script.do(start)


def timer_get(script: Compiler, words: list[Word]) -> None:
    """`timer_get name`: seconds since `timer_start`"""
    count(words, 1)
    slot = script.variable(words[1])
    following = script.here + 1

    def instruction(machine: Machine) -> int:
        machine.values[slot] = machine.potentiostat.time - machine.timer
        machine.types[slot] = TIME
        return following

    script.emit(instruction)


def get_time(script: Compiler, words: list[Word]) -> None:
    """`get_time name`: seconds since the script began"""
    count(words, 1)
    slot = script.variable(words[1])

    def tell(machine: Machine) -> None:
        machine.values[slot] = machine.potentiostat.time - machine.started
        machine.types[slot] = TIME

    script.do(tell)
