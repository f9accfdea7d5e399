"""PalmSens EmStat4, EmStat Pico and Nexus over a serial line, programmed in MethodSCRIPT.

One channel, "1"; of a MultiEmStat4 each channel is a serial line of its own. Firmware with
MethodSCRIPT 1.2 or later.
"""

import re
from collections.abc import Mapping
from typing import ClassVar, Self

from drivers.base import Driver, Identity, Program
from drivers.deadman import Deadman, DeadmanKind
from drivers.emstat4_channel import PAUSE_AFTER_ERROR, ScriptChannel
from drivers.emstat4_models import MODELS, NEXUS_MODELS, PICO_MODELS, Model
from drivers.emstat4_refusal import refusal
from drivers.errors import LinkError, RefusedError
from drivers.links import Link, LinkOptions
from protocols.accuracy import Accuracy
from protocols.plan import PlannedStep

_DEVICE = re.compile(r"t(?P<device>.{6})(?P<firmware>.*)")

MOST_VERSION_LINES = 5


class EmStat4(Driver):
    """A potentiostat and galvanostat with its one channel."""

    models: ClassVar[Mapping[str, Model]] = MODELS
    """By the device letters it says it is."""

    link_options: ClassVar[LinkOptions] = LinkOptions(deadline=2.0, baud_rate=921_600)

    accuracy: ClassVar[Accuracy | None] = Accuracy(2e-3, 1e-3, 2e-3, 2e-3)
    """0.2 % + 1 mV, 0.2 % + 0.2 % of range: from memory of the maker's brochure, not checked against it."""

    # every script ends by its own cut-offs or its step's ceiling, and `on_finished:` opens the circuit
    deadman: Deadman = Deadman(DeadmanKind.AUTONOMOUS)

    pause_after_error: ClassVar[float] = PAUSE_AFTER_ERROR
    """Seconds of quiet after the instrument reported an error."""

    def __init__(self, identity: Identity, model: Model, channel: ScriptChannel) -> None:
        self.identity = identity
        self.rating = model.rating
        self.channels = {"1": channel}

    @classmethod
    def refusal(cls, step: PlannedStep) -> str | None:
        reasons = [refusal(step, model) for model in cls.models.values()]
        return reasons[-1] if all(reasons) else None

    @classmethod
    async def attach(
        cls, link: Link, identity: Identity, tag: str, program: Program
    ) -> tuple[Self, float] | None:
        model = next((model for model in cls.models.values() if model.name == identity.model), None)
        if model is None:
            return None
        channel = ScriptChannel(link, model, cls.pause_after_error)
        origin = await channel.attach(tag, program)
        return None if origin is None else (cls(identity, model, channel), origin)

    @classmethod
    async def open(cls, link: Link) -> Self:
        # Whatever is running is stopped before anything is asked; only then are answers answers.
        anyone = ScriptChannel(link, _UNKNOWN, cls.pause_after_error)
        try:
            await anyone.abort()
        except LinkError:
            await anyone.abort()
        device, firmware = await _device(link)
        model = cls.models.get(device)
        if model is None:
            raise RefusedError(f"{link.address}: a {device!r} answered; wanted {' or '.join(cls.models)}")
        serial = await _answer(link, "i")
        script_version = await _answer(link, "v")
        identity = Identity("PalmSens", model.name, serial, f"{firmware} MethodSCRIPT {script_version}")
        channel = ScriptChannel(link, model, cls.pause_after_error)
        await channel.off()
        return cls(identity, model, channel)


class EmStatPico(EmStat4):
    """The module of many boards: a potentiostat, and no galvanostat, on a slower line."""

    link_options: ClassVar[LinkOptions] = LinkOptions(deadline=2.0, baud_rate=230_400)

    models = PICO_MODELS


class Nexus(EmStat4):
    """The large one."""

    models = NEXUS_MODELS


_UNKNOWN = Model("EmStat4", 0.0, 0.0, 0.0)


async def _device(link: Link) -> tuple[str, str]:
    """Return the device letters and the firmware from the answer to `t`, whose last line ends with a star."""
    lines = [await link.query("t")]
    while not lines[-1].endswith("*"):
        if len(lines) >= MOST_VERSION_LINES:
            raise LinkError(f"{link.address}: t answered {lines!r}; wanted an end marked by a star")
        lines.append(await link.read())
    match = _DEVICE.fullmatch(lines[0])
    if match is None:
        raise LinkError(f"{link.address}: t answered {lines[0]!r}; wanted t, a device and its firmware")
    return match["device"], " ".join([match["firmware"], *lines[1:]]).strip(" *")


async def _answer(link: Link, command: str) -> str:
    answer = await link.query(command)
    if not answer.startswith(command) or "!" in answer:
        raise LinkError(f"{link.address}: {command} answered {answer!r}")
    return answer.removeprefix(command)
