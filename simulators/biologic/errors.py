"""What the library answers when it refuses (EC-Lab Development Package, error codes)."""

from enum import IntEnum


class Code(IntEnum):
    """The codes this simulated instrument gives."""

    OK = 0
    CHANNEL_NOT_PLUGGED = -3
    INVALID_PARAMETERS = -4
    FUNCTION_FAILED = -6
    ECLAB_FIRMWARE = -9
    CHANNEL_RUNNING = -13
    UPDATE_PARAMETERS = -15
    NO_SUCH_RESPONSE = -103
    NO_FIRMWARE = -308
    FILE_MISSING = -400
    FILE_INCOMPATIBLE = -401


class RefusalError(Exception):
    """A call that ends with a code."""

    def __init__(self, code: Code) -> None:
        super().__init__(code.name)
        self.code = code
