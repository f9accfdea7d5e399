"""Neware cyclers behind a BTS Client 8.0 in API mode, over TCP.

Channels are called as the client shows them: device, sub-device, channel ("27-1-3"). The client needs
version 2023-03-17 or later and its API activated; its PC must see the folder of step files
(`drivers.neware_folder`).
"""

from collections.abc import Mapping
from typing import ClassVar, Self

from drivers.base import Driver, Identity
from drivers.current_range import ranged
from drivers.deadman import Deadman, DeadmanKind
from drivers.errors import LinkError, RefusedError
from drivers.links import Link, LinkOptions
from drivers.neware_channel import NewareChannel
from drivers.neware_folder import Folder
from drivers.neware_holding import refusal
from drivers.neware_session import LINK, Place, Session, items
from protocols.accuracy import Accuracy
from protocols.limits import Limits
from protocols.plan import PlannedStep

DEVICE_TYPES = {
    "20": "BTS78",
    "21": "BTS79",
    "22": "BTS80",
    "23": "BTS81",
    "24": "BTS82",
    "25": "BTS83",
    "26": "BTS84",
    "27": "BTS85",
}


class Neware(Driver):
    """Every channel of one BTS Client. What a channel can give is not told by it: the bench file says."""

    link_options: ClassVar[LinkOptions] = LINK

    many_channels: ClassVar[bool] = True

    # a step file ends by itself, every step of it by its own ends or its ceiling, and protection watches
    deadman: Deadman = Deadman(DeadmanKind.AUTONOMOUS)

    def __init__(self, identity: Identity, channels: dict[str, NewareChannel]) -> None:
        self.identity = identity
        self.rating = Limits()
        self.channels = channels

    @classmethod
    def configured(cls, settings: Mapping[str, str]) -> type[Self]:
        """Take `range`; 0.05 % of 5 V and of a range of current are typical of a BTS 4000.

        They were not checked against a data sheet, which may promise 0.02 %.
        """
        return ranged(cls, settings, Accuracy(0.0, 2.5e-3, 0.0, 5e-4))

    @classmethod
    def refusal(cls, step: PlannedStep) -> str | None:
        return refusal(step)

    @classmethod
    async def open(cls, link: Link) -> Self:
        session = Session(link)
        folder = Folder.of(link.address)
        answer = await session.ask("getdevinfo")
        try:
            places = [
                Place(one["ip"], one["devtype"], one["devid"], one["subdevid"], one["Channelid"])
                for one in items(answer, "middle")
            ]
        except KeyError as error:
            raise LinkError(f"{link.address}: getdevinfo tells of a channel without {error}") from error
        if not places:
            raise RefusedError(f"{link.address}: the BTS Client shows no channels")
        devices = dict.fromkeys((place.devtype, place.devid) for place in places)
        models = dict.fromkeys(DEVICE_TYPES.get(kind, f"type {kind}") for kind, _ in devices)
        serial = ", ".join(device for _, device in devices)
        identity = Identity("Neware", " ".join(models), serial, "BTS Client 8.0 API")
        return cls(identity, {str(p): NewareChannel(session, p, folder) for p in places})
