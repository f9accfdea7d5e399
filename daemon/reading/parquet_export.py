"""A run's readings as one Parquet file in Battery Data Format columns."""

import json
from collections.abc import Callable
from dataclasses import asdict
from itertools import islice
from pathlib import Path

from daemon.errors import UnavailableError
from daemon.reading.bdf import COLUMNS, BdfRows
from daemon.reading.export import every_reading
from daemon.reading.results import Results

GROUP = 100_000  # rows in one row group
_WHOLE = ("Cycle Count / 1", "Step Count / 1", "Record Index / 1")
_TEXT = ("Step ID", "Step Type")


def write_parquet(
    results: Results,
    run: str,
    path: Path,
    step: int | None = None,
    report: Callable[[int], None] = lambda rows: None,
) -> int:
    """Write the readings of a run or a step and return how many; what the run was is in the footer.

    Raises `UnavailableError` where pyarrow, the extra `parquet`, is not installed.
    """
    try:
        import pyarrow
        import pyarrow.parquet as parquet
    except ModuleNotFoundError as error:
        raise UnavailableError(
            "Parquet, and pyarrow is not installed; pip install 'galvanod[parquet]'"
        ) from error
    record = results.run(run)
    kinds = {**dict.fromkeys(_WHOLE, pyarrow.int64()), **dict.fromkeys(_TEXT, pyarrow.string())}
    facts = {"galvanod": json.dumps(asdict(record), ensure_ascii=False, default=str)}
    schema = pyarrow.schema([(name, kinds.get(name, pyarrow.float64())) for name in COLUMNS], metadata=facts)
    bdf, readings, written = BdfRows(record, results.steps(run)), every_reading(results, run, step), 0
    with parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        while rows := [bdf.row(reading) for reading in islice(readings, GROUP)]:
            columns = zip(*rows, strict=True)
            arrays = [
                pyarrow.array(column, field.type) for column, field in zip(columns, schema, strict=True)
            ]
            writer.write_table(pyarrow.Table.from_arrays(arrays, schema=schema))
            written += len(rows)
            report(written)
    return written
