"""The loader: script text in, program out."""

from collections.abc import Callable

from simulators.methodscript import flow, memory, settings, speech, timing
from simulators.methodscript.compiler import Compiler
from simulators.methodscript.errors import Code, ScriptError
from simulators.methodscript.machine import Machine, Program
from simulators.methodscript.measurement_loops import FORMS, measurement_loop
from simulators.methodscript.words import Word, split

COMMANDS: dict[str, Callable[[Compiler, list[Word]], None]] = {
    "var": memory.var,
    "array": memory.array,
    "str": memory.string,
    "store_var": memory.store_var,
    "copy_var": memory.copy_var,
    "alter_vartype": memory.alter_vartype,
    "add_var": memory.add_var,
    "sub_var": memory.sub_var,
    "mul_var": memory.mul_var,
    "div_var": memory.div_var,
    "mod_var": memory.mod_var,
    "pow_var": memory.pow_var,
    "log_var": memory.log_var,
    "float_to_int": memory.float_to_int,
    "int_to_float": memory.int_to_float,
    "array_get": memory.array_get,
    "array_set": memory.array_set,
    "if": flow.begin_if,
    "elseif": flow.elseif,
    "else": flow.begin_else,
    "endif": flow.endif,
    "loop": flow.loop,
    "endloop": flow.endloop,
    "breakloop": flow.breakloop,
    "abort": flow.abort,
    "on_finished:": flow.on_finished,
    "wait": timing.wait,
    "set_int": timing.set_int,
    "await_int": timing.await_int,
    "timer_start": timing.timer_start,
    "timer_get": timing.timer_get,
    "get_time": timing.get_time,
    "pck_start": speech.pck_start,
    "pck_add": speech.pck_add,
    "pck_end": speech.pck_end,
    "send_string": speech.send_string,
    "set_script_output": speech.set_script_output,
    "set_pgstat_chan": settings.set_pgstat_chan,
    "set_pgstat_mode": settings.set_pgstat_mode,
    "set_max_bandwidth": settings.set_max_bandwidth,
    "set_range": settings.set_range,
    "set_range_minmax": settings.set_range_minmax,
    "set_autoranging": settings.set_autoranging,
    "set_e": settings.set_e,
    "set_i": settings.set_i,
    "cell_on": settings.cell_on,
    "cell_off": settings.cell_off,
    "meas": settings.meas,
    **dict.fromkeys(FORMS, measurement_loop),
}


def load(lines: list[str]) -> Program:
    """Return the program a script's lines are. Raises `ScriptError` with line and column."""
    script = Compiler()
    for number, line in enumerate(lines, start=1):
        script.line = number
        try:
            _read(script, split(line))
        except ScriptError as error:
            raise ScriptError(error.code, number, error.column or 1) from error
    if script.blocks:
        raise ScriptError(Code.ENDED_EARLY, len(lines), len(lines[-1]) + 1)
    return _finished(script)


def _read(script: Compiler, words: list[Word]) -> None:
    if not words:
        return
    command = COMMANDS.get(words[0].text)
    if command is None:
        raise words[0].error(Code.UNKNOWN_COMMAND)
    command(script, words)


def _finished(script: Compiler) -> Program:
    end = script.here
    script.do(Machine.end)
    script.emit(lambda machine: ~end)
    return Program(
        code=tuple(script.code),
        lines=tuple(script.lines),
        values=tuple(script.values),
        arrays=tuple(script.arrays),
        clean_up=end if script.clean_up is None else script.clean_up,
        end=end,
    )
