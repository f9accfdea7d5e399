"""A stretch of a run's readings as Parquet, for the archive."""

import hashlib
import io
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from daemon.errors import DamagedError, UnavailableError

SIZE = 20_000
"""Readings in one part: what is read at least where one of them is wanted, some 10 ms."""

Row = tuple[float | None, ...]
"""One reading: the columns below, in their order."""

MISSING = "readings kept as Parquet, and pyarrow is not installed; pip install 'galvanod[parquet]'"
COLUMNS = (
    *("number", "time", "step", "cycle"),
    *("voltage", "current", "capacity", "energy", "temperature", "flags"),
)
_WHOLE = ("number", "step", "cycle", "flags")
_SMOOTH = ("time", "voltage", "current", "capacity", "energy")  # bytes side by side compress twice as well


class Part(NamedTuple):
    """Readings `first` to `last` of a run; the digest is the SHA-256 of the content."""

    first: int
    last: int
    digest: str
    content: bytes

    @classmethod
    def of(cls, readings: Sequence[Row]) -> "Part":
        """Write readings as Parquet; raises `UnavailableError` where pyarrow is not installed."""
        try:
            import pyarrow
            import pyarrow.parquet as parquet
        except ModuleNotFoundError as error:
            raise UnavailableError(MISSING) from error
        arrays = [
            pyarrow.array(column, pyarrow.int64() if name in _WHOLE else pyarrow.float64())
            for name, column in zip(COLUMNS, zip(*readings, strict=True), strict=True)
        ]
        out = io.BytesIO()
        parquet.write_table(
            pyarrow.Table.from_arrays(arrays, names=list(COLUMNS)),
            out,
            compression="zstd",
            use_dictionary=[name for name in COLUMNS if name not in _SMOOTH],
            use_byte_stream_split=list(_SMOOTH),
        )
        content = out.getvalue()
        first, last = int(readings[0][0] or 0), int(readings[-1][0] or 0)
        return cls(first, last, hashlib.sha256(content).hexdigest(), content)

    def readings(self) -> list[tuple[Any, ...]]:
        """Read them back; raises `DamagedError` where the content is not what was written."""
        table = self._table(COLUMNS)
        columns = [table.column(name).to_pylist() for name in COLUMNS]
        return list(zip(*columns, strict=True))

    def columns(self, *names: str) -> NDArray[np.float64]:
        """Read some columns back, a row per reading, NaN where there is no number; thirty times as fast."""
        table = self._table(names)
        return np.column_stack([table.column(name).to_numpy().astype(np.float64) for name in names])

    def _table(self, names: Sequence[str]) -> Any:
        if hashlib.sha256(self.content).hexdigest() != self.digest:
            raise DamagedError(f"archive: the readings {self.first} to {self.last} are not what was written")
        try:
            import pyarrow.parquet as parquet
        except ModuleNotFoundError as error:
            raise UnavailableError(MISSING) from error
        return parquet.read_table(io.BytesIO(self.content), columns=list(names))
