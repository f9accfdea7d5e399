"""The file a link's dialogue is written to, so that no disk is ever waited for."""

import contextlib
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Self, TextIO

_log = logging.getLogger(__name__)

LONGEST = 64 * 1024 * 1024
"""Bytes after which a file is put aside, with `.1` behind its name, and another begun."""


class TranscriptFile:
    """Written by a thread of its own; what a full disk does not take is lost, and said once."""

    def __init__(self, path: Path, head: str) -> None:
        self._path = path
        self._head = head
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"transcript {path.name}")
        self._file: TextIO | None = None
        self._failed = False

    @classmethod
    @contextmanager
    def open(cls, path: Path, driver: str, address: str) -> Iterator[Self]:
        """Write to `path` while inside, after what it holds already; every line is on it when left."""
        began = datetime.now(UTC).isoformat(timespec="seconds")
        file = cls(path, f"# driver {driver} at {address}, galvanod {version('galvanod')}, {began}\n")
        file.write("")
        try:
            yield file
        finally:
            file.close()

    def write(self, text: str, /) -> int:
        """Take a line; does not wait."""
        self._thread.submit(self._write, text)
        return len(text)

    def close(self) -> None:
        """Write what is left, and let go of the file."""
        self._thread.submit(self._close)
        self._thread.shutdown(wait=True)

    def _write(self, text: str) -> None:
        try:
            self._opened().write(text)
        except OSError as error:
            if not self._failed:
                _log.error(
                    "transcript %s: %s; what is said from now on is not in it", self._path, error.strerror
                )
            self._failed = True

    def _opened(self) -> TextIO:
        if self._file is not None and self._file.tell() > LONGEST:
            self._close()
            self._path.replace(self._path.with_name(f"{self._path.name}.1"))
        if self._file is None:
            self._file = self._path.open("a", encoding="ascii", errors="backslashreplace", buffering=1)
            self._file.write(self._head)
        return self._file

    def _close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            with contextlib.suppress(OSError):
                file.close()
