"""Calls of EClib as lines, so that a dialogue can be written down and played back as on any cable.

    > BL_GetChannelInfos [0, 3]
    < [0, "0300000001..."]

A question is the function with what it is given, an answer its code and what it filled in: structures as
they lie in memory, in hexadecimal, without the zeros at their end. Whom to connect to the link knows.
"""

import ctypes
import json
import struct
from collections.abc import Callable, Mapping, Sequence
from ctypes import addressof, c_char_p, create_string_buffer, sizeof
from functools import partial
from typing import Any

from drivers.eclib_library import EXPORTS, Function
from drivers.eclib_structs import CHANNELS, DATA_WORDS, EccParam, EccParams, TechniqueInfos
from drivers.errors import LinkError

MESSAGE_BYTES = 4096

FILLED: Mapping[str, Sequence[int]] = {
    "BL_Connect": (2, 3),
    "BL_GetChannelsPlugged": (1,),
    "BL_LoadFirmware": (2,),
    "BL_GetChannelInfos": (2,),
    "BL_GetChannelBoardType": (2,),
    "BL_GetMessage": (2, 3),
    "BL_GetTechniqueInfos": (3,),
    "BL_GetCurrentValues": (2,),
    "BL_GetData": (2, 3, 4),
    "BL_ConvertChannelNumericIntoSingle": (1,),
}
"""The arguments a function fills in, by their place."""

_LENGTHS = {
    ("BL_GetChannelsPlugged", 1): CHANNELS,
    ("BL_LoadFirmware", 1): CHANNELS,
    ("BL_LoadFirmware", 2): CHANNELS,
    ("BL_GetData", 2): DATA_WORDS,
}
"""Arguments that are arrays, and how long they are."""

_KINDS = {
    "BL_DefineIntParameter": (0, "<i"),
    "BL_DefineBoolParameter": (1, "<I"),
    "BL_DefineSglParameter": (2, "<f"),
}
"""`ParamType`, and how the bits of a value come about."""

Ask = Callable[[str], str]
"""Sends a line and returns the one that answers it."""


def spoken(ask: Ask) -> Mapping[str, Function]:
    """Return the exports of a library at the other end of a line."""
    functions: dict[str, Function] = {name: partial(_called, ask, name) for name in EXPORTS}
    return functions | {name: partial(_defined, *kind) for name, kind in _KINDS.items()}


def answered(functions: Mapping[str, Function], instrument: str, line: str) -> str:
    """Make the call a line asks for, and return the line that answers it. Raises `LinkError`."""
    name, _, rest = line.partition(" ")
    types = EXPORTS.get(name)
    try:
        given = json.loads(rest)
    except ValueError:
        given = None
    if types is None or not isinstance(given, list):
        raise LinkError(f"{line[:60]!r} is no call of EClib; wanted a function and a list")
    if name == "BL_Connect":
        given = [instrument, *given]
    values = iter(given)
    filled = FILLED.get(name, ())
    arguments = [
        _empty(name, place, kind) if place in filled else _read(name, place, kind, next(values))
        for place, kind in enumerate(types)
    ]
    if name == "BL_GetMessage":
        arguments[3].value = MESSAGE_BYTES
    code = functions[name](*arguments)
    return json.dumps([code, *(_told(arguments[place]) for place in filled)])


def _called(ask: Ask, name: str, *arguments: Any) -> int:
    """Make a call over the line; what it fills in is filled in here."""
    filled = FILLED.get(name, ())
    given = [_written(each) for place, each in enumerate(arguments) if place not in filled]
    line = json.dumps(given[1:] if name == "BL_Connect" else given)
    said = ask(f"{name} {line}")
    try:
        code, *results = json.loads(said)
        for place, told in zip(filled, results, strict=True):
            _fill(_target(arguments[place]), told)
    except (ValueError, TypeError) as error:
        raise LinkError(f"{name} was answered by {said[:60]!r}; wanted a list of what it gives") from error
    return int(code)


def _target(argument: Any) -> Any:
    """Return the object an argument points to."""
    return getattr(argument, "_obj", argument)


def _written(argument: Any) -> Any:
    """Return an argument that is given as plain data."""
    target = _target(argument)
    if isinstance(target, EccParams):
        params = target.pParams[: target.len]
        return [[p.ParamStr.decode("ascii"), p.ParamType, p.ParamVal, p.ParamIndex] for p in params]
    if isinstance(target, bytes):
        return target.decode("ascii")
    return list(target) if isinstance(target, ctypes.Array) else target


def _read(name: str, place: int, kind: Any, value: Any) -> Any:
    """Return what the library is given for plain data."""
    if kind is c_char_p:
        return value.encode("ascii")
    if kind is EccParams or getattr(kind, "_type_", None) is EccParams:
        listed = [EccParam(label.encode("ascii"), *rest) for label, *rest in value]
        params = (EccParam * len(listed))(*listed)
        together = EccParams(len(params), params)
        return together if kind is EccParams else ctypes.pointer(together)
    return (kind._type_ * _LENGTHS[name, place])(*value) if (name, place) in _LENGTHS else value


def _empty(name: str, place: int, kind: Any) -> Any:
    """Return room for what the library fills in."""
    if kind is c_char_p:
        return create_string_buffer(MESSAGE_BYTES)
    return (kind._type_ * _LENGTHS[name, place])() if (name, place) in _LENGTHS else kind._type_()


def _told(filled: Any) -> Any:
    """Return what was filled in: hexadecimal, and of a technique its parameters beside it."""
    if isinstance(filled, TechniqueInfos):
        params = filled.Params[: filled.nbParams] if filled.Params else []
        return [bytes(filled)[:16].hex(), b"".join(map(bytes, params)).hex()]
    return bytes(filled).rstrip(b"\0").hex()


def _fill(target: Any, told: Any) -> None:
    if not isinstance(target, TechniqueInfos):
        data = bytes.fromhex(told)
        ctypes.memmove(addressof(target), data.ljust(sizeof(target), b"\0"), sizeof(target))
        return
    head, raw = map(bytes.fromhex, told)
    params = (EccParam * (len(raw) // sizeof(EccParam))).from_buffer_copy(raw)
    ctypes.memmove(addressof(target), head, len(head))
    target.Params = params  # which keeps them alive


def _defined(kind: int, form: str, label: bytes, value: Any, index: int, parameter: Any) -> int:
    """Fill in a parameter, which needs no instrument."""
    (bits,) = struct.unpack("<I", struct.pack(form, value))
    target = _target(parameter)
    target.ParamStr, target.ParamType, target.ParamVal, target.ParamIndex = label, kind, bits, index
    return 0
