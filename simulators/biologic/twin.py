"""The simulated EClib where there is no compiler: Python functions behind C function pointers.

A host that sets its own argument types and passes its own structures goes through the same
marshalling as with the C shim, which says the same on the wire.
"""

import ctypes
import socket
import struct
from collections.abc import Callable
from ctypes import POINTER, c_bool, c_char_p, c_float, c_int8, c_int32, c_uint8, c_uint32, c_void_p
from types import SimpleNamespace
from typing import Any
from zlib import adler32

from simulators.biologic.errors import Code
from simulators.biologic.messages import CODE, HEADER, LONGEST, QUESTION, Function, framed

NOT_CONNECTED, RESPONSE_ERROR = -1, -104
COMMUNICATION_FAILED, CONNECTION_FAILED, INVALID_ADDRESS = -200, -201, -203

CHANNELS = 16

PARAMETER_SIZE = 76
PARAMETER = struct.Struct("<64siIi")

ROW_INFOS, CURRENT_VALUES = 40, 76


class EccParams(ctypes.Structure):
    """TEccParams, which is passed by value."""

    _pack_ = 4
    _fields_ = [("len", c_int32), ("parameters", c_void_p)]


class LibraryError(Exception):
    """A call that ends with a code of the library's own, or of the instrument's."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Wire:
    """One connection to the simulated instrument."""

    def __init__(self, address: str, seconds: int) -> None:
        host, colon, port = address.rpartition(":")
        if not colon or not host or not port.isdigit():
            raise LibraryError(INVALID_ADDRESS)
        try:
            self._socket = socket.create_connection((host, int(port)), timeout=seconds or 5)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError:
            raise LibraryError(CONNECTION_FAILED) from None
        self.held = ctypes.create_string_buffer(LONGEST)

    def tell(self, function: Function, channel: int) -> None:
        """Say something that has no answer. Raises `LibraryError`."""
        try:
            self._socket.sendall(framed(QUESTION.pack(function, channel)))
        except OSError:
            raise LibraryError(COMMUNICATION_FAILED) from None

    def ask(self, function: Function, channel: int, arguments: bytes) -> bytes:
        """Return the results of a call. Raises `LibraryError`."""
        body = QUESTION.pack(function, channel) + arguments
        if len(body) > LONGEST:
            raise LibraryError(Code.INVALID_PARAMETERS)
        try:
            self._socket.sendall(framed(body))
            length, checksum = HEADER.unpack(self._received(HEADER.size))
            said = self._received(length) if CODE.size <= length <= LONGEST else b""
        except OSError:
            raise LibraryError(COMMUNICATION_FAILED) from None
        if not said or adler32(said) != checksum:
            raise LibraryError(COMMUNICATION_FAILED)
        (code,) = CODE.unpack_from(said)
        if code != Code.OK:
            raise LibraryError(code)
        return said[CODE.size :]

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def _received(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            piece = self._socket.recv(size - len(data))
            if not piece:
                raise ConnectionError("the instrument hung up")
            data += piece
        return data


class Twin:
    """What the exports do; each returns nothing or raises `LibraryError`."""

    def __init__(self) -> None:
        self._wires: dict[int, Wire] = {}

    def connect(self, address: bytes, seconds: int, number: Any, infos: int) -> None:
        """`BL_Connect`."""
        wire = Wire(address.decode("latin-1"), seconds)
        place = next(place for place in range(len(self._wires) + 1) if place not in self._wires)
        self._wires[place] = wire
        try:
            self._fill(infos, self._ask(place, Function.CONNECT, -1), 44)
        except LibraryError:
            self._hang_up(place)
            raise
        number[0] = place

    def disconnect(self, number: int) -> None:
        """`BL_Disconnect`."""
        self._ask(number, Function.DISCONNECT, -1)
        self._hang_up(number)

    def test_connection(self, number: int) -> None:
        """`BL_TestConnection`."""
        self._ask(number, Function.TEST_CONNECTION, -1)

    def channels_plugged(self, number: int, flags: int, size: int) -> None:
        """`BL_GetChannelsPlugged`."""
        self._fill(flags, self._ask(number, Function.CHANNELS_PLUGGED, -1), min(size, CHANNELS))

    def load_firmware(
        self,
        number: int,
        channels: int,
        results: int,
        size: int,
        gauge: bool,
        force: bool,
        kernel: bytes,
        fpga: bytes,
    ) -> None:
        """`BL_LoadFirmware`."""
        size = min(size, CHANNELS)
        arguments = ctypes.string_at(channels, size).ljust(CHANNELS, b"\0") + bytes((force,))
        self._fill(results, self._ask(number, Function.LOAD_FIRMWARE, -1, arguments), 4 * size)

    def channel_infos(self, number: int, channel: int, infos: int) -> None:
        """`BL_GetChannelInfos`."""
        self._fill(infos, self._ask(number, Function.CHANNEL_INFOS, channel), 76)

    def board_type(self, number: int, channel: int, board: int) -> None:
        """`BL_GetChannelBoardType`."""
        self._fill(board, self._ask(number, Function.BOARD_TYPE, channel), 4)

    def message(self, number: int, channel: int, text: int, size: Any) -> None:
        """`BL_GetMessage`."""
        said = self._ask(number, Function.MESSAGE, channel)[: max(0, size[0] - 1)]
        ctypes.memmove(text, said + b"\0", len(said) + 1)
        size[0] = len(said)

    def define_integer(self, label: bytes, value: int, index: int, parameter: int) -> None:
        """`BL_DefineIntParameter`."""
        self._define(label, 0, struct.pack("<i", value), index, parameter)

    def define_boolean(self, label: bytes, value: bool, index: int, parameter: int) -> None:
        """`BL_DefineBoolParameter`."""
        self._define(label, 1, struct.pack("<I", value), index, parameter)

    def define_single(self, label: bytes, value: float, index: int, parameter: int) -> None:
        """`BL_DefineSglParameter`."""
        self._define(label, 2, struct.pack("<f", value), index, parameter)

    def load_technique(
        self, number: int, channel: int, name: bytes, given: EccParams, first: bool, last: bool, display: bool
    ) -> None:
        """`BL_LoadTechnique`."""
        arguments = bytes((first, last)) + _technique(name, given)
        self._ask(number, Function.LOAD_TECHNIQUE, channel, arguments)

    def update_parameters(self, number: int, channel: int, index: int, given: Any, name: bytes) -> None:
        """`BL_UpdateParameters`."""
        arguments = struct.pack("<i", index) + _technique(name, given[0])
        self._ask(number, Function.UPDATE_PARAMETERS, channel, arguments)

    def technique_infos(self, number: int, channel: int, index: int, infos: int) -> None:
        """`BL_GetTechniqueInfos`; the parameters are the connection's until the next call."""
        told = self._ask(number, Function.TECHNIQUE_INFOS, channel, struct.pack("<i", index))
        held = self._wires[number].held
        ctypes.memmove(held, told[16:], len(told) - 16)
        pointers = struct.pack("@PP", ctypes.addressof(held), 0)
        self._fill(infos, told[:16] + pointers, 16 + len(pointers))

    def start(self, number: int, channel: int) -> None:
        """`BL_StartChannel`."""
        self._ask(number, Function.START, channel)

    def stop(self, number: int, channel: int) -> None:
        """`BL_StopChannel`."""
        self._ask(number, Function.STOP, channel)

    def current_values(self, number: int, channel: int, values: int) -> None:
        """`BL_GetCurrentValues`."""
        self._fill(values, self._ask(number, Function.CURRENT_VALUES, channel), CURRENT_VALUES)

    def data(self, number: int, channel: int, words: int, infos: int, values: int) -> None:
        """`BL_GetData`."""
        told = self._ask(number, Function.GET_DATA, channel)
        head = ROW_INFOS + CURRENT_VALUES
        self._fill(infos, told, ROW_INFOS)
        self._fill(values, told[ROW_INFOS:], CURRENT_VALUES)
        ctypes.memmove(words, told[head:], len(told) - head)
        if len(told) > head:
            self._wires[number].tell(Function.TOOK_DATA, channel)

    def single(self, word: int, value: Any, board: int) -> None:
        """`BL_ConvertChannelNumericIntoSingle`."""
        value[0] = struct.unpack("<f", struct.pack("<I", word))[0]

    def _ask(self, number: int, function: Function, channel: int, arguments: bytes = b"") -> bytes:
        wire = self._wires.get(number)
        if wire is None:
            raise LibraryError(NOT_CONNECTED)
        try:
            return wire.ask(function, channel, arguments)
        except LibraryError as error:
            if error.code == COMMUNICATION_FAILED:
                self._hang_up(number)
            raise

    def _hang_up(self, number: int) -> None:
        wire = self._wires.pop(number, None)
        if wire is not None:
            wire.close()

    def _fill(self, where: int, told: bytes, size: int) -> None:
        if len(told) < size:
            raise LibraryError(RESPONSE_ERROR)
        ctypes.memmove(where, told, size)

    def _define(self, label: bytes, kind: int, bits: bytes, index: int, parameter: int) -> None:
        if len(label) > 63 or index < 0:
            raise LibraryError(Code.INVALID_PARAMETERS)
        packed = PARAMETER.pack(label, kind, int.from_bytes(bits, "little"), index)
        ctypes.memmove(parameter, packed, len(packed))


