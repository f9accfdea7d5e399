"""Locks that die with their owner: one process per state directory and per instrument."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from daemon.errors import BusyError


@contextmanager
def owned(path: Path, what: str) -> Iterator[None]:
    """Own `what` while inside, by a lock on `path`; `BusyError` names the process that has it."""
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.seek(0)
            holder = file.read(20).strip() or "unknown"
            raise BusyError(f"{what} is in use by process {holder}") from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
