"""Bio-Logic VMP3, VSP, SP-xxx and their kin through EClib (EC-Lab Development Package).

Channels "1" to "16", as the front panel counts them. EC-Lab must have let go of a channel before.
"""

from collections.abc import Sequence
from typing import ClassVar, Self

from drivers.base import Driver, Identity
from drivers.biologic_channel import EclibChannel
from drivers.biologic_conventions import Conventions
from drivers.biologic_models import MODELS, SUFFIXES, Board, Model, Potentiostat
from drivers.biologic_port import Port
from drivers.biologic_refusal import refusal
from drivers.deadman import Deadman, DeadmanKind
from drivers.eclib import Eclib
from drivers.eclib_structs import ChannelInfos, DeviceInfos
from drivers.errors import RefusedError
from drivers.finding import Finding
from drivers.links import Link, LinkOptions
from drivers.links.eclib import calls_over
from protocols.accuracy import Accuracy
from protocols.plan import PlannedStep


class Biologic(Driver):
    """A chassis with up to sixteen potentiostats, each with a cell of its own."""

    link_options: ClassVar[LinkOptions] = LinkOptions(deadline=5.0)

    many_channels: ClassVar[bool] = True

    accuracy: ClassVar[Accuracy | None] = Accuracy(0.0, 5e-3, 0.0, 1e-3)
    """0.1 % of a range of 5 V, 0.1 % of a current range: from memory of a VMP3's brochure, not checked."""

    # every list of techniques ends by its own tests and durations, and a channel that stops is disconnected
    deadman: Deadman = Deadman(DeadmanKind.AUTONOMOUS)

    def __init__(self, identity: Identity, model: Model, ports: dict[str, Port]) -> None:
        self.identity = identity
        self.rating = model.rating
        self._ports = ports
        self.channels = {place: EclibChannel(port) for place, port in ports.items()}

    @classmethod
    def refusal(cls, step: PlannedStep) -> str | None:
        reasons = [refusal(step, model) for model in MODELS.values()]
        return refusal(step, MODELS[5]) if all(reasons) else None

    async def findings(self) -> Sequence[Finding]:
        return [finding for port in self._ports.values() for finding in await port.findings()]

    @classmethod
    async def open(cls, link: Link) -> Self:
        scheme, found, _ = link.address.partition("://")
        if found and scheme != "eclib":
            raise RefusedError(
                f"{link.address}: a Bio-Logic is reached through EClib; wanted eclib://192.168.0.5"
            )
        calls = calls_over(link)
        conventions = Conventions.of(calls.settings)
        device, boards = await calls.perform(_identified)
        model = MODELS.get(device.DeviceCode)
        if model is None:
            known = ", ".join(each.name for each in MODELS.values())
            raise RefusedError(f"{link.address}: device code {device.DeviceCode} answered; wanted {known}")
        ports = {
            str(number + 1): Port(calls, number, _potentiostat(model, board, infos), conventions)
            for number, (board, infos) in boards.items()
        }
        serial = next((str(infos.BoardSerialNumber) for _, infos in boards.values()), "")
        identity = Identity("Bio-Logic", model.name, serial, f"{device.FirmwareVersion / 100:.2f}")
        return cls(identity, model, ports)


def _identified(eclib: Eclib) -> tuple[DeviceInfos, dict[int, tuple[int, ChannelInfos]]]:
    """Return what the instrument and each of its channels are, without touching any."""
    boards = {number: (eclib.board_type(number), eclib.channel_infos(number)) for number in eclib.plugged()}
    return eclib.device, boards


def _potentiostat(model: Model, board: int, infos: ChannelInfos) -> Potentiostat:
    kind = Board(board) if board in SUFFIXES else Board.UNKNOWN
    return Potentiostat(model, kind, infos.MinIRange, infos.MaxIRange, infos.MaxBandwidth)
