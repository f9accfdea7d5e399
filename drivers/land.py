"""LAND CT2001A and its kin, followed by their result files: file:///path/to/test.ccs, .csv, .txt or .xlsx.

How the cabinets talk to the maker's software is not public, so nothing here starts, stops or limits
anything: safety lies in the maker's own step program, and a person attests when it began and ended.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Self

from drivers.base import Driver, Identity
from drivers.current_range import ranged
from drivers.deadman import Deadman, DeadmanKind
from drivers.errors import InstrumentError, RefusedError
from drivers.land_ccs import CcsFile
from drivers.land_channel import NOT_OURS, LandChannel
from drivers.land_record import ResultFile
from drivers.land_table import TextFile, Workbook
from drivers.links import Link
from drivers.links.file import FileLink
from protocols.accuracy import Accuracy
from protocols.limits import Limits

FORMS: dict[str, Callable[[Path], ResultFile]] = {
    ".ccs": CcsFile,
    ".csv": TextFile,
    ".txt": TextFile,
    ".xlsx": Workbook,
}


class Land(Driver):
    """One result file, whose channel is "1"."""

    many_channels: ClassVar[bool] = (
        True  # opening the file touches no circuit, and neither does anything else
    )

    # the maker's step program goes on by itself, with its own cut-offs
    deadman: Deadman = Deadman(DeadmanKind.AUTONOMOUS)

    def __init__(self, identity: Identity, channel: LandChannel) -> None:
        self.identity = identity
        self.rating = Limits()
        self.channels = {"1": channel}

    @classmethod
    def configured(cls, settings: Mapping[str, str]) -> type[Self]:
        """Take `range`; 0.1 % of 5 V and of a range of current are typical of a CT2001A, unchecked."""
        return ranged(cls, settings, Accuracy(0.0, 5e-3, 0.0, 1e-3))

    @classmethod
    async def open(cls, link: Link) -> Self:
        if not isinstance(link, FileLink):
            raise InstrumentError(f"address {link.address!r}: wanted file:///path of a result file of LAND")
        form = FORMS.get(link.path.suffix.lower())
        if form is None:
            raise InstrumentError(f"{link.path}: wanted a file that ends in {', '.join(FORMS)}")
        identity = Identity("LAND", "CT2001A (followed)", link.path.name, "")
        return cls(identity, LandChannel(link.path, lambda: form(link.path)))

    @classmethod
    async def disconnect(cls, link: Link, places: Sequence[tuple[str | None, int]] = ()) -> Identity:
        raise RefusedError(f"{link.address}: {NOT_OURS}")
