"""What the codes of EClib mean (EC-Lab Development Package, error codes), and what to do about them."""

from drivers.errors import InstrumentError, LinkError, RefusedError

_MEANINGS = {
    -1: "the instrument is not connected",
    -2: "a connection is being made already",
    -3: "the channel is not plugged in",
    -4: "a parameter is invalid",
    -5: "a file does not exist",
    -6: "the function failed",
    -7: "no channel is selected",
    -8: "the configuration of the instrument is invalid",
    -9: "EC-Lab holds the channel with its own firmware; disconnect it there first",
    -10: "the library is not loaded",
    -11: "the USB library is not loaded",
    -12: "another function of the library is still in progress",
    -13: "the channel is running",
    -14: "this instrument is not allowed with this library",
    -15: "the parameters cannot be changed while the technique runs",
    -101: "communication with the instrument's processor failed",
    -102: "too many data for one message",
    -103: "the instrument cannot answer",
    -104: "the instrument's answer is wrong",
    -105: "a message has the wrong size",
    -200: "communication with the instrument failed",
    -201: "the instrument does not answer at this address",
    -202: "the instrument did not acknowledge",
    -203: "the address is not valid; wanted 192.168.0.1 or USB0",
    -204: "the library has no memory left",
    -205: "loading the firmware failed in the middle",
    -206: "the server inside the instrument is incompatible",
    -207: "the instrument has as many connections as it can take",
    -300: "kernel.bin is missing beside the library",
    -301: "kernel.bin cannot be read",
    -302: "kernel.bin is invalid",
    -303: "kernel.bin cannot be loaded into the instrument",
    -304: "the FPGA file is missing beside the library",
    -305: "the FPGA file cannot be read",
    -306: "the FPGA file is invalid",
    -307: "the FPGA file cannot be loaded into the instrument",
    -308: "no firmware is loaded in the channel",
    -309: "the firmware of the channel does not go with this library",
    -400: "the technique's .ecc file is missing beside the library",
    -401: "the technique's .ecc file does not go with the channel's board or firmware",
    -402: "the technique's .ecc file is corrupted",
    -403: "the technique cannot be loaded",
    -404: "the data the instrument sent are corrupted",
    -405: "the channel's memory is full",
}

_OPTIONS = {
    0: "no error",
    1: "the option was changed",
    2: "the option's inputs are open",
    3: "IR compensation overflows",
    **dict.fromkeys(range(100, 104), "the 4 A amplifier reports an error"),
    **dict.fromkeys(range(200, 204), "the 48 V booster reports an error"),
    **dict.fromkeys(range(300, 304), "the 10 A 5 V amplifier reports an error"),
    **dict.fromkeys(range(600, 604), "the 1 A 48 V P amplifier reports an error"),
}

_TRANSIENT = frozenset((-1, -2, -12, -404, *range(-105, -100), *range(-207, -199)))
"""Codes of the cable and of traffic on it: asking again may help."""

CONNECTION_LOST = frozenset((-1, *range(-207, -199)))
"""Codes after which the connection must be made anew."""


def meaning(code: int) -> str:
    """Return what an error code means, as the predicate of a sentence."""
    return _MEANINGS.get(code, "the library knows no meaning of this code")


def option_meaning(code: int) -> str:
    """Return what an option error (`OptErr`) means."""
    return _OPTIONS.get(code, "an unknown option error")


def error(function: str, code: int) -> InstrumentError:
    """Return the error of a call that answered `code`: a `LinkError` where asking again may help."""
    kind = LinkError if code in _TRANSIENT else RefusedError
    return kind(f"{function} answered {code}: {meaning(code)}")
