"""What a channel has recorded in one test, kept small enough for millions of records."""

from array import array
from collections.abc import Iterator

from simulators.neware.step_file import Kind
from simulators.neware.step_run import Data

_WIDTH = 9


class Memory:
    """Records numbered from 1 without gaps; a record takes 72 bytes."""

    def __init__(self) -> None:
        self._values = array("d")

    def __len__(self) -> int:
        return len(self._values) // _WIDTH

    def append(self, data: Data) -> None:
        self._values.extend(data)

    def __getitem__(self, seqid: int) -> Data:
        """Return a record by its number."""
        at = (seqid - 1) * _WIDTH
        return _data(self._values[at : at + _WIDTH])

    def moment(self, seqid: int) -> float:
        """Return when it was recorded, by the channel's own time."""
        return self._values[(seqid - 1) * _WIDTH + 4]

    def rows(self, start: int, stop: int) -> Iterator[tuple[float, ...]]:
        """Yield the values of the records from `start` up to, not including, `stop`, as `Data` has them."""
        values = iter(self._values[(start - 1) * _WIDTH : (stop - 1) * _WIDTH])
        return zip(*[values] * _WIDTH, strict=True)


def _data(values: "array[float]") -> Data:
    stepid, cycleid, kind, *rest = values
    return Data(int(stepid), int(cycleid), Kind(int(kind)), *rest)
