"""The contract a chamber's driver fulfils: it keeps the air around cells at a temperature."""

from abc import ABC, abstractmethod
from enum import StrEnum
from typing import ClassVar, NamedTuple, Self

from drivers.base import Identity
from drivers.links import Link, LinkOptions
from protocols.limits import Range


class ChamberMode(StrEnum):
    """What a chamber is doing."""

    OFF = "off"  # not conditioning
    CONSTANT = "constant"  # keeping its set point
    PROGRAM = "program"  # following a program of its own


class ChamberState(NamedTuple):
    """One look at a chamber. Temperatures in degrees Celsius; `alarms` as its maker words or numbers them."""

    temperature: float
    set_point: float
    mode: ChamberMode
    alarms: tuple[str, ...] = ()


class Chamber(ABC):
    """One chamber. It does not own its link's closing, and nothing here waits for the air to follow."""

    hardware_verified: ClassVar[bool] = False
    """Whether a person has run this driver on the real thing."""

    link_options: ClassVar[LinkOptions] = LinkOptions()
    """How the family's cable is to be opened where the bench file says nothing else."""

    identity: Identity
    rating: Range
    """What it may be set to, in degrees Celsius."""

    @classmethod
    @abstractmethod
    async def open(cls, link: Link) -> Self:
        """Identify the chamber and change nothing: other people's cells may be in it.

        Raises `LinkError` where nobody answers and `RefusedError` where somebody else does.
        """

    @abstractmethod
    async def state(self) -> ChamberState:
        """Look at it."""

    @abstractmethod
    async def hold(self, celsius: float) -> None:
        """Keep the air at `celsius` from now on, both set point and mode read back.

        Raises `RefusedError` for a temperature it cannot be set to, and where it follows a program.
        """

    @abstractmethod
    async def stop(self) -> None:
        """End conditioning; the air goes where it will."""