def _technique(name: bytes, given: EccParams) -> bytes:
    """Return a technique's name and parameters as they go on the wire."""
    raw = ctypes.string_at(given.parameters, PARAMETER_SIZE * given.len) if given.len > 0 else b""
    return name[:63].ljust(64, b"\0") + raw


def library() -> SimpleNamespace:
    """Return the exports, as attributes like those of a library that was loaded.

    Each keeps its own argument types; a host may set others of the same layout.
    """
    twin = Twin()
    number, channel, flags, text = c_int32, c_uint8, c_bool, c_char_p
    exports: dict[str, tuple[Callable[..., None], tuple[Any, ...]]] = {
        "BL_Connect": (twin.connect, (text, c_uint8, POINTER(c_int32), c_void_p)),
        "BL_Disconnect": (twin.disconnect, (number,)),
        "BL_TestConnection": (twin.test_connection, (number,)),
        "BL_GetChannelsPlugged": (twin.channels_plugged, (number, c_void_p, c_uint8)),
        "BL_LoadFirmware": (
            twin.load_firmware,
            (number, c_void_p, c_void_p, c_uint8, flags, flags, text, text),
        ),
        "BL_GetChannelInfos": (twin.channel_infos, (number, channel, c_void_p)),
        "BL_GetChannelBoardType": (twin.board_type, (number, channel, c_void_p)),
        "BL_GetMessage": (twin.message, (number, channel, c_void_p, POINTER(c_uint32))),
        "BL_DefineBoolParameter": (twin.define_boolean, (text, flags, c_int32, c_void_p)),
        "BL_DefineSglParameter": (twin.define_single, (text, c_float, c_int32, c_void_p)),
        "BL_DefineIntParameter": (twin.define_integer, (text, c_int32, c_int32, c_void_p)),
        "BL_LoadTechnique": (
            twin.load_technique,
            (number, channel, text, EccParams, flags, flags, flags),
        ),
        "BL_UpdateParameters": (
            twin.update_parameters,
            (number, c_int8, c_int32, POINTER(EccParams), text),
        ),
        "BL_GetTechniqueInfos": (twin.technique_infos, (number, c_int8, c_int32, c_void_p)),
        "BL_StartChannel": (twin.start, (number, c_int8)),
        "BL_StopChannel": (twin.stop, (number, c_int8)),
        "BL_GetCurrentValues": (twin.current_values, (number, c_int8, c_void_p)),
        "BL_GetData": (twin.data, (number, c_int8, c_void_p, c_void_p, c_void_p)),
        "BL_ConvertChannelNumericIntoSingle": (twin.single, (c_uint32, POINTER(c_float), c_uint32)),
    }
    return SimpleNamespace(**{name: _exported(work, types) for name, (work, types) in exports.items()})


def _exported(work: Callable[..., None], types: tuple[Any, ...]) -> Any:
    """Return a C function pointer to `work`; what it raises becomes its code."""

    def function(*arguments: Any) -> int:
        try:
            work(*arguments)
        except LibraryError as error:
            return error.code
        return Code.OK

    return ctypes.CFUNCTYPE(c_int32, *types)(function)
