"""What a P-300 can be asked and told: one line in, `OK:` and its echo, data, or `NA:` and a reason out.

Facts of the chamber maker's own open library; what is marked [M] was not seen there.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from simulators.espec.controller import Controller, Mode

SWITCHED_ON = datetime(2026, 1, 1, tzinfo=UTC)
"""What the controller's calendar says at 0 s."""

TEMPERATURE = re.compile(r"(?P<what>[SHL])(?P<celsius>[+-]?\d{1,3}(\.\d)?)")

REFRIGERATION = {"REF0", "REF1", "REF3", "REF6", "REF9"}

RELAYS = range(1, 13)


class NotAcceptedError(Exception):
    """The controller says no, in its own words."""


UNKNOWN = "CMD ERR"
NO_HUMIDITY = "CONT NOT READY-1"
NO_PROGRAM_RUNS = "CONT NOT READY-2"
NOT_ON_THIS_ONE = "CONT NOT READY-3"
KEYS_WHILE_OFF = "CONT NOT READY-4"
NO_SUCH_PROGRAM = "DATA NOT READY"
PARAMETER = "PARA ERR"
RANGE = "DATA OUT OF RANGE"
PROTECTED = "PROTECT ON"

Act = Callable[[Controller, list[str]], str]


def answer(controller: Controller, line: str, protected: bool = False) -> str:
    """Return what the controller answers to one line. `protected` is the switch at its panel."""
    head, *parameters = (part.strip() for part in line.split(","))
    question = head.upper().endswith("?")
    try:
        act = (QUESTIONS if question else COMMANDS).get(head.upper())
        if act is None:
            raise NotAcceptedError(UNKNOWN)
        if protected and not question:
            raise NotAcceptedError(PROTECTED)
        said = act(controller, parameters)
    except NotAcceptedError as error:
        return f"NA:{error}"
    return said if question else f"OK:{line}"


def _refuse(reason: str) -> Act:
    def refuse(controller: Controller, parameters: list[str]) -> str:
        raise NotAcceptedError(reason)

    return refuse


def _monitored(controller: Controller, parameters: list[str]) -> str:
    _check_detail(parameters)
    return f"{controller.temperature:.1f},,{controller.mode},{len(controller.alarms)}"


def _mode(controller: Controller, parameters: list[str]) -> str:
    _check_detail(parameters)
    return controller.mode.value


def _check_detail(parameters: list[str]) -> None:
    """`DETAIL` may follow; what it would add is about programs, which there are none of."""
    if [parameter.upper() for parameter in parameters] not in ([], ["DETAIL"]):
        raise NotAcceptedError(PARAMETER)


def _temperature(controller: Controller, parameters: list[str]) -> str:
    kept = (controller.temperature, controller.set_point, controller.high, controller.low)
    return ",".join(f"{value:.1f}" for value in kept)


def _constant(controller: Controller, parameters: list[str]) -> str:
    match [parameter.upper() for parameter in parameters]:
        case ["TEMP"]:
            return f"{controller.set_point:.1f},ON"
        case ["HUMI" | "PTC"]:
            raise NotAcceptedError(NO_HUMIDITY)
        case ["REF"]:
            return "AUTO" if controller.refrigeration == 9 else str(_percent(controller.refrigeration))
        case ["RELAY"]:
            return _counted(sorted(controller.relays))
    raise NotAcceptedError(PARAMETER)


def _percent(refrigeration: int) -> int:
    return {0: 0, 1: 20, 3: 50, 6: 100}[refrigeration]


def _counted(numbers: list[int]) -> str:
    """Return how many there are, and which."""
    return ",".join(map(str, [len(numbers), *numbers]))


def _now(controller: Controller) -> datetime:
    return SWITCHED_ON + timedelta(seconds=controller.lived)


def _running(controller: Controller, parameters: list[str]) -> str:
    on = controller.mode is Mode.CONSTANT and controller.refrigeration != 0
    return "2,ON1,OFF2" if on else "2,OFF1,OFF2"


def _set_temperature(controller: Controller, parameters: list[str]) -> str:
    """Take `S25.0`, `H85.0`, `L-40.0`, or several of them with spaces between; all or none."""
    if len(parameters) != 1 or not parameters[0]:
        raise NotAcceptedError(PARAMETER)
    wanted = {"S": controller.set_point, "H": controller.high, "L": controller.low}
    for word in parameters[0].upper().split():
        match = TEMPERATURE.fullmatch(word)
        if match is None:
            raise NotAcceptedError(PARAMETER)
        wanted[match["what"]] = float(match["celsius"])
    if not controller.least <= wanted["L"] <= wanted["S"] <= wanted["H"] <= controller.most:
        raise NotAcceptedError(RANGE)
    controller.set_point, controller.high, controller.low = wanted["S"], wanted["H"], wanted["L"]
    return ""


def _set_mode(controller: Controller, parameters: list[str]) -> str:
    word = ",".join(parameters).upper()
    if re.fullmatch(r"RUN\d+", word):
        raise NotAcceptedError(NO_SUCH_PROGRAM)
    if word not in Mode.__members__:
        raise NotAcceptedError(PARAMETER)
    if word == "CONSTANT" and controller.alarms:
        raise NotAcceptedError("CHB NOT READY")
    controller.mode = Mode[word]
    return ""


