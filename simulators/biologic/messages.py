"""What the simulated library and the simulated instrument say to each other, on loopback.

It stands for the maker's own protocol, which is not public. Little endian:

    question  u32 length, u32 checksum | u8 function, i8 channel, arguments
    answer    u32 length, u32 checksum | i32 error code, results

`length` counts what follows the bar, and the checksum (Adler-32) is of that. Structures travel as
they lie in memory. `TOOK_DATA` has no answer: it says that the last rows have arrived, so that rows
whose answer was lost are sent again.
"""

import struct
from enum import IntEnum
from typing import NamedTuple
from zlib import adler32

HEADER = struct.Struct("<II")
QUESTION = struct.Struct("<Bb")
CODE = struct.Struct("<i")

LONGEST = 65_536
"""Bytes after the header; the largest technique has a few hundred parameters of 76 bytes."""


class Function(IntEnum):
    """Which export is asked for."""

    CONNECT = 1
    DISCONNECT = 2
    TEST_CONNECTION = 3
    CHANNELS_PLUGGED = 4
    LOAD_FIRMWARE = 5
    CHANNEL_INFOS = 6
    BOARD_TYPE = 7
    GET_HARD_CONF = 8
    SET_HARD_CONF = 9
    OPTION_ERROR = 10
    MESSAGE = 11
    LOAD_TECHNIQUE = 12
    UPDATE_PARAMETERS = 13
    TECHNIQUE_INFOS = 14
    START = 15
    STOP = 16
    CURRENT_VALUES = 17
    GET_DATA = 18
    TOOK_DATA = 19
    TEST_SPEED = 20


class Question(NamedTuple):
    """One call: the function's number, the channel (from 0, or -1), and the arguments as bytes."""

    function: int
    channel: int
    arguments: bytes


class MessageError(Exception):
    """What came is no message; the connection is of no use any more."""


class Messages:
    """Cuts questions out of a stream of bytes."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[Question]:
        """Return every question that is complete. Raises `MessageError`."""
        self._rest += data
        found: list[Question] = []
        while (body := self._next()) is not None:
            function, channel = QUESTION.unpack_from(body)
            found.append(Question(function, channel, body[QUESTION.size :]))
        return found

    def _next(self) -> bytes | None:
        if len(self._rest) < HEADER.size:
            return None
        length, checksum = HEADER.unpack_from(self._rest)
        if not QUESTION.size <= length <= LONGEST:
            raise MessageError(f"a length of {length} seen, wanted {QUESTION.size} to {LONGEST}")
        if len(self._rest) < HEADER.size + length:
            return None
        body = self._rest[HEADER.size : HEADER.size + length]
        if adler32(body) != checksum:
            raise MessageError("the checksum is wrong")
        self._rest = self._rest[HEADER.size + length :]
        return body


def framed(body: bytes) -> bytes:
    """Return what goes on the wire for a message."""
    return HEADER.pack(len(body), adler32(body)) + body


def answer(code: int, results: bytes = b"") -> bytes:
    """Return the answer to a question as it goes on the wire."""
    return framed(CODE.pack(code) + results)
