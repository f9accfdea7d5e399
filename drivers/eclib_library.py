"""EClib itself: a DLL of the maker's, or whatever else has the same exports."""

import ctypes
import os
import sys
from collections.abc import Callable, Mapping
from ctypes import POINTER, c_bool, c_char_p, c_float, c_int8, c_int32, c_uint8, c_uint32
from importlib.metadata import entry_points
from typing import Any

from drivers.eclib_structs import (
    ChannelInfos,
    CurrentValues,
    DataInfos,
    DeviceInfos,
    EccParam,
    EccParams,
    TechniqueInfos,
)
from drivers.errors import LinkError, RefusedError

GROUP = "galvanod.libraries"
"""Entry points of libraries that are Python: functions of the same types under the same names."""

VARIABLE = "GALVANOD_ECLIB"
"""The environment variable with the path of the DLL, where the address names none."""

USUAL = "EClib64.dll" if sys.maxsize > 2**32 else "EClib.dll"

Function = Callable[..., int]

_FLAGS = POINTER(c_uint8)

EXPORTS: Mapping[str, tuple[Any, ...]] = {
    "BL_Connect": (c_char_p, c_uint8, POINTER(c_int32), POINTER(DeviceInfos)),
    "BL_Disconnect": (c_int32,),
    "BL_TestConnection": (c_int32,),
    "BL_GetChannelsPlugged": (c_int32, _FLAGS, c_uint8),
    "BL_LoadFirmware": (
        c_int32,
        _FLAGS,
        POINTER(c_int32),
        c_uint8,
        c_bool,
        c_bool,
        c_char_p,
        c_char_p,
    ),
    "BL_GetChannelInfos": (c_int32, c_uint8, POINTER(ChannelInfos)),
    "BL_GetChannelBoardType": (c_int32, c_uint8, POINTER(c_uint32)),
    "BL_GetMessage": (c_int32, c_uint8, c_char_p, POINTER(c_uint32)),
    "BL_DefineBoolParameter": (c_char_p, c_bool, c_int32, POINTER(EccParam)),
    "BL_DefineSglParameter": (c_char_p, c_float, c_int32, POINTER(EccParam)),
    "BL_DefineIntParameter": (c_char_p, c_int32, c_int32, POINTER(EccParam)),
    "BL_LoadTechnique": (c_int32, c_uint8, c_char_p, EccParams, c_bool, c_bool, c_bool),
    "BL_UpdateParameters": (c_int32, c_int8, c_int32, POINTER(EccParams), c_char_p),
    "BL_GetTechniqueInfos": (c_int32, c_int8, c_int32, POINTER(TechniqueInfos)),
    "BL_StartChannel": (c_int32, c_int8),
    "BL_StopChannel": (c_int32, c_int8),
    "BL_GetCurrentValues": (c_int32, c_int8, POINTER(CurrentValues)),
    "BL_GetData": (c_int32, c_int8, POINTER(c_uint32), POINTER(DataInfos), POINTER(CurrentValues)),
    "BL_ConvertChannelNumericIntoSingle": (c_uint32, POINTER(c_float), c_uint32),
}
"""The functions that are called, with their arguments; each returns an int32 error code."""


def load(name: str | None) -> Mapping[str, Function]:
    """Return the exports of a library: a path, the name of an installed Python one, or None for the usual.

    Raises `LinkError` where it cannot be loaded and `RefusedError` where it is no EClib.
    """
    where = name or os.environ.get(VARIABLE) or USUAL
    source = _installed(where) if _is_installed(where) else _loaded(where)
    functions = {}
    for export, arguments in EXPORTS.items():
        try:
            function = getattr(source, export)
        except AttributeError as error:
            raise RefusedError(f"{where} is no EClib: it has no function {export}") from error
        function.argtypes, function.restype = arguments, c_int32
        functions[export] = function
    return functions


def _is_installed(name: str) -> bool:
    return bool(entry_points(group=GROUP, name=name))


def _installed(name: str) -> Any:
    return next(iter(entry_points(group=GROUP, name=name))).load()()


def _loaded(path: str) -> Any:
    """Load a DLL; only Windows has the maker's, in whose 32 bits the callee cleans the stack."""
    kind = getattr(ctypes, "WinDLL", ctypes.CDLL)
    try:
        return kind(path)
    except OSError as error:
        raise LinkError(
            f"EClib cannot be loaded from {path}: {error}; name it in the address "
            f"(eclib://192.168.0.5?library=/path/to/{USUAL}) or in {VARIABLE}"
        ) from error