def _power(controller: Controller, parameters: list[str]) -> str:
    return _set_mode(controller, ["CONSTANT" if _switched(parameters) else "OFF"])


def _lock_keys(controller: Controller, parameters: list[str]) -> str:
    if controller.mode is Mode.OFF:
        raise NotAcceptedError(KEYS_WHILE_OFF)
    controller.keys_locked = _switched(parameters)
    return ""


def _switched(parameters: list[str]) -> bool:
    word = ",".join(parameters).upper()
    if word not in ("ON", "OFF"):
        raise NotAcceptedError(PARAMETER)
    return word == "ON"


def _set_refrigeration(controller: Controller, parameters: list[str]) -> str:
    word = ",".join(parameters).upper()
    if word not in REFRIGERATION:
        raise NotAcceptedError(PARAMETER)
    controller.refrigeration = int(word[-1])
    return ""


def _set_relays(controller: Controller, parameters: list[str]) -> str:
    if len(parameters) < 2:
        raise NotAcceptedError(PARAMETER)
    numbers = {int(text) if text.isascii() and text.isdigit() else 0 for text in parameters[1:]}
    if not numbers <= set(RELAYS):
        raise NotAcceptedError(PARAMETER)
    on = _switched(parameters[:1])
    controller.relays = controller.relays | numbers if on else controller.relays - numbers
    return ""


def _set_mask(controller: Controller, parameters: list[str]) -> str:
    word = ",".join(parameters)
    if not re.fullmatch(r"[01]{8}", word):
        raise NotAcceptedError(PARAMETER)
    controller.mask = word
    return ""


def _accept(pattern: str) -> Act:
    """Return a command that takes what it should and changes nothing one can see."""

    def accept(controller: Controller, parameters: list[str]) -> str:
        if not re.fullmatch(pattern, ",".join(parameters)):
            raise NotAcceptedError(PARAMETER)
        return ""

    return accept


QUESTIONS: dict[str, Act] = {
    "ROM?": lambda controller, _: "JLA-300 1.20",  # its wording [M]
    "TYPE?": lambda controller, _: f"T,S3,{controller.most:.1f}",
    "DATE?": lambda controller, _: _now(controller).strftime("%y.%m/%d"),
    "TIME?": lambda controller, _: _now(controller).strftime("%H:%M:%S"),
    "SRQ?": lambda controller, _: f"0{1 if controller.alarms else 0}000000",
    "MASK?": lambda controller, _: controller.mask,
    "ALARM?": lambda controller, _: _counted(list(controller.alarms)),
    "MODE?": _mode,
    "MON?": _monitored,
    "TEMP?": _temperature,
    "HUMI?": _refuse(NO_HUMIDITY),
    "SET?": lambda controller, _: f"REF{controller.refrigeration}",
    "REF?": _running,
    "%?": lambda controller, _: f"1,{controller.heater:.1f}",
    "RELAY?": lambda controller, _: _counted(sorted(controller.relays)),
    "CONSTANT SET?": _constant,
    "KEYPROTECT?": lambda controller, _: "ON" if controller.keys_locked else "OFF",
    "TIMER ON?": lambda controller, _: "0",
    "TIMER USE?": lambda controller, _: "0",
    "PRGM MON?": _refuse(NO_PROGRAM_RUNS),
    "PRGM SET?": _refuse(NO_PROGRAM_RUNS),
    "PRGM USE?": lambda controller, _: "0",
    "PRGM DATA?": _refuse(NO_SUCH_PROGRAM),
    "RUN PRGM?": _refuse(NO_PROGRAM_RUNS),
    "RUN PRGM MON?": _refuse(NO_PROGRAM_RUNS),
    "MON PTC?": _refuse(NO_HUMIDITY),
    "TEMP PTC?": _refuse(NO_HUMIDITY),
    "SET PTC?": _refuse(NO_HUMIDITY),
    "IPSET?": lambda controller, _: "127.0.0.1,255.0.0.0,127.0.0.1",
}
"""By the words before the first comma."""

COMMANDS: dict[str, Act] = {
    "TEMP": _set_temperature,
    "MODE": _set_mode,
    "POWER": _power,
    "KEYPROTECT": _lock_keys,
    "SET": _set_refrigeration,
    "RELAY": _set_relays,
    "MASK": _set_mask,
    "SRQ": _accept("RESET"),
    "DATE": _accept(r"\d{1,2}\.\d{1,2}/\d{1,2}\. ?[A-Za-z]{3}"),
    "TIME": _accept(r"\d{1,2}:\d{1,2}:\d{1,2}"),
    "HUMI": _refuse(NO_HUMIDITY),
    "TEMP PTC": _refuse(NO_HUMIDITY),
    "PTC": _refuse(NO_HUMIDITY),
    "PRGM": _refuse(NO_PROGRAM_RUNS),
    "PRGM ERASE": _refuse(NO_SUCH_PROGRAM),
    "RUN PRGM": _refuse(NOT_ON_THIS_ONE),
    "TIMER": _refuse(NOT_ON_THIS_ONE),
}
