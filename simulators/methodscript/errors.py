"""What a script or a command did wrong, in the instrument's own codes."""

from enum import IntEnum


class Code(IntEnum):
    """Error codes as they go over the wire, four hexadecimal digits."""

    VARTYPE = 0x0002
    UNKNOWN_COMMUNICATION = 0x0003
    UNKNOWN_REGISTER = 0x0004
    MODE_INVALID = 0x0006
    BAD_ARGUMENT = 0x0007
    COMMAND_TOO_LONG = 0x0008
    NO_MEMORY = 0x000B
    NO_SCRIPT = 0x000C
    POTENTIAL = 0x000F
    NOT_A_NUMBER = 0x0010
    FREQUENCY = 0x0011
    AMPLITUDE = 0x0012
    OPEN_CIRCUIT_WITH_CELL_ON = 0x0014
    NOT_SUPPORTED = 0x001B
    STEP_TOO_SMALL = 0x001C
    UNKNOWN_MODE = 0x0021
    WRONG_MODE = 0x0023
    DIVIDE_BY_ZERO = 0x0028
    NO_CHANNEL = 0x002F
    UNKNOWN_COMMAND = 0x4001
    UNEXPECTED_CHARACTER = 0x4004
    SCRIPT_TOO_LARGE = 0x4005
    OPTION = 0x4008
    NESTED_MEASUREMENT = 0x400B
    TOO_DEEP = 0x400D
    SCOPE = 0x400E
    ARRAY_INDEX = 0x400F
    ENDED_EARLY = 0x4018
    INSIDE_MEASUREMENT = 0x401A
    PACKAGE_SEQUENCE = 0x401B
    PACKAGE_TOO_LONG = 0x401C
    NAME_TAKEN = 0x4026
    NEEDS_CELL_ON = 0x4027
    NO_STEP = 0x4029
    BAD_NAME = 0x402B
    POTENTIAL_IN_MEASUREMENT = 0x4032
    CURRENT_IN_MEASUREMENT = 0x4033
    NEGATIVE = 0x4200
    NOT_POSITIVE = 0x4204
    OUT_OF_BOUNDS = 0x4205
    DATATYPE = 0x4207
    VARTYPE_UNSUPPORTED = 0x4209
    TOO_MANY_ARGUMENTS = 0x420A
    UNDECLARED = 0x420B
    VARIABLE_NOT_ALLOWED = 0x420C
    LITERAL_NOT_ALLOWED = 0x420D
    ARRAY_NOT_ALLOWED = 0x420E


class ScriptError(Exception):
    """The script stops here. `line` and `column` count from 1 and are added where they are known."""

    def __init__(self, code: Code, line: int | None = None, column: int | None = None) -> None:
        super().__init__(f"{code:04X} {code.name.lower()}")
        self.code = code
        self.line = line
        self.column = column

    def reply(self, echo: str = "") -> str:
        """Return the error line: `!401B: Line 3`, `e!4001: Line 2, Col 1`."""
        text = f"{echo}!{self.code:04X}"
        if self.line is not None:
            text += f": Line {self.line}"
            if self.column is not None:
                text += f", Col {self.column}"
        return text + "\n"


def positive(value: float) -> None:
    if not value > 0:
        raise ScriptError(Code.NOT_POSITIVE)


def not_negative(value: float) -> None:
    if not value >= 0:
        raise ScriptError(Code.NEGATIVE)


def number(value: float) -> None:
    if not abs(value) < float("inf"):
        raise ScriptError(Code.NOT_A_NUMBER)


def whole(value: float) -> None:
    if not isinstance(value, int):
        raise ScriptError(Code.DATATYPE)
    positive(value)
